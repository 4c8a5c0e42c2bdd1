"""The end of a day: what is ours is closed in the last seconds of its contract's session, once.

The hours are those that the broker states for each contract, as the desk knows them (`hours`), so early
closes, holidays and the change of clocks are in them. A day ends with the last session that closes on its
date: a pause at noon is no end, and a market whose sessions touch has none. All that is ours counts, also
what an earlier configuration traded, and a reversal on its way.

In the last seconds the desk flattens the symbol, under a key that makes it happen once, and no entry is let
through. An end that nobody looked at (the machine slept, the loop was held) is made good, with an alarm: the
desk closes at once, or when the market opens.

What it can't know it does not guess. Where TWS states no hours, what is held stays behind its stop, and a
human hears of it.
"""

from __future__ import annotations

from tws.clock import NS_PER_S, to_datetime
from tws.desk import DeskState, Flatten, NoteAlarm
from tws.model.contract import Contract
from tws.model.records import FlattenPhase
from tws.model.session import Session
from tws.runtime.trader import Trader

__all__ = ["DayClose", "day_close"]

LOOK_NS = NS_PER_S // 5
"""How often it looks, in market time: the shortest margin is ten seconds, and ten symbols are cheap."""
DAY_NS = 86_400 * NS_PER_S
UNKNOWN_NS = 60 * NS_PER_S
"""So long hours may be missing before a human hears of it: after a start they are asked for within ten
seconds (`hours`).
"""
AGAIN_NS = 3600 * NS_PER_S
"""And then once an hour."""


def day_close(sessions: tuple[Session, ...], now_ns: int) -> int | None:
    """The next end of a day after `now_ns`; None when none is stated.

    Days are dates of UTC: no exchange with a pause is open at midnight there (assumed).
    """
    opens = {session.open_ns for session in sessions}
    coming = [each.close_ns for each in sessions if each.close_ns > now_ns and each.close_ns not in opens]
    return max((each for each in coming if each // DAY_NS == coming[0] // DAY_NS), default=None)


class DayClose:
    """The ends of days of one trader; `before_s` None leaves them alone."""

    def __init__(self, trader: Trader, before_s: float | None) -> None:
        self._trader = trader
        self._before_ns = None if before_s is None else round(before_s * NS_PER_S)
        self._looked_ns = 0
        self._ahead: dict[str, int] = {}  # symbol -> the end of the day that it was seen to come to
        self._unknown: dict[str, int] = {}  # symbol -> since when its hours are missing

    def ends(self, contract: Contract, now_ns: int) -> bool:
        """Whether the last seconds of a contract's day run: what is entered there would stay over night."""
        close_ns = self._close_of(contract.con_id, now_ns)
        if self._before_ns is None or close_ns is None:
            return False
        return now_ns >= close_ns - self._before_ns

    async def look(self, now_ns: int) -> None:
        """Close what is due. Raises what ended the trader."""
        if self._before_ns is None or 0 <= now_ns - self._looked_ns < LOOK_NS:
            return
        self._looked_ns = now_ns
        ours = _ours(self._trader.desk.state)
        for symbol, contracts in ours.items():
            await self._look_at(symbol, contracts, now_ns)
        for known in (self._ahead, self._unknown):
            for symbol in known.keys() - ours.keys():
                del known[symbol]

    async def _look_at(self, symbol: str, contracts: list[Contract], now_ns: int) -> None:
        ahead_ns = self._ahead.pop(symbol, None)
        if ahead_ns is not None and now_ns >= ahead_ns:
            await self._flatten(symbol, ahead_ns, late=True)
        closes = [self._close_of(each.con_id, now_ns) for each in contracts]
        known = [each for each in closes if each is not None]
        if len(known) < len(closes):
            await self._tell_unknown(symbol, now_ns)
        else:
            self._unknown.pop(symbol, None)
        if known:
            self._ahead[symbol] = min(known)
            assert self._before_ns is not None
            if now_ns >= min(known) - self._before_ns:
                await self._flatten(symbol, min(known))

    async def _flatten(self, symbol: str, close_ns: int, *, late: bool = False) -> None:
        """Once a day and symbol; what is being flattened already needs no other."""
        state, day = self._trader.desk.state, to_datetime(close_ns).date()
        running = state.flattens.get(symbol)
        under_way = running is not None and running.phase is not FlattenPhase.NOT_FLAT
        key = f"eod {day}"
        if under_way or f"{key}/{symbol}" in state.flatten_keys:
            return
        reason = "end of day"
        if late:
            reason = f"end of day {day}, late"
            text = f"{symbol} was not closed at the end of {day}: nobody looked. It is, now or at the open"
            await self._trader.ask(NoteAlarm(subject=f"end of day {symbol}", text=text))
        await self._trader.ask(Flatten(symbol=symbol, reason=reason, key=key))

    async def _tell_unknown(self, symbol: str, now_ns: int) -> None:
        since_ns = self._unknown.setdefault(symbol, now_ns)
        if now_ns - since_ns < UNKNOWN_NS:
            return
        self._unknown[symbol] = now_ns + AGAIN_NS - UNKNOWN_NS
        text = (
            f"TWS states no hours of {symbol}, so the end of its day is not known: what is held stays behind "
            "its stop; close it by hand where it must not stay"
        )
        await self._trader.ask(NoteAlarm(subject=f"hours {symbol}", text=text))

    def _close_of(self, con_id: int, now_ns: int) -> int | None:
        stated = self._trader.desk.state.hours.get(con_id)
        return None if stated is None else day_close(stated.liquid, now_ns)


def _ours(state: DeskState) -> dict[str, list[Contract]]:
    """What is held, works, or is being reversed, by symbol."""
    contracts = [each.contract for each in state.ours.exposed() if each.account == state.account]
    contracts += [each.contract for each in state.book.exposed()]
    contracts += [each.instrument.contract for each in state.reversals.values()]
    found: dict[str, dict[int, Contract]] = {}
    for each in contracts:
        found.setdefault(each.symbol, {})[each.con_id] = each
    return {symbol: list(by_id.values()) for symbol, by_id in found.items()}
