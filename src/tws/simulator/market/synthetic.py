"""A seeded random market: `updates_per_s` updates per symbol and second, U-shaped over the day.

Each symbol has its own stream of chance, seeded by the run's seed and its name, so its path does not
depend on which other symbols trade. A fair price takes one Gaussian step a second around a drift that
changes every quarter of an hour or so; the quote stands around it; prints happen at bid or ask. Currencies
speak twice as often as the rest (TWS-BEHAVIOUR.md B), an index prints without quotes, and what stands on
another instrument of the same market (options, CFDs, futures on a listed index) has no path of its own: it
is derived when somebody asks (`tws.simulator.market.derived`). Volume
and movement are high at the open and the close (profile below). Symbols speak at their own fixed
instants.

With hours "exchange" the day follows the calendar: thin and wide before 09:30 and after 16:00, silent
at night, a gap at the open. With "always" there is one endless, even day.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from tws.clock import NS_PER_S
from tws.simulator.grid import grid_of
from tws.simulator.hours import Day, day_of, local_date
from tws.simulator.market.base import MarketUpdate
from tws.simulator.universe import Security

__all__ = ["SyntheticMarket"]

MS = 1_000_000
YEAR_S = 252 * 23_400
"""Seconds of trading in a year, over which the annual volatility is spread."""
THIN_EVERY_S = 15
"""Outside regular hours a symbol speaks this seldom."""
DRIFT_CHANGE = 1 / 900
FLOOR = 200.0
"""No path falls below so many ticks, nor below four spreads."""


def profile(fraction: float) -> float:
    """Activity at a fraction (0..1) of the session, 1 on average: a parabola, highest at both ends."""
    return 0.55 + 1.35 * (2 * fraction - 1) ** 2


class _Path:
    """One symbol's price and quote, stepped `rate` times a second."""

    def __init__(self, security: Security, seed: int, rate: int) -> None:
        self.con_id = security.con_id
        self.grid = grid_of(security.tick, security.lot)
        self.random = random.Random(f"{seed}:{security.symbol}{_apart(security)}")
        self.rate = rate
        self.part = 1 / rate
        self.fair = security.price * self.grid.per_unit * (1 + 0.01 * self.random.gauss(0, 1))
        self.floor = min(self.fair / 2, max(FLOOR, security.spread * 4.0))
        self.sigma = security.volatility / math.sqrt(YEAR_S)
        self.drift = 0.0
        self.spread = security.spread
        self.is_index = security.sec_type == "IND"
        self.unit = max(1, round(float(security.suggested_size / security.lot)))
        self.trade_chance = min(0.9, security.volume / 23_400 / (4 * self.unit))
        self.mean_units = max(1.0, security.volume / 23_400 / max(self.trade_chance, 0.05) / self.unit)

    def gap(self) -> None:
        """The move between two days, about half a day's volatility."""
        self.fair *= math.exp(self.sigma * math.sqrt(23_400) * 0.5 * self.random.gauss(0, 1))

    def step(self, time_ns: int, activity: float, thin: bool) -> MarketUpdate:
        """The next instant: `activity` scales movement and prints, `thin` widens the quote."""
        chance = self.random.random
        part, unit = self.part, self.unit
        draw = chance()
        if draw < DRIFT_CHANGE * part:
            self.drift = self.random.gauss(0, 0.06) * self.sigma
        root = math.sqrt(activity * part)
        self.fair = max(
            self.floor, self.fair * (1 + self.drift * part + self.sigma * root * self.random.gauss(0, 1))
        )
        if self.is_index:
            return MarketUpdate(time_ns, self.con_id, 0, 0, 0, 0, self.grid.price(int(self.fair + 0.5)))
        spread = self.spread * 6 if thin else self.spread
        if draw > 0.9:
            spread += 1
        bid = int(self.fair - spread / 2 + 0.5)
        ask = bid + spread
        wild = chance()
        bid_size = unit + unit * int(wild * 12)
        ask_size = unit + unit * int((wild * 97) % 1 * 12)
        if chance() < self.trade_chance * activity * part * (0.1 if thin else 1.0):
            side = chance()
            lots = max(1, int(-math.log(1 - chance()) * self.mean_units * math.sqrt(activity) * unit))
            if side < 0.8:
                lots = lots // unit * unit or unit
            price = self.grid.price(bid if side < 0.5 else ask)
            return MarketUpdate(time_ns, self.con_id, bid, bid_size, ask, ask_size, price, lots)
        return MarketUpdate(time_ns, self.con_id, bid, bid_size, ask, ask_size)


def _apart(security: Security) -> str:
    """What keeps the chances of instruments of one symbol apart; nothing for a stock."""
    if security.sec_type == "STK":
        return ""
    return f":{security.sec_type}:{security.local_symbol}:{security.currency}"


