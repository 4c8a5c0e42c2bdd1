"""What currencies are worth in dollars where no pair is listed and quoted: round and invented."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["RATES"]

RATES: dict[str, Decimal] = {
    "EUR": Decimal("1.10"),
    "GBP": Decimal("1.28"),
    "CHF": Decimal("1.13"),
    "CAD": Decimal("0.73"),
    "AUD": Decimal("0.66"),
    "NZD": Decimal("0.60"),
    "JPY": Decimal("0.0067"),
    "HKD": Decimal("0.128"),
    "CNH": Decimal("0.138"),
    "SGD": Decimal("0.75"),
    "SEK": Decimal("0.095"),
    "NOK": Decimal("0.093"),
    "DKK": Decimal("0.147"),
    "MXN": Decimal("0.052"),
    "INR": Decimal("0.0119"),
    "KRW": Decimal("0.00073"),
    "PLN": Decimal("0.255"),
    "ZAR": Decimal("0.055"),
    "ILS": Decimal("0.27"),
}
"""US dollars for one unit."""
