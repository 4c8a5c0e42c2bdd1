"""A thread for what may block: a file on a network drive that is gone, a function that somebody else wrote.

`asyncio.to_thread` would do but for one thing: its threads are waited for when the program ends, and one that
hangs would hang the end of a trader. These are daemons: whoever hangs in one is left behind.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

__all__ = ["Worker"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Worker(Executor):
    """One daemon thread as an executor for `loop.run_in_executor`; it begins with the first task."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()

        def task() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as wrong:
                future.set_exception(wrong)
            except BaseException as wrong:  # sys.exit() of a function is not the end of the trader
                future.set_exception(RuntimeError(f"{type(wrong).__name__}: {wrong}"))

        self._tasks.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=_work, args=(self._tasks,), name=self._name, daemon=True)
            self._thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """The thread ends after what it has; nobody waits for it."""
        self._tasks.put(None)


def _work(tasks: queue.SimpleQueue[Any]) -> None:
    while (task := tasks.get()) is not None:
        task()
