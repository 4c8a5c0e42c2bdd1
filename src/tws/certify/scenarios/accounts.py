"""Accounts: values, positions, profit and loss, and what the broker remembers. TWS-BEHAVIOUR.md D, C4."""

from __future__ import annotations

from tws.certify.register import scenario
from tws.certify.scene import Scene
from tws.wire import messages as m

case = scenario("accounts")
TAGS = "NetLiquidation,TotalCashValue,BuyingPower,AvailableFunds,ExcessLiquidity"


@case("positions", "D reqPositions")
async def positions(s: Scene) -> None:
    s.call("reqPositions")
    await s.hear(m.PositionEnd)


@case("positions of one account", "D reqPositionsMulti")
async def positions_of(s: Scene) -> None:
    number = s.send("reqPositionsMulti", s.account, "")
    await s.answer(m.PositionMultiEnd, number)
    s.call("cancelPositionsMulti", number)


@case("values and portfolio of one account", "D reqAccountUpdates")
async def values(s: Scene) -> None:
    s.call("reqAccountUpdates", True, s.account)
    await s.hear(m.AccountDataEnd)
    s.call("reqAccountUpdates", False, s.account)


@case("values of one account by the multi request", "D reqAccountUpdatesMulti")
async def values_of(s: Scene) -> None:
    number = s.send("reqAccountUpdatesMulti", s.account, "", True)
    await s.answer(m.AccountUpdateMultiEnd, number)
    s.call("cancelAccountUpdatesMulti", number)


@case("a summary", "D reqAccountSummary")
async def summary(s: Scene) -> None:
    number = s.send("reqAccountSummary", "All", TAGS)
    await s.answer(m.AccountSummaryEnd, number)
    s.call("cancelAccountSummary", number)


@case("a summary of the ledger", "D reqAccountSummary")
async def ledger(s: Scene) -> None:
    number = s.send("reqAccountSummary", "All", "$LEDGER")
    await s.answer(m.AccountSummaryEnd, number)
    s.call("cancelAccountSummary", number)


@case("profit and loss", "D reqPnL")
async def pnl(s: Scene) -> None:
    number = s.send("reqPnL", s.account, "")
    await s.fed(number, m.PnL)
    s.call("cancelPnL", number)


@case("an adviser's groups, for somebody who is none", "F6 16")
async def groups(s: Scene) -> None:
    s.call("requestFA", 1)
    await s.hear(m.Answer, lambda one: isinstance(one, m.ReceiveFA) or getattr(one, "error_code", 0) == 321)


@case("executions of today", "C4 reqExecutions")
async def executions(s: Scene) -> None:
    await s.tell(s.connection.request_executions())


@case("executions of a symbol that never traded", "C4 reqExecutions")
async def no_executions(s: Scene) -> None:
    await s.tell(s.connection.request_executions(symbol="NOSUCHTHING"))


@case("open orders of this client", "C4 reqOpenOrders")
async def open_orders(s: Scene) -> None:
    s.call("reqOpenOrders")
    await s.hear(m.OpenOrdersEnd)


@case("open orders of all clients", "C4 reqAllOpenOrders")
async def all_open_orders(s: Scene) -> None:
    s.call("reqAllOpenOrders")
    await s.hear(m.OpenOrdersEnd)


@case("completed orders", "C4 reqCompletedOrders")
async def completed(s: Scene) -> None:
    s.call("reqCompletedOrders", False)
    await s.hear(m.CompletedOrdersEnd)
