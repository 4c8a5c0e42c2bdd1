"""The exits of a trade after something was added to it: as far from the average price as they were."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from tests.desk.conftest import SPY

from tws.desk import ModifyOrder, Place, SubmitBracket
from tws.model.instrument import Instrument
from tws.model.order import Role, bracket
from tws.model.records import Aimed

D = Decimal


def held(bench, quantity: int = 100, **more: object) -> SimpleNamespace:
    """A trade from 100.01 with stop 98 and target 104, whose exits work."""
    trade = bench.enter(quantity, **{"target_follows": True, **more})
    bench.work(trade)
    bench.fill(trade.entry, quantity, "100.01" if trade.entry.order.side == "BUY" else "99.99")
    bench.pair(trade.target, "Submitted")
    bench.take(Place)
    return trade


def added(bench, trade, quantity: int = 100, limit: str = "99", target: str = "104") -> SimpleNamespace:
    """A limit that joins it, working."""
    side = trade.entry.order.side
    stop = "98" if side == "BUY" else "102"
    wish = bracket(SPY, side, quantity, limit=limit, target=target, stop=stop)
    bench.quote()
    bench.tell(SubmitBracket(bracket=wish, instrument=Instrument(contract=SPY), joins=trade.entry.group_id))
    placed = bench.written()
    entry, target_order, stop_order = (bench.order(place.intent_id) for place in placed)
    more = SimpleNamespace(entry=entry, target=target_order, stop=stop_order, placed=placed)
    bench.work(more)
    bench.take(Place)
    return more


def changes(bench) -> dict[str, Place]:
    """What was changed since, by the order's intent."""
    return {place.intent_id: place.order for place in bench.written() if place.permit.modifies}


def aims(bench) -> list[Aimed]:
    return [record for record in bench.all_records if isinstance(record, Aimed)]


def test_the_target_goes_along_with_the_average(bench) -> None:
    """3.99 above 100.01; the average of 100 more at 99 is 99.505."""
    trade = held(bench)
    more = added(bench, trade)
    bench.fill(more.entry, 100, "99")
    found = changes(bench)
    assert {each: order.limit_price for each, order in found.items()} == {
        trade.target.intent_id: D("103.50"), more.target.intent_id: D("103.50")
    }  # fmt: skip
    assert (aims(bench)[0].average, aims(bench)[0].reward) == (D("99.505"), D("3.99"))
    assert {order.order.stop_price for order in (trade.stop, more.stop)} == {98}, "the stop stays"
    bench.check()


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_each_part_of_a_fill_counts_and_nothing_is_lost_by_rounding(bench, side: str) -> None:
    trade = held(bench, side=side)
    long = side == "BUY"
    more = added(bench, trade, 99, "99" if long else "101", "104" if long else "96")
    for part in (33, 33, 33):
        bench.fill(more.entry, part, "99" if long else "101")
        for order in bench.desk.state.book.living():
            if order.changing:
                bench.pair(order, "Submitted")
    entry, at = (D("100.01"), D(99)) if long else (D("99.99"), D(101))
    average = (100 * entry + 99 * at) / 199
    wanted = Instrument(contract=SPY).snap(average + (D("3.99") if long else D("-3.99")))
    assert trade.target.order.limit_price == wanted == more.target.order.limit_price
    assert len(aims(bench)) >= 3
    bench.check()


def test_the_stop_follows_where_it_was_asked_for(bench) -> None:
    trade = held(bench, stop_follows=True, target_follows=False)
    more = added(bench, trade)
    bench.fill(more.entry, 100, "99")
    found = changes(bench)
    assert {order.stop_price for order in found.values()} == {D("97.50")}, "2.01 below 99.505, no farther"
    assert set(found) == {trade.stop.intent_id, more.stop.intent_id}
    bench.check()


def test_break_even_is_that_of_all_that_is_held(bench) -> None:
    trade = held(bench, break_even=3, break_even_offset=0.05, target_follows=False)
    more = added(bench, trade)
    assert (more.stop.order.trigger_price, more.stop.order.adjusted_stop_price) == (D("103.01"), D("100.06"))
    bench.fill(more.entry, 100, "99")
    for order in changes(bench).values():
        assert (order.stop_price, order.trigger_price, order.adjusted_stop_price) == (
            98, D("102.51"), D("99.56")
        )  # fmt: skip
    assert trade.stop.changing and more.stop.changing
    bench.check()


def test_what_trails_is_the_markets_affair(bench) -> None:
    trade = held(bench, trail=2, stop_follows=True)
    more = added(bench, trade)
    assert (more.stop.order.order_type, more.stop.order.trail) == ("TRAIL", 2)
    bench.fill(more.entry, 100, "99")
    assert all(bench.order(each).role is Role.TARGET for each in changes(bench))


def test_nothing_moves_that_was_not_asked_for(bench) -> None:
    trade = held(bench, target_follows=False)
    more = added(bench, trade)
    bench.fill(more.entry, 100, "99")
    assert changes(bench) == {}


def test_an_exit_that_somebody_moved_stays_until_the_next_fill(bench) -> None:
    trade = held(bench)
    more = added(bench, trade)
    bench.fill(more.entry, 50, "99")
    for order in (trade.target, more.target):
        bench.pair(order, "Submitted")
    bench.take(Place)
    bench.tell(ModifyOrder(intent_id=trade.target.intent_id, limit_price=D(106)))
    bench.written()
    bench.pair(trade.target, "Submitted")
    bench.wait(5)
    assert changes(bench) == {} and trade.target.order.limit_price == 106
    before = aims(bench)[-1].average
    bench.fill(more.entry, 50, "99")
    moved = changes(bench)[trade.target.intent_id].limit_price
    assert moved == Instrument(contract=SPY).snap(106 + aims(bench)[-1].average - before)
    bench.check()


def test_a_change_waits_for_the_one_that_is_out(bench) -> None:
    trade = held(bench)
    more = added(bench, trade)
    bench.fill(more.entry, 50, "99")
    assert trade.target.changing
    bench.fill(more.entry, 50, "99")
    assert trade.target.intent_id in bench.desk.state.groups[trade.entry.group_id].aim.waiting
    bench.take(Place)
    bench.pair(trade.target, "Submitted")
    assert changes(bench)[trade.target.intent_id].limit_price == D("103.50")
    assert trade.target.intent_id not in bench.desk.state.groups[trade.entry.group_id].aim.waiting
    bench.check()


def test_a_refused_change_is_not_tried_for_ever(bench) -> None:
    trade = held(bench)
    more = added(bench, trade)
    bench.fill(more.entry, 100, "99")
    bench.take(Place)
    bench.reply(trade.target, 110)
    bench.wait(30)
    assert trade.target.order.limit_price == 104 and trade.target.intent_id not in changes(bench)


def test_a_journal_goes_on_with_what_was_not_yet_changed(bench) -> None:
    trade = held(bench)
    more = added(bench, trade)
    bench.drop()
    bench.tell(bench.execution(more.entry, 100, "99"))
    bench.check()
    bench.restart()
    assert aims(bench) or bench.desk.state.groups[trade.entry.group_id].aim is None
    bench.connect(positions=(bench.position(200),))
    for order, status in ((trade.target, "Submitted"), (trade.stop, "PreSubmitted"),
                          (more.target, "Submitted"), (more.stop, "PreSubmitted")):  # fmt: skip
        bench.pair(bench.order(order.intent_id), status)
    bench.answer()
    assert {order.limit_price for order in changes(bench).values()} == {D("103.50")}
    bench.check()
