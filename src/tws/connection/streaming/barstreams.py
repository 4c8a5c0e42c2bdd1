"""Streams of bars, without a bar twice and, over interruptions, without one missing.

`BarStream` is TWS's history that is kept up to date: the bars so far, then the running bar whenever it
changes, and each bar once more when it is finished. `RealTimeBarStream` has bars of five seconds as they
close. When a stream is fed again after an interruption and bars are missing between the last finished one
and the first that comes, what comes is held back, the missing ones are asked for (`fill`), and all follow in
their order. An interruption meanwhile begins another stretch of what is held back, with a hole of its own
before it. Where filling fails for good, the hole stands in `unfilled`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.connection.streaming.streams import Gap, TickStream
from tws.errors import LinkLostError, TWSError
from tws.log import get_logger
from tws.model.contract import Contract
from tws.model.market import Bar

__all__ = ["BarStream", "Fill", "RealTimeBarStream"]

log = get_logger("tws.connection")

Fill: TypeAlias = Callable[[int, int], "asyncio.Future[list[Bar]]"]
"""Ask for the finished bars that begin from the first instant on and before the second (ns)."""

_UNFILLED_KEPT = 16  # a bad day's worth; more of them are one long hole


class _Bars(TickStream[Bar]):
    """What both have: finished bars in order, and holes that are filled."""

    def __init__(
        self, contract: Contract, isolate: Callable[..., None], fill: Fill, *, seconds: int, bound: int
    ) -> None:
        super().__init__(contract, isolate, bound)
        self._iterated = True  # the bars so far must wait for a reader who looks a moment later
        self.seconds = seconds
        self.unfilled: deque[Gap] = deque(maxlen=_UNFILLED_KEPT)
        """Interruptions whose bars TWS did not give."""
        self._fill = fill
        self._filling: asyncio.Future[list[Bar]] | None = None
        self._held: deque[list[Bar]] = deque()
        """What waits for the filling: stretches without a hole inside."""
        self._last_ns = -1
        """Where the last finished bar begins."""
        self._doubtful = False
        """Whether bars may be missing before the next one: it was interrupted."""

    def interrupt(self, cause: str, now_ns: int) -> None:
        super().interrupt(cause, now_ns)
        self._doubtful = True

    def restored(self) -> None:
        self._doubtful = True  # a bar that was on its way when TWS lost IB has shown nothing

    def close(self) -> None:
        self._stop_filling()
        super().close()

    def fail(self, error: TWSError) -> None:
        self._stop_filling()
        super().fail(error)

    def reset(self) -> None:
        self._stop_filling()
        self._doubtful = True

    def _stop_filling(self) -> None:
        filling, self._filling = self._filling, None
        self._held.clear()
        if filling is not None:
            filling.cancel()

    def _finish(self, bar: Bar, now_ns: int) -> None:
        """A bar is finished: given once."""
        if bar.time_ns > self._last_ns:
            self._last_ns = bar.time_ns
            self.put(bar, now_ns)

    def _fill_before(self, first_ns: int, now_ns: int) -> bool:
        """Ask for what is missing before a bar that begins here; whether there is something to wait for."""
        begin_ns = self._last_ns + self.seconds * NS_PER_S
        if self._last_ns < 0 or first_ns <= begin_ns:
            return False
        try:
            filling = self._filling = self._fill(begin_ns, first_ns)
        except TWSError as error:
            self._lose(begin_ns, first_ns, error)
            return False
        filling.add_done_callback(lambda done: self._filled(done, begin_ns, first_ns, now_ns))
        return True

    def _filled(self, done: asyncio.Future[list[Bar]], begin_ns: int, end_ns: int, now_ns: int) -> None:
        if done is not self._filling or self.closed:
            return
        self._filling = None
        error = done.exception()
        if isinstance(error, LinkLostError):
            self._held.clear()  # the next renewal begins where we stand
            return
        if isinstance(error, TWSError):
            self._lose(begin_ns, end_ns, error)
        elif error is None:
            for bar in done.result():
                self._finish(bar, now_ns)
        while self._held:
            self._take_all(self._held.popleft(), now_ns)
            if self._held and self._fill_before(self._held[0][0].time_ns, now_ns):
                return

    def _hold(self, bar: Bar, now_ns: int) -> bool:
        """Whether this bar has to wait for bars that are missing before it, or before others that wait."""
        doubtful, self._doubtful = self._doubtful, False
        if self._filling is None and not (doubtful and self._fill_before(bar.time_ns, now_ns)):
            return False
        if doubtful or not self._held:
            self._held.append([])
        self._held[-1].append(bar)
        return True

    def _lose(self, begin_ns: int, end_ns: int, error: TWSError) -> None:
        log.warning("bars not back-filled", symbol=self.contract.symbol, reason=str(error))
        self.unfilled.append(Gap(begin_ns, end_ns, str(error)))

    def _take_all(self, bars: list[Bar], now_ns: int) -> None:
        """What was held back, in its order."""
        raise NotImplementedError


class RealTimeBarStream(_Bars):
    """Bars of five seconds, each as it closes."""

    def __init__(
        self, contract: Contract, isolate: Callable[..., None], fill: Fill, bound: int = 10_000
    ) -> None:
        super().__init__(contract, isolate, fill, seconds=5, bound=bound)

    def live(self, bar: Bar, now_ns: int) -> None:
        """For the connection: a bar has closed."""
        if not self._hold(bar, now_ns):
            self._finish(bar, now_ns)

    def _take_all(self, bars: list[Bar], now_ns: int) -> None:
        for bar in bars:
            self._finish(bar, now_ns)


class BarStream(_Bars):
    """Bars of one size that go on: the finished ones once each, oldest first (`is_final`), and in between the
    running one whenever it changed.

    A bar is finished when a later one has begun; the last bar of a session is therefore finished when the
    next session begins. It ends as TWS last stated it (TWS refreshes every five seconds or so,
    TWS-BEHAVIOUR.md E), which may lack its last moments. The very first may begin within its time, where the
    duration does. A slow reader finds the running bar's newest state.
    """

    def __init__(
        self,
        contract: Contract,
        isolate: Callable[..., None],
        fill: Fill,
        *,
        seconds: int,
        bound: int = 50_000,
    ) -> None:
        super().__init__(contract, isolate, fill, seconds=seconds, bound=bound)
        self.running: Bar | None = None
        """The bar that has not finished, None before the first answer."""
        self._past: list[Bar] | None = []
        """The history that is arriving; None once it is complete."""

    @property
    def owed(self) -> bool:
        return self._past is not None

    def reset(self) -> None:
        super().reset()
        self._past, self.running = [], None

    def past(self, bars: list[Bar]) -> None:
        """For the connection: some of the bars so far."""
        if self._past is not None:
            self._past.extend(bars)

    def past_end(self, now_ns: int) -> None:
        """For the connection: those were all so far; the last of them may still run."""
        bars, self._past = self._past or [], None
        self._doubtful = False
        if len(bars) > 1 and 0 <= self._last_ns < bars[0].time_ns:
            del bars[0]  # a duration may begin within a bar, whose figures are then a part of it
        if bars and self._fill_before(bars[0].time_ns, now_ns):
            self._held.append(bars)
            return
        self._take_all(bars, now_ns)
        if self.gap is not None:
            self.resumed(now_ns)

    def update(self, bar: Bar, now_ns: int) -> None:
        """For the connection: the running bar as it is now."""
        if self._past is not None:
            return  # the history will have it
        if not self._hold(bar, now_ns):
            self._take(bar, now_ns)

    def _take(self, bar: Bar, now_ns: int) -> None:
        running = self.running
        if bar.time_ns <= self._last_ns or (running is not None and bar.time_ns < running.time_ns):
            return  # known, or older than what runs
        if running is not None and bar.time_ns > running.time_ns:
            self._finish(replace(running, is_final=True), now_ns)
        self.running = replace(bar, is_final=False)
        self.put(self.running, now_ns)

    def _take_all(self, bars: list[Bar], now_ns: int) -> None:
        running = self.running
        if bars and running is not None and bars[0].time_ns > running.time_ns:
            self._finish(replace(running, is_final=True), now_ns)  # unless it was fetched, which is better
        for bar, later in pairwise(bars):
            if bar.time_ns < later.time_ns:
                self._finish(bar, now_ns)
        if bars:
            self._take(bars[-1], now_ns)

    def put(self, tick: Bar, now_ns: int = 0) -> None:
        if self._queue and not self._queue[-1].is_final:
            self._queue.pop()  # a newer state of the running bar, or its end
        super().put(tick, now_ns)
