"""The page shows the table: what stands between its markers is what the table draws.

Run this file (`python -m tests.orders.test_diagram`) to draw the page anew.
"""

from __future__ import annotations

import pytest
from tests.drawn import Drawn

from tws.orders.diagram import arcs_table, mermaid

PAGE = Drawn("orders.md", {"diagram": mermaid(), "arcs": arcs_table()})


@pytest.mark.parametrize("name", PAGE.parts)
def test_the_page_holds_what_the_table_draws(name: str) -> None:
    PAGE.check(name)


if __name__ == "__main__":
    PAGE.draw()
