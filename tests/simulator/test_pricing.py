"""Option prices: against published values, against each other, against their own derivatives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.simulator.pricing import DAYS_A_YEAR, Terms, fair_price, greeks, implied_volatility

TERMS = st.builds(
    Terms,
    spot=st.floats(20, 800),
    strike=st.floats(20, 800),
    years=st.floats(0.01, 3),
    call=st.booleans(),
    rate=st.floats(0, 0.08),
    dividend=st.floats(0, 0.05),
)
VOLATILITY = st.floats(0.05, 1.5)


def test_published_values() -> None:
    """The textbook example of Hull: 42, 40, half a year, 10 %, 20 %: 4.76 and 0.81."""
    call = Terms(42.0, 40.0, 0.5, True, 0.10)
    put = Terms(42.0, 40.0, 0.5, False, 0.10)
    assert fair_price(call, 0.2) == pytest.approx(4.7594, abs=1e-4)
    assert fair_price(put, 0.2) == pytest.approx(0.8086, abs=1e-4)
    assert greeks(Terms(49.0, 50.0, 20 / 52, True, 0.05), 0.2).delta == pytest.approx(0.522, abs=1e-3)
    assert greeks(Terms(49.0, 50.0, 20 / 52, True, 0.05), 0.2).theta == pytest.approx(-4.31 / 365, abs=1e-4)
    assert greeks(Terms(49.0, 50.0, 20 / 52, True, 0.05), 0.2).vega == pytest.approx(0.121, abs=1e-3)


@given(TERMS, VOLATILITY)
def test_put_and_call_are_at_parity(terms: Terms, volatility: float) -> None:
    call = fair_price(_with(terms, call=True), volatility)
    put = fair_price(_with(terms, call=False), volatility)
    forward = terms.spot * math.exp(-terms.dividend * terms.years)
    assert call - put == pytest.approx(forward - terms.strike * math.exp(-terms.rate * terms.years), abs=1e-8)


@given(TERMS, VOLATILITY)
def test_greeks_are_the_derivatives_of_the_price(terms: Terms, volatility: float) -> None:
    known = greeks(terms, volatility)
    small = terms.spot * 1e-3

    def at(spot: float) -> float:
        return fair_price(_with(terms, spot=spot), volatility)

    assert known.price == pytest.approx(fair_price(terms, volatility), abs=1e-9)
    slope = (at(terms.spot + small) - at(terms.spot - small)) / (2 * small)
    assert known.delta == pytest.approx(slope, abs=3e-3)
    step = terms.spot * volatility * terms.years**0.5 / 100  # fine beside the width of the bell
    above, below = (greeks(_with(terms, spot=terms.spot + d), volatility).delta for d in (step, -step))
    bend = (above - below) / (2 * step)
    assert known.gamma == pytest.approx(bend, rel=0.1, abs=2e-4)
    wider = fair_price(terms, volatility + 1e-5) - fair_price(terms, volatility - 1e-5)
    assert known.vega * 100 == pytest.approx(wider / 2e-5, rel=1e-3, abs=1e-4)
    day = 1e-6
    later = fair_price(_with(terms, years=terms.years - day), volatility)
    assert known.theta * DAYS_A_YEAR == pytest.approx((later - known.price) / day, rel=1e-2, abs=1e-2)


@given(TERMS, VOLATILITY)
def test_the_implied_volatility_gives_back_the_price(terms: Terms, volatility: float) -> None:
    price = fair_price(terms, volatility)
    found = implied_volatility(terms, price)
    assert found is not None
    assert fair_price(terms, found) == pytest.approx(price, abs=1e-7)
    if greeks(terms, volatility).vega > 1e-3:
        assert found == pytest.approx(volatility, abs=1e-5)


def test_an_option_that_is_all_intrinsic_value_has_a_volatility_too() -> None:
    put = Terms(20.0, 513.0, 1.5, False, 0.0, 0.0)
    price = fair_price(put, 0.328125)
    found = implied_volatility(put, price)
    assert found is not None
    assert fair_price(put, found) == pytest.approx(price)


def test_what_no_volatility_explains_has_none() -> None:
    call = Terms(100.0, 90.0, 0.5, True)
    assert implied_volatility(call, 5.0) is None  # below what exercise is worth
    assert implied_volatility(call, 101.0) is None  # above the underlying
    assert implied_volatility(Terms(100.0, 90.0, 0.0, True), 10.0) is None


def test_at_expiry_only_exercise_is_worth_something() -> None:
    assert greeks(Terms(100.0, 90.0, 0.0, True), 0.2).delta == 1.0
    assert greeks(Terms(100.0, 90.0, 0.0, False), 0.2).price == 0.0
    assert fair_price(Terms(80.0, 90.0, -1.0, False), 0.2) == 10.0


def _with(terms: Terms, **changes: float) -> Terms:
    from msgspec.structs import replace

    return replace(terms, **changes)
