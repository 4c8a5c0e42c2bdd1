"""Streams of market data: merged for whoever looks now and then, unmerged for whoever must see each tick.

A `QuoteStream` keeps the last value of each field. A tick changes it in place, so a reader that is slow finds
the newest state and a count of what it missed, and memory does not grow. A `on_tick` callback sees each tick
as it
is read. `TickStream` carries tick-by-tick data in a bounded queue that says when it overflowed.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeAlias, TypeVar

from msgspec import Struct

from tws.connection.callbacks import name_of
from tws.errors import LinkLostError, TWSError
from tws.model.contract import Contract
from tws.model.market import MarketDataType, OddLots, Quote, TickField
from tws.model.options import OptionGreeks

__all__ = ["Gap", "Greeks", "QuoteStream", "Reroute", "Stamp", "Stream", "TickCallback", "TickStream"]

TickCallback: TypeAlias = Callable[[int, float, float], object]
"""Called with (field, price, size). `field` is TWS's tick type (tws.model.market.TickField; delayed ones are
66 to 76).
A price tick carries the size that came with it; a size tick has price NaN; a generic tick has its value as
price and size NaN."""

SIZE_OF = {1: 0, 2: 3, 4: 5, 66: 69, 67: 70, 68: 71}
"""The size field that comes inside a price tick (TWS-BEHAVIOUR.md E; the official client makes a tickSize of
it).
"""
_DELAYED = {0: 69, 1: 66, 2: 67, 3: 70, 4: 68, 5: 71, 8: 74, 9: 75}

_KIND_OF = {
    10167: MarketDataType.DELAYED,
    10197: MarketDataType.NONE,
    354: MarketDataType.NONE,
    10089: MarketDataType.NONE,
    10168: MarketDataType.NONE,
    10186: MarketDataType.NONE,
}
"""What a code says of the kind of data (A8); message 58 says it in so many words."""

_GAPS_KEPT = 16
"""A look back over a bad day; whoever wants all of them listens (`on_gap`)."""

_NAN = math.nan
T = TypeVar("T")


class Stamp:
    """Market time of the bytes that are being walked, set once for each chunk."""

    __slots__ = ("now_ns",)

    def __init__(self) -> None:
        self.now_ns = 0


class Gap(Struct, frozen=True):
    """A time in which a stream was not fed: from `begin_ns` to `end_ns` (None while it lasts), and why."""

    begin_ns: int
    end_ns: int | None
    cause: str


class Greeks:
    """What TWS has reckoned of an option, by the price that it started from. None: nothing came yet; a value
    whose fields are None: TWS says that it can't be computed.
    """

    __slots__ = ("ask", "bid", "last", "model")

    def __init__(self) -> None:
        self.bid: OptionGreeks | None = None
        self.ask: OptionGreeks | None = None
        self.last: OptionGreeks | None = None
        self.model: OptionGreeks | None = None


class Reroute(Struct, frozen=True):
    """TWS has no data of its own for this contract (a CFD): ask for this one at this exchange instead."""

    con_id: int
    exchange: str


class Stream:
    """What all streams share: a reader that waits, an end with its reason, gaps that are announced.

    `count` is how much has come; `notice` the last code and text of TWS about it (10167, say); `gaps` the
    last interruptions, `gap` the one that lasts. A stream that is interrupted goes on by itself.
    """

    steady = True
    """Whether silence in an open market means that something is wrong."""

    @property
    def owed(self) -> bool:
        """Whether TWS has still to give the first answer, which comes whatever the market does."""
        return False

    def __init__(self, contract: Contract, isolate: Callable[..., None]) -> None:
        self.contract = contract
        self.request_id = -1
        self.failure: TWSError | None = None
        """Why the stream ended, None while it lives or after a plain `close`."""
        self.closed = False
        self.count = 0
        self.notice: tuple[int, str] | None = None
        self.gap: Gap | None = None
        self.gaps: deque[Gap] = deque(maxlen=_GAPS_KEPT)
        self._isolate = isolate
        self._on_close: Callable[[], None] = lambda: None
        self._on_gap: tuple[Callable[[Gap], object], ...] = ()
        self._waiter: asyncio.Future[None] | None = None

    def close(self) -> None:
        """End the stream, at TWS as well. Safe twice."""
        if not self.closed:
            self.closed = True
            self._on_close()
            self.wake()

    def on_gap(self, callback: Callable[[Gap], object]) -> Callable[[], None]:
        """Call `callback(gap)` when an interruption begins (`end_ns` None) and when it has ended.

        Returns the call that ends it.
        """
        self._on_gap = (*self._on_gap, callback)

        def stop() -> None:
            self._on_gap = tuple(other for other in self._on_gap if other is not callback)

        return stop

    # -- for the connection

    def attach(self, on_close: Callable[[], None]) -> None:
        """Who is told when the user closes it."""
        self._on_close = on_close

    def fail(self, error: TWSError) -> None:
        """The stream is over, and why."""
        if not self.closed:
            self.failure = error
            self.closed = True
            self.wake()

    def note(self, code: int, text: str) -> None:
        """TWS said something about it."""
        self.notice = (code, text)

    def interrupt(self, cause: str, now_ns: int) -> None:
        """TWS feeds it no longer, for now."""
        if self.gap is None and not self.closed:
            self.gap = Gap(now_ns, None, cause)
            self._tell_gap(self.gap)

    def resumed(self, now_ns: int) -> None:
        """Data comes again."""
        gap, self.gap = self.gap, None
        if gap is not None:
            over = Gap(gap.begin_ns, now_ns, gap.cause)
            self.gaps.append(over)
            self._tell_gap(over)

    def restored(self) -> None:
        """TWS says that it has IB again and that nothing was lost (1102)."""

    def reset(self) -> None:
        """It is asked for anew: what it held is old, and TWS will say all of it again."""

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _tell_gap(self, gap: Gap) -> None:
        for callback in self._on_gap:
            self._isolate(callback, gap)

    async def _wait(self) -> None:
        """Until `wake`. One reader at a time: two would steal each other's quotes."""
        if self._waiter is not None and not self._waiter.done():
            raise RuntimeError("this stream is being read elsewhere; open one for each reader")
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _over(self) -> None:
        if self.failure is not None:
            raise self.failure
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class QuoteStream(Stream):
    """Market data of one contract: an async iterator of merged quotes and an async context manager.

    `quote` is the last known state; `count` counts the ticks, `merged` what no reader saw on its own.
    Iterating gives the newest state once for each time that something changed since the last look, and ends
    with
    LinkLostError when the link goes, with RequestError when TWS ends the stream.
    """

    def __init__(self, contract: Contract, isolate: Callable[..., None]) -> None:
        super().__init__(contract, isolate)
        self.prices: dict[int, float] = {}
        """The last value of each price or generic field, as TWS sent it (-1 for no data)."""
        self.sizes: dict[int, float] = {}
        """The last value of each size field."""
        self.texts: dict[int, str] = {}
        """The last text of each string field, such as RTVolume (48)."""
        self.merged = 0
        self.time_ns = 0
        self.kind = MarketDataType.LIVE
        self.greeks = Greeks()
        """For options: by bid, ask, last and TWS's model."""
        self.min_tick: float | None = None
        """The smallest price step of this data, None until TWS states it."""
        self.last_price_precision: float | None = None
        """The finest step of the last price, such as 0.01; stated in protobuf alone, None until it is."""
        self.last_size_precision: float | None = None
        """The same of the last size, which may be a fraction from server version 222 on."""
        self.bbo_exchange = ""
        """The key for `request_smart_components`, "" until TWS states it."""
        self.reroute: Reroute | None = None
        """What to ask for instead, when TWS says so."""
        self.dirty = False
        self.callbacks: tuple[TickCallback, ...] = ()
        self._watchers: tuple[Callable[[QuoteStream], object], ...] = ()

    def on_tick(self, callback: TickCallback) -> Callable[[], None]:
        """Call `callback(field, price, size)` for every tick, unmerged, in byte order, on the loop's thread.

        Keep it short: while it runs nothing is read. Its exceptions are logged and stop nothing.
        Returns the call that ends it.
        """
        self.callbacks = (*self.callbacks, callback)

        def stop() -> None:
            self.callbacks = tuple(other for other in self.callbacks if other is not callback)

        return stop

    def on_dirty(self, callback: Callable[[QuoteStream], object]) -> Callable[[], None]:
        """Call `callback(stream)` when the stream turns dirty, not again until `take`: the entry into a
        state lane.
        """
        self._watchers = (*self._watchers, callback)

        def stop() -> None:
            self._watchers = tuple(other for other in self._watchers if other is not callback)

        return stop

    @property
    def halted(self) -> int | None:
        """0: trading, 1: halted, 2: halted for volatility; another number as TWS sends it; None: not stated
        (TWS-BEHAVIOUR.md E).
        """
        value = self.prices.get(TickField.HALTED)
        return None if value is None or value < 0 else int(value)

    @property
    def odd_lots(self) -> OddLots:
        """Quotes of less than a round lot, if generic tick 787 was asked for (tick types 105 to 110)."""
        bid, ask = self.prices.get(105, -1.0), self.prices.get(106, -1.0)
        return OddLots(bid=None if bid == -1.0 else bid, bid_size=self.sizes.get(107),
                       bid_exchange=self.texts.get(109), ask=None if ask == -1.0 else ask,
                       ask_size=self.sizes.get(108), ask_exchange=self.texts.get(110))

    @property
    def quote(self) -> Quote:
        """The last known state, without taking it."""
        prices, sizes = self.prices, self.sizes

        def price(field: int) -> float | None:
            value = prices.get(field, prices.get(_DELAYED[field], -1.0))
            # -1, or 0 beside a size of 0, is TWS's "no data" (TWS-BEHAVIOUR.md E)
            return None if value == -1.0 or (value == 0.0 and not size(SIZE_OF.get(field, field))) else value

        def size(field: int) -> float | None:
            return sizes.get(field, sizes.get(_DELAYED.get(field, field)))

        return Quote(
            con_id=self.contract.con_id,
            symbol=self.contract.symbol,
            time_ns=self.time_ns,
            bid=price(1),
            bid_size=size(0),
            ask=price(2),
            ask_size=size(3),
            last=price(4),
            last_size=size(5),
            volume=size(8),
            close=price(9),
            kind=self.kind,
            halted=self.halted,
        )

    def interrupt(self, cause: str, now_ns: int) -> None:
        super().interrupt(cause, now_ns)
        self.dirty = False  # so that the next tick soils it and ends the gap; what was unread is old

    def reset(self) -> None:
        self.prices.clear()
        self.sizes.clear()
        self.texts.clear()
        self.greeks = Greeks()

    def note(self, code: int, text: str) -> None:
        super().note(code, text)
        self.kind = _KIND_OF.get(code, self.kind)

    def take(self) -> Quote:
        """The newest state; the stream is clean again."""
        self.dirty = False
        return self.quote

    def soil(self) -> None:
        """For the connection: something changed while the stream was clean."""
        self.dirty = True
        if self.gap is not None:
            self.resumed(self.time_ns)
        self.wake()
        for watcher in self._watchers:
            self._isolate(watcher, self)

    def apply(self, field: int, value: float | str | None, size: float | None, now_ns: int) -> None:
        """For the connection: one tick, the careful way (`tws.connection.hearing.ticks` does the usual ones
        in place)."""
        price = _NAN
        if isinstance(value, str):
            self.texts[field] = value
            price = text_value(value)
        elif value is not None:
            price = self.prices[field] = value
        if size is not None:
            self.sizes[field if value is None else SIZE_OF.get(field, field)] = size
        self.changed(now_ns)
        for callback in self.callbacks:
            self._isolate(callback, field, price, _NAN if size is None else size)

    def changed(self, now_ns: int) -> None:
        """For the connection: something that a reader may want to see has come."""
        self.count += 1
        self.time_ns = now_ns
        if self.dirty:
            self.merged += 1
        else:
            self.soil()

    def __aiter__(self) -> QuoteStream:
        return self

    async def __anext__(self) -> Quote:
        while not self.dirty:
            if self.closed:
                self._over()
            await self._wait()
        return self.take()


