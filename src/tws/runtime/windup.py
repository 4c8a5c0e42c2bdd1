"""The orderly end, and what is left: entries cancelled, stops kept, or all of ours closed.

Everything here asks the desk and looks at its books; it decides nothing about orders. Waits are bounded, and
what is not so at their end is said by name: `left` for what is held or works, `bare` for shares without a
stop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from tws.desk import CancelAll, DeskState
from tws.errors import TWSError
from tws.model.order import Role
from tws.model.stop import EVERYTHING, Scope
from tws.runtime.trader import Trader

__all__ = ["MANUAL_WAY", "Remainder", "bare", "end_flat", "end_protected", "left", "reconcile_now", "until"]

LOOK_S = 0.05
MANUAL_WAY = (
    "By hand: in TWS, Portfolio, right click, Close Position, and Cancel All in the Orders tab; "
    "or the broker's trade desk by phone"
)

_ZERO = Decimal(0)


class Remainder(Struct, frozen=True, kw_only=True):
    """What a symbol of ours still has: signed shares held, orders of ours that may act, and the stops'
    shares.
    """

    symbol: str
    held: Decimal = _ZERO
    orders: int = 0
    stops: Decimal = _ZERO

    def __str__(self) -> str:
        orders = (
            f", {self.orders} {'order' if self.orders == 1 else 'orders'} of ours open" if self.orders else ""
        )
        stops = f", {self.stops} of it behind a stop" if self.held and self.stops else ""
        return f"{self.symbol}: {self.held} held{stops}{orders}"


async def end_protected(trader: Trader, reason: str, timeout_s: float) -> bool:
    """Cancel the entries, keep the exits, and wait until no entry lives and all that is held has its stop.

    False when it did not come so within `timeout_s`. Raises what ended the trader.
    """
    await trader.ask(CancelAll(reason=reason, entries_only=True))

    def done() -> bool:
        state = trader.desk.state
        return not any(order.role.opens for order in state.book.exposed()) and not bare(state)

    return await until(done, timeout_s)


async def end_flat(trader: Trader, reason: str, timeout_s: float) -> bool:
    """Close all that is ours. False when it is not flat within `timeout_s`. Raises what ended the trader."""
    return await trader.flatten(reason=reason, timeout_s=timeout_s)


def left(state: DeskState, scope: Scope = EVERYTHING) -> list[Remainder]:
    """What is ours and within the scope: held, or working. Empty: flat, as far as our books go."""
    held: dict[str, Decimal] = {}
    orders: dict[str, int] = {}
    stops: dict[str, Decimal] = {}
    for holding in state.ours.holdings.values():
        if holding.quantity:
            symbol = holding.contract.symbol
            held[symbol] = held.get(symbol, _ZERO) + holding.quantity
    for order in state.book.exposed():
        symbol = order.contract.symbol
        orders[symbol] = orders.get(symbol, 0) + 1
        if order.role is Role.STOP and order.live:
            stops[symbol] = stops.get(symbol, _ZERO) + order.open_quantity
    strategies: dict[str, set[str]] = {}
    for group in state.groups.values():
        strategies.setdefault(group.contract.symbol, set()).add(group.strategy)
    return [
        Remainder(
            symbol=symbol,
            held=held.get(symbol, _ZERO),
            orders=orders.get(symbol, 0),
            stops=min(stops.get(symbol, _ZERO), abs(held.get(symbol, _ZERO))),
        )
        for symbol in sorted({*held, *orders})
        if any(scope.covers(symbol, strategy) for strategy in strategies.get(symbol, {""}))
    ]


def bare(state: DeskState) -> list[str]:
    """Trades that are to be protected and have shares without a live stop, in words."""
    found = []
    for group_id in state.open_groups:
        group = state.groups[group_id]
        held = state.held(group)
        if not group.protected or held <= 0:
            continue
        stops = sum((each.open_quantity for each in state.members(group, Role.STOP) if each.live), _ZERO)
        if stops < held:
            found.append(f"{group.contract.symbol}: {held - stops} of {held} shares without a stop")
    return found


async def reconcile_now(trader: Trader, timeout_s: float) -> str:
    """Ask the broker once more for fills, orders and positions; why the books do not agree, empty when they
    do.
    """
    connection = trader.connection
    try:
        async with asyncio.timeout(timeout_s):
            await connection.request_executions()
            await connection.request_open_orders()
            await connection.request_positions()
    except TimeoutError:
        return f"the broker was not heard to the end within {timeout_s:g} s"
    except TWSError as error:
        return f"the broker was not heard to the end: {error}"
    state = trader.desk.state
    await until(lambda: trader.engine.idle, timeout_s)
    unknown = [order.intent_id for order in state.book.exposed() if order.state == "unknown"]
    if unknown:
        return f"orders of unknown outcome: {', '.join(unknown)}"
    return f"books and broker differ in {len(state.differs)} positions" if state.differs else ""


async def until(true: Callable[[], bool], timeout_s: float) -> bool:
    """Whether it came to be so within the time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while not true():  # noqa: ASYNC110 - a state, and no event of its own
                await asyncio.sleep(LOOK_S)
    return true()
