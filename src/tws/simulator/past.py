"""The time before the synthetic market begins: invented, but the same at every asking.

A chain of trading days is walked backwards from the price at which the live market opened; each day is a
`_Summary` of open, high, low, close and volume, drawn from the run's seed, the symbol and the date. Twenty
years of them cost little. Minutes are drawn only for the days that somebody asks for: a random bridge from
the day's open to its close that touches its high and its low, its volumes summing to the day's. Finer
stretches run along each minute's open, high, low, close. So bars of all sizes agree with one another,
but for the volume-weighted price, which is each bar's own, and they join the live market without a step.

A derived instrument (option, far future, CFD) has no chance of its own: `derived_rows` reprices what its
underlying did. A replayed market has no such past: what no file holds is not made up.
"""

from __future__ import annotations

import math
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import partial

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator.grid import Grid, grid_of
from tws.simulator.hours import TEMPLATES, Day, day_of, local_date
from tws.simulator.market.base import QUOTED
from tws.simulator.market.derived import Derived
from tws.simulator.market.synthetic import YEAR_S, profile, unit_of
from tws.simulator.tape import Row
from tws.simulator.universe import Security

__all__ = ["KEPT_DAYS", "YEARS", "Minutes", "PastRow", "SyntheticPast", "derived_rows"]

YEARS = 20
"""How far the past reaches back."""
KEPT_DAYS = 64
"""Days whose minutes are kept, of all instruments together: up to half a megabyte each, when trading never
stops. Others are drawn again.
"""
DAY_S = 86_400
FLOOR_TICKS = 20
"""No invented price falls below so many ticks."""
PULL = 0.001
"""So strongly the chain of days is drawn to the present price, or twenty years of chance would leave it."""
PRINT_UNITS = 3
"""A print of the past is so many times the usual size (invented)."""
UNDER_LOTS = 1000
"""So many lots of an underlying trade for one of what is derived from it (invented)."""


class PastRow(Row):
    """A row whose prices are those of a whole stretch, so that its quotes moved as its prints did."""

    __slots__ = ()


class _Summary(Struct, frozen=True):
    """One day in currency; volume in lots."""

    day: Day
    open: float
    high: float
    low: float
    close: float
    volume: int


class Minutes:
    """Drawn minutes by conId and day, those asked for last. The pasts of a simulator share one."""

    def __init__(self) -> None:
        self._days: OrderedDict[tuple[int, date], list[PastRow]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._days)

    def of(self, con_id: int, day: date, draw: Callable[[], list[PastRow]]) -> list[PastRow]:
        """A day's minutes, drawn when they are not kept."""
        key = (con_id, day)
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = draw()
            if len(self._days) > KEPT_DAYS:
                self._days.popitem(last=False)
        else:
            self._days.move_to_end(key)
        return found


