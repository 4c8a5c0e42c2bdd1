"""Quotes: market data of a contract as the last value of each field, and what kind of data it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers
from tws.connection.streams import QuoteStream
from tws.model.contract import Contract
from tws.model.market import MarketDataType
from tws.wire.messages import MarketDataType as WireMarketDataType
from tws.wire.messages import TickGeneric, TickPrice, TickSize, TickString

if TYPE_CHECKING:
    from tws.connection.answers import Answers

__all__ = ["QuoteQuestions", "hear"]


class QuoteQuestions(Asking):
    """Streams of quotes."""

    def request_market_data_type(self, kind: MarketDataType) -> None:
        """What later streams may carry: live, frozen, delayed, delayed frozen."""
        self._must_be_ready()
        self._engine.official.reqMarketDataType(int(kind))

    def stream_quotes(self, contract: Contract, *, generic_ticks: Iterable[int] = ()) -> QuoteStream:
        """Market data of one contract from now on. `generic_ticks` as TWS numbers them (233 is RTVolume).

        Raises NotSentError without a session. A refusal of TWS ends the stream with RequestError.
        """
        official, wishes = self._engine.official, ",".join(str(number) for number in generic_ticks)
        stream = QuoteStream(contract, self._engine.lanes.isolate)
        self._subscribe(
            stream,
            lambda number: official.reqMktData(number, self._ib(contract), wishes, False, False, []),
            official.cancelMktData,
        )
        return stream


def hear(answers: Answers) -> Handlers:
    """Answers 1, 2, 45, 46 (those that `tws.connection.ticks` did not take in place) and 58."""
    quotes, stamp = answers.quotes, answers.stamp

    def tick(request_id: int, field: int, value: float | str | None, size: float | None) -> None:
        stream = quotes.get(request_id)
        if stream is None:
            answers.unclaimed += 1
        elif value is not None or size is not None:
            stream.apply(field, value, size, stamp.now_ns)

    def tick_price(message: TickPrice) -> None:
        size = message.size
        tick(message.req_id, message.tick_type, message.price, None if size is None else float(size))

    def tick_size(message: TickSize) -> None:
        size = message.size
        tick(message.req_id, message.tick_type, None, None if size is None else float(size))

    def tick_value(message: TickGeneric | TickString) -> None:
        tick(message.req_id, message.tick_type, message.value, None)

    def market_data_type(message: WireMarketDataType) -> None:
        stream = quotes.get(message.req_id)
        if stream is not None:
            stream.kind = MarketDataType(message.market_data_type)

    return {
        TickPrice: tick_price,
        TickSize: tick_size,
        TickGeneric: tick_value,
        TickString: tick_value,
        WireMarketDataType: market_data_type,
    }
