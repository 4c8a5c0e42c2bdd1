"""The life of a connection over its sessions: it watches the link, dials it again, synchronises, renews.

The engine tells it when a session opens and ends; a look every second asks `vitals` whether TWS lives and
this machine was awake, and the watch over streams whether each is fed. What it decides it does through the
engine.

After a loss, in this order: a dial with growing, jittered pauses, always on the same client id; executions,
open and completed orders and positions are asked for (with `sync`); streams are opened anew. Until the
answers have come no new order leaves: `brake` says why. The same after 1101 and 1102, which come without a
loss."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from msgspec import Struct

from tws.clock import Rng
from tws.connection.keeping.broker import MOST_ORDERS, BrokerBook, SeenOrder
from tws.connection.keeping.calendar import Calendar, Maintenance
from tws.connection.keeping.events import (
    STATES,
    ConnectionEvent,
    ConnectionState,
    EventKind,
    Events,
    Happening,
    Severity,
)
from tws.connection.keeping.farms import FARM_CODES, Farms
from tws.connection.keeping.planned import Planned
from tws.connection.keeping.vitals import Beat, Sleep, Vitals
from tws.connection.keeping.watch import StreamWatch
from tws.connection.pacing import Waiting
from tws.connection.streaming.subscriptions import Subscriptions
from tws.errors import ConnectError, RequestError, TWSError
from tws.model.execution import Execution
from tws.risk import Denial
from tws.wire.codes import Context, Effect

__all__ = ["Keep", "Keeper", "Kept", "Tools"]

LOOK_S = 1.0
"""How often the link is looked at: a bound on how late a verdict comes."""

SYNC_AGAIN_S = (5.0, 60.0)
"""First and longest pause before a synchronisation that did not complete is tried again."""


WAITS_LONG_S = 5.0
"""A burst of a person's program is through by then; what waits longer wants a word, or the user thinks that
it hangs. """


DOUBT_S = (1.0, 300.0)
"""First and longest pause before the books are asked for again because a message could not be read: a TWS
with a message that is never readable is asked a dozen times in an hour, no more.
"""
DOUBTS_OVER_S = 900.0
"""After so long without one the pauses begin anew."""


class Keep(Struct, frozen=True, kw_only=True):
    """How a connection keeps its link. All times are seconds of the monotonic clock.

    reconnect            dial again when the link goes
    sync                 ask for executions, orders and positions at the start and after every gap
    backoff_s            first and longest pause between dials: quick after a hiccup, gentle on a TWS that
                         restarts, which takes a minute and more (A6)
    heartbeat_s          of silence, after which TWS is asked for the time
    heartbeat_timeout_s  for its answer; then the link is dead
    stale_s              a stream that was fed and has been silent for so long in an open market is renewed
    verify_s             the same after 1102, when TWS says that nothing was lost
    maintenance          when TWS and the broker are away by plan; None: as the calendar's defaults say
    most_orders          entries that `connection.broker` keeps of orders, two for each of ours; up to twice
                         as many until room is made
    """

    reconnect: bool = True
    sync: bool = True
    backoff_s: tuple[float, float] = (0.5, 30.0)
    heartbeat_s: float = 10.0
    heartbeat_timeout_s: float = 10.0
    stale_s: float = 120.0
    verify_s: float = 30.0
    maintenance: Maintenance | None = None
    most_orders: int = MOST_ORDERS


class Kept(Protocol):
    """The engine, as far as its keeper needs it."""

    client_id: int
    session: int
    ready: bool

    @property
    def heard_s(self) -> float: ...
    @property
    def reading_paused(self) -> bool: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    def effect(self, code: int, context: Context) -> Effect: ...
    def now_ns(self) -> int: ...
    def waiting_requests(self) -> tuple[Waiting, ...]: ...
    async def redial(self) -> None: ...
    def drop(self, cause: str) -> None: ...
    def ask_time(self) -> None: ...

    synchronise: Callable[[], Awaitable[list[str]]]


class Tools(Struct, frozen=True, kw_only=True):
    """What a keeper works with. `wall_ns` is the machine's clock, None where market time is a simulation's:
    then no clock jumps, and no calendar speaks unless one was given.
    """

    events: Events
    watch: StreamWatch
    rng: Rng
    wall_ns: Callable[[], int] | None


class Keeper:
    """See the module. On the loop's thread."""

    def __init__(self, kept: Kept, keep: Keep, tools: Tools) -> None:
        self.keep = keep
        self.state = ConnectionState.CLOSED
        self.cause = ""
        self.book = BrokerBook(kept.client_id, kept.effect, self._found, keep.most_orders)
        self.farms = Farms()
        self._kept = kept
        self._events = tools.events
        self._watch = tools.watch
        self._rng = tools.rng
        self._wall_ns = tools.wall_ns
        speaks = keep.maintenance is not None or tools.wall_ns is not None
        self.planned = Planned(Calendar(keep.maintenance or Maintenance())) if speaks else None
        self._vitals = Vitals(keep.heartbeat_s, keep.heartbeat_timeout_s)
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._resumed = False
        self._waits_said = False
        self._pause_s: float | None = None  # since when nothing is read
        self._pause_said = False
        self._doubts = 0
        self._doubted_s, self._doubt_pause_s = -DOUBTS_OVER_S, 0.0
        self._moved: list[asyncio.Future[None]] = []

    # -- what the engine tells

    @property
    def keeping(self) -> bool:
        """Whether a lost link will be dialled again."""
        return self.keep.reconnect and self.state not in (ConnectionState.CLOSED, ConnectionState.CONNECTING)

    def dials(self) -> None:
        """`connect()` has begun."""
        self._move(Happening.DIALS, "")

    def failed(self, failure: ConnectError) -> None:
        """`connect()` has failed; nothing goes on."""
        self._move(Happening.FAILS, f"{failure.stage}: {failure.cause}")

    def opened(self) -> None:
        """A session is ready."""
        loop = asyncio.get_running_loop()
        self._resumed = self.state is ConnectionState.REDIALLING
        self._vitals.begin(loop.time())
        self._watch.begin()
        self.farms.clear()
        self._move(Happening.OPENS, "a session is ready")
        if self.state is ConnectionState.CLOSED:
            return  # who heard of it has called `disconnect`
        if self._timer is None:
            self._timer = loop.call_later(LOOK_S, self._look)
        self._start("synchronise", self._synchronise())

    def lost(self, cause: str) -> None:
        """The session is over, and not by `disconnect`."""
        self._stop("synchronise")
        self._stop("ask again")  # the next session asks anyway
        if not self.keeping:
            self._end(cause)
            return
        self._move(Happening.LOST, cause)
        if not self.keeping:
            return  # who heard of it has called `disconnect`
        redial = self._tasks.get("redial")
        if redial is None or redial.done():  # one that has just ended may not have been swept up yet
            self._start("redial", self._redial())

    def ended(self, cause: str) -> None:
        """`disconnect` was called."""
        self._end(cause)

    def abandoned(self, cause: str) -> None:
        """The same while the loop stands still, perhaps for good: its tasks are cancelled should it go on."""
        for task in self._tasks.values():
            # as asyncio does with tasks that it lets go: nobody is to blame that they never end
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            task.cancel()
        self._tasks.clear()
        self._end(cause)

    def forget(self) -> None:
        """The loop has closed: its tasks and timers are gone with it."""
        self._timer = None
        self._vitals.rest()
        self._tasks.clear()
        self._moved.clear()
        self.state = ConnectionState.CLOSED

    def code(self, code: int, text: str) -> None:
        """Message 4 without an id: the line of TWS to IB, a farm."""
        if code == 1100:
            self._kept.subscriptions.interrupted_by_broker(text)
            self._move(Happening.BROKER_LOST, text, code)
        elif code in (1101, 1102):
            self._resumed = True
            self._stop("ask again")  # everything is asked for now
            self._watch.verify(renew=code == 1101)
            self._move(Happening.BROKER_BACK, text, code)
            self._start("synchronise", self._synchronise())
        elif code in FARM_CODES:
            farm = self.farms.hear(code, text)
            if farm is not None:
                level = Severity.WARNING if farm.broken else Severity.INFO
                self._tell(EventKind.FARM, f"{farm.serves} farm {farm.name}: {farm.condition}", level, code)

    def misread(self, name: str) -> None:
        """A message could not be read, and it may have told of an order, a fill or a position."""
        if not self.keep.sync or not self._kept.ready:
            return
        self._doubts += 1
        if "ask again" in self._tasks:
            return
        now_s = asyncio.get_running_loop().time()
        if now_s - self._doubted_s > DOUBTS_OVER_S:
            self._doubt_pause_s = 0.0
        self._doubted_s = now_s
        text = f"{name} could not be read, and may have been a fill: the books are asked for again"
        self._tell(EventKind.ORDERS, text, Severity.WARNING)
        self._start("ask again", self._ask_again())

    def brake(self) -> Denial | None:
        """Read directly before each frame that moves money: after a gap nothing new leaves before the answers
        have come, and nothing while TWS has no line to IB.
        """
        if self.state is ConnectionState.BROKER_LOST:
            why = "TWS has lost IB (1100): what it would do with an order now is not known"
        elif self.state is ConnectionState.SYNCHRONISING and self._resumed and self.keep.sync:
            why = "the link was lost: first the broker's executions, orders and positions are asked for"
        else:
            return None
        return Denial(limit="link", figure="an order", bound="a synchronised session", reason=why)

    async def until(self, *states: ConnectionState) -> None:
        """Return when the connection is in one of these states."""
        while self.state not in states:
            moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._moved.append(moved)
            await moved

    # -- inside

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        self._timer = loop.call_later(LOOK_S, self._look)
        if self._wall_ns is not None:
            self._look_at_clock(now_s, self._wall_ns())
        if self.planned is not None:
            up = self._kept.ready and self.state is not ConnectionState.BROKER_LOST
            self.planned.look(self._kept.now_ns(), up, self._say_planned)
        if not self._kept.ready:
            return
        self._look_at_queue(now_s)
        self._look_at_reading(now_s)
        fed = self.state in (ConnectionState.READY, ConnectionState.SYNCHRONISING)
        if self._lives(now_s) and fed:
            self._watch.look(now_s)

    def _lives(self, now_s: float) -> bool:
        """Look at the link: ask it, or drop it when it is dead."""
        beat = self._vitals.look(now_s, self._kept.heard_s, self._kept.reading_paused)
        due_s = self._vitals.due_s
        if beat is Beat.ASK:
            self._kept.ask_time()
        if beat is Beat.DEAD:
            self._kept.drop(
                f"TWS has not answered for {self.keep.heartbeat_timeout_s:g} s: mute or half open"
            )
        elif due_s is not None and due_s < now_s + LOOK_S and self._timer is not None:
            self._timer.cancel()  # the verdict is due before the next look
            self._timer = asyncio.get_running_loop().call_at(due_s, self._look)
        return beat is not Beat.DEAD

    def _say_planned(self, text: str, severity: Severity) -> None:
        self._tell(EventKind.CALENDAR, text, severity)

    def _look_at_queue(self, now_s: float) -> None:
        """Requests that TWS's limits keep back for long: said once, until none waits any more."""
        waiting = self._kept.waiting_requests()
        if not waiting:
            self._waits_said = False
        elif not self._waits_said and now_s - waiting[0].since_s >= WAITS_LONG_S:
            self._waits_said = True
            first = waiting[0]
            text = f"{len(waiting)} requests wait for TWS's limits; the first, {first.kind}: {first.why}"
            self._tell(EventKind.PACING, text, Severity.INFO)

    def _look_at_reading(self, now_s: float) -> None:
        """A fact lane that nobody drains stops all reading: said once for each time."""
        if not self._kept.reading_paused:
            self._pause_s, self._pause_said = None, False
        elif self._pause_s is None:
            self._pause_s = now_s
        elif not self._pause_said and now_s - self._pause_s >= WAITS_LONG_S:
            self._pause_said = True
            text = f"nothing is read for {now_s - self._pause_s:.0f} s: a fact lane is full, and not drained"
            self._tell(EventKind.CALLBACK, text, Severity.WARNING)

    def _look_at_clock(self, now_s: float, wall_ns: int) -> None:
        slept, seconds = self._vitals.slept(now_s, wall_ns)
        if slept in (Sleep.ASLEEP, Sleep.AWAY):
            jumped, stood = "the clock has jumped {:.0f} s ahead", "the event loop stood still for {:.0f} s"
            text = (jumped if slept is Sleep.ASLEEP else stood).format(seconds)
            self._tell(EventKind.CLOCK, text, Severity.WARNING)
            if self._kept.ready:
                self._kept.drop("the machine slept, or its clock was set: the link is taken for lost")
        elif slept is Sleep.BACK:
            self._tell(EventKind.CLOCK, f"the clock was set back by {seconds:.0f} s", Severity.WARNING)
        elif slept is Sleep.HELD:
            text = f"the event loop stood still for {seconds:.1f} s: does a callback block it?"
            self._tell(EventKind.CLOCK, text, Severity.WARNING)
            if self._kept.ready and not self._kept.reading_paused:
                self._vitals.ask_at_once(now_s)
                self._kept.ask_time()

    async def _redial(self) -> None:
        pause_s, said = self.keep.backoff_s[0], ""
        while not self._kept.ready:
            await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1.0))
            pause_s = min(pause_s * 2, self.keep.backoff_s[1])
            self._move(Happening.DIALS, "")
            if self.state is not ConnectionState.REDIALLING:
                return
            try:
                await self._kept.redial()
                continue
            except ConnectError as failure:
                why, cure, code = f"{failure.stage}: {failure.cause}", failure.cure, failure.code or 0
                level = Severity.WARNING
            except Exception as error:  # of a dial of the user's own, or a fault of ours: it ends nothing
                why, cure, code = repr(error), "Report it, unless your own dial raises it", 0
                level = Severity.ALARM
            if why == said:  # each cause is said once
                level = Severity.DEBUG
            said = why
            self._tell(EventKind.STATE, f"still no link: {why}. {cure}", level, code)
            self._move(Happening.FAILS, why)

    async def _synchronise(self) -> None:
        """Ask until all has come, then open the streams that are not fed."""
        pause_s = SYNC_AGAIN_S[0]
        # what a book that knows something does not know was missed; an empty one knows of no gap
        self.book.looking_back = self._resumed or bool(self.book.orders or self.book.executions)
        while self.keep.sync:
            try:
                missing = await self._kept.synchronise()
            except TWSError as error:
                if not self._kept.ready:
                    return  # the next session asks
                missing = [str(error)]
            if not missing:
                break
            text = f"not synchronised: {'; '.join(missing)}. Tried again in {pause_s:g} s"
            self._tell(EventKind.STATE, text, Severity.WARNING)
            self._renew()  # data need not wait for the books
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, SYNC_AGAIN_S[1])
        self.book.looking_back = False
        self._move(Happening.SYNCHRONISED, "")
        self._renew()

    async def _ask_again(self) -> None:
        """Ask until all has come and nothing unreadable with it."""
        while self._doubts:
            self._doubt_pause_s = min(max(DOUBT_S[0], self._doubt_pause_s * 2), DOUBT_S[1])
            await asyncio.sleep(self._doubt_pause_s)
            await self.until(ConnectionState.READY)
            self._doubts, self.book.looking_back = 0, True
            try:
                self._doubts += len(await self._kept.synchronise())
            finally:
                self.book.looking_back = False

    def _renew(self) -> None:
        self._kept.subscriptions.renew_all(only_unsent=True)

    def _found(self, text: str, what: Execution | SeenOrder) -> None:
        level = Severity.INFO if isinstance(what, Execution) else Severity.ALARM
        self._tell(EventKind.ORDERS, text, level)

    def stream_refused(self, error: RequestError, symbol: str) -> None:
        """TWS refused to feed a stream that it has fed before; the watch tries it again."""
        text = f"a stream is refused, tried again later: {error}"
        self._tell(EventKind.STREAM, text, Severity.WARNING, error.code, symbol)

    def _end(self, cause: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._vitals.rest()
        for name in list(self._tasks):
            self._stop(name)
        self._move(Happening.ENDS, cause)

    def _move(self, happening: Happening, cause: str, code: int = 0) -> None:
        state = STATES.get((self.state, happening))
        if state is None:
            return
        self.state, self.cause = state, cause
        loud = state in (ConnectionState.WAITING, ConnectionState.BROKER_LOST)
        quiet = state in (ConnectionState.CONNECTING, ConnectionState.REDIALLING)
        if not (state is ConnectionState.WAITING and happening is Happening.FAILS):  # said by who dialled
            text = f"{state.value}: {cause}" if cause else state.value
            level = Severity.WARNING if loud else Severity.DEBUG if quiet else Severity.INFO
            self._tell(EventKind.STATE, text, level, code, state=state)
        moved, self._moved = self._moved, []
        for waiter in moved:
            if not waiter.done():
                waiter.set_result(None)

    def _tell(
        self,
        kind: EventKind,
        text: str,
        severity: Severity,
        code: int = 0,
        symbol: str = "",
        state: ConnectionState | None = None,
    ) -> None:
        self._events.tell(
            ConnectionEvent(
                kind=kind,
                text=text,
                at_ns=self._kept.now_ns(),
                severity=severity,
                session=self._kept.session,
                state=state,
                code=code,
                symbol=symbol,
            )
        )

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._stop(name)
        task = asyncio.get_running_loop().create_task(work, name=f"tws {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._done(name, done))

    def _stop(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()  # be it the present one: whom it told of something has called `disconnect`

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, TWSError):
            raise error  # a fault of ours: asyncio reports it
