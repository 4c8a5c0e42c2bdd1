"""What a virtual loop makes of asyncio's own: callbacks, futures and tasks that know their domain."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any

from tws.world.domain import Domain, current_domain

__all__ = ["Future", "Step", "Task", "Timer", "close_quietly", "exhaust", "label_of", "steady_garbage"]


class Step(asyncio.Handle):
    """A callback that knows its domain, and its name when the run is traced."""

    __slots__ = ("domain", "label")
    domain: Domain | None
    label: str


class Timer(asyncio.TimerHandle):
    """The same, at a deadline."""

    __slots__ = ("domain", "label")
    domain: Domain | None
    label: str


class Future(asyncio.Future[Any]):
    """A future that knows its domain, so that what a dead process left unsaid fails no run."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.domain = current_domain()


class Task(asyncio.Task[Any]):
    """The same of a task."""

    domain: Domain | None = None


async def exhaust(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()


def label_of(callback: Callable[..., object]) -> str:
    """A name that is the same in every run: no addresses."""
    while isinstance(callback, partial):
        callback = callback.func
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return owner.get_name()
    return str(getattr(callback, "__qualname__", type(callback).__name__))


def close_quietly(coroutine: Any) -> None:
    with suppress(BaseException):  # the process it belonged to is dead, so is its complaint
        coroutine.close()


SWEEP_RUNS = 16
"""Runs after which what they left is collected: whoever made a world holds it until its run is over, so the
run's own collection can't take it. A world is about 1 MB; to look at the whole process takes 20 ms and more.
"""
_runs = count(1)


@contextmanager
def steady_garbage() -> Iterator[None]:
    """No garbage collection at a moment that depends on what the process did before the run."""
    was_enabled = gc.isenabled()
    gc.disable()
    if next(_runs) % SWEEP_RUNS == 0:
        gc.collect()  # worlds of the past, before the freeze hides them
    gc.freeze()  # so that the collections of a run look at its own objects alone
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
