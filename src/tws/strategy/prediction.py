"""From an answer of the prediction API to a `Signal`: checked field by field, nothing guessed.

    {"status": "success",
     "data": {"ticker": "SPY",
              "prediction": {"ticker": "SPY", "signal": "BUY", "numeric": 1, "confidence": 0.85,
                             "probabilities": [0.05, 0.1, 0.85]}}}

That is the documented shape. `id`, `model`, `price` and a time (`time`, `timestamp` or `prediction_time`) may
stand in the prediction, model and time in `data` too. A field that is missing, of another type or unknown is
*drift*: an API that changed under us is not to be traded on until a human has looked. `PredictionShape.allow`
names fields that may come besides ("*": any).

The documented answer has neither time nor id. Such a prediction is dated by when it was first heard, and the
same content is the same prediction until another comes between: `Prediction.mark` tells them apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, TypeAlias

from msgspec import Struct, field

from tws.model.signal import Signal
from tws.strategy.refusal import Reason, Refusal, as_text
from tws.strategy.schema import signal_from

__all__ = ["Prediction", "PredictionShape", "prediction_from"]

_TIMES = ("time", "timestamp", "prediction_time")
_IDS = ("id", "prediction_id")
_MAX_PROBABILITIES = 64  # classes; the API has three


class PredictionShape(Struct, frozen=True, kw_only=True):
    """How an API writes predictions.

    `words` maps what it calls a wish to ours (SELL of an API that means going short: {"SELL": "SHORT"}).
    `allow` are fields that may come besides. `undated` False refuses predictions without a time. `model` is
    the model's name where the API gives none.
    """

    words: dict[str, str] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    undated: bool = True
    model: str = ""


class Prediction(Struct, frozen=True, kw_only=True):
    """A signal, and what tells it from the one before: equal marks are the same prediction."""

    signal: Signal
    mark: str


class _Drift(Exception):
    """A field is not as it was documented."""

    def __init__(self, name: str, what: str, bound: str = "", reason: Reason = Reason.DRIFT) -> None:
        super().__init__(f"{name} {what}" + (f": must be {bound}" if bound else ""))
        self.figure, self.bound, self.reason = name, bound, reason


_Object: TypeAlias = Mapping[str, Any]

_TOP = {"status", "data", "message", "timestamp", "request_id"}
_DATA = {"ticker", "prediction", "model", *_TIMES}
_PREDICTION = {"ticker", "signal", "numeric", "confidence", "probabilities", "model", "price", *_IDS, *_TIMES}


def prediction_from(
    raw: object, ticker: str, shape: PredictionShape, now_ns: int
) -> Prediction | Refusal:
    """What the answer for `ticker` says, or a refusal that names the field."""
    try:
        prediction, said = _checked(raw, shape)
        own = prediction.get("ticker")
        for name in (said, said if own is None else own):
            if name.upper() != ticker.upper():
                text = f"the answer speaks of {as_text(name)!r}, asked was {ticker}"
                return _refusal(Reason.OTHER_TICKER, text, ticker, now_ns, as_text(name), ticker)
        return _signal(prediction, ticker, shape, now_ns)
    except _Drift as drift:
        return _refusal(drift.reason, str(drift), ticker, now_ns, drift.figure, drift.bound)


def _checked(raw: object, shape: PredictionShape) -> tuple[dict[str, Any], str]:
    """The prediction's own fields, each of its type, and the ticker beside them."""
    top = _object(raw, "the answer")
    status = _typed(top, "", "status", str)
    if status != "success":
        said = f": {as_text(top['message'])}" if isinstance(top.get("message"), str) else ""
        raise _Drift("status", f"is {as_text(status)!r}{said}", '"success"', Reason.STATUS)
    _known(top, "", _TOP, shape)
    data = _object(_typed(top, "", "data", dict), "data")
    _known(data, "data.", _DATA, shape)
    prediction = dict(_object(_typed(data, "data.", "prediction", dict), "data.prediction"))
    # What is missing is named together with what is unknown: a renamed field is both.
    _known(prediction, "prediction.", _PREDICTION, shape, wanted=("signal", "confidence"))
    place = "prediction."
    _typed(prediction, place, "signal", str)
    _typed(prediction, place, "confidence", (int, float))
    for name, kind in (
        ("numeric", (int, float)), ("probabilities", list), ("model", str), ("price", (int, float)),
        ("ticker", str),
    ):  # fmt: skip
        if prediction.get(name) is not None:
            _typed(prediction, place, name, kind)
    chances = prediction.get("probabilities") or []
    if len(chances) > _MAX_PROBABILITIES or not all(_is_chance(each) for each in chances):
        raise _Drift("prediction.probabilities", "are not as they were", "numbers of 0 to 1")
    for name in ("model", *_TIMES):
        if prediction.get(name) is None and data.get(name) is not None:
            prediction[name] = data[name]
    return prediction, _typed(data, "data.", "ticker", str)


