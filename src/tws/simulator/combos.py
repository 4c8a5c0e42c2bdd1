"""Combos on the wire: a BAG as a client names it, its legs as the exchange wants them, and the echo.

The conIds, one for each currency, the local symbol and the class COMB are TWS's own for every combo
(reported); the description of the legs, `conId|ratio` with a minus for sold ones, too. Asked for its
details a combo is named after its legs and has the finest of their steps (assumed).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tws.exchange import Leg
from tws.model.order import Side
from tws.simulator.universe import Security, Universe
from tws.wire.messages import PlaceOrderRequest, WireComboLeg, WireContract, WireOrder

__all__ = ["BAG_CON_ID", "described", "found", "is_loose", "legs_of", "limit_by_leg", "tied_stocks"]

BAG_CON_ID = 28_812_380
_IDS = {"USD": BAG_CON_ID, "EUR": 58_666_491, "CHF": 61_227_087, "JPY": 61_227_069, "CAD": 61_227_082}
MOST_NAMES = 8
"""More symbols in one name make none: each costs a search, and a hostile name may be a megabyte long."""
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


def is_loose(order: WireOrder) -> bool:
    """Whether the legs may fill apart."""
    return dict(order.smart_combo_routing_params).get("NonGuaranteed") == "1"


def tied_stocks(request: PlaceOrderRequest, parts: Iterable[Security]) -> bool:
    """Whether it is what SMART never guarantees: shares with shares (reported)."""
    smart = request.contract.exchange in ("", "SMART")
    return smart and not is_loose(request.order) and all(part.sec_type == "STK" for part in parts)


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
        con_id=_IDS.get(currency, BAG_CON_ID),
        symbol=symbol,
        sec_type="BAG",
        right="?",
        exchange="SMART",
        currency=currency,
        local_symbol=str(_IDS.get(currency, BAG_CON_ID)),
        trading_class="COMB",
        combo_legs_descrip=",".join(f"{con_id}|{ratio}" for con_id, ratio in rows),
        combo_legs=tuple(
            WireComboLeg(
                con_id=con_id, ratio=abs(ratio), action="BUY" if ratio > 0 else "SELL", exchange="SMART"
            )
            for con_id, ratio in rows
        ),
    )


def found(contract: WireContract, currency: str, universe: Universe) -> Sequence[Security]:
    """What contract details say of a combo: () unless its legs are known, or, where none are named (a
    request in text carries none), each of the symbols that its name joins with commas.
    """
    if contract.combo_legs:
        parts = [universe.get(leg.con_id) for leg in contract.combo_legs]
    else:
        names = contract.symbol.split(",", MOST_NAMES)
        parts = [universe.symbol(name) if name.strip() else None for name in names]
    known = [security for security in parts if security is not None]
    if not known or len(known) < len(parts):
        return ()
    money = currency or known[0].currency
    con_id = _IDS.get(money, BAG_CON_ID)
    return (
        Security(
            con_id=con_id,
            symbol=contract.symbol or ",".join(dict.fromkeys(security.symbol for security in known)),
            long_name=" / ".join(dict.fromkeys(security.long_name for security in known)),
            stock_type="",
            sec_type="BAG",
            exchanges=("SMART",),
            currency=money,
            local_symbol=str(con_id),
            trading_class="COMB",
            tick=min(security.tick for security in known),
            hours=known[0].hours,
        ),
    )