class SyntheticPast:
    """The past of one security: it ends at `start_ns` at `opening`; `close` was yesterday's last price."""

    def __init__(
        self, security: Security, seed: int, start_ns: int, opening: float, close: float, mode: str,
        minutes: Minutes | None = None,
    ) -> None:  # fmt: skip
        self._security = security
        self._seed = seed
        self._start_s = start_ns // NS_PER_S
        self._opening = opening
        self._close = close
        self._mode = mode
        self._grid = grid_of(security.tick, security.lot)
        self._print_lots = PRINT_UNITS * unit_of(security)
        self._today = local_date(start_ns, TEMPLATES[security.hours].zone)
        self._oldest = self._today - timedelta(days=round(YEARS * 365.25))
        self._chain: list[_Summary] = []
        self._minutes = Minutes() if minutes is None else minutes

    @property
    def first_s(self) -> int:
        """Where the past begins."""
        day = self._oldest
        while (known := day_of(day, self._mode, self._security.hours)) is None:
            day += timedelta(days=1)
        return known.open_ns // NS_PER_S

    def rows(self, start_s: int, end_s: int, size_s: int) -> Iterator[Row]:
        """What began in [start_s, end_s), oldest first, in rows fit for bars of `size_s` seconds: days,
        minutes, five seconds or single ones.
        """
        for summary in reversed(self._since(start_s)):
            opened_s = summary.day.open_ns // NS_PER_S
            if opened_s >= end_s:
                continue
            if size_s >= DAY_S:
                yield self._row(opened_s, summary, summary.volume)
            else:
                yield from self._between(self._day_minutes(summary), start_s, end_s, size_s)
        today = self._today_minutes()
        yield from self._between(today, start_s, end_s, min(size_s, DAY_S))

    def _between(self, rows: Iterable[PastRow], start_s: int, end_s: int, size_s: int) -> Iterator[Row]:
        for row in rows:
            if row.time_s + 60 <= start_s or row.time_s >= end_s:
                continue
            for part in (row,) if size_s >= 60 else self._fine(row, 1 if size_s < 5 else 5):
                if start_s <= part.time_s < end_s:
                    yield part

    # -- days -------------------------------------------------------------------------------------

    def _since(self, start_s: int) -> list[_Summary]:
        """The days that end after `start_s`, latest first."""
        chain = self._chain
        while not chain or chain[-1].day.close_ns // NS_PER_S > start_s:
            earlier = self._earlier_day(chain[-1].day.date if chain else self._today)
            if earlier is None:
                break
            chain.append(self._summary(earlier, chain[-1] if chain else None))
        return [one for one in chain if one.day.close_ns // NS_PER_S > start_s]

    def _earlier_day(self, day: date) -> Day | None:
        while day > self._oldest:
            day -= timedelta(days=1)
            known = day_of(day, self._mode, self._security.hours)
            if known is not None:
                return known
        return None

    def _summary(self, day: Day, later: _Summary | None) -> _Summary:
        """A day that ends where the later one begins, less a gap."""
        chance, sigma = self._chance(day.date, "day"), self._daily()
        close = self._close
        if later is not None:
            pull = PULL * math.log(later.open / self._opening)
            close = self._on_grid(later.open * math.exp(-0.3 * sigma * chance.gauss(0, 1) - pull))
        opened = self._on_grid(close * math.exp(-sigma * chance.gauss(0, 1)))
        reach = 0.4 * sigma
        high = self._on_grid(max(opened, close) * math.exp(reach * abs(chance.gauss(0, 1))))
        low = self._on_grid(min(opened, close) * math.exp(-reach * abs(chance.gauss(0, 1))))
        volume = int(self._security.lots_a_day * (0.5 + chance.random()))
        return _Summary(day, opened, high, low, close, volume)

    # -- minutes ----------------------------------------------------------------------------------

    def _day_minutes(self, summary: _Summary) -> list[PastRow]:
        draw = partial(self._bridge, summary, summary.day.close_ns)
        return self._minutes.of(self._security.con_id, summary.day.date, draw)

    def _today_minutes(self) -> list[PastRow]:
        """What traded today before the live market began."""
        day = day_of(self._today, self._mode, self._security.hours)
        if day is None or day.open_ns // NS_PER_S >= self._start_s:
            return []
        return self._minutes.of(self._security.con_id, self._today, partial(self._draw_today, day))

    def _draw_today(self, day: Day) -> list[PastRow]:
        end_ns = min(day.close_ns, self._start_s * NS_PER_S)
        reach = self._grid.tick * 2
        high, low = max(self._close, self._opening) + reach, min(self._close, self._opening) - reach
        passed = (end_ns - day.open_ns) / (day.close_ns - day.open_ns)
        volume = int(self._security.lots_a_day * passed)
        opening = self._on_grid(self._opening)
        whole = _Summary(day, self._close, self._on_grid(high), self._on_grid(low), opening, volume)
        return self._bridge(whole, end_ns)

    def _bridge(self, day: _Summary, end_ns: int) -> list[PastRow]:
        """Minutes from open to close: a random walk pinned at both ends that touches high and low."""
        begin_s = day.day.open_ns // NS_PER_S
        count = max(1, (end_ns // NS_PER_S - begin_s) // 60)
        chance = self._chance(day.day.date, "minutes")
        sigma = self._security.volatility / math.sqrt(YEAR_S) * math.sqrt(60)
        walk = [0.0]
        for _ in range(count):
            walk.append(walk[-1] + sigma * chance.gauss(0, 1))
        tilt = (math.log(day.close / day.open) - walk[-1]) / count
        prices = [
            self._on_grid(min(day.high, max(day.low, day.open * math.exp(step + tilt * i))))
            for i, step in enumerate(walk)
        ]
        weights = [profile(i / count) * (0.5 + chance.random()) for i in range(count)]
        volumes = _shares(day.volume, weights)
        top = max(range(count), key=lambda i: max(prices[i], prices[i + 1]))
        bottom = min(range(count), key=lambda i: min(prices[i], prices[i + 1]))
        rows = []
        for i in range(count):
            opened, close = prices[i], prices[i + 1]
            reach = opened * sigma * 0.5
            high = self._on_grid(min(day.high, max(opened, close) + reach * chance.random()))
            low = self._on_grid(max(day.low, min(opened, close) - reach * chance.random()))
            high, low = max(high, opened, close), min(low, opened, close)
            minute = _Summary(
                day.day, opened, day.high if i == top else high, day.low if i == bottom else low, close, 0
            )
            rows.append(self._row(begin_s + 60 * i, minute, volumes[i]))
        return rows

    def _fine(self, row: PastRow, step_s: int) -> Iterator[PastRow]:
        """A minute as stretches of `step_s` seconds along open, high, low, close."""
        between = (row.high, row.low) if row.close < row.open else (row.low, row.high)
        corners = (row.open, *between, row.close)
        count, before = 60 // step_s, row.open
        volumes = _shares(row.volume, [1.0] * count)
        for i in range(1, count + 1):
            leg, rest = divmod(i * 3 / count, 1)
            left, right = corners[min(int(leg), 3)], corners[min(int(leg) + 1, 3)]
            price = self._on_grid(left + (right - left) * rest)
            part = _Summary(_NO_DAY, before, max(before, price), min(before, price), price, 0)
            yield self._row(row.time_s + step_s * (i - 1), part, volumes[i - 1])
            before = price

    # -- parts ------------------------------------------------------------------------------------

    def _row(self, time_s: int, part: _Summary, volume: int) -> PastRow:
        """A row with its quote around the last price; nothing is printed where the type only quotes."""
        security, grid = self._security, self._grid
        index, quoted = security.sec_type == "IND", security.sec_type in QUOTED
        if index or quoted:
            volume = 0
        bid = grid.ticks(part.close) - security.spread // 2
        typical = (part.high + part.low + part.close) / 3
        return PastRow(
            time_s, part.open, part.high, part.low, part.close, volume, volume * typical,
            0 if quoted else max(1, volume // self._print_lots),
            0.0 if index else grid.price(bid), 0.0 if index else grid.price(bid + security.spread),
        )  # fmt: skip

    def _on_grid(self, price: float) -> float:
        grid = self._grid
        return grid.price(max(FLOOR_TICKS, grid.ticks(price)))

    def _daily(self) -> float:
        return self._security.volatility / math.sqrt(252)

    def _chance(self, day: date, what: str) -> random.Random:
        return random.Random(f"{self._seed}:{self._security.symbol}:{day}:{what}")


def derived_rows(rows: Iterable[Row], derived: Derived, grid: Grid) -> Iterator[Row]:
    """What an instrument did while its underlying did this; a falling price is a put's rise.

    One lot is printed for `UNDER_LOTS` of the underlying's.
    """
    for row in rows:
        under = row if row.open or not row.bid else _quoted(row)
        if not under.close:
            continue
        now_ns = row.time_s * NS_PER_S
        opened, high, low, close = (
            grid.price(max(1, grid.ticks(derived.value(price, now_ns))))
            for price in (under.open, under.high, under.low, under.close)
        )
        high, low = max(high, low), min(high, low)
        volume = row.volume // UNDER_LOTS
        bid = max(1, grid.ticks(close) - derived.security.spread // 2)
        yield PastRow(
            row.time_s, opened, high, low, close, volume, volume * close, min(row.prints, max(1, volume)),
            grid.price(bid), grid.price(bid + max(1, derived.security.spread)),
        )  # fmt: skip


def _quoted(row: Row) -> Row:
    """A row without prints, its middle in place of them."""
    middle = (row.bid + row.ask) / 2
    return row._replace(open=middle, high=middle, low=middle, close=middle)


def _shares(total: int, weights: list[float]) -> list[int]:
    """`total` in whole parts by weight, summing to it exactly."""
    whole, done, given, parts = sum(weights), 0.0, 0, []
    for weight in weights:
        done += weight
        upto = round(total * done / whole)
        parts.append(upto - given)
        given = upto
    return parts


_NO_DAY = Day(date.min, 0, 0, 0, 0)
