"""A parsed XML document as a frozen value, for what TWS answers as XML and we give no type of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

__all__ = ["Markup"]


class Markup(Struct, frozen=True):
    """One element: its name, attributes, the text in it (without the blanks around it), the elements in
    it."""

    name: str
    attributes: Mapping[str, str] = {}
    text: str = ""
    inside: tuple[Markup, ...] = ()

    def find(self, path: str) -> Markup | None:
        """The first element on a path of names such as "CoGeneralInfo/SharesOut"; None when there is none."""
        here: Markup | None = self
        for name in path.split("/"):
            here = next((one for one in here.inside if one.name == name), None) if here else None
        return here

    def text_at(self, path: str) -> str | None:
        """The text of the first element on a path."""
        found = self.find(path)
        return None if found is None else found.text

    def all(self, name: str) -> Iterator[Markup]:
        """Every element of that name at any depth, this one included, in the order of the document."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            if one.name == name:
                yield one
            waiting.extend(reversed(one.inside))
