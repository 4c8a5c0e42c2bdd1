"""Orders, their owners and the books behind them, asked for as a client asks, over real sockets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock
from tests.simulator.scene import until

from tws.clock import NS_PER_S
from tws.simulator import SimulatedTWS
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire.messages import (
    AccountDataEnd,
    AccountDataRequest,
    AccountSummary,
    AccountSummaryEnd,
    AccountSummaryRequest,
    AccountUpdateMultiEnd,
    AccountUpdatesMultiRequest,
    AccountValue,
    AutoOpenOrdersRequest,
    CancelOrderRequest,
    CommissionAndFeesReport,
    CompletedOrder,
    CompletedOrdersEnd,
    CompletedOrdersRequest,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    ExecutionDetails,
    ExecutionDetailsEnd,
    ExecutionRequest,
    GlobalCancelRequest,
    IdsRequest,
    NextValidId,
    OpenOrder,
    OpenOrdersEnd,
    OpenOrdersRequest,
    OrderStatus,
    PlaceOrderRequest,
    PnL,
    PnLRequest,
    PortfolioValue,
    Position,
    PositionEnd,
    PositionsRequest,
    WireOrder,
)

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
SPY = 756733


async def manual(start: Start, connect: Connect, **options: Any) -> tuple[SimulatedTWS, Client]:
    simulator = await start(market=ManualMarket(UNIVERSE, T0), **options)
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    return simulator, client


def order(action: str, kind: str, quantity: int = 100, **fields: Any) -> WireOrder:
    return WireOrder(action=action, order_type=kind, total_quantity=Decimal(quantity), tif="DAY", **fields)


# -- orders ---------------------------------------------------------------------------------------


async def bracket(simulator: SimulatedTWS, client: Client) -> None:
    simulator.quote("SPY", bid=100.0, ask=100.02, bid_size=500, ask_size=500)
    client.send(
        PlaceOrderRequest(
            1, stock("SPY"), order("BUY", "LMT", lmt_price=100.05, transmit=False, order_ref="in")
        ),
        PlaceOrderRequest(
            2, stock("SPY"), order("SELL", "LMT", lmt_price=101.0, parent_id=1, transmit=False)
        ),
        PlaceOrderRequest(3, stock("SPY"), order("SELL", "STP", aux_price=99.0, parent_id=1)),
    )
    await client.expect(CommissionAndFeesReport)
    await client.expect(OrderStatus, lambda m: (m.order_id, m.status) == (2, "Submitted"))


async def test_a_bracket_from_entry_to_target(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    await bracket(simulator, client)
    words = [
        (type(m).__name__, getattr(m, "status", "") or getattr(getattr(m, "order_state", None), "status", ""))
        for m in client.heard
        if getattr(m, "order_id", 0) == 1 or isinstance(m, ExecutionDetails | CommissionAndFeesReport)
    ]
    fill = words.index(("ExecutionDetails", ""))
    assert words.index(("OpenOrder", "PreSubmitted")) < fill < words.index(("OrderStatus", "Filled"))
    assert words[-1] == ("CommissionAndFeesReport", "")
    execution = client.all(ExecutionDetails)[0]
    assert (execution.req_id, execution.execution.side, execution.execution.price) == (-1, "BOT", 100.02)
    assert execution.execution.order_ref == "in"
    assert client.all(CommissionAndFeesReport)[0].commission_and_fees == 1.0
    assert client.all(CommissionAndFeesReport)[0].realized_pnl is None
    simulator.quote("SPY", bid=101.0, ask=101.02, bid_size=500, ask_size=500)
    await client.expect(OrderStatus, lambda m: (m.order_id, m.status) == (2, "Filled"))
    await client.expect(OrderStatus, lambda m: (m.order_id, m.status) == (3, "Cancelled"))
    await client.expect(ErrorMessage, lambda m: (m.id, m.error_code) == (3, 202))
    closing = await client.expect(CommissionAndFeesReport, lambda m: m.realized_pnl is not None)
    assert closing.realized_pnl == pytest.approx(98.0 - 1 - 1, abs=0.02)  # 0.98 a share, two commissions
    assert not [row for row in simulator.exchange.positions() if row.quantity]


async def test_the_echo_of_an_order(start: Start, connect: Connect) -> None:
    _simulator, client = await manual(start, connect)
    client.send(PlaceOrderRequest(1, stock("SPY"), order("BUY", "LMT", 10, lmt_price=50.0, order_ref="abc")))
    echo = await client.expect(OpenOrder, lambda m: m.order_state.status == "Submitted")
    assert (echo.contract.con_id, echo.contract.right) == (SPY, "?")
    assert (echo.order.lmt_price, echo.order.aux_price, echo.order.oca_type) == (50.0, 0.0, 3)
    assert (echo.order.clearing_intent, echo.order.delta_neutral_order_type) == ("IB", "None")
    assert (echo.order.account, echo.order.client_id, echo.order.order_ref) == ("DU1234567", 1, "abc")
    client.send(PlaceOrderRequest(1, stock("SPY"), order("BUY", "LMT", 10, lmt_price=51.0)))
    await client.expect(OpenOrder, lambda m: m.order.lmt_price == 51.0)
    client.send(CancelOrderRequest(1))
    await client.expect(ErrorMessage, lambda m: (m.id, m.error_code) == (1, 202))
    client.send(CancelOrderRequest(99))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 99)).error_code == 10147
    client.send(CompletedOrdersRequest(False))
    await client.expect(CompletedOrdersEnd)
    assert client.all(CompletedOrder)[0].order_state.completed_status == "Cancelled by Trader"


async def test_orders_of_a_client_outlive_its_session(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    client.send(PlaceOrderRequest(5, stock("SPY"), order("BUY", "LMT", lmt_price=50.0)))
    await client.expect(OrderStatus, lambda m: m.status == "Submitted")
    other = await connect(simulator, 2)
    await other.expect(NextValidId)
    other.send(CancelOrderRequest(5))
    assert (await other.expect(ErrorMessage, lambda m: m.id == 5)).error_code == 10147
    other.send(OpenOrdersRequest())
    await other.expect(OpenOrdersEnd)
    assert other.all(OpenOrder) == [] and other.all(OrderStatus) == []
    client.writer.close()
    await until(lambda: 1 not in simulator.core.by_client)
    back = await connect(simulator, 1)
    assert (await back.expect(NextValidId)).order_id == 6
    await back.expect(
        OrderStatus, lambda m: (m.order_id, m.status) == (5, "Submitted")
    )  # told in the start burst
    other.send(GlobalCancelRequest())
    await back.expect(OrderStatus, lambda m: (m.order_id, m.status) == (5, "Cancelled"))


async def test_orders_belong_to_the_client_that_placed_them(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    other = await connect(simulator, 7)
    await other.expect(NextValidId)
    other.send(PlaceOrderRequest(1, stock("SPY"), order("BUY", "LMT", lmt_price=50.0)))
    told = await other.expect(OrderStatus, lambda m: m.status == "Submitted")
    assert told.client_id == 7 and [view.client_id for view in simulator.exchange.open_orders()] == [7]
    client.send(CurrentTimeRequest())
    await client.expect(CurrentTime)
    assert client.all(OrderStatus) == []


async def test_the_master_client_hears_all(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect, master_client_id=9)
    master = await connect(simulator, 9)
    await master.expect(NextValidId)
    await bracket(simulator, client)
    await master.expect(OrderStatus, lambda m: (m.order_id, m.client_id, m.status) == (1, 1, "Filled"))
    await master.expect(CommissionAndFeesReport)


async def test_a_what_if_places_nothing(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    simulator.quote("SPY", bid=100.0, ask=100.02)
    client.send(PlaceOrderRequest(1, stock("SPY"), order("BUY", "MKT", what_if=True)))
    answer = await client.expect(OpenOrder)
    assert answer.order_state.init_margin_change and answer.order_state.commission_and_fees == 1.0
    client.send(OpenOrdersRequest())
    await client.expect(OpenOrdersEnd)
    assert client.all(OrderStatus) == [] and simulator.exchange.open_orders() == ()


async def test_orders_that_are_refused(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect)
    client.send(
        PlaceOrderRequest(1, stock("NOSUCH"), order("BUY", "MKT")),
        PlaceOrderRequest(2, stock("SPY"), order("BUY", "LMT", lmt_price=50.001)),
        PlaceOrderRequest(3, stock("SPY"), order("BUY", "LMT", lmt_price=50.0, account="DU999")),
        PlaceOrderRequest(4, stock("SPY"), order("HOLD", "MKT")),
        AutoOpenOrdersRequest(True),
    )
    for order_id, code in ((1, 200), (2, 110), (3, 321), (4, 321), (-1, 327)):
        await client.expect(ErrorMessage, lambda m, i=order_id, c=code: (m.id, m.error_code) == (i, c))  # type: ignore[misc]


async def test_read_only(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect, read_only=True)
    client.send(
        PlaceOrderRequest(1, stock("SPY"), order("BUY", "MKT")), CancelOrderRequest(1), OpenOrdersRequest()
    )
    said = await client.expect(ErrorMessage, lambda m: m.error_code == 321 and m.id == 1)
    assert "Read-Only" in said.error_msg
    await client.expect(ErrorMessage, lambda m: m.error_code == 321 and m.id == -1)
    assert simulator.exchange.open_orders() == ()


@pytest.mark.parametrize("notice", [True, False])
async def test_the_preset_notice(start: Start, connect: Connect, notice: bool) -> None:
    _, client = await manual(start, connect, preset_notice=notice)
    plain = WireOrder(action="BUY", order_type="LMT", total_quantity=Decimal(1), lmt_price=50.0)
    client.send(PlaceOrderRequest(1, stock("SPY"), plain))
    await client.expect(OrderStatus, lambda m: m.status == "Submitted")
    client.send(IdsRequest())
    await client.expect(NextValidId, lambda m: m.order_id == 2)
    assert bool([m for m in client.all(ErrorMessage) if m.error_code == 10349]) is notice


# -- accounts -------------------------------------------------------------------------------------


async def test_books_after_a_fill(start: Start, connect: Connect) -> None:
    simulator, client = await manual(start, connect)
    client.send(
        PositionsRequest(),
        AccountDataRequest(True, ""),
        AccountSummaryRequest(3, "All", "NetLiquidation"),
        PnLRequest(4, "DU1234567"),
        AccountUpdatesMultiRequest(5, "DU1234567"),
    )
    await client.expect(PositionEnd)
    await client.expect(AccountDataEnd)
    await client.expect(AccountSummaryEnd)
    await client.expect(AccountUpdateMultiEnd)
    await client.expect(PnL)
    await bracket(simulator, client)
    held = await client.expect(Position)
    assert (held.position, held.avg_cost) == (100, pytest.approx(100.03))  # commission included (D)
    assert held.contract.exchange == ""
    row = await client.expect(PortfolioValue, lambda m: m.position == 100)
    assert row.account_name == "DU1234567"
    await client.expect(AccountValue, lambda m: m.key == "TotalCashValue" and m.value == "989997.00")
    assert [m.value for m in client.all(AccountSummary)] == ["1000000.00"]  # a summary follows later (D)
    await simulator.set_clock(simulator.now_ns() + 181 * NS_PER_S)
    await client.expect(AccountSummary, lambda m: float(m.value) < 1_000_000)
    assert len(client.all(AccountSummary)) == 2
    client.send(ExecutionRequest(8))
    await client.expect(ExecutionDetailsEnd, lambda m: m.req_id == 8)
    asked = await client.expect(ExecutionDetails, lambda m: m.req_id == 8)
    assert asked.execution == client.all(ExecutionDetails)[0].execution


async def test_unknown_accounts(start: Start, connect: Connect) -> None:
    _, client = await manual(start, connect)
    client.send(
        PnLRequest(1, "DU999"), AccountUpdatesMultiRequest(2, "DU999"), AccountDataRequest(True, "DU999")
    )
    for request_id in (1, 2, -1):
        await client.expect(ErrorMessage, lambda m, i=request_id: (m.id, m.error_code) == (i, 321))  # type: ignore[misc]
