"""The pump: drain, decide, commit, perform. No byte of an order leaves before its record is on disk.

One turn takes every fact that the connection heard, then at most `QUOTES_A_TURN` changed quotes, then the
commands and reports that were posted, so that a wish is judged by the quote that its maker saw; the desk
steps on each and its records go to the store as one group. When the group is durable its effects are
performed in order. A crash between commit and effect leaves an order of unknown outcome, which the next run
asks about; a crash before the commit leaves nothing.

Facts wait in the connection's lane, which stops reading the socket at its bound, so nothing here grows while
a commit is slow: commands are bounded by `MAX_COMMANDS`, the passing of time is told once however often it
is posted, quotes are bounded by the number of instruments, reports by that of orders and questions.

The engine ends in one of two ways, and whoever waits for it hears of either: `close` lets the turn under way
finish and plays a last one; anything that goes wrong, a store that fails first of all, sets `failure` at
once, before the next byte could leave, and nothing is stepped, remembered or performed after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from tws.clock import Clock
from tws.connection import FactLane, QuoteStream
from tws.desk import Desk, Effect, Event, TimerTick
from tws.errors import TWSError
from tws.journal import Store
from tws.model.records import Record, encode_record

__all__ = ["Engine"]

QUOTES_A_TURN = 256
"""Enough for every line of a usual subscription (100), few enough that facts wait under a millisecond."""

MAX_COMMANDS = 10_000
"""A program that asks more without waiting has lost control; it is told so."""


class Engine:
    """Steps one desk on all that happens. Every method belongs to the loop's thread."""

    def __init__(self, desk: Desk, clock: Clock, perform: Callable[[Effect], None]) -> None:
        self.desk = desk
        self.failure: BaseException | None = None
        """What ended it; set before anybody else can run."""
        self.remembered = 0
        """How many records were handed to the store."""
        self._clock = clock
        self._perform = perform
        self._store: Store | None = None
        self._lane: FactLane | None = None
        self._commands: deque[tuple[Event, asyncio.Future[list[Record]] | None]] = deque()
        self._stepped: list[tuple[asyncio.Future[list[Record]], list[Record]]] = []
        self._time_passed = False
        self._dirty: dict[QuoteStream, None] = {}  # in the order in which they turned dirty
        self._wake = asyncio.Event()
        self._turned: asyncio.Future[None] | None = None
        self._busy = False
        self._closing = False
        self._over = False
        self.undone: list[Record] = []
        """Decided, but not known to be on disk, so nothing of it was performed."""
        self._listeners: list[Callable[[Record], None]] = []

    def furnish(self, store: Store, lane: FactLane) -> None:
        """Remember in `store`, and take facts from `lane` from now on."""
        self._store, self._lane = store, lane

    def watch(self, listener: Callable[[Record], None]) -> None:
        """Call `listener` with each record, once it is durable and before its effects. It must not raise."""
        self._listeners.append(listener)

    # -- what happens

    async def begin(self, event: Event) -> None:
        """Step on `event` before any fact that already waits. Raises JournalError."""
        records = self.desk.step(event, self._clock.now_ns())
        await self._remember(records)
        self._act(records)
        self._wake.set()

    def post(self, event: Event) -> None:
        """Step on `event` in the next turn. Forgotten when the engine has ended."""
        if not self._over:
            self._commands.append((event, None))
            self._wake.set()

    async def ask(self, event: Event) -> list[Record]:
        """Step on `event`; answers its records once they are durable and their effects performed.

        Raises what ended the engine (JournalError when the records could not be written).
        """
        if self._over or self._closing:
            raise self._end_error()
        if len(self._commands) >= MAX_COMMANDS:
            raise TWSError(f"{MAX_COMMANDS} commands wait for the desk: await each before the next")
        answer: asyncio.Future[list[Record]] = asyncio.get_running_loop().create_future()
        self._commands.append((event, answer))
        self._wake.set()
        return await answer

    def withdraw(self, event: Event) -> bool:
        """Take back what was asked and not stepped on yet; who asked is cancelled. False: it has been."""
        for place, (waiting, answer) in enumerate(self._commands):
            if waiting is event and answer is not None:
                del self._commands[place]
                answer.cancel()
                return True
        return False

    def tick(self) -> None:
        """Time has passed. Told to the desk once a turn, however often it is said."""
        self._time_passed = not self._over
        self._wake.set()

    def dirty(self, stream: QuoteStream) -> None:
        """A quote changed; the desk sees its newest state in the next turn."""
        if not self._over:
            self._dirty[stream] = None
            self._wake.set()

    # -- who waits

    async def relay(self) -> None:
        """Wake the engine whenever facts wait; runs beside `run`."""
        assert self._lane is not None, "furnish first"
        while True:
            await self._lane.wait()
            self._wake.set()
            await self.turned()

    async def turned(self) -> None:
        """Return at the end of the next turn, or of the present one. Raises what ended the engine."""
        if self._over:
            raise self._end_error()
        if self._turned is None or self._turned.done():
            self._turned = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._turned)

    @property
    def busy(self) -> bool:
        """A turn is under way."""
        return self._busy

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is under way."""
        waiting = self._commands or self._dirty or self._wake.is_set()
        return not (self._busy or waiting or (self._lane is not None and len(self._lane)))

    # -- the pump

    async def run(self) -> None:
        """Turn until `close`. A failing store ends it: what can't be remembered must not be done."""
        try:
            last = False
            while not last:
                await self._wake.wait()
                self._wake.clear()
                last = self._closing
                self._busy = True
                await self.turn()
                self._busy = False
                self._tell_turned(None)
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self.failure = error
            raise
        finally:
            self._busy = False
            self._end()

    async def turn(self) -> None:
        """One turn; see the module."""
        records: list[Record] = []
        now_ns = self._clock.now_ns()
        for fact in self._lane.drain() if self._lane is not None else ():
            records += self.desk.step(fact, now_ns)
        self._step_quotes(records, now_ns)
        self._step_commands(records, now_ns)
        await self._remember(records)
        self._act(records)
        for answer, own in self._stepped:
            if not answer.done():
                answer.set_result(own)
        self._stepped = []

    def close(self) -> None:
        """Refuse what nobody has begun, then end after one more turn: reports and facts still count."""
        self._closing = True
        refused = [answer for _, answer in self._commands if answer is not None]
        self._commands = deque((event, answer) for event, answer in self._commands if answer is None)
        self._refuse(refused)
        self._wake.set()

    def _step_commands(self, records: list[Record], now_ns: int) -> None:
        for _ in range(len(self._commands)):
            event, answer = self._commands.popleft()
            own: list[Record] = []
            if answer is not None:
                self._stepped.append((answer, own))
            own += self.desk.step(event, now_ns)
            records += own
        if self._time_passed:
            self._time_passed = False
            records += self.desk.step(TimerTick(), now_ns)

    def _step_quotes(self, records: list[Record], now_ns: int) -> None:
        for stream in list(self._dirty)[:QUOTES_A_TURN]:
            del self._dirty[stream]
            records += self.desk.step(stream.take(), now_ns)
        if self._dirty:
            self._wake.set()

    async def _remember(self, records: Sequence[Record]) -> None:
        if records:
            assert self._store is not None, "furnish first"
            self.undone = list(records)
            self._store.append([encode_record(record) for record in records])
            self.remembered += len(records)
            await self._store.commit()
            self.undone = []

    def _act(self, records: Sequence[Record]) -> None:
        for record in records:
            for listener in self._listeners:
                listener(record)
            for effect in self.desk.effects(record):
                self._perform(effect)

    # -- the end

    def _end(self) -> None:
        """Nothing will be stepped any more: say so to all who wait, and let the socket be read."""
        self._over = True
        waiting = [answer for _, answer in self._commands if answer is not None]
        waiting += [answer for answer, _ in self._stepped]
        self._commands.clear()
        self._dirty.clear()
        self._stepped = []
        self._refuse(waiting)
        self._tell_turned(self._end_error())
        if self._lane is not None:
            self._lane.close()

    def _refuse(self, answers: Sequence[asyncio.Future[list[Record]]]) -> None:
        for answer in answers:
            if not answer.done():
                answer.set_exception(self._end_error())

    def _end_error(self) -> TWSError:
        if self.failure is None:
            return TWSError("the trader was stopped")
        if isinstance(self.failure, TWSError):
            return self.failure
        error = TWSError(f"the trader has failed: {self.failure!r}")
        error.__cause__ = self.failure
        return error

    def _tell_turned(self, error: TWSError | None) -> None:
        turned = self._turned
        if turned is None or turned.done():
            return
        if error is None:
            turned.set_result(None)
        else:
            turned.set_exception(error)
            turned.exception()  # whoever asked may have gone; asyncio would complain of it
