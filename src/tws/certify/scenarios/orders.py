"""Single orders of one share: resting, changed, cancelled, filled, asked about. TWS-BEHAVIOUR.md C."""

from __future__ import annotations

from msgspec.structs import replace

from tws.certify.register import scenario
from tws.certify.scene import Scene
from tws.model.order import OrderType, Side, TimeInForce
from tws.wire import messages as m

case = scenario("orders", "exchange.md", orders=True)
LOW, LOWER, HIGHER = 9, 8, 11
"""Tenths of the market: a stop ten percent under it, the limit behind it twenty, a stop above it ten."""


@case("a limit order rests and is cancelled", "C2 Limit resting, Cancel", market=True)
async def rests(s: Scene) -> None:
    order_id = await s.place(s.far_buy())
    await s.works(order_id)
    await s.cancelled(order_id)


@case("a limit order is changed and cancelled", "C2 Modify", market=True)
async def changed(s: Scene) -> None:
    order = s.far_buy()
    order_id = await s.place(order)
    await s.works(order_id)
    assert order.limit_price is not None
    lower = replace(order, limit_price=s.hand.grid.snap(order.limit_price - 1, up=False))
    await s.place(lower, order_id)
    wanted = float(lower.limit_price or 0)
    await s.hear(m.OpenOrder, lambda one: one.order_id == order_id and one.order.lmt_price == wanted)
    await s.cancelled(order_id)


@case("an order that is good till cancelled", "C5 tif", market=True)
async def lasting(s: Scene) -> None:
    order_id = await s.place(s.far_buy(tif=TimeInForce.GTC))
    await s.works(order_id)
    await s.cancelled(order_id)


@case("an immediate-or-cancel order that nobody meets", "C2 Cancel", market=True)
async def immediate(s: Scene) -> None:
    order_id = await s.place(s.far_buy(tif=TimeInForce.IOC))
    await s.status(order_id, "Cancelled", "ApiCancelled", "Inactive")
    await s.error(order_id)


@case("a limit order beyond the market is filled", "C2 Market", market=True)
async def meets(s: Scene) -> None:
    await s.filled(await s.place(s.near(Side.BUY)))
    await s.filled(await s.place(s.near(Side.SELL)))


@case("a market order is filled, and its share sold", "C2 Market", market=True)
async def market(s: Scene) -> None:
    await s.filled(await s.place(s.of(Side.BUY, OrderType.MARKET)))
    await s.filled(await s.place(s.of(Side.SELL, OrderType.MARKET)))


@case("a stop rests and is cancelled", "C2 Stop", market=True)
async def stop(s: Scene) -> None:
    order_id = await s.place(s.of(Side.BUY, OrderType.STOP, stop_price=s.ask_price * HIGHER / 10))
    await s.works(order_id)
    await s.cancelled(order_id)


@case("a stop that the market has passed is filled", "C2 Stop", market=True)
async def triggered(s: Scene) -> None:
    await s.filled(await s.place(s.of(Side.BUY, OrderType.STOP, stop_price=s.bid * LOW / 10)))
    await s.filled(await s.place(s.near(Side.SELL)))


@case("a stop-limit order rests and is cancelled", "C2 Stop", market=True)
async def stop_limit(s: Scene) -> None:
    above = s.ask_price * HIGHER / 10
    order_id = await s.place(s.of(Side.BUY, OrderType.STOP_LIMIT, stop_price=above, limit_price=above))
    await s.works(order_id)
    await s.cancelled(order_id)


@case("a trailing stop rests and is cancelled", "C2 Stop", market=True)
async def trail(s: Scene) -> None:
    order_id = await s.place(s.of(Side.BUY, OrderType.TRAIL, trail=s.ask_price / 10))
    await s.works(order_id)
    await s.cancelled(order_id)


@case("an order outside regular hours is taken", "C5 outsideRth", market=True)
async def outside(s: Scene) -> None:
    order_id = await s.place(s.far_buy(outside_rth=True))
    await s.works(order_id)
    await s.cancelled(order_id)


@case("an order is told again when asked for", "C4 reqOpenOrders", market=True)
async def told(s: Scene) -> None:
    order_id = await s.place(s.far_buy())
    await s.works(order_id)
    s.call("reqOpenOrders")
    await s.hear(m.OpenOrdersEnd)
    await s.cancelled(order_id)


@case("a cancelled order is among the completed ones", "C4 reqCompletedOrders", market=True)
async def completed(s: Scene) -> None:
    order_id = await s.place(s.far_buy())
    await s.works(order_id)
    await s.cancelled(order_id)
    s.call("reqCompletedOrders", True)
    await s.hear(m.CompletedOrdersEnd)


@case("fills are told again when asked for", "C4 reqExecutions", market=True)
async def executions(s: Scene) -> None:
    await s.filled(await s.place(s.near(Side.BUY)))
    await s.filled(await s.place(s.near(Side.SELL)))
    await s.tell(s.connection.request_executions(symbol=s.stock.symbol))


@case("a position opens, is told, and is closed", "D reqPositions", market=True)
async def position(s: Scene) -> None:
    await s.filled(await s.place(s.near(Side.BUY)))
    s.call("reqPositions")
    await s.hear(m.PositionEnd)
    number = s.send("reqPnLSingle", s.account, "", s.stock.con_id)
    await s.fed(number, m.PnLSingle)
    s.call("cancelPnLSingle", number)
    await s.filled(await s.place(s.near(Side.SELL)))


@case("a what-if: margin and fees, and no order", "C2 What-if")
async def what_if(s: Scene) -> None:
    await s.tell(s.connection.request_what_if(s.stock, s.far_buy()))
