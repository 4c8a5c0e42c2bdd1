"""What a source of signals is, whatever it is fed by: a file, an API that is asked, a receiver, a function.

    await source.start()          its own tasks begin; nothing it waits for makes anybody else wait
    source.on_news(ring)          `ring` is called whenever there is something to take
    source.take(now_ns, most)     what it has by now: signals, and refusals for what was no signal
    source.health()               how it does
    await source.stop()           safe twice

`take` never waits: what a source waits for, it waits for in a task of its own (`Kept`), and puts what comes
of it into an `Outbox`, which has a bound. When nobody takes for so long that it is full, what comes next is
refused, counted, and told in one line as soon as there is room: a wish that is an hour old is none.
`tws.signals.hub.Sources` drives many and lets none of them stop another.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias

from msgspec import Struct, field

from tws.clock import Clock, Rng, to_datetime
from tws.log import get_logger
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal
from tws.strategy import Reason, Refusal
from tws.strategy.refusal import OF_SOURCE

__all__ = ["Health", "Heard", "Kept", "Outbox", "Source", "backoff_s"]

log = get_logger("tws.signals")

Heard: TypeAlias = Signal | Refusal

MAX_WAITING = 10_000
"""Values that wait to be taken, 3 MB: a trader takes several times a second, so this is a hung one."""


class Health(Struct, frozen=True, kw_only=True):
    """How a source does. Counts are since it was made; instants are market time.

    `errors` by reason (`counts`): what went wrong, retries too. `same` are answers that said nothing new.
    `dropped` found no room. `resting_s` is how long it will ask nothing, by its own back-off or as told.
    """

    name: str
    kind: str
    state: str
    signals: int = 0
    refusals: int = 0
    errors: int = 0
    same: int = 0
    dropped: int = 0
    waiting: int = 0
    resting_s: float = 0.0
    last_answer_ns: int | None = None
    last_error: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        row: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        at_ns = row.pop("last_answer_ns")
        return row | {"last_answer": None if at_ns is None else to_datetime(at_ns).isoformat()}

    def line(self) -> str:
        """One line for a human."""
        heard = "never" if self.last_answer_ns is None else f"{to_datetime(self.last_answer_ns):%H:%M:%S}"
        words = [f"{self.name} ({self.kind}) {self.state}: {self.signals} signals, last answer {heard}"]
        words += [f"{count} x {reason}" for reason, count in sorted(self.counts.items())]
        words += [f"{self.dropped} dropped"] if self.dropped else []
        words += [f"rests for {self.resting_s:.0f} s"] if self.resting_s > 0 else []
        words += [f"last error: {self.last_error}"] if self.last_error else []
        return ", ".join(words)


class Source(Protocol):
    """One source. What it knows of bars and sessions it is told; whoever needs neither ignores both."""

    name: str

    async def start(self) -> None:
        """Begin. Raises ConfigError or MissingExtraError for what a human has to mend."""
        ...

    async def stop(self) -> None:
        """End: no task of it is left. Safe twice."""
        ...

    def on_news(self, ring: Callable[[], object]) -> None:
        """Call `ring` whenever there is something new to take: after it was put there, from any thread. Who
        never does is looked at all the same, some times a second.
        """
        ...

    def take(self, now_ns: int, most: int) -> Sequence[Heard]:
        """At most `most` values whose time has come, each once, oldest first. Never waits."""
        ...

    def health(self) -> Health:
        """How it does, now."""
        ...

    def on_session(self, symbol: str, session: Session) -> None:
        """The session of a symbol that holds or comes next."""
        ...

    def on_bar(self, symbol: str, bar: Bar) -> None:
        """A bar of a symbol is complete."""
        ...


class Outbox:
    """What a source has found and nobody took yet, with its counts."""

    def __init__(self, name: str, kind: str, *, bound: int = MAX_WAITING) -> None:
        self.name, self.kind = name, kind
        self.signals = self.refusals = self.errors = self.same = self.dropped = 0
        self.counts: Counter[str] = Counter()
        self.last_answer_ns: int | None = None
        self.last_error = ""
        self.ring: Callable[[], object] = lambda: None
        """Called after each value that was put in."""
        self._values: deque[Heard] = deque()
        self._bound = bound
        self._untold = 0

    def __len__(self) -> int:
        return len(self._values)

    def put(self, value: Heard) -> bool:
        """False: there was no room, it is counted and forgotten."""
        if isinstance(value, Signal):
            self.signals += 1
        else:
            self.refusals += 1
            self.counts[value.reason] += 1
            self.last_error = value.text
            if value.reason in OF_SOURCE:
                self.errors += 1
        if len(self._values) >= self._bound:
            self.dropped += 1
            self._untold += 1
            return False
        self._values.append(value)
        self.ring()
        return True

    def answered(self, now_ns: int) -> None:
        """The other side has spoken sense."""
        self.last_answer_ns = now_ns

    def take(self, now_ns: int, most: int) -> list[Heard]:
        found = [self._values.popleft() for _ in range(min(most, len(self._values)))]
        if self._untold and len(found) < most:
            text = f"{self.name}: {self._untold} values found no room, {self._bound} waited already"
            found.append(
                Refusal(reason=Reason.OVERLOAD, text=text, time_ns=now_ns, figure=str(self._untold))
            )
            self._untold = 0
        return found

    def health(self, state: str, *, resting_s: float = 0.0, waiting: int = 0) -> Health:
        return Health(
            name=self.name,
            kind=self.kind,
            state=state,
            signals=self.signals,
            refusals=self.refusals,
            errors=self.errors,
            same=self.same,
            dropped=self.dropped,
            waiting=len(self._values) + waiting,
            resting_s=resting_s,
            last_answer_ns=self.last_answer_ns,
            last_error=self.last_error,
            counts=dict(self.counts),
        )


def backoff_s(failures: int, rng: Rng, *, first_s: float = 1.0, most_s: float = 60.0) -> float:
    """How long to wait after so many failures in a row: doubling, and a random half of it taken off.

    The half keeps many clients that failed together from coming back together.
    """
    whole = min(most_s, first_s * 2.0 ** min(max(failures - 1, 0), 30))
    return whole * (0.5 + 0.5 * rng.random())


class Kept:
    """A task that is begun again after what it raises, with back-off; each failure is in the outbox.

    `body` runs until it is cancelled. Nothing but the loop itself can end it otherwise.
    """

    def __init__(
        self, outbox: Outbox, clock: Clock, rng: Rng, body: Callable[[], Awaitable[None]]
    ) -> None:
        self._outbox, self._clock, self._rng, self._body = outbox, clock, rng, body
        self._task: asyncio.Task[None] | None = None
        self.failing = False

    @property
    def state(self) -> str:
        if self._task is None:
            return "stopped"
        return "failing" if self.failing else "running"

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._run(), name=f"signals {self._outbox.name}"
            )

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])  # not gather: a cancel of ours from without must reach us

    async def _run(self) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._body()
            except Exception as wrong:  # a source's fault stays in the source
                lasted_s = self._clock.monotonic() - began
                failures = 1 if lasted_s > 60 else failures + 1  # a minute without fault forgives
                self.failing = True
                log.warning("a source failed", source=self._outbox.name, reason=repr(wrong))
                text = f"{self._outbox.name}: {type(wrong).__name__}: {wrong}"
                self._outbox.put(
                    Refusal(reason=Reason.FAILED, text=text, time_ns=self._clock.now_ns())
                )
            await asyncio.sleep(backoff_s(max(failures, 1), self._rng))
            self.failing = False
