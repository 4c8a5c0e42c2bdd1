"""The page shows the table: what stands between its markers is what the table draws.

Run this file (`python tests/orders/test_diagram.py`) to draw the page anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tws.orders.diagram import arcs_table, mermaid

PAGE = Path(__file__).parents[2] / "docs" / "design" / "orders.md"
DRAWN = {"diagram": f"```mermaid\n{mermaid()}\n```", "arcs": arcs_table()}


def _parts(text: str, name: str) -> tuple[str, str, str]:
    begin, end = f"<!-- {name} begins -->\n", f"\n<!-- {name} ends -->"
    before, rest = text.split(begin)
    inside, after = rest.split(end)
    return before + begin, inside, end + after


@pytest.mark.parametrize("name", DRAWN)
def test_the_page_holds_what_the_table_draws(name: str) -> None:
    assert _parts(PAGE.read_text(encoding="utf-8"), name)[1] == DRAWN[name], "run this file to draw it anew"


def main() -> None:
    """Draw both parts of the page anew."""
    text = PAGE.read_text(encoding="utf-8")
    for name, drawn in DRAWN.items():
        before, _, after = _parts(text, name)
        text = before + drawn + after
    PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
