"""Tick by tick: each trade or each change of the quote, unmerged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tws.connection.families.base import Asking, Handlers
from tws.connection.streaming.streams import TickStream
from tws.model.contract import Contract
from tws.wire.messages import TickByTickData

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["TickQuestions", "hear"]


class TickQuestions(Asking):
    """Streams of ticks."""

    def stream_ticks(
        self,
        contract: Contract,
        kind: Literal["Last", "AllLast", "BidAsk", "MidPoint"] = "AllLast",
        *,
        bound: int = 10_000,
    ) -> TickStream[TickByTickData]:
        """Tick-by-tick data: each trade or quote change. At most `bound` ticks wait for a slow reader;
        `lost` counts those that did not fit.
        """
        official = self._engine.official
        stream: TickStream[TickByTickData] = TickStream(contract, self._engine.lanes.isolate, bound)
        self._subscribe(
            stream,
            lambda number: official.reqTickByTickData(number, self._ib(contract), kind, 0, True),
            official.cancelTickByTickData,
        )
        return stream


def hear(answers: Answers) -> Handlers:
    """Answer 99."""
    streams, stamp = answers.subscriptions.streams, answers.stamp

    def tick(message: TickByTickData) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, TickStream):
            stream.put(message, stamp.now_ns)

    return {TickByTickData: tick}
