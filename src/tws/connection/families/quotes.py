"""Quotes: market data of a contract as the last value of each field, and what kind of data it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.streams import QuoteStream, Reroute
from tws.model.contract import Contract
from tws.model.market import MarketDataType, Quote
from tws.wire.messages import MarketDataType as WireMarketDataType
from tws.wire.messages import (
    RerouteMarketDataRequest,
    TickGeneric,
    TickPrice,
    TickReqParams,
    TickSize,
    TickSnapshotEnd,
    TickString,
)

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["QuoteQuestions", "hear"]

SNAPSHOT_S = 15.0
"""TWS ends a snapshot after 11 s at the latest (TWS-BEHAVIOUR.md E); the rest is for its way here."""


class QuoteQuestions(Asking):
    """Quotes, once or from now on."""

    _wished: MarketDataType | None = None
    _wished_in = 0
    """The session that was told of it."""

    def request_market_data_type(self, kind: MarketDataType) -> None:
        """What later streams may carry: live, frozen, delayed, delayed frozen; on later sessions of this
        connection too, each of which begins with live alone.
        """
        self._must_be_ready()
        self._wished, self._wished_in = kind, 0
        self._say_wished()

    def _say_wished(self) -> None:
        if self._wished is not None and self._wished_in != self._engine.session:
            self._wished_in = self._engine.session
            self._engine.official.reqMarketDataType(int(self._wished))

    def request_quote(self, contract: Contract) -> Reply[Quote]:
        """One look at the market: as soon as TWS knows it, after eleven seconds at the latest; what did not
        come is None. Needs no market data line (TWS-BEHAVIOUR.md E).

        RequestError when the data are not subscribed (354, 10168) and delayed ones were not asked for.
        """
        engine = self._engine
        quotes, official = engine.answers.quotes, engine.official
        stream = QuoteStream(contract, engine.lanes.isolate)

        def send(number: int) -> None:
            stream.request_id = number
            quotes.add(number, stream)
            engine.answers.requests.allow(number, SNAPSHOT_S)
            self._say_wished()
            try:
                official.reqMktData(number, self._ib(contract), "", True, False, [])
            except BaseException:
                quotes.drop(number)
                raise

        reply = self._request("quote", lambda rows: stream.quote, send, official.cancelMktData)
        reply.add_done_callback(lambda done: quotes.drop(stream.request_id))
        return reply

    def stream_quotes(self, contract: Contract, *, generic_ticks: Iterable[int] = ()) -> QuoteStream:
        """Market data of one contract from now on. `generic_ticks` as TWS numbers them (233 is RTVolume).

        Raises NotSentError without a session. A refusal of TWS ends the stream with RequestError.
        """
        official, wishes = self._engine.official, ",".join(str(number) for number in generic_ticks)
        stream = QuoteStream(contract, self._engine.lanes.isolate)

        def send(number: int) -> None:
            self._say_wished()
            official.reqMktData(number, self._ib(contract), wishes, False, False, [])

        self._subscribe(stream, send, official.cancelMktData)
        return stream


def hear(answers: Answers) -> Handlers:
    """Answers 1, 2, 45, 46 (those that `tws.connection.hearing.ticks` did not take in place), 57, 58, 81 and
    91.
    """
    quotes, requests, stamp = answers.quotes, answers.requests, answers.stamp

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

    def snapshot_end(message: TickSnapshotEnd) -> None:
        requests.end(message.req_id)

    def market_data_type(message: WireMarketDataType) -> None:
        stream = quotes.get(message.req_id)
        if stream is not None:
            stream.kind = MarketDataType(message.market_data_type)

    def parameters(message: TickReqParams) -> None:
        stream = quotes.get(message.req_id)
        if stream is not None:
            stream.min_tick = message.min_tick
            stream.bbo_exchange = message.bbo_exchange
            price, size = message.last_price_precision, message.last_size_precision
            stream.last_price_precision = None if price is None else float(price)
            stream.last_size_precision = None if size is None else float(size)

    def reroute(message: RerouteMarketDataRequest) -> None:
        stream = quotes.get(message.req_id)
        if stream is not None:
            stream.reroute = Reroute(message.con_id, message.exchange)
            stream.changed(stamp.now_ns)

    return {
        TickPrice: tick_price,
        TickSize: tick_size,
        TickGeneric: tick_value,
        TickString: tick_value,
        TickSnapshotEnd: snapshot_end,
        WireMarketDataType: market_data_type,
        TickReqParams: parameters,
        RerouteMarketDataRequest: reroute,
    }
