"""The index of the official client's requests: `make index`, or

    python -m tests.index

writes docs/official-requests.md from `tests.index.rows`.
"""

from __future__ import annotations

from tests.index.page import PAGE, written

PAGE.write_text(written(), encoding="utf-8")
print(f"{PAGE.name}: {len(PAGE.read_text(encoding='utf-8').splitlines())} lines")
