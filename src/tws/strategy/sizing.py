"""How many shares: a fixed number, a sum of money, a share of the equity at risk, a target of volatility, a
part of what Kelly's formula says.

Always rounded down to whole lots: a size never exceeds what was asked for. 0 means: not even one lot, or what
the size is reckoned from is not known. The risk gate has the last word on all of them.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from math import isfinite
from typing import TypeAlias

from msgspec import Struct

from tws.model.instrument import decimal
from tws.model.sizing import Allocation, RiskFraction, Shares, Sizing

__all__ = ["Allocation", "AnySizing", "Basis", "Kelly", "RiskFraction", "Shares", "Sizing",
           "VolatilityTarget", "quantity_for"]

_ZERO = Decimal(0)


class VolatilityTarget(Struct, frozen=True, tag="volatility"):
    """So large that the position's own yearly volatility is this part of the equity (0.1 is ten percent).

    It is never worth more than the equity: a quiet market is no reason to borrow.
    """

    fraction: Decimal


class Kelly(Struct, frozen=True, tag="kelly"):
    """A `part` of Kelly's fraction of the equity is lost when the stop fills at its own price, at most `cap`.

    Kelly's fraction is p - (1 - p) / b, with the signal's confidence as p and target over stop as b. A
    confidence is no measured probability: the cap is what bounds the loss, the part what dampens it.
    """

    part: Decimal
    cap: Decimal


AnySizing: TypeAlias = Sizing | VolatilityTarget | Kelly
"""What a strategy may be sized by; rules write the first three (`tws.model.sizing`)."""


class Basis(Struct, frozen=True, kw_only=True):
    """What a size is reckoned from. Money and prices in the contract's currency.

    `price` is what an entry would pay now, `risk` the distance from there to the stop, `reward` that to the
    target, `equity` the account's net liquidation (None: unknown), `volatility` the yearly one of the price
    (0.2 is twenty percent), `lot` the step of quantities, `multiplier` shares per contract. Of what that
    makes, the part `share` is let.
    """

    price: Decimal
    risk: Decimal
    reward: Decimal = _ZERO
    equity: Decimal | None = None
    volatility: float | None = None
    confidence: float = 0.0
    lot: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)
    share: Decimal = Decimal(1)


def quantity_for(sizing: AnySizing, basis: Basis) -> Decimal:
    """The quantity, in whole lots, rounded down; 0 when there is no basis for one. A part of at least one lot
    is one lot at least.
    """
    lots = _lots(_wanted(sizing, basis), basis)
    if basis.share == 1 or lots <= 0:
        return lots * basis.lot
    return max(Decimal(1), _lots(lots * basis.lot * basis.share, basis)) * basis.lot


def _lots(wanted: Decimal, basis: Basis) -> Decimal:
    return (wanted / basis.lot).to_integral_value(ROUND_FLOOR) if wanted > 0 else _ZERO


def _wanted(sizing: AnySizing, basis: Basis) -> Decimal:
    """Before it is rounded."""
    if isinstance(sizing, Shares):
        return sizing.count
    unit, at_risk = basis.price * basis.multiplier, basis.risk * basis.multiplier
    if isinstance(sizing, Allocation):
        return sizing.cash / unit if unit > 0 else _ZERO
    equity = basis.equity or _ZERO
    if isinstance(sizing, VolatilityTarget):
        volatility = basis.volatility
        if volatility is None or not isfinite(volatility) or volatility <= 0 or unit <= 0:
            return _ZERO
        return equity * min(sizing.fraction / decimal(volatility), Decimal(1)) / unit
    fraction = sizing.fraction if isinstance(sizing, RiskFraction) else _kelly(sizing, basis)
    return equity * fraction / at_risk if at_risk > 0 else _ZERO


def _kelly(sizing: Kelly, basis: Basis) -> Decimal:
    """The part of the equity to lose at the stop; 0 or less where the bet has no edge."""
    if basis.reward <= 0 or basis.risk <= 0 or not isfinite(basis.confidence):
        return _ZERO
    chance = decimal(basis.confidence)
    best = chance - (1 - chance) * basis.risk / basis.reward
    return min(best * sizing.part, sizing.cap)
