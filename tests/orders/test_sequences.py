"""Random lives of an order through the table alone: whatever is said, in whatever order, some things hold.

The table has no memory, so a sequence of events is all that there is to try: broker's words and our own,
doubled and late. What holds is read off each step, not off the table that is tested.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tws.model.records import OrderState
from tws.orders import ENDED, OrderEvent, follow

S, E = OrderState, OrderEvent
OURS = (
    E.APPROVE,
    E.DENY,
    E.WRITE,
    E.WITHDRAW,
    E.UNSURE,
    E.ASK_CANCEL,
    E.SILENCE,
    E.LOSE,
    E.UNLISTED,
    E.ABSENCE,
)
BROKERS = tuple(event for event in E if event not in OURS)
NEVER_LEFT = (E.WITHDRAW, E.DENY)
ANYTHING = st.lists(st.sampled_from(list(E)), max_size=30)
WORDS = st.lists(st.sampled_from(BROKERS), max_size=30)


def steps(events, state=S.INTENDED):  # type: ignore[no-untyped-def]
    """Each step that the table knows: before, event, arc."""
    for event in events:
        arc = follow(state, event)
        if arc is not None:
            yield state, event, arc
            state = arc.to


@given(events=ANYTHING)
def test_an_order_ends_by_a_word_of_the_broker_or_before_its_bytes_left(events) -> None:
    for before, event, arc in steps(events):
        if arc.to not in ENDED or before in ENDED or event in BROKERS:
            continue
        unsent = before in (S.INTENDED, S.APPROVED)
        writer = event in NEVER_LEFT  # the one who alone knows says that no byte of it left
        proof = event is E.ABSENCE and before is S.UNKNOWN
        assert unsent or writer or proof, (before, event, arc.to)


@given(events=ANYTHING)
def test_what_was_over_comes_back_only_aloud_and_by_a_word(events) -> None:
    for before, event, arc in steps(events):
        if before in ENDED and arc.to not in ENDED:
            assert arc.loud, (before, event)
            assert event in BROKERS or before in (S.DENIED, S.WITHDRAWN), (before, event)


@given(events=ANYTHING)
def test_filled_is_filled(events) -> None:
    filled = False
    for _, event, arc in steps(events):
        filled = filled or (event is E.FILL and arc.to is S.FILLED)
        assert not filled or arc.to is S.FILLED


@given(events=ANYTHING)
def test_a_fill_after_the_end_is_never_silent(events) -> None:
    for before, event, arc in steps(events):
        if before in ENDED and before is not S.FILLED and event in (E.PART, E.FILL):
            assert arc.loud, (before, event)


@given(events=WORDS)
def test_each_word_of_the_broker_has_its_arc_once_the_gate_let_it_through(events) -> None:
    taken = list(steps([E.APPROVE, *events]))
    assert len(taken) == 1 + len(events)


@given(events=ANYTHING, word=st.sampled_from(BROKERS))
def test_a_word_said_twice_is_a_word_said_once(events, word) -> None:
    """TWS says most things twice. The second changes nothing, unless the first put an end in doubt."""
    state = S.INTENDED
    for _, _, arc in steps(events):
        state = arc.to
    once = follow(state, word)
    if once is None:
        return
    twice = follow(once.to, word)
    assert twice is not None
    doubted = state in ENDED and once.to is S.UNKNOWN  # only the broker's list settles it (`doubted`)
    refused = word is E.REFUSE
    assert doubted or refused or twice.to is once.to, (state, word)


@given(words=st.permutations([E.ACK, E.WORK, E.PART, E.WORK, E.PART, E.FILL, E.FILL, E.ACK]))
def test_a_filled_order_ends_filled_in_whatever_order_it_is_told(words) -> None:
    state = S.SENT
    for _, _, arc in steps(words, S.SENT):
        state = arc.to
    assert state is S.FILLED


@given(words=st.permutations([E.ACK, E.WORK, E.CANCELLING, E.CANCEL, E.CANCEL, E.ACK]))
def test_a_cancelled_order_ends_cancelled_or_in_doubt(words) -> None:
    """In doubt the desk asks; it is never taken for alive by words alone (the desk's `doubted`)."""
    state, doubted = S.SENT, False
    for before, _, arc in steps(words, S.SENT):
        state = arc.to
        doubted = doubted or (before in ENDED and arc.to is S.UNKNOWN)
    assert state is S.CANCELLED or doubted
