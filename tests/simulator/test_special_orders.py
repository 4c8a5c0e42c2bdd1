"""Special orders over a real socket: what the exchange plays of them begins with what the wire states.

One simulated TWS per version; each order is placed as the official client would state it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock

from tws.simulator import SimulatedTWS
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire.messages import (
    CommissionAndFeesReport,
    ErrorMessage,
    ExecutionDetails,
    OpenOrder,
    OrderStatus,
    PlaceOrderRequest,
    WireComboLeg,
    WireContract,
    WireOrder,
)

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
SPY, IBM = 756733, 8314
OPTION = WireContract(
    symbol="SPY", sec_type="OPT", exchange="SMART", currency="USD", right="C", strike=560.0,
    last_trade_date_or_contract_month="20261218",
)  # fmt: skip
REFUSED = (
    (439, {"algo_strategy": "Inline"}),
    (443, {"algo_strategy": "Twap", "algo_params": (("strategyType", "Marketable"),)}),
    (441, {"algo_strategy": "PctVol"}),
    (10314, {"algo_strategy": "Vwap", "algo_params": (("startTime", "soon"),)}),
    (10255, {"algo_strategy": "DarkIce", "display_size": 1}),
    (10020, {"display_size": 1000}),
    (157, {"display_size": 10, "discretionary_amt": 0.01}),
    (419, {"scale_price_increment": 0.1}),
    (10006, {"hedge_type": "D"}),
)


def order(**terms: Any) -> WireOrder:
    wanted: dict[str, Any] = {
        "action": "BUY", "total_quantity": Decimal(100), "order_type": "LMT", "lmt_price": 100.0,
        "tif": "DAY",
    }  # fmt: skip
    return WireOrder(**wanted | terms)


async def bought(client: Client, order_id: int) -> list[tuple[str, Decimal, float]]:
    await client.expect(ExecutionDetails, lambda m: m.execution.order_id == order_id)
    rows = [m.execution for m in client.all(ExecutionDetails) if m.execution.order_id == order_id]
    return [(row.side, row.shares, row.price) for row in rows]


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_what_the_wire_states_of_a_special_order_is_played(
    start: Start, connect: Connect, version: int
) -> None:
    simulator = await start(market=ManualMarket(UNIVERSE, T0), server_version=version)
    for symbol in ("SPY", "IBM"):
        simulator.quote(symbol, bid=100.0, ask=100.10, bid_size=500, ask_size=500)
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)

    def place(order_id: int, symbol: str = "SPY", **terms: Any) -> None:
        client.send(PlaceOrderRequest(order_id, stock(symbol), order(**terms)))

    for at, (code, terms) in enumerate(REFUSED, 1):
        place(at, **terms)
        refusal = await client.expect(ErrorMessage, lambda m, at=at: m.id == at)  # type: ignore[misc]
        assert refusal.error_code == code, refusal
    place(20, order_type="PEG BENCH", lmt_price=None, starting_price=99.0, reference_contract_id=IBM,
          pegged_change_amount=0.5, reference_change_amount=0.1)  # fmt: skip
    place(21, algo_strategy="Twap", algo_params=(("endTime", "10:30:00 US/Eastern"),), order_type="MKT")
    assert (await bought(client, 21))[0] == ("BOT", Decimal(5), 100.1), "a twentieth"
    place(22, lmt_price=99.5, scale_init_level_size=40, scale_subs_level_size=20, scale_price_increment=0.1,
          scale_profit_offset=0.3)  # fmt: skip
    place(23, lmt_price=99.0, transmit=False)
    place(24, "IBM", action="SELL", order_type="MKT", lmt_price=None, total_quantity=Decimal(0), parent_id=23,
          hedge_type="P", hedge_param="ratio=0.5")  # fmt: skip
    await client.expect(OpenOrder, lambda m: m.order_id == 24)
    simulator.quote("SPY", bid=99.3, ask=99.45, bid_size=500, ask_size=500)
    assert await bought(client, 22) == [("BOT", Decimal(40), 99.45)]
    profit = await client.expect(OpenOrder, lambda m: m.order_id == 0)
    assert (profit.order.action, profit.order.lmt_price, profit.order.parent_id) == ("SELL", 99.8, 22)
    simulator.quote("SPY", bid=98.9, ask=99.0, bid_size=500, ask_size=500)
    assert await bought(client, 24) == [("SLD", Decimal(50), 100.0)]
    await client.expect(OrderStatus, lambda m: m.order_id == 24 and m.status == "Filled")
    wanted: dict[int, dict[str, Any]] = {25: {"volatility": 500.0}, 26: {"volatility": 0.01}}
    for order_id, terms in wanted.items():
        terms |= {"order_type": "VOL", "lmt_price": None, "volatility_type": 2, "total_quantity": Decimal(1)}
        client.send(PlaceOrderRequest(order_id, OPTION, order(**terms)))
    assert (await bought(client, 25))[0][0] == "BOT", "the simulator's own pricing says so"
    await client.expect(OrderStatus, lambda m: m.order_id == 26 and m.status == "Submitted")
    simulator.quote("IBM", bid=100.2, ask=100.3, bid_size=500, ask_size=500)
    assert await bought(client, 20) == [("BOT", Decimal(100), 99.0)], "99 and two times a half"
    await a_leg_fills_alone(simulator, client)
    if version >= 200:  # older ones have no fractions of a coin
        await money_buys_coins(simulator, client)


async def money_buys_coins(simulator: SimulatedTWS, client: Client) -> None:
    """cashQty in place of a size: coins bought at the market need it, currency pairs may have it."""
    simulator.quote("BTC", bid=95_000.0, ask=96_000.0, bid_size=10**9, ask_size=10**9)
    simulator.quote("EUR.USD", bid=1.1, ask=1.1001, bid_size=10**6, ask_size=10**6)
    coins = WireContract(symbol="BTC", sec_type="CRYPTO", exchange="PAXOS", currency="USD")
    euros = WireContract(symbol="EUR", sec_type="CASH", exchange="IDEALPRO", currency="USD")
    market: dict[str, Any] = {"order_type": "MKT", "lmt_price": None, "total_quantity": None, "tif": "IOC"}
    wanted: dict[int, tuple[WireContract, dict[str, Any]]] = {
        50: (coins, market | {"total_quantity": Decimal("0.1")}),
        51: (coins, market | {"cash_qty": 12_000.0}),
        52: (coins, market | {"cash_qty": 9.0, "total_quantity": Decimal(1)}),
        53: (coins, market | {"cash_qty": 9.0, "tif": "DAY"}),
        56: (coins, {"order_type": "STP", "aux_price": 9.0}),
        57: (coins, {"tif": "Minutes", "lmt_price": 90_000.0, "total_quantity": Decimal(1)}),
        58: (euros, {"tif": "Minutes", "lmt_price": 1.0}),
        59: (euros, {"total_quantity": None, "cash_qty": 10_000.0, "lmt_price": 1.0}),
        54: (euros, {"total_quantity": None, "cash_qty": 22_002.5, "lmt_price": 1.1001}),
        55: (coins, market | {"action": "SELL", "total_quantity": Decimal("0.025")}),
    }  # fmt: skip
    for order_id in sorted(wanted):
        contract, terms = wanted[order_id]
        client.send(PlaceOrderRequest(order_id, contract, order(**terms)))
    await client.expect(ErrorMessage, lambda m: m.id == 58)
    assert await bought(client, 55) == [("SLD", Decimal("0.025"), 95_000.0)]
    assert await bought(client, 51) == [("BOT", Decimal("0.125"), 96_000.0)]
    assert await bought(client, 54) == [("BOT", Decimal(20_000), 1.1001)]
    codes = {m.id: m.error_code for m in client.all(ErrorMessage) if m.id >= 50}
    assert codes == {50: 10289, 52: 10293, 53: 201, 56: 387, 58: 321}
    await client.expect(OrderStatus, lambda m: m.order_id == 57 and m.status == "Submitted")
    client.send(PlaceOrderRequest(59, euros, order(total_quantity=Decimal(9_000), lmt_price=1.0)))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 59)).error_code == 10241
    opened = next(m.order for m in client.all(OpenOrder) if m.order_id == 51)
    assert (opened.total_quantity, opened.cash_qty) == (Decimal("0.125"), 12_000.0)


async def a_leg_fills_alone(simulator: SimulatedTWS, client: Client) -> None:
    """A combo that is not guaranteed: its legs' executions, and one of the whole for what both legs have."""
    legs = (WireComboLeg(con_id=SPY, ratio=1, action="BUY", exchange="SMART"),
            WireComboLeg(con_id=IBM, ratio=1, action="SELL", exchange="SMART"))  # fmt: skip
    loose = order(lmt_price=-1.2, smart_combo_routing_params=(("NonGuaranteed", "1"),))
    for order_id, exchange in ((40, "NYSE"), (41, "SMART")):
        bag = WireContract(
            symbol="SPY,IBM", sec_type="BAG", exchange=exchange, currency="USD", combo_legs=legs
        )
        simulator.quote("IBM", bid=100.2, ask=100.3, bid_size=40, ask_size=40)
        client.send(PlaceOrderRequest(order_id, bag, loose))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 40)).error_code == 10043
    said = await client.expect(OrderStatus, lambda m: m.order_id == 41 and m.filled > 0)
    assert (said.status, said.filled, said.remaining) == ("Submitted", 40, 60)
    assert await bought(client, 41) == [("BOT", 40, -1.2), ("BOT", 100, 99.0), ("SLD", 40, 100.2)]
    simulator.quote("IBM", bid=100.3, ask=100.4, bid_size=40, ask_size=40)
    simulator.quote("IBM", bid=100.3, ask=100.4, bid_size=40, ask_size=40)
    await client.expect(OrderStatus, lambda m: m.order_id == 41 and m.status == "Filled")
    assert (await bought(client, 41))[3:] == [
        ("BOT", 40, -1.3), ("SLD", 40, 100.3), ("BOT", 20, -1.3), ("SLD", 20, 100.3),
    ]  # fmt: skip
    rows = [m for m in client.all(ExecutionDetails) if m.execution.order_id == 41]
    await client.expect(CommissionAndFeesReport, lambda m: m.exec_id == rows[-1].execution.exec_id)
    assert [m.contract.sec_type for m in rows] == ["BAG", "STK", "STK", "BAG", "STK", "BAG", "STK"]
    charged = [m.exec_id for m in client.all(CommissionAndFeesReport)]
    assert [m.execution.exec_id in charged for m in rows] == [m.contract.sec_type == "STK" for m in rows]
    opened = next(m for m in client.all(OpenOrder) if m.order_id == 41)
    assert opened.order.smart_combo_routing_params == (("NonGuaranteed", "1"),)
