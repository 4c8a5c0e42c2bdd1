"""Warming up: the indicators of one instrument get the past first, then what is built, without a seam.

    line = board.add(con_id, symbol, now_ns)
    seam = Seam(board.bar_seconds, now_ns)
    report = await warm_up(cache, series, studies, seam, clock.now_ns)

    for done in board.take_bars():          # meanwhile and from then on
        for bar in seam.live(done.bar):
            studies.update(bar)

The live bars go through the seam from the beginning; while the past is under way they wait there. The past is
asked for once the first span that can be heard whole has begun, so that it reaches to there. Indicators that
were restored from a state get what they missed since; new ones as many bars as they need to settle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from tws.bars import Seam
from tws.clock import NS_PER_S
from tws.errors import RequestTimeoutError
from tws.indicators import Studies
from tws.marketdata.barfiles import Series
from tws.marketdata.past import BarCache, Past
from tws.model.market import Bar

__all__ = ["WarmUp", "warm_up"]

_LOOK_S = 0.25
"""How often it looks whether the first whole span has begun: market time need not run with the loop's."""
_TRIES = 5
_AGAIN_S = 2.0
"""A bar that was just finished may come to the service of history some seconds later (assumed)."""


class WarmUp(Struct, frozen=True, kw_only=True):
    """What came of it: bars of the past and bars that had waited, as far as they were taken; bars that the
    past did not have though a trade was heard, for which the live one stood in; how often it was asked.
    """

    past: int
    waited: int
    stood_in: int
    asked: int
    ready: bool


async def warm_up(
    cache: BarCache,
    series: Series,
    studies: Studies,
    seam: Seam,
    now_ns: Callable[[], int],
    *,
    count: int | None = None,
) -> WarmUp:
    """Feeds `studies` the past and what waits in the seam; from then on the seam lets live bars through.

    `now_ns` tells market time, as the live bars are stamped by.
    New indicators get `count` bars, at least what their warm-up needs; None: so many that averages which
    never quite forget (EMA, Wilder's) have forgotten where they began (`Studies.settled`).

    The series and the live bars must be of the same hours and the same kind of data. Raises ValueError for
    bars of another length than the seam's, RequestTimeoutError when TWS's history does not reach to the live
    bars, and what asking TWS raises: then nothing was fed, and it may be called again.
    """
    if series.seconds != seam.seconds:
        raise ValueError(f"bars of {series.bar_size} into a seam of bars of {seam.seconds} s")
    wanted = studies.settled if count is None else max(count, studies.warm_up)
    asked, lacking = 0, list[Bar]()
    past = Past(bars=[], until_ns=-1)
    while asked < _TRIES:
        while now_ns() < seam.first_ns:  # noqa: ASYNC110  # nothing tells of market time but its clock
            await asyncio.sleep(min(_LOOK_S, (seam.first_ns - now_ns()) / NS_PER_S))
        past = await _ask(cache, series, studies, seam, wanted)
        asked += 1
        lacking = seam.lacking(past.bars)
        if past.until_ns >= seam.first_ns and not lacking:
            break
        await asyncio.sleep(_AGAIN_S)
    if past.until_ns < seam.first_ns:
        behind_s = (seam.first_ns - past.until_ns) / NS_PER_S
        raise RequestTimeoutError(f"TWS's past ends {behind_s:g} s before our first bar: its clock is behind")
    bars = seam.past(past.bars, past.until_ns)
    known = {bar.time_ns for bar in past.bars}
    took = [bar.time_ns in known for bar in bars if bar.time_ns > studies.last_ns and studies.update(bar)]
    return WarmUp(
        past=sum(took),
        waited=len(took) - sum(took),
        stood_in=len(lacking),
        asked=asked,
        ready=studies.ready,
    )


async def _ask(cache: BarCache, series: Series, studies: Studies, seam: Seam, wanted: int) -> Past:
    if studies.last_ns < 0:
        return await cache.last(series, wanted, seam.first_ns)
    return await cache.between(series, studies.last_ns + 1, seam.first_ns)
