"""History: bars of the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tws.connection.families.base import Asking, Handlers
from tws.connection.hearing.bars import PastBars, Wanted, bars_from, columns_from
from tws.connection.hearing.reading import bar_of
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.barstreams import BarStream
from tws.model.contract import Contract
from tws.model.market import BAR_SECONDS, Bar, BarColumns
from tws.wire.messages import HistoricalData, HistoricalDataEnd

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["BAR_SECONDS", "HistoryQuestions", "hear"]

T = TypeVar("T")

class HistoryQuestions(Asking):
    """Questions about the past."""

    def request_historical_bars(
        self,
        contract: Contract,
        *,
        duration: str = "1 D",
        bar_size: str = "1 min",
        what: str = "TRADES",
        use_rth: bool = True,
        end: datetime | None = None,
    ) -> Reply[list[Bar]]:
        """Bars that end at `end` (aware; None: now), oldest first. Intraday bars are asked for as epochs.

        duration  such as "1800 S", "2 D", "1 W", "6 M", "1 Y"
        bar_size  one of TWS's own (`BAR_SECONDS`)

        Raises ValueError for a bar size that TWS does not know and for a naive `end`.
        """
        return self._bars(bars_from, contract, _Wish(duration, bar_size, what, use_rth, end))

    def request_historical_columns(
        self,
        contract: Contract,
        *,
        duration: str = "1 D",
        bar_size: str = "1 min",
        what: str = "TRADES",
        use_rth: bool = True,
        end: datetime | None = None,
    ) -> Reply[BarColumns]:
        """The same bars as columns, for whoever computes with all of them at once: no object is made for a
        bar.
        """
        return self._bars(columns_from, contract, _Wish(duration, bar_size, what, use_rth, end))

    def _bars(
        self, make: Callable[[Iterable[Any], int, tzinfo], T], contract: Contract, wish: _Wish
    ) -> Reply[T]:
        bar_size, end = wish.bar_size, wish.end
        if bar_size not in BAR_SECONDS:
            raise ValueError(f"bar_size {bar_size!r} is none of TWS's: {', '.join(BAR_SECONDS)}")
        if end is not None and end.tzinfo is None:
            raise ValueError(f"end {end!r} has no time zone; use an aware datetime")
        until = "" if end is None else end.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S")
        duration, what, use_rth = wish.duration, wish.what, int(wish.use_rth)
        return self._request(
            "historical bars",
            Wanted(make, BAR_SECONDS[bar_size], lambda: self._engine.zone),
            lambda number: self._engine.official.reqHistoricalData(
                number, self._ib(contract), until, duration, bar_size, what, use_rth, 2, False, []
            ),
            lambda number: self._engine.official.cancelHistoricalData(number),
        )


class _Wish(NamedTuple):
    """What is asked for."""

    duration: str
    bar_size: str
    what: str
    use_rth: bool
    end: datetime | None


def hear(answers: Answers) -> Handlers:
    """Answers 17 and 108."""
    requests, streams, stamp = answers.requests, answers.subscriptions.streams, answers.stamp

    def bars(message: HistoricalData) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, BarStream):
            rows, zone = message.historical_data_bars, answers.owner.zone
            stream.past([bar_of(row, stream.seconds, zone) for row in rows])
        else:
            for bar in message.historical_data_bars:
                requests.row(message.req_id, bar)
        if message.end_date_str:  # below version 196 the bars carry the end themselves (E)
            ended(message.req_id)

    def columns(message: PastBars) -> None:
        requests.row(message.req_id, message.rows)
        if message.ended:
            ended(message.req_id)

    def end(message: HistoricalDataEnd) -> None:
        ended(message.req_id)

    def ended(request_id: int) -> None:
        stream = streams.get(request_id)
        if isinstance(stream, BarStream):
            requests.over(request_id, False)  # answered, though it goes on
            stream.past_end(stamp.now_ns)
        else:
            requests.end(request_id)

    return {HistoricalData: bars, PastBars: columns, HistoricalDataEnd: end}
