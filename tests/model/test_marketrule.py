"""Market rules: bands, edges, and the neighbours of a price on a grid that is not even."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tws.model.contract import stock
from tws.model.instrument import Instrument, market_rule
from tws.model.marketrule import FARTHEST, MarketRule

OPTION = market_rule(109, [(0.0, 0.01), (3.0, 0.05)])
TOKYO = market_rule(9004, [(0, 1), (3000, 5), (30000, 50)])
THIRTIES = market_rule(1, [(0, "0.03"), (1, "0.07"), ("2.1", "0.5")])
"""No known exchange is so unkind: no edge is a multiple of its steps."""

RULES = st.sampled_from(
    [
        OPTION,
        TOKYO,
        THIRTIES,
        market_rule(26, [(0, 0.01)]),
        market_rule(2, [(0, 0.0001), (1, 0.01)]),
        market_rule(3, [(0, 0.1), (5, 0.01)]),
        market_rule(9009, [(0, 0.015625)]),
        market_rule(4, [(0, 0.01), ("0.015", 0.01)]),
    ]
)
PRICES = st.decimals(min_value=-40_000, max_value=40_000, places=4) | st.decimals(-4, 4, places=6)
UP = st.sampled_from([True, False, None])


def allowed(rule: MarketRule, low: Decimal, high: Decimal) -> list[Decimal]:
    """Every allowed price from low to high, found by trying each multiple of the common step in fractions."""
    step = Fraction(rule.step)
    first, last = int(Fraction(low) // step), int(Fraction(high) // step) + 1
    found = []
    for count in range(first, last + 1):
        price = count * step
        band = max(index for index, (edge, _) in enumerate(rule.increments) if abs(price) >= Fraction(edge))
        if not price % Fraction(rule.increments[band][1]) and low <= price <= high:
            found.append(price)
    return [Decimal(price.numerator) / Decimal(price.denominator) for price in found]


@given(RULES, PRICES, UP)
@example(OPTION, Decimal("2.991"), True)
@example(THIRTIES, Decimal("0.995"), True)
@example(THIRTIES, Decimal("2.101"), False)
def test_a_snapped_price_is_on_the_grid_and_stays_there(
    rule: MarketRule, price: Decimal, up: bool | None
) -> None:
    found = rule.snap(price, up=up)
    assert rule.is_on(found)
    assert all(rule.snap(found, up=way) == found for way in (True, False, None))
    assert up is None or (found >= price if up else found <= price)
    assert not (rule.is_on(price) and found != price)


@given(RULES, PRICES)
def test_nearest_is_one_of_the_two_neighbours_and_the_nearer(rule: MarketRule, price: Decimal) -> None:
    low, high, near = rule.snap(price, up=False), rule.snap(price, up=True), rule.snap(price)
    assert near in (low, high)
    assert abs(near - price) == min(price - low, high - price)


@given(RULES.filter(lambda rule: rule.increments[-1][0] < 100), st.decimals(-4, 6, places=3))
def test_between_a_price_and_its_neighbours_no_price_is_allowed(rule: MarketRule, price: Decimal) -> None:
    low, high = rule.snap(price, up=False), rule.snap(price, up=True)
    assert allowed(rule, low, high) == sorted({low, high})


@given(st.sampled_from([OPTION, TOKYO]), PRICES)
def test_where_edges_fit_their_bands_the_neighbour_is_within_one_increment(
    rule: MarketRule, price: Decimal
) -> None:
    # Above an edge the step may be the wider one: the neighbour's band counts too.
    for up in (True, False):
        found = rule.snap(price, up=up)
        assert abs(found - price) < max(rule.tick_at(price), rule.tick_at(found))


@given(st.sampled_from(["0.01", "0.05", "0.25", "0.0001", "3"]), PRICES, UP)
def test_a_tick_and_a_rule_of_one_band_are_the_same(tick: str, price: Decimal, up: bool | None) -> None:
    plain = Instrument(contract=stock("X"), tick=Decimal(tick))
    ruled = Instrument(contract=stock("X"), tick=Decimal(tick), rule=market_rule(1, [(0, tick)]))
    assert plain.snap(price, up=up) == ruled.snap(price, up=up)
    assert plain.is_on(price) is ruled.is_on(price)
    assert plain.tick_at(price) == ruled.tick_at(price)


@pytest.mark.parametrize(
    ("price", "down", "near", "up"),
    [
        ("2.994", "2.99", "2.99", "3.00"),
        ("2.996", "2.99", "3.00", "3.00"),
        ("3.01", "3.00", "3.00", "3.05"),
        ("3.00", "3.00", "3.00", "3.00"),
        ("0", "0", "0", "0"),
        ("0.004", "0", "0", "0.01"),
        ("-0.004", "-0.01", "0", "0"),
        ("-3.01", "-3.05", "-3.00", "-3.00"),
        ("-2.996", "-3.00", "-3.00", "-2.99"),
    ],
)
def test_across_the_edge_of_a_band(price: str, down: str, near: str, up: str) -> None:
    found = [OPTION.snap(Decimal(price), up=way) for way in (False, None, True)]
    assert found == [Decimal(down), Decimal(near), Decimal(up)]
    assert "-0" not in map(str, found)


def test_a_band_that_opens_between_its_own_prices_begins_with_the_first_of_them() -> None:
    # From 1 on the prices are 1.05, 1.12, …; the last below 1 is 0.99. The answer is never 1.00 or 1.02.
    assert THIRTIES.snap(Decimal("0.995"), up=True) == Decimal("1.05")
    assert THIRTIES.snap(Decimal("1.02"), up=False) == Decimal("0.99")
    # 2.1 is a multiple of 0.07, but no longer of the band that it opens.
    assert [THIRTIES.snap(Decimal("2.2"), up=way) for way in (False, True)] == [
        Decimal("2.03"),
        Decimal("2.5"),
    ]


def test_the_edge_belongs_to_the_band_that_it_opens() -> None:
    assert (OPTION.tick_at(Decimal("2.99")), OPTION.tick_at(Decimal(3))) == (Decimal("0.01"), Decimal("0.05"))
    assert TOKYO.tick_at(Decimal(-30_000)) == 50


def test_half_way_goes_to_the_even_price() -> None:
    assert [OPTION.snap(Decimal(text)) for text in ("0.005", "0.015")] == [0, Decimal("0.02")]
    assert Instrument(contract=stock("X")).snap("0.015") == Decimal("0.02")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(1, 0.01)],
        [(0, 0)],
        [(0, -0.01)],
        [(0, 0.01), (0, 0.02)],
        [(0, 0.01), (5, 0.05), (3, 0.1)],
        [(0, float("nan"))],
        [(0, 1e-13)],
        [(0, 0.01), (1e16, 1)],
    ],
)
def test_a_table_that_is_none_is_refused(rows: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match=r"market rule 7|increment"):
        market_rule(7, rows)


def test_the_common_step_divides_every_increment() -> None:
    assert [str(rule.step) for rule in (OPTION, TOKYO, THIRTIES)] == ["0.01", "1", "0.01"]
    assert str(market_rule(1, [(0, 0.02), (5, 0.05)]).step) == "0.01"


def test_an_instrument_with_a_rule_counts_in_its_tick_and_takes_only_its_prices() -> None:
    grid = Instrument(contract=stock("X"), tick=OPTION.step, rule=OPTION)
    assert (grid.ticks("2.99"), grid.ticks(3.05), grid.price(305)) == (299, 305, Decimal("3.05"))
    with pytest.raises(ValueError, match=r"3\.01 is no multiple of the tick 0\.05 of X"):
        grid.ticks(3.01)
    with pytest.raises(ValueError, match="does not count"):
        Instrument(contract=stock("X"), tick=Decimal("0.02"), rule=OPTION)


@pytest.mark.parametrize(
    "grid",
    [
        Instrument(contract=stock("X")),
        Instrument(contract=stock("X"), rule=market_rule(1, [(0, 0.01)])),
    ],
)
def test_beyond_any_market_there_is_no_grid(grid: Instrument) -> None:
    far = FARTHEST * 10
    assert grid.is_on(FARTHEST)
    assert not grid.is_on(far)
    with pytest.raises(ValueError, match="beyond"):
        grid.snap(far)
    with pytest.raises(ValueError, match="no multiple"):
        grid.ticks(far)


def test_a_price_of_forty_digits_is_off_the_grid_not_bent_onto_it() -> None:
    price = Decimal("10.01") + Decimal("1E-24")
    assert not Instrument(contract=stock("X")).is_on(Decimal("10.0100000000000000000000000000000000000001"))
    assert OPTION.snap(price, up=True) == Decimal("10.05")
