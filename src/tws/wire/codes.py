"""What TWS's codes mean, by whom they are about.

A code alone decides nothing: 110 kills a new order and spares one that was to be changed.

    effect(110, Context.CHANGE)      # Effect.REFUSES_CHANGE
    lookup(10349).text               # what TWS writes

A code that is not listed, or not in that context, is a QUESTION: warn and ask, never end anything by it
(invariant 4). Notices never end an order (INCIDENTS.md 10), refusals always end what awaits them (11).

`codes_words` has the contexts and effects, `codes_table` the rows with their confidence and source,
`codes_amend` what a configuration may change in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tws.wire.codes_table import ROWS, WARNINGS
from tws.wire.codes_words import Context, Effect

__all__ = ["CATALOGUE", "Catalogue", "Code", "Context", "Effect", "effect", "is_client_code", "lookup"]


class Code(Struct, frozen=True):
    """One code. `effects` by context; `confidence` H, M, L, or ? for a code that is not listed."""

    code: int
    text: str
    confidence: str = "?"
    effects: Mapping[Context, Effect] = {}
    source: str = ""

    def effect(self, context: Context) -> Effect:
        """What the code does in this context."""
        return self.effects.get(context, Effect.QUESTION)

    @property
    def known(self) -> bool:
        """Whether anything is known of it: listed, of our own client, or in TWS's range of warnings."""
        return bool(self.effects)

    @property
    def from_client(self) -> bool:
        """Our own client library said it, not TWS (A7)."""
        return is_client_code(self.code)


def is_client_code(code: int) -> bool:
    """501 to 593: never the broker's word; the call failed, and the outcome is unknown if a byte had left
    (A7).
    """
    return 501 <= code <= 593


class Catalogue(Mapping[int, Code]):
    """The codes by number."""

    def __init__(self, codes: Mapping[int, Code]) -> None:
        self._codes = dict(codes)

    def __getitem__(self, code: int) -> Code:
        return self._codes[code]

    def __iter__(self) -> Iterator[int]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)

    def lookup(self, code: int) -> Code:
        """The code. One that is not listed is a QUESTION everywhere, except that our own client's ends what
        was asked, and a warning of TWS's spares it.
        """
        listed = self._codes.get(code)
        if listed is not None:
            return listed
        if is_client_code(code):
            return Code(code, "our own client could not send or read", "H", _OUR_OWN, "A7")
        if code in WARNINGS:
            return Code(code, "a warning that is not listed", "M", _WARNING, "DOX, rust#805")
        return Code(code, "not listed")

    def effect(self, code: int, context: Context) -> Effect:
        """What the code does in this context."""
        return self.lookup(code).effect(context)

    def amended(self, changes: Mapping[int, Mapping[Context, Effect]]) -> Catalogue:
        """A copy with these effects instead of, or in addition to, the listed ones. It judges nothing: what
        a configuration asks for goes through `codes_amend`.
        """
        codes = dict(self._codes)
        for number, effects in changes.items():
            old = self.lookup(number)
            codes[number] = Code(number, old.text, old.confidence, {**old.effects, **effects}, old.source)
        return Catalogue(codes)


_OUR_OWN = {Context.REQUEST: Effect.ENDS_REQUEST, Context.STREAM: Effect.ENDS_STREAM}
_WARNING = dict.fromkeys((Context.REQUEST, Context.STREAM, Context.LINK), Effect.NOTICE)

CATALOGUE = Catalogue(
    {
        number: Code(number, text, confidence, effects, source)
        for number, confidence, source, effects, text in ROWS
    }
)
"""The codes that are known."""


def lookup(code: int) -> Code:
    """The code of the standard catalogue, as `Catalogue.lookup`."""
    return CATALOGUE.lookup(code)


def effect(code: int, context: Context) -> Effect:
    """What a code does in a context, by the standard catalogue."""
    return CATALOGUE.effect(code, context)
