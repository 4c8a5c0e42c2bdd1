"""Stops that the broker moves by itself: stated without alarm, kept by changes, placed anew as they were."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.desk.conftest import AAPL, SPY
from tests.desk.test_story import text

from tws.cli.books import _order_row
from tws.desk import Adopt, ModifyOrder, Place, SubmitBracket, SubmitOrder
from tws.model.instrument import Instrument
from tws.model.order import OrderType, Role, Side, bracket
from tws.model.records import Adopted, Intended, Planned, Stated, decode_record, encode_record

D = Decimal


def stands(order, price: str, bench, status: str = "PreSubmitted"):
    """TWS states where the trailing stop stands."""
    return msgspec.structs.replace(bench.row(order, status), stop_price=D(price))


def held(bench, quantity: int = 100, **moves: float):
    """A trade whose entry is filled and whose exits work."""
    trade = bench.enter(quantity, **moves)
    bench.work(trade)
    bench.fill(trade.entry, quantity)
    bench.effects.clear()
    return trade


def change(bench, order, **wish: str) -> list[Place]:
    terms = {name: D(value) for name, value in wish.items()}
    bench.tell(ModifyOrder(intent_id=order.intent_id, reason="test", **terms))
    return bench.take(Place)


def replaced(bench, trade) -> list[Place]:
    """The target goes with its stop; the pair that follows."""
    bench.wait(3)
    bench.pair(trade.target, "Cancelled")
    bench.wait(3)
    return bench.take(Place)


def states(bench) -> list[str]:
    return [record.cause for record in bench.all_records if isinstance(record, Stated)]


def test_the_stop_leaves_as_a_trail_that_begins_where_the_plan_has_its_stop(bench) -> None:
    stop = bench.enter(trail=1.5).placed[2].order
    assert (stop.order_type, stop.trail, stop.stop_price) == (OrderType.TRAIL, D("1.5"), 98)
    assert stop.transmit and stop.parent_id
    stop = bench.enter(side="SELL", contract=AAPL, trail_percent=2.5).placed[2].order
    assert (stop.order_type, stop.trail_percent, stop.trail, stop.stop_price) == (
        "TRAIL",
        D("2.5"),
        None,
        102,
    )
    bench.check()


@pytest.mark.parametrize(
    ("wish", "trigger", "adjusted"),
    [
        ({"break_even": 2}, "102.01", "100.01"),
        ({"break_even": 2, "break_even_offset": 0.05}, "102.01", "100.06"),
        ({"break_even": 2, "limit": 99.5}, "101.5", "99.5"),
        ({"break_even": 2, "side": "SELL"}, "97.99", "99.99"),
        ({"break_even": 2.004, "break_even_offset": 0.001}, "102.02", "100.02"),
    ],
)
def test_break_even_is_reckoned_from_the_entry(bench, wish, trigger: str, adjusted: str) -> None:
    stop = bench.enter(**wish).placed[2].order
    assert (stop.order_type, stop.trail) == (OrderType.STOP, None)
    assert (stop.trigger_price, stop.adjusted_stop_price) == (D(trigger), D(adjusted))
    bench.check()


@pytest.mark.parametrize("wish", [{"break_even": 4.5}, {"break_even": 3, "break_even_offset": 2.999}])
def test_a_break_even_that_could_not_act_is_denied(bench, wish) -> None:
    """Beyond the target; and adjusted to the very price that triggers it, once on the grid."""
    trade = bench.enter(**wish)
    assert trade.placed == [] and bench.denials()[-1].limit == "bracket_sides"


@pytest.mark.parametrize(
    "wish",
    [
        {"trail": 0}, {"trail": -1}, {"trail": 1e16}, {"trail_percent": 101}, {"break_even": 0},
        {"trail": 1, "break_even": 2}, {"trail": 1, "trail_percent": 2}, {"break_even_offset": 1},
        {"break_even": 1, "break_even_offset": 1}, {"break_even": 1, "break_even_offset": -0.1},
        {"trail": float("nan")}, {"break_even": 2, "break_even_offset": float("nan")},
    ],
)  # fmt: skip
def test_a_bracket_refuses_what_can_not_move(wish) -> None:
    with pytest.raises(ValueError):
        bracket(SPY, "BUY", 1, stop=98, target=104, **wish)


@pytest.mark.parametrize("name", ["trail", "trail_percent", "break_even", "break_even_offset"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E+16", "-1", "1E15"])
def test_numbers_of_nonsense_past_the_bracket_are_denied_by_name(bench, name: str, value: str) -> None:
    bench.quote()
    wish = msgspec.structs.replace(
        bracket(SPY, "BUY", 1, stop=98, target=104, break_even=3), **{name: D(value)}
    )
    if (name, value) == ("break_even_offset", "-1"):
        return  # a smaller loss: an order that can be
    if name.startswith("trail"):
        wish = msgspec.structs.replace(wish, break_even=None)
    bench.tell(SubmitBracket(bracket=wish, instrument=Instrument(contract=SPY)))
    assert bench.take(Place) == [] or (name, value) == ("trail", "1E15")
    bench.check()


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({}, "needs an amount"),
        ({"trail": D(1), "trail_percent": D(1)}, "needs an amount"),
        ({"trail": D("1.005")}, "off the contract's grid"),
        ({"trail": D(1), "limit_price": D(99)}, "takes no limit price"),
        ({"order_type": OrderType.STOP, "stop_price": D(98), "trail": D(1)}, "only a TRAIL trails"),
    ],
)
def test_the_gate_wants_one_amount_on_the_grid(bench, wish, reason: str) -> None:
    held(bench)
    base = {"order_type": OrderType.TRAIL, "role": Role.STOP}
    instrument = Instrument(contract=SPY)
    bench.tell(SubmitOrder(instrument=instrument, side=Side.SELL, quantity=D(1), **{**base, **wish}))
    assert bench.take(Place) == []
    assert bench.denials()[-1].limit == "market_rule" and reason in bench.denials()[-1].reason


def test_where_it_stands_is_stated_once_and_alarms_nobody(bench) -> None:
    trade = held(bench, trail=2)
    group = bench.desk.state.groups[trade.stop.group_id]
    for _ in range(3):
        bench.tell(stands(trade.stop, "101.5", bench))
    assert states(bench) == ["it trails"]
    assert group.stop_price == D("101.5") == trade.stop.order.stop_price and group.trail == 2
    assert bench.alarms() == [] and bench.take(Place) == [] and group.bare_since_ns is None
    bench.check()


def test_a_stop_that_was_cancelled_is_again_a_trail_from_where_it_stood(bench) -> None:
    trade = held(bench, trail=2)
    bench.tell(stands(trade.stop, "101.5", bench))
    bench.tell(stands(trade.stop, "102.25", bench, "Cancelled"), bench.status(trade.stop, "Cancelled"))
    assert states(bench) == ["it trails", "there it ended"]
    stop, target = replaced(bench, trade)
    assert (stop.order.order_type, stop.order.trail, stop.order.stop_price) == ("TRAIL", 2, D("102.25"))
    assert stop.order.oca_group == target.order.oca_group != ""
    late = stands(trade.stop, "103", bench, "Cancelled")
    bench.tell(late)
    assert bench.desk.state.groups[trade.stop.group_id].stop_price == D("102.25"), "another one protects now"
    bench.check()


def test_the_list_of_completed_orders_tells_where_it_stood_while_nobody_listened(bench) -> None:
    trade = held(bench, trail=2)
    bench.restart()
    gone = msgspec.structs.replace(
        bench.row(bench.order(trade.stop.intent_id), "Cancelled", completed=True, filled=0),
        stop_price=D("103"),
    )
    bench.connect(
        positions=(bench.position(100),),
        orders=(bench.row(bench.order(trade.target.intent_id), "Submitted"),),
        completed=(gone,),
    )
    bench.answer()
    assert bench.desk.state.groups[trade.stop.group_id].stop_price == 103
    bench.check()


def test_an_adjusted_stop_is_stated_and_protects_from_there(bench) -> None:
    trade = held(bench, break_even=2, break_even_offset=0.1)
    group = bench.desk.state.groups[trade.stop.group_id]
    assert (group.stop_price, group.trigger_price, group.adjusted_stop_price) == (
        98,
        D("102.01"),
        D("100.11"),
    )
    adjusted = msgspec.structs.replace(
        bench.row(trade.stop, "PreSubmitted"),
        stop_price=D("100.11"),
        trigger_price=None,
        adjusted_stop_price=None,
    )
    bench.tell(adjusted)
    assert (group.stop_price, group.trigger_price) == (D("100.11"), None) and bench.alarms() == []
    bench.pair(trade.stop, "Cancelled")
    stop, _ = replaced(bench, trade)
    assert (stop.order.stop_price, stop.order.trigger_price) == (D("100.11"), None)
    bench.check()


def test_before_that_a_new_stop_is_to_be_adjusted_as_the_old_one_was(bench) -> None:
    trade = held(bench, break_even=2)
    bench.pair(trade.stop, "Cancelled")
    stop, _ = replaced(bench, trade)
    assert (stop.order.order_type, stop.order.stop_price) == (OrderType.STOP, 98)
    assert (stop.order.trigger_price, stop.order.adjusted_stop_price) == (D("102.01"), D("100.01"))
    bench.check()


def test_a_change_of_the_amount_sends_back_where_it_stands(bench) -> None:
    trade = held(bench, trail=2)
    bench.tell(stands(trade.stop, "101.5", bench))
    (place,) = change(bench, trade.stop, trail="1.005")
    assert (place.order.trail, place.order.stop_price, place.order.order_type) == (
        D("1.01"),
        D("101.5"),
        "TRAIL",
    )
    before = msgspec.structs.replace(stands(trade.stop, "101.8", bench), trail=D(2))
    bench.tell(before)
    assert trade.stop.changing, "that it moved on with the old amount says nothing of the change"
    bench.tell(stands(trade.stop, "102.4", bench))
    assert not trade.stop.changing and trade.stop.order.stop_price == D("102.4")
    assert bench.desk.state.groups[trade.stop.group_id].trail == D("1.01")
    bench.check()


def test_what_is_not_of_its_kind_is_not_changed(bench) -> None:
    trade, plain = held(bench, trail=2), held(bench)
    for order, wish in (
        (trade.stop, {"stop_price": "99"}), (trade.stop, {"trail": "1", "trail_percent": "2"}),
        (trade.stop, {"trail": "NaN"}), (trade.stop, {"trail": "0"}), (trade.stop, {"trail": "-1"}),
        (plain.stop, {"trail_percent": "101"}), (plain.target, {"trail": "1"}),
    ):  # fmt: skip
        count = len(bench.denials())
        assert change(bench, order, **wish) == [] and len(bench.denials()) == count + 1
    bench.check()


def test_another_price_keeps_the_adjustment_and_one_beyond_it_ends_it(bench) -> None:
    trade = held(bench, break_even=2)
    (place,) = change(bench, trade.stop, stop_price="99")
    assert (place.order.trigger_price, place.order.adjusted_stop_price) == (D("102.01"), D("100.01"))
    bench.tell(bench.row(trade.stop, "PreSubmitted"))
    (place,) = change(bench, trade.stop, stop_price="100.5")
    assert (place.order.stop_price, place.order.trigger_price) == (D("100.5"), None)


def test_a_partly_filled_entry_has_a_trail_of_its_size(bench) -> None:
    trade = bench.enter(100, limit=100.0, trail=2)
    bench.work(trade)
    bench.fill(trade.entry, 40)
    bench.wait(4)
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled")
    stop, _ = bench.take(Place)
    assert (stop.order.order_type, stop.order.quantity, stop.order.trail) == ("TRAIL", 40, 2)
    bench.check()


def test_a_resize_by_the_desk_keeps_the_trail_and_asks_first_where_it_stands(bench) -> None:
    """An old word would move the stop back."""
    trade = held(bench, trail=2)
    bench.pair(trade.stop, "Cancelled")
    for place in replaced(bench, trade):
        order = bench.order(place.intent_id)
        bench.pair(order, "PreSubmitted")
    stop = next(o for o in bench.desk.state.orders_of(trade.stop.group_id) if o.live and o.role is Role.STOP)
    bench.tell(stands(stop, "101", bench))
    bench.written()
    bench.tell(bench.execution(trade.target, 30))  # late: it was cancelled
    bench.pair(trade.target, "Cancelled")
    bench.wait(6)
    assert stop.intent_id not in {place.intent_id for place in bench.take(Place)}
    twin = next(o for o in bench.desk.state.orders_of(trade.stop.group_id) if o.live and o is not stop)
    rows = (stands(stop, "103.5", bench), bench.row(twin, "Submitted"))
    bench.tell(*rows)
    bench.answer(orders=rows)
    bench.wait(2)
    sizes = {p.intent_id: p.order for p in bench.take(Place)}
    assert (sizes[stop.intent_id].quantity, sizes[stop.intent_id].trail) == (70, 2)
    assert sizes[stop.intent_id].stop_price == D("103.5")
    bench.check()


def test_a_journal_of_before_is_read(bench) -> None:
    """The records that carry an order, without the fields that came with this."""
    bench.enter()
    new = ("trail", "trail_percent", "trigger_price", "adjusted_stop_price", "target_follows",
           "stop_follows")  # fmt: skip

    def aged(value: object) -> object:
        if isinstance(value, dict):
            return {name: aged(each) for name, each in value.items() if name not in new}
        return [aged(each) for each in value] if isinstance(value, list) else value

    kinds = (Planned, Intended)
    records = [record for record in bench.all_records if isinstance(record, kinds)]
    assert {type(record) for record in records} == set(kinds)
    for record in records:
        version, _, body = encode_record(record).partition(b" ")
        old = msgspec.json.encode(aged(msgspec.json.decode(body)))
        assert decode_record(version + b" " + old) == record


def test_a_trail_that_is_taken_over_keeps_what_it_trails_by(bench) -> None:
    trade = held(bench, trail=2)
    theirs = msgspec.structs.replace(
        stands(trade.stop, "101", bench), order_ref="", perm_id=31337, order_id=-5, parent_id=0
    )
    bench.tell(theirs, Adopt(perm_id=31337, role=Role.STOP, operator="me", reason="mine"))
    (record,) = [record for record in bench.all_records if isinstance(record, Adopted)]
    order = bench.order(record.intent_id).order
    assert (order.order_type, order.trail, order.stop_price) == (OrderType.TRAIL, 2, 101)
    bench.check()


def test_explain_and_the_list_of_orders_say_how_it_moves(bench) -> None:
    trade = held(bench, trail=2)
    other = held(bench, break_even=2)
    told = text(bench, trade.stop.intent_id)
    assert f"SELL 100 TRAIL 98.00 trailing by {trade.stop.order.trail:f} GTC" in told
    assert "to become 100.01 at 102.01" in text(bench, other.stop.intent_id)
    assert _order_row(trade.stop)["price"] == "98 ~2"
    assert _order_row(other.stop)["price"] == "98 >100.01@102.01"
