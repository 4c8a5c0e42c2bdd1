"""Market depth: the levels behind the best quote, of one exchange or of all behind SMART."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers
from tws.connection.streaming.depthstream import DepthStream
from tws.connection.streaming.streams import Reroute
from tws.model.contract import Contract
from tws.model.depth import DepthChange, DepthLevel, DepthOperation
from tws.wire.messages import MarketDepth, MarketDepthL2, RerouteMarketDepthRequest

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["DepthQuestions", "hear"]

_BID = 1


class DepthQuestions(Asking):
    """Streams of market depth."""

    def stream_depth(self, contract: Contract, rows: int = 5, *, smart: bool = False) -> DepthStream:
        """The best `rows` levels of each side from now on. `smart`: of all exchanges behind SMART together.

        `contract.exchange` names the exchange (`request_depth_exchanges` has them), or is SMART with `smart`.
        Three are open at a time with up to 399 market data lines (TWS-BEHAVIOUR.md B). Raises ValueError for
        fewer rows than one, NotSentError without a session and beyond that bound; RequestError ends it when
        TWS has no depth there (10092).
        """
        if rows < 1:
            raise ValueError(f"rows is {rows}: at least one")
        official = self._engine.official
        stream = DepthStream(contract, self._engine.lanes.isolate, rows)
        self._subscribe(
            stream,
            lambda number: official.reqMktDepth(number, self._ib(contract), rows, smart, []),
            lambda number: official.cancelMktDepth(number, smart),
        )
        return stream


def hear(answers: Answers) -> Handlers:
    """Answers 12, 13 and 92; 317 comes as a notice of the stream."""
    streams, stamp = answers.subscriptions.streams, answers.stamp

    def step(message: MarketDepth | MarketDepthL2, maker: str) -> None:
        stream = streams.get(message.req_id)
        if not isinstance(stream, DepthStream):
            return
        operation = DepthOperation(message.operation)
        size = 0.0 if message.size is None else float(message.size)
        gone = operation is DepthOperation.DELETE
        change = DepthChange(
            operation=operation,
            is_bid=message.side == _BID,
            position=message.position,
            level=None if gone else DepthLevel(price=message.price, size=size, maker=maker),
            time_ns=stamp.now_ns,
        )
        stream.step(change, stamp.now_ns)

    def reroute(message: RerouteMarketDepthRequest) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, DepthStream):
            stream.reroute = Reroute(message.con_id, message.exchange)

    return {
        MarketDepth: lambda message: step(message, ""),
        MarketDepthL2: lambda message: step(message, message.market_maker),
        RerouteMarketDepthRequest: reroute,
    }
