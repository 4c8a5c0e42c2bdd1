"""docs/official-requests.md as text: the table of `tests.index.rows`, joined with what the official client,
our page of requests and the simulated TWS say.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tests.index.official import requests
from tests.index.rows import FAMILIES, Row

from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.wire.layouts import REQUESTS

__all__ = ["PAGE", "ROOT", "is_served", "shown_by", "written"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "official-requests.md"
_REQUESTS = ROOT / "docs" / "design" / "requests.md"

HEAD = """\
# Every request of the official client

Written by `make index`; do not edit. Each request that `EClient` 10.46 can send (its protobuf twin counts as
the same), the methods of `TWSConnection` that send it or do its work, what the simulated TWS does with it
unless its options say otherwise, and the test that shows it. How a method is called, what it gives, its
bounds: [requests](design/requests.md); `SyncConnection` has the same ones.

`Reply.cancel` stands for any `request_*` that is given up; a stream's `close` for leaving its `async with`
too. `official` is `connection.official`, the official client itself on our link. A simulated TWS that is
read-only refuses orders, their lists and changes: 321 `… The API interface is currently in Read-Only mode.`
"""
COLUMNS = "| official | message | ours | the simulated TWS | shown by |\n|---|---|---|---|---|"


def written() -> str:
    """The whole page."""
    parts = [HEAD]
    for family, rows in FAMILIES.items():
        parts.append(f"## {family}\n\n{COLUMNS}\n" + "\n".join(map(_line, rows)) + "\n")
    return "\n".join(parts)


def _line(row: Row) -> str:
    ours = ", ".join(f"`{name}`" for name in row.ours.split())
    file, _, name = shown_by(row).partition("::")
    words = row.words or "served"
    test = f"[{name}](../tests/{file})"
    return f"| `{row.official}` | {requests()[row.official]} | {ours} | {words} | {test} |"


def shown_by(row: Row) -> str:
    """The test of a row: its own, or that of our first method on the page of requests."""
    return row.test or _tests()[row.ours.split()[0]]


def is_served(official: str) -> bool:
    """Whether the simulated TWS does more with a request than to refuse it, by its own table."""
    return _classes().get(requests()[official]) in _served()


@cache
def _classes() -> dict[int, type]:
    return {layout.id: layout.message for layout in REQUESTS}


@cache
def _served() -> frozenset[type]:
    return SimulatedTWS(SimulatorOptions(paused=True)).core.desk.served()


@cache
def _tests() -> dict[str, str]:
    """Method and test of each row of docs/design/requests.md."""
    found = re.findall(
        r"^\| `(\w+)` .*\| \*?`(test_\w+\.py::\w+)`\*? \|$", _REQUESTS.read_text(encoding="utf-8"), re.M
    )
    return {method: f"connection/{test}" for method, test in found}
