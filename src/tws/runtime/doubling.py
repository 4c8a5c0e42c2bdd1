"""Doubling down while a run trades: the limit half way to the stop is at the broker as soon as the entry has
ended, so that a program that dies later leaves all of it protected.

A limit that the desk had to end partly filled, since nobody knows what its children do then (docs/design/
desk.md), is wished for again as large as its rest: what has filled has a pair of its own by then, and the
limit goes on waiting, with a bracket of its own, until the trade is over. Where things stand is read off the
desk, so a restart goes on from there.
"""

from __future__ import annotations

from decimal import Decimal

from tws.clock import NS_PER_S
from tws.log import get_logger
from tws.model.instrument import Instrument
from tws.runtime.acting import act
from tws.runtime.stances import Stances
from tws.runtime.trader import Trader
from tws.strategy import Refusal
from tws.strategy.manage import Add, Stance, double_down, wait_again

__all__ = ["Doubling"]

AGAIN_NS = 30 * NS_PER_S
"""When what was denied is wished again: a stale quote is mended by then, no limit hammered."""
HALF = Decimal("0.5")
MANY = 1000
"""Trades whose wishes are remembered: those of days."""

log = get_logger("tws.runtime")


class Doubling:
    """One trader's."""

    def __init__(self, trader: Trader, stances: Stances) -> None:
        self._trader = trader
        self._stances = stances
        self._again_ns: dict[str, int] = {}  # trade -> when it may be wished for again

    async def look(self, symbol: str, instrument: Instrument, wanted: bool, now_ns: int) -> None:
        """Wish for what is due in a symbol that is held; `wanted`: its section doubles down by itself."""
        stance = self._stances.stance(symbol)
        wish = _due(stance, instrument, wanted, now_ns)
        if wish is None or now_ns < self._again_ns.get(stance.trade, 0):
            return
        if isinstance(wish, Refusal):
            why = wish.text
        else:
            did = await act(self._trader, symbol, wish)
            why = did.text if did.what == "denied" else ""
        if len(self._again_ns) >= MANY:
            self._again_ns.clear()
        if why:
            self._again_ns[stance.trade] = now_ns + AGAIN_NS
            log.warning("no double down", symbol=symbol, reason=why)


def _due(stance: Stance, instrument: Instrument, wanted: bool, now_ns: int) -> Add | Refusal | None:
    """What is to be wished for now; None while nothing is."""
    if not stance.trade or not stance.entered or stance.entering or stance.busy:
        return None
    if stance.rest:
        return wait_again(stance, instrument, now_ns)
    if wanted and not stance.doubled and not stance.adds:
        return double_down(stance, instrument, HALF, now_ns)
    return None
