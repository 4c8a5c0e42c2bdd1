"""`QuoteBoard`: ticks in, quotes and bars out.

Each subscribed contract has a `Line`. A tick changes the line's quote in place and marks it dirty; whoever
takes the dirty quotes gets each line once, however many ticks came between: those are counted as merged.
Bars are fed tick by tick before anything merges, so that no high or low is lost under load. Each line knows
what kind of data it has (live, delayed, frozen), and when it last heard a quote, a trade, anything: see
`price`.

    line = board.add(con_id, symbol)
    stream.on_tick(lambda field, price, size: line.tick(field, price, size, clock.now_ns()))
    for quote in board.take(50): ...        # at most 50 dirty lines, the longest waiting first
    for done in board.take_bars(): ...      # every completed bar, in order
    board.on_bar, board.on_move             # whom a tick that completes a bar, or that changes a line, wakes

Bars are built from the ticks, or (`add` with `part_seconds`) merged from TWS's real-time bars (`Line.part`).
The volume of a bar comes from the day's volume (tick 8) once TWS sends it, since a print may be told
twice (ticks 4 and 5) or not at all between two updates; before that, from the sizes of last-price ticks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import isfinite

from msgspec import Struct

from tws.bars import NEVER_NS, MergedBars, TimeBars
from tws.clock import NS_PER_S
from tws.marketdata.prices import Freshness, Price, priced
from tws.model.market import Bar, MarketDataType, Quote, TickField
from tws.model.session import Session

__all__ = ["BarDone", "Line", "QuoteBoard"]

_MAX_BARS = 100_000
"""Bars that wait for `take_bars`: eight symbols of 10-second bars for more than a day. Beyond it the
oldest go, counted: a strategy that is a day behind has no use for them."""

_PART_LATE_NS = 2 * NS_PER_S
"""A real-time bar comes when its five seconds are over, and so long after at most (assumed): before that the
bar that wants it is not given up."""

# Plain integers: a look into an enum's class costs more than all else that a tick does.
_BID_SIZE, _BID, _ASK, _ASK_SIZE = (
    int(field) for field in (TickField.BID_SIZE, TickField.BID, TickField.ASK, TickField.ASK_SIZE)
)
_LAST, _LAST_SIZE, _VOLUME, _CLOSE, _HALTED = (
    int(field)
    for field in (TickField.LAST, TickField.LAST_SIZE, TickField.VOLUME, TickField.CLOSE, TickField.HALTED)
)

_DELAYED = {66: 1, 67: 2, 68: 4, 69: 0, 70: 3, 71: 5, 72: 6, 73: 7, 74: 8, 75: 9, 76: 14}
"""Delayed ticks mean the same fields (TWS-BEHAVIOUR.md E)."""


class BarDone(Struct, frozen=True, gc=False):
    """A completed bar and whose it is."""

    con_id: int
    symbol: str
    bar: Bar


class Line:
    """One contract on the board. `ticks` counts all, `merged` those that no reader saw on their own."""

    __slots__ = (
        "_board",
        "_day_volume",
        "_merged",
        "_removed",
        "_ticked",
        "_waiting",
        "ask",
        "ask_size",
        "bars",
        "bid",
        "bid_size",
        "close",
        "con_id",
        "halted",
        "interrupted",
        "kind",
        "last",
        "last_size",
        "merged",
        "on_dirty",
        "quiet",
        "quoted_ns",
        "symbol",
        "ticks",
        "time_ns",
        "traded_ns",
        "volume",
    )

    def __init__(
        self, board: QuoteBoard, con_id: int, symbol: str, bars: TimeBars | MergedBars
    ) -> None:
        self._board = board
        self._ticked = bars if isinstance(bars, TimeBars) else None
        self._merged = bars if isinstance(bars, MergedBars) else None
        self._day_volume: float | None = None
        self._removed = False
        self._waiting = 0
        self.con_id, self.symbol = con_id, symbol
        self.bars: TimeBars | MergedBars = bars
        self.bid: float | None = None
        self.bid_size: float | None = None
        self.ask: float | None = None
        self.ask_size: float | None = None
        self.last: float | None = None
        self.last_size: float | None = None
        self.volume: float | None = None
        self.close: float | None = None
        self.halted: int | None = None
        self.kind = MarketDataType.LIVE
        self.interrupted = ""
        """Why it is not fed, "" while it is."""
        self.time_ns = self.quoted_ns = self.traded_ns = 0
        self.ticks = self.merged = 0
        self.quiet = False
        """Nobody takes its quotes: it never gets dirty."""
        self.on_dirty: Callable[[], object] | None = None
        """Called when it gets dirty, not again until it was taken. Keep it short: ticks wait for it."""

    def heard(self, kind: MarketDataType) -> None:
        """TWS says what kind of data this is (message 58, or a code that says so)."""
        self.kind = kind

    def interrupt(self, cause: str, now_ns: int) -> None:
        """The feed is interrupted: its prices grow old, its bar will not be whole."""
        self.interrupted = cause
        self.bars.interrupt(now_ns)

    def resume(self, now_ns: int) -> None:
        """The feed is back. What was traded meanwhile belongs to no bar."""
        self.interrupted = ""
        self._day_volume = None
        self.bars.resume(now_ns)

    def tick(self, field: int, price: float, size: float, now_ns: int) -> None:
        """One tick as TWS sent it: `price` NaN for a size alone, `size` the one that came with a price.

        Fields other than quotes, last, volume and close are counted and change nothing.
        """
        if self._removed:
            return
        self.ticks += 1
        if field >= 66:
            field = self._delayed(field)
        if field in (_LAST, _VOLUME):
            self._trade(field, price, size, now_ns)
        elif not self._quote(field, price, size):
            return
        elif field <= _ASK_SIZE and now_ns > self.quoted_ns:
            self.quoted_ns = now_ns
        if now_ns > self.time_ns:
            self.time_ns = now_ns
        if not self.quiet:
            self._board._mark(self)
        if self._board.on_move is not None:
            self._board.on_move(self.symbol)

    def part(self, bar: Bar) -> None:
        """One of TWS's real-time bars, which this line's bars are merged from; else it changes nothing."""
        if self._merged is None or self._removed:
            return
        found = self._merged.part(bar)
        for done in found:
            self._board._bar(self, done)
        if found:
            self._board.on_bar()
        self._board._ends(self.ends_ns)

    @property
    def ends_ns(self) -> int:
        """When the open bar is over, and nothing more of it can come."""
        return self.bars.ends_ns + (0 if self._merged is None else _PART_LATE_NS)

    def advance(self, now_ns: int) -> Bar | None:
        """The open bar, if it is over at `now_ns`."""
        return self.bars.advance(now_ns if self._merged is None else now_ns - _PART_LATE_NS)

    def quote(self) -> Quote:
        """The state as a frozen value."""
        return Quote(
            con_id=self.con_id,
            symbol=self.symbol,
            time_ns=self.time_ns,
            bid=self.bid,
            bid_size=self.bid_size,
            ask=self.ask,
            ask_size=self.ask_size,
            last=self.last,
            last_size=self.last_size,
            volume=self.volume,
            close=self.close,
            kind=self.kind,
            halted=self.halted,
        )

    def _delayed(self, field: int) -> int:
        """The same field of live data; a stream that sends delayed ones is no live one, whatever was said."""
        own = _DELAYED.get(field, field)
        if own != field and self.kind is MarketDataType.LIVE:
            self.kind = MarketDataType.DELAYED
        return own

    def _quote(self, field: int, price: float, size: float) -> bool:
        if field == _BID:
            self.bid, self.bid_size = _known(price, size)
        elif field == _ASK:
            self.ask, self.ask_size = _known(price, size)
        elif field == _BID_SIZE:
            self.bid_size = _size(size)
        elif field == _ASK_SIZE:
            self.ask_size = _size(size)
        elif field == _LAST_SIZE:
            self.last_size = _size(size)
        elif field == _CLOSE:
            self.close = _known(price, 1.0)[0]
        elif field == _HALTED:
            self.halted = int(price) if isfinite(price) and price >= 0 else None  # -1: not known (E)
        else:
            return False
        return True

    def _trade(self, field: int, price: float, size: float, now_ns: int) -> None:
        done, bars = None, self._ticked
        if field == _VOLUME:
            total = _size(size)
            if total is None:
                return
            before, self._day_volume, self.volume = self._day_volume, total, total
            # A total that falls is a new day or a correction: a new base, nothing traded.
            if before is None or total <= before:
                return
            self.traded_ns = max(self.traded_ns, now_ns)
            if bars is not None:
                done = bars.volume(now_ns, total - before)
        else:
            value, its_size = _known(price, size)
            if value is None:
                return
            self.last = value
            self.traded_ns = max(self.traded_ns, now_ns)
            if its_size is not None:
                self.last_size = its_size
            if bars is not None:
                done = bars.trade(now_ns, value, 0.0 if self._day_volume is not None else its_size or 0.0)
        if done is not None:
            self._board._bar(self, done)
            self._board.on_bar()
        if bars is not None:
            self._board._ends(bars.ends_ns)


class QuoteBoard:
    """All lines. `bars_dropped` counts bars that nobody took in time.

    `next_ns` is when the first of the open bars is over: before it `advance` has nothing to do and costs
    nothing, however many lines there are.
    """

    def __init__(self, bar_seconds: int = 10) -> None:
        self.bar_seconds = bar_seconds
        self.bars_dropped = 0
        self.next_ns = NEVER_NS
        self.on_bar: Callable[[], object] = lambda: None
        """Called after a tick has completed a bar."""
        self.on_move: Callable[[str], object] | None = None
        """Called with the symbol of each line that a tick has changed. Keep it short: ticks wait for it."""
        self._lines: dict[int, Line] = {}
        self._dirty: dict[Line, None] = {}  # insertion order is the order of waiting
        self._bars: deque[BarDone] = deque()

    def add(self, con_id: int, symbol: str, now_ns: int = 0, *, part_seconds: int = 0) -> Line:
        """The line of a contract; the one that is there, when it was added before.

        `now_ns`: when it begins to listen, so that the bar of this moment is not taken for a whole one;
        `part_seconds`: of the shorter bars that its bars are merged from, 0: they are built from its ticks.
        """
        line = self._lines.get(con_id)
        if line is None:
            bars = MergedBars(self.bar_seconds, part_seconds) if part_seconds else None
            line = Line(self, con_id, symbol, bars or TimeBars(self.bar_seconds, now_ns))
            self._lines[con_id] = line
        return line

    def remove(self, con_id: int) -> None:
        """The contract is watched no more. Safe when it never was."""
        line = self._lines.pop(con_id, None)
        if line is not None:
            line._removed = True  # ticks that are still under way find nobody
            self._dirty.pop(line, None)

    def quote(self, con_id: int) -> Quote | None:
        """The last known state, taken or not; None for a contract that is not on the board."""
        line = self._lines.get(con_id)
        return None if line is None else line.quote()

    def price(self, con_id: int, now_ns: int, rules: Freshness | None = None) -> Price | None:
        """The price to reckon with, how old it is and whether it may be used; None for a contract that is not
        on the board.
        """
        line = self._lines.get(con_id)
        if line is None:
            return None
        times = (line.time_ns, line.quoted_ns, line.traded_ns)
        return priced(line.quote(), times, line.interrupted, now_ns, rules or Freshness())

    def on_session(self, con_id: int, session: Session) -> None:
        """Bars of this contract belong to this session, which has begun or is the next."""
        line = self._lines.get(con_id)
        if line is not None:
            line.bars.on_session(session)

    def interrupt(self, cause: str, now_ns: int) -> None:
        """The link is lost: no line is fed."""
        for line in self._lines.values():
            line.interrupt(cause, now_ns)

    def resume(self, now_ns: int) -> None:
        """The link is back, and with it every line."""
        for line in self._lines.values():
            line.resume(now_ns)

    @property
    def dirty(self) -> int:
        """Lines that changed since they were taken."""
        return len(self._dirty)

    @property
    def merged(self) -> int:
        """Changes that were overwritten before a reader saw them, over all lines."""
        return sum(line.merged for line in self._lines.values())

    def take(self, limit: int | None = None) -> list[Quote]:
        """At most `limit` dirty quotes, the longest waiting first; they are clean then."""
        count = len(self._dirty) if limit is None else min(limit, len(self._dirty))
        taken = []
        for _ in range(count):
            line = next(iter(self._dirty))
            del self._dirty[line]
            line._waiting = 0
            taken.append(line.quote())
        return taken

    def take_bars(self) -> list[BarDone]:
        """Every bar completed since the last call, in the order of completion."""
        done = list(self._bars)
        self._bars.clear()
        return done

    def advance(self, now_ns: int) -> None:
        """Time went by: bars whose span is over are complete, tick or no tick. Call it as often as you like.
        """
        if now_ns < self.next_ns:
            return
        self.next_ns = NEVER_NS
        for line in self._lines.values():
            bar = line.advance(now_ns)
            if bar is not None:
                self._bar(line, bar)
            self._ends(line.ends_ns)

    def _ends(self, ends_ns: int) -> None:
        """A bar is open that ends then."""
        if ends_ns < self.next_ns:
            self.next_ns = ends_ns

    def _mark(self, line: Line) -> None:
        if line._waiting:
            line.merged += 1
        else:
            self._dirty[line] = None
            if line.on_dirty is not None:
                line.on_dirty()
        line._waiting += 1

    def _bar(self, line: Line, bar: Bar) -> None:
        if len(self._bars) >= _MAX_BARS:
            self._bars.popleft()
            self.bars_dropped += 1
        self._bars.append(BarDone(line.con_id, line.symbol, bar))


def _known(price: float, size: float) -> tuple[float | None, float | None]:
    """A price and its size; None where TWS has none: -1, or 0 with size 0 (TWS-BEHAVIOUR.md E)."""
    if not isfinite(price) or price == -1 or (price == 0 and not size):
        return None, None
    return price, _size(size)


def _size(size: float) -> float | None:
    return size if isfinite(size) and size >= 0 else None
