"""Conformance of a TWS with ib_async 2.1.0: connect with all its start-up requests, stream, trade a
bracket, read it back.

    python ib_async_210.py PORT

Exits 0 only when every step was seen; prints one line per step. Needs `ib_async` 2.1.0 and nothing
else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ib_async import IB, LimitOrder, MarketOrder, Stock

PATIENCE_S = 20.0


class Script:
    """Steps that must come true."""

    def __init__(self, ib: IB) -> None:
        self.ib = ib
        self.errors: list[tuple[int, int, str]] = []
        ib.errorEvent += lambda req_id, code, text, contract: self.errors.append((req_id, code, text))

    def expect(self, step: str, fits: Callable[[], Any]) -> Any:
        """Wait until `fits` is true."""
        for _ in range(int(PATIENCE_S * 20)):
            if result := fits():
                print(f"ok    {step}")
                return result
            self.ib.sleep(0.05)
        print(f"LOST  {step}; errors {self.errors}")
        raise SystemExit(1)


def questions(ib: IB, script: Script) -> Any:
    script.expect("current time", lambda: ib.reqCurrentTime())
    spy = Stock("SPY", "SMART", "USD")
    script.expect("qualified", lambda: ib.qualifyContracts(spy) and spy.conId == 756733)
    details = script.expect("contract details", lambda: ib.reqContractDetails(spy))[0]
    assert details.minTick == 0.01 and details.liquidHours, details
    script.expect(
        "unknown symbol",
        lambda: (
            ib.reqContractDetails(Stock("NOSUCH", "SMART", "USD")) == []
            and any(code == 200 for _, code, _ in script.errors)
        ),
    )
    bars = script.expect(
        "historical bars", lambda: ib.reqHistoricalData(spy, "", "2 D", "5 mins", "TRADES", True)
    )
    assert bars[0].low <= bars[0].open <= bars[0].high, bars[0]
    days = script.expect("day bars", lambda: ib.reqHistoricalData(spy, "", "1 M", "1 day", "MIDPOINT", True))
    assert len(days) > 10, days
    return spy


def trade(ib: IB, script: Script, spy: Any, ask: float) -> None:
    ask = round(ask, 2)
    bracket = ib.bracketOrder(
        "BUY",
        100,
        limitPrice=round(ask + 1, 2),
        takeProfitPrice=round(ask + 50, 2),
        stopLossPrice=round(ask - 50, 2),
    )
    entry, target, stop = (ib.placeOrder(spy, order) for order in bracket)
    script.expect("entry filled", lambda: entry.orderStatus.status == "Filled")
    script.expect("execution", lambda: entry.fills and entry.fills[0].execution.side == "BOT")
    script.expect("commission", lambda: entry.fills[0].commissionReport.commission > 0)
    script.expect("target works", lambda: target.orderStatus.status == "Submitted")
    script.expect("stop is held", lambda: stop.orderStatus.status == "PreSubmitted")
    script.expect(
        "position 100",
        lambda: [p for p in ib.positions() if p.contract.symbol == "SPY" and p.position == 100],
    )
    script.expect(
        "portfolio", lambda: [p for p in ib.portfolio() if p.contract.symbol == "SPY" and p.position == 100]
    )
    target.order.lmtPrice = round(ask - 20, 2)
    ib.placeOrder(spy, target.order)
    script.expect("changed target filled", lambda: target.orderStatus.status == "Filled")
    script.expect("its sibling is cancelled", lambda: stop.orderStatus.status == "Cancelled")
    script.expect("position 0", lambda: not [p for p in ib.positions() if p.contract.symbol == "SPY"])
    aapl = Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(aapl)
    resting = ib.placeOrder(aapl, LimitOrder("BUY", 10, 1.0))
    script.expect("resting order works", lambda: resting.orderStatus.status == "Submitted")
    ib.cancelOrder(resting.order)
    script.expect("cancelled", lambda: resting.orderStatus.status == "Cancelled")
    state = script.expect("what-if", lambda: ib.whatIfOrder(aapl, MarketOrder("BUY", 10)))
    assert float(state.initMarginChange) > 0, state


def books(ib: IB, script: Script) -> None:
    script.expect("executions asked for", lambda: len(ib.reqExecutions()) >= 2)
    script.expect("completed orders", lambda: ib.reqCompletedOrders(False))
    script.expect("account values", lambda: [v for v in ib.accountValues() if v.tag == "NetLiquidation"])
    script.expect("account summary", lambda: [v for v in ib.accountSummary() if v.tag == "BuyingPower"])
    assert ib.reqAllOpenOrders() == []


def main(port: int) -> None:
    ib = IB()
    script = Script(ib)
    ib.RaiseRequestErrors = False
    ib.connect("127.0.0.1", port, clientId=21, timeout=10)
    print("ok    connected, all start-up requests answered")
    script.expect("accounts", lambda: ib.managedAccounts())
    spy = questions(ib, script)
    ticker = ib.reqMktData(spy, "233")
    script.expect("bid and ask", lambda: ticker.bid > 0 and ticker.ask > ticker.bid)
    script.expect("last and volume", lambda: ticker.last > 0 and ticker.volume > 0)
    script.expect("RTVolume", lambda: ticker.rtTime)
    bars = ib.reqRealTimeBars(spy, 5, "TRADES", False)
    prints = ib.reqTickByTickData(spy, "BidAsk")
    script.expect("tick by tick", lambda: prints.tickByTicks)
    script.expect("real-time bar", lambda: len(bars) > 0)
    trade(ib, script, spy, ticker.ask)
    books(ib, script)
    unreadable = [row for row in script.errors if row[1] in (320, 505, 508)]
    assert not unreadable, unreadable
    print("all steps seen, server version", ib.client.serverVersion())
    ib.disconnect()


if __name__ == "__main__":
    main(int(sys.argv[1]))
