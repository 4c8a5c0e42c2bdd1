"""The door between float, Decimal and integer."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.model.contract import stock
from tws.model.instrument import Instrument, decimal
from tws.model.order import Side, bracket

SPY = Instrument(contract=stock("SPY"))


def test_a_float_is_taken_by_its_repr() -> None:
    assert decimal(0.1) == Decimal("0.1")
    assert SPY.ticks(0.29) == 29  # 0.29 / 0.01 is 28.999999999999996 in floats


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "-Infinity", "x", True, Decimal("sNaN"), None])
def test_what_is_no_finite_number_stops_here(value: object) -> None:
    with pytest.raises(ValueError, match="price"):
        decimal(value, "price")  # type: ignore[arg-type]


def test_a_price_off_the_grid_is_refused_not_bent() -> None:
    with pytest.raises(ValueError, match=r"0\.005"):
        SPY.ticks("0.005")
    with pytest.raises(ValueError, match="lot"):
        SPY.lots("0.5")


@given(st.integers(-(10**9), 10**9), st.sampled_from(["0.01", "0.05", "0.25", "0.0001", "1"]))
def test_ticks_and_price_are_inverse(ticks: int, tick: str) -> None:
    grid = Instrument(contract=stock("X"), tick=Decimal(tick))
    assert grid.ticks(grid.price(ticks)) == ticks
    assert grid.nearest_ticks(float(grid.price(ticks))) == ticks


def test_snap_up_down_and_nearest() -> None:
    assert SPY.snap(10.017) == Decimal("10.02")
    assert SPY.snap(10.011, up=True) == Decimal("10.02")
    assert SPY.snap(10.019, up=False) == Decimal("10.01")


def test_a_bracket_wants_its_prices_in_the_trades_order() -> None:
    long = bracket(stock("SPY"), "BUY", 100, target=101.5, stop=99, limit=100)
    assert long.target_price == Decimal("101.5")
    assert bracket(stock("SPY"), Side.SELL, 1, target=99, stop=101).limit_price is None
    beyond = {"target": 101, "stop": 99, "limit": 102}
    for wrong in ({"target": 99, "stop": 101}, beyond, {"target": 1, "stop": 0}):
        with pytest.raises(ValueError, match=r"stop|target"):
            bracket(stock("SPY"), "BUY", 100, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="quantity"):
        bracket(stock("SPY"), "BUY", -5, target=101, stop=99)
    with pytest.raises(ValueError, match="target"):
        bracket(stock("SPY"), "BUY", 5, target=1e30, stop=99)
