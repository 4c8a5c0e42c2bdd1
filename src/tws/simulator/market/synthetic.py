"""A seeded random market: `updates_per_s` updates per symbol and second, U-shaped over the day.

Each symbol has its own stream of chance, seeded by the run's seed and its name, so its path does not
depend on which other symbols trade. A fair price takes one Gaussian step a second around a drift that
changes every quarter of an hour or so; the quote stands around it; prints happen at bid or ask. Currencies
speak twice as often as the rest (TWS-BEHAVIOUR.md B), an index prints without quotes, and what stands on
another instrument (options, CFDs) has no path of its own: it is derived (`tws.simulator.market.derived`).

`follow` lets a further instrument begin to speak while the market runs. What it did since the market began is
then made up in minutes, so its history has no hole. Volume
and movement are high at the open and the close (profile below). Symbols speak at their own fixed
instants.

With hours "exchange" each instrument follows the calendar of its own hours (`tws.simulator.hours`): thin and
wide outside the liquid ones, silent when closed, a gap between two days. With "always" there is one
endless, even day.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from tws.clock import NS_PER_S
from tws.simulator.grid import grid_of
from tws.simulator.market.base import DERIVED, QUOTED, Begun, MarketUpdate, Row
from tws.simulator.market.weeks import Week, profile
from tws.simulator.universe import Security

__all__ = ["SyntheticMarket", "profile"]

MS = 1_000_000
YEAR_S = 252 * 23_400
"""Seconds of trading in a year, over which the annual volatility is spread."""
THIN_EVERY_S = 15
"""Outside regular hours a symbol speaks this seldom."""
DRIFT_CHANGE = 1 / 900
FLOOR = 200.0
"""No path falls below so many ticks, nor below four spreads."""


LONG = 20_000
"""So many minutes at most are made up for who is followed late."""


class _Path:
    """One symbol's price and quote, stepped `rate` times a second."""

    def __init__(self, security: Security, seed: int, rate: int) -> None:
        self.con_id = security.con_id
        self.hours = security.hours
        self.grid = grid_of(security.tick, security.lot)
        self.random = random.Random(f"{seed}:{security.symbol}{_apart(security)}")
        self.rate = rate
        self.part = 1 / rate
        self.fair = security.price * self.grid.per_unit * (1 + 0.01 * self.random.gauss(0, 1))
        self.opening = self.fair * self.grid.tick
        self.floor = min(self.fair / 2, max(FLOOR, security.spread * 4.0))
        self.sigma = security.volatility / math.sqrt(YEAR_S)
        self.drift = 0.0
        self.spread = security.spread
        self.is_index = security.sec_type == "IND"
        self.unit = unit_of(security)
        volume = security.lots_a_day / 23_400 * (security.sec_type not in QUOTED)
        self.trade_chance = min(0.9, volume / (4 * self.unit))
        self.mean_units = max(1.0, volume / max(self.trade_chance, 0.05) / self.unit)

    def minute(self, time_s: int) -> Row:
        """A minute that passed before anybody followed it."""
        chance, price = self.random.gauss, self.grid.price
        opened = self.fair
        reach = self.sigma * math.sqrt(60) * opened
        self.fair = max(self.floor, opened + reach * chance(0, 1))
        first, last = int(opened + 0.5), int(self.fair + 0.5)
        high = max(first, last) + int(abs(chance(0, 0.4)) * reach)
        low = max(1, min(first, last) - int(abs(chance(0, 0.4)) * reach))
        bid = last - max(1, self.spread // 2)
        quote = (0.0, 0.0) if self.is_index else (price(bid), price(bid + self.spread))
        if not self.is_index and not self.trade_chance:
            return Row(time_s, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0, *quote)
        volume = int(self.trade_chance * self.mean_units * 60) * self.unit
        count = max(1, int(self.trade_chance * 60))
        value = volume * price(last)
        return Row(time_s, price(first), price(high), price(low), price(last), volume, value, count, *quote)

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


def unit_of(security: Security) -> int:
    """The lots in which an instrument is mostly quoted."""
    if security.sec_type == "CASH":
        return 500_000
    usual = Decimal("0.05") if security.lot < 1 else security.suggested_size
    return max(1, round(usual / security.lot))


def _apart(security: Security) -> str:
    """What keeps the chances of instruments of one symbol apart; nothing for a US stock."""
    if security.sec_type == "STK" and security.currency == "USD":
        return ""
    return f":{security.sec_type}:{security.local_symbol}:{security.currency}"


class SyntheticMarket:
    """A `Market` drawn from a seed.

    `start_ns` is rounded down to the second. `end_ns` None: endless. `mode` is "always" or "exchange".
    `more`: whether others than `securities` may be followed.
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
        more: bool = True,
    ) -> None:
        self.listings = tuple(s for s in securities if s.sec_type not in DERIVED)
        self.start_ns = start_ns - start_ns % NS_PER_S
        self._end_ns = end_ns
        self._mode = mode
        self._seed = seed
        self._updates_per_s = updates_per_s
        self._more = more
        self._second = self.start_ns
        self._paths: dict[int, _Path] = {}  # by conId
        self._schedule: list[tuple[int, _Path]] = []
        self._first: list[tuple[int, _Path]] = []
        self._ready: list[MarketUpdate] = []
        self._taken = 0
        self._weeks: dict[str, Week] = {}
        gap = NS_PER_S // updates_per_s // (len(self.listings) + 1) // MS * MS or MS
        for index, security in enumerate(self.listings):
            self._add(security, (index + 1) * gap)

    def _add(self, security: Security, phase_ns: int) -> _Path:
        """A path that speaks from now on, first at `phase_ns` within a second, then in equal steps."""
        twice = security.sec_type == "CASH" and self._updates_per_s > 1
        path = _Path(security, self._seed, self._updates_per_s * (2 if twice else 1))
        self._paths[path.con_id] = path
        self._weeks.setdefault(path.hours, Week(path.hours))
        step = NS_PER_S // path.rate
        self._first.append((phase_ns % step, path))
        self._schedule += [(phase_ns % step + turn * step, path) for turn in range(path.rate)]
        self._schedule.sort(key=lambda one: one[0])
        self._first.sort(key=lambda one: one[0])
        return path

    def can_follow(self, security: Security) -> bool:
        return self._more and security.sec_type not in DERIVED and not security.ineligible

    def follow(self, security: Security, now_ns: int) -> Begun | None:
        if not self.can_follow(security) or security.con_id in self._paths:
            return None
        path = self._add(security, security.con_id * 7919 % 1000 * MS)
        week = Week(path.hours)
        rows = []
        for time_s in range(-(-self.start_ns // (60 * NS_PER_S)) * 60, now_ns // (60 * NS_PER_S) * 60, 60):
            if self._mode == "always" or week.state(time_s * NS_PER_S) is not None:
                rows.append(path.minute(time_s))
        if len(rows) > LONG:
            del rows[:-LONG]
        return Begun(tuple(rows), path.step(now_ns, 1.0, False))

    def previous_close(self, con_id: int) -> float | None:
        path = self._paths.get(con_id)
        if path is None:
            return None
        chance = random.Random(f"{self._seed}:{con_id}:gap")
        close = path.opening * (1 + 0.004 * chance.gauss(0, 1))
        return path.grid.price(max(1, path.grid.ticks(close)))

    def opening(self, con_id: int) -> float | None:
        path = self._paths.get(con_id)
        return None if path is None else path.opening

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
            if self._mode == "always":
                second = self._second
                self._ready = [path.step(second + phase_ns, 1.0, False) for phase_ns, path in self._schedule]
            elif not self._draw():
                return
            self._second += NS_PER_S

    def _draw(self) -> bool:
        """A second by the calendars; skips the time in which all are closed. False when that never ends."""
        states = {name: week.state(self._second) for name, week in self._weeks.items()}
        if not any(states.values()):
            opens = [week.opens_ns(self._second) for week in self._weeks.values()]
            found = [at for at in opens if at is not None]
            if not found:
                return False
            self._second = min(found) - min(found) % NS_PER_S
            states = {name: week.state(self._second) for name, week in self._weeks.items()}
        for path in self._paths.values():
            if self._weeks[path.hours].turned:
                path.gap()
        second, turn = self._second, self._second // NS_PER_S
        sparse = {
            id(path)
            for i, (_, path) in enumerate(self._first)
            if (state := states[path.hours]) is not None and state.thin and (turn + i) % THIN_EVERY_S == 0
        }
        for phase_ns, path in self._schedule:
            state = states[path.hours]
            if state is None:
                continue
            if not state.thin:
                self._ready.append(path.step(second + phase_ns, state.activity, False))
            elif id(path) in sparse:
                sparse.discard(id(path))
                self._ready.append(path.step(second + phase_ns, state.activity * path.rate, True))
        return True
