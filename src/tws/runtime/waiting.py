"""Signals that wait for the first quote of their symbol: for `QUOTE_S`, and never past the gate's own bound
on their age.

The first signal of a morning may come before the first tick. It would be refused for want of a price, and
nobody would say it again. So it waits, its fate says for what, and nothing else waits for it. One signal of a
symbol waits: a later one takes its place, as the later word on the same thing.
"""

from __future__ import annotations

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.model.market import Quote
from tws.model.signal import Signal
from tws.strategy import Reason, Refusal
from tws.strategy.refusal import refused

__all__ = ["QUOTE_S", "Waiting", "priced"]

QUOTE_S = 5.0
"""TWS sends the first ticks of a subscription within a second or two; a symbol that has none after five is
not subscribed, halted or closed, and no price of it will come in time."""


class _Waits(Struct, frozen=True):
    signal: Signal
    since_ns: int
    until_ns: int


def priced(quote: Quote | None) -> bool:
    """Whether an entry could be reckoned from it: bid and ask are there."""
    return quote is not None and quote.bid is not None and quote.ask is not None


class Waiting:
    """Those of one run, by symbol."""

    def __init__(self) -> None:
        self._of: dict[str, _Waits] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._of

    def symbols(self) -> list[str]:
        return list(self._of)

    def put(self, signal: Signal, now_ns: int, max_age_s: float) -> Refusal:
        """Let it wait; answers what it waits for, for its fate."""
        until_ns = min(now_ns + round(QUOTE_S * NS_PER_S), signal.time_ns + round(max_age_s * NS_PER_S))
        self._of[signal.symbol] = _Waits(signal, now_ns, until_ns)
        left_s = (until_ns - now_ns) / NS_PER_S
        return refused(signal, Reason.NO_QUOTE, f"waits for the first quote, {left_s:.3g} s at most")

    def take(self, symbol: str) -> Signal:
        """The signal that waits in a symbol; it waits no more."""
        return self._of.pop(symbol).signal

    def overdue(self, now_ns: int) -> list[tuple[Signal, Refusal]]:
        """Those whose time is over, with the reason; they wait no more."""
        late = [each for each in self._of.values() if now_ns >= each.until_ns]
        found = []
        for each in late:
            del self._of[each.signal.symbol]
            waited_s = (each.until_ns - each.since_ns) / NS_PER_S
            text = f"no quote with bid and ask has come within {waited_s:.3g} s"
            found.append((each.signal, refused(each.signal, Reason.NO_QUOTE, text)))
        return found
