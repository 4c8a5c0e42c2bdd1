"""The table of order states: what it must allow (TWS-BEHAVIOUR.md C), and what no arc may do."""

from __future__ import annotations

import pytest

from tws.orders import ARCS, ENDED, STATUS_EVENTS, OrderEvent, OrderState, follow

S, E = OrderState, OrderEvent
BROKERS_WORDS = (E.ACK, E.WORK, E.HOLD, E.CANCELLING, E.CANCEL, E.REJECT, E.REFUSE, E.PART, E.FILL)
AT_THE_BROKER = (S.SENT, S.ACKNOWLEDGED, S.WORKING, S.HELD, S.PENDING_CANCEL)


@pytest.mark.parametrize(
    ("name", "events", "end"),
    [
        ("market", "ACK PART FILL FILL FILL", S.FILLED),
        ("market, execution first", "PART ACK WORK FILL", S.FILLED),
        ("filled before any status", "FILL FILL", S.FILLED),
        ("limit, PreSubmitted skipped", "WORK WORK PART PART FILL", S.FILLED),
        ("stop", "ACK ACK WORK FILL", S.FILLED),
        ("status steps back on a change", "WORK ACK WORK", S.WORKING),
        ("cancel", "WORK ASK_CANCEL CANCELLING CANCEL", S.CANCELLED),
        ("cancel, PendingCancel skipped", "WORK ASK_CANCEL CANCEL CANCEL", S.CANCELLED),
        ("cancel before the acknowledgement", "ASK_CANCEL ACK CANCEL", S.CANCELLED),
        ("cancelled by the price check", "CANCEL", S.CANCELLED),
        ("a sibling's fill cancels", "ACK CANCEL", S.CANCELLED),
        ("fill while the cancel is under way", "WORK ASK_CANCEL PART FILL", S.FILLED),
        ("fill after the cancel", "WORK CANCEL FILL", S.FILLED),
        ("part of a fill after the cancel", "WORK CANCEL PART", S.CANCELLED),
        ("reject, then Inactive", "REJECT HOLD HOLD", S.REJECTED),
        ("reject by the exchange", "ACK REJECT", S.REJECTED),
        ("held for locate, then working", "HOLD WORK FILL", S.FILLED),
        ("held, then refused", "HOLD REJECT", S.REJECTED),
        ("late PreSubmitted after the fill", "FILL ACK WORK", S.FILLED),
        ("silence, then found", "SILENCE WORK", S.WORKING),
        ("link lost, filled meanwhile", "WORK LOSE PART FILL", S.FILLED),
        ("link lost, a part of a fill says nothing of the rest", "WORK LOSE PART", S.UNKNOWN),
        ("link lost, cancelled meanwhile", "WORK LOSE CANCEL", S.CANCELLED),
        ("link lost, proven absent", "LOSE ABSENCE", S.ABSENT),
        ("absent, revived", "LOSE ABSENCE WORK FILL", S.FILLED),
        ("absent, then a fill", "LOSE ABSENCE PART", S.UNKNOWN),
        ("cancel refused", "WORK ASK_CANCEL REFUSE", S.UNKNOWN),
        ("cancel refused since it had filled", "WORK ASK_CANCEL FILL REFUSE", S.FILLED),
        ("alive after Cancelled", "WORK CANCEL WORK", S.UNKNOWN),
        ("alive after a reject", "REJECT WORK", S.UNKNOWN),
    ],
)
def test_what_tws_is_known_to_say(name: str, events: str, end: OrderState) -> None:
    state = S.SENT
    for event in events.split():
        arc = follow(state, E[event])
        assert arc is not None, f"{name}: {state} hears {event}"
        state = arc.to
    assert state is end


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ("APPROVE WRITE", S.SENT),
        ("DENY", S.DENIED),
        ("APPROVE DENY", S.DENIED),
        ("APPROVE WITHDRAW", S.WITHDRAWN),
        ("APPROVE ASK_CANCEL WITHDRAW", S.WITHDRAWN),
        ("LOSE", S.WITHDRAWN),
        ("APPROVE LOSE", S.UNKNOWN),
        ("APPROVE UNSURE", S.UNKNOWN),
        ("APPROVE LOSE DENY", S.DENIED),
        ("APPROVE ACK WRITE", S.ACKNOWLEDGED),
        ("APPROVE FILL WRITE", S.FILLED),
    ],
)
def test_before_the_broker_speaks(events: str, end: OrderState) -> None:
    state = S.INTENDED
    for event in events.split():
        arc = follow(state, E[event])
        assert arc is not None
        state = arc.to
    assert state is end


def test_each_state_and_event_has_one_arc_at_most() -> None:
    pairs = [(arc.state, arc.event) for arc in ARCS]
    assert len(pairs) == len(set(pairs))
    assert all(arc.why for arc in ARCS)


@pytest.mark.parametrize("state", [state for state in S if state is not S.INTENDED])
@pytest.mark.parametrize("event", BROKERS_WORDS)
def test_every_word_of_the_broker_is_expected_in_every_state(state: OrderState, event: OrderEvent) -> None:
    assert follow(state, event) is not None


@pytest.mark.parametrize("state", AT_THE_BROKER)
def test_only_the_brokers_word_ends_an_order_that_is_with_the_broker(state: OrderState) -> None:
    ours = {event for event in E if event not in BROKERS_WORDS}
    may = {E.WITHDRAW, E.DENY} if state is S.PENDING_CANCEL else set()
    ends = {arc.event for arc in ARCS if arc.state is state and arc.to in ENDED}
    assert ends & ours == may, (
        "the queue may still hold an order whose cancel we asked for; nothing else ends it"
    )
    assert E.HOLD not in ends and E.REFUSE not in ends


def test_a_lost_link_and_silence_never_end_what_was_approved() -> None:
    for arc in ARCS:
        if (
            arc.event in (E.LOSE, E.SILENCE, E.UNSURE)
            and arc.state is not S.INTENDED
            and arc.state not in ENDED
        ):
            assert arc.to is S.UNKNOWN


def test_an_ended_order_that_comes_back_is_loud() -> None:
    for arc in ARCS:
        if arc.state in ENDED and arc.to not in ENDED:
            assert arc.loud, arc


def test_every_state_can_be_reached() -> None:
    reached = {S.INTENDED}
    for _ in S:
        reached |= {arc.to for arc in ARCS if arc.state in reached}
    assert reached == set(S)


def test_an_impossible_arc_is_none_and_no_crash() -> None:
    assert follow(S.WORKING, E.WITHDRAW) is None
    assert follow(S.INTENDED, E.FILL) is None


def test_every_word_of_order_status_has_a_meaning() -> None:
    from tws.model.order import BrokerStatus

    assert {status.value for status in BrokerStatus} <= set(STATUS_EVENTS)
