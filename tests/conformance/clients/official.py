"""Drives the official Python client, any version from 9.81 on: commands come on stdin, what it saw leaves on
stdout.

    python official.py

What changed between versions (TWS-BEHAVIOUR.md C6) is told by what the package holds, never by its number.
Needs `ibapi` and nothing else.
"""

from __future__ import annotations

import inspect
import threading
from types import SimpleNamespace
from typing import Any

from ibapi import order_condition
from ibapi.contract import ComboLeg, Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue
from neutral import serve
from official_session import Session

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:  # up to 10.19 there is no such class
    OrderCancel = None


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

    def histogram(self, session, a):
        session.reqHistogramData(a.req, contract_of(a.contract), a.rth, f"{a.days} days")

    def bulletins(self, session, a):
        if a.on:
            session.reqNewsBulletins(True)
        else:
            session.cancelNewsBulletins()

    def scan(self, session, a):
        wanted = ScannerSubscription()
        wanted.instrument, wanted.locationCode = "STK", "STK.US.MAJOR"
        wanted.scanCode, wanted.numberOfRows = a.code, a.rows
        session.reqScannerSubscription(a.req, wanted, [], [])

    def cancel_scan(self, session, a):
        session.cancelScannerSubscription(a.req)

    def calendar(self, session, a):
        session.reqWshMetaData(a.req)

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

    def exercise(self, session, a):
        given = [a.req, contract_of(a.contract), a.action, a.quantity, a.account, a.override]
        more = len(inspect.signature(session.exerciseOptions).parameters) - len(given)
        session.exerciseOptions(*given, *["", "", False][:more])  # what came later: CME's tags, the customer

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
