"""On the wire: two accounts, one of them live-looking; combos, orders by hand, long answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from tests.simulator.client import Client, Connect, Start, stock

from tws.exchange import OrderTicket
from tws.model.order import Side
from tws.simulator.market.base import ManualMarket
from tws.simulator.universe import Universe
from tws.wire.messages import (
    AccountDataEnd,
    AccountDataRequest,
    AccountSummary,
    AccountSummaryEnd,
    AccountSummaryRequest,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdatesMultiRequest,
    AccountValue,
    AutoOpenOrdersRequest,
    CommissionAndFeesReport,
    CompletedOrder,
    CompletedOrdersEnd,
    CompletedOrdersRequest,
    ErrorMessage,
    ExecutionDetails,
    ExecutionDetailsEnd,
    ExecutionFilter,
    ExecutionRequest,
    ManagedAccounts,
    OpenOrder,
    OpenOrdersEnd,
    OpenOrdersRequest,
    OrderBound,
    OrderStatus,
    PlaceOrderRequest,
    PnL,
    PnLRequest,
    PnLSingle,
    PnLSingleRequest,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
    PositionsMultiRequest,
    PositionsRequest,
    WireComboLeg,
    WireContract,
    WireOrder,
)

PAPER, LIVE = "DU1234567", "U7654321"
NOW = 1_795_000_000_000_000_000


async def open_two(start: Start, **more: Any) -> Any:
    """A quiet market with SPY and IBM, and two accounts."""
    universe = Universe()
    known = [universe.symbol(symbol) for symbol in ("SPY", "IBM")]
    market = ManualMarket([security for security in known if security], NOW)
    simulator = await start(**({"accounts": (PAPER, LIVE), "market": market} | more))
    simulator.quote("SPY", bid=100, ask=100.02, bid_size=100_000, ask_size=100_000)
    simulator.quote("IBM", bid=50, ask=50.02, bid_size=100_000, ask_size=100_000)
    return simulator


def order(account: str = "", **fields: Any) -> WireOrder:
    given = {"action": "BUY", "total_quantity": Decimal(100), "order_type": "MKT", "tif": "DAY"}
    return WireOrder(account=account, **(given | fields))


async def ready(connect: Connect, simulator: Any, client_id: int = 1) -> Client:
    """A client whose session began."""
    client = await connect(simulator, client_id)
    await client.expect(ManagedAccounts)
    return client


async def bought(start: Start, connect: Connect) -> tuple[Any, Client]:
    """100 SPY in the live account, 10 IBM in the paper one."""
    simulator = await open_two(start)
    client = await ready(connect, simulator)
    client.send(
        PlaceOrderRequest(1, stock("SPY"), order(LIVE)),
        PlaceOrderRequest(2, stock("IBM"), order(PAPER, total_quantity=Decimal(10))),
    )
    for order_id in (1, 2):
        await client.expect(OrderStatus, lambda said: (said.order_id, said.status) == (order_id, "Filled"))  # noqa: B023
    return simulator, client


async def test_an_order_must_name_its_account(start: Start, connect: Connect) -> None:
    client = await ready(connect, await open_two(start))
    assert (await client.expect(ManagedAccounts)).accounts_list == f"{PAPER},{LIVE}"
    client.send(PlaceOrderRequest(1, stock("SPY"), order()), PlaceOrderRequest(2, stock("SPY"), order("DU9")))
    error = await client.expect(ErrorMessage, lambda said: said.id == 1)
    assert (error.error_code, error.error_msg) == (435, "You must specify an account.")
    assert (await client.expect(ErrorMessage, lambda said: said.id == 2)).error_code == 321


async def test_each_account_has_its_own_values_and_positions(start: Start, connect: Connect) -> None:
    _, client = await bought(start, connect)
    client.send(AccountDataRequest(True, LIVE))
    assert (await client.expect(AccountDataEnd)).account_name == LIVE
    rows = {
        (row.key, row.currency): row.value for row in client.all(AccountValue) if row.account_name == LIVE
    }
    assert rows["TotalCashValue", "USD"] == "989997.00" and rows["CashBalance", "BASE"] == "989997.00"
    assert rows["AccountCode", ""] == LIVE and rows["ExchangeRate", "USD"] == "1.00"
    assert not [row for row in client.all(AccountValue) if row.account_name == PAPER]
    client.send(PositionsRequest())
    await client.expect(PositionEnd)
    assert [(row.account, row.contract.symbol, row.position) for row in client.all(Position)] == [
        (PAPER, "IBM", 10), (LIVE, "SPY", 100)
    ]  # fmt: skip
    client.send(PositionsMultiRequest(7, LIVE, ""), AccountUpdatesMultiRequest(8, PAPER, "", True))
    await client.expect(PositionMultiEnd)
    assert [(row.account, row.contract.symbol) for row in client.all(PositionMulti)] == [(LIVE, "SPY")]
    await client.expect(AccountUpdateMultiEnd)
    assert {row.account for row in client.all(AccountUpdateMulti)} == {PAPER}


async def test_profit_and_loss_are_asked_for_by_account(start: Start, connect: Connect) -> None:
    simulator, client = await bought(start, connect)
    simulator.quote("SPY", bid=101, ask=101.02, bid_size=100_000, ask_size=100_000)
    client.send(PnLRequest(1, LIVE, ""), PnLRequest(2, PAPER, ""), PnLRequest(3, "", ""))
    assert (await client.expect(PnL, lambda said: said.req_id == 1)).daily_pnl == 98.0
    assert (await client.expect(PnL, lambda said: said.req_id == 2)).daily_pnl == -1.1
    assert (await client.expect(ErrorMessage, lambda said: said.id == 3)).error_code == 321
    spy, ibm = simulator.con_id("SPY"), simulator.con_id("IBM")
    client.send(PnLSingleRequest(4, PAPER, "", spy), PnLSingleRequest(5, PAPER, "", ibm))
    assert (await client.expect(PnLSingle)).req_id == 5, "no reply for a conId that the account doesn't hold"


async def test_a_summary_has_all_accounts_and_the_ledgers_asked_for(start: Start, connect: Connect) -> None:
    simulator, client = await bought(start, connect)
    simulator.exchange.corporate.deposit(PAPER, "EUR", Decimal(500), simulator.now_ns())
    client.send(AccountSummaryRequest(1, "All", "NetLiquidation,$LEDGER"))
    client.send(AccountSummaryRequest(2, "All", "$LEDGER:EUR"))
    for req_id in (1, 2):
        await client.expect(AccountSummaryEnd, lambda said, wanted=req_id: said.req_id == wanted)  # type: ignore[misc]
    first = [row for row in client.all(AccountSummary) if row.req_id == 1]
    assert {(row.account, row.currency) for row in first if row.tag == "NetLiquidation"} == {
        (PAPER, "USD"), (LIVE, "USD")
    }  # fmt: skip
    assert {row.currency for row in first if row.tag == "CashBalance"} == {"BASE"}
    second = [row for row in client.all(AccountSummary) if row.req_id == 2]
    assert {(row.account, row.currency) for row in second} == {(PAPER, "EUR")}
    assert {row.tag: row.value for row in second}["CashBalance"] == "500.00"


# -- combos -------------------------------------------------------------------------------------


async def test_a_combo_is_echoed_with_its_legs_and_filled_on_them(start: Start, connect: Connect) -> None:
    simulator = await open_two(start)
    client = await ready(connect, simulator)
    spy, ibm = simulator.con_id("SPY"), simulator.con_id("IBM")
    legs = (
        WireComboLeg(con_id=spy, ratio=1, action="BUY", exchange="SMART"),
        WireComboLeg(con_id=ibm, ratio=2, action="SELL", exchange="SMART"),
    )
    bag = WireContract(symbol="SPY,IBM", sec_type="BAG", exchange="SMART", currency="USD", combo_legs=legs)
    limit = order(PAPER, order_type="LMT", lmt_price=0.05, total_quantity=Decimal(3))
    client.send(PlaceOrderRequest(1, bag, limit))
    refused = await client.expect(ErrorMessage, lambda said: said.id == 1)
    assert refused.error_code == 10043, "shares with shares are never guaranteed"
    limit = replace(limit, smart_combo_routing_params=(("NonGuaranteed", "1"),))
    client.send(PlaceOrderRequest(2, bag, limit))
    await client.expect(OrderStatus, lambda said: said.status == "Filled")
    opened = client.all(OpenOrder)[-1].contract
    assert (opened.con_id, opened.sec_type, opened.symbol) == (28812380, "BAG", "SPY,IBM")
    assert [(leg.con_id, leg.ratio, leg.action) for leg in opened.combo_legs] == [
        (spy, 1, "BUY"),
        (ibm, 2, "SELL"),
    ]
    assert opened.combo_legs_descrip == f"{spy}|1,{ibm}|-2"
    await client.expect(CommissionAndFeesReport, lambda said: said.exec_id.endswith("03.01.01"))
    rows = [(row.contract.sec_type, row.execution.side, row.execution.shares, row.execution.price)
            for row in client.all(ExecutionDetails)]  # fmt: skip
    assert rows == [("BAG", "BOT", 3, 0.02), ("STK", "BOT", 3, 100.02), ("STK", "SLD", 6, 50.0)]
    assert len(client.all(CommissionAndFeesReport)) == 2
    client.send(ExecutionRequest(9, ExecutionFilter(sec_type="BAG")))
    await client.expect(ExecutionDetailsEnd)
    assert [row.contract.sec_type for row in client.all(ExecutionDetails) if row.req_id == 9] == ["BAG"]


async def test_a_combo_of_unknown_legs_is_no_security(start: Start, connect: Connect) -> None:
    client = await ready(connect, await open_two(start))
    legs = (WireComboLeg(con_id=5, ratio=1, action="BUY"), WireComboLeg(con_id=6, ratio=1, action="SELL"))
    bag = WireContract(symbol="A", sec_type="BAG", exchange="SMART", currency="USD", combo_legs=legs)
    client.send(PlaceOrderRequest(1, bag, order(PAPER)))
    assert (await client.expect(ErrorMessage, lambda said: said.id == 1)).error_code == 200


# -- by hand ------------------------------------------------------------------------------------


async def test_client_0_hears_of_orders_by_hand_and_binds_them(start: Start, connect: Connect) -> None:
    simulator = await open_two(start)
    client, other = await ready(connect, simulator, 0), await ready(connect, simulator, 5)
    ticket = OrderTicket(
        client_id=0, order_id=0, account=PAPER, con_id=simulator.con_id("SPY"), side=Side.BUY,
        quantity=Decimal(5),
        limit_price=Decimal(90),
    )  # fmt: skip
    simulator.core.tell(simulator.exchange.by_hand.place(ticket, simulator.now_ns()))
    simulator.core.flush()
    assert (await client.expect(OpenOrder)).order_id == 0
    client.send(OpenOrdersRequest())
    bound = await client.expect(OrderBound)
    await client.expect(OpenOrdersEnd)
    assert (bound.order_id, client.all(OpenOrder)[-1].order_id) == (-1, -1)
    client.send(AutoOpenOrdersRequest(True), OpenOrdersRequest())
    await client.expect(OpenOrdersEnd, lambda said: len(client.all(OpenOrdersEnd)) == 2)
    simulator.core.tell(simulator.exchange.by_hand.place(ticket, simulator.now_ns()))
    simulator.core.flush()
    assert (await client.expect(OrderBound, lambda said: said.order_id == -2)).client_id == 0
    other.send(OpenOrdersRequest())
    await other.expect(OpenOrdersEnd)
    assert not other.all(OpenOrder), "no other client's affair"


# -- long answers -------------------------------------------------------------------------------


async def test_a_long_answer_is_whole_and_lets_others_in_between(start: Start, connect: Connect) -> None:
    simulator = await open_two(start)
    client = await ready(connect, simulator)
    count = 1300
    for order_id in range(1, count + 1):
        ticket = OrderTicket(
            client_id=2, order_id=order_id, account=PAPER, con_id=simulator.con_id("SPY"), side=Side.BUY,
            quantity=Decimal(1), order_type="MKT",
        )  # fmt: skip
        simulator.exchange.place(ticket, simulator.now_ns())
    client.send(
        ExecutionRequest(1), CompletedOrdersRequest(False), ExecutionRequest(2, ExecutionFilter(client_id=3))
    )
    await client.expect(CompletedOrdersEnd)
    await client.expect(ExecutionDetailsEnd, lambda said: said.req_id == 1)
    assert len({row.execution.exec_id for row in client.all(ExecutionDetails)}) == count
    assert len(client.all(CommissionAndFeesReport)) == len(client.all(CompletedOrder)) == count
    ends = [row.req_id for row in client.all(ExecutionDetailsEnd)]
    assert ends == [2, 1], "the short answer did not wait for the long one"
