"""Parts of a page that are drawn from a table of the code: a test holds them equal, and draws them anew.

PAGE = Drawn("orders.md", {"diagram": ..., "arcs": ...})  # <!-- arcs begins --> ... <!-- arcs ends -->

@pytest.mark.parametrize("name", PAGE.parts)
def test_the_page_holds_what_the_table_draws(name): PAGE.check(name)

if __name__ == "__main__": PAGE.draw()
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["Drawn"]

PAGES = Path(__file__).parents[1] / "docs" / "design"


class Drawn:
    """A page of docs/design, and what its marked parts have to be."""

    def __init__(self, page: str, parts: dict[str, str]) -> None:
        self.path = PAGES / page
        self.parts = parts

    def check(self, name: str) -> None:
        """Whether the page has this part as it is drawn today."""
        _, inside, _ = _split(self.path.read_text(encoding="utf-8"), name)
        assert inside == self.parts[name], "run this file to draw it anew"

    def draw(self) -> None:
        """Draw every part anew."""
        text = self.path.read_text(encoding="utf-8")
        for name, drawn in self.parts.items():
            before, _, after = _split(text, name)
            text = before + drawn + after
        self.path.write_text(text, encoding="utf-8", newline="\n")


def _split(text: str, name: str) -> tuple[str, str, str]:
    begin, end = f"<!-- {name} begins -->\n", f"\n<!-- {name} ends -->"
    before, rest = text.split(begin)
    inside, after = rest.split(end)
    return before + begin, inside, end + after
