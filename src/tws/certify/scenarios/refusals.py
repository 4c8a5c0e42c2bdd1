"""What is refused about orders, and with which code. TWS-BEHAVIOUR.md C3.

Some of these our own gate would refuse before TWS sees them, so a second client asks: one that has looked up
no contract knows no grid, and leaves it to the broker.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.certify.register import scenario
from tws.certify.scene import Scene
from tws.model.order import Order, OrderType, Side
from tws.wire import messages as m

case = scenario("refusals", "exchange.md", orders=True)
NOBODYS = 1_900_000_001


@case("cancel of an order that nobody placed: 10147", "C3 10147")
async def cancel_unknown(s: Scene) -> None:
    s.connection.cancel_order(NOBODYS)
    await s.error(NOBODYS)


@case("cancel of a filled order: 10148", "C3 10148", market=True)
async def cancel_filled(s: Scene) -> None:
    order_id = await s.place(s.near(Side.BUY))
    await s.filled(order_id)
    s.connection.cancel_order(order_id)
    await s.error(order_id)


@case("cancel of a cancelled order", "C3 161, 10147", market=True)
async def cancel_twice(s: Scene) -> None:
    order_id = await s.place(s.far_buy())
    await s.works(order_id)
    await s.cancelled(order_id)
    s.ear.begin()
    s.connection.cancel_order(order_id)
    await s.error(order_id)


@case("change of a filled order: 104", "C3 104", market=True)
async def change_filled(s: Scene) -> None:
    order = s.near(Side.BUY)
    order_id = await s.place(order)
    await s.filled(order_id)
    await s.place(order, order_id)
    await s.error(order_id)


@case("a price off the grid: 110", "C3 110", market=True)
async def off_grid(s: Scene) -> None:
    order = s.far_buy()
    assert order.limit_price is not None
    await refused(s, replace(order, limit_price=order.limit_price + Decimal("0.0001")))


@case("an order for an unknown contract: 200", "A8 200")
async def unknown_contract(s: Scene) -> None:
    assert s.second is not None
    other = await s.second()
    nothing = replace(s.stock, con_id=999_999_999)
    sending = await other.place_order(nothing, s.far_buy())
    await s.error(sending.order_id)


@case("a child without its parent: 10006", "C3 10006", market=True)
async def orphan(s: Scene) -> None:
    await refused(s, s.far_buy(parent_id=NOBODYS))


@case("an order id that was used before: 103", "C3 103", market=True)
async def old_id(s: Scene) -> None:
    order = s.far_buy()
    order_id = await s.place(order)
    await s.works(order_id)
    await s.cancelled(order_id)
    s.ear.begin()
    await s.place(s.far_buy(), order_id)
    await s.error(order_id)


@case("cancel of another client's order", "C4, C3 10147", market=True)
async def of_another(s: Scene) -> None:
    assert s.second is not None
    order_id = await s.place(s.far_buy())
    await s.works(order_id)
    other = await s.second()
    s.ear.begin()
    other.cancel_order(order_id)
    await s.hear(m.ErrorMessage, lambda error: error.id == order_id)
    await s.cancelled(order_id)


@case("a market order with the flag for outside regular hours: 2109", "C3 2109", market=True)
async def ignored_attribute(s: Scene) -> None:
    await s.filled(await s.place(s.of(Side.BUY, OrderType.MARKET, outside_rth=True)))
    await s.filled(await s.place(s.near(Side.SELL)))


async def refused(s: Scene, order: Order) -> None:
    """A second client, which knows no grid, places what TWS should refuse; what it takes is cancelled."""
    assert s.second is not None
    other = await s.second()
    sending = await other.place_order(s.stock, order)
    heard = await s.hear(
        m.Answer,
        lambda one: (
            (isinstance(one, m.ErrorMessage) and one.id == sending.order_id)
            or (isinstance(one, m.OrderStatus) and one.order_id == sending.order_id)
        ),
    )
    if not isinstance(heard, m.ErrorMessage):
        other.cancel_order(sending.order_id)
        await s.error(sending.order_id)
