"""Drives the official Python client, any version from 9.81 on: commands come on stdin, what it saw leaves on stdout.

    python official.py

What changed between versions (TWS-BEHAVIOUR.md C6) is told by what the package holds, never by its number.
Needs `ibapi` and nothing else.
"""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from ibapi import order_condition
from ibapi.client import EClient
from ibapi.contract import ComboLeg, Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper
from neutral import (
    GREEKS,
    contract_row,
    details_row,
    emit,
    execution_row,
    number,
    order_row,
    serve,
    state_row,
    tick_name,
)

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:  # up to 10.19 there is no such class
    OrderCancel = None

KINDS = {1: "Last", 2: "AllLast"}


class Session(EWrapper, EClient):
    """One connection. Callbacks become events; a row of an answer goes out when its end comes, where it has one."""

    def __init__(self, name: str) -> None:
        EClient.__init__(self, self)
        self.name = name
        self.next_id = 0
        self.bars: dict[int, list[Any]] = {}

    def say(self, event: str, **fields: Any) -> None:
        emit(self.name, event, **fields)

    # -- the link ---------------------------------------------------------------------------------

    def error(self, reqId, *rest):
        """(code, text), (code, text, json), or since 10.33 (time, code, text, json)."""
        code, text = rest[1:3] if isinstance(rest[1], int) else rest[:2]
        self.say("error", req=reqId, code=code, text=text)

    def nextValidId(self, orderId):
        if not self.next_id:
            self.say("ready", version=self.serverVersion(), time=text_of(self.twsConnectionTime()))
        self.next_id = max(self.next_id, orderId)
        self.say("next_id", order_id=orderId)

    def managedAccounts(self, accountsList):
        self.say("accounts", accounts=[one for one in accountsList.split(",") if one])

    def connectionClosed(self):
        self.say("closed")

    def currentTime(self, time):
        self.say("time", epoch=time)

    # -- contracts --------------------------------------------------------------------------------

    def contractDetails(self, reqId, contractDetails):
        self.say("details", req=reqId, **details_row(contractDetails))

    def contractDetailsEnd(self, reqId):
        self.say("details_end", req=reqId)

    def symbolSamples(self, reqId, contractDescriptions):
        rows = [
            [row.contract.conId, row.contract.symbol, row.contract.secType, row.contract.currency]
            for row in contractDescriptions
        ]
        self.say("symbols", req=reqId, rows=rows)

    def securityDefinitionOptionParameter(
        self, reqId, exchange, underlyingConId, tradingClass, multiplier, expirations, strikes
    ):
        self.say(
            "chain", req=reqId, exchange=exchange, conId=underlyingConId, tradingClass=tradingClass,
            multiplier=number(multiplier), expirations=expirations, strikes=strikes,
        )  # fmt: skip

    def securityDefinitionOptionParameterEnd(self, reqId):
        self.say("chain_end", req=reqId)

    def marketRule(self, marketRuleId, priceIncrements):
        self.say("rule", rule=marketRuleId, rows=[[row.lowEdge, row.increment] for row in priceIncrements])

    # -- live data --------------------------------------------------------------------------------

    def tickPrice(self, reqId, tickType, price, attrib):
        self.say("quote", req=reqId, field=tick_name(tickType), value=price)

    def tickSize(self, reqId, tickType, size):
        self.say("quote", req=reqId, field=tick_name(tickType), value=size)

    def tickString(self, reqId, tickType, value):
        field = tick_name(tickType)
        if field == "rtVolume":
            price, size, _, total, *_ = value.split(";")
            self.say("trade_volume", req=reqId, price=number(price), size=number(size), total=number(total))
        else:
            self.say("quote", req=reqId, field=field, value=number(value) if field == "lastTime" else value)

    def tickGeneric(self, reqId, tickType, value):
        self.say("quote", req=reqId, field=tick_name(tickType), value=value)

    def tickOptionComputation(self, reqId, tickType, *rest):
        iv, delta, price, _, gamma, vega, theta, under = rest[-8:]
        self.say(
            "greeks", req=reqId, of=GREEKS.get(tickType), iv=iv, delta=delta, price=price, gamma=gamma, vega=vega,
            theta=theta, under=under,
        )  # fmt: skip

    def tickReqParams(self, tickerId, minTick, bboExchange, snapshotPermissions):
        self.say("tick_params", req=tickerId, min_tick=minTick, bbo=bboExchange)

    def marketDataType(self, reqId, marketDataType):
        self.say("data_type", req=reqId, kind=marketDataType)

    def tickSnapshotEnd(self, reqId):
        self.say("snapshot_end", req=reqId)

    def tickByTickAllLast(self, reqId, tickType, time, price, size, *rest):
        self.say("print", req=reqId, kind=KINDS[tickType], price=price, size=size)

    def tickByTickBidAsk(self, reqId, time, bidPrice, askPrice, bidSize, askSize, *rest):
        self.say(
            "print", req=reqId, kind="BidAsk", bid=bidPrice, ask=askPrice, bid_size=bidSize, ask_size=askSize
        )

    def tickByTickMidPoint(self, reqId, time, midPoint):
        self.say("print", req=reqId, kind="MidPoint", price=midPoint)

    def updateMktDepth(self, reqId, position, operation, side, price, size):
        self.say(
            "depth", req=reqId, position=position, operation=operation, side=side, price=price, size=size
        )

    def updateMktDepthL2(self, reqId, position, marketMaker, operation, side, price, size, *rest):
        self.say(
            "depth", req=reqId, position=position, operation=operation, side=side, price=price, size=size
        )

    def realtimeBar(self, reqId, time, open_, high, low, close, volume, wap, count):
        self.say("live_bar", req=reqId, row=[time, open_, high, low, close, volume])

    # -- the past ---------------------------------------------------------------------------------

    def historicalData(self, reqId, bar):
        self.bars.setdefault(reqId, []).append(bar_row(bar))

    def historicalDataEnd(self, reqId, start, end):
        self.say("bars", req=reqId, rows=self.bars.pop(reqId, []))

    def historicalDataUpdate(self, reqId, bar):
        self.say("bar_update", req=reqId, row=bar_row(bar))

    def historicalSchedule(self, reqId, startDateTime, endDateTime, timeZone, sessions):
        rows = [[one.refDate, one.startDateTime, one.endDateTime] for one in sessions]
        self.say("schedule", req=reqId, zone=timeZone, rows=rows)

    def headTimestamp(self, reqId, headTimestamp):
        self.say("head", req=reqId, time=headTimestamp)

    def historicalTicks(self, reqId, ticks, done):
        self.say("past_ticks", req=reqId, rows=[[tick.time, tick.price] for tick in ticks])

    def historicalTicksBidAsk(self, reqId, ticks, done):
        self.say("past_ticks", req=reqId, rows=[[tick.time, tick.priceBid, tick.priceAsk] for tick in ticks])

    def historicalTicksLast(self, reqId, ticks, done):
        self.say("past_ticks", req=reqId, rows=[[tick.time, tick.price, tick.size] for tick in ticks])

    # -- accounts ---------------------------------------------------------------------------------

    def updateAccountValue(self, key, val, currency, accountName):
        self.say("value", key=key, value=val, currency=currency, account=accountName)

    def updatePortfolio(self, contract, position, price, value, cost, unrealized, realized, accountName):
        self.say(
            "portfolio", conId=contract.conId, position=position, price=price, value=value, cost=cost,
            unrealized=unrealized, realized=realized, account=accountName,
        )  # fmt: skip

    def accountDownloadEnd(self, accountName):
        self.say("values_end", account=accountName)

    def accountUpdateMulti(self, reqId, account, modelCode, key, value, currency):
        self.say("multi_value", req=reqId, key=key, value=value, currency=currency, account=account)

    def accountUpdateMultiEnd(self, reqId):
        self.say("multi_values_end", req=reqId)

    def accountSummary(self, reqId, account, tag, value, currency):
        self.say("summary", req=reqId, account=account, tag=tag, value=value, currency=currency)

    def accountSummaryEnd(self, reqId):
        self.say("summary_end", req=reqId)

    def position(self, account, contract, position, avgCost):
        self.say("position", account=account, conId=contract.conId, position=position, cost=avgCost)

    def positionEnd(self):
        self.say("positions_end")

    def positionMulti(self, reqId, account, modelCode, contract, pos, avgCost):
        self.say(
            "multi_position", req=reqId, account=account, conId=contract.conId, position=pos, cost=avgCost
        )

    def positionMultiEnd(self, reqId):
        self.say("multi_positions_end", req=reqId)

    def pnl(self, reqId, dailyPnL, unrealizedPnL, realizedPnL):
        self.say("pnl", req=reqId, daily=dailyPnL, unrealized=unrealizedPnL, realized=realizedPnL)

    def pnlSingle(self, reqId, pos, dailyPnL, unrealizedPnL, realizedPnL, value):
        self.say(
            "pnl_single", req=reqId, position=pos, daily=dailyPnL, unrealized=unrealizedPnL, realized=realizedPnL,
            value=value,
        )  # fmt: skip

    # -- orders -----------------------------------------------------------------------------------

    def openOrder(self, orderId, contract, order, orderState):
        event = "what_if" if order.whatIf else "open_order"
        self.say(
            event,
            order_id=orderId,
            contract=contract_row(contract),
            order=order_row(order),
            state=state_row(orderState),
        )

    def openOrderEnd(self):
        self.say("open_orders_end")

    def orderStatus(
        self, orderId, status, filled, remaining, avg, permId, parentId, last, clientId, whyHeld, *rest
    ):
        self.say(
            "status", order_id=orderId, status=status, filled=filled, remaining=remaining, average=avg,
            perm_id=permId, client_id=clientId,
        )  # fmt: skip

    def execDetails(self, reqId, contract, execution):
        self.say("execution", req=reqId, **execution_row(contract, execution))

    def execDetailsEnd(self, reqId):
        self.say("executions_end", req=reqId)

    def commissionReport(self, report):
        self.say(
            "commission", execId=report.execId, amount=report.commission, currency=report.currency,
            realized=report.realizedPNL,
        )  # fmt: skip

    def commissionAndFeesReport(self, report):
        self.say(
            "commission", execId=report.execId, amount=report.commissionAndFees, currency=report.currency,
            realized=report.realizedPNL,
        )  # fmt: skip

    def completedOrder(self, contract, order, orderState):
        self.say(
            "completed", contract=contract_row(contract), order=order_row(order), state=state_row(orderState)
        )

    def completedOrdersEnd(self):
        self.say("completed_end")

    def orderBound(self, permId, clientId, orderId):
        self.say("bound", perm_id=permId, client_id=clientId, order_id=orderId)


