"""Conformance of a TWS with the official Python client, 9.81 or 10.46: connect, ask, stream, trade a bracket,
read it back.

    python official.py PORT

Exits 0 only when every step was seen; prints one line per step. Needs `ibapi` and nothing else. What
changed between the two versions (TWS-BEHAVIOUR.md C6) is told by what the package holds.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.wrapper import EWrapper

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:  # 9.81 cancels by id alone
    CANCEL: tuple[Any, ...] = ()
else:
    CANCEL = (OrderCancel(),)

PATIENCE_S = 20.0
CLIENT_ID = 46


class App(EWrapper, EClient):
    """Keeps every callback as (name, arguments), in order."""

    def __init__(self) -> None:
        EClient.__init__(self, self)
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        self.changed = threading.Condition()

    def hear(self, name: str, *arguments: Any) -> None:
        with self.changed:
            self.heard.append((name, arguments))
            self.changed.notify_all()

    def error(self, reqId, *rest):
        """(code, text) at 9.81; at 10.46 a time stands before them and a text of details behind."""
        code, text = rest[1:3] if len(rest) > 2 else rest
        self.hear("error", reqId, code, text)

    def nextValidId(self, orderId):
        self.hear("nextValidId", orderId)

    def managedAccounts(self, accountsList):
        self.hear("managedAccounts", accountsList)

    def currentTime(self, time):
        self.hear("currentTime", time)

    def contractDetails(self, reqId, contractDetails):
        self.hear("contractDetails", reqId, contractDetails)

    def contractDetailsEnd(self, reqId):
        self.hear("contractDetailsEnd", reqId)

    def tickPrice(self, reqId, tickType, price, attrib):
        self.hear("tickPrice", reqId, tickType, price)

    def tickSize(self, reqId, tickType, size):
        self.hear("tickSize", reqId, tickType, size)

    def tickString(self, reqId, tickType, value):
        self.hear("tickString", reqId, tickType, value)

    def tickReqParams(self, *arguments):
        self.hear("tickReqParams", *arguments)

    def tickSnapshotEnd(self, reqId):
        self.hear("tickSnapshotEnd", reqId)

    def historicalData(self, reqId, bar):
        self.hear("historicalData", reqId, bar)

    def historicalDataEnd(self, reqId, start, end):
        self.hear("historicalDataEnd", reqId, start, end)

    def realtimeBar(self, *arguments):
        self.hear("realtimeBar", *arguments)

    def tickByTickBidAsk(self, *arguments):
        self.hear("tickByTickBidAsk", *arguments)

    def openOrder(self, orderId, contract, order, orderState):
        self.hear("openOrder", orderId, contract, order, orderState)

    def openOrderEnd(self):
        self.hear("openOrderEnd")

    def orderStatus(self, orderId, status, filled, remaining, *rest):
        self.hear("orderStatus", orderId, status, filled, remaining)

    def execDetails(self, reqId, contract, execution):
        self.hear("execDetails", reqId, contract, execution)

    def execDetailsEnd(self, reqId):
        self.hear("execDetailsEnd", reqId)

    def commissionReport(self, report):
        self.hear("commission", report.execId, report.commission)

    def commissionAndFeesReport(self, report):
        self.hear("commission", report.execId, report.commissionAndFees)

    def completedOrder(self, contract, order, orderState):
        self.hear("completedOrder", contract, order, orderState)

    def completedOrdersEnd(self):
        self.hear("completedOrdersEnd")

    def position(self, account, contract, position, avgCost):
        self.hear("position", account, contract, position, avgCost)

    def positionEnd(self):
        self.hear("positionEnd")

    def updateAccountValue(self, key, val, currency, accountName):
        self.hear("accountValue", key, val)

    def updatePortfolio(self, contract, position, *rest):
        self.hear("portfolio", contract, position)

    def accountDownloadEnd(self, accountName):
        self.hear("accountDownloadEnd", accountName)

    def accountSummary(self, *arguments):
        self.hear("accountSummary", *arguments)

    def accountSummaryEnd(self, reqId):
        self.hear("accountSummaryEnd", reqId)

    def pnl(self, *arguments):
        self.hear("pnl", *arguments)

    def symbolSamples(self, reqId, contractDescriptions):
        self.hear("symbolSamples", reqId, contractDescriptions)

    def marketRule(self, marketRuleId, priceIncrements):
        self.hear("marketRule", marketRuleId, priceIncrements)

    def connectionClosed(self):
        self.hear("connectionClosed")


class Script:
    """Waits for callbacks, one step after the other."""

    def __init__(self, app: App) -> None:
        self.app = app

    def expect(self, step: str, name: str, fits: Any = lambda *_: True) -> tuple[Any, ...]:
        """The first callback of this name that fits, however early it came. Ends the run when none comes."""
        end = time.monotonic() + PATIENCE_S
        with self.app.changed:
            while True:
                for heard, arguments in self.app.heard:
                    if heard == name and fits(*arguments):
                        print(f"ok    {step}")
                        return arguments
                left = end - time.monotonic()
                if left <= 0:
                    break
                self.app.changed.wait(left)
            print(f"LOST  {step}: no {name}; last heard {[row[0] for row in self.app.heard[-12:]]}")
            print("errors:", [row[1] for row in self.app.heard if row[0] == "error"])
            raise SystemExit(1)


def stock(symbol: str) -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol, "STK", "SMART", "USD"
    return contract


def order(action: str, kind: str, quantity: int, **fields: Any) -> Order:
    made = Order()
    made.action, made.orderType, made.totalQuantity, made.tif = action, kind, quantity, "DAY"
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def questions(app: App, script: Script) -> None:
    app.reqCurrentTime()
    script.expect("current time", "currentTime")
    app.reqContractDetails(1, stock("SPY"))
    _, details = script.expect(
        "contract details", "contractDetails", lambda i, d: i == 1 and d.contract.conId == 756733
    )
    assert details.minTick == 0.01 and details.liquidHours and details.longName, details
    script.expect("contract details end", "contractDetailsEnd", lambda i: i == 1)
    app.reqContractDetails(2, stock("NOSUCH"))
    script.expect("unknown symbol is error 200", "error", lambda i, code, _: (i, code) == (2, 200))
    app.reqMatchingSymbols(3, "AA")
    script.expect(
        "matching symbols", "symbolSamples", lambda i, rows: i == 3 and rows[0].contract.symbol == "AAPL"
    )
    app.reqMarketRule(26)
    script.expect("market rule", "marketRule", lambda i, rows: rows[0].increment == 0.01)
    app.reqHistoricalData(4, stock("SPY"), "", "1 D", "5 mins", "TRADES", 1, 2, False, [])
    _, bar = script.expect("historical bars", "historicalData", lambda i, _: i == 4)
    assert bar.low <= bar.open <= bar.high and int(bar.date) > 0, bar
    script.expect("historical bars end", "historicalDataEnd", lambda i, *_: i == 4)
    app.reqNewsProviders()
    script.expect("no subscription, no silence", "error", lambda i, code, _: code == 321)


def streams(app: App, script: Script) -> float:
    app.reqMktData(10, stock("SPY"), "", False, False, [])
    script.expect("tick parameters", "tickReqParams", lambda i, *_: i == 10)
    script.expect("bid", "tickPrice", lambda i, kind, _: (i, kind) == (10, 1))
    _, _, ask = script.expect("ask", "tickPrice", lambda i, kind, _: (i, kind) == (10, 2))
    script.expect("last", "tickPrice", lambda i, kind, _: (i, kind) == (10, 4))
    script.expect("volume", "tickSize", lambda i, kind, _: (i, kind) == (10, 8))
    script.expect("last timestamp", "tickString", lambda i, kind, _: (i, kind) == (10, 45))
    app.reqMktData(11, stock("AAPL"), "", True, False, [])
    script.expect("snapshot ends", "tickSnapshotEnd", lambda i: i == 11)
    app.reqRealTimeBars(12, stock("SPY"), 5, "TRADES", False, [])
    app.reqTickByTickData(13, stock("SPY"), "BidAsk", 0, False)
    script.expect("tick by tick", "tickByTickBidAsk", lambda i, *_: i == 13)
    script.expect("real-time bar", "realtimeBar", lambda i, *_: i == 12)
    app.cancelTickByTickData(13)
    app.cancelRealTimeBars(12)
    app.reqPositions()
    script.expect("positions end", "positionEnd")
    return float(ask)


def trade(app: App, script: Script, ask: float, first: int) -> None:
    entry, target, stop = first, first + 1, first + 2
    app.placeOrder(
        entry,
        stock("SPY"),
        order("BUY", "LMT", 100, lmtPrice=round(ask + 1, 2), transmit=False, orderRef="t1"),
    )
    goal = order("SELL", "LMT", 100, lmtPrice=round(ask + 50, 2), parentId=entry, transmit=False)
    app.placeOrder(target, stock("SPY"), goal)
    app.placeOrder(
        stop,
        stock("SPY"),
        order("SELL", "STP", 100, auxPrice=round(ask - 50, 2), parentId=entry, transmit=True),
    )
    script.expect(
        "openOrder echoes the reference",
        "openOrder",
        lambda i, c, o, s: i == entry and o.orderRef == "t1" and c.conId == 756733,
    )
    script.expect("entry filled", "orderStatus", lambda i, status, *_: (i, status) == (entry, "Filled"))
    _, _, fill = script.expect(
        "execution", "execDetails", lambda i, c, e: i == -1 and e.orderId == entry and e.side == "BOT"
    )
    script.expect(
        "commission",
        "commission",
        lambda exec_id, amount: exec_id == fill.execId and amount > 0,
    )
    script.expect("target works", "orderStatus", lambda i, status, *_: (i, status) == (target, "Submitted"))
    script.expect("stop is held", "orderStatus", lambda i, status, *_: (i, status) == (stop, "PreSubmitted"))
    script.expect("position 100", "position", lambda a, c, size, _: c.symbol == "SPY" and int(size) == 100)
    app.reqAllOpenOrders()
    script.expect("open orders end", "openOrderEnd")
    goal.lmtPrice, goal.transmit = round(ask - 20, 2), True
    app.placeOrder(target, stock("SPY"), goal)
    script.expect(
        "changed target filled", "orderStatus", lambda i, status, *_: (i, status) == (target, "Filled")
    )
    script.expect(
        "its sibling is cancelled", "orderStatus", lambda i, status, *_: (i, status) == (stop, "Cancelled")
    )
    script.expect("position 0", "position", lambda a, c, size, _: c.symbol == "SPY" and int(size) == 0)
    app.placeOrder(first + 3, stock("AAPL"), order("BUY", "LMT", 10, lmtPrice=1.0))
    script.expect(
        "resting order works", "orderStatus", lambda i, status, *_: (i, status) == (first + 3, "Submitted")
    )
    app.cancelOrder(first + 3, *CANCEL)
    script.expect("cancelled", "orderStatus", lambda i, status, *_: (i, status) == (first + 3, "Cancelled"))
    script.expect("202 about it", "error", lambda i, code, _: (i, code) == (first + 3, 202))
    preview = order("BUY", "MKT", 10, whatIf=True)
    app.placeOrder(first + 4, stock("AAPL"), preview)
    script.expect(
        "what-if margin", "openOrder", lambda i, c, o, s: i == first + 4 and float(s.initMarginChange) > 0
    )


def books(app: App, script: Script) -> None:
    app.reqExecutions(20, ExecutionFilter())
    script.expect("executions asked for", "execDetails", lambda i, *_: i == 20)
    script.expect("executions end", "execDetailsEnd", lambda i: i == 20)
    app.reqCompletedOrders(False)
    script.expect("completed order", "completedOrder", lambda c, o, s: s.completedStatus.startswith("Filled"))
    script.expect("completed orders end", "completedOrdersEnd")
    app.reqAccountUpdates(True, "")
    script.expect(
        "account value", "accountValue", lambda key, value: key == "NetLiquidation" and float(value) > 0
    )
    script.expect("portfolio", "portfolio", lambda c, size: c.symbol == "SPY")
    script.expect("account download end", "accountDownloadEnd")
    app.reqAccountSummary(21, "All", "NetLiquidation,BuyingPower")
    script.expect("account summary", "accountSummary", lambda i, a, tag, *_: (i, tag) == (21, "BuyingPower"))
    script.expect("account summary end", "accountSummaryEnd")
    app.reqPnL(22, script.expect("accounts", "managedAccounts")[0].split(",")[0], "")
    script.expect("profit and loss", "pnl", lambda i, *_: i == 22)


def main(port: int) -> None:
    app = App()
    script = Script(app)
    app.connect("127.0.0.1", port, CLIENT_ID)
    threading.Thread(target=app.run, daemon=True).start()
    first = script.expect("next valid id", "nextValidId")[0]
    script.expect("managed accounts", "managedAccounts", lambda text: text.startswith("DU"))
    script.expect("farm notice", "error", lambda i, code, _: code == 2104)
    questions(app, script)
    ask = streams(app, script)
    trade(app, script, ask, first)
    books(app, script)
    second = App()
    second.connect("127.0.0.1", port, CLIENT_ID)
    threading.Thread(target=second.run, daemon=True).start()
    Script(second).expect(
        "a second session of this client id is 326", "error", lambda i, code, _: code == 326
    )
    second.disconnect()
    unreadable = [row for name, row in app.heard if name == "error" and row[1] in (320, 505, 508)]
    assert not unreadable, unreadable
    print("all steps seen, server version", app.serverVersion())
    app.disconnect()


if __name__ == "__main__":
    main(int(sys.argv[1]))
