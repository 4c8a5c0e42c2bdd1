"""What scenarios are made of: the register, contracts and orders in the API's own words, comparisons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

from tests.conformance.stage import ACCOUNT, Stage
from tests.conformance.witness import Mismatch, Witness

__all__ = [
    "CLIENT_ID",
    "SCENARIOS",
    "Scenario",
    "between",
    "check",
    "close",
    "next_id",
    "order",
    "place",
    "scenario",
    "stock",
]

CLIENT_ID = 7
Play: TypeAlias = Callable[[Witness, Stage], Awaitable[None]]


class Scenario(NamedTuple):
    """`name` is what the table says; `family` groups it. `since` is the lowest server version that has it."""

    family: str
    name: str
    play: Play
    since: int = 0


SCENARIOS: list[Scenario] = []


def scenario(family: str, name: str, since: int = 0) -> Callable[[Play], Play]:
    """Register a scenario under these words."""

    def register(play: Play) -> Play:
        SCENARIOS.append(Scenario(family, name, play, since))
        return play

    return register


def check(what: str, seen: Any, expected: Any) -> None:
    """Raise Mismatch unless the client saw what the broker knows."""
    if seen != expected:
        raise Mismatch(f"{what}: saw {seen!r}, the broker knows {expected!r}")


def close(what: str, seen: Any, expected: Any, within: float = 1e-6) -> None:
    """The same for numbers that were reckoned."""
    if seen is None or abs(float(seen) - float(expected)) > within:
        raise Mismatch(f"{what}: saw {seen!r}, the broker knows {expected!r} (within {within})")


def between(what: str, seen: float, low: float, high: float) -> None:
    """The same for what may vary within bounds."""
    if not low <= seen <= high:
        raise Mismatch(f"{what}: saw {seen!r}, expected {low} to {high}")


def stock(t: Stage, symbol: str, **fields: Any) -> dict[str, Any]:
    """A stock by conId and symbol, as clients that qualified it send it."""
    known = t.security(symbol)
    row = {"conId": known.con_id, "symbol": symbol, "secType": "STK", "exchange": "SMART", "currency": "USD"}
    return row | fields


def order(action: str, kind: str, quantity: int, **fields: Any) -> dict[str, Any]:
    """An order of the main account, DAY unless told."""
    row = {"action": action, "orderType": kind, "totalQuantity": quantity, "tif": "DAY", "account": ACCOUNT}
    return row | fields


async def place(
    c: Witness, contract: dict[str, Any], fields: dict[str, Any], *, session: str = "main"
) -> int:
    """Place an order under the client's next id; returns the id."""
    order_id = await next_id(c, session=session)
    if session == "main":
        c.placed.add(order_id)
    await c.do("place", session=session, order_id=order_id, contract=contract, order=fields)
    return order_id


async def next_id(c: Witness, *, session: str = "main") -> int:
    """An order id the client has not used."""
    mark = c.mark()
    await c.do("order_id", session=session)
    row = await c.wait("order_id", session=session, since=mark)
    return int(row["order_id"])
