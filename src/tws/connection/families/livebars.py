"""Bars that go on: history that is kept up to date, and real-time bars of five seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tws.clock import NS_PER_S, to_datetime
from tws.connection.families.base import Handlers
from tws.connection.families.download import DownloadQuestions
from tws.connection.families.history import BAR_SECONDS
from tws.connection.hearing.reading import bar_of
from tws.connection.streaming.barstreams import BarStream, Fill, RealTimeBarStream
from tws.model.contract import Contract
from tws.model.market import Bar
from tws.wire.messages import HistoricalDataUpdate, RealTimeBarTick

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["LiveBarQuestions", "hear"]

_REAL_TIME_S = 5
_DAY_S = 86_400
_KEPT_FROM_S = 5
"""TWS keeps no shorter bars up to date (TWS-BEHAVIOUR.md E)."""


class LiveBarQuestions(DownloadQuestions):
    """Streams of bars."""

    def stream_bars(
        self,
        contract: Contract,
        bar_size: str = "1 min",
        *,
        duration: str = "1 D",
        what: str = "TRADES",
        use_rth: bool = True,
    ) -> BarStream:
        """The bars of the last `duration`, then the running one as it changes and each as it finishes.

        what   TRADES, MIDPOINT, BID or ASK

        After an interruption the bars that are missing are fetched before it goes on. Raises ValueError for a
        bar size that TWS does not keep up to date, NotSentError without a session. A refusal ends the stream
        with RequestError.
        """
        seconds = BAR_SECONDS.get(bar_size, 0)
        if seconds < _KEPT_FROM_S:
            sizes = ", ".join(name for name, size in BAR_SECONDS.items() if size >= _KEPT_FROM_S)
            raise ValueError(f"bar_size {bar_size!r} is not kept up to date by TWS, only {sizes}")
        official = self._engine.official
        fill = self._filler(contract, bar_size, what, use_rth)
        stream = BarStream(contract, self._engine.lanes.isolate, fill, seconds=seconds)

        def send(number: int) -> None:
            span = _at_least(duration, seconds) if stream.count else duration
            official.reqHistoricalData(
                number, self._ib(contract), "", span, bar_size, what, int(use_rth), 2, True, []
            )

        self._subscribe(
            stream,
            send,
            lambda number: official.cancelHistoricalData(number),
        )
        return stream

    def stream_realtime_bars(
        self, contract: Contract, what: str = "TRADES", *, use_rth: bool = True
    ) -> RealTimeBarStream:
        """Bars of five seconds, each when it closes; `what` is TRADES, MIDPOINT, BID or ASK.

        After an interruption the bars that are missing are fetched before it goes on. Takes a market data
        line; at most 60 are begun in ten minutes (TWS-BEHAVIOUR.md B). A refusal ends it with RequestError.
        """
        official = self._engine.official
        fill = self._filler(contract, "5 secs", what, use_rth)
        stream = RealTimeBarStream(contract, self._engine.lanes.isolate, fill)
        self._subscribe(
            stream,
            lambda number: official.reqRealTimeBars(
                number, self._ib(contract), _REAL_TIME_S, what, use_rth, []
            ),
            lambda number: official.cancelRealTimeBars(number),
        )
        return stream

    def _filler(self, contract: Contract, bar_size: str, what: str, use_rth: bool) -> Fill:
        """How a stream asks for what it missed."""

        async def missed(begin_ns: int, end_ns: int) -> list[Bar]:
            download = self.download_bars(
                contract, to_datetime(begin_ns), to_datetime(end_ns), bar_size, what=what, use_rth=use_rth
            )
            return [bar async for chunk in download for bar in chunk]

        def fill(begin_ns: int, end_ns: int) -> asyncio.Future[list[Bar]]:
            self._must_be_ready()
            return self._task(missed(begin_ns, end_ns))

        return fill


def _at_least(duration: str, seconds: int) -> str:
    """For a renewed request: so long that a whole bar stands between the first, which may be a part, and the
    running one.
    """
    number, _, unit = duration.strip().partition(" ")
    least = 3 * seconds
    if unit.upper() == "S" and number.isdigit() and int(number) < least <= _DAY_S:
        return f"{least} S"
    return duration


def hear(answers: Answers) -> Handlers:
    """Answers 50 and 90; the history before 90 is heard with all history (17, 108)."""
    streams, stamp = answers.subscriptions.streams, answers.stamp

    def update(message: HistoricalDataUpdate) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, BarStream):
            bar = bar_of(message.historical_data_bar, stream.seconds, answers.owner.zone)
            stream.update(bar, stamp.now_ns)

    def real_time(message: RealTimeBarTick) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, RealTimeBarStream):
            stream.live(_real_time_bar(message), stamp.now_ns)

    return {HistoricalDataUpdate: update, RealTimeBarTick: real_time}


def _real_time_bar(message: RealTimeBarTick) -> Bar:
    return Bar(
        time_ns=message.time * NS_PER_S,
        seconds=_REAL_TIME_S,
        open=message.open,
        high=message.high,
        low=message.low,
        close=message.close,
        volume=0.0 if message.volume is None else float(message.volume),
        wap=None if message.wap is None else float(message.wap),
        count=max(message.count, 0),
    )
