"""XML within a message, read with bounds and without trust.

It is read by the standard library's expat. A document type is refused as such, so nothing can define an
entity that grows or looks elsewhere; depth and number of elements are bounded, and the text is bounded by the
frame that brought it (`tws.wire.framing.MAX_LENGTH`).
"""

from __future__ import annotations

from xml.parsers import expat

from tws.model.markup import Markup

__all__ = ["MOST_DEPTH", "MOST_ELEMENTS", "parse"]

MOST_ELEMENTS = 200_000
"""A real list of scanner parameters, the largest document that TWS sends, has some ten thousand."""
MOST_DEPTH = 64
"""Its deepest element lies at about twelve."""


class _Builder:
    """Makes the tree while expat walks."""

    def __init__(self) -> None:
        self.root: Markup | None = None
        self._open: list[tuple[str, dict[str, str], list[str], list[Markup]]] = []
        self._count = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) >= MOST_DEPTH:
            raise ValueError("more or deeper than a document of TWS can be")
        self._open.append((name, attributes, [], []))

    def end(self, name: str) -> None:
        _, attributes, texts, inside = self._open.pop()
        made = Markup(name, attributes, "".join(texts).strip(), tuple(inside))
        if self._open:
            self._open[-1][3].append(made)
        else:
            self.root = made

    def text(self, text: str) -> None:
        if self._open:
            self._open[-1][2].append(text)

    def refuse(self, *told: object) -> None:
        raise ValueError("a document type is declared")


def parse(text: str) -> Markup:
    """The tree of a document. Raises ValueError, which says why there is none."""
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.begin
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    if builder.root is None:
        raise ValueError("no element")
    return builder.root
