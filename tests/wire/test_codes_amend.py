"""What a configuration may change in the catalogue of codes, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.config import CodeSection
from tws.errors import ConfigError
from tws.wire.codes import CATALOGUE, Context, Effect, is_client_code
from tws.wire.codes_amend import FORCE, amended
from tws.wire.codes_words import FITS

SETTLES = {Effect.REJECTS_ORDER, Effect.CANCELS_ORDER, Effect.REFUSES_CHANGE}


def test_what_a_user_of_a_newer_tws_needs() -> None:
    catalogue = amended({4711: {"order": "notice", "change": "notice"}, 10167: {"stream": "question"}})
    assert catalogue.effect(4711, Context.ORDER) is Effect.NOTICE
    assert catalogue.effect(10167, Context.STREAM) is Effect.QUESTION
    assert catalogue.effect(10167, Context.REQUEST) is Effect.NOTICE
    assert catalogue[110] is CATALOGUE[110]
    assert CATALOGUE.effect(4711, Context.ORDER) is Effect.QUESTION


@pytest.mark.parametrize(
    ("number", "context", "word"),
    [
        (4711, "order", "notice"),  # a notice ends nothing
        (4711, "stream", "ends stream"),
        (4711, "request", "ends request"),
        (162, "request", "notice"),
        (201, "order", "question"),  # the broker's list will say
        (110, "change", "question"),
        (10349, "order", "question"),
        (10349, "order", "notice"),  # as it is
        (2104, "link", "question"),
        (577, "request", "notice"),
    ],
)
def test_what_settles_nothing_is_free(number: int, context: str, word: str) -> None:
    assert amended({number: {context: word}}).effect(number, Context(context)) is Effect(word)


@pytest.mark.parametrize(
    ("number", "context", "word"),
    [
        (4711, "order", "rejects order"),
        (4711, "change", "refuses change"),
        (2137, "order", "rejects order"),  # listed, and open
        (10147, "order", "cancels order"),
        (110, "change", "cancels order"),
        (201, "order", "notice"),  # it would hide that a stop is not there
        (202, "order", "notice"),
        (10148, "change", "notice"),
    ],
)
def test_what_settles_an_order_or_hides_that_it_was_settled_wants_force(
    number: int, context: str, word: str
) -> None:
    with pytest.raises(ConfigError, match="force = true") as caught:
        amended({number: {context: word}})
    assert (caught.value.field, caught.value.value) == (f"codes.{number}.{context}", word)
    catalogue = amended({number: {context: word, "force": True}})
    assert catalogue.effect(number, Context(context)) is Effect(word)


@pytest.mark.parametrize(
    ("number", "words", "field", "reason"),
    [
        (10349, {"order": "rejects order", "force": True}, "codes.10349.order", "its orders live"),
        (399, {"change": "cancels order", "force": True}, "codes.399.change", "its orders live"),
        (504, {"order": "rejects order", "force": True}, "codes.504.order", "our own client's"),
        (577, {"change": "refuses change", "force": True}, "codes.577.change", "our own client's"),
        (1100, {"link": "notice", "force": True}, "codes.1100.link", "not read from the catalogue"),
        (1100, {"link": "question"}, "codes.1100.link", "not read from the catalogue"),
        (4711, {"link": "link", "force": True}, "codes.4711.link", "not read from the catalogue"),
        (10349, {"ordre": "notice"}, "codes.10349.ordre", "no such context"),
        (10349, {"order": "ignore"}, "codes.10349.order", "no such effect"),
        (10349, {"order": True}, "codes.10349.order", "no such effect"),
        (10349, {"order": "ends stream"}, "codes.10349.order", "no effect that a code can have on this"),
        (
            10349,
            {"stream": "rejects order", "force": True},
            "codes.10349.stream",
            "no effect that a code can have",
        ),
        (10349, {"force": "yes"}, "codes.10349.force", "neither true nor false"),
        (-1, {"order": "notice"}, "codes.-1", "no code of TWS"),
        (2**31, {"order": "notice"}, "codes.2147483648", "no code of TWS"),
    ],
)
def test_what_is_wrong_or_never_safe_names_field_value_and_cure(
    number: int, words: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        amended({number: words})
    assert caught.value.field == field
    assert caught.value.cure


def test_an_error_names_the_words_that_are_known() -> None:
    with pytest.raises(ConfigError, match='"notice", "question", "ends stream"'):
        amended({4711: {"stream": "ends"}})
    with pytest.raises(ConfigError, match="order, change, request, stream, link, force"):
        amended({4711: {"quote": "notice"}})


@given(
    st.integers(0, 12_000) | st.sampled_from(sorted(CATALOGUE)),
    st.sampled_from(Context),
    st.sampled_from(Effect),
)
def test_without_force_no_code_gains_or_loses_the_power_over_an_order(
    number: int, context: Context, effect: Effect
) -> None:
    known = CATALOGUE.effect(number, context)
    try:
        after = amended({number: {context.value: effect.value}}).effect(number, context)
    except ConfigError:
        return
    assert after is effect and effect in FITS[context]
    assert after not in SETTLES or after is known
    assert known not in SETTLES or after in (known, Effect.QUESTION)
    assert not is_client_code(number) or after not in SETTLES


def test_a_section_of_the_configuration_has_these_contexts() -> None:
    assert list(CodeSection.model_fields) == [*Context, FORCE]