def _signal(
    prediction: dict[str, Any], ticker: str, shape: PredictionShape, now_ns: int
) -> Prediction | Refusal:
    when = next((prediction[name] for name in _TIMES if prediction.get(name) is not None), None)
    named = next((prediction[name] for name in _IDS if prediction.get(name) is not None), None)
    if when is None and not shape.undated:
        raise _Drift("prediction.time", "is missing", "there, for undated predictions are not taken")
    if named is not None and (isinstance(named, bool) or not isinstance(named, str | int)):
        raise _Drift("prediction.id", f"is {as_text(named)!r}", "text or a whole number")
    word = prediction["signal"].strip()
    content = _digest(prediction)
    mark = content if named is None else f"{named}@{when}"
    model = prediction.get("model") or shape.model
    undated = {"time_ns": now_ns} if when is None else {"time": when}
    found = signal_from(
        {
            "signal_id": f"{ticker}:{named}" if named is not None else f"{ticker}:{when or now_ns}:{content}",
            "symbol": ticker,
            "wish": shape.words.get(word.upper(), word),
            "confidence": prediction["confidence"],
            "price": prediction.get("price"),
            "model": model,
            **undated,
        },
        now_ns,
    )
    return found if isinstance(found, Refusal) else Prediction(signal=found, mark=mark)


def _object(value: object, name: str) -> _Object:
    if not isinstance(value, dict):
        raise _Drift(name, f"is {_kind(value)}", "an object")
    return value


def _typed(fields: _Object, place: str, name: str, kind: Any) -> Any:
    value = fields.get(name)
    if value is None:
        raise _Drift(place + name, "is missing")
    if isinstance(value, bool) or not isinstance(value, kind):
        wanted = _NAMES[kind]
        raise _Drift(place + name, f"is {_kind(value)} {as_text(value)[:40]!r}", wanted)
    return value


def _known(
    fields: _Object, place: str, known: set[str], shape: PredictionShape, wanted: tuple[str, ...] = ()
) -> None:
    foreign = [name for name in fields if name not in known and name not in shape.allow]
    if foreign and "*" not in shape.allow:
        missing = [place + name for name in wanted if fields.get(name) is None]
        cure = f", and {missing[0]} is missing: renamed?" if missing else "; allow_fields names what may come"
        raise _Drift(f"{place}{as_text(foreign[0])[:40]}", f"is not known here{cure}")


def _is_chance(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and 0 <= value <= 1
    )


def _kind(value: object) -> str:
    return "null" if value is None else _NAMES.get(type(value), type(value).__name__)


def _digest(prediction: dict[str, Any]) -> str:
    """Twelve digits that stand for the content."""
    return hashlib.sha256(json.dumps(prediction, sort_keys=True).encode()).hexdigest()[:12]


def _refusal(reason: Reason, text: str, ticker: str, now_ns: int, figure: str, bound: str) -> Refusal:
    return Refusal(reason=reason, text=text, symbol=ticker, time_ns=now_ns, figure=figure, bound=bound)


_NAMES: dict[Any, str] = {
    str: "text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
    int: "a number",
    float: "a number",
    (int, float): "a number",
}
