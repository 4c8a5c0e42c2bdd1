"""Nonsense at each control: NaN, infinity, prices at or below zero or absent, bounds that are none.

Whatever comes in, the gate answers with a denial that names its limit, or with None; it raises nothing, and
what it can't value it lets no entry out on.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.risk.proposals import NOW, QUOTE, SPY, WHERE, entry, exit_

from tws.errors import ConfigError
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import MarketDataType, Quote
from tws.model.order import Order, OrderType, Role, Side
from tws.risk import FIELDS, Denial, Gate, Limits, Proposal, Situation, StandaloneGate
from tws.risk.controls import CONTROLS, ENTRIES, Control, Holds
from tws.risk.fields import LimitError, Shape

NAMES = {control.name for control in CONTROLS} | {"max_order_quantity", "max_order_notional", "allow"}
SHORT_PRICES = [0.0, -0.0, -1.0, math.nan, math.inf, -math.inf, 1e308, 5e-324, 1e-9, 99.99, 100.01]

prices = st.sampled_from([None, *SHORT_PRICES]) | st.floats()
amounts = st.sampled_from(
    [Decimal(each) for each in ("NaN", "sNaN", "Infinity", "-Infinity", "0", "-0", "-1", "1E+400", "1E-400",
                                "1E+999999", "0.001", "100", "100.01")]
)  # fmt: skip
orders = st.builds(
    Order, side=st.sampled_from(Side), quantity=amounts, order_type=st.sampled_from(OrderType),
    limit_price=st.none() | amounts, stop_price=st.none() | amounts, account=st.just("DU1"))  # fmt: skip
quotes = st.none() | st.builds(
    Quote, con_id=st.just(756733), symbol=st.just("SPY"), bid=prices, ask=prices, last=prices,
    time_ns=st.sampled_from([0, NOW, -NOW, NOW + 1, 2**62]),
    kind=st.sampled_from(MarketDataType))  # fmt: skip


def is_price(value: float | None) -> bool:
    return value is not None and 0 < value < math.inf


def judged(proposal: Proposal, where: Situation, **limits: Any) -> Denial | None:
    """What the gate says; if it is a denial it says which limit, what and why."""
    denial = Gate(Limits(**limits)).judge(proposal, where)
    if denial is not None:
        assert denial.limit in NAMES and denial.figure and denial.bound and denial.reason
    return denial


@given(order=orders, quote=quotes, role=st.sampled_from(Role), grows=st.none() | amounts)
@settings(max_examples=200, deadline=None)
def test_an_order_of_nonsense_is_denied_and_raises_nothing(order, quote, role, grows) -> None:
    grows = grows if grows is None or grows.is_finite() else None
    proposal = Proposal(instrument=SPY, order=order, role=role, grows_by=grows)
    denial = judged(proposal, replace(WHERE, quote=quote, net=Decimal(100)))
    numbers = [order.quantity, *(each for each in (order.limit_price, order.stop_price) if each is not None)]
    if not all(each.is_finite() and each > 0 for each in numbers):
        assert denial is not None and denial.limit == "market_rule"
    standalone = StandaloneGate(Limits(), port=7497, account="DU1").judge(SPY, order, quote)
    assert standalone is None or standalone.limit in NAMES


@given(quote=quotes, side=st.sampled_from(Side), limit=st.sampled_from([None, "100.00"]))
@settings(max_examples=150, deadline=None)
def test_a_market_of_nonsense_carries_no_entry(quote, side, limit) -> None:
    denial = judged(entry(1, side, limit=limit), replace(WHERE, quote=quote))
    known = quote is not None and is_price(quote.bid) and is_price(quote.ask)
    if not known or quote.kind is not MarketDataType.LIVE or abs(NOW - quote.time_ns) > 5_000_000_000:
        assert denial is not None and denial.limit == "stale_quote_s"


BY_PRICE = ["max_order_notional", "max_position_notional", "max_symbol_notional", "max_net_notional",
            "max_gross_notional", "price_collar", "buying_power"]  # fmt: skip
"""The controls whose figure needs the market, for an order at the market."""


@pytest.mark.parametrize("name", BY_PRICE)
@given(bid=prices, ask=prices)
@settings(max_examples=25, deadline=None)
def test_each_control_that_needs_a_price_denies_without_one(name: str, bid, ask) -> None:
    control = next(each for each in CONTROLS if each.name == name)
    where = replace(WHERE, quote=replace(QUOTE, bid=bid, ask=ask), buying_power=Decimal(10**15))
    denial = control.check(entry(1), where, Limits())
    if not is_price(ask) or (name == "price_collar" and not is_price(bid)):
        assert denial is not None
        assert (denial.limit, denial.figure) == (name, "no price")


@pytest.mark.parametrize("control", CONTROLS, ids=lambda each: each.name)
@given(quote=quotes, net=st.integers(-200, 200), data=st.data())
@settings(max_examples=20, deadline=None)
def test_each_control_answers_to_any_market_and_names_itself(control: Control, quote, net, data) -> None:
    proposal = data.draw(st.sampled_from([
        entry(1), entry(10**9, Side.SELL), entry(5, limit="0.01"), exit_(1), entry(1, limit="99999999.99"),
        replace(entry(3), instrument=Instrument(contract=Contract(con_id=7, symbol="ES", sec_type="FUT",
                                                                  multiplier="50", currency="EUR"))),
    ]))  # fmt: skip
    some = data.draw(st.sampled_from([
        {}, {"rate": None}, {"unrated": (("SPY", "EUR"),)}, {"unrated_profit": ("EUR",)}, {"hours": None},
        {"buying_power": Decimal("-1")}, {"buying_power": Decimal(0)}, {"day_trades": -1}, {"day_trades": 0},
        {"loss": Decimal("1E+30")}, {"working_exits": Decimal(7)}, {"port": 7496},
    ]))  # fmt: skip
    denial = control.check(proposal, replace(WHERE, quote=quote, net=Decimal(net), **some), Limits())
    if denial is not None:
        assert denial.limit == control.name or control.name == "required"
        assert denial.figure and denial.bound and denial.reason


@pytest.mark.parametrize("text", ["x", "NaN", "Infinity", "0", "-50", "1E+30", "1,5"])
def test_a_multiplier_that_is_none_lets_no_entry_out_and_traps_no_exit(text: str) -> None:
    odd = Instrument(contract=Contract(con_id=7, symbol="ES", sec_type="FUT", multiplier=text))
    denial = judged(replace(entry(1), instrument=odd), WHERE)
    assert denial is not None and denial.limit == "market_rule" and repr(text) in denial.reason
    assert judged(replace(exit_(1), instrument=odd), replace(WHERE, net=Decimal(1))) is None


@pytest.mark.parametrize("holds", [each for each in Holds if each is not Holds.ENTRIES])
def test_whatever_is_unknown_an_exit_that_reduces_passes(holds: Holds) -> None:
    where = replace(WHERE, quote=None, net=Decimal(1), rate=None, unrated=(("X", "EUR"),), buying_power=None,
                    unrated_profit=("EUR",), day_trades=0, entries_blocked="all is unknown")  # fmt: skip
    for control in CONTROLS:
        if control.holds is holds:
            assert control.check(exit_(1), where, Limits()) is None, control.name
    denied = {each.name for each in CONTROLS if each.check in ENTRIES
              and each.check(entry(1), where, Limits()) is not None}  # fmt: skip
    assert {"stale_quote_s", "max_order_notional", "max_daily_loss", "day_trades"} <= denied


# -- bounds

anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["off", "NaN", "-1", "1e400", "true", 10**400, -0.0, 5e-324, Decimal("sNaN"), b"7"]),
    st.just([2**63, "", ""]), st.lists(st.text(max_size=4) | st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers()),
)  # fmt: skip


def is_sound(name: str, value: Any) -> bool:
    """What a limit may be once it is held."""
    kind = FIELDS[name]
    if value is None:
        return kind.shape not in (Shape.SECONDS, Shape.FLAG, Shape.SYMBOLS)
    if kind.shape in (Shape.FLAG, Shape.FLAG_OR_NONE):
        return isinstance(value, bool)
    if kind.shape in (Shape.SYMBOLS, Shape.SYMBOLS_OR_OFF):
        return isinstance(value, tuple) and all(isinstance(each, str) and each for each in value)
    if not math.isfinite(value) or not 0 <= value <= kind.highest:
        return False
    if kind.shape is Shape.AMOUNT:
        return isinstance(value, Decimal)
    return isinstance(value, float) and value > 0


@pytest.mark.parametrize("name", FIELDS)
@given(value=anything)
@settings(max_examples=25, deadline=None)
def test_a_limit_of_nonsense_is_an_error_that_names_it(name: str, value: Any) -> None:
    try:
        limits = Limits.from_section({name: value})
    except ConfigError as error:
        assert error.field in (f"risk.{name}", "risk.message_reserve") and error.cure
    else:
        assert is_sound(name, getattr(limits, name)), getattr(limits, name)


@pytest.mark.parametrize("name", FIELDS)
@given(text=st.text(max_size=9) | st.sampled_from(["nan", "-inf", "1e99999999", "-5", "0", "off", "true"]))
@settings(max_examples=20, deadline=None)
def test_a_change_to_nonsense_is_an_error_that_names_it(name: str, text: str) -> None:
    for path in (name, f"symbols.SPY.{name}"):
        try:
            limits = Limits().changed({path: text})
        except LimitError as error:
            assert error.name in (path, "message_reserve") and error.reason
        else:
            assert is_sound(name, getattr(limits, name))