class TickStream(Stream, Generic[T]):
    """Events of one contract, each in order; at most `bound` wait for a slow reader.

    When more come the oldest are lost and `lost` counts them: a reader that must not miss one compares it.
    `on_tick` sees each.
    """

    def __init__(self, contract: Contract, isolate: Callable[..., None], bound: int = 10_000) -> None:
        super().__init__(contract, isolate)
        if bound < 1:
            raise ValueError(f"bound is {bound}: room for one event at least")
        self.bound = bound
        self.lost = 0
        self.callbacks: tuple[Callable[[T], object], ...] = ()
        self._queue: deque[T] = deque()
        self._iterated = False

    def on_tick(self, callback: Callable[[T], object]) -> Callable[[], None]:
        """Call `callback(tick)` for every tick in byte order. Returns the call that ends it."""
        self.callbacks = (*self.callbacks, callback)

        def stop() -> None:
            self.callbacks = tuple(other for other in self.callbacks if other is not callback)

        return stop

    def put(self, tick: T, now_ns: int = 0) -> None:
        """For the connection: one tick more. Queued only once somebody iterates."""
        self.count += 1
        if self.gap is not None:
            self.resumed(now_ns)
        self._hand_out(tick)

    def _hand_out(self, tick: T) -> None:
        for callback in self.callbacks:
            try:
                callback(tick)
            except (Exception, asyncio.CancelledError) as error:
                self._isolate(fault_of(callback), error)
        if not self._iterated:
            return
        if len(self._queue) >= self.bound:
            self._queue.popleft()
            self.lost += 1
        self._queue.append(tick)
        self.wake()

    def __aiter__(self) -> TickStream[T]:
        self._iterated = True
        return self

    async def __anext__(self) -> T:
        self._iterated = True
        while not self._queue:
            if self.closed:
                self._over()
            await self._wait()
        return self._queue.popleft()

    async def __aenter__(self) -> Self:
        self._iterated = True
        return self


def fault_of(callback: Callable[..., object]) -> Callable[[BaseException], None]:
    """For `isolate`: a callback was called directly, since a detour for each tick would be dear; its fault
    is reported like any other, under its name."""

    def raise_it(error: BaseException) -> None:
        raise error

    raise_it.__qualname__ = name_of(callback)
    return raise_it


def text_value(text: str) -> float:
    """A string tick's number, NaN when it is none (RTVolume has several)."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def lost(what: str) -> LinkLostError:
    """The error that ends what hung on a link that went."""
    return LinkLostError(f"{what}: the link to TWS was lost")
