"""A look at what is ours that is kept from event to event is as good as a new one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.conftest import AAPL, SPY
from tests.desk.killing import hold
from tests.desk.test_agenda import act, more
from tests.desk.test_books_replay import _adjust

from tws.desk import Kill
from tws.desk.exposure import Exposure

steps = st.one_of(
    more,
    st.tuples(st.just("kill"), st.booleans()),
    st.tuples(st.just("adjust"), st.sampled_from([-100, -50, 50]), st.booleans()),
    st.tuples(st.just("hold")),
)


def look(bench: Any) -> Exposure:
    return bench.desk._beside.sight.of(bench.desk.state)  # type: ignore[no-any-return]


def play(bench: Any, kind: str, *args: Any) -> None:
    match kind, args:
        case "kill", (flatten,):
            bench.tell(Kill(reason="test", operator="ann", flatten=flatten))
        case "adjust", (quantity, ours):
            bench.tell(_adjust(quantity=Decimal(quantity), price=Decimal(100), ours=ours))
        case "hold", ():
            bench.enter(100, contract=AAPL)
        case _:
            act(bench, kind, *args)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(steps, max_size=30))
def test_what_is_kept_is_what_is_so(new_bench: Any, script: list[tuple[Any, ...]]) -> None:
    bench = new_bench()
    bench.begin()
    for contract in (SPY, AAPL):
        bench.quote(contract=contract)
    for step in script:
        play(bench, *step)
        kept, fresh = look(bench), Exposure(bench.desk.state)
        assert list(kept.by_symbol.items()) == list(fresh.by_symbol.items())
        assert list(kept.held_by_symbol.items()) == list(fresh.held_by_symbol.items())
        assert list(kept.symbols()) == list(fresh.symbols())


def test_facts_that_move_nothing_of_ours_leave_the_look_as_it_is(bench: Any) -> None:
    trade = hold(bench)
    bench.tell(Kill(reason="test", operator="ann", flatten=True))
    kept = look(bench)
    told = bench.tell(bench.position(100))
    assert told and look(bench) is kept
    bench.pair(trade.stop, "Cancelled", remaining=0)
    assert look(bench) is not kept
    assert look(bench).held_by_symbol is kept.held_by_symbol, "an order that ends moves no holding"
    bench.fill(trade.target, 100, "104.00")
    assert look(bench).held_by_symbol == {}
