"""Where a user's functions are called: what they raise or how long they take harms nobody, and is reported.

A fault is logged with its traceback for the first few times of each function, then counted; a function that
keeps the event loop for longer than `SLOW_S` is named, since nothing is read and nothing sent meanwhile. A
coroutine function is run as a task of its own.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from tws.log import get_logger

__all__ = ["Callbacks", "call_safely", "name_of"]

log = get_logger("tws.connection")

SLOW_S = 0.1
"""A heartbeat of ten seconds survives a hundred of these; orders and quotes do not like one."""
_TOLD = 3
"""A callback that fails on each tick would write a thousand tracebacks a second."""
_TOLD_AGAIN = 1000
_FAULTS: Counter[str] = Counter()
_SLOW: Counter[str] = Counter()


class Callbacks(NamedTuple):
    """What `set_callbacks` took."""

    on_connected: Callable[[], object] | None = None
    on_disconnected: Callable[[], object] | None = None
    on_error: Callable[[int, int, str], object] | None = None


def call_safely(function: Callable[..., object] | None, *arguments: object) -> None:
    """Call a user's function; its exception is logged and stops nothing. A coroutine is run as a task."""
    if function is None:
        return
    began_s = _now_s()
    try:
        result = function(*arguments)
        if inspect.iscoroutine(result):
            task = asyncio.get_running_loop().create_task(result)
            _TASKS.add(task)
            task.add_done_callback(_finished)
    except (Exception, asyncio.CancelledError) as error:  # the latter of a future that the user looked into
        _failed(name_of(function), error)
    took_s = _now_s() - began_s
    if took_s > SLOW_S:
        _dawdled(name_of(function), took_s)


def _now_s() -> float:
    """The loop's time, which stands still in a simulated world; outside a loop nothing is kept waiting."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return 0.0


_TASKS: set[asyncio.Task[Any]] = set()  # asyncio keeps only weak references to tasks


def name_of(function: Callable[..., object]) -> str:
    """What a function is called in reports."""
    while isinstance(function, partial):  # its repr has an address, and each would be counted by itself
        function = function.func
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _failed(name: str, error: BaseException) -> None:
    _FAULTS[name] += 1
    count = _FAULTS[name]
    if count <= _TOLD:
        log.error("a callback failed", callback=name, exc_info=error)
    elif count % _TOLD_AGAIN == 0:
        log.error("a callback still fails", callback=name, times=count, error=type(error).__name__)


def _dawdled(name: str, took_s: float) -> None:
    _SLOW[name] += 1
    count = _SLOW[name]
    if count <= _TOLD or count % _TOLD_AGAIN == 0:
        log.warning("a callback holds the event loop", callback=name, took_s=round(took_s, 3), times=count)


def _finished(task: asyncio.Task[Any]) -> None:
    _TASKS.discard(task)
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _failed(task.get_name() if task.get_coro() is None else _name_of(task), error)


def _name_of(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", task.get_name())
