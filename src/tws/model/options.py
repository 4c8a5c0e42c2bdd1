"""What TWS reckons of options: implied volatility, greeks, price."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from tws.clock import to_datetime

__all__ = ["OptionGreeks"]


class OptionGreeks(Struct, frozen=True, kw_only=True, gc=False):
    """One computation (answer 21). A field is None when TWS says that it could not be computed.

    implied_volatility  per year, 0.25 is 25 %
    delta, gamma        per unit of the underlying's price
    vega                per percentage point of volatility
    theta               per day
    price, pv_dividend, under_price   in currency: the option's, of the dividends, the underlying's
    time_ns             when it was heard, market time
    """

    implied_volatility: float | None = None
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    price: float | None = None
    pv_dividend: float | None = None
    under_price: float | None = None
    time_ns: int = 0

    @property
    def time(self) -> datetime:
        """`time_ns` as an aware UTC datetime."""
        return to_datetime(self.time_ns)
