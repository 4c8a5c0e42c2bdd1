"""The pump: drain, decide, commit, perform. No byte of an order leaves before its record is on disk.

One turn takes every fact that the connection heard, then the commands and reports that were
posted, then at most `QUOTES_A_TURN` changed quotes; the desk steps on each and its records go to the
store as one group. When the group is durable its effects are performed in order. A crash between
commit and effect leaves an order of unknown outcome, which the next run asks about; a crash
before the commit leaves nothing.

Facts wait in the connection's lane, which stops reading the socket at its bound, so nothing here
grows while a commit is slow: commands are bounded by `MAX_COMMANDS`, quotes by the number of instruments.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from tws.clock import Clock
from tws.connection import FactLane, QuoteStream
from tws.desk import Desk, Effect, Event
from tws.errors import TWSError
from tws.journal import Store
from tws.model.records import Record, encode_record

__all__ = ["Engine"]

QUOTES_A_TURN = 256
"""Enough for every line of a usual subscription (100), few enough that facts wait under a millisecond."""

MAX_COMMANDS = 10_000
"""A program that posts more without waiting has lost control; it is told so."""

log = structlog.get_logger("tws.runtime")


class Engine:
    """Steps one desk on all that happens. Every method belongs to the loop's thread."""

    def __init__(self, desk: Desk, store: Store, clock: Clock, perform: Callable[[Effect], None]) -> None:
        self.desk = desk
        self._store = store
        self._clock = clock
        self._perform = perform
        self._lane: FactLane | None = None
        self._commands: deque[tuple[Event, asyncio.Future[list[Record]] | None]] = deque()
        self._dirty: dict[int, QuoteStream] = {}
        self._wake = asyncio.Event()
        self._turned: asyncio.Future[None] | None = None
        self._busy = False
        self._listeners: list[Callable[[Record], None]] = []

    def listen(self, lane: FactLane) -> None:
        """Take facts from `lane` from now on."""
        self._lane = lane

    async def begin(self, event: Event) -> None:
        """Step on `event` before any fact that already waits."""
        records = self.desk.step(event, self._clock.now_ns())
        await self._remember(records)
        self._act(records)
        self._wake.set()

    async def relay(self) -> None:
        """Wake the engine whenever facts wait; runs beside `run`."""
        if self._lane is None:
            raise RuntimeError("listen first")
        while True:
            await self._lane.wait()
            self._wake.set()
            await self.turned()

    async def turned(self) -> None:
        """Return at the end of the next turn, or of the present one."""
        if self._turned is None or self._turned.done():
            self._turned = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._turned)

    def wake(self) -> None:
        """There is something to take."""
        self._wake.set()

    def watch(self, listener: Callable[[Record], None]) -> None:
        """Call `listener` with each record, once it is durable and before its effects."""
        self._listeners.append(listener)

    def post(self, event: Event) -> None:
        """Step on `event` in the next turn."""
        self._queue(event, None)

    async def ask(self, event: Event) -> list[Record]:
        """Step on `event`; answers its records once they are durable and their effects performed."""
        answer: asyncio.Future[list[Record]] = asyncio.get_running_loop().create_future()
        self._queue(event, answer)
        return await answer

    def dirty(self, stream: QuoteStream) -> None:
        """A quote changed; the desk sees its newest state in the next turn."""
        self._dirty[stream.request_id] = stream
        self._wake.set()

    @property
    def busy(self) -> bool:
        """A turn is under way."""
        return self._busy

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is under way."""
        waiting = self._commands or self._dirty or self._wake.is_set()
        return not (self._busy or waiting or (self._lane is not None and len(self._lane)))

    async def run(self) -> None:
        """Turn until cancelled. A failing store ends it: what can't be remembered must not be done."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._busy = True
            try:
                await self.turn()
            finally:
                self._busy = False
                if self._turned is not None and not self._turned.done():
                    self._turned.set_result(None)

    async def turn(self) -> None:
        """One turn; see the module."""
        records: list[Record] = []
        now_ns = self._clock.now_ns()
        for fact in self._lane.drain() if self._lane is not None else ():
            records += self.desk.step(fact, now_ns)
        answers = self._step_commands(records, now_ns)
        self._step_quotes(records, now_ns)
        try:
            await self._remember(records)
        except TWSError as error:
            for answer, _ in answers:
                if not answer.done():
                    answer.set_exception(error)
            raise
        self._act(records)
        for answer, own in answers:
            if not answer.done():
                answer.set_result(own)

    def _queue(self, event: Event, answer: asyncio.Future[list[Record]] | None) -> None:
        if len(self._commands) >= MAX_COMMANDS:
            raise RuntimeError(f"{MAX_COMMANDS} commands wait for the desk; await each `submit` before the next")
        self._commands.append((event, answer))
        self._wake.set()

    def _step_commands(
        self, records: list[Record], now_ns: int
    ) -> list[tuple[asyncio.Future[list[Record]], list[Record]]]:
        answers = []
        for _ in range(len(self._commands)):
            event, answer = self._commands.popleft()
            own = self.desk.step(event, now_ns)
            records += own
            if answer is not None:
                answers.append((answer, own))
        return answers

    def _step_quotes(self, records: list[Record], now_ns: int) -> None:
        for request_id in list(self._dirty)[:QUOTES_A_TURN]:
            records += self.desk.step(self._dirty.pop(request_id).take(), now_ns)
        if self._dirty:
            self._wake.set()

    async def _remember(self, records: Sequence[Record]) -> None:
        if records:
            self._store.append([encode_record(record) for record in records])
            await self._store.commit()

    def _act(self, records: Sequence[Record]) -> None:
        for record in records:
            for listener in self._listeners:
                listener(record)
            for effect in self.desk.effects(record):
                self._perform(effect)
