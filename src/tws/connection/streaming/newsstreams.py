"""Streams of headlines and bulletins, and of what a scanner finds."""

from __future__ import annotations

from collections.abc import Callable

from tws.connection.streaming.statestreams import NO_CONTRACT, LatestStream
from tws.connection.streaming.streams import Stamp, TickStream
from tws.model.contract import Contract
from tws.model.news import NewsBulletin, NewsHeadline
from tws.model.scanner import Scan, ScanRow

__all__ = ["BulletinStream", "NewsStream", "ScannerStream", "found_nothing"]

_BULLETINS_KNOWN = 1000
"""Numbers of bulletins that were given: weeks of them."""


def found_nothing(code: int, text: str) -> bool:
    """Whether TWS says that a scan has no rows (reported: 165, and no answer 20)."""
    return code == 165 and "no items retrieved" in text.lower()


class NewsStream(TickStream[NewsHeadline]):
    """Headlines of an instrument, or of a provider, as they come."""

    steady = False  # a quiet day is no fault

    def __init__(self, contract: Contract, isolate: Callable[..., None], bound: int = 10_000) -> None:
        super().__init__(contract, isolate, bound)


class BulletinStream(TickStream[NewsBulletin]):
    """Bulletins, each once: TWS repeats those of the day whenever somebody asks for them."""

    steady = False

    def __init__(self, isolate: Callable[..., None], bound: int = 1000) -> None:
        super().__init__(NO_CONTRACT, isolate, bound)
        self._known: dict[tuple[int, str], None] = {}

    def put(self, tick: NewsBulletin, now_ns: int = 0) -> None:
        key = tick.number, tick.text  # by hand or by build numbers may begin anew
        if key in self._known:
            return
        if len(self._known) >= _BULLETINS_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = None
        super().put(tick, now_ns)


class ScannerStream(LatestStream[tuple[ScanRow, ...]]):
    """What a scanner finds, all rows anew about every thirty seconds; `last` is the newest, () for
    nothing."""

    def __init__(self, scan: Scan, isolate: Callable[..., None], stamp: Stamp) -> None:
        super().__init__(isolate)
        self.scan = scan
        self._stamp = stamp

    @property
    def owed(self) -> bool:
        return self.last is None

    def note(self, code: int, text: str) -> None:
        super().note(code, text)
        if found_nothing(code, text):
            self.put((), self._stamp.now_ns)