class SyntheticMarket:
    """A `Market` drawn from a seed.

    `start_ns` is rounded down to the second. `end_ns` None: endless. `mode` is "always" or "exchange".
    """

    def __init__(
        self,
        securities: Sequence[Security],
        *,
        seed: int,
        start_ns: int,
        end_ns: int | None = None,
        mode: Literal["always", "exchange"] = "always",
        updates_per_s: int = 1,
    ) -> None:
        asked = {security.con_id for security in securities}
        self.listings = tuple(s for s in securities if s.under_con_id not in asked)
        self.start_ns = start_ns - start_ns % NS_PER_S
        self._end_ns = end_ns
        self._mode = mode
        self._seed = seed
        self._second = self.start_ns
        rates = [
            updates_per_s * (2 if s.sec_type == "CASH" and updates_per_s > 1 else 1) for s in self.listings
        ]
        self._paths = [_Path(s, seed, rate) for s, rate in zip(self.listings, rates, strict=True)]
        self._opening = {path.con_id: path.fair * path.grid.tick for path in self._paths}
        self._schedule = _schedule(self._paths, updates_per_s)
        first = {path.con_id: (phase_ns, path) for phase_ns, path in reversed(self._schedule)}
        self._first = sorted(first.values(), key=lambda one: one[0])
        self._digits = {path.con_id: path.grid.digits for path in self._paths}
        self._ready: list[MarketUpdate] = []
        self._taken = 0
        self._day: Day | None = None

    def previous_close(self, con_id: int) -> float | None:
        opening = self._opening.get(con_id)
        if opening is None:
            return None
        chance = random.Random(f"{self._seed}:{con_id}:gap")
        return round(opening * (1 + 0.004 * chance.gauss(0, 1)), self._digits[con_id])

    def opening(self, con_id: int) -> float | None:
        return self._opening.get(con_id)

    def next_ns(self) -> int | None:
        if self._taken >= len(self._ready):
            self._fill()
        return self._ready[self._taken].time_ns if self._taken < len(self._ready) else None

    def take(self, until_ns: int) -> list[MarketUpdate]:
        taken: list[MarketUpdate] = []
        while True:
            if self._taken >= len(self._ready):
                if self._second > until_ns:
                    return taken
                self._fill()
                if not self._ready:
                    return taken
            ready = self._ready
            if ready[-1].time_ns <= until_ns:
                taken += ready[self._taken :] if self._taken else ready
                self._ready, self._taken = [], 0
                continue
            while ready[self._taken].time_ns <= until_ns:
                taken.append(ready[self._taken])
                self._taken += 1
            return taken

    def _fill(self) -> None:
        """Draw the next second in which anybody speaks into `_ready`; leave it empty when the market is
        over.
        """
        self._ready, self._taken = [], 0
        while not self._ready and self._paths:
            if self._end_ns is not None and self._second >= self._end_ns:
                return
            day = self._today()
            if day is None:
                return
            thin = not day.open_ns <= self._second < day.close_ns
            self._ready = self._draw(day, thin)
            self._second += NS_PER_S

    def _today(self) -> Day | None:
        """The day of the next second, skipping the time in which the market is closed."""
        day = self._day
        if day is not None and self._second < day.post_ns:
            return day
        date = local_date(self._second)
        for offset in range(15):
            day = day_of(date + timedelta(days=offset), self._mode)
            if day is not None and self._second < day.post_ns:
                break
        else:
            return None
        if self._day is not None and self._mode == "exchange":
            for path in self._paths:
                path.gap()
        self._day = day
        self._second = max(self._second, day.pre_ns)
        return day

    def _draw(self, day: Day, thin: bool) -> list[MarketUpdate]:
        second = self._second
        if self._mode == "always":
            return [path.step(second + phase_ns, 1.0, False) for phase_ns, path in self._schedule]
        if thin:
            turn = second // NS_PER_S
            return [
                path.step(second + phase_ns, 0.3 * path.rate, True)
                for i, (phase_ns, path) in enumerate(self._first)
                if (turn + i) % THIN_EVERY_S == 0
            ]
        activity = profile((second - day.open_ns) / (day.close_ns - day.open_ns))
        return [path.step(second + phase_ns, activity, False) for phase_ns, path in self._schedule]


def _schedule(paths: Sequence[_Path], updates_per_s: int) -> list[tuple[int, _Path]]:
    """Who speaks when within a second, ns: each at its own offset, in equal steps."""
    gap = NS_PER_S // updates_per_s // (len(paths) + 1) // MS * MS or MS
    found = []
    for index, path in enumerate(paths):
        step = NS_PER_S // path.rate
        found += [((index + 1) * gap % step + turn * step, path) for turn in range(path.rate)]
    return sorted(found, key=lambda one: one[0])
