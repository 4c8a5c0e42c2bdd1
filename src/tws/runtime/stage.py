"""`Stage`: one strategy on a thread of its own, so that what it does wrong stays with it.

    stage = Stage(Player(strategy), StageBounds(), clock)
    stage.start()
    stage.tell(event)            # never waits
    signals = stage.look()       # what it wished by now; sees whether it blocks
    await stage.stop([Ended(now_ns)], patience_s=2)

A hook that raises is named with file and line, and counted; after `max_errors` within `error_window_s` the
strategy is disabled. One that blocks is told of with its stack after `warn_s`, and disabled after
`blocked_s`: a thread can't be ended from without, so it is left behind as a daemon and what it still says is
not heard. A strategy that burns the processor instead of waiting shares it with the desk until then: Python
gives every thread its turn, every few milliseconds.

Without a thread (`blocked` is given: virtual time, where all of a run is one thread) `look` plays the events,
and `blocked` tells how many seconds the last one took: so long the stage is busy, as with a thread.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from msgspec import Struct

from tws.clock import Clock
from tws.log import get_logger
from tws.model.signal import Signal
from tws.strategy.playing import BarMade, Began, Event, Heard, Player, Ticked

__all__ = ["Job", "Stage", "StageBounds", "Task"]

MOST_WAITING = 10_000
"""Bars and signals that wait: what 1,000 symbols of 1-second bars make in the ten seconds after which a
strategy counts as blocked."""
MOST_WISHED = 1_000
"""Signals that nobody took: a look follows each, so this is a strategy without measure."""
LOOK_S = 0.01

_OURS = str(Path(__file__).resolve().parents[1])

log = get_logger("tws.runtime")


class StageBounds(Struct, frozen=True, kw_only=True):
    """When a strategy is warned of and when it is disabled. Seconds of the machine's time, not the market's.

    Five errors in five minutes: an error at each 10-second bar is noticed within a minute, one a day never
    ends anything. Ten seconds: a wish that comes so late is about another market.
    """

    max_errors: int = 5
    error_window_s: float = 300.0
    warn_s: float = 1.0
    blocked_s: float = 10.0


class Job(Struct, frozen=True):
    """Something else to be done between two events, on the same thread: restoring and saving the state.

    `must`: the strategy is disabled when it fails.
    """

    name: str
    do: Callable[[], object]
    must: bool = False


Task: TypeAlias = Event | Job


class Stage:
    """The counts are of the whole run. `disabled` says why it plays no more, "" while it does. `ring` is
    called, on its own thread, after it has wished something.
    """

    def __init__(
        self, player: Player, bounds: StageBounds, clock: Clock, *,
        blocked: Callable[[], float] | None = None, ring: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        self.player, self.bounds = player, bounds
        self.disabled = ""
        self.events = self.signals = self.errors = self.slow = self.merged = self.lost = 0
        self.last_error = ""
        self._clock = clock
        self._ring = ring
        self._tasks: deque[Task | str | None] = deque()  # a text is the symbol whose newest tick is meant
        self._ticks: dict[str, Ticked] = {}
        self._wished: deque[Signal] = deque()
        self._errors_s: deque[float] = deque()
        self._busy: tuple[float, str] | None = None  # since when it has been at one task, and which
        self._told_of: tuple[float, str] | None = None
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None
        self._blocked, self._busy_until_s = blocked, 0.0
        if blocked is None:
            name = f"strategy {player.name}"
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    @property
    def waiting(self) -> int:
        """Tasks that it has not begun."""
        return len(self._tasks)

    @property
    def busy_s(self) -> float:
        """How long it has been at one task."""
        busy = self._busy
        return 0.0 if busy is None else self._clock.monotonic() - busy[0]

    def start(self) -> None:
        if self._thread is not None:
            self._thread.start()

    # -- the loop's side

    def tell(self, task: Task) -> None:
        """Have it played after what waits. Of ticks of one symbol that wait the newest stays; bars and
        signals find no room at the bound, counted; all else, fills first of all, is never left out.
        """
        with self._lock:
            if self.disabled:
                return
            if isinstance(task, Ticked):
                if task.symbol in self._ticks:
                    self.merged += 1
                else:
                    self._tasks.append(task.symbol)
                self._ticks[task.symbol] = task
            elif isinstance(task, BarMade | Heard) and len(self._tasks) >= MOST_WAITING:
                self.lost += 1
                return
            else:
                self._tasks.append(task)
            self._lock.notify()

    def look(self) -> list[Signal]:
        """What it wished since the last look. Disables it when it has blocked for too long."""
        self._play()
        self._watch()
        found: list[Signal] = []
        while self._wished and not self.disabled and not (self._blocked and self._busy):
            found.append(self._wished.popleft())
        return found

    async def stop(self, last: Iterable[Task], patience_s: float) -> bool:
        """Play `last` and end. False when it did not end within `patience_s` and was left behind."""
        for task in last:
            self.tell(task)
        with self._lock:
            self._tasks.append(None)
            self._lock.notify()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + patience_s
        while not (ended := self._ended()) and loop.time() < until_s:
            self._watch()
            await asyncio.sleep(LOOK_S)
        if not ended:
            self._disable(f"it did not end within {patience_s:g} s")
            return False
        return True

    def _ended(self) -> bool:
        self._play()
        return not self._tasks if self._thread is None else not self._thread.is_alive()

    def _play(self) -> None:
        """Without a thread: all that waits, up to a task that blocks."""
        if self._blocked is None or self._clock.monotonic() < self._busy_until_s:
            return
        self._busy = None
        while self._busy is None and (task := self._next()) is not None:
            self._do(task)
            began_s, blocked_s = self._clock.monotonic(), self._blocked()
            if blocked_s > 0:
                self._busy, self._busy_until_s = (began_s, _name(task)), began_s + blocked_s

    def _watch(self) -> None:
        busy = self._busy
        if busy is None or self.disabled:
            return
        busy_s = self._clock.monotonic() - busy[0]
        if busy_s <= min(self.bounds.warn_s, self.bounds.blocked_s):
            return
        thread = self._thread
        frame = None if thread is None else sys._current_frames().get(thread.ident or 0)
        if self._busy is not busy:
            return  # it has gone on while we looked: the stack is of something else
        if self._told_of is not busy:
            self._told_of = busy
            self.slow += 1
            stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            log.warning("a strategy blocks", strategy=self.player.name, task=busy[1],
                        seconds=round(busy_s, 1), where=_where(frame), stack=stack)
        if busy_s > self.bounds.blocked_s:
            where = _where(frame)
            self._disable(f"it blocked for {busy_s:.0f} s at {busy[1]}" + (f", in {where}" if where else ""))

    def _disable(self, why: str) -> None:
        with self._lock:
            if self.disabled:
                return
            self.disabled = why
            self._tasks.clear()
            self._ticks.clear()
            self._tasks.append(None)
            self._lock.notify()
        log.error("a strategy is disabled", strategy=self.player.name, reason=why,
                  cure="its trades keep their stops; mend it and start the run again")

    # -- its own side

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._tasks:
                    self._lock.wait()
            task = self._next()
            if task is None or self.disabled:
                return
            self._do(task)

    def _next(self) -> Task | None:
        with self._lock:
            if not self._tasks:
                return None
            task = self._tasks.popleft()
            return self._ticks.pop(task) if isinstance(task, str) else task

    def _do(self, task: Task) -> None:
        what = _name(task)
        self._busy = (self._clock.monotonic(), what)
        try:
            if isinstance(task, Job):
                task.do()
                return
            self.events += 1
            signals = self.player.play(task)
        except BaseException as wrong:  # sys.exit() in a hook is not the end of the trader
            self._failed(wrong, what, must=isinstance(task, Began) or (isinstance(task, Job) and task.must))
            return
        finally:
            self._busy = None
        if self.disabled:
            return  # it blocked for too long: what it wished then is about another market
        if len(self._wished) + len(signals) > MOST_WISHED:
            self._failed(OverflowError(f"{MOST_WISHED} signals wait already"), what, must=False)
            return
        self.signals += len(signals)
        self._wished.extend(signals)
        if signals:
            self._ring()

    def _failed(self, wrong: BaseException, what: str, *, must: bool) -> None:
        if self.disabled:
            return
        now_s = self._clock.monotonic()
        self.errors += 1
        place = _raised(wrong)
        self.last_error = f"{what}: {type(wrong).__name__}: {wrong}" + (f" ({place})" if place else "")
        log.warning("a strategy raised", strategy=self.player.name, error=self.last_error)
        self._errors_s.append(now_s)
        while self._errors_s and now_s - self._errors_s[0] > self.bounds.error_window_s:
            self._errors_s.popleft()
        if must:
            self._disable(f"it could not begin: {self.last_error}")
        elif len(self._errors_s) >= self.bounds.max_errors:
            window = f"{len(self._errors_s)} errors within {self.bounds.error_window_s:g} s"
            self._disable(f"{window}, the last one {self.last_error}")


_HOOKS = {"Began": "on_start", "BarMade": "on_bar", "Ticked": "on_tick", "Heard": "on_signal",
          "Filled": "on_fill", "Ended": "on_stop"}


def _name(task: Task) -> str:
    return task.name if isinstance(task, Job) else _HOOKS.get(type(task).__name__, "indicators")


def _raised(wrong: BaseException) -> str:
    """Where in the user's code it was raised: the innermost line of the file that has the hook."""
    frames = [f for f in traceback.extract_tb(wrong.__traceback__) if not f.filename.startswith(_OURS)]
    own = [f for f in frames if f.filename == frames[0].filename]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""


def _where(frame: FrameType | None) -> str:
    """The same of a running thread: the outermost line that is none of ours nor of Python's own threading."""
    found = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(_OURS) and Path(name).name != "threading.py":
            found = f"{Path(name).name}, line {frame.f_lineno}"
        frame = frame.f_back
    return found
