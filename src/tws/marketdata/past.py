"""A cache of historical bars, for warming up: what is on the disk is read, only what is missing is asked for.

    cache = BarCache(folder, connection)
    past = await cache.last(Series(contract=contract, bar_size="10 secs"), 200)

It asks over the connection, which keeps TWS's pacing and asks for intraday bars as epochs. Short bars, which
TWS counts (TWS-BEHAVIOUR.md B), are asked for within the sessions that TWS states, so that no request is
spent on a night. What was fetched is stored even if the link goes in the middle. Finished bars alone are
given; those of the last minute are not stored, since the service of history may be late with them (assumed).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.errors import RequestError
from tws.log import get_logger
from tws.marketdata.barfiles import BarFiles, Held, Series, Slot, Unusable, slot_of
from tws.model.contract import Contract
from tws.model.market import Bar
from tws.model.past import Schedule

__all__ = ["BarCache", "BarSource", "Download", "Past", "Series"]

SETTLED_S = 60
_COUNTED_S = 30  # bars up to this length count in TWS's limits
_SLOTS_BACK = {False: 10, True: 3}
"""How many files `last` looks back through. Ten days hold a trading day even around the longest weekends of
holidays; three years of day bars are some 700, more than an average over 200 days needs."""

log = get_logger("tws.marketdata")


class Download(Protocol):
    """Chunks of bars; everything that begins before `position` has been given."""

    position: datetime

    def __aiter__(self) -> AsyncIterator[list[Bar]]: ...


class BarSource(Protocol):
    """What the cache needs of a connection."""

    def request_current_time(self) -> Awaitable[datetime]: ...

    def request_schedule(
        self, contract: Contract, *, days: int = ..., end: datetime | None = ..., use_rth: bool = ...
    ) -> Awaitable[Schedule]: ...

    def download_bars(
        self,
        contract: Contract,
        start: datetime,
        end: datetime | None = ...,
        bar_size: str = ...,
        *,
        what: str = ...,
        use_rth: bool = ...,
    ) -> Download: ...


class Past(Struct, frozen=True, kw_only=True):
    """Finished bars, oldest first: all that begin before `until_ns`, as far back as was asked for."""

    bars: list[Bar]
    until_ns: int


class BarCache:
    """`folder` is made when something is stored. `fetched` counts bars from TWS, `read` those from files.

    Raises MissingExtraError without pyarrow. Its methods raise what asking TWS raises; a disk that takes
    nothing is told of in the log, and the bars are given all the same.
    """

    def __init__(self, folder: Path, source: BarSource) -> None:
        self._files = BarFiles(folder)
        self._source = source
        self.fetched = self.read = 0

    @property
    def unusable(self) -> list[Unusable]:
        """Files that were put aside, and why."""
        return self._files.unusable

    async def last(self, series: Series, count: int, until_ns: int | None = None) -> Past:
        """The last `count` finished bars that begin before `until_ns` (None: now); fewer if there are none.
        """
        stop_ns, settled_ns = await self._stops_ns(series, until_ns)
        slot, found = slot_of(stop_ns - 1, series.seconds), list[Bar]()
        for _ in range(_SLOTS_BACK[slot.name.isdigit()]):
            held = await self._slot(series, slot, stop_ns, settled_ns)
            found = held + found
            if len(found) >= count:
                break
            slot = slot_of(slot.begin_ns - 1, series.seconds)
        return Past(bars=found[len(found) - count :] if count < len(found) else found, until_ns=stop_ns)

    async def between(self, series: Series, start_ns: int, until_ns: int | None = None) -> Past:
        """The finished bars that begin from `start_ns` on and before `until_ns` (None: now)."""
        stop_ns, settled_ns = await self._stops_ns(series, until_ns)
        at_ns, found = start_ns, list[Bar]()
        while at_ns < stop_ns:
            slot = slot_of(at_ns, series.seconds)
            held = await self._slot(series, slot, stop_ns, settled_ns)
            found += [bar for bar in held if bar.time_ns >= start_ns]
            at_ns = slot.end_ns
        return Past(bars=found, until_ns=stop_ns)

    async def _stops_ns(self, series: Series, until_ns: int | None) -> tuple[int, int]:
        """What begins before the first instant has ended, by TWS's own clock, and was asked for; what begins
        before the second is settled, too.
        """
        now_ns = to_ns(await self._source.request_current_time())
        stop_ns = now_ns - (series.seconds - 1) * NS_PER_S
        settled_ns = stop_ns - SETTLED_S * NS_PER_S
        return (stop_ns if until_ns is None else min(until_ns, stop_ns)), settled_ns

    async def _slot(self, series: Series, slot: Slot, stop_ns: int, settled_ns: int) -> list[Bar]:
        """Its bars that begin before `stop_ns`, fetched as far as they are missing."""
        held = await asyncio.to_thread(self._files.read, series, slot)
        self.read += len(held.bars)
        wanted_ns = min(slot.end_ns, stop_ns)
        if held.until_ns < wanted_ns:
            held = await self._fetch(series, slot, held, wanted_ns, settled_ns)
        return [bar for bar in held.bars if bar.time_ns < stop_ns]

    async def _fetch(self, series: Series, slot: Slot, held: Held, wanted_ns: int, settled_ns: int) -> Held:
        """What is held and all that was missing up to `wanted_ns`; as much as came is stored."""
        bars, known_ns = list(held.bars), held.until_ns
        last_ns = bars[-1].time_ns if bars else -1
        try:
            for begin_ns, end_ns in await self._holes(series, known_ns, wanted_ns):
                download = self._source.download_bars(
                    series.contract, to_datetime(begin_ns), to_datetime(end_ns), series.bar_size,
                    what=series.what, use_rth=series.use_rth,
                )  # fmt: skip
                async for chunk in download:
                    bars += [bar for bar in chunk if last_ns < bar.time_ns < wanted_ns]
                    last_ns = bars[-1].time_ns if bars else -1
                    known_ns = max(known_ns, to_ns(download.position))
            known_ns = wanted_ns
        finally:
            self.fetched += len(bars) - len(held.bars)
            await self._store(series, slot, bars, min(known_ns, settled_ns))
        return Held(bars, known_ns)

    async def _store(self, series: Series, slot: Slot, bars: list[Bar], until_ns: int) -> None:
        if until_ns <= slot.begin_ns:
            return
        kept = Held([bar for bar in bars if bar.time_ns < until_ns], until_ns)
        try:
            await asyncio.to_thread(self._files.write, series, slot, kept)
        except OSError as error:
            log.warning("bars not stored", symbol=series.contract.symbol, reason=str(error))

    async def _holes(self, series: Series, begin_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """The parts of a time in which there was a market, as TWS states it; all of it for longer bars, or
        where TWS states none.
        """
        if series.seconds > _COUNTED_S:
            return [(begin_ns, end_ns)]
        days = (end_ns - begin_ns) // (86_400 * NS_PER_S) + 3  # whole, and one at either edge
        try:
            schedule = await self._source.request_schedule(
                series.contract, days=days, end=to_datetime(end_ns), use_rth=series.use_rth
            )
        except RequestError as error:
            log.info("no schedule", symbol=series.contract.symbol, reason=str(error))
            return [(begin_ns, end_ns)]
        spans = [
            (max(begin_ns, day.session.open_ns), min(end_ns, day.session.close_ns)) for day in schedule.days
        ]
        return sorted(span for span in spans if span[0] < span[1])
