"""What an order would cost: TWS's reckoning of margin and fees for an order that is not placed."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["Margin", "WhatIf"]


class Margin(Struct, frozen=True, kw_only=True):
    """One figure before and after the order, and the difference; None where TWS states none."""

    before: Decimal | None = None
    change: Decimal | None = None
    after: Decimal | None = None


class WhatIf(Struct, frozen=True, kw_only=True):
    """The answer to a what-if order (openOrder with a filled state, TWS-BEHAVIOUR.md C2).

    initial, maintenance   margin requirements; `equity` is the equity with loan value
    commission             fees of the whole order; where TWS knows a range alone, `least_commission` and
                           `most_commission` have it
    currency, margin_currency   of the fees; of the margins (empty: the account's base currency)
    outside_hours          the same margins outside regular hours, where the server states them
    suggested_quantity     what TWS would take instead; `warning` and `reject_reason` are TWS's words
    """

    initial: Margin
    maintenance: Margin
    equity: Margin
    commission: Decimal | None = None
    least_commission: Decimal | None = None
    most_commission: Decimal | None = None
    currency: str = ""
    margin_currency: str = ""
    outside_hours: tuple[Margin, Margin, Margin] | None = None
    suggested_quantity: Decimal | None = None
    warning: str = ""
    reject_reason: str = ""
