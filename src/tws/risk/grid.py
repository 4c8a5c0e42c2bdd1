"""Orders on the contract's grid: refused off it, or rounded so that the user is never worse off.

    conform(instrument, order)                   # the order, or the denial that names the allowed prices
    conform(instrument, order, "round")          # a buy's limit down, a sale's up; stops away from the market

A limit is rounded to what pays no more and takes no less than was asked. A stop is rounded so that it never
triggers before the asked price is reached: a buy's up, a sale's down. The two prices of a stop-limit order
are rounded each by its own rule. An amount to trail by is read as a price of its size, and rounded up.
Quantities are refused, never rounded: whoever wants half a share wants
neither one nor none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec.structs import replace

from tws.model.instrument import Instrument
from tws.model.marketrule import FARTHEST
from tws.model.order import Order, Side
from tws.risk.denial import Denial

__all__ = ["OffGrid", "conform", "wild"]

OffGrid: TypeAlias = Literal["refuse", "round"]
"""What to do with a price that the exchange would not take."""


def conform(instrument: Instrument, order: Order, mode: OffGrid = "refuse") -> Order | Denial:
    """The order with prices and quantity that the contract's rule allows, or why there is none.

    "refuse" returns the order itself or a denial. "round" mends prices, and denies what can't be mended: a
    quantity off the lot, a number that is none, a price that would become zero.
    """
    denial = _quantity(instrument, order.quantity)
    if denial is not None:
        return denial
    buys = order.side is Side.BUY
    limit = _price(instrument, "limit price", order.limit_price, mode, up=not buys)
    if isinstance(limit, Denial):
        return limit
    stop = _price(instrument, "stop price", order.stop_price, mode, up=buys)
    if isinstance(stop, Denial):
        return stop
    trail = _price(instrument, "trail", order.trail, mode, up=True)
    if isinstance(trail, Denial):
        return trail
    trigger = _price(instrument, "trigger price", order.trigger_price, mode, up=not buys)
    if isinstance(trigger, Denial):
        return trigger
    adjusted = _price(instrument, "adjusted stop price", order.adjusted_stop_price, mode, up=buys)
    if isinstance(adjusted, Denial):
        return adjusted
    if mode == "refuse":
        return order
    mended = replace(order, limit_price=limit, stop_price=stop, trail=trail, trigger_price=trigger,
                     adjusted_stop_price=adjusted)
    return order if mended == order else mended


def wild(**numbers: Decimal | None) -> Denial | None:
    """The denial of a wish with a number that is none, named by its keyword: no grid has a place for it."""
    for what, number in numbers.items():
        if number is not None and (not number.is_finite() or abs(number) > FARTHEST):
            return Denial(
                limit="market_rule",
                figure=f"{what.replace('_', ' ')} {number}",
                bound=f"within {FARTHEST:E}",
                reason="this is no number that a market has",
            )
    return None


def _price(
    instrument: Instrument, what: str, price: Decimal | None, mode: OffGrid, *, up: bool
) -> Decimal | Denial | None:
    if price is None:
        return None
    if not price.is_finite() or abs(price) > FARTHEST:
        return Denial(
            limit="market_rule",
            figure=f"{what} {price}",
            bound=f"within {FARTHEST:E}",
            reason="this is no price",
        )
    if instrument.is_on(price):
        return price
    if mode == "round":
        rounded = instrument.snap(price, up=up)
        # Only a combination can cost nothing; for all else zero is no price but the lack of one.
        if rounded or instrument.contract.sec_type == "BAG":
            return rounded
    return Denial(
        limit="market_rule",
        figure=f"{what} {price}",
        bound=_allowed(instrument, price),
        reason="the price lies off the contract's grid",
    )


def _allowed(instrument: Instrument, price: Decimal) -> str:
    """The step at this price and its two neighbours, of which zero is one for combinations alone."""
    free = instrument.contract.sec_type == "BAG"
    near = [instrument.snap(price, up=up) for up in (False, True)]
    names = " or ".join(str(each) for each in near if each or free)
    return f"tick {instrument.tick_at(price)}: {names}"


def _quantity(instrument: Instrument, quantity: Decimal) -> Denial | None:
    if quantity.is_finite() and 0 < quantity <= FARTHEST and not quantity % instrument.lot:
        return None
    return Denial(
        limit="market_rule",
        figure=f"quantity {quantity}",
        bound=f"lot {instrument.lot}",
        reason="the quantity lies off the contract's grid",
    )
