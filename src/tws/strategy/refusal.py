"""A signal that became no order, and why: a value, since refusing is ordinary."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tws.model.signal import Signal

__all__ = ["OF_SOURCE", "Reason", "Refusal", "as_text", "refused"]


class Reason(StrEnum):
    """Why. The first group speaks of the signal, the second of the market, the third of the source."""

    SCHEMA = "schema"
    SYMBOL = "symbol"
    AGE = "age"
    FUTURE = "future"
    ORDER = "order"
    DUPLICATE = "duplicate"
    NEUTRAL = "neutral"
    THRESHOLD = "threshold"
    COOLDOWN = "cooldown"
    SESSION = "session"
    NO_ENTRY = "no entry"
    OVERLOAD = "overload"
    MODEL = "model"
    MODEL_RATE = "model rate"
    IN_POSITION = "in position"
    BUSY = "being changed"
    NO_RULE = "no rule fired"
    IGNORED = "ignored by a rule"
    NO_MEMORY = "rules not kept"

    NO_QUOTE = "no quote"
    CROSSED = "crossed quote"
    NO_ATR = "no ATR"
    SPREAD = "spread"
    PRICE = "price"
    SIZE = "size"

    FAILED = "source failed"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timed out"
    STATUS = "http status"
    RATE_LIMIT = "rate limited"
    KEY = "key refused"
    TOKEN = "token refused"
    UNKNOWN_TICKER = "unknown ticker"
    OTHER_TICKER = "another ticker"
    REDIRECT = "redirected"
    EMPTY = "empty body"
    HTML = "HTML instead of JSON"
    NOT_JSON = "not JSON"
    CUT = "cut short"
    TOO_LARGE = "too large"
    DRIFT = "schema drift"


OF_SOURCE = frozenset(
    {
        Reason.FAILED,
        Reason.UNREACHABLE,
        Reason.TIMEOUT,
        Reason.STATUS,
        Reason.RATE_LIMIT,
        Reason.KEY,
        Reason.TOKEN,
        Reason.UNKNOWN_TICKER,
        Reason.OTHER_TICKER,
        Reason.REDIRECT,
        Reason.EMPTY,
        Reason.HTML,
        Reason.NOT_JSON,
        Reason.CUT,
        Reason.TOO_LARGE,
        Reason.DRIFT,
    }
)
"""Reasons that speak of the source: no signal could be made of what it said, if it said anything."""



class Refusal(Struct, frozen=True, kw_only=True):
    """One refused signal. `figure` is what was seen, `bound` what is allowed; `text` says it whole.

    `time_ns` is the market time of the judgement (of the signal itself, where no clock was given).
    """

    reason: Reason
    text: str
    symbol: str = ""
    signal_id: str = ""
    model: str = ""
    time_ns: int = 0
    figure: str = ""
    bound: str = ""


def refused(signal: Signal, reason: Reason, text: str, figure: object = "", bound: object = "") -> Refusal:
    """A refusal of `signal`, at its own time."""
    return Refusal(
        reason=reason,
        text=text,
        symbol=signal.symbol,
        signal_id=signal.signal_id,
        model=signal.model,
        time_ns=signal.time_ns,
        figure=str(figure),
        bound=str(bound),
    )


def as_text(value: object) -> str:
    """Whatever somebody sent, as a text of at most 128 signs that can be written down."""
    return str(value)[:128].encode("utf-8", "replace").decode()
