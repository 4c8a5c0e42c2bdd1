"""What codes do, by whom they are about."""

from __future__ import annotations

import pytest

from tws.wire.codes import CATALOGUE, Catalogue, Code, Context, Effect, effect, is_client_code, lookup
from tws.wire.codes_table import ROWS
from tws.wire.codes_words import FITS


@pytest.mark.parametrize(
    ("code", "context", "expected"),
    [
        (110, Context.ORDER, Effect.REJECTS_ORDER),  # C2: kills a new order
        (110, Context.CHANGE, Effect.REFUSES_CHANGE),  # and spares the one that was to be changed
        (201, Context.ORDER, Effect.REJECTS_ORDER),
        (201, Context.CHANGE, Effect.QUESTION),  # the order itself may have been rejected, or only its change
        (202, Context.CHANGE, Effect.CANCELS_ORDER),
        (10349, Context.ORDER, Effect.NOTICE),  # INCIDENTS.md 10
        (399, Context.ORDER, Effect.NOTICE),
        (404, Context.ORDER, Effect.NOTICE),
        (200, Context.REQUEST, Effect.ENDS_REQUEST),  # INCIDENTS.md 11
        (200, Context.ORDER, Effect.REJECTS_ORDER),
        (460, Context.ORDER, Effect.REJECTS_ORDER),
        (10147, Context.CHANGE, Effect.REFUSES_CHANGE),
        (10148, Context.CHANGE, Effect.REFUSES_CHANGE),
        (10147, Context.ORDER, Effect.QUESTION),
        (162, Context.REQUEST, Effect.ENDS_REQUEST),
        (354, Context.STREAM, Effect.ENDS_STREAM),
        (10167, Context.STREAM, Effect.NOTICE),  # delayed ticks follow on the same id
        (10090, Context.STREAM, Effect.NOTICE),
        (10091, Context.STREAM, Effect.NOTICE),  # the ticks that are paid for follow
        (10089, Context.STREAM, Effect.QUESTION),  # the sources disagree
        (10182, Context.STREAM, Effect.ENDS_STREAM),
        (316, Context.STREAM, Effect.ENDS_STREAM),  # HALTED wants a new request,
        (317, Context.STREAM, Effect.NOTICE),  # RESET an empty book
        (492, Context.REQUEST, Effect.NOTICE),  # the scanner's rows come all the same
        (2188, Context.REQUEST, Effect.NOTICE),  # and so do the bars
        (329, Context.CHANGE, Effect.REFUSES_CHANGE),
        (10311, Context.ORDER, Effect.QUESTION),  # a precaution: a human may send it yet
        (382, Context.ORDER, Effect.QUESTION),
        (2137, Context.ORDER, Effect.QUESTION),
        (133, Context.ORDER, Effect.QUESTION),
        (1100, Context.LINK, Effect.LINK),
        (1102, Context.LINK, Effect.LINK),
        (326, Context.LINK, Effect.LINK),
        (2104, Context.LINK, Effect.NOTICE),
        (504, Context.ORDER, Effect.QUESTION),  # our own client, never the broker's word
        (577, Context.ORDER, Effect.QUESTION),
        (577, Context.REQUEST, Effect.ENDS_REQUEST),
        (99999, Context.ORDER, Effect.QUESTION),
        (1100, Context.ORDER, Effect.QUESTION),
    ],
)
def test_the_effect_of_a_code(code: int, context: Context, expected: Effect) -> None:
    assert effect(code, context) is expected


def test_a_code_fits_whom_it_is_about_and_says_where_it_is_from() -> None:
    for code in CATALOGUE.values():
        assert code.effects and code.text and code.source
        assert code.confidence in "HML"
        for context, known in code.effects.items():
            assert known in FITS[context], (code.code, context)


def test_each_number_stands_once() -> None:
    assert len(ROWS) == len({row[0] for row in ROWS}) == len(CATALOGUE)


def test_a_code_that_settles_an_order_leaves_a_change_to_the_order_as_it_was() -> None:
    for code in CATALOGUE.values():
        if code.effect(Context.ORDER) is Effect.REJECTS_ORDER:
            assert code.effect(Context.CHANGE) in (Effect.REFUSES_CHANGE, Effect.QUESTION), code.code


def test_a_warning_that_is_not_listed_spares_what_is_asked_and_settles_nothing() -> None:
    unlisted = [code for code in range(2100, 2200) if code not in CATALOGUE]
    assert unlisted
    for code in unlisted:
        assert lookup(code).known
        assert {effect(code, each) for each in (Context.REQUEST, Context.STREAM, Context.LINK)} == {
            Effect.NOTICE
        }
        assert effect(code, Context.ORDER) is effect(code, Context.CHANGE) is Effect.QUESTION
    assert not lookup(2200).known


def test_client_codes_never_touch_an_order() -> None:
    for code in range(501, 594):
        assert is_client_code(code)
        assert lookup(code).from_client
        assert effect(code, Context.ORDER) is effect(code, Context.CHANGE) is Effect.QUESTION
    assert not is_client_code(500)
    assert not is_client_code(594)


def test_an_unlisted_code_is_a_question_everywhere() -> None:
    assert lookup(4711) == Code(4711, "not listed")
    assert {effect(4711, context) for context in Context} == {Effect.QUESTION}


def test_the_catalogue_can_be_amended() -> None:
    amended = CATALOGUE.amended(
        {10349: {Context.STREAM: Effect.NOTICE}, 4711: {Context.ORDER: Effect.NOTICE}}
    )
    assert isinstance(amended, Catalogue)
    assert amended.effect(4711, Context.ORDER) is Effect.NOTICE
    assert amended.effect(10349, Context.STREAM) is Effect.NOTICE
    assert amended.effect(10349, Context.ORDER) is Effect.NOTICE
    assert effect(4711, Context.ORDER) is Effect.QUESTION
    assert len(amended) == len(CATALOGUE) + 1
