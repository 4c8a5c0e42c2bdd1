"""What one HTTP answer of the prediction API means: what is heard, and what is to be done next. Pure.

| answer | heard | then |
|---|---|---|
| 200 with a prediction | the signal | go on |
| 200 with anything else | a refusal that names it | go on; it is counted |
| 3xx | refused: redirected | rest; it is not followed, for the key would go along |
| 401, 403 | refused: key, with the variable's name | rest as long as ever |
| 404 | refused: unknown ticker | that ticker rests, the others go on |
| 429 | refused: rate limited | rest until the server's reset, or by back-off |
| 408, 5xx, time-out, a lost link | refused | try again, a bounded number of times |
| other 4xx | refused: status | go on |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NoReturn

from msgspec import Struct, field

from tws.signals.pace import reset_after_s
from tws.strategy import Reason, Refusal
from tws.strategy.prediction import Prediction, PredictionShape, prediction_from

__all__ = ["Asked", "Fetched", "Next", "judged"]

UNKNOWN_AGAIN_S = 600.0
"""How long a ticker rests that the API does not know: it may be added today, but not at once."""


class Asked(Struct, frozen=True, kw_only=True):
    """What was asked, for the words of a refusal; `key_env` is the variable that holds the key."""

    ticker: str
    key_env: str
    shape: PredictionShape


class Fetched(Struct, frozen=True, kw_only=True):
    """An HTTP answer, read whole. Names of headers in lower case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Next(Struct, frozen=True, kw_only=True):
    """What follows. `retry`: ask the same again, after the back-off. `ticker_rest_s`: this ticker rests.

    `rest`: ask nothing, for `rest_s` if the API says so, else by the back-off, or its longest at once.
    """

    heard: Prediction | Refusal
    retry: bool = False
    rest: bool = False
    rest_s: float | None = None
    longest: bool = False
    ticker_rest_s: float = 0.0

    @property
    def well(self) -> bool:
        """The API answers as an API does, whatever it said of this ticker."""
        return not (self.retry or self.rest)


def judged(fetched: Fetched, asked: Asked, now_ns: int) -> Next:
    """What an answer means."""
    status = fetched.status

    def refused(reason: Reason, text: str) -> Refusal:
        return Refusal(
            reason=reason, text=text, symbol=asked.ticker, time_ns=now_ns, figure=str(status), bound="200"
        )

    if status == 200:
        return Next(heard=_read(fetched, asked, now_ns))
    if 300 <= status < 400:
        text = f"HTTP {status}: not followed, since the key would go along; correct the base URL"
        return Next(heard=refused(Reason.REDIRECT, text), rest=True, longest=True)
    if status in (401, 403):
        text = f"HTTP {status}: the API refuses the key; look at the variable {asked.key_env}"
        return Next(heard=refused(Reason.KEY, text), rest=True, longest=True)
    if status == 404:
        text = f"HTTP 404: the API does not know {asked.ticker}, or has no such path"
        return Next(heard=refused(Reason.UNKNOWN_TICKER, text), ticker_rest_s=UNKNOWN_AGAIN_S)
    if status == 429:
        rest_s = reset_after_s(fetched.headers, now_ns)
        how = "does not say until when" if rest_s is None else f"says to wait {rest_s:.0f} s"
        heard = refused(Reason.RATE_LIMIT, f"HTTP 429: too many requests; the API {how}")
        return Next(heard=heard, rest=True, rest_s=rest_s)
    heard = refused(Reason.STATUS, f"HTTP {status}{_said(fetched)}")
    return Next(heard=heard, retry=status >= 500 or status == 408)


def _read(fetched: Fetched, asked: Asked, now_ns: int) -> Prediction | Refusal:
    """The prediction in a body, or what is there instead."""

    def refused(reason: Reason, text: str) -> Refusal:
        return Refusal(reason=reason, text=text, symbol=asked.ticker, time_ns=now_ns)

    body = fetched.body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        return refused(Reason.EMPTY, "the body is empty")
    if body.startswith(b"<"):
        return refused(Reason.HTML, f"HTML or XML came: {_words(body)}")
    try:
        raw = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as wrong:  # UnicodeDecodeError is a ValueError
        return refused(Reason.NOT_JSON, f"no JSON, or not all of it: {wrong}")
    return prediction_from(raw, asked.ticker, asked.shape, now_ns)


def _said(fetched: Fetched) -> str:
    words = _words(fetched.body)
    return f": {words}" if words else ""


def _words(body: bytes) -> str:
    """The beginning of a body, fit for one line."""
    return "".join(sign if sign.isprintable() else " " for sign in body[:80].decode(errors="replace")).strip()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
