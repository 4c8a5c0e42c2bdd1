"""XML and JSON that TWS sends inside an answer, read with bounds and without trust.

XML is read by the standard library's expat. A document type is refused as such, so nothing can define an
entity that grows or looks elsewhere; depth and number of elements are bounded, and the text is bounded by the
frame that brought it (`tws.wire.framing.MAX_LENGTH`). What can't be read is a `DecodeError` on the line of
whoever asked, named in a warning; the session goes on.
"""

from __future__ import annotations

import json
from typing import Any
from xml.parsers import expat

from tws.errors import DecodeError
from tws.log import get_logger
from tws.model.markup import Markup

__all__ = ["read_json", "read_xml", "unreadable"]

log = get_logger("tws.connection")

MOST_ELEMENTS = 200_000
"""A real list of scanner parameters, the largest document that TWS sends, has some ten thousand."""
MOST_DEPTH = 64
"""Its deepest element lies at about twelve."""
_SHOWN = 4096
"""So much of an unreadable document is kept for a report."""


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


def read_xml(text: str, what: str) -> Markup:
    """The tree of a document; `what` names it in the error. Raises DecodeError."""
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.begin
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, ValueError) as error:
        raise unreadable(text, what, error) from None
    if builder.root is None:
        raise unreadable(text, what, "no element")
    return builder.root


def read_json(text: str, what: str) -> Any:
    """What a JSON text says; `what` names it in the error. Raises DecodeError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unreadable(text, what, error) from None


def unreadable(text: str, what: str, reason: object) -> DecodeError:
    """The error for a document that is not what it should be; the log has its name, the error its text."""
    log.warning("unreadable document, skipped", document=what, chars=len(text), reason=str(reason)[:200])
    return DecodeError(f"{what} can't be read: {reason}", text[:_SHOWN].encode("utf-8", "replace"))
