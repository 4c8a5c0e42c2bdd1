"""Series that the tests of this folder run over: random walks from a seed, and bars of the recorded data."""

from __future__ import annotations

import csv
import gzip
import random
from functools import cache
from pathlib import Path

from tws.bars import TimeBars
from tws.clock import NS_PER_S
from tws.model.market import Bar

__all__ = ["RECORDED", "bar", "bars_of", "prints", "recorded", "recorded_ticks", "walk"]

RECORDED = tuple(
    (symbol, f"2013-10-0{day}") for symbol in ("SPY", "IBM", "BAC", "AIG") for day in (7, 8, 9)
)


def bar(
    high: float, low: float, close: float, volume: float = 1.0, wap: float | None = None, at: int = 0
) -> Bar:
    prices = {"open": close, "high": high, "low": low, "close": close, "wap": wap}
    return Bar(time_ns=at * 10 * NS_PER_S, seconds=10, volume=volume, **prices)


def walk(count: int, seed: int = 5) -> list[float]:
    rng = random.Random(seed)
    values, price = [], 100.0
    for _ in range(count):
        price = max(1.0, price + rng.gauss(0, 0.5))
        values.append(round(price, 2))
    return values


def bars_of(values: list[float], seed: int = 6) -> list[Bar]:
    """Bars that close at these prices."""
    rng = random.Random(seed)
    return [
        bar(value + rng.random(), value - rng.random(), value, rng.randint(1, 500), at=place)
        for place, value in enumerate(values)
    ]


@cache
def recorded(folder: Path, symbol: str, day: str, seconds: int = 10) -> list[Bar]:
    """The recorded seconds of a day gathered into bars, extended hours included."""
    rows: dict[int, list[tuple[float, float, float, float, float]]] = {}
    with gzip.open(folder / f"{symbol}-{day}-1s.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            if row["open"]:
                begin = int(row["time_utc_ms"]) // 1000 // seconds * seconds
                numbers = (float(row[name]) for name in ("open", "high", "low", "close", "volume"))
                rows.setdefault(begin, []).append(tuple(numbers))  # type: ignore[arg-type]
    found = []
    for begin, cells in rows.items():
        opens, highs, lows, closes, volumes = zip(*cells, strict=True)
        found.append(
            Bar(time_ns=begin * NS_PER_S, seconds=seconds, open=opens[0], high=max(highs), low=min(lows),
                close=closes[-1], volume=sum(volumes), count=len(cells))
        )  # fmt: skip
    return found


def prints(folder: Path, symbol: str, day: str) -> list[tuple[int, float, float]]:
    """The recorded trades of a day: instant (ns), price, size."""
    with gzip.open(folder / f"{symbol}-{day}-ticks.csv.gz", "rt", newline="") as file:
        return [
            (int(row["time_utc_ms"]) * 1_000_000, float(row["price"]), float(row["size"]))
            for row in csv.DictReader(file)
            if row["kind"] == "trade"
        ]


@cache
def recorded_ticks(folder: Path, symbol: str, day: str, seconds: int = 10) -> list[Bar]:
    """The recorded trades of a day as the builder of bars makes them into bars."""
    builder = TimeBars(seconds)
    found = [builder.trade(*each) for each in prints(folder, symbol, day)]
    return [each for each in [*found, builder.flush()] if each is not None]
