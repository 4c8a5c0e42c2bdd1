"""Option prices and greeks by Black and Scholes, with a yield; implied volatility by search. Pure floats.

The underlying's price stands for the forward discounted at the yield, so an option on a future is one
with `dividend` equal to `rate` (Black's formula). American options are priced as European ones: the
simulated market needs prices that agree with each other, not early exercise.
"""

from __future__ import annotations

import math

from msgspec import Struct

__all__ = ["DAYS_A_YEAR", "RATE", "Greeks", "Terms", "fair_price", "greeks", "implied_volatility"]

RATE = 0.04
"""The interest rate of the invented world."""
DAYS_A_YEAR = 365.0
LOWEST, HIGHEST = 1e-4, 5.0
"""Between these volatilities an implied one is sought."""
_STEPS = 100


class Terms(Struct, frozen=True):
    """What a price depends on besides the volatility: `years` to expiry, `call` or put."""

    spot: float
    strike: float
    years: float
    call: bool
    rate: float = RATE
    dividend: float = 0.0


class Greeks(Struct, frozen=True):
    """`price` in the underlying's currency; `delta`, `gamma` for one unit of the underlying; `vega` for one
    point of volatility (0.01); `theta` for one day: the units of TWS's message 21 (official documentation).
    """

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _density(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def _bounds(terms: Terms) -> tuple[float, float]:
    """The discounted spot and strike, between which the price of an option lies."""
    years = max(0.0, terms.years)
    return terms.spot * math.exp(-terms.dividend * years), terms.strike * math.exp(-terms.rate * years)


def _intrinsic(terms: Terms) -> float:
    spot, strike = _bounds(terms)
    return max(0.0, spot - strike if terms.call else strike - spot)


def _one(terms: Terms, volatility: float) -> tuple[float, float]:
    """d1 and d2."""
    spread = volatility * math.sqrt(terms.years)
    drift = (terms.rate - terms.dividend) * terms.years
    first = (math.log(terms.spot / terms.strike) + drift + 0.5 * spread * spread) / spread
    return first, first - spread


def fair_price(terms: Terms, volatility: float) -> float:
    """The price at an annual volatility (0.2 = 20 %). At or after expiry, or without volatility: what
    exercise is worth.
    """
    if terms.years <= 0 or volatility <= 0 or terms.spot <= 0 or terms.strike <= 0:
        return _intrinsic(terms)
    first, second = _one(terms, volatility)
    spot, strike = _bounds(terms)
    if terms.call:
        return spot * _normal(first) - strike * _normal(second)
    return strike * _normal(-second) - spot * _normal(-first)


def greeks(terms: Terms, volatility: float) -> Greeks:
    """Price and greeks; at or after expiry only price and delta remain."""
    if terms.years <= 0 or volatility <= 0 or terms.spot <= 0 or terms.strike <= 0:
        price = _intrinsic(terms)
        delta = (1.0 if terms.call else -1.0) if price > 0 else 0.0
        return Greeks(price, delta, 0.0, 0.0, 0.0)
    first, second = _one(terms, volatility)
    spot, strike = _bounds(terms)
    root = math.sqrt(terms.years)
    carry = math.exp(-terms.dividend * terms.years)
    sign = 1.0 if terms.call else -1.0
    delta = sign * carry * _normal(sign * first)
    gamma = carry * _density(first) / (terms.spot * volatility * root)
    vega = spot * _density(first) * root
    theta = (
        -spot * _density(first) * volatility / (2.0 * root)
        - sign * terms.rate * strike * _normal(sign * second)
        + sign * terms.dividend * spot * _normal(sign * first)
    )
    price = sign * (spot * _normal(sign * first) - strike * _normal(sign * second))
    return Greeks(price, delta, gamma, vega / 100.0, theta / DAYS_A_YEAR)


def implied_volatility(terms: Terms, price: float) -> float | None:
    """The volatility at which the option costs `price`; None when no volatility within bounds does.

    Newton's step where it stays within the bracket, else its half: it always ends.
    """
    noise = 1e-12 * max(1.0, price)  # all intrinsic value: the same at every volatility
    least, most = fair_price(terms, LOWEST) - noise, fair_price(terms, HIGHEST) + noise
    if terms.years <= 0 or not least <= price <= most:
        return None
    low, high, guess = LOWEST, HIGHEST, 0.3
    for _ in range(_STEPS):
        known = greeks(terms, guess)
        error = known.price - price
        if abs(error) < 1e-10 * max(1.0, price):
            return guess
        low, high = (low, guess) if error > 0 else (guess, high)
        slope = known.vega * 100.0
        step = guess - error / slope if slope > 1e-12 else 0.0
        guess = step if low < step < high else 0.5 * (low + high)
        if high - low < 1e-12:
            break
    return guess
