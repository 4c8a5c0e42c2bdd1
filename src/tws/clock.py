"""Time and chance as arguments: the protocols, and the real ones.

Two clocks, never mixed (docs/design/architecture.md): `now_ns` is *market time*, UTC, which
a simulation may run faster than life; `monotonic` rules time-outs, heartbeat and back-off
and never scales. Pure code takes instants as integers and asks no clock.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["NS_PER_S", "Clock", "Rng", "SystemClock", "system_rng", "to_datetime", "to_ns"]

NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Where instants come from."""

    def now_ns(self) -> int:
        """Market time: nanoseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps and never scales."""
        ...


class Rng(Protocol):
    """The draws that the code needs; `random.Random` satisfies it."""

    def random(self) -> float: ...
    def uniform(self, a: float, b: float) -> float: ...
    def randint(self, a: int, b: int) -> int: ...
    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float: ...


class SystemClock:
    """The machine's clocks."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()


def system_rng() -> random.Random:
    """Chance that no seed repeats, for back-off jitter in live use."""
    return random.Random()


def to_datetime(ns: int) -> datetime:
    """An aware UTC datetime from nanoseconds since the epoch; digits below a microsecond are cut."""
    seconds, rest = divmod(ns, NS_PER_S)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def to_ns(instant: datetime) -> int:
    """Nanoseconds since the epoch of an aware datetime.

    Raises ValueError for a naive one: a time without a zone is a bug that waits.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone; use an aware datetime")
    whole = instant.replace(microsecond=0)
    return int(whole.timestamp()) * NS_PER_S + instant.microsecond * 1000
