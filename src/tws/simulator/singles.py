"""Single ticks of the past, made again out of the summaries that are kept of each second.

A row knows open, high, low and close, volume, how many prints there were, and the quote at its end. From that
come up to `MOST` prints that begin, turn and end where the row did and whose sizes sum to its volume, and up
to three quotes of which the last is the row's own. Sizes, exchanges and the rare print that counts for no bar
are drawn from conId and second, so a second always has the same ticks. Odd lots of US shares carry the
condition I, average prices W (official documentation names neither: assumed from the consolidated tape).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

from tws.clock import NS_PER_S
from tws.simulator.grid import Grid
from tws.simulator.market.base import Row
from tws.simulator.market.synthetic import unit_of
from tws.simulator.universe import Security
from tws.wire.messages import HistoricalTick, HistoricalTickBidAsk, HistoricalTickLast

__all__ = ["MOST", "midpoints", "prints", "quotes", "venue"]

MOST = 8
"""Prints that a second is unfolded into, at most."""
UNREPORTED = 2
ASK_PAST_HIGH, BID_PAST_LOW = 1, 2
"""In this order, other than tick by tick (official client)."""
AVERAGED = 0.02
"""So often a second has a print that counts for no bar (invented)."""
ROUND_LOT = Decimal(100)
STEP_NS = 1_000_000


def prints(row: Row, security: Security, grid: Grid) -> Iterator[HistoricalTickLast]:
    """What traded within a row, in order."""
    chance = _chance(row, security)
    prices = _path(row, grid)
    shares = _parts(row.volume, len(prices), unit_of(security), chance)
    odd = security.sec_type == "STK" and security.currency == "USD"
    for place, (price, lots) in enumerate(zip(prices, shares, strict=True)):
        size = grid.quantity(lots)
        said = "I" if odd and 0 < size < ROUND_LOT else ""
        where = venue(security, row.time_s * NS_PER_S + place * STEP_NS)
        yield HistoricalTickLast(row.time_s, 0, price, size, where, said)
    if row.volume and chance.random() < AVERAGED:
        average = round(row.value / row.volume, grid.digits + 2)
        size = grid.quantity(max(1, row.volume // 10))
        where = venue(security, row.time_s * NS_PER_S + MOST * STEP_NS)
        yield HistoricalTickLast(row.time_s, UNREPORTED, average, size, where, "W")


def _path(row: Row, grid: Grid) -> list[float]:
    """The prices of a row's prints: where it opened, its two turns, and then towards where it closed."""
    count = max(1, min(row.prints, MOST, row.volume or MOST))
    turns = (row.high, row.low) if row.close < row.open else (row.low, row.high)
    if count < 4:
        return [row.close] if count == 1 else [row.open, *turns[: count - 2], row.close]
    left, steps = grid.ticks(turns[1]), count - 3
    way = grid.ticks(row.close) - left
    return [row.open, turns[0], *(grid.price(left + way * step // steps) for step in range(steps)), row.close]


def _parts(total: int, count: int, unit: int, chance: random.Random) -> list[int]:
    """`total` lots in so many parts, in whole units as long as there are enough of them."""
    parts, left = [], total
    for after in range(count - 1, 0, -1):
        part = int(left / (after + 1) * chance.uniform(0.4, 1.6))
        part = min(max(1, part // unit * unit or part), max(0, left - after))
        parts.append(part)
        left -= part
    return [*parts, left]


def quotes(
    row: Row, security: Security, grid: Grid, day: tuple[float, float]
) -> Iterator[HistoricalTickBidAsk]:
    """How the quote moved within a row. `day`: the lowest and highest print of the day so far, 0 for none."""
    chance, unit = _chance(row, security), unit_of(security)
    bid, ask = grid.ticks(row.bid), grid.ticks(row.ask)
    low, high = day
    for away in (*(chance.randint(-1, 1) for _ in range(chance.randint(0, 2))), 0):
        if bid + away < 1:
            continue
        price, asked = grid.price(bid + away), grid.price(ask + away)
        mask = (ASK_PAST_HIGH if high and asked > high else 0) | (BID_PAST_LOW if low and price < low else 0)
        sizes = (grid.quantity(unit * chance.randint(1, 12)) for _ in range(2))
        yield HistoricalTickBidAsk(row.time_s, mask, price, asked, *sizes)


def midpoints(row: Row, security: Security, grid: Grid) -> Iterator[HistoricalTick]:
    """The middle of each quote that is another than the one before it."""
    before = 0.0
    for quote in quotes(row, security, grid, (0.0, 0.0)):
        middle = round((quote.price_bid + quote.price_ask) / 2, grid.digits + 1)
        if middle != before:
            before = middle
            yield HistoricalTick(row.time_s, middle, Decimal(0))


def venue(security: Security, time_ns: int) -> str:
    """Where a print happened: invented, one of the instrument's exchanges."""
    places = [place for place in security.exchanges if place != "SMART"] or [security.exchange]
    return places[time_ns // STEP_NS % 997 % len(places)]


def _chance(row: Row, security: Security) -> random.Random:
    return random.Random(security.con_id << 32 | row.time_s)
