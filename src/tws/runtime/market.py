"""What a run knows of its markets, reckoned once for all of it: contracts and hours as TWS states them,
quotes, bars and indicators of each symbol. The pilot, its rules and the strategies in Python read it.

A symbol is followed once, at one length of bar. `advance` gives the bars that ended, in the session that TWS
states; whoever asked to be told (`read`) hears of sessions, bars and changed quotes meanwhile. A look at a
quiet market costs the same whether one symbol is followed or five hundred. The past that indicators want is
`warming`'s. Hours are asked for anew when all that were stated are past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from tws.bars import NEVER_NS
from tws.clock import NS_PER_S
from tws.connection.streaming.barstreams import RealTimeBarStream
from tws.connection.streaming.streams import Gap
from tws.errors import TWSError
from tws.indicators import Studies
from tws.log import get_logger
from tws.marketdata import BarDone, Feed, Line
from tws.model.contract import Contract, ContractDetails
from tws.model.instrument import Instrument
from tws.model.market import Bar, Quote
from tws.model.session import Session, parse_hours, session_at
from tws.runtime.trader import Trader
from tws.runtime.warming import Warming, why_none

__all__ = ["ATR", "Markets", "Reader"]

ATR = "atr(14)"
"""What stops and targets are reckoned in."""
YEAR_S = 252 * 6.5 * 3600
"""Seconds of trading in a year of the American exchanges, for a yearly volatility."""
VOLATILITY_BARS = 120
"""Bars in a volatility: twenty minutes of ten seconds, past the noise of single trades."""
HOURS_AGAIN_S = 3600
"""How often a contract's hours are asked for anew once all that were stated are past."""
REAL_TIME_S = 5
"""The length of TWS's real-time bars (TWS-BEHAVIOUR.md E)."""
LINES = 20
"""Symbols told of to a human: what a glance takes in."""

_SHUT = Session(0, 0)
"""Stands for hours that nobody knows: no bar belongs to it."""

log = get_logger("tws.runtime")


class Reader(Protocol):
    """Who is told of a symbol's market. None of it may wait or raise."""

    def on_session(self, symbol: str, session: Session, now_ns: int) -> None: ...
    def on_bar(self, done: BarDone, now_ns: int) -> None: ...
    def on_quote(self, quote: Quote, now_ns: int) -> None: ...


class _Followed:
    """One symbol."""

    def __init__(self, instrument: Instrument, details: ContractDetails, feed: Feed, line: Line) -> None:
        self.instrument, self.zone = instrument, details.time_zone_id
        self.sessions = parse_hours(details.liquid_hours, details.time_zone_id)
        self.feed, self.line = feed, line
        self.told: Session | None = None
        self.readers: list[Reader] = []
        self.parts: RealTimeBarStream | None = None
        self.asked_ns = 0

    @property
    def con_id(self) -> int:
        return self.instrument.contract.con_id

    @property
    def studies(self) -> Studies:
        return self.feed.studies(self.con_id)

    def on_gap(self, gap: Gap) -> None:
        if gap.end_ns is None:
            self.line.interrupt(gap.cause, gap.begin_ns)
        else:
            self.line.resume(gap.end_ns)