def _answer(name: str):
    def heard(self, *arguments, **more):
        self.say("answer", kind=name)

    return heard


for _name in (
    "newsProviders newsArticle historicalNews historicalNewsEnd fundamentalData scannerParameters scannerData "
    "scannerDataEnd mktDepthExchanges smartComponents familyCodes userInfo histogramData softDollarTiers receiveFA "
    "displayGroupList displayGroupUpdated wshMetaData wshEventData updateNewsBulletin replaceFAEnd"
).split():
    setattr(Session, _name, _answer(_name))


def text_of(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def bar_row(bar: Any) -> list[Any]:
    return [bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume]


def contract_of(fields: dict[str, Any]) -> Contract:
    contract = Contract()
    for name, value in fields.items():
        setattr(contract, name, value)
    if "legs" in fields:
        contract.comboLegs = [leg_of(*leg) for leg in fields["legs"]]
    return contract


def leg_of(con_id: int, ratio: int, action: str, exchange: str) -> ComboLeg:
    leg = ComboLeg()
    leg.conId, leg.ratio, leg.action, leg.exchange = con_id, ratio, action, exchange
    return leg


def order_of(fields: dict[str, Any]) -> Order:
    order = Order()
    order.eTradeOnly = order.firmQuoteOnly = False  # 9.81 sets them, and TWS refuses them (10268, 10269)
    for name, value in fields.items():
        if name not in ("conditions", "algoParams"):
            setattr(order, name, value)
    order.conditions = [condition_of(**one) for one in fields.get("conditions", [])]
    if "algoParams" in fields:
        order.algoParams = [TagValue(tag, value) for tag, value in fields["algoParams"]]
    return order


def condition_of(kind: str, conjunction: str = "a", **fields: Any) -> Any:
    names = {"percentchange": "PercentChangeCondition"}
    made = getattr(order_condition, names.get(kind, kind.capitalize() + "Condition"))()
    for name, value in fields.items():
        setattr(made, name, value)
    made.isConjunctionConnection = conjunction == "a"
    return made


class Driver:
    """Commands to calls."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    def perform(self, session: str, op: str, arguments: dict[str, Any]) -> None:
        if op == "connect":
            self.connect(session, **arguments)
            return
        if op == "call":
            self.call(self.sessions[session], **arguments)
            return
        getattr(self, op)(self.sessions[session], SimpleNamespace(**arguments))

    def connect(self, name: str, host: str, port: int, client_id: int, readonly: bool = False) -> None:
        """Open a session; only ib_* ask to be told when TWS is read-only."""
        session = self.sessions[name] = Session(name)
        session.connect(host, port, client_id)
        threading.Thread(target=session.run, daemon=True).start()

    def call(self, session: Session, req: int | None, method: str, arguments: list[Any]) -> None:
        """Any other request, by the name the API gives it."""
        made = [
            ScannerSubscription() if one == "scanner" else contract_of(one) if isinstance(one, dict) else one
            for one in arguments
        ]
        if not hasattr(session, method):
            raise NotImplementedError(f"has no {method}")
        getattr(session, method)(*([] if req is None else [req]), *made)

    def disconnect(self, session, a):
        session.disconnect()

    def order_id(self, session, a):
        session.say("order_id", order_id=session.next_id)
        session.next_id += 1

    def next_id(self, session, a):
        session.reqIds(1)

    def time(self, session, a):
        session.reqCurrentTime()

    def details(self, session, a):
        session.reqContractDetails(a.req, contract_of(a.contract))

    def symbols(self, session, a):
        session.reqMatchingSymbols(a.req, a.pattern)

    def chain(self, session, a):
        session.reqSecDefOptParams(a.req, a.symbol, a.exchange, a.secType, a.conId)

    def rule(self, session, a):
        session.reqMarketRule(a.rule)

    def data_type(self, session, a):
        session.reqMarketDataType(a.kind)

    def market_data(self, session, a):
        session.reqMktData(a.req, contract_of(a.contract), a.ticks, a.snapshot, False, [])

    def cancel_market_data(self, session, a):
        session.cancelMktData(a.req)

    def tick_by_tick(self, session, a):
        session.reqTickByTickData(a.req, contract_of(a.contract), a.kind, 0, False)

    def cancel_tick_by_tick(self, session, a):
        session.cancelTickByTickData(a.req)

    def depth(self, session, a):
        session.reqMktDepth(a.req, contract_of(a.contract), a.rows, a.smart, [])

    def cancel_depth(self, session, a):
        session.cancelMktDepth(a.req, a.smart)

    def live_bars(self, session, a):
        session.reqRealTimeBars(a.req, contract_of(a.contract), 5, a.what, False, [])

    def cancel_live_bars(self, session, a):
        session.cancelRealTimeBars(a.req)

    def history(self, session, a):
        session.reqHistoricalData(
            a.req,
            contract_of(a.contract),
            a.end,
            a.duration,
            a.size,
            a.what,
            int(a.rth),
            a.format,
            a.keep,
            [],
        )

    def cancel_history(self, session, a):
        session.cancelHistoricalData(a.req)

    def head(self, session, a):
        session.reqHeadTimeStamp(a.req, contract_of(a.contract), a.what, 1, a.format)

    def past_ticks(self, session, a):
        session.reqHistoricalTicks(
            a.req, contract_of(a.contract), a.start, a.end, a.count, a.what, 1, False, []
        )

    def values(self, session, a):
        session.reqAccountUpdates(True, a.account)

    def stop_values(self, session, a):
        session.reqAccountUpdates(False, a.account)

    def multi_values(self, session, a):
        session.reqAccountUpdatesMulti(a.req, a.account, "", True)

    def summary(self, session, a):
        session.reqAccountSummary(a.req, "All", a.tags)

    def cancel_summary(self, session, a):
        session.cancelAccountSummary(a.req)

    def positions(self, session, a):
        session.reqPositions()

    def multi_positions(self, session, a):
        session.reqPositionsMulti(a.req, a.account, "")

    def pnl(self, session, a):
        session.reqPnL(a.req, a.account, "")

    def cancel_pnl(self, session, a):
        session.cancelPnL(a.req)

    def pnl_single(self, session, a):
        session.reqPnLSingle(a.req, a.account, "", a.conId)

    def cancel_pnl_single(self, session, a):
        session.cancelPnLSingle(a.req)

    def place(self, session, a):
        session.placeOrder(a.order_id, contract_of(a.contract), order_of(a.order))

    def what_if(self, session, a):
        session.placeOrder(a.order_id, contract_of(a.contract), order_of(a.order | {"whatIf": True}))

    def cancel(self, session, a):
        if OrderCancel is not None:
            session.cancelOrder(a.order_id, OrderCancel())
        else:
            try:
                session.cancelOrder(a.order_id, "")
            except TypeError:
                session.cancelOrder(a.order_id)

    def global_cancel(self, session, a):
        try:
            session.reqGlobalCancel()
        except TypeError:
            session.reqGlobalCancel(OrderCancel())

    def open_orders(self, session, a):
        session.reqOpenOrders()

    def all_open_orders(self, session, a):
        session.reqAllOpenOrders()

    def auto_bind(self, session, a):
        session.reqAutoOpenOrders(a.bind)

    def completed(self, session, a):
        session.reqCompletedOrders(a.api_only)

    def executions(self, session, a):
        wanted = ExecutionFilter()
        for name, value in a.filter.items():
            setattr(wanted, name, value)
        session.reqExecutions(a.req, wanted)


if __name__ == "__main__":
    serve(Driver().perform)
