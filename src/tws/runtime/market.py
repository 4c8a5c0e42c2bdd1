"""What a run knows of its markets: contracts and hours as TWS states them, quotes, bars and indicators of
each symbol.

A symbol is followed once, at one length of bar. Bars outside the sessions that TWS states feed no indicator.
Hours are asked for anew when all that were stated are past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tws.clock import NS_PER_S
from tws.errors import TWSError
from tws.indicators import Studies
from tws.log import get_logger
from tws.marketdata import BarDone, QuoteBoard
from tws.model.instrument import Instrument
from tws.model.market import Bar, Quote
from tws.model.session import Session, parse_hours, session_at
from tws.runtime.trader import Trader

__all__ = ["ATR", "Markets"]

ATR = "atr(14)"
"""What stops and targets are reckoned in."""
YEAR_S = 252 * 6.5 * 3600
"""Seconds of trading in a year of the American exchanges, for a yearly volatility."""
VOLATILITY_BARS = 120
"""Bars in a volatility: twenty minutes of ten seconds, past the noise of single trades."""
HOURS_AGAIN_S = 3600
"""How often a contract's hours are asked for anew once all that were stated are past."""

log = get_logger("tws.runtime")


class _Followed:
    """One symbol."""

    def __init__(self, instrument: Instrument, zone: str, studies: Studies, seconds: int) -> None:
        self.instrument = instrument
        self.zone = zone
        self.studies = studies
        self.seconds = seconds
        self.sessions: tuple[Session, ...] = ()
        self.asked_ns = 0


class Markets:
    """The followed symbols of one trader."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._boards: dict[int, QuoteBoard] = {}
        self._followed: dict[str, _Followed] = {}

    async def follow(
        self, symbol: str, bar_seconds: int, specs: Iterable[str] = (), keep: int = 0
    ) -> None:
        """Look a symbol up and follow its market; `keep` bars stay at hand. Raises what asking TWS raises.

        One that is followed already, at whatever length of bar, learns what more is asked about it.
        """
        known, trader = self._followed.get(symbol), self._trader
        if known is not None:
            for spec in specs:
                known.studies.add(spec)
            known.studies.keep(keep)
            return
        details = await trader.details(trader.contract(symbol))
        instrument = await trader.instrument(trader.contract(symbol))
        volatility = f"volatility({VOLATILITY_BARS}, {YEAR_S // bar_seconds})"
        studies = Studies([ATR, volatility, *specs], keep)
        found = _Followed(instrument, details.time_zone_id, studies, bar_seconds)
        found.sessions = parse_hours(details.liquid_hours, details.time_zone_id)
        self._followed[symbol] = found
        board = self._boards.setdefault(bar_seconds, QuoteBoard(bar_seconds=bar_seconds))
        board.on_bar = trader.bell.ring
        con_id, clock = instrument.contract.con_id, trader.clock
        tick = board.add(con_id, symbol, clock.now_ns()).tick
        trader.watchlist.tap(con_id, lambda field, price, size: tick(field, price, size, clock.now_ns()))
        trader.watchlist.follow(instrument.contract)

    def on_move(self, listener: Callable[[str], object] | None) -> None:
        """Call `listener` with the symbol of each tick from now on; None: nobody any more."""
        for board in self._boards.values():
            board.on_move = listener

    def advance(self, now_ns: int) -> list[BarDone]:
        """The bars that ended within a session, after the indicators took them."""
        done: list[BarDone] = []
        for board in self._boards.values():
            board.advance(now_ns)
            done += [each for each in board.take_bars() if self._takes(each)]
        return done

    def _takes(self, done: BarDone) -> bool:
        found = self._followed[done.symbol]
        session = session_at(found.sessions, done.bar.time_ns)
        if session is None or not session.holds(done.bar.time_ns):
            return False
        found.studies.on_session(session)
        if found.studies.update(done.bar):
            return True
        log.warning("a bar was refused", symbol=done.symbol, reason=found.studies.refusal)
        return False

    def instrument(self, symbol: str) -> Instrument:
        return self._followed[symbol].instrument

    def quote(self, symbol: str) -> Quote | None:
        """The last known state of the market; None before the first tick."""
        found = self._followed[symbol]
        quote = self._boards[found.seconds].quote(found.instrument.contract.con_id)
        return None if quote is None or not quote.time_ns else quote

    def ticks(self, symbol: str) -> int:
        """How often its quote was told: who remembers that sees whether it has changed."""
        found = self._followed[symbol]
        return self._boards[found.seconds].add(found.instrument.contract.con_id, symbol).ticks

    def atr(self, symbol: str) -> float | None:
        return self._followed[symbol].studies.value(ATR)

    def volatility(self, symbol: str) -> float | None:
        """The yearly volatility of the last bars."""
        found = self._followed[symbol]
        return found.studies.value(f"volatility({VOLATILITY_BARS}, {YEAR_S // found.seconds})")

    def study(self, symbol: str, spec: str, back: int) -> float | None:
        """An indicator at the last ended bar, or (`back` 1) the one before."""
        studies = self._followed[symbol].studies
        return studies.previous(spec) if back else studies.value(spec)

    def bar(self, symbol: str, back: int) -> Bar | None:
        return self._followed[symbol].studies.bar(back)

    def bars_since(self, symbol: str, since_ns: int) -> int:
        """How many bars, quiet ones included, have ended since an instant."""
        found = self._followed[symbol]
        length_ns = found.seconds * NS_PER_S
        return max(0, (found.studies.last_ns + length_ns) // length_ns - since_ns // length_ns)

    def zone(self, symbol: str) -> str | None:
        return self._followed[symbol].zone or None if symbol in self._followed else None

    def session(self, symbol: str, now_ns: int) -> Session | None:
        """The session that holds `now_ns`, or the next one that TWS has stated."""
        found = self._followed.get(symbol)
        return None if found is None else session_at(found.sessions, now_ns)

    async def hours(self, symbol: str, now_ns: int) -> Session | None:
        """The same, asked for anew when all that were stated are past; None when TWS can't be asked."""
        session, found = self.session(symbol, now_ns), self._followed.get(symbol)
        if session is not None or found is None or now_ns - found.asked_ns < HOURS_AGAIN_S * NS_PER_S:
            return session
        found.asked_ns = now_ns
        try:
            details = await self._trader.watchlist.refresh(found.instrument.contract)
            found.sessions = parse_hours(details.liquid_hours, details.time_zone_id)
        except (TWSError, ValueError) as wrong:
            log.warning("hours not told", symbol=symbol, reason=str(wrong))
        return session_at(found.sessions, now_ns)
