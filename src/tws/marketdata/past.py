"""A cache of historical bars, for warming up: what is on the disk is read, only what is missing is asked for.

    cache = BarCache(folder, connection)
    past = await cache.last(Series(contract=contract, bar_size="10 secs"), 200)

It asks over the connection, which keeps TWS's pacing and asks for intraday bars as epochs. Short bars, which
TWS counts (TWS-BEHAVIOUR.md B), are asked for within the sessions that TWS states, so that no request is
spent on a night, and `last` asks for no more of a day than it needs: mostly one request. What was fetched is
stored even if the link goes in the middle. Finished bars alone are given; those of the last minute are not
stored, since the service of history may be late with them (assumed).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.errors import RequestError, TWSError
from tws.log import get_logger
from tws.marketdata.barfiles import BarFiles, Held, Series, Slot, Unusable, slot_of
from tws.model.contract import Contract
from tws.model.market import Bar
from tws.model.past import Schedule

__all__ = ["BarCache", "BarSource", "Download", "Past", "Series"]

Span: TypeAlias = tuple[int, int]

SETTLED_S = 60
_COUNTED_S = 30  # bars up to this length count in TWS's limits
_BY_CLOCK_S = 3600  # longer ones are cut by the day of their market
_SLOTS_BACK = {False: 10, True: 3}
"""How many files `last` looks back through. Ten days hold a trading day even around the longest weekends of
holidays; three years of day bars are some 700, more than an average over 200 days needs."""
_REACH, _REACHES = 4, 5
"""Of short bars `last` asks for so many times the time that they last, and again so much further back, so
often at most: one request finds them where every fourth span was traded in, and of a market that trades in
less than every twentieth there are fewer."""

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


class _Ends(NamedTuple):
    """What begins before `stop_ns` has ended, and was asked for; what begins before `settled_ns` is settled,
    too.
    """

    stop_ns: int
    settled_ns: int


class _Asked(NamedTuple):
    """What is fetched for: a file, the times of it in which there was a market, what may be stored."""

    series: Series
    slot: Slot
    spans: list[Span]
    settled_ns: int


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
        ends = await self._ends(series, until_ns)
        slot, found = slot_of(ends.stop_ns - 1, series.seconds), list[Bar]()
        left_ns = _REACHES * _REACH * count * series.seconds * NS_PER_S
        for _ in range(_SLOTS_BACK[slot.name.isdigit()]):
            if series.seconds > _COUNTED_S:
                held = await self._slot(series, slot, ends)
            else:
                held, left_ns = await self._tail(series, slot, ends, (count - len(found), left_ns))
            found = held + found
            if len(found) >= count or left_ns <= 0:
                break
            slot = slot_of(slot.begin_ns - 1, series.seconds)
        bars = found[len(found) - count :] if count < len(found) else found
        return Past(bars=bars, until_ns=ends.stop_ns)

    async def between(self, series: Series, start_ns: int, until_ns: int | None = None) -> Past:
        """The finished bars that begin from `start_ns` on and before `until_ns` (None: now)."""
        ends = await self._ends(series, until_ns)
        at_ns, found = start_ns, list[Bar]()
        while at_ns < ends.stop_ns:
            slot = slot_of(at_ns, series.seconds)
            held = await self._slot(series, slot, ends)
            found += [bar for bar in held if bar.time_ns >= start_ns]
            at_ns = slot.end_ns
        return Past(bars=found, until_ns=ends.stop_ns)

    async def _ends(self, series: Series, until_ns: int | None) -> _Ends:
        """By TWS's own clock. Bars up to an hour begin and end at its whole multiples, or at an opening: what
        begins before the last multiple has ended.
        """
        now_ns, span_ns = to_ns(await self._source.request_current_time()), series.seconds * NS_PER_S
        stop_ns = now_ns - now_ns % span_ns if series.seconds <= _BY_CLOCK_S else now_ns - span_ns + NS_PER_S
        settled_ns = stop_ns - SETTLED_S * NS_PER_S
        return _Ends(stop_ns if until_ns is None else min(until_ns, stop_ns), settled_ns)

    async def _read(self, series: Series, slot: Slot) -> Held:
        held = await asyncio.to_thread(self._files.read, series, slot)
        self.read += len(held.bars)
        return held

    async def _slot(self, series: Series, slot: Slot, ends: _Ends) -> list[Bar]:
        """All its bars that begin before the stop, fetched as far as they are missing."""
        held = await self._read(series, slot)
        wanted_ns = min(slot.end_ns, ends.stop_ns)
        if held.from_ns or held.until_ns < wanted_ns:
            begin_ns = slot.begin_ns if held.from_ns else held.until_ns
            spans = await self._spans(series, begin_ns, max(wanted_ns, held.until_ns))
            asked = _Asked(series, slot, spans, ends.settled_ns)
            held = await self._after(asked, await self._before(asked, held, 0), wanted_ns)
        return [bar for bar in held.bars if bar.time_ns < ends.stop_ns]

    async def _tail(
        self, series: Series, slot: Slot, ends: _Ends, wanted: tuple[int, int]
    ) -> tuple[list[Bar], int]:
        """The last bars of a slot before the stop: so many, found within so much time of the market; and what
        is left of that time.
        """
        count, left_ns = wanted
        held, end_ns = await self._read(series, slot), min(slot.end_ns, ends.stop_ns)

        def bars() -> list[Bar]:
            return [bar for bar in held.bars if bar.time_ns < ends.stop_ns]

        if held.until_ns >= end_ns and (len(bars()) >= count or not held.from_ns):
            return bars(), left_ns
        spans = await self._spans(series, slot.begin_ns, end_ns)
        asked, reach_ns = _Asked(series, slot, spans, ends.settled_ns), left_ns // _REACHES
        if held.until_ns <= slot.begin_ns:
            held = Held([], end_ns, end_ns)
        held = await self._after(asked, held, end_ns)
        left_ns -= sum(end - begin for begin, end in _within(spans, held.from_ns, end_ns))
        while held.from_ns and left_ns > 0 and len(bars()) < count:
            begin_ns, passed_ns = _back(spans, held.from_ns, reach_ns)
            left_ns -= passed_ns
            reach_ns = left_ns
            held = await self._before(asked, held, begin_ns)
        return bars(), left_ns

    async def _after(self, asked: _Asked, held: Held, wanted_ns: int) -> Held:
        """What is held and all that was missing up to an instant; as much as came is stored."""
        if held.until_ns >= wanted_ns:
            return held
        bars, known_ns = list(held.bars), held.until_ns
        last_ns = bars[-1].time_ns if bars else -1
        try:
            for begin_ns, end_ns in _within(asked.spans, known_ns, wanted_ns):
                download = self._download(asked.series, begin_ns, end_ns)
                async for chunk in download:
                    bars += [bar for bar in chunk if last_ns < bar.time_ns < wanted_ns]
                    last_ns = bars[-1].time_ns if bars else -1
                    known_ns = max(known_ns, to_ns(download.position))
        except (TWSError, asyncio.CancelledError):
            await self._came(asked, held, Held(bars, known_ns, held.from_ns))
            raise
        return await self._came(asked, held, Held(bars, wanted_ns, held.from_ns))

    async def _came(self, asked: _Asked, held: Held, found: Held) -> Held:
        """Count and store what is found now and was not held."""
        self.fetched += len(found.bars) - len(held.bars)
        await self._store(asked, found)
        return found

    async def _before(self, asked: _Asked, held: Held, from_ns: int) -> Held:
        """All that was missing from an instant on (0: from the slot's begin), and what is held; stored once
        all of it has come.
        """
        if held.from_ns <= from_ns:
            return held
        bars: list[Bar] = []
        for begin_ns, end_ns in _within(asked.spans, from_ns, held.from_ns):
            async for chunk in self._download(asked.series, begin_ns, end_ns):
                bars += [bar for bar in chunk if from_ns <= bar.time_ns < held.from_ns]
        begins_ns = from_ns if from_ns > asked.slot.begin_ns else 0
        return await self._came(asked, held, Held(bars + held.bars, held.until_ns, begins_ns))

    def _download(self, series: Series, begin_ns: int, end_ns: int) -> Download:
        return self._source.download_bars(
            series.contract, to_datetime(begin_ns), to_datetime(end_ns), series.bar_size,
            what=series.what, use_rth=series.use_rth,
        )  # fmt: skip

    async def _store(self, asked: _Asked, held: Held) -> None:
        """As far as it is settled."""
        series, slot, until_ns = asked.series, asked.slot, min(held.until_ns, asked.settled_ns)
        if until_ns <= max(slot.begin_ns, held.from_ns):
            return
        kept = Held([bar for bar in held.bars if bar.time_ns < until_ns], until_ns, held.from_ns)
        try:
            await asyncio.to_thread(self._files.write, series, slot, kept)
        except OSError as error:
            log.warning("bars not stored", symbol=series.contract.symbol, reason=str(error))

    async def _spans(self, series: Series, begin_ns: int, end_ns: int) -> list[Span]:
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
        sessions = [(day.session.open_ns, day.session.close_ns) for day in schedule.days]
        return _within(sessions, begin_ns, end_ns)


def _within(spans: list[Span], begin_ns: int, end_ns: int) -> list[Span]:
    """The parts of spans that lie between two instants, in their order."""
    cut = [(max(begin_ns, begin), min(end_ns, end)) for begin, end in spans]
    return sorted(span for span in cut if span[0] < span[1])


def _back(spans: list[Span], from_ns: int, reach_ns: int) -> tuple[int, int]:
    """So much time of the market before an instant: where that begins, and how much it is; 0 and less of it
    where there is no more.
    """
    left_ns = reach_ns
    for begin, end in reversed(_within(spans, 0, from_ns)):
        if end - begin >= left_ns:
            return end - left_ns, reach_ns
        left_ns -= end - begin
    return 0, reach_ns - left_ns
