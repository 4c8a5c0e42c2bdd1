"""Changes of working orders: from TWS's own word, one at a time, and a refusal leaves the order as it was."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tws.desk import Ask, ModifyOrder, NotWritten, Place
from tws.model.facts import Answer, AnswerKind, BrokerReply
from tws.model.records import Approved, Changed, Denied, Intended, OrderState, Stated


def working(bench, quantity: int = 100):
    trade = bench.enter(quantity, limit=100.0)
    bench.work(trade)
    return trade


def change(bench, order, **wish) -> list[Place]:
    wish = {name: Decimal(str(value)) for name, value in wish.items()}
    bench.tell(ModifyOrder(intent_id=order.intent_id, reason="test", **wish))
    return bench.take(Place)


def refusal(bench, order, **wish) -> Denied:
    before = len(bench.denials())
    assert change(bench, order, **wish) == []
    assert len(bench.denials()) == before + 1
    return bench.denials()[-1]


def test_a_change_sends_back_all_that_tws_states(bench) -> None:
    """Pain 20: what is left out of the placeOrder of a change is lost."""
    trade = working(bench)
    row = bench.row(trade.target, "PreSubmitted")
    bench.tell(msgspec.structs.replace(row, oca_group="1001", oca_type=3, tif="GTC", outside_rth=True))
    (place,) = change(bench, trade.target, limit_price=105)
    order = place.order
    assert place.modifies and place.order_id == trade.target.order_id
    assert order.limit_price == 105 and order.stop_price is None
    assert (order.oca_group, order.oca_type, order.tif, order.outside_rth) == ("1001", 3, "GTC", True)
    assert (order.parent_id, order.order_ref) == (trade.entry.order_id, trade.target.intent_id)
    assert not trade.placed[1].order.transmit
    assert order.transmit, "sent with transmit off, the change would wait in TWS"
    bench.check()


def test_a_change_is_approved_recorded_and_stands_when_tws_states_it(bench) -> None:
    trade = working(bench)
    (place,) = change(bench, trade.entry, limit_price=99.5)
    assert bench.desk.gate.redeem(place.permit, place.order_id, place.contract, place.order) is None
    kinds = [type(record) for record in bench.all_records]
    assert kinds.index(Changed) < len(kinds) - 1 - kinds[::-1].index(Approved)
    assert trade.entry.changing
    bench.tell(bench.row(trade.entry, "Submitted"))
    assert not trade.entry.changing and trade.entry.order.limit_price == Decimal("99.5")
    assert [r.order.limit_price for r in bench.all_records if isinstance(r, Stated)] == [Decimal("99.5")]
    bench.check()


def test_an_order_is_not_changed_again_before_tws_has_answered(bench) -> None:
    trade = working(bench)
    assert change(bench, trade.entry, limit_price=99.5)
    assert "has not answered" in refusal(bench, trade.entry, limit_price=99.4).reason
    old = msgspec.structs.replace(bench.row(trade.entry, "Submitted"), limit_price=Decimal("100.0"))
    bench.tell(old)
    assert trade.entry.changing, "a row of before the change says nothing of it"
    bench.tell(bench.row(trade.entry, "PendingSubmit"))
    assert trade.entry.changing, "TWS is still at it"
    bench.tell(bench.row(trade.entry, "PreSubmitted"))
    assert not trade.entry.changing
    assert change(bench, trade.entry, limit_price=99.4)


def test_a_refused_change_leaves_the_order_alive_and_as_it_was(bench) -> None:
    trade = working(bench)
    for code in (110, 2102, 135, 104, 105, 329):
        assert change(bench, trade.entry, limit_price=99.5)
        bench.reply(trade.entry, code, "no")
        assert trade.entry.state is OrderState.WORKING and not trade.entry.changing
        assert trade.entry.order.limit_price == 100
    assert len([text for text in bench.alarms() if "stays as it was" in text]) == 1, (
        "the same alarm once a minute"
    )
    bench.check()


def test_a_change_whose_bytes_never_left_is_no_change(bench) -> None:
    trade = working(bench)
    assert change(bench, trade.entry, limit_price=99.5)
    bench.tell(NotWritten(order_id=trade.entry.order_id, reason="the last gate"))
    assert not trade.entry.changing and trade.entry.order.limit_price == 100
    assert trade.entry.state is OrderState.WORKING


def test_what_tws_made_of_it_counts(bench) -> None:
    trade = working(bench)
    assert change(bench, trade.entry, limit_price=99.5)
    capped = msgspec.structs.replace(bench.row(trade.entry, "Submitted"), limit_price=Decimal("99.7"))
    bench.tell(capped)
    assert not trade.entry.changing and trade.entry.order.limit_price == Decimal("99.7")


def test_a_change_that_the_list_does_not_know_did_not_come_about(bench) -> None:
    trade = working(bench)
    assert change(bench, trade.entry, limit_price=99.5)
    bench.wait(6)
    (ask,) = [ask for ask in bench.take(Ask) if ask.kind is AnswerKind.OPEN_ORDERS]
    old = msgspec.structs.replace(bench.row(trade.entry, "Submitted"), limit_price=Decimal("100.0"))
    bench.tell(old)
    assert trade.entry.changing
    bench.tell(Answer(kind=ask.kind, session=bench.session, orders=(old,)))
    assert not trade.entry.changing and trade.entry.order.limit_price == 100


def test_a_change_that_nobody_answers_leaves_the_order_unknown(bench) -> None:
    trade = working(bench)
    assert change(bench, trade.entry, limit_price=99.5)
    bench.wait(40)
    assert trade.entry.state is OrderState.UNKNOWN
    bench.check()


def test_the_entry_takes_its_children_along(bench) -> None:
    trade = working(bench)
    places = change(bench, trade.entry, quantity=60)
    assert [place.order_id for place in places] == [
        trade.entry.order_id,
        trade.target.order_id,
        trade.stop.order_id,
    ]
    assert {place.order.quantity for place in places} == {60}
    for order in (trade.entry, trade.target, trade.stop):
        bench.tell(bench.row(order, "Submitted"))
    bench.fill(trade.entry, 60, "100.00")
    bench.wait(30)
    assert bench.take(Place) == [] and bench.cancels() == []
    assert bench.desk.state.groups[trade.entry.group_id].bare_since_ns is None
    bench.check()


def test_while_a_change_is_out_the_greater_size_counts(bench) -> None:
    trade = working(bench)
    assert change(bench, trade.entry, quantity=40)
    assert trade.entry.open_quantity == 100
    bench.tell(bench.execution(trade.entry, 40))
    assert trade.entry.live, "TWS may not have taken the change: sixty may still fill"


def test_a_moved_stop_is_where_the_next_one_stands(bench) -> None:
    trade = working(bench)
    assert change(bench, trade.stop, stop_price=97)
    bench.tell(bench.row(trade.stop, "PreSubmitted"))
    bench.fill(trade.entry, 100, "100.00")
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(3)
    new = [place.order.stop_price for place in bench.take(Place) if place.order.stop_price]
    assert new == [97]
    bench.check()


def test_a_stop_that_somebody_dragged_in_tws_is_believed(bench) -> None:
    trade = working(bench)
    dragged = msgspec.structs.replace(bench.row(trade.stop, "PreSubmitted"), stop_price=Decimal("96.5"))
    bench.tell(dragged)
    assert trade.stop.order.stop_price == Decimal("96.5")
    assert bench.desk.state.groups[trade.entry.group_id].stop_price == Decimal("96.5")
    bench.check()


def test_what_is_refused_here_and_why(bench) -> None:
    trade = working(bench)
    assert refusal(bench, trade.entry, stop_price=99).limit == "change"
    assert refusal(bench, trade.stop, limit_price=99).limit == "change"
    assert refusal(bench, trade.stop, quantity=50).reason.startswith("what protects a trade")
    assert refusal(bench, trade.stop, stop_price=105).limit == "bracket_sides"
    assert refusal(bench, trade.entry, limit_price=104).limit == "bracket_sides"
    assert refusal(bench, trade.entry, limit_price=500).limit in ("bracket_sides", "price_collar")
    bench.fill(trade.entry, 40, "100.00")
    assert "filled already" in refusal(bench, trade.entry, quantity=40).reason
    bench.tell(BrokerReply(order_id=trade.entry.order_id, code=399, text="x"))
    before = len([r for r in bench.all_records if isinstance(r, Intended)])
    bench.tell(ModifyOrder(intent_id="t-999", limit_price=Decimal(1)))
    assert bench.denials()[-1].figure == "t-999"
    assert len([r for r in bench.all_records if isinstance(r, Intended)]) == before
    bench.drop()
    assert "link" in refusal(bench, trade.entry, limit_price=99).reason
    bench.check()


def test_after_a_lost_link_a_change_waits_for_tws_to_state_the_order(bench) -> None:
    trade = working(bench)
    rows = tuple(bench.row(order, "Submitted") for order in (trade.entry, trade.target, trade.stop))
    bench.drop()
    bench.connect()
    assert "unknown" in refusal(bench, trade.entry, limit_price=99.5).reason
    for row in rows:
        bench.tell(row)
    bench.tell(Answer(kind=AnswerKind.OPEN_ORDERS, session=bench.session, orders=rows))
    assert trade.entry.state is OrderState.WORKING
    assert change(bench, trade.entry, limit_price=99.5)


def test_the_gate_judges_a_change_of_an_entry(new_bench) -> None:
    from tws.risk import Limits

    bench = new_bench(Limits(max_position=Decimal(120)))
    bench.begin()
    trade = working(bench)
    assert refusal(bench, trade.entry, quantity=130).limit == "max_position"
    assert trade.entry.order.quantity == 100
    assert bench.desk.state.groups[trade.entry.group_id].repairs == 0
    assert change(bench, trade.entry, quantity=120)
