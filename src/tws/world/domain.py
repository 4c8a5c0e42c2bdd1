"""What can die alone in a simulated world: a process, with all its tasks and timers.

`contextvars` carry the domain into every task and callback that was started from within it, so the
loop knows whose each one is. When a domain is dead none of them runs again, as after kill -9. Python still
closes the coroutines of dropped tasks, so their `finally` run; therefore links and stores of the
domain turn inert first (`World.crash` keeps that order). One that sleeps, as behind a closed lid or in a
debugger, keeps what comes due for it, and goes on with that in its order once it wakes. A fuse ends a domain,
or lets it sleep, between two callbacks, which is at any of its awaits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any

__all__ = ["Domain", "current_domain", "domain_of"]


class Domain:
    """A process of the simulated world. What runs in `context` belongs to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.asleep = False
        self.held: list[Any] = []
        """What came due while it slept, in its order."""
        self.fuse: int | None = None
        """Callbacks of it that still run before `blown` is called in the place of the next; None: no end."""
        self.blown: Callable[[], None] = lambda: None
        self.context = copy_context()
        self.context.run(_current.set, self)

    def __repr__(self) -> str:
        state = ", asleep" if self.asleep else ""
        return f"<Domain {self.name}{state if self.alive else ', dead'}>"


_current: ContextVar[Domain | None] = ContextVar("tws_world_domain", default=None)


def current_domain() -> Domain | None:
    """The domain that the running code belongs to; None for the world itself."""
    return _current.get()


def domain_of(context: Context) -> Domain | None:
    """The domain of what runs in `context`."""
    return context.get(_current)
