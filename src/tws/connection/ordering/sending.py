"""One frame of `Outbound` on its way: where it is, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator

from tws.connection.ordering.calls import MoneyCall, SendState
from tws.errors import TWSError
from tws.risk import Denial

__all__ = ["Sending"]


class Sending:
    """One frame on its way. `state` says where it is, `failure` why it was refused.

    Awaiting it (on the loop's thread) waits until that is decided and raises the failure; it may be dropped.
    """

    __slots__ = (
        "_waiters", "call", "changes", "failure", "frame", "line", "redeem", "state", "urgent", "written",
    )  # fmt: skip

    def __init__(
        self,
        call: MoneyCall,
        frame: bytes = b"",
        redeem: Callable[[], Denial | None] | None = None,
        changes: bool = False,
        urgent: bool = False,
        written: Callable[[], None] | None = None,
        line: str = "",
    ) -> None:
        self.call = call
        self.state = SendState.QUEUED
        self.failure: TWSError | None = None
        self.frame = frame
        self.redeem = redeem
        self.line = line
        """What the guard's book is to keep of it before its bytes leave; "" when it does."""
        self.changes = changes
        """Whether it changes an order that exists, as the permit says."""
        self.urgent = urgent
        """Whether it is an exit, for which TWS's message rate has places kept free."""
        self.written = written
        """What is to be counted as its bytes leave."""
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def order_id(self) -> int:
        return self.call.order_id

    def burn(self) -> None:
        """For `Outbound`: the frame will not leave, so its approval dies."""
        if self.redeem is not None:
            self.redeem()
            self.redeem = None

    def decide(self, state: SendState, failure: TWSError | None = None) -> None:
        """For `Outbound`: this is what became of it."""
        self.state, self.failure, self.frame, self.redeem, self.written = state, failure, b"", None, None

    def wake(self) -> None:
        """For `Outbound`, on the loop's thread: whoever awaits it may look."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def __await__(self) -> Generator[None, None, Sending]:
        if self.state is SendState.QUEUED:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            yield from waiter
        if self.failure is not None:
            raise self.failure
        return self

    def __repr__(self) -> str:
        return f"Sending({self.call.kind} {self.order_id}, {self.state})"
