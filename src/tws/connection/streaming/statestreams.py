"""Streams that keep a state beside their events: an account's values, its profit and loss.

Each is a `TickStream`: listen with `on_tick`, or iterate an account's, for every change in order; look at its
fields for what holds now. A stream that is fed again after an interruption begins with an empty state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from tws.connection.streaming.streams import TickStream
from tws.errors import LinkLostError, TWSError
from tws.model.account import AccountValue, PortfolioItem
from tws.model.contract import Contract

__all__ = ["NO_CONTRACT", "AccountStream", "LatestStream", "SummaryStream"]

T = TypeVar("T")

NO_CONTRACT = Contract(sec_type="", exchange="", currency="")
"""What a stream is about that is about none."""


class LatestStream(TickStream[T], Generic[T]):
    """Values that replace each other; `last` is the newest, None until one has come.

    Iterating gives the newest that was not given yet; `merged` counts those that no reader saw.
    """

    steady = False  # of no market whose hours would say when it has to speak

    def __init__(self, isolate: Callable[..., None]) -> None:
        super().__init__(NO_CONTRACT, isolate, bound=1)
        self.last: T | None = None
        self.merged = 0
        self._iterated = True  # what came before somebody looked is still the newest

    def put(self, tick: T, now_ns: int = 0) -> None:
        self.last = tick
        if self._queue:
            self._queue.clear()
            self.merged += 1
        super().put(tick, now_ns)

    def reset(self) -> None:
        self.last = None


class _Whole(TickStream[T], Generic[T]):
    """A stream whose first download has an end."""

    steady = False  # of no market whose hours would say when it has to speak

    def __init__(self, isolate: Callable[..., None], bound: int) -> None:
        super().__init__(NO_CONTRACT, isolate, bound)
        self.is_complete = False
        """Whether all has come once, since the beginning or the last interruption."""
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def owed(self) -> bool:
        return not self.is_complete

    async def complete(self) -> None:
        """Return when all has come once. Raises what ended the stream, LinkLostError when it was closed."""
        if self.closed and not self.is_complete:
            raise self.failure or _closed()
        if not self.is_complete:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter

    def completed(self, now_ns: int) -> None:
        """For the connection: TWS says that this was all."""
        self.is_complete = True
        if self.gap is not None:
            self.resumed(now_ns)
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, error: TWSError) -> None:
        super().fail(error)
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_exception(error)

    def close(self) -> None:
        super().close()
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_exception(_closed())

    def reset(self) -> None:
        self.is_complete = False


def _closed() -> LinkLostError:
    return LinkLostError("the stream was closed before all had come")


class AccountStream(_Whole[AccountValue | PortfolioItem]):
    """One account: `values` by key and currency, `portfolio` by conId (holdings that were closed have 0)."""

    def __init__(self, account: str, isolate: Callable[..., None], bound: int = 10_000) -> None:
        super().__init__(isolate, bound)
        self.account = account
        self.values: dict[tuple[str, str], AccountValue] = {}
        self.portfolio: dict[int, PortfolioItem] = {}

    def put(self, tick: AccountValue | PortfolioItem, now_ns: int = 0) -> None:
        if isinstance(tick, AccountValue):
            self.values[tick.key, tick.currency] = tick
        else:
            self.portfolio[tick.contract.con_id] = tick
        super().put(tick, now_ns)

    def reset(self) -> None:
        super().reset()
        self.values, self.portfolio = {}, {}


class SummaryStream(_Whole[AccountValue]):
    """The summary of one or several accounts: `values` by account, key and currency."""

    def __init__(self, isolate: Callable[..., None], bound: int = 10_000) -> None:
        super().__init__(isolate, bound)
        self.values: dict[tuple[str, str, str], AccountValue] = {}

    def put(self, tick: AccountValue, now_ns: int = 0) -> None:
        self.values[tick.account, tick.key, tick.currency] = tick
        super().put(tick, now_ns)

    def reset(self) -> None:
        super().reset()
        self.values = {}
