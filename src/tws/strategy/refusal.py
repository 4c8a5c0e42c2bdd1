"""A signal that became no order, and why: a value, since refusing is ordinary."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tws.model.signal import Signal

__all__ = ["Reason", "Refusal", "refused"]


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

    NO_QUOTE = "no quote"
    CROSSED = "crossed quote"
    NO_ATR = "no ATR"
    SPREAD = "spread"
    PRICE = "price"
    SIZE = "size"

    FAILED = "source failed"


class Refusal(Struct, frozen=True, kw_only=True):
    """One refused signal. `figure` is what was seen, `bound` what is allowed; `text` says it whole.

    `time_ns` is the market time of the judgement (of the signal itself, where no clock was given).
    """

    reason: Reason
    text: str
    symbol: str = ""
    signal_id: str = ""
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
        time_ns=signal.time_ns,
        figure=str(figure),
        bound=str(bound),
    )
