"""What each answer of TWS means: the reply it ends, the fact it is, the stream it feeds.

The official Decoder calls the EWrapper methods of `Answers`, the router calls the `take_*` methods with
messages
that `tws.wire` has decoded (see `router.READERS`). All run on the loop's thread, in the order of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from ibapi.wrapper import EWrapper

from tws.connection import translate
from tws.connection.ids import OrderIds, RequestIds
from tws.connection.lane import FactLanes
from tws.connection.replies import Questions, Requests
from tws.connection.streams import QuoteStream, Stamp, TickStream
from tws.errors import AmbiguousContractError, DecodeError, NoContractError, RequestError
from tws.model.account import AccountValue, Position
from tws.model.contract import Contract
from tws.model.facts import Answer, AnswerKind, BrokerOrder, BrokerReply, Fact, Link, LinkState, NextOrderId
from tws.model.market import MarketDataType, Quote
from tws.wire import codes
from tws.wire.messages import (
    ExecutionDetails,
    HistoricalData,
    OrderStatus,
    TickByTickData,
    TickGeneric,
    TickPrice,
    TickSize,
    TickString,
)

__all__ = ["Answers", "AnswersOwner", "latest"]

OPEN, COMPLETED, POSITIONS, TIME, ACCOUNTS, IDS, VALUES = (
    "open orders",
    "completed orders",
    "positions",
    "time",
    "accounts",
    "ids",
    "account values",
)
"""The kinds of question that carry no request id."""

_LINK_CODES = {1100: LinkState.BROKER_LOST, 1101: LinkState.RESTORED_LOST, 1102: LinkState.RESTORED_KEPT}
_WITHOUT_ID = (-1, 2**31 - 1)  # what an error about a request without id carries (A3)
_CLIENT_CODES = range(501, 594)  # never TWS's word (A7): the Decoder says them when it can't read


class AnswersOwner(Protocol):
    """The engine, as far as answers concern it."""

    session: int
    client_id: int
    zone: tzinfo

    def on_accounts(self, accounts: tuple[str, ...]) -> None: ...
    def on_next_id(self, order_id: int) -> None: ...
    def on_error_message(self, request_id: int, code: int, text: str) -> None: ...


class Answers(EWrapper):  # type: ignore[misc]  # ibapi has no type information
    """See the module."""

    def __init__(
        self, owner: AnswersOwner, lanes: FactLanes, ids: OrderIds, request_ids: RequestIds, timeout_s: float
    ) -> None:
        super().__init__()
        self.owner = owner
        self.lanes = lanes
        self.ids = ids
        self.request_ids = request_ids
        self.requests = Requests(timeout_s)
        self.questions = Questions(timeout_s)
        self.stamp = Stamp()
        self.quotes: dict[bytes, QuoteStream] = {}
        """Streams by their request id as TWS writes it."""
        self.unclaimed = 0
        """Ticks that came for a request which nobody has (any more)."""
        self.ticks: dict[int, TickStream[TickByTickData]] = {}
        self._orders_seen: set[int] = set()

    def knows_order(self, order_id: int) -> bool:
        """Whether TWS has spoken of this order id in this process's life."""
        return order_id in self._orders_seen

    def quote_of(self, contract: Contract) -> Quote | None:
        """The last known quote among the open streams."""
        for stream in self.quotes.values():
            theirs = stream.contract
            if theirs == contract or (contract.con_id and theirs.con_id == contract.con_id):
                return stream.quote
        return None

    def tell(self, fact: Fact) -> None:
        self.lanes.tell(fact)

    def fail_all(self, error: Callable[[], Any]) -> None:
        """The link went: nothing that waits will be answered."""
        self.requests.fail_all(error)
        self.questions.fail_all(error)
        for stream in self.quotes.values():
            stream.fail(error())
        for ticks in self.ticks.values():
            ticks.fail(error())
        self.quotes.clear()
        self.ticks.clear()

    def forget_all(self) -> None:
        """The loop of all that waits has closed: nobody can be told any more."""
        self.requests.forget_all()
        self.questions.forget_all()
        self.quotes.clear()
        self.ticks.clear()

    # -- session

    def nextValidId(self, orderId: int) -> None:
        self.ids.learn(orderId)
        self.tell(NextOrderId(order_id=orderId))
        self.questions.row(IDS, orderId)
        self.questions.end(IDS)
        self.owner.on_next_id(orderId)

    def managedAccounts(self, accountsList: str) -> None:
        accounts = tuple(filter(None, (name.strip() for name in accountsList.split(","))))
        self.questions.row(ACCOUNTS, accounts)
        self.questions.end(ACCOUNTS)
        self.owner.on_accounts(accounts)

    def currentTime(self, time: int) -> None:
        self.questions.row(TIME, datetime.fromtimestamp(time, UTC))
        self.questions.end(TIME)

    # -- errors

    def error(
        self, reqId: int, errorTime: int, errorCode: int, errorString: str, advancedOrderRejectJson: str = ""
    ) -> None:
        if errorCode in _CLIENT_CODES:
            raise DecodeError(f"the official client says {errorCode}: {errorString[:200]}")
        self.owner.on_error_message(reqId, errorCode, errorString)
        if self.request_ids.holds(reqId):
            self._request_error(reqId, errorCode, errorString)
            return
        self.tell(
            BrokerReply(order_id=reqId if reqId not in _WITHOUT_ID else -1, code=errorCode, text=errorString)
        )
        if errorCode in _LINK_CODES:
            self.tell(Link(state=_LINK_CODES[errorCode], session=self.owner.session, cause=errorString))
        if reqId in _WITHOUT_ID and 320 <= errorCode <= 323:
            self._refused_without_id(errorCode, errorString)

    def _request_error(self, request_id: int, code: int, text: str) -> None:
        waits = request_id in self.requests
        if codes.effect(code, codes.Context.REQUEST if waits else codes.Context.STREAM) not in (
            codes.Effect.ENDS_REQUEST,
            codes.Effect.ENDS_STREAM,
        ) and not (waits and self._unlisted(code)):
            return
        error: RequestError
        if code == 200 and "ambiguous" in text.lower():
            error = AmbiguousContractError(code, text, request_id)
        else:
            error = (NoContractError if code == 200 else RequestError)(code, text, request_id)
        if self.requests.fail(request_id, error):
            return
        stream = self.quotes.pop(b"%d" % request_id, None) or self.ticks.pop(request_id, None)
        if stream is not None:
            stream.fail(error)

    @staticmethod
    def _unlisted(code: int) -> bool:
        """A code that nobody knows ends a request, which has a caller to tell; a stream it leaves alone."""
        return code not in codes.CATALOGUE

    def _refused_without_id(self, code: int, text: str) -> None:
        """TWS refused a request that carries no id and does not say which: the order questions are what
        read-only mode refuses (A3), so the oldest of them is meant."""
        for kind in (OPEN, COMPLETED, POSITIONS, VALUES):
            if self.questions.fail(kind, RequestError(code, text)):
                return

    # -- contracts

    def contractDetails(self, reqId: int, contractDetails: Any) -> None:
        self.requests.row(reqId, translate.contract_details_of(contractDetails))

    def bondContractDetails(self, reqId: int, contractDetails: Any) -> None:
        self.requests.row(reqId, translate.contract_details_of(contractDetails))

    def contractDetailsEnd(self, reqId: int) -> None:
        self.requests.end(reqId)

    # -- orders

    def openOrder(self, orderId: int, contract: Any, order: Any, orderState: Any) -> None:
        fact = translate.broker_order_of(orderId, contract, order, orderState)
        if fact.client_id == self.owner.client_id:
            self.ids.saw(fact.order_id)
            self._orders_seen.add(fact.order_id)
        self.tell(fact)
        self.questions.row(OPEN, fact)

    def openOrderEnd(self) -> None:
        rows = self.questions.end(OPEN)
        if rows is not None:
            self._complete(AnswerKind.OPEN_ORDERS, orders=tuple(latest(rows)))

    def completedOrder(self, contract: Any, order: Any, orderState: Any) -> None:
        fact = translate.completed_order_of(contract, order, orderState)
        self.tell(fact)
        self.questions.row(COMPLETED, fact)

    def completedOrdersEnd(self) -> None:
        rows = self.questions.end(COMPLETED)
        if rows is not None:
            self._complete(AnswerKind.COMPLETED_ORDERS, orders=tuple(latest(rows)))

    def take_order_status(self, status: OrderStatus) -> None:
        if status.client_id == self.owner.client_id:
            self._orders_seen.add(status.order_id)
        self.tell(translate.order_status_of(status))

    def take_execution(self, details: ExecutionDetails) -> None:
        fact = translate.execution_of(details, self.owner.zone)
        self.tell(fact)
        self.requests.row(details.req_id, fact)

    def execDetailsEnd(self, reqId: int) -> None:
        self.requests.end(reqId)

    def commissionAndFeesReport(self, commissionAndFeesReport: Any) -> None:
        self.tell(translate.commission_of(commissionAndFeesReport))

    def complete_executions(self, rows: list[Any]) -> None:
        """All executions that were asked for without a filter have come."""
        self._complete(AnswerKind.EXECUTIONS, executions=tuple(rows))

    def _complete(self, kind: AnswerKind, **rows: Any) -> None:
        self.tell(Answer(kind=kind, session=self.owner.session, **rows))

    # -- accounts

    def position(self, account: str, contract: Any, position: Any, avgCost: float) -> None:
        fact = translate.position_of(account, contract, position, avgCost)
        self.tell(fact)
        self.questions.row(POSITIONS, fact)

    def positionEnd(self) -> None:
        rows = self.questions.end(POSITIONS)
        if rows is not None:
            self._complete(AnswerKind.POSITIONS, positions=tuple(latest(rows)))

    def updateAccountValue(self, key: str, val: str, currency: str, accountName: str) -> None:
        fact = AccountValue(account=accountName, key=key, value=val, currency=currency)
        self.tell(fact)
        self.questions.row(VALUES, fact)

    def accountDownloadEnd(self, accountName: str) -> None:
        self.questions.end(VALUES)

    # -- market data

    def take_bars(self, data: HistoricalData) -> None:
        for bar in data.historical_data_bars:
            self.requests.row(data.req_id, bar)
        if data.end_date_str:  # below version 196 the bars carry the end themselves (E)
            self.requests.end(data.req_id)

    def historicalDataEnd(self, reqId: int, start: str, end: str) -> None:
        self.requests.end(reqId)

    def take_tick_price(self, tick: TickPrice) -> None:
        self._tick(tick.req_id, tick.tick_type, tick.price, tick.size)

    def take_tick_size(self, tick: TickSize) -> None:
        self._tick(tick.req_id, tick.tick_type, None, tick.size)

    def take_tick_value(self, tick: TickGeneric | TickString) -> None:
        self._tick(tick.req_id, tick.tick_type, tick.value, None)

    def _tick(self, request_id: int, field: int, value: float | str | None, size: Decimal | None) -> None:
        stream = self.quotes.get(b"%d" % request_id)
        if stream is None:
            self.unclaimed += 1
        elif value is not None or size is not None:
            stream.apply(field, value, None if size is None else float(size), self.stamp.now_ns)

    def take_tick_by_tick(self, tick: TickByTickData) -> None:
        stream = self.ticks.get(tick.req_id)
        if stream is not None:
            for callback in stream.callbacks:
                self.lanes.isolate(callback, tick)
            stream.put(tick)

    def marketDataType(self, reqId: int, marketDataType: int) -> None:
        stream = self.quotes.get(b"%d" % reqId)
        if stream is not None:
            stream.kind = MarketDataType(marketDataType)


Row = TypeVar("Row", BrokerOrder, Position)


def latest(rows: list[Row]) -> list[Row]:
    """The last word on each order or holding: an update may have come between the rows of an answer."""
    return list({_identity(row): row for row in rows}.values())


def _identity(row: BrokerOrder | Position) -> tuple[object, ...]:
    if isinstance(row, BrokerOrder):
        return row.client_id, row.order_id, row.perm_id
    return row.account, row.contract
