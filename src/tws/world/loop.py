"""An asyncio event loop on virtual time: it never sleeps, it jumps to the next timer.

Everything that asyncio's tasks, futures, queues and time-outs need is here; sockets, threads,
processes and signals are not, and asking for them fails, since they would let the real world in.
Same program, same seed, same run: what is ready runs first in, first out, and so do timers of
equal deadline (asyncio's own heap leaves their order open), or, given a source of chance, in an
order that it draws, which finds code that relied on it. Tasks are named by a count of this
loop, not of the process.

A run ends well only if nothing went wrong: an exception that nobody took (of a callback, of a task
or future never awaited), nothing left to run while the main coroutine waits (deadlock), and
more steps or more virtual time than allowed, each raise SimulationError.

A callback belongs to the `Domain` of the context it was scheduled in, and a dead domain's never run.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from msgspec import Struct

from tws.clock import Rng
from tws.errors import SimulationError
from tws.world.bare import BareLoop
from tws.world.domain import Domain, current_domain, domain_of
from tws.world.handles import Future, Step, Task, Timer, close_quietly, exhaust, label_of, steady_garbage

__all__ = ["BOUNDS", "Bounds", "VirtualLoop"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Bounds(Struct, frozen=True, kw_only=True):
    """What a run may use up before it counts as stuck.

    steps    callbacks in all: 5,000,000 take about a minute, so a run that needs more runs in circles
    spin     callbacks at one instant: whoever polls with sleep(0) would never let time move
    time_s   virtual seconds, a week: a heartbeat alone would keep a stuck run going for ever
    """

    steps: int = 5_000_000
    spin: int = 100_000
    time_s: float = 7 * 86_400.0


BOUNDS = Bounds()


class VirtualLoop(BareLoop):
    """A deterministic event loop; `time()` starts at 0 and counts virtual seconds.

    `ties`: None runs timers of equal deadline in the order in which they were set; a source of
    chance draws their order. `on_step(time, label)` is told each callback before it runs.
    """

    def __init__(
        self,
        *,
        ties: Rng | None = None,
        bounds: Bounds = BOUNDS,
        on_step: Callable[[float, str], None] | None = None,
    ) -> None:
        self._now = 0.0
        self._ready: deque[Step | Timer] = deque()
        self._timers: list[tuple[float, float, int, Timer]] = []
        self._ties = ties
        self._turns = 0
        self._task_count = 0
        self._tasks: list[tuple[asyncio.Task[Any], Domain | None]] = []
        self._bounds = bounds
        self.on_step = on_step
        self._thread = threading.get_ident()
        self._running = False
        self._stopping = False
        self._closed = False
        self._burying = False
        self._blocked_s = 0.0
        self._handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None
        self._failures: list[tuple[str, BaseException | None]] = []
        self._spin = 0  # steps since time last moved
        self.steps = 0

    # Time and scheduling

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run after all that is ready already."""
        self._check_open()
        step = Step(callback, args, self, context)
        step.domain = current_domain() if context is None else domain_of(context)
        step.label = "" if self.on_step is None else label_of(callback)
        self._ready.append(step)
        return step

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """The same; from another thread it fails, since threads have no place in the order of a run."""
        if threading.get_ident() != self._thread:
            raise SimulationError("another thread called into a virtual loop: its moment can't be repeated")
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run after `delay` virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run at `when` on this loop's clock."""
        self._check_open()
        timer = Timer(when, callback, args, self, context)
        timer.domain = current_domain() if context is None else domain_of(context)
        timer.label = "" if self.on_step is None else label_of(callback)
        self._turns += 1
        tie = 0.0 if self._ties is None else self._ties.random()
        heapq.heappush(self._timers, (when, tie, self._turns, timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by asyncio's own TimerHandle; a cancelled timer leaves the heap when its turn comes."""

    # Futures and tasks

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return Future(self)

    def create_task(
        self, coro: Any, *, name: object = None, context: Context | None = None, **options: Any
    ) -> asyncio.Task[Any]:
        """A task, held strongly until it is done: none vanishes at the whim of the garbage collector."""
        self._check_open()
        self._task_count += 1
        title = f"task-{self._task_count}" if name is None else str(name)
        task = Task(coro, loop=self, name=title, context=context, **options)
        task.domain = current_domain() if context is None else domain_of(context)
        if self._task_count % 256 == 0:
            self._tasks = [kept for kept in self._tasks if not kept[0].done()]
        self._tasks.append((task, task.domain))
        return task

    def run_in_executor(self, executor: Any, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """Run `func` on this thread at its turn: there are no others."""
        future: asyncio.Future[_T] = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            self.blocked()
            try:
                answer = partial(future.set_result, func(*args))
            except Exception as error:  # it belongs to whoever awaits the future
                answer = partial(future.set_exception, error)
            blocked_s = self.blocked()
            if blocked_s > 0:
                self.call_later(blocked_s, lambda: None if future.done() else answer())
            else:
                answer()

        self.call_soon(work)
        return future

    def block(self, seconds: float) -> None:
        """What `time.sleep` is to a thread: the work that an executor does now takes so much longer."""
        self._blocked_s += seconds

    def blocked(self) -> float:
        """How long that was since the last look."""
        blocked_s, self._blocked_s = self._blocked_s, 0.0
        return blocked_s

    # Running

    def run(self, main: Coroutine[Any, Any, _T]) -> _T:
        """Run `main` to its end, cancel what it left, close the loop; fail if anything went wrong."""
        with steady_garbage():
            try:
                result: _T = self.run_until_complete(main)
                self._finish()
            finally:
                self._drop(self._tasks)
                self.close()
                gc.collect()  # futures that hide an exception tell of it now, not in some later run
            self._raise_failure()
        return result

    def run_until_complete(self, future: Any) -> Any:
        """Run until `future` is done; its result. Raises SimulationError for a run that went wrong."""
        self._check_open()
        main = asyncio.ensure_future(future, loop=self)
        self._turn_until(main.done)
        if not main.done():
            raise SimulationError("the loop was stopped before its main coroutine ended")
        return main.result()

    def run_forever(self) -> None:
        """Run until `stop()`."""
        self._turn_until(lambda: False)

    def stop(self) -> None:
        """Stop after the callback that runs now."""
        self._stopping = True

    def _turn_until(self, is_done: Callable[[], bool]) -> None:
        if self._running:
            raise SimulationError("this loop is running already")
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=None, finalizer=self._finalize)
        asyncio._set_running_loop(self)
        self._running, self._stopping, self._thread = True, False, threading.get_ident()
        try:
            while not is_done() and not self._stopping:
                self._raise_failure()
                if not self._ready:
                    self._advance()
                self._batch(is_done)
            self._raise_failure()
        finally:
            self._running = False
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _batch(self, is_done: Callable[[], bool]) -> None:
        """What is ready now; what it makes ready waits, so that due timers come in between."""
        for _ in range(len(self._ready)):
            step = self._ready.popleft()
            domain = step.domain
            if step.cancelled() or (domain is not None and not self._lives_on(domain)):
                continue
            if domain is not None and domain.asleep:
                domain.held.append(step)
                continue
            self.steps += 1
            self._spin += 1
            if self.steps > self._bounds.steps:
                raise SimulationError(f"more than {self._bounds.steps} steps; {self._who_waits()}")
            if self.on_step is not None:
                self.on_step(self._now, step.label)
            step._run()
            if self._failures or self._stopping or is_done():
                return
        if self._spin > self._bounds.spin:
            raise SimulationError(f"{self._spin} steps at {self._now:.6f} s alone; {self._who_waits()}")
        self._take_due()

    @staticmethod
    def _lives_on(domain: Domain) -> bool:
        """Whether the next callback of this domain ever runs; a fuse that has burnt down strikes here."""
        if domain.fuse is not None and domain.alive and not domain.asleep:
            if domain.fuse <= 0:
                domain.fuse = None
                domain.blown()
            else:
                domain.fuse -= 1
        return domain.alive

    def _advance(self) -> None:
        """Jump to the next deadline."""
        while self._timers and not self._is_wanted(self._timers[0][3]):
            heapq.heappop(self._timers)
        if not self._timers:
            raise SimulationError(
                f"deadlock at {self._now:.6f} s: nothing is ready and no timer is set; {self._who_waits()}"
            )
        self._now = max(self._now, self._timers[0][0])
        self._spin = 0
        if self._now > self._bounds.time_s:
            raise SimulationError(f"more than {self._bounds.time_s:.0f} virtual seconds; {self._who_waits()}")
        self._take_due()

    def _take_due(self) -> None:
        while self._timers and self._timers[0][0] <= self._now:
            timer = heapq.heappop(self._timers)[3]
            if self._is_wanted(timer):
                self._ready.append(timer)

    @staticmethod
    def _is_wanted(timer: Timer) -> bool:
        return not timer.cancelled() and (timer.domain is None or timer.domain.alive)

    def _finish(self) -> None:
        """Cancel the tasks that are left and let them end, as asyncio.run does."""
        left = [task for task, domain in self._tasks if not task.done() and (domain is None or domain.alive)]
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            for task in left:
                error = None if task.cancelled() else task.exception()
                if error is not None:
                    self._failures.append((f"{task.get_name()} failed while it was cancelled", error))

    def _who_waits(self) -> str:
        names = [
            f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')})"
            for task, domain in self._tasks
            if not task.done() and (domain is None or domain.alive)
        ]
        shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        return f"{len(names)} tasks wait: {shown}"

    # Sleep and death

    def kill(self, domain: Domain) -> None:
        """Let a domain die: nothing of it runs again. Make its links and stores inert first.

        Its coroutines are closed at the next turn; what their `finally` schedule belongs to the dead.
        """
        domain.alive = False
        domain.held.clear()
        dead = [entry for entry in self._tasks if entry[1] is domain]
        self._tasks = [entry for entry in self._tasks if entry[1] is not domain]
        self.call_soon(self._drop, dead, context=Context())

    def wake(self, domain: Domain) -> None:
        """A domain that slept goes on with what came due meanwhile, as one that was stopped and continued."""
        domain.asleep = False
        self._ready.extend(domain.held)
        domain.held.clear()

    def _drop(self, entries: list[tuple[asyncio.Task[Any], Domain | None]]) -> None:
        """Close the coroutines of tasks that will not run again, in order and now, not at some collection."""
        self._burying = True
        try:
            for task, domain in entries:
                if task.done():
                    continue
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does
                close = partial(close_quietly, task.get_coro())
                if domain is None:
                    close()
                else:
                    domain.context.run(close)
            entries.clear()
        finally:
            self._burying = False

    # What went wrong

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An exception that nobody took: the run fails with it at the next turn."""
        domain = getattr(context.get("future", context.get("task")), "domain", None)
        if self._burying or (domain is not None and not domain.alive):
            return
        exception = context.get("exception")
        self._failures.append((str(context.get("message", "unhandled")), exception))
        if self._handler is not None:
            self._handler(self, context)

    def set_exception_handler(self, handler: Any) -> None:
        """Told of each such exception too; the run fails all the same."""
        self._handler = handler

    def get_exception_handler(self) -> Any:
        """The handler that was set."""
        return self._handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """There is nothing to add to a failed run."""

    def _raise_failure(self) -> None:
        if self._failures:
            message, exception = self._failures[0]
            self._failures.clear()
            raise SimulationError(f"at {self._now:.6f} s: {message}: {exception!r}") from exception

    # Its life

    def is_running(self) -> bool:
        """Whether a callback could run now."""
        return self._running

    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Drop all that is scheduled."""
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def _finalize(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._burying and not self._closed:
            self.create_task(exhaust(generator))

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")  # the words and type that asyncio's loops use