class Markets:
    """The followed symbols of one trader. `folder` is that of the files of bars, where the trader's parts say
    that they are kept; the bars of the symbols in `real_time` are merged from TWS's real-time bars, all
    others built from ticks.
    """

    def __init__(self, trader: Trader, folder: Path, real_time: frozenset[str] = frozenset()) -> None:
        self._trader = trader
        self._real_time = real_time
        self._feeds: dict[int, Feed] = {}
        self._followed: dict[str, _Followed] = {}
        self._turn_ns = 0  # when a session of one of them is over
        self._turned: list[tuple[str, Session]] = []
        self._passing = None if trader.parts.keep_bars else TemporaryDirectory(ignore_cleanup_errors=True)
        kept = folder if self._passing is None else Path(self._passing.name)
        self.warming = Warming(kept, trader.connection, trader.clock.now_ns)
        trader.watchlist.on_details(self._learn)

    # -- following

    async def follow(
        self, symbol: str, bar_seconds: int, specs: Iterable[str] = (), keep: int = 0
    ) -> None:
        """Look a symbol up and follow its market; `keep` bars stay at hand. Raises what asking TWS raises.

        One that is followed already, at whatever length of bar, learns what more is asked about it.
        """
        found, now_ns = self._followed.get(symbol), self._trader.clock.now_ns()
        if found is None:
            found = await self._begin(symbol, bar_seconds)
        known = found.studies.names
        found.feed.add(found.con_id, symbol, specs, now_ns)
        found.feed.keep(found.con_id, keep)
        if found.studies.names != known and self.warming.again(symbol):
            found.feed.again(found.con_id, now_ns)

    async def _begin(self, symbol: str, bar_seconds: int) -> _Followed:
        trader = self._trader
        clock = trader.clock
        details = await trader.details(trader.contract(symbol))
        instrument = await trader.instrument(trader.contract(symbol))
        feed = self._feeds.setdefault(bar_seconds, Feed(bar_seconds, keep=1))
        feed.board.on_bar = trader.bell.ring
        con_id = instrument.contract.con_id
        part_seconds = REAL_TIME_S if symbol in self._real_time else 0
        specs, now_ns = [ATR, _volatility(bar_seconds)], clock.now_ns()
        line = feed.add(con_id, symbol, specs, now_ns, part_seconds=part_seconds)
        line.quiet = True
        found = self._followed[symbol] = _Followed(instrument, details, feed, line)
        self._tell_session(symbol, found, now_ns)
        tick = line.tick
        trader.watchlist.tap(con_id, lambda field, price, size: tick(field, price, size, clock.now_ns()))
        trader.watchlist.on_gap(con_id, found.on_gap)
        trader.watchlist.follow(instrument.contract)
        if part_seconds:
            stream = trader.connection.stream_realtime_bars(instrument.contract)
            stream.on_tick(line.part)
            found.parts = stream
        return found

    def read(self, symbol: str, reader: Reader, *, ring: Callable[[], object] | None = None) -> None:
        """Have `reader` told of a followed symbol's market; `ring` is called when its quote changes, and not
        again until it was told.
        """
        found = self._followed[symbol]
        found.readers.append(reader)
        found.line.quiet, found.line.on_dirty = False, ring

    def want_past(self, symbol: str, count: int = 0, *, quiet: bool = False) -> None:
        """The indicators of a followed symbol, and whoever reads its bars, want the past: at least `count`
        bars, and what indicators need to settle. Said once, or again. `quiet`: nobody waits for it.
        """
        if self.warming.wanted(symbol):
            return
        found = self._followed[symbol]
        session = found.told or _SHUT
        why = why_none(found.feed.board.bar_seconds, session.open_ns)
        self.warming.add(symbol, found.instrument.contract, found.feed, count, why, quiet=quiet)

    async def close(self) -> None:
        """Nothing is asked for any more; safe twice."""
        for found in self._followed.values():
            if found.parts is not None:
                found.parts.close()
        await self.warming.close()
        if self._passing is not None:
            self._passing.cleanup()

    # -- time

    def on_move(self, listener: Callable[[str], object] | None) -> None:
        """Call `listener` with the symbol of each tick from now on; None: nobody any more."""
        for feed in self._feeds.values():
            feed.board.on_move = listener

    def advance(self, now_ns: int) -> list[BarDone]:
        """The bars that ended within a session, after the indicators took them. Readers are told of them, of
        sessions and of quotes.
        """
        done = [each for feed in self._feeds.values() for each in feed.step(now_ns)]
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        for each in done:
            for reader in self._followed[each.symbol].readers:
                reader.on_bar(each, now_ns)
        for feed in self._feeds.values():
            for quote in feed.board.take():
                for reader in self._followed[quote.symbol].readers:
                    reader.on_quote(quote, now_ns)
        return done

    @property
    def next_ns(self) -> int:
        """When a bar or a session is over that `advance` has not told of: market time."""
        return min(self._turn_ns, *(each.board.next_ns for each in self._feeds.values()), NEVER_NS)

    def take_sessions(self) -> list[tuple[str, Session]]:
        """The sessions that began to be those of a symbol since the last call, the next ones included."""
        turned, self._turned = self._turned, []
        return turned

    def _turn(self, now_ns: int) -> None:
        self._turn_ns = NEVER_NS
        for symbol, found in self._followed.items():
            self._tell_session(symbol, found, now_ns)

    def _tell_session(self, symbol: str, found: _Followed, now_ns: int) -> None:
        session = session_at(found.sessions, now_ns)
        if session is None or session != found.told:
            found.feed.on_session(found.con_id, session or _SHUT)
        if session is None:
            return
        self._turn_ns = min(self._turn_ns, session.close_ns)
        if session != found.told:
            found.told = session
            self._turned.append((symbol, session))
            for reader in found.readers:
                reader.on_session(symbol, session, now_ns)

    def _learn(self, details: ContractDetails) -> None:
        """Hours that were stated anew. Those that can't be read leave what is known."""
        for found in self._followed.values():
            if found.con_id == details.contract.con_id:
                try:
                    found.sessions = parse_hours(details.liquid_hours, details.time_zone_id)
                except ValueError:
                    return  # told in the log by `hours.Hours`
                self._turn_ns = 0

    # -- what is known

    def contracts(self) -> list[Contract]:
        """Those that are followed, as TWS describes them."""
        return [each.instrument.contract for each in self._followed.values()]

    def instrument(self, symbol: str) -> Instrument:
        return self._followed[symbol].instrument

    def quote(self, symbol: str) -> Quote | None:
        """The last known state of the market; None before the first tick."""
        quote = self._followed[symbol].line.quote()
        return quote if quote.time_ns else None

    def ticks(self, symbol: str) -> int:
        """How often its quote was told: who remembers that sees whether it has changed."""
        return self._followed[symbol].line.ticks

    def atr(self, symbol: str) -> float | None:
        return self.study(symbol, ATR, 0)

    def volatility(self, symbol: str) -> float | None:
        """The yearly volatility of the last bars."""
        return self.study(symbol, _volatility(self._followed[symbol].feed.board.bar_seconds), 0)

    def study(self, symbol: str, spec: str, back: int) -> float | None:
        """An indicator at the last ended bar, or (`back` 1) the one before."""
        found = self._followed[symbol]
        return found.feed.indicator(found.con_id, spec, back)

    def bar(self, symbol: str, back: int) -> Bar | None:
        return self._followed[symbol].studies.bar(back)

    def bars(self, symbol: str) -> tuple[Bar, ...]:
        """Those that are at hand, oldest first."""
        studies, found = self._followed[symbol].studies, list[Bar]()
        while (bar := studies.bar(len(found))) is not None:
            found.append(bar)
        return tuple(reversed(found))

    def bars_since(self, symbol: str, since_ns: int) -> int:
        """How many bars, quiet ones included, have ended since an instant."""
        found = self._followed[symbol]
        length_ns = found.feed.board.bar_seconds * NS_PER_S
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
            await self._trader.watchlist.refresh(found.instrument.contract)
        except TWSError as wrong:
            log.warning("hours not told", symbol=symbol, reason=str(wrong))
        return session_at(found.sessions, now_ns)

    # -- the report

    def lines(self, now_ns: int) -> list[str]:
        """Each market with its price and the age of it, and what came of the past, for a human."""
        told = [self._line(found, now_ns) for found in list(self._followed.values())[:LINES]]
        more = len(self._followed) - LINES
        return told + ([f"and {more} symbols more"] if more > 0 else []) + self.warming.lines()

    def _line(self, found: _Followed, now_ns: int) -> str:
        price, studies = found.feed.price(found.con_id, now_ns), found.studies
        assert price is not None, "it is on the board"
        words = [f"{price.symbol} {price.kind.name.lower().replace('_', '-')}"]
        if price.price is None:
            words.append("no price")
        else:
            words.append(f"{price.price:g} ({price.source}), {price.age_s or 0:.1f} s old")
        words.append(f"{studies.taken} bars of {found.feed.board.bar_seconds} s")
        if found.parts is not None:
            words[-1] += " from real-time bars"
            words += [f"which ended: {found.parts.failure}"] if found.parts.failure is not None else []
        words += [f"{found.line.bars.partial} not whole"] if found.line.bars.partial else []
        words += [f"{found.line.bars.missed} spans without one"] if found.line.bars.missed else []
        atr = studies.value(ATR)
        return ", ".join([*words, "no ATR yet" if atr is None else f"{ATR} {atr:.4g}"])


def _volatility(bar_seconds: int) -> str:
    return f"volatility({VOLATILITY_BARS}, {YEAR_S // bar_seconds})"
