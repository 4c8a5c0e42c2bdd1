"""A prediction API to try things out on, and for tests: it answers as the real one does, faults included.

    api = DemoApi(SeededPredictions(seed=7), clock, rng, key="...")
    api.answer("GET", "/prediction/latest?ticker=SPY", headers) -> Reply

No socket is here: `tws.signals.demo_server` serves it over HTTP, and hands it to httpx where there is no
network (the simulated world). Predictions change every `window_s` of the clock that was given, so that by the
simulator's clock they belong to the day that is replayed; or they are those of a file, each from its time on.

`play("html", times=3)` makes the next three answers faults; `rates` draws them by chance.
"""

from __future__ import annotations

import hmac
import json
import random
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from tws.clock import NS_PER_S, Clock, Rng, to_datetime
from tws.errors import ConfigError
from tws.model.signal import Signal, Wish

__all__ = ["FAULTS", "DemoApi", "FiledPredictions", "Reply", "SeededPredictions"]

PATH = "/prediction/latest"
WINDOW_S = 60.0  # counted requests are forgotten together, as simple servers do
MAX_FAULTS = 10_000  # that wait to be played

_Body = dict[str, Any]


class Reply(Struct, frozen=True, kw_only=True):
    """What goes back, after `wait_s`. `cut`: so many bytes of the body leave, then the link ends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    cut: int | None = None


class Predictions(Protocol):
    """Where predictions come from."""

    def latest(self, ticker: str, now_ns: int) -> _Body | None:
        """The prediction that holds at `now_ns`; None: the ticker is not known."""
        ...


class SeededPredictions:
    """Drawn by seed, ticker and window: the same at every run. `tickers` None knows any.

    `dated` False leaves out `id` and `timestamp`, as the documented answer does.
    """

    def __init__(
        self, seed: int, tickers: Sequence[str] | None = None, *, window_s: float = 60.0, dated: bool = True
    ) -> None:
        self._seed, self._tickers = seed, None if tickers is None else frozenset(tickers)
        self._window_ns, self._dated = round(window_s * NS_PER_S), dated

    def latest(self, ticker: str, now_ns: int) -> _Body | None:
        if self._tickers is not None and ticker not in self._tickers:
            return None
        window = now_ns // self._window_ns
        draw = random.Random(f"{self._seed}:{ticker}:{window}")
        wishes = (Wish.SHORT, Wish.NEUTRAL, Wish.BUY)
        parts = [draw.random() ** 3 + 1e-3 for _ in wishes]
        chances = [round(part / sum(parts), 6) for part in parts]
        best = max(range(len(wishes)), key=lambda index: chances[index])
        body: _Body = {
            "ticker": ticker,
            "signal": str(wishes[best]),
            "numeric": best - 1,
            "confidence": chances[best],
            "probabilities": chances,
        }
        if self._dated:
            body["id"] = f"{ticker}-{window}"
            body["timestamp"] = to_datetime(window * self._window_ns).isoformat()
        return body


class FiledPredictions:
    """Signals of a file (`tws.signals.read_signals`): of each ticker the latest whose time has come.

    Before its first, a ticker is NEUTRAL since it was first asked for.
    """

    def __init__(self, signals: Sequence[Signal]) -> None:
        self._signals: dict[str, list[Signal]] = {}
        for signal in sorted(signals, key=lambda each: each.time_ns):
            self._signals.setdefault(signal.symbol, []).append(signal)
        self._neutral_ns: dict[str, int] = {}

    def latest(self, ticker: str, now_ns: int) -> _Body | None:
        signals = self._signals.get(ticker)
        if signals is None:
            return None
        index = bisect_right(signals, now_ns, key=lambda each: each.time_ns) - 1
        if index < 0:
            nothing = {"ticker": ticker, "signal": "NEUTRAL", "numeric": 0, "confidence": 0.0}
            since_ns = self._neutral_ns.setdefault(ticker, now_ns)
            return nothing | {"timestamp": to_datetime(since_ns).isoformat()}
        signal = signals[index]
        body: _Body = {
            "ticker": ticker,
            "signal": str(signal.wish),
            "numeric": {Wish.BUY: 1, Wish.NEUTRAL: 0}.get(signal.wish, -1),
            "confidence": signal.confidence,
            "id": signal.signal_id,
            "timestamp": to_datetime(signal.time_ns).isoformat(),
        }
        return body | {
            name: value for name in ("price", "model") if (value := getattr(signal, name)) not in (None, "")
        }


class DemoApi:
    """Answers requests. `per_minute` counts all tickers together; `rates`: fault by its chance.

    `requests` are the latest, as (monotonic seconds, ticker): for a test to look at.
    """

    def __init__(
        self,
        predictions: Predictions,
        clock: Clock,
        rng: Rng,
        *,
        key: str = "demo",
        per_minute: int = 30,
        rates: Mapping[str, float] | None = None,
    ) -> None:
        self.requests: deque[tuple[float, str]] = deque(maxlen=10_000)
        self._predictions, self._clock, self._rng = predictions, clock, rng
        self._key, self._per_minute = key.encode(), per_minute
        self._rates = dict(rates or {})
        for name in self._rates:
            _fault(name)
        self._faults: deque[str] = deque(maxlen=MAX_FAULTS)
        self._window_s = float("-inf")
        self._counted = 0

    def play(self, name: str, times: int = 1) -> None:
        """Make the next answers this fault. Raises ConfigError for one that is not known."""
        _fault(name)
        self._faults.extend([name] * min(times, MAX_FAULTS))

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """What is said to one request. Names of headers in lower case."""
        reply = self._judge(method, target, headers)
        date = format_datetime(to_datetime(self._clock.now_ns()), usegmt=True)
        return replace(reply, headers={"date": date, "content-type": "application/json"} | reply.headers)

    def _judge(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(target)
        if method != "GET" or parts.path != PATH:
            return _error(404, "not found")
        ticker = parse_qs(parts.query).get("ticker", [""])[0]
        self.requests.append((self._clock.monotonic(), ticker))
        if not hmac.compare_digest(headers.get("x-api-key", "").encode(), self._key):
            return _error(401, "invalid API key")
        limits, free = self._count()
        if not free:
            return replace(_error(429, "rate limit exceeded"), headers=limits)
        prediction = self._predictions.latest(ticker, self._clock.now_ns())
        if prediction is None:
            return replace(_error(404, f"unknown ticker {ticker}"), headers=limits)
        body = {"status": "success", "data": {"ticker": ticker, "prediction": prediction}}
        reply = Reply(body=_json(body), headers=limits)
        fault = self._drawn()
        return reply if fault is None else FAULTS[fault](reply, body)

    def _count(self) -> tuple[dict[str, str], bool]:
        """Whether the limit lets one more through; the headers that say how it stands."""
        now_s = self._clock.monotonic()
        if now_s - self._window_s >= WINDOW_S:
            self._window_s, self._counted = now_s, 0
        self._counted += 1
        left_s = self._window_s + WINDOW_S - now_s
        reset = self._clock.now_ns() // NS_PER_S + int(left_s) + 1
        return {
            "x-ratelimit-limit": str(self._per_minute),
            "x-ratelimit-remaining": str(max(0, self._per_minute - self._counted)),
            "x-ratelimit-reset": str(reset),
        }, self._counted <= self._per_minute

    def _drawn(self) -> str | None:
        if self._faults:
            return self._faults.popleft()
        return next((name for name, rate in self._rates.items() if self._rng.random() < rate), None)


def _fault(name: str) -> None:
    if name not in FAULTS:
        raise ConfigError("fault", name, "no such fault", f"Known here: {', '.join(FAULTS)}")


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


def _error(status: int, message: str) -> Reply:
    return Reply(status=status, body=_json({"status": "error", "message": message}))


def _html(reply: Reply, body: _Body) -> Reply:
    page = b"<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>"
    return replace(reply, body=page, headers=reply.headers | {"content-type": "text/html"})


def _half_json(reply: Reply, body: _Body) -> Reply:
    """Half of it, and an honest length: the server wrote no more."""
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _cut(reply: Reply, body: _Body) -> Reply:
    return replace(reply, cut=len(reply.body) // 2)


def _too_many(reply: Reply, body: _Body) -> Reply:
    return replace(_error(429, "rate limit exceeded"), headers=reply.headers | {"x-ratelimit-reset": "1"})


def _changed(change: Callable[[_Body], None]) -> Callable[[Reply, _Body], Reply]:
    """A fault that changes the prediction."""

    def fault(reply: Reply, body: _Body) -> Reply:
        changed = json.loads(_json(body))
        change(changed["data"]["prediction"])
        return replace(reply, body=json.dumps(changed).encode())

    return fault


FAULTS: dict[str, Callable[[Reply, _Body], Reply]] = {
    "html": _html,
    "half-json": _half_json,
    "cut": _cut,
    "empty": lambda reply, body: replace(reply, body=b""),
    "huge": lambda reply, body: replace(reply, body=b" " * 10_000_000 + reply.body),
    "429": _too_many,
    "500": lambda reply, body: replace(_error(500, "internal error"), headers=reply.headers),
    "401": lambda reply, body: replace(_error(401, "invalid API key"), headers=reply.headers),
    "404": lambda reply, body: replace(_error(404, "unknown ticker"), headers=reply.headers),
    "redirect": lambda reply, body: replace(
        reply, status=302, headers=reply.headers | {"location": "http://127.0.0.1:9/elsewhere"}
    ),
    "slow": lambda reply, body: replace(reply, wait_s=60.0),
    "missing": _changed(lambda said: said.pop("confidence")),
    "renamed": _changed(lambda said: said.update(score=said.pop("confidence"))),
    "extra": _changed(lambda said: said.update(horizon="1h")),
    "wrong-type": _changed(lambda said: said.update(confidence=str(said["confidence"]))),
    "too-sure": _changed(lambda said: said.update(confidence=1.7)),
    "nan": _changed(lambda said: said.update(confidence=float("nan"))),
    "future": _changed(lambda said: said.update(timestamp="2999-01-01T00:00:00+00:00")),
    "naive-time": _changed(lambda said: said.update(timestamp="2013-10-07T13:30:00")),
    "other-ticker": _changed(lambda said: said.update(ticker="ZZZZ")),
}
"""What can be played, by its name."""
