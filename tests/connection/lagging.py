"""A TWS at the end of a link that delays, stalls and loses answers, with the simulator's own limits.

It reads what a paced client writes when the link hands it over, counts it with `tws.simulator.limits` by a
clock that runs fast or slow and in steps, and answers after a while. A limit that is broken ends the run at
once. All of it is virtual time in one heap of events; nothing sleeps. Not a test file.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from tws.connection.pacing import Pacer, PacingOptions, Verdict
from tws.errors import PacingError
from tws.simulator.limits import Limiter, Limits, Pace
from tws.simulator.limits import Verdict as Judged
from tws.wire import codec
from tws.wire import messages as m
from tws.wire.framing import frame

VERSION = 178


class Weather(Struct, frozen=True):
    """What the link and the clocks do. Times in seconds, rates are chances for each frame."""

    latency_s: float = 0.02
    stall_rate: float = 0.0
    stall_s: float = 50.0
    loss_rate: float = 0.0
    work_s: float = 0.5
    drift: float = 0.0
    grain_s: float = 0.0


class BrokenError(AssertionError):
    """TWS would have said so."""


class Lagging:
    """Both ends and the link between them. `offer` and `run` are the test's hands."""

    def __init__(self, seed: int, weather: Weather, options: PacingOptions | None = None) -> None:
        self.rng = random.Random(seed)
        self.weather = weather
        self.now = 500.0
        self.pacer = Pacer(options)
        self.pacer.begin(VERSION)
        self.pacer.accepted(self.now)
        self.offered: list[Any] = []
        self.refused = 0
        self.read: list[Any] = []
        self.questions = 0
        self.warnings = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._out = self._in = 0.0
        self._pace = Pace(Limits())
        self._limiter: Any = Limiter(Limits(), self._clock, self._hasty)
        self._open: dict[str, set[int]] = {kind: set() for kind in ("past", "line", "print", "depth", "sum")}

    # -- time -------------------------------------------------------------------------------------

    def _at(self, when: float, call: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, call))

    def run(self, seconds: float) -> None:
        """Let everything happen until then."""
        end = self.now + seconds
        self._pump()
        while self._events and self._events[0][0] <= end:
            self.now, _, call = heapq.heappop(self._events)
            call()
        self.now = end

    def _delay(self) -> float:
        weather = self.weather
        stalls = self.rng.random() < weather.stall_rate
        return self.rng.uniform(0.0, weather.stall_s if stalls else weather.latency_s)

    # -- the client's end -------------------------------------------------------------------------

    def offer(self, request: Any, *, urgent: bool = False) -> Verdict | None:
        """None: refused."""
        data = frame(codec.encode(request, VERSION))
        try:
            verdict = self.pacer.offer(data, self.now, urgent=urgent)
        except PacingError as refused:
            assert refused.figure >= refused.bound
            self.refused += 1
            return None
        if verdict is Verdict.WITHDRAWN:
            self.offered = [one for one in self.offered if getattr(one, "req_id", -1) != request.req_id]
        else:
            self.offered.append(request)
        if verdict is Verdict.WRITE:
            self._write(data)
        self._pump()
        return verdict

    def order(self, *, urgent: bool) -> bool:
        """An order, whose writer asks for room and counts by itself."""
        if not self.pacer.room(self.now, urgent=urgent):
            self._pump()
            return False
        self.pacer.took(self.now)
        self._write(frame(b"3\0"))
        self._pump()
        return True

    def _pump(self) -> None:
        if (at := self.pacer.next_at()) is not None and at <= self.now:
            for data in self.pacer.due(self.now):
                self._write(data)
            at = self.pacer.next_at()
            assert at is None or at > self.now, "it would be called in a circle"
        if at is not None:
            self._at(at, self._pump)

    def _write(self, data: bytes) -> None:
        self._out = max(self._out, self.now + self._delay())
        self._at(self._out, lambda: self._receive(data))

    def _hear(self, call: Callable[[], None]) -> None:
        self._in = max(self._in, self.now + self._delay())

        def heard() -> None:
            call()
            self._pump()

        self._at(self._in, heard)

    # -- TWS's end --------------------------------------------------------------------------------

    def _clock(self) -> float:
        time, grain = self.now * (1.0 + self.weather.drift), self.weather.grain_s
        return time // grain * grain if grain else time

    def _hasty(self, when: float, call: object) -> None:
        raise BrokenError("a search for symbols came too soon")

    def error(self, request_id: int, code: int, text: str) -> None:
        """What the limiter says to a session."""
        raise BrokenError(f"{code} {text}")

    def _receive(self, data: bytes) -> None:
        if self._pace.judge(self._clock()) is not Judged.TAKE:
            raise BrokenError(self._pace.refusal())
        if self._pace.warning(self._clock()):
            self.warnings += 1
        if data == frame(b"3\0"):
            return
        request: Any = codec.decode_request(data[4:], VERSION)
        if isinstance(request, m.CurrentTimeRequest):
            self.questions += 1
            if self.rng.random() >= self.weather.loss_rate:
                self._hear(lambda: self.pacer.echoed(self.now))
            return
        self.read.append(request)
        if type(request) in CANCELLED:
            self._open[CANCELLED[type(request)]].discard(request.req_id)
        self._take(request, self._limiter, self._open)

    def _take(self, request: Any, limiter: Any, opened: dict[str, set[int]]) -> None:
        number = getattr(request, "req_id", -1)
        match request:
            case m.HistoricalDataRequest():
                limiter.open_history(self, number, len(opened["past"]))
                limiter.history(self, request)
                opened["past"].add(number)
                self._later(number, "" if request.keep_up_to_date else "past")
            case m.HistoricalTicksRequest():
                limiter.history(self, request)
                self._later(number, "past")
            case m.HeadTimestampRequest():
                limiter.open_history(self, number, len(opened["past"]))
                opened["past"].add(number)
                self._later(number, "")
            case m.MarketDataRequest(snapshot=snapshot):
                if not snapshot:
                    limiter.line(self, number, len(opened["line"]))
                opened["line"].add(number)
                if snapshot:
                    self._later(number, "line")
            case m.RealTimeBarsRequest():
                limiter.line(self, number, len(opened["line"]))
                limiter.bars(self, number)
                opened["line"].add(number)
            case m.TickByTickRequest():
                if request.number_of_ticks:
                    limiter.history(self, _past_of(request))
                limiter.prints(self, number, hash(request.contract.symbol), len(opened["print"]))
                opened["print"].add(number)
            case m.MarketDepthRequest():
                limiter.depth(self, number, len(opened["depth"]))
                opened["depth"].add(number)
            case m.AccountSummaryRequest():
                limiter.summary(self, number, len(opened["sum"]))
                opened["sum"].add(number)
            case m.MatchingSymbolsRequest():
                limiter.matching(lambda: None)

    def _later(self, number: int, kind: str) -> None:
        """The answer is complete after some work; then it is open no more, unless it lasts (kind "")."""

        def done() -> None:
            if kind:
                self._open[kind].discard(number)
            self._hear(lambda: self.pacer.ended(number, self.now))

        self._at(self.now + self.rng.uniform(0.0, self.weather.work_s), done)

    # -- looking ----------------------------------------------------------------------------------

    def unread(self) -> Counter[str]:
        """What was offered and neither read nor withdrawn."""
        count = Counter(repr(one) for one in self.offered)
        count.subtract(repr(one) for one in self.read)
        return +count


def _past_of(request: m.TickByTickRequest) -> m.HistoricalTicksRequest:
    """The ticks before the stream, which are asked for as any other."""
    count = request.number_of_ticks
    return m.HistoricalTicksRequest(0, request.contract, "", f"{request.req_id}", count, "TRADES", False)


CANCELLED: dict[type, str] = {
    m.CancelHistoricalData: "past",
    m.CancelHeadTimestamp: "past",
    m.CancelMarketData: "line",
    m.CancelRealTimeBars: "line",
    m.CancelTickByTick: "print",
    m.CancelMarketDepth: "depth",
    m.CancelAccountSummary: "sum",
}
