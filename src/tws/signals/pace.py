"""How often an API may be asked: so many requests a minute over all tickers, spread evenly.

A bucket of one token: the next request may leave one interval after the one before, so that a minute never
holds a burst, and a server that counts in windows of any kind sees no more than its limit. What the server
says of its own limit (429, `X-RateLimit-Reset`, `Retry-After`) goes before ours: `rest` until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from tws.clock import NS_PER_S, Clock

__all__ = ["Bucket", "Pace", "reset_after_s"]

SPARE = 1.02
"""The interval's margin: within a minute two requests may drift together by 1.2 s of network delay."""
MOST_REST_S = 3600.0
"""The longest rest that a header can order: a slip of the server must not silence a source for a day."""


class Pace:
    """Shared by all who ask one API with one key. `clock.monotonic` rules; waiting is asyncio's."""

    def __init__(self, per_minute: float, clock: Clock) -> None:
        self._interval_s = 0.0
        self.no_more_than(per_minute)
        self._clock = clock
        self._next_s = 0.0
        self._rest_until_s = 0.0
        self._turn = asyncio.Lock()  # first come, first served

    def no_more_than(self, per_minute: float) -> None:
        """Another who shares it has a lower limit."""
        self._interval_s = max(self._interval_s, 60.0 / per_minute * SPARE)

    async def turn(self) -> None:
        """Wait until a request may leave, and take its place."""
        async with self._turn:
            while (wait_s := self._wait_s()) > 0:  # noqa: ASYNC110 - again, since a rest may begin meanwhile
                await asyncio.sleep(wait_s)
            self._next_s = self._clock.monotonic() + self._interval_s

    def _wait_s(self) -> float:
        return max(self._next_s, self._rest_until_s) - self._clock.monotonic()

    def rest(self, seconds: float) -> None:
        """Ask nothing for so long; the longest of several holds."""
        until_s = self._clock.monotonic() + min(seconds, MOST_REST_S)
        self._rest_until_s = max(self._rest_until_s, until_s)

    @property
    def resting_s(self) -> float:
        """How long nothing will be asked, as of now."""
        return max(0.0, self._rest_until_s - self._clock.monotonic())


class Bucket:
    """The other end: how often others may ask us. `burst` at once, `per_minute` in the long run."""

    def __init__(self, per_minute: float, burst: int, clock: Clock) -> None:
        self._rate_s, self._burst, self._clock = per_minute / 60.0, float(burst), clock
        self._tokens, self._at_s = float(burst), clock.monotonic()

    def wait_s(self) -> float:
        """0: one may come, and is counted; else how long until one may."""
        now_s = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._rate_s)
        self._at_s = now_s
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate_s
        self._tokens -= 1
        return 0.0


def reset_after_s(headers: Mapping[str, str], now_ns: int) -> float | None:
    """How long a 429 asks us to wait, by its headers (lower-case names); None: it does not say.

    `X-RateLimit-Reset` holds an epoch or seconds from now; both are in use, and no epoch is below 2001's. An
    epoch is the server's: it is read against the server's own `Date` where that is given.
    """
    text = headers.get("x-ratelimit-reset", "").strip()
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e11:  # neither; not a number compares false too
        return _retry_after_s(headers, now_ns)
    return value if value < 1e9 else max(0.0, value - _server_s(headers, now_ns))


def _retry_after_s(headers: Mapping[str, str], now_ns: int) -> float | None:
    """`Retry-After` (RFC 9110): seconds, or a date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        return float(text)
    at_s = _date_s(text)
    return None if at_s is None else max(0.0, at_s - _server_s(headers, now_ns))


def _server_s(headers: Mapping[str, str], now_ns: int) -> float:
    at_s = _date_s(headers.get("date", ""))
    return now_ns / NS_PER_S if at_s is None else at_s


def _date_s(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
