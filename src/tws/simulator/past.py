"""The days before the synthetic market begins: invented, but the same at every asking.

Each earlier day is a random bridge of minutes, drawn from the run's seed, the symbol and the date; it
ends where the next day begins, less a gap, back from the price at which the live market opened. So bars
of any size agree with one another and join the live ones without a step. A replayed market has no such
past: what no file holds is not made up.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import date

from tws.clock import NS_PER_S
from tws.simulator.hours import Day, day_of, local_date, trading_days_before
from tws.simulator.market.synthetic import YEAR_S, profile
from tws.simulator.tape import Row
from tws.simulator.universe import Security

__all__ = ["MAX_DAYS", "SyntheticPast"]

MAX_DAYS = 504
"""Trading days that the past reaches back, about two years; it bounds the work of one request."""


class SyntheticPast:
    """The past of one security: ends at `start_ns` with the price `opening`; `close` was yesterday's last."""

    def __init__(
        self, security: Security, seed: int, start_ns: int, opening: float, close: float, mode: str
    ) -> None:
        self._security = security
        self._seed = seed
        self._start_s = start_ns // NS_PER_S
        self._opening = opening
        self._close = close
        self._mode = mode
        self._today = local_date(start_ns)
        self._days = trading_days_before(self._today, MAX_DAYS, mode)
        self._rows: dict[date, list[Row]] = {}
        self._known = [close]

    @property
    def first_s(self) -> int:
        """Where the past begins."""
        return self._days[-1].open_ns // NS_PER_S

    def rows(self, start_s: int, end_s: int, *, fine: bool) -> Iterator[Row]:
        """Minutes that begin in [start_s, end_s), or five-second stretches of them with `fine`; oldest
        first.
        """
        for index in range(self._deepest(start_s), -1, -1):
            day = self._days[index]
            if day.open_ns // NS_PER_S < end_s:
                yield from self._between(self._day_rows(index), start_s, end_s, fine)
        yield from self._between(self._today_rows(), start_s, end_s, fine)

    def _between(self, rows: list[Row], start_s: int, end_s: int, fine: bool) -> Iterator[Row]:
        for row in rows:
            if row.time_s + 60 <= start_s or row.time_s >= end_s:
                continue
            for part in _fine(row) if fine else (row,):
                if start_s <= part.time_s < end_s:
                    yield part

    def _deepest(self, start_s: int) -> int:
        """The index of the oldest day that reaches behind `start_s`, -1 when none does."""
        depth = -1
        for index, day in enumerate(self._days):
            if day.close_ns // NS_PER_S <= start_s:
                break
            depth = index
        return depth

    def _day_rows(self, index: int) -> list[Row]:
        """The minutes of the `index`-th day back; walks the chain of closes down to it."""
        while len(self._known) <= index:
            chance = self._chance(self._days[len(self._known) - 1], "gap")
            opened = self._day_rows(len(self._known) - 1)[0].open
            self._known.append(max(1.0, opened * math.exp(-0.3 * self._daily() * chance.gauss(0, 1))))
        day = self._days[index]
        if day.date not in self._rows:
            chance = self._chance(day, "day")
            begin = max(1.0, self._known[index] * math.exp(-self._daily() * chance.gauss(0, 1)))
            self._rows[day.date] = self._bridge(day, day.close_ns, begin, self._known[index], chance)
        return self._rows[day.date]

    def _today_rows(self) -> list[Row]:
        """What traded today before the live market began."""
        day = day_of(self._today, self._mode)
        if day is None or day.open_ns // NS_PER_S >= self._start_s:
            return []
        if self._today not in self._rows:
            end_ns = min(day.close_ns, self._start_s * NS_PER_S)
            self._rows[self._today] = self._bridge(
                day, end_ns, self._close, self._opening, self._chance(day, "day")
            )
        return self._rows[self._today]

    def _bridge(self, day: Day, end_ns: int, begin: float, end: float, chance: random.Random) -> list[Row]:
        """Minutes from `begin` to `end`, a random walk pinned at both ends."""
        count = max(1, (end_ns - day.open_ns) // (60 * NS_PER_S))
        sigma = self._security.volatility / math.sqrt(YEAR_S) * math.sqrt(60)
        walk = [0.0]
        for _ in range(count):
            walk.append(walk[-1] + sigma * chance.gauss(0, 1))
        tilt = (math.log(end / begin) - walk[-1]) / count
        prices = [round(begin * math.exp(step + tilt * i), 2) for i, step in enumerate(walk)]
        total = (day.close_ns - day.open_ns) // (60 * NS_PER_S)
        half = self._security.spread / 200
        rows = []
        for i in range(count):
            opened, close = prices[i], prices[i + 1]
            reach = opened * sigma * 0.5
            high = round(max(opened, close) + reach * chance.random(), 2)
            low = round(max(0.01, min(opened, close) - reach * chance.random()), 2)
            volume = (
                int(self._security.volume / total * profile(i / total) * (0.5 + chance.random())) // 100 * 100
                + 100
            )
            rows.append(
                Row(
                    day.open_ns // NS_PER_S + 60 * i,
                    opened,
                    high,
                    low,
                    close,
                    volume,
                    volume * (high + low + close) / 3,
                    max(1, volume // 300),
                    round(close - half, 2),
                    round(close + half, 2),
                )
            )
        return rows

    def _daily(self) -> float:
        return self._security.volatility / math.sqrt(252)

    def _chance(self, day: Day, what: str) -> random.Random:
        return random.Random(f"{self._seed}:{self._security.symbol}:{day.date}:{what}")


def _fine(row: Row) -> Iterator[Row]:
    """A minute as twelve stretches of five seconds along open, high, low, close."""
    corners = (
        (row.open, row.high, row.low, row.close)
        if row.close < row.open
        else (row.open, row.low, row.high, row.close)
    )
    half = (row.ask - row.bid) / 2
    before = row.open
    for i in range(1, 13):
        leg, rest = divmod(i * 3 / 12, 1)
        left = corners[min(int(leg), 3)]
        right = corners[min(int(leg) + 1, 3)]
        price = round(left + (right - left) * rest, 2)
        volume = row.volume // 12
        yield Row(
            row.time_s + 5 * (i - 1),
            before,
            max(before, price),
            min(before, price),
            price,
            volume,
            volume * price,
            max(1, row.prints // 12),
            round(price - half, 2),
            round(price + half, 2),
        )
        before = price
