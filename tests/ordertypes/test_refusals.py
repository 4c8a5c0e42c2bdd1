"""Each local refusal has a case, names its attribute and its cure, and no more is refused than that."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.ordertypes.built import ELSEWHERE, LIMIT, ORDERS, SPY, contract_of, every_order
from tests.ordertypes.refused import REFUSED

from tws import ordertypes as ot
from tws.errors import BadOrderError
from tws.model.attributes import Allocation, Hedge
from tws.model.conditions import Conditions
from tws.model.contract import stock
from tws.ordertypes import algos, changes, combos, pegged, plain
from tws.ordertypes.algorules import ALGOS

RULES = {rule.name: rule for rule in ot.RULES}


def test_each_rule_has_its_case() -> None:
    assert set(REFUSED) == set(RULES) and len(RULES) == len(ot.RULES)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_that_rule(name: str) -> None:
    rule = RULES[name]
    for make in REFUSED[name]:
        with pytest.raises(BadOrderError) as refused:
            make()
        error = refused.value
        if error.cure == "State one of them." and name == "bad_adjusted_trail":
            continue  # the builder says so before the rule can
        assert (error.attribute, error.code, error.cure) == (rule.attribute, rule.code, rule.cure)
        assert rule.attribute in str(error) and rule.cure in str(error)


def test_a_percentage_of_what_a_group_holds_needs_no_size() -> None:
    """TWS reckons it (official documentation of PctChange)."""
    share = Allocation(group="All", method="PctChange", percentage="10")
    order = replace(LIMIT, quantity=None, attributes=replace(LIMIT.attributes, allocation=share))
    assert ot.checked(order) is order


def test_every_builder_is_built() -> None:
    builders = [name for module in (plain, pegged, changes, algos, combos) for name in module.__all__]
    assert sorted(builders) == sorted([*ORDERS, *ELSEWHERE])


@pytest.mark.parametrize(("name", "order"), every_order())
def test_what_is_built_is_fit_for_its_contract(name: str, order: ot.FullOrder) -> None:
    assert ot.checked(order, contract_of(name)) is order


def test_each_algorithm_of_ib_has_a_builder() -> None:
    built = {order.attributes.algo.strategy for _, order in every_order() if order.attributes.algo}
    assert set(ALGOS) <= built


def test_money_and_currency_hedges() -> None:
    crypto = ot.for_cash(ot.limit("BUY", 1, 50_000), "250.5")
    assert (crypto.quantity, crypto.attributes.cash_quantity) == (None, Decimal("250.5"))
    hedge = ot.hedged_fx(ot.market("SELL", 100, parent_id=7))
    assert (hedge.quantity, hedge.attributes.hedge) == (0, Hedge(type="F"))
    with pytest.raises(BadOrderError, match="cash_quantity"):
        ot.for_cash(LIMIT, 0)


def test_conditions_join_in_one_way_only() -> None:
    a, b, c, d = (ot.price_above(SPY, price) for price in (1, 2, 3, 4))
    assert (a & b & c).joins == ("and", "and") and (a | b | c).joins == ("or", "or")
    assert (a & b | c).terms == (a, b, c) and (a & b | c).joins == ("and", "or")
    assert (c | a & b).terms == (a, b, c)  # the group goes first: then both readings say the same
    assert (c | d | a & b).joins == ("and", "or", "or")
    for ambiguous in (lambda: (a | b) & c, lambda: a & b | c & d, lambda: (a & b | c) & d,
                      lambda: a & (b | c)):  # fmt: skip
        with pytest.raises(ValueError, match="two ways"):
            ambiguous()
    with pytest.raises(ValueError, match="one fewer"):
        Conditions(terms=(a, b))
    with pytest.raises(BadOrderError, match="con_id"):
        ot.price_above(stock("SPY"), 1)


def test_what_is_no_number_or_no_side() -> None:
    with pytest.raises(ValueError, match="limit_price"):
        ot.limit("BUY", 1, float("nan"))
    with pytest.raises(ValueError, match="HOLD"):
        ot.market("HOLD", 1)
    with pytest.raises(ValueError, match="each name once"):
        ot.Algo(strategy="x", params=(("a", "1"), ("a", "2")))
    with pytest.raises(BadOrderError, match="1 legs"):
        ot.combination("SPY", [ot.leg(SPY, "BUY")])
    with pytest.raises(BadOrderError, match="con_id 0"):
        ot.leg(stock("SPY"), "BUY")
