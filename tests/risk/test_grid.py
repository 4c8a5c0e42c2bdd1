"""Prices off the grid: refused with what would be allowed, or rounded so that the user is never worse off."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.model.contract import Contract
from tws.model.instrument import Instrument, market_rule
from tws.model.order import Order, OrderType, Side
from tws.risk import Denial, conform

RULE = market_rule(109, [(0, 0.01), (3, 0.05)])
OPTION = Instrument(contract=Contract(con_id=1, symbol="SPY", sec_type="OPT"), tick=RULE.step, rule=RULE)
SHARE = Instrument(contract=Contract(con_id=2, symbol="SPY"))
COMBO = Instrument(contract=Contract(con_id=3, symbol="SPY", sec_type="BAG"))
PRICE = st.decimals(min_value="0.01", max_value=2000, places=4)


def stop_limit(side: Side, stop: object, limit: object) -> Order:
    return Order(
        side=side,
        quantity=Decimal(1),
        order_type=OrderType.STOP_LIMIT,
        stop_price=stop,  # type: ignore[arg-type]
        limit_price=limit,
    )  # type: ignore[arg-type]


@given(st.sampled_from([OPTION, SHARE]), st.sampled_from(Side), PRICE, PRICE)
def test_rounding_never_makes_an_order_worse_nor_a_stop_earlier(
    grid: Instrument, side: Side, stop: Decimal, limit: Decimal
) -> None:
    found = conform(grid, stop_limit(side, stop, limit), "round")
    assert isinstance(found, Order) and found.limit_price is not None and found.stop_price is not None
    assert grid.is_on(found.limit_price) and grid.is_on(found.stop_price)
    assert found.limit_price * side.sign <= limit * side.sign  # a buy pays no more, a sale takes no less
    assert found.stop_price * side.sign >= stop * side.sign  # a buy's stop is no lower, a sale's no higher
    for asked, got in ((limit, found.limit_price), (stop, found.stop_price)):
        assert abs(got - asked) < max(grid.tick_at(asked), grid.tick_at(got))
    assert conform(grid, found, "round") is found
    assert conform(grid, found) is found


@pytest.mark.parametrize(("side", "limit", "stop"), [(Side.BUY, "2.99", "3.05"), (Side.SELL, "3.00", "3.00")])
def test_each_price_of_a_stop_limit_by_its_own_rule(side: Side, limit: str, stop: str) -> None:
    found = conform(OPTION, stop_limit(side, "3.01", "2.991"), "round")
    assert isinstance(found, Order)
    assert (found.limit_price, found.stop_price) == (Decimal(limit), Decimal(stop))


def test_a_refusal_names_price_tick_and_the_two_allowed_prices() -> None:
    assert str(conform(OPTION, stop_limit(Side.BUY, 3, 3.02))) == (
        "market_rule: the price lies off the contract's grid "
        "(asked limit price 3.02, bound tick 0.05: 3.00 or 3.05)"
    )
    denial = conform(OPTION, stop_limit(Side.SELL, 2.994, 3))
    assert isinstance(denial, Denial)
    assert (denial.figure, denial.bound) == ("stop price 2.994", "tick 0.01: 2.99 or 3.00")


@pytest.mark.parametrize("mode", ["refuse", "round"])
def test_a_quantity_off_the_lot_is_refused_in_either_mode(mode: object) -> None:
    for quantity in ("0.5", "0", "-1", "NaN", "Infinity", "1E+30"):
        order = Order(side=Side.BUY, quantity=Decimal(quantity))
        denial = conform(SHARE, order, mode)  # type: ignore[arg-type]
        assert (
            isinstance(denial, Denial)
            and denial.bound == "lot 1"
            and quantity.lower() in denial.figure.lower()
        )


@pytest.mark.parametrize("mode", ["refuse", "round"])
@pytest.mark.parametrize("price", ["NaN", "-Infinity", "1E+30"])
def test_what_is_no_price_is_refused_in_either_mode(mode: object, price: str) -> None:
    denial = conform(SHARE, stop_limit(Side.BUY, 1, Decimal(price)), mode)  # type: ignore[arg-type]
    assert isinstance(denial, Denial) and denial.reason == "this is no price"


def test_a_price_is_not_rounded_to_nothing_but_a_combination_may_be_even() -> None:
    order = Order(
        side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal("0.004")
    )
    denial = conform(SHARE, order, "round")
    assert isinstance(denial, Denial) and denial.bound == "tick 0.01: 0.01"
    even = conform(COMBO, order, "round")
    assert isinstance(even, Order) and even.limit_price == 0


def test_a_combination_below_zero_is_rounded_to_where_it_receives_no_less() -> None:
    order = Order(
        side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal("-1.234")
    )
    found = conform(COMBO, order, "round")
    assert isinstance(found, Order) and found.limit_price == Decimal("-1.24")


def test_an_order_without_prices_passes_as_it_is() -> None:
    order = Order(side=Side.BUY, quantity=Decimal(100))
    assert conform(OPTION, order) is order
