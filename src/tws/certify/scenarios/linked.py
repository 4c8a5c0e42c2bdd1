"""Orders that hang together: brackets and OCA groups, of one share each. TWS-BEHAVIOUR.md C2."""

from __future__ import annotations

from decimal import Decimal

from tws.certify.register import scenario
from tws.certify.scene import Scene
from tws.model.order import Order, OrderType, Side

case = scenario("linked orders", "exchange.md", orders=True)


@case("a bracket whose entry rests: cancelling the entry ends all three", "C2 Bracket", market=True)
async def resting_bracket(s: Scene) -> None:
    entry, target, stop = await bracket(s, s.far_buy(transmit=False))
    for order_id in (entry, target, stop):
        await s.works(order_id)
    await s.cancelled(entry)
    for order_id in (target, stop):
        await s.status(order_id, "Cancelled", "ApiCancelled", "Inactive")


@case("a bracket whose entry fills: its children work until they are cancelled", "C2 Bracket", market=True)
async def filled_bracket(s: Scene) -> None:
    entry, target, stop = await bracket(s, s.near(Side.BUY, transmit=False))
    await s.filled(entry)
    await s.status(target, "Submitted")
    await s.works(stop)
    await s.cancelled(target)
    s.connection.cancel_order(stop)
    await s.error(stop)
    await s.filled(await s.place(s.near(Side.SELL)))


@case("a bracket whose target is filled: its stop is cancelled", "C2 Bracket", market=True)
async def reached(s: Scene) -> None:
    below = s.near(Side.SELL).limit_price
    assert below is not None
    entry, target, stop = await bracket(s, s.near(Side.BUY, transmit=False), below)
    await s.filled(entry)
    await s.filled(target)
    await s.status(stop, "Cancelled", "ApiCancelled", "Inactive")
    await s.error(stop)


@case("an entry that is not transmitted is held, then cancelled", "C2 Bracket", market=True)
async def held(s: Scene) -> None:
    order_id = await s.place(s.far_buy(transmit=False))
    s.connection.cancel_order(order_id)
    await s.error(order_id)


@case("one of a group fills, the other is cancelled", "C2 OCA", market=True)
async def group(s: Scene) -> None:
    name = f"{s.hand.mark}-oca"
    far = await s.place(s.far_buy(oca_group=name, oca_type=1))
    await s.works(far)
    near = await s.place(s.near(Side.BUY, oca_group=name, oca_type=1))
    await s.filled(near)
    await s.status(far, "Cancelled", "ApiCancelled", "Inactive")
    await s.error(far)


async def bracket(s: Scene, entry: Order, limit: Decimal | None = None) -> tuple[int, int, int]:
    """An entry, its target at a limit (ten percent above the market unless told), and a stop twenty percent
    below; their ids.
    """
    parent = await s.place(entry)
    above, below = s.ask_price * 11 / 10 if limit is None else limit, s.bid * 8 / 10
    target = s.of(Side.SELL, OrderType.LIMIT, limit_price=above, parent_id=parent, transmit=False)
    stop = s.of(Side.SELL, OrderType.STOP, stop_price=below, parent_id=parent)
    return parent, await s.place(target), await s.place(stop)
