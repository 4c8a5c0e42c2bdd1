"""Answers of the prediction API into signals: the documented shape, each way it may drift, any JSON."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.clock import NS_PER_S
from tws.model.signal import Wish
from tws.strategy import Reason, Refusal
from tws.strategy.prediction import Prediction, PredictionShape, prediction_from

NOW = 1_800_000_000 * NS_PER_S
SHAPE = PredictionShape(model="api")
DOCUMENTED: dict[str, Any] = {
    "status": "success",
    "data": {
        "ticker": "SPY",
        "prediction": {
            "ticker": "SPY", "signal": "BUY", "numeric": 1, "confidence": 0.85,
            "probabilities": [0.05, 0.1, 0.85],
        },
    },
}  # fmt: skip


def read(raw: object, shape: PredictionShape = SHAPE, now_ns: int = NOW) -> Prediction | Refusal:
    return prediction_from(raw, "SPY", shape, now_ns)


def changed(**fields: Any) -> dict[str, Any]:
    """The documented answer with other fields in its prediction; None takes one away."""
    raw = copy.deepcopy(DOCUMENTED)
    prediction = raw["data"]["prediction"] | fields
    raw["data"]["prediction"] = {name: value for name, value in prediction.items() if value is not None}
    return raw


def mark(raw: object, now_ns: int = NOW) -> str:
    found = read(raw, now_ns=now_ns)
    assert isinstance(found, Prediction), found
    return found.mark


def test_the_documented_answer() -> None:
    found = read(DOCUMENTED)
    assert isinstance(found, Prediction)
    signal = found.signal
    assert (signal.symbol, signal.wish, signal.confidence) == ("SPY", Wish.BUY, 0.85)
    assert (signal.model, signal.time_ns, signal.price) == ("api", NOW, None)
    assert signal.signal_id.startswith(f"SPY:{NOW}:")


def test_the_same_content_is_the_same_prediction_whenever_it_comes() -> None:
    assert mark(DOCUMENTED) == mark(copy.deepcopy(DOCUMENTED), NOW + 99 * NS_PER_S)
    assert mark(DOCUMENTED) != mark(changed(confidence=0.86))
    assert mark(changed(id=1)) != mark(changed(id=2))
    assert mark(changed(id=1)) == mark(changed(id=1, confidence=0.5))
    assert mark(changed(time=1)) != mark(changed(time=2))
    assert mark(changed(time=1)) != mark(changed(time=1, signal="SHORT")), "a minute may have two"


@pytest.mark.parametrize("name", ["time", "timestamp", "prediction_time"])
@pytest.mark.parametrize("when", [1_799_999_990, "2027-01-15T07:59:50Z", "2027-01-15T02:59:50-05:00"])
def test_a_time_may_stand_in_the_prediction_or_beside_it(name: str, when: object) -> None:
    beside = copy.deepcopy(DOCUMENTED)
    beside["data"][name] = when
    for raw in (changed(**{name: when}), beside):
        found = read(raw)
        assert isinstance(found, Prediction), found
        assert found.signal.time_ns == NOW - 10 * NS_PER_S


def test_a_ticker_that_is_null_is_one_that_is_not_given() -> None:
    raw = copy.deepcopy(DOCUMENTED)
    raw["data"]["prediction"]["ticker"] = None
    assert isinstance(read(raw), Prediction)


def test_an_id_a_model_and_a_price_are_taken() -> None:
    found = read(changed(prediction_id=77, model="lstm", price=400.5))
    assert isinstance(found, Prediction)
    assert (found.signal.signal_id, found.signal.model, found.signal.price) == ("SPY:77", "lstm", 400.5)


@pytest.mark.parametrize(
    ("raw", "reason", "words"),
    [
        ([], Reason.DRIFT, "the answer is a list: must be an object"),
        ({}, Reason.DRIFT, "status is missing"),
        ({"status": 1}, Reason.DRIFT, "status is a number"),
        ({"status": "error", "message": "no model"}, Reason.STATUS, "no model"),
        ({"status": "success"}, Reason.DRIFT, "data is missing"),
        (DOCUMENTED | {"page": 1}, Reason.DRIFT, "page is not known here"),
        ({"status": "success", "data": {"prediction": []}}, Reason.DRIFT, "data.prediction is a list"),
        (changed(signal=None, side="BUY"), Reason.DRIFT, "prediction.signal is missing: renamed?"),
        (changed(signal=1), Reason.DRIFT, "prediction.signal is a number '1': must be text"),
        (changed(signal="UP"), Reason.SCHEMA, "wish is 'UP'"),
        (changed(confidence=None), Reason.DRIFT, "prediction.confidence is missing"),
        (changed(confidence=True), Reason.DRIFT, "true or false"),
        (changed(confidence=1.7), Reason.SCHEMA, "confidence is 1.7: must be within 0 and 1"),
        (changed(confidence=-0.1), Reason.SCHEMA, "confidence is -0.1"),
        (changed(numeric="1"), Reason.DRIFT, "prediction.numeric is text"),
        (changed(probabilities=0.5), Reason.DRIFT, "prediction.probabilities is a number"),
        (changed(probabilities=["a"]), Reason.DRIFT, "prediction.probabilities"),
        (changed(probabilities=[1.7]), Reason.DRIFT, "prediction.probabilities"),
        (changed(probabilities=[0.1] * 1000), Reason.DRIFT, "prediction.probabilities"),
        (changed(price=-1.0), Reason.SCHEMA, "price is -1"),
        (changed(id=True), Reason.DRIFT, "prediction.id"),
        (changed(id="x" * 200), Reason.SCHEMA, "signal_id"),
        (changed(time="2027-01-15T08:00:00"), Reason.SCHEMA, "ISO 8601 with its zone"),
        (changed(ticker="QQQ"), Reason.OTHER_TICKER, "'QQQ', asked was SPY"),
    ],
)
def test_what_is_not_as_documented_is_named(raw: object, reason: Reason, words: str) -> None:
    refusal = read(raw)
    assert isinstance(refusal, Refusal), refusal
    assert (refusal.reason, refusal.symbol, refusal.time_ns) == (reason, "SPY", NOW)
    assert words in refusal.text, refusal.text


def test_what_is_allowed_may_come() -> None:
    raw = changed(horizon="1h")
    assert isinstance(read(raw), Refusal)
    for allow in (("horizon",), ("*",)):
        assert isinstance(read(raw, PredictionShape(allow=allow)), Prediction)


def test_undated_predictions_may_be_refused() -> None:
    shape = PredictionShape(undated=False)
    refusal = read(DOCUMENTED, shape)
    assert isinstance(refusal, Refusal) and "prediction.time is missing" in refusal.text
    assert isinstance(read(changed(time=1), shape), Prediction)


def test_words_are_mapped_whatever_their_case() -> None:
    shape = PredictionShape(words={"SELL": "SHORT", "STRONG BUY": "BUY"})
    for word, wish in (("sell", Wish.SHORT), ("Strong Buy", Wish.BUY), ("short", Wish.SHORT)):
        found = read(changed(signal=word), shape)
        assert isinstance(found, Prediction) and found.signal.wish is wish


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of the answer at which something stands."""
    inner = value.items() if isinstance(value, dict) else ()
    return [path, *(found for name, each in inner for found in places(each, (*path, name)))]


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text("aé\n{", max_size=4)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["ticker", "signal", "x"]), inner, max_size=2),
    ),
    max_leaves=4,
)


@given(st.sampled_from([place for place in places(DOCUMENTED) if place]), json_values)
def test_any_value_at_any_place_is_a_signal_or_a_named_refusal(place: tuple[Any, ...], value: object) -> None:
    raw = copy.deepcopy(DOCUMENTED)
    at = raw
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    found = read(json.loads(json.dumps(raw)))
    if isinstance(found, Prediction):
        assert 0 <= found.signal.confidence <= 1 and found.signal.symbol == "SPY"
    else:
        assert found.text and found.text.isprintable()


@given(json_values)
def test_any_json_at_all_is_a_named_refusal(raw: object) -> None:
    found = read(raw)
    assert isinstance(found, Refusal) and found.text
