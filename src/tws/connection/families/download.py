"""Bars of the past beyond the limits of one request: asked for piece by piece, oldest first.

TWS gives at most so much of a bar size at once. A download cuts its time into pieces of that length; each is
asked for one bar further than it reaches, so that the bar at its edge is whole, and what lies outside is
left out. So no bar comes twice, and none that still runs comes at all. It can be taken up again: the same
object after an error, or a new one from `position`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Self

from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.connection.families.history import BAR_SECONDS, HistoryQuestions
from tws.connection.families.session import SessionQuestions
from tws.errors import NoDataError
from tws.log import get_logger
from tws.model.contract import Contract
from tws.model.market import Bar
from tws.model.progress import Progress

__all__ = ["BarDownload", "DownloadQuestions", "Piece", "pieces"]

log = get_logger("tws.connection")

_DAY_S = 86_400
_SPANS_S = (
    (1, 1800),
    (5, 3600),
    (15, 14_400),
    (30, 28_800),
    (120, _DAY_S),
)
"""The longest duration that TWS gives of bars up to so many seconds (official documentation, historical
bars)."""
_WEEK, _MONTH, _YEAR = 7, 28, 365
_DAY_SPANS = ((1200, _WEEK), (28_800, _MONTH), (_DAY_S, _YEAR))
"""The same in days for longer bars."""


class Piece(Struct, frozen=True, kw_only=True):
    """One request: the bars that begin from `begin_ns` on and before `end_ns`; asked for up to `until_ns`."""

    begin_ns: int
    end_ns: int
    until_ns: int
    duration: str


def pieces(begin_ns: int, end_ns: int, seconds: int) -> list[Piece]:
    """How a time is cut for bars of so many seconds, oldest first."""
    span_s, duration = _span(end_ns - begin_ns, seconds)
    found, at_ns = [], begin_ns
    while at_ns < end_ns:
        stop_ns = min(end_ns, at_ns + span_s * NS_PER_S)
        found.append(
            Piece(begin_ns=at_ns, end_ns=stop_ns, until_ns=stop_ns + seconds * NS_PER_S, duration=duration)
        )
        at_ns = stop_ns
    return found


def _span(whole_ns: int, seconds: int) -> tuple[int, str]:
    """The seconds of a piece, and the duration that covers it and one bar more."""
    for longest_s, span_s in _SPANS_S:
        if seconds <= longest_s:
            return span_s - seconds, f"{span_s} S"
    for longest_s, days in _DAY_SPANS:
        if seconds <= longest_s:
            # A duration in days counts trading days, so it reaches at least as far as the calendar's.
            return (days - 1) * _DAY_S, f"{days} D"
    # Weeks and months are cut by the calendar: an edge within one would make two of it.
    years = whole_ns // (_YEAR * _DAY_S * NS_PER_S) + 2
    return years * _YEAR * _DAY_S, f"{years} Y"


class BarDownload:
    """The chunks of a download: an asynchronous iterator of lists of bars, oldest first, none of them empty.

    An error ends the `async for`, not the download: iterate the same object again and it goes on where it
    stood.
    """

    def __init__(
        self,
        begin: datetime,
        bar_size: str,
        plan: Callable[[], Awaitable[list[Piece]]],
        ask: Callable[[Piece], Awaitable[list[Bar]]],
        on_progress: Callable[[Progress], object],
    ) -> None:
        self.position = begin
        """Everything that begins before this instant has been given; a new download may start here."""
        self.bar_size = bar_size
        self.rows = 0
        """Bars so far."""
        self._plan = plan
        self._ask = ask
        self._on_progress = on_progress
        self._pieces: list[Piece] | None = None
        self._done = 0
        self._last_ns = -1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Bar]:
        if self._pieces is None:
            self._pieces = await self._plan()
        while self._done < len(self._pieces):
            piece = self._pieces[self._done]
            bars = [
                bar
                for bar in await self._ask(piece)
                if piece.begin_ns <= bar.time_ns < piece.end_ns and bar.time_ns > self._last_ns
            ]
            self._done += 1
            self.rows += len(bars)
            self.position = to_datetime(piece.end_ns)
            step = Progress(
                done=self._done, total=len(self._pieces), rows=self.rows, at=f"{self.position:%Y-%m-%d %H:%M}"
            )
            self._on_progress(step)
            if bars:
                self._last_ns = bars[-1].time_ns
                return bars
        raise StopAsyncIteration


class DownloadQuestions(HistoryQuestions, SessionQuestions):
    """Much history at once."""

    def download_bars(
        self,
        contract: Contract,
        start: datetime,
        end: datetime | None = None,
        bar_size: str = "1 min",
        *,
        what: str = "TRADES",
        use_rth: bool = True,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> BarDownload:
        """Finished bars that begin from `start` on and before `end` (aware; None: now by TWS's clock).

        Gives lists of bars, oldest first, one for each request that found any, without a bar twice. Requests
        go one after the other, within TWS's pacing; `on_progress` is called after each.

        Raises ValueError for an unknown bar size, a naive time and a start that is not before the end. While
        iterating: NoContractError, RequestError, LinkLostError, RequestTimeoutError; it can be gone on with.
        """
        if bar_size not in BAR_SECONDS:
            raise ValueError(f"bar_size {bar_size!r} is none of TWS's: {', '.join(BAR_SECONDS)}")
        for name, moment in (("start", start), ("end", end)):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name} {moment!r} has no time zone; use an aware datetime")
        if end is not None and start >= end:
            raise ValueError(f"start {start} is not before end {end}")
        seconds = BAR_SECONDS[bar_size]

        async def plan() -> list[Piece]:
            now = await self.request_current_time()
            last = now - timedelta(seconds=seconds - 1)  # what begins before it has ended
            stop = last if end is None else min(end, last)
            return pieces(to_ns(start), to_ns(stop), seconds)

        async def ask(piece: Piece) -> list[Bar]:
            try:
                return await self.request_historical_bars(
                    contract,
                    duration=piece.duration,
                    bar_size=bar_size,
                    what=what,
                    use_rth=use_rth,
                    end=to_datetime(piece.until_ns),
                )
            except NoDataError:  # the market was closed all the time
                return []

        def tell(step: Progress) -> None:
            if on_progress is not None:
                self._engine.lanes.isolate(on_progress, step)

        return BarDownload(start, bar_size, plan, ask, tell)
