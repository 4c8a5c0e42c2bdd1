"""Combos that are not guaranteed: each leg trades when and as far as it can, whatever the others do.

Official (IB's pages of non-guaranteed combination orders): the legs may be executed separately and out of
proportion, what filled is the client's, and the rest works on until it is filled or cancelled. Of the types
for such combos only the first leg waits for its price, the others follow at the market once it traded.

How the rest waits is ours: a leg trades while one unit, each leg at the worst price that it has beyond the
whole units or is quoted at now, is within the order's limit. So no unit ever costs more than the limit, and
a leg that runs away leaves the others behind. A leg with a price of its own looks at that alone. What the
combo filled is what all legs have; its own execution comes with the trade that makes a unit whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from tws.exchange.book import FAR, Book
from tws.exchange.combos import consume, fill_leg, requote, whole_of
from tws.exchange.core import Core
from tws.exchange.events import ExecutionReport
from tws.exchange.working import LegFill, Working, average

__all__ = ["trade_legs"]


def trade_legs(core: Core, order: Working, units: int, liquidity: int) -> tuple[list[ExecutionReport], int]:
    """Let each leg take what it may towards so many more units; its executions, and how many units are whole
    now that were not.
    """
    if not order.leg_fills:
        order.leg_fills = [LegFill() for _ in order.book.legs]
    within = _is_within(order)
    takes = [_takes(order, place, units, within) for place in range(len(order.book.legs))]
    if not any(takes):
        return [], 0
    exec_id = core.next_exec_id()
    reports = []
    for place, lots in enumerate(takes):
        leg, ratio = order.book.legs[place]
        price = consume(leg, _way(order, ratio), lots) if lots else None
        if price is None:
            continue
        order.leg_fills[place].ahead.append((lots, price))
        shares = leg.instrument.quantity(lots) * _way(order, ratio)
        value = leg.instrument.price(price) * shares * leg.multiplier
        leg_id = f"{exec_id[:-5]}{place + 2:02d}.01.01"
        reports.append(fill_leg(core, order, leg, (shares, value), place, leg_id, liquidity))
    whole = min(so_far.lots // size for so_far, size in zip(order.leg_fills, _sizes(order), strict=True))
    if whole:
        reports.insert(0, _make_whole(core, order, whole, exec_id, liquidity))
    for report in reports:
        core.archive.add_execution(report)
    requote(order.book)
    return reports, whole


def _way(order: Working, ratio: int) -> int:
    """+1 where the order buys this leg, -1 where it sells it."""
    return order.sign if ratio > 0 else -order.sign


def _sizes(order: Working) -> Iterator[int]:
    """Each leg's lots in one unit."""
    for leg, ratio in order.book.legs:
        yield int(abs(ratio) * order.book.instrument.quantity(1) / leg.instrument.lot)


def _shown(leg: Book, way: int) -> tuple[int, int]:
    """The price that a leg is quoted at on the side that the order takes, and the lots left there."""
    return (leg.ask, leg.ask_left) if way > 0 else (leg.bid, leg.bid_left)


def _takes(order: Working, place: int, units: int, within: bool) -> int:
    """How many lots of a leg trade now."""
    leg, ratio = order.book.legs[place]
    way = _way(order, ratio)
    price, left = _shown(leg, way)
    if abs(price) >= FAR:
        return 0
    limit = order.leg_limits[place] if order.leg_limits else None
    fits = within if limit is None else (limit - price) * way >= 0
    size = tuple(_sizes(order))[place]
    return max(0, min(units * size - order.leg_fills[place].lots, left)) if fits else 0


def _is_within(order: Working) -> bool:
    """Whether a unit is within the order's limit, each leg at the worst price that it may have there."""
    if not order.is_limit or (order.kind.legs_follow and any(leg.quantity for leg in order.leg_fills)):
        return True
    cost = 0
    rows = zip(order.book.legs, order.book.weights, order.leg_fills, _sizes(order), strict=True)
    for (leg, ratio), weight, so_far, size in rows:
        way = _way(order, ratio)
        prices = [way * price for _, price in so_far.ahead]
        quoted, _ = _shown(leg, way)
        if so_far.lots < order.remaining * size:
            if abs(quoted) >= FAR:
                return False
            prices.append(way * quoted)
        cost += weight * max(prices)
    return cost <= order.sign * order.worst


def _make_whole(core: Core, order: Working, units: int, exec_id: str, liquidity: int) -> ExecutionReport:
    """The combo's own execution: what its legs traded first makes its units, at what that cost."""
    cost = Fraction(0)
    rows = zip(order.book.legs, order.book.weights, order.leg_fills, _sizes(order), strict=True)
    for (_, ratio), weight, so_far, size in rows:
        sign = 1 if ratio > 0 else -1
        cost += Fraction(sign * weight * so_far.first(units * size), size)
    ticks = round(cost)
    order.filled += units
    order.consumed += units
    order.cost_ticks += ticks
    order.last_ticks = round(cost / units)
    price = average(ticks, units, order.book.instrument.tick)
    return whole_of(core, order, (units, price), exec_id, liquidity)
