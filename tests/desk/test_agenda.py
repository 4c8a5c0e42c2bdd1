"""Looking only at what an event touched or a timer made due decides the same as looking at every trade.

Two desks hear the same random events; one looks at all open trades after each of them, the other keeps an
agenda. Every record of both must be the same, in the same order.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.conftest import AAPL, SPY
from tests.desk.test_replay import _play, events

from tws.desk import TimerTick
from tws.desk.agenda import Agenda
from tws.desk.turn import Beside
from tws.model.order import OrderType

more = st.one_of(
    events,
    st.tuples(st.just("second trade"), st.sampled_from(["BUY", "SELL"])),
    st.tuples(st.just("whole fill"), st.integers(0, 7)),
    st.tuples(st.just("step back"), st.integers(1, 90)),
)


def act(bench, kind: str, *args) -> None:  # type: ignore[no-untyped-def]
    orders = list(bench.ever.values())
    if kind == "second trade":
        bench.enter(100, *args, contract=AAPL)
    elif kind == "step back":
        bench.now -= args[0] * 1_000_000_000
        bench.tell(TimerTick())
    elif kind == "whole fill":
        if orders:
            order = orders[args[0] % len(orders)]
            bench.fill(order, int(order.order.quantity))
    else:
        _play(bench, kind, *args)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(more, max_size=40))
def test_an_agenda_decides_what_a_look_at_everything_decides(new_bench, script) -> None:
    plain, quick = new_bench(), new_bench()
    plain.desk._beside = Beside(Agenda(everything=True))
    for bench in (plain, quick):
        bench.begin()
        for contract in (SPY, AAPL):
            bench.quote(contract=contract)
    for step in script:
        for bench in (plain, quick):
            act(bench, *step)
        assert quick.all_records == plain.all_records
    for bench in (plain, quick):
        bench.wait(100)
    assert quick.all_records == plain.all_records
    assert quick.desk.state == plain.desk.state


def test_a_quiet_trade_is_not_looked_at_again(bench) -> None:
    trade = bench.enter(100, limit=100.0)
    bench.work(trade)
    bench.fill(trade.entry, 100, "100.00")
    bench.tell(TimerTick())
    taken = bench.desk._beside.agenda.take(bench.desk.state, bench.now)
    assert taken == []


def test_a_wait_brings_its_trade_back_when_it_is_over(bench) -> None:
    trade = bench.enter(100, limit=100.0)
    bench.work(trade)
    bench.fill(trade.entry, 40, "100.00")
    bench.tell(TimerTick())
    agenda, state = bench.desk._beside.agenda, bench.desk.state
    assert agenda.take(state, bench.now) == []
    assert agenda.take(state, bench.now + bench.desk.timing.partial_ns) == [trade.entry.group_id]


def test_what_may_concern_all_looks_at_all(bench) -> None:
    first, second = bench.enter(100, limit=100.0), bench.enter(50, contract=AAPL, limit=100.0)
    bench.tell(TimerTick())
    agenda, state = bench.desk._beside.agenda, bench.desk.state
    assert agenda.take(state, bench.now) == []
    agenda.touch_all()
    assert agenda.take(state, bench.now) == [first.entry.group_id, second.entry.group_id]
    assert agenda.take(state, bench.now - 1) == [first.entry.group_id, second.entry.group_id], (
        "time went back"
    )


def test_a_trade_whose_shares_are_in_doubt_is_looked_at_again_when_the_market_moves(bench) -> None:
    """No order of the trade tells it: at another position of the broker, and a market at which a new stop
    would act at once, it looks like a split.
    """
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.pair(trade.entry, "Filled", filled=100, remaining=0)
    bench.tell(bench.position(400))
    for order in (trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.quote(24.99, 25.01)
    bench.wait(12)
    assert not bench.written(), "a stop at the old price would sell at once"
    bench.quote()
    bench.wait(1)
    roles = {place.order.order_type for place in bench.written()}
    assert OrderType.STOP in roles, "the market came back: the trade is guarded"
