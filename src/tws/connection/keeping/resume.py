"""What is asked of the broker at a start and after every gap: executions, orders, positions.

Each question is asked whatever became of the others. Open orders are asked for of all clients, since that
binds nothing: client 0 would take over what was placed by hand (A4). A Read-Only API refuses to list orders
(321, A3), which is an answer too, and the question is not put again in that session, since TWS may show a
dialog for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tws.errors import LinkLostError, RequestError, RequestTimeoutError, TWSError

__all__ = ["Resume"]

READ_ONLY = 321


class Questions(Protocol):
    """The connection, as far as it is asked here."""

    @property
    def session(self) -> int: ...
    def request_executions(self) -> Awaitable[Any]: ...
    def request_all_open_orders(self) -> Awaitable[Any]: ...
    def request_completed_orders(self) -> Awaitable[Any]: ...
    def request_positions(self) -> Awaitable[Any]: ...


class Resume:
    """Asks, again and again over the life of a connection. `read_only` None: not known yet."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self.read_only: bool | None = None
        self._asked_in = 0
        """The session in which orders were last asked for."""

    async def ask(self) -> list[str]:
        """Ask everything; what could not be learned, and why, in a line each.

        Raises NotSentError and LinkLostError when there is no session (any more).
        """
        asks: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
            ("executions", self._questions.request_executions),
            ("positions", self._questions.request_positions),
        ]
        if not (self.read_only and self._asked_in == self._questions.session):
            self._asked_in = self._questions.session
            asks.append(("open orders", self._questions.request_all_open_orders))
            asks.append(("completed orders", self._questions.request_completed_orders))
        sent = [(name, ask()) for name, ask in asks]
        answers = await asyncio.gather(*(reply for _, reply in sent), return_exceptions=True)
        missing = []
        for (name, _), answer in zip(sent, answers, strict=True):
            if isinstance(answer, LinkLostError):
                raise answer
            if name == "open orders" and not isinstance(answer, RequestTimeoutError):  # silence says nothing
                self.read_only = isinstance(answer, RequestError) and answer.code == READ_ONLY
            if isinstance(answer, BaseException) and not (
                isinstance(answer, RequestError) and answer.code == READ_ONLY
            ):
                if not isinstance(answer, TWSError):
                    raise answer
                missing.append(f"{name} ({answer})")
        return missing
