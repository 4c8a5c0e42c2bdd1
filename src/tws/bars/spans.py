"""Where a bar begins and ends, what lies empty before it, and whether all of it was heard.

A span begins at a whole multiple of its length since midnight UTC, so that two builders, or a builder that
starts late, cut at the same instants. Once it is told a session (`on_session`), it counts from the opening
instead, ends at the close at the latest, and takes nothing from outside: then 60-minute bars of a market that
opens at 9:30 begin at 9:30, and no bar holds the end of one day and the beginning of the next.

A bar says what is missing. `gap` is the number of whole spans directly before it that have no bar (within the
session, where one was told). `is_whole` is False when it was not heard from its begin to its end: the builder
began to listen within it (`since_ns`), the feed was interrupted (`interrupt`, `resume`), or it was cut off
before its time (`flush`).
"""

from __future__ import annotations

from tws.clock import NS_PER_S
from tws.model.market import Bar
from tws.model.session import Session

__all__ = ["DAY_S", "NEVER_NS", "Spans", "spans_missed"]

DAY_S = 86_400
NEVER_NS = 1 << 63
"""Later than any instant."""


class Spans:
    """What builders of bars share. `seconds` must divide a day; `since_ns` is when it began to listen.

    `late` counts what is older than the open span, `outside` what belongs to no session, `rejected` what is
    no finite number or a negative size, `missed` the empty spans between two bars, `partial` the bars given
    out that are not whole.
    """

    __slots__ = (
        "_begin",
        "_close",
        "_deaf",
        "_end",
        "_gap",
        "_high",
        "_last_end",
        "_low",
        "_notional",
        "_open",
        "_running",
        "_session",
        "_since_ns",
        "_span",
        "_volume",
        "_whole",
        "late",
        "missed",
        "outside",
        "partial",
        "rejected",
        "seconds",
    )

    def __init__(self, seconds: int = 10, since_ns: int = 0) -> None:
        if not 1 <= seconds <= DAY_S or DAY_S % seconds:
            raise ValueError(f"bars of {seconds} s: the length must divide a day of {DAY_S} s")
        self.seconds = seconds
        self._span = seconds * NS_PER_S
        self._begin = self._end = self._last_end = self._gap = 0
        self._since_ns = since_ns
        self._session: Session | None = None
        self._running = self._deaf = False
        self._whole = True
        self._open = self._high = self._low = self._close = 0.0
        self._volume = self._notional = 0.0
        self.late = self.missed = self.outside = self.partial = self.rejected = 0

    @property
    def ends_ns(self) -> int:
        """When the open bar is over; `NEVER_NS` while none is."""
        return self._end if self._running else NEVER_NS

    def on_session(self, session: Session) -> None:
        """From now on bars belong to this session, which has begun or is the next."""
        self._session = session

    def interrupt(self, now_ns: int) -> None:
        """The feed is interrupted: what runs will not be whole."""
        self._deaf = True
        if now_ns < self._end:
            self._whole = False

    def resume(self, now_ns: int) -> None:
        """The feed is back: what begins from now on is whole again."""
        if self._deaf:
            self._deaf = False
            self._since_ns = now_ns

    def advance(self, now_ns: int) -> Bar | None:
        """Time went by: the open bar, if its span is over at `now_ns`."""
        if not self._running or now_ns < self._end:
            return None
        return self._finish(self._end, self._whole)

    def flush(self) -> Bar | None:
        """The open bar as it stands, which is not whole: for the end of a file, or of the program."""
        if not self._running:
            return None
        return self._finish(self._end, False)

    def _may_begin(self, time_ns: int) -> bool:
        """Whether a span may be open at this instant; else it was counted."""
        if time_ns < (self._begin if self._running else self._last_end):
            self.late += 1
            return False
        if self._session is not None and not self._session.holds(time_ns):
            self.outside += 1
            return False
        return True

    def _edges(self, time_ns: int) -> tuple[int, int]:
        """The span that holds an instant."""
        session, span = self._session, self._span
        if session is None:
            begin = time_ns - time_ns % span
            return begin, begin + span
        begin = time_ns - (time_ns - session.open_ns) % span
        return begin, min(begin + span, session.close_ns)

    def _begin_span(self, time_ns: int, price: float) -> None:
        self._begin, self._end = self._edges(time_ns)
        self._gap = 0
        if self._last_end:
            known = self._last_end if self._session is None else max(self._last_end, self._session.open_ns)
            self._gap = max(0, (self._begin - known) // self._span)
            self.missed += self._gap
        # A span that begins within the bar before it, since hours were told meanwhile, lacks what that holds.
        self._whole = not self._deaf and max(self._since_ns, self._last_end) <= self._begin
        self._running = True
        self._open = self._high = self._low = price
        self._volume = self._notional = 0.0

    def _finish(self, end_ns: int, is_whole: bool) -> Bar:
        wap, count = self._closing()
        self.partial += not is_whole
        self._last_end, self._running = end_ns, False
        return Bar(
            time_ns=self._begin,
            seconds=self.seconds,
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=self._volume,
            wap=wap,
            count=count,
            gap=self._gap,
            is_whole=is_whole,
        )

    def _closing(self) -> tuple[float | None, int]:
        """The average price of the open bar, and its count."""
        raise NotImplementedError


def spans_missed(before: Bar, after: Bar) -> int:
    """How many whole spans lie empty between two bars of one builder: 0 when they touch."""
    gap_ns = after.time_ns - before.time_ns - before.seconds * NS_PER_S
    return max(0, gap_ns // (before.seconds * NS_PER_S))
