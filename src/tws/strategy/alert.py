"""From an alert as charting programs send it (TradingView fills in its placeholders) to a `Signal`.

    {"ticker": "{{ticker}}", "action": "{{strategy.order.action}}", "price": {{close}},
     "time": "{{timenow}}"}

Whoever writes the alert chooses the names, so `AlertMap` says which field is which, and which word is which
wish of ours. Numbers may stand in quotes, since templates put them there. An alert has no id: what it says
is its id, so one that is delivered twice is one wish. A time is required: an alert that waited in some queue
must not pass for a fresh one.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from tws.model.signal import Signal
from tws.strategy.refusal import Refusal, as_text
from tws.strategy.schema import signal_from

__all__ = ["WORDS", "AlertMap", "alert_from"]

WORDS = {
    "BUY": "BUY",
    "LONG": "BUY",
    "SHORT": "SHORT",
    "SELL": "SELL",
    "EXIT": "CLOSE",
    "CLOSE": "CLOSE",
    "FLAT": "CLOSE",
    "HOLD": "NEUTRAL",
    "NEUTRAL": "NEUTRAL",
}
"""What the usual words wish for. SELL closes a long; that it opens a short is for a configuration to say."""

_MILLISECONDS = 100_000_000_000  # an epoch in seconds reaches this in the year 5138, one in ms did in 1973


class AlertMap(Struct, frozen=True, kw_only=True):
    """The names of an alert's fields, and its words beside `WORDS`. "" is a field that is never there."""

    ticker: str = "ticker"
    action: str = "action"
    time: str = "time"
    price: str = "price"
    confidence: str = "confidence"
    model: str = "model"
    id: str = "id"
    words: dict[str, str] = field(default_factory=dict)


def alert_from(raw: Mapping[str, object], names: AlertMap, now_ns: int) -> Signal | Refusal:
    """The signal that an alert describes, or a refusal that names the field in our words."""
    ticker, action, when = raw.get(names.ticker), raw.get(names.action), raw.get(names.time)
    content = f"{as_text(ticker)[:40]}:{as_text(action)[:20]}:{as_text(when)[:40]}"
    fields: dict[str, object] = {
        # An exchange may stand before the ticker: NASDAQ:AAPL.
        "symbol": ticker.rpartition(":")[2] if isinstance(ticker, str) else ticker,
        "wish": _word(action, names) if isinstance(action, str) else action,
        "time": _time(when),
        "signal_id": raw.get(names.id) or content,
        "price": _number(raw.get(names.price)),
        "model": raw.get(names.model),
    }
    confidence = _number(raw.get(names.confidence))
    return signal_from(fields if confidence is None else fields | {"confidence": confidence}, now_ns)


def _word(action: str, names: AlertMap) -> str:
    word = action.strip().upper()
    return names.words.get(word) or WORDS.get(word, action)


def _number(value: object) -> object:
    """A number in quotes as one; anything else as it is, for the schema to judge."""
    if isinstance(value, str) and value.strip().replace("_", "?").isascii():
        try:
            return float(value.strip().replace("_", "?"))
        except ValueError:
            return value
    return value


def _time(value: object) -> object:
    """Epochs in milliseconds and numbers in quotes as seconds; anything else as it is."""
    number = _number(value)
    if isinstance(number, int | float) and not isinstance(number, bool):
        return number / 1000 if abs(number) >= _MILLISECONDS else number
    return value
