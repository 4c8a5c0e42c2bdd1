"""How much a TWS lets its clients ask: the limits as a frozen value, and the books that count against them.

`Limits` says what is allowed; None switches one limit off, `Limits.off()` all of them. `Pace` counts the
requests of one session; `Limiter` counts what all sessions share, since the limits of a TWS belong to its
user, not to a client. A handler asks the limiter before it starts something, and the limiter answers the
refusal in TWS's words: `if not limiter.bars(session, req_id): return`.

Limits count the time of the event loop, not the market's: they guard the peer from the client's real
haste, and a market at N times or in lock-step must not make a client N times slower. In `tws.world` the
loop's clock is virtual, so they count virtual time there. TWS-BEHAVIOUR.md B, A8.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from tws.errors import ConfigError
from tws.wire.messages import HistoricalDataRequest, HistoricalTicksRequest

if TYPE_CHECKING:
    from tws.simulator.session import Session

__all__ = ["Limiter", "Limits", "Pace", "Verdict"]

PACING = "Historical Market Data Service error message:Historical data request pacing violation"
BARS_PACING = "Invalid Real-time Query:Historical data request pacing violation"
SMALL_BARS = frozenset(
    f"{count} {unit}" for count in (1, 5, 10, 15, 30) for unit in ("sec", "secs", "second", "seconds")
)
"""Bars of 30 seconds and less, as clients write them: only these have hard limits."""
WARN_FROM = 0.88
"""Share of the rate from which TWS warns: seen at 44 of 50 (INS#443)."""
WINDOW_S, BURST_S, LONG_S = 1.0, 2.0, 600.0
PATIENCE_S = 60.0
"""A search for symbols that would wait longer is never answered: what waits must have a bound."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a user may ask at once or in a time. None: no such limit. Defaults are those of 100 lines.

    lines           market data lines of all clients together, real-time bars included; beyond: 101
    messages_per_s  requests of one client in a second, half of the lines in a TWS. Whether a TWS counts
                    each client alone is not known; assumed
    reject          a request beyond that rate is refused with 100 and lost, and `violations` of them end
                    the session; False: TWS reads more slowly instead. A client that connects with +PACEAPI
                    is always read more slowly
    violations      how many refusals of a session end it
    identical_s     the same historical request may come again after so many seconds; sooner: 162
    burst           the so-manieth request for a contract, exchange and kind within two seconds is refused
    per_ten_minutes historical requests in ten minutes, BID_ASK counts twice; beyond: 162
    open_history    historical requests open at once, head time stamps included; beyond: 322
    real_time_bars  new subscriptions in ten minutes; beyond: 420
    tick_by_tick    subscriptions at once, five of a hundred lines; beyond: 10190
    tick_by_tick_s  seconds between two subscriptions of one instrument; sooner: 10190
    depth           market depths at once; beyond: 309
    scanners        scanner subscriptions at once; beyond: 162 with TWS's words
    summaries       account summaries at once; beyond: 322
    matching_s      seconds between two answers to searches for symbols: a hasty one waits

    `identical_s`, `burst` and `per_ten_minutes` hold for bars of 30 seconds and less and for historical
    ticks. Source: TWS-BEHAVIOUR.md B.
    """

    lines: int | None = 100
    messages_per_s: int | None = 50
    reject: bool = True
    violations: int = 3
    identical_s: float | None = 15.0
    burst: int | None = 6
    per_ten_minutes: int | None = 60
    open_history: int | None = 50
    real_time_bars: int | None = 60
    tick_by_tick: int | None = 5
    tick_by_tick_s: float | None = 15.0
    depth: int | None = 3
    scanners: int | None = 10
    summaries: int | None = 2
    matching_s: float | None = 1.0

    @classmethod
    def off(cls) -> Limits:
        """No limit at all."""
        return cls(**dict.fromkeys((name for name in cls.__struct_fields__ if name not in _KEPT), None))  # type: ignore[arg-type]

    @classmethod
    def of_lines(cls, lines: int) -> Limits:
        """What a user with so many market data lines may: rate and depth follow from them (B). Raises
        ConfigError.
        """
        if not 0 < lines <= 10**6:
            raise ConfigError("lines", lines, "is no number of market data lines", "Use 100 or more")
        return cls(
            lines=lines,
            messages_per_s=max(1, lines // 2),
            tick_by_tick=max(1, lines // 20),
            depth=min(60, 3 if lines < 400 else 3 + (lines - 300) // 100),
        )

    def check(self) -> None:
        """Raise ConfigError for the first limit that can't be meant."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name != "reject" and value is not None and not 0 < value <= 10**9:
                raise ConfigError(f"limits.{name}", value, "is no limit", "Use a number above 0, or None")


_KEPT = ("reject", "violations")


class Verdict(Enum):
    """What becomes of a request that arrived."""

    TAKE = "answer it"
    REFUSE = "refuse it with 100"
    CLOSE = "refuse it with 100 and end the session"
    WAIT = "read on later"


class Pace:
    """The requests of one session, counted over the last second."""

    def __init__(self, limits: Limits, *, patient: bool = False) -> None:
        """`patient`: requests wait instead of being refused, as with +PACEAPI."""
        self.maximum = limits.messages_per_s
        self.count = 0
        self._reject = limits.reject and not patient
        self._allowed = limits.violations
        self._times: deque[float] = deque()
        self._warned = float("-inf")
        self.broken = 0

    def judge(self, now: float) -> Verdict:
        """One request came at `now` seconds of the loop. WAIT means: ask again for the same one later."""
        if self.maximum is None:
            return Verdict.TAKE
        times = self._times
        while times and times[0] <= now - WINDOW_S:
            times.popleft()
        self.count = len(times) + 1
        if self.count > self.maximum:
            if not self._reject:
                return Verdict.WAIT
            self.broken += 1
            if len(times) < 2 * self.maximum:
                times.append(now)
            return Verdict.CLOSE if self.broken >= self._allowed else Verdict.REFUSE
        times.append(now)
        return Verdict.TAKE

    def wait_s(self, now: float) -> float:
        """After WAIT: how long until there is room, in seconds."""
        return max(0.0, self._times[0] + WINDOW_S - now) if self._times else 0.0

    def warning(self, now: float) -> str | None:
        """The line of TWS that the rate comes near, at most once a second."""
        maximum = self.maximum
        if maximum is None or self.count < maximum * WARN_FROM or self.count > maximum:
            return None
        if now - self._warned < WINDOW_S:
            return None
        self._warned = now
        return f"Warning: Approaching max rate of {maximum} messages per second ({self.count})"

    def refusal(self) -> str:
        """The text of error 100; what the last number means is reported, not documented."""
        counts = f"max={self.maximum} rec={self.count} ({self.broken})"
        return f"Max rate of messages per second has been exceeded:{counts}"


class Later(Protocol):
    """`call_at` of an event loop: when and what."""

    def __call__(self, when: float, callback: Callable[[], None], /) -> object: ...


class Limiter:
    """What all clients of this TWS share. Each method says whether it may be; if not, the session was told
    why.
    """

    def __init__(self, limits: Limits, now: Callable[[], float], later: Later) -> None:
        self.limits = limits
        self._now = now
        self._later = later
        self._same: dict[object, float] = {}
        self._bursts: dict[object, deque[float]] = {}
        self._small: deque[tuple[float, int]] = deque()
        self._bars: deque[float] = deque()
        self._prints: dict[int, float] = {}
        self._searched = float("-inf")

    # -- how many at once -------------------------------------------------------------------------

    def line(self, session: Session, req_id: int, taken: int) -> bool:
        """A market data line more, `taken` being in use by all clients."""
        refusal = (101, "Max number of tickers has been reached")
        return self._room(self.limits.lines, taken, session, req_id, refusal)

    def open_history(self, session: Session, req_id: int, taken: int) -> bool:
        """A historical request that stays open."""
        limit = self.limits.open_history
        text = f"Error processing request:Only {limit} simultaneous API historical data requests allowed"
        return self._room(limit, taken, session, req_id, (322, text))

    def depth(self, session: Session, req_id: int, taken: int) -> bool:
        """A market depth more."""
        text = (
            f"Max number ({self.limits.depth}) of market depth requests has been reached. "
            "Please cancel some of your existing market depth subscriptions"
        )
        return self._room(self.limits.depth, taken, session, req_id, (309, text))

    def scanner(self, session: Session, req_id: int, taken: int) -> bool:
        """A scanner subscription more; code and text are reported."""
        limit = self.limits.scanners
        text = f"Only {limit} simultaneous API scanner subscriptions are allowed."
        refusal = (322, f"Error processing request.-'co' : cause - {text}")
        return self._room(limit, taken, session, req_id, refusal)

    def summary(self, session: Session, req_id: int, taken: int) -> bool:
        """An account summary more; the text is assumed."""
        text = (
            "Error processing request.-'bS' : cause - "
            "Maximum number of account summary requests exceeded; desubscribe from some of your requests."
        )
        return self._room(self.limits.summaries, taken, session, req_id, (322, text))

    def _room(
        self, limit: int | None, taken: int, session: Session, req_id: int, refusal: tuple[int, str]
    ) -> bool:
        if limit is None or taken < limit:
            return True
        session.error(req_id, *refusal)
        return False

    # -- how many in a time -----------------------------------------------------------------------

    def bars(self, session: Session, req_id: int) -> bool:
        """A new subscription of real-time bars."""
        limit = self.limits.real_time_bars
        if limit is None:
            return True
        now = self._now()
        while self._bars and self._bars[0] <= now - LONG_S:
            self._bars.popleft()
        if len(self._bars) >= limit:
            session.error(req_id, 420, BARS_PACING)
            return False
        self._bars.append(now)
        return True

    def prints(self, session: Session, req_id: int, con_id: int, taken: int) -> bool:
        """A tick-by-tick subscription more."""
        limits, now = self.limits, self._now()
        gap = limits.tick_by_tick_s or 0.0
        self._prints = {known: at for known, at in self._prints.items() if now - at < gap}
        if con_id in self._prints or (limits.tick_by_tick is not None and taken >= limits.tick_by_tick):
            session.error(req_id, 10190, "Max number of tick-by-tick requests has been reached.")
            return False
        if gap:
            self._prints[con_id] = now
        return True

    def history(self, session: Session, request: HistoricalDataRequest | HistoricalTicksRequest) -> bool:
        """A historical request; what was refused does not count against the next one (assumed)."""
        if isinstance(request, HistoricalDataRequest) and request.bar_size_setting.strip() not in SMALL_BARS:
            return True
        now = self._now()
        contract = request.contract
        same = replace(request, req_id=0)
        what = request.what_to_show.strip().upper()
        kind = (contract.con_id, contract.symbol, contract.local_symbol, contract.exchange, what)
        weight = 2 if what == "BID_ASK" else 1
        self._forget(now)
        if self._is_hasty(same, kind, weight):
            session.error(request.req_id, 162, PACING)
            return False
        self._same[same] = now
        self._bursts.setdefault(kind, deque()).append(now)
        self._small.append((now, weight))
        return True

    def _is_hasty(self, same: object, kind: object, weight: int) -> bool:
        limits = self.limits
        return (
            (limits.identical_s is not None and same in self._same)
            or (limits.burst is not None and len(self._bursts.get(kind, ())) + 1 >= limits.burst)
            or (
                limits.per_ten_minutes is not None
                and sum(spent for _, spent in self._small) + weight > limits.per_ten_minutes
            )
        )

    def _forget(self, now: float) -> None:
        """Drop what no limit looks at any more; insertion order is time order."""
        oldest = now - (self.limits.identical_s or 0.0)
        for key in [key for key, at in self._same.items() if at <= oldest]:
            del self._same[key]
        for kind, times in list(self._bursts.items()):
            while times and times[0] <= now - BURST_S:
                times.popleft()
            if not times:
                del self._bursts[kind]
        while self._small and self._small[0][0] <= now - LONG_S:
            self._small.popleft()

    def matching(self, answer: Callable[[], None]) -> None:
        """Answer a search for symbols now, or when its turn has come, or never when too many wait (B)."""
        gap, now = self.limits.matching_s, self._now()
        if gap is None or now - self._searched >= gap:
            self._searched = now
            answer()
        elif self._searched - now < PATIENCE_S:
            self._searched += gap
            self._later(self._searched, answer)
