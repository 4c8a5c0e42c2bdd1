"""From a mapping that somebody sent to a `Signal`: every field checked, nothing guessed.

Known fields are those of `Signal`; `time` (ISO 8601 with its zone, or seconds since the epoch) may stand for
`time_ns`, `signal` for `wish`, `ticker` for `symbol`, as the prediction API writes them. Foreign fields are
allowed: a sender may say more than we need. `misshapen` puts the same questions to a `Signal` that a program
made by itself, whose wish has to be a `Wish`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite

from tws.clock import NS_PER_S, to_ns
from tws.model.signal import Signal, Wish
from tws.strategy.refusal import Reason, Refusal, as_text, refused

__all__ = ["misshapen", "signal_from"]

_MAX_TEXT = 128  # an id or a name; more is a mistake or an attack on the log
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that a datetime can say


def signal_from(raw: Mapping[str, object], now_ns: int) -> Signal | Refusal:
    """The signal that `raw` describes, or a refusal that names the field. `now_ns` dates the refusal."""
    try:
        return Signal(
            signal_id=_text(raw, "signal_id", "id"),
            symbol=_text(raw, "symbol", "ticker").upper(),
            wish=_wish(_text(raw, "wish", "signal")),
            time_ns=_time(raw),
            confidence=_number(raw, "confidence", 1.0, 0.0, 1.0),
            price=None if raw.get("price") is None else _number(raw, "price", 0.0, 0.0, float("inf")),
            model=_text(raw, "model") if raw.get("model") else "",
        )
    except _Wrong as wrong:
        return Refusal(
            reason=Reason.SCHEMA,
            text=str(wrong),
            symbol=_shown(raw, "symbol", "ticker"),
            signal_id=_shown(raw, "signal_id", "id"),
            model=_shown(raw, "model"),
            time_ns=now_ns,
            figure=wrong.figure,
            bound=wrong.bound,
        )


def misshapen(signal: Signal, now_ns: int) -> Refusal | None:
    """What is wrong with the fields of a signal that came as a value; None: nothing."""
    found = signal_from({name: getattr(signal, name) for name in signal.__struct_fields__}, now_ns)
    if isinstance(found, Refusal):
        return found
    if not isinstance(signal.wish, Wish):
        text = f"wish is the text {_quoted(signal.wish)}: must be Wish.{found.wish}"
        return refused(signal, Reason.SCHEMA, text, signal.wish, f"Wish.{found.wish}")
    return None


class _Wrong(ValueError):
    """A field is not as it must be."""

    def __init__(self, name: str, figure: str, bound: str) -> None:
        super().__init__(f"{name} is {figure}: must be {bound}" if figure else f"{name} is missing: {bound}")
        self.figure = figure
        self.bound = bound


def _text(raw: Mapping[str, object], *names: str) -> str:
    for name in names:
        value = raw.get(name)
        if value is None:
            continue
        if (
            not isinstance(value, str)
            or not value.strip()
            or len(value) > _MAX_TEXT
            or not value.isprintable()
        ):
            raise _Wrong(name, _quoted(value), f"text of 1 to {_MAX_TEXT} signs")
        return value.strip()
    raise _Wrong(names[0], "", "a signal has one")


def _wish(text: str) -> Wish:
    try:
        return Wish(text.upper())
    except ValueError:
        raise _Wrong("wish", _quoted(text), f"one of {', '.join(Wish)}") from None


def _number(raw: Mapping[str, object], name: str, default: float, low: float, high: float) -> float:
    value = raw.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(name, _quoted(value), "a number")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number) or not low <= number <= high:
        raise _Wrong(name, str(number), f"within {low:g} and {high:g}")
    return number


def _time(raw: Mapping[str, object]) -> int:
    if raw.get("time_ns") is not None:
        return int(_whole(raw["time_ns"]))
    value = raw.get("time")
    if value is None:
        raise _Wrong("time", "", "an undated signal can't be judged for its age")
    if isinstance(value, str):
        try:
            return to_ns(datetime.fromisoformat(value))
        except (ValueError, OverflowError) as wrong:
            raise _Wrong("time", _quoted(value), f"ISO 8601 with its zone ({wrong})") from None
    seconds = _number(raw, "time", 0.0, 0.0, float(_LAST_SECOND))
    return round(seconds * 1_000_000) * 1000  # a float holds an epoch to the microsecond


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LAST_SECOND * NS_PER_S:
        raise _Wrong("time_ns", _quoted(value), "whole nanoseconds since the epoch")
    return value


def _quoted(value: object) -> str:
    """The beginning of whatever it was."""
    return repr(str(value)[:40])


def _shown(raw: Mapping[str, object], *names: str) -> str:
    """A field for the refusal's own text, whatever it was."""
    return next((as_text(raw[name]) for name in names if raw.get(name) is not None), "")
