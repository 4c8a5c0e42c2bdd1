"""Attached orders: the simulated TWS makes the children that an order brings along, by its presets."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.connection.peers import config_of, port_of

from tws import ordertypes as ot
from tws.connection import PacingOptions, TWSConnection
from tws.model.contract import Contract
from tws.model.facts import BrokerOrder, BrokerReply, Fact
from tws.model.fullorder import FullOrder
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import PlaceOrderRequest, WireAttachedOrders, WireContract, WireOrder

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
SPY = Contract(con_id=756733, symbol="SPY")


def simulated(preset: Decimal | None = Decimal("0.02")) -> SimulatedTWS:
    return SimulatedTWS(SimulatorOptions(paused=True, limits=Limits.off(), attached_preset=preset,
                                         market=ManualMarket(UNIVERSE, T0)))


async def placed(
    order: FullOrder, preset: Decimal | None = Decimal("0.02")
) -> tuple[dict[int, BrokerOrder], list[Fact]]:
    """What is open after an order with id 1 was placed, and all that was heard."""
    tws, heard = simulated(preset), list[Fact]()
    tws.address = await tws.start()  # type: ignore[attr-defined]
    tws.quote("SPY", bid=100.0, ask=100.02, bid_size=500, ask_size=500)
    async with TWSConnection(config_of(port_of(tws)), guard="off", pacing=PacingOptions.off()) as made:
        made.facts(heard.append)
        await made.place_order(SPY, order)
        rows = await made.request_open_orders()
    await tws.stop()
    return {row.order_id: row for row in rows}, heard


@pytest.mark.parametrize(("order", "stop", "target"), [
    (ot.limit("BUY", 100, 90), "88.20", "91.80"), (ot.limit("SELL", 100, 110), "112.20", "107.80"),
])  # fmt: skip
async def test_a_bracket_by_presets(order: FullOrder, stop: str, target: str) -> None:
    rows, _ = await placed(ot.attach_presets(order, stop_loss_id=7, profit_taker_id=8))
    assert sorted(rows) == [1, 7, 8]
    loss, profit = rows[7], rows[8]
    assert (loss.order_type, loss.stop_price, loss.parent_id) == ("STP", Decimal(stop), 1)
    assert (profit.order_type, profit.limit_price, profit.parent_id) == ("LMT", Decimal(target), 1)
    assert loss.side == profit.side != order.side and loss.quantity == profit.quantity == 100
    assert loss.status == "PreSubmitted" and loss.oca_group == profit.oca_group != ""


async def test_a_market_order_s_children_go_by_the_side_that_it_meets() -> None:
    rows, _ = await placed(ot.attach_presets(ot.market("BUY", 100), stop_loss_id=5))
    assert (rows[5].order_type, rows[5].stop_price, rows[5].parent_id) == ("STP", Decimal("98.02"), 1)


async def test_without_presets_the_order_is_refused() -> None:
    rows, heard = await placed(ot.attach_presets(ot.limit("BUY", 1, 90), stop_loss_id=5), preset=None)
    assert rows == {}
    assert [fact.code for fact in heard if isinstance(fact, BrokerReply) and fact.order_id == 1] == [10355]


@pytest.mark.parametrize("beside", [
    WireAttachedOrders(sl_order_id=5), WireAttachedOrders(pt_order_type="PRESET"),
    WireAttachedOrders(sl_order_id=5, sl_order_type="STP"),
])  # fmt: skip
async def test_half_an_attached_order_is_refused(beside: WireAttachedOrders) -> None:
    """Not to be built with us: another client's frame."""
    tws, heard = simulated(), list[Fact]()
    tws.address = await tws.start()  # type: ignore[attr-defined]
    async with TWSConnection(config_of(port_of(tws)), guard="off", pacing=PacingOptions.off()) as made:
        made.facts(heard.append)
        wish = WireOrder(action="BUY", total_quantity=Decimal(1), order_type="LMT", lmt_price=90.0, tif="DAY")
        asked = PlaceOrderRequest(1, WireContract(con_id=756733, exchange="SMART"), wish, beside)
        made._engine.wire.write(frame(codec.encode(asked, made.server_version)))
        assert await made.request_open_orders() == []
    replies = [fact for fact in heard if isinstance(fact, BrokerReply) and fact.order_id == 1]
    assert [(reply.code, "Stop Loss" in reply.text) for reply in replies] == [(320, True)]
    await tws.stop()
