"""Combos on the wire: a BAG as a client names it, its legs as the exchange wants them, and the echo.

The conId 28812380, the local symbol and the class COMB are TWS's own for every combo (reported); the
description of the legs, `conId|ratio` with a minus for sold ones, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tws.exchange import Leg
from tws.model.order import Side
from tws.wire.messages import WireComboLeg, WireContract, WireOrder

__all__ = ["BAG_CON_ID", "described", "legs_of", "limit_by_leg"]

BAG_CON_ID = 28_812_380
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL, "SSHORT": Side.SELL}


def legs_of(contract: WireContract) -> tuple[Leg, ...]:
    """The legs of a BAG; () when one makes no sense."""
    asked = contract.combo_legs
    if any(leg.action not in SIDES or leg.ratio < 1 for leg in asked):
        return ()
    return tuple(
        Leg(con_id=leg.con_id, ratio=leg.ratio, side=SIDES[leg.action], exchange=leg.exchange)
        for leg in asked
    )


def limit_by_leg(order: WireOrder, legs: tuple[Leg, ...]) -> Decimal | None:
    """The limit of a combo that has a price for each leg instead (official): what they come to together
    (assumed); None when a leg has none.
    """
    prices = order.order_combo_leg_prices
    if order.lmt_price is not None or len(prices) != len(legs) or None in prices:
        return None
    return sum((Decimal(repr(price)) * leg.ratio * leg.side.sign
                for price, leg in zip(prices, legs, strict=True)), Decimal(0))


def described(legs: Iterable[tuple[int, int]], symbol: str, currency: str) -> WireContract:
    """A combo as TWS states it, from its legs' conIds and signed ratios."""
    rows = tuple(legs)
    return WireContract(
        con_id=BAG_CON_ID,
        symbol=symbol,
        sec_type="BAG",
        right="?",
        exchange="SMART",
        currency=currency,
        local_symbol=str(BAG_CON_ID),
        trading_class="COMB",
        combo_legs_descrip=",".join(f"{con_id}|{ratio}" for con_id, ratio in rows),
        combo_legs=tuple(
            WireComboLeg(
                con_id=con_id, ratio=abs(ratio), action="BUY" if ratio > 0 else "SELL", exchange="SMART"
            )
            for con_id, ratio in rows
        ),
    )
