"""A wish of nonsense is a denial in the journal and never an error that ends the trader."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tws.desk import ModifyOrder, Place, SubmitBracket, SubmitOrder
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Bracket, OrderType, Role, Side

SPY = Contract(con_id=756733, symbol="SPY")
NUMBERS = ("NaN", "sNaN", "Infinity", "-Infinity", "0", "-1", "1E+400", "1E-400", "100", "99.5", "104", "98")

number = st.sampled_from([Decimal(each) for each in NUMBERS])
wishes = st.one_of(
    st.builds(SubmitBracket, instrument=st.just(Instrument(contract=SPY)), bracket=st.builds(
        Bracket, contract=st.just(SPY), side=st.sampled_from(Side), quantity=number,
        limit_price=st.none() | number, stop_price=number, target_price=number)),
    st.builds(SubmitOrder, instrument=st.just(Instrument(contract=SPY)), side=st.sampled_from(Side),
              quantity=number, order_type=st.sampled_from(OrderType), limit_price=st.none() | number,
              stop_price=st.none() | number, role=st.sampled_from([Role.ENTRY, Role.CLOSE])),
    st.builds(ModifyOrder, intent_id=st.sampled_from(["t-1", "t-2", "t-3", "t-99"]),
              quantity=st.none() | number, limit_price=st.none() | number, stop_price=st.none() | number),
)  # fmt: skip
price = st.sampled_from([None, 0.0, -1.0, float("nan"), float("inf"), 1e308, 5e-324, 99.99, 100.01])


@settings(max_examples=80, deadline=None,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])  # fmt: skip
@given(script=st.lists(st.tuples(price, price, price, wishes), min_size=1, max_size=8))
def test_no_wish_ends_the_desk_and_what_leaves_has_sound_numbers(new_bench, script) -> None:
    bench = new_bench()
    bench.begin()
    bench.work(bench.enter(10))
    for bid, ask, last, wish in script:
        bench.tell(Quote(con_id=SPY.con_id, time_ns=bench.now, bid=bid, ask=ask, last=last))
        bench.tell(wish)
    for place in bench.take(Place):
        order = place.order
        for value in (order.quantity, order.limit_price, order.stop_price):
            assert value is None or (value.is_finite() and 0 < value < 10**15)
    bench.check()


@pytest.mark.parametrize("wrong", ["NaN", "sNaN", "Infinity", "0", "-1"])
@pytest.mark.parametrize("where", ["quantity", "limit_price", "stop_price", "target_price"])
def test_a_bracket_with_a_number_that_is_none_is_denied_by_name(bench, where: str, wrong: str) -> None:
    fields = {"quantity": 1, "limit_price": 100, "stop_price": 98, "target_price": 104}
    numbers = {name: Decimal(wrong if name == where else each) for name, each in fields.items()}
    wish = Bracket(contract=SPY, side=Side.BUY, **numbers)
    bench.quote()
    bench.tell(SubmitBracket(bracket=wish, instrument=Instrument(contract=SPY)))
    assert bench.written() == []
    denial = bench.denials()[-1]
    assert denial.limit in ("market_rule", "bracket_sides") and denial.figure and denial.reason
