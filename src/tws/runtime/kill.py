"""The emergency stop of a running trader: latch, order, answer, and the alarm that goes on.

    report = await trader.kill(reason="…", operator="ann", flatten=True)

It runs in a task of its own that nothing it stops can cancel (INCIDENTS.md 20): not the caller's end, not a
strategy's, not the trader's. The latch is on disk before anything else is done; a latch that can't be written
is told and stops nothing, since a stop that waits for a disk is none. Then the desk gets its command, and the
answer is given when the stop has come to rest, at the latest after `ANSWER_S`: FLAT, or NOT FLAT and why.
From then on an unfinished flatten is told of again and again.

Where the engine has failed, or hangs in a commit for `PATIENCE_S`, a second one takes the desk over
(`emergency`). Where that fails too, entries are cancelled one by one from what the desk knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tws.desk import Alert, Begin, Effect, Kill, KillReport, ResetKill, at_rest, kill_report
from tws.errors import TWSError
from tws.log import get_logger
from tws.model.facts import Link, LinkState
from tws.model.records import KillMoved, Record, Severity, encode_record
from tws.model.stop import KillState
from tws.runtime.emergency import Cover, EmergencyStore, Safety, never_left, refusal
from tws.runtime.engine import Engine

if TYPE_CHECKING:
    from tws.runtime.life import Life

__all__ = ["ANSWER_S", "Killer"]

ANSWER_S = 10.0
"""RISK.md: a first answer within it."""

PATIENCE_S = 2.0
"""How long a commit may keep the stop waiting: a sync takes milliseconds, on a busy disk some tenths."""

ALARM_S = 60.0
"""An unfinished flatten is told of again so often: as the desk repeats its alarms (`Timing.repeat_ns`)."""

log = get_logger("tws.runtime")


class Killer:
    """The stops of one trader. `Trader.kill` is its face."""

    def __init__(self, life: Life, safety: Safety | None) -> None:
        self._life = life
        self._safety = safety
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Future[KillReport]] = set()
        self._second: _Second | None = None
        self._notes: list[str] = []

    @property
    def acting(self) -> bool:
        """A second engine turns the desk: what it lets out passes the brake."""
        return self._second is not None and not self._second.over

    async def kill(self, command: Kill, answer_s: float = ANSWER_S) -> KillReport:
        """Stop, and answer. The stop goes on whatever becomes of the caller."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[KillReport] = loop.create_future()
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)
        task = loop.create_task(self._run(command, answer, loop.time() + answer_s), name="kill")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(answer)

    async def reset(self, command: ResetKill) -> list[Record]:
        """Put a human's reset to the desk; the latch goes when the desk agreed. Raises `failure`."""
        records = await self._life.engine.ask(command)
        freed = any(isinstance(each, KillMoved) and each.state is KillState.ACTIVE for each in records)
        if freed and self._safety is not None:
            self._safety.reset(at_ns=self._life.clock.now_ns(), scope=command.scope)
        return records

    async def answered(self) -> None:
        """Return when no stop waits for its first answer; their own bounds are this one's."""
        if self._answers:
            await asyncio.wait(self._answers)

    async def close(self) -> None:
        """The trader has ended: nothing is turned or told any more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._second is not None:
            await self._second.close()

    # -- one stop

    async def _run(self, command: Kill, answer: asyncio.Future[KillReport], until_s: float) -> None:
        try:
            self._latch(command)
            command = await self._order(command)
            await self._until_rest(command, until_s)
        except TWSError as error:
            self._by_hand(str(error))
        except Exception as error:  # a bug must not keep the entries alive
            log.exception("the emergency stop met a fault")
            self._by_hand(repr(error))
        finally:
            report = self._report(command)
            if not answer.done():
                answer.set_result(report)
        self._tell(report)
        while command.flatten and not report.flat and report.state is not KillState.ACTIVE:
            await asyncio.sleep(ALARM_S)
            report = self._report(command)
            self._tell(report)

    def _latch(self, command: Kill) -> None:
        """On disk before anything moves."""
        if self._safety is None:
            return
        state = KillState.FLATTENING if command.flatten else KillState.HALTED
        try:
            self._safety.latch(state, at_ns=self._life.clock.now_ns(), reason=command.reason,
                               operator=command.operator, scope=command.scope)
        except (TWSError, OSError, ValueError) as error:
            self._note(f"the latch is not on disk: {error}")

    async def _order(self, command: Kill) -> Kill:
        """Put it to the desk; what is in force then."""
        if self._life.failure is None:
            try:
                await _patiently(self._life.engine.ask(command))
                return command
            except TimeoutError:
                self._life.fail(TWSError(f"the journal has not committed within {PATIENCE_S:g} s"))
            except TWSError as error:
                log.warning("the desk did not take the stop", reason=str(error))
        return await self._take_over(command)

    async def _until_rest(self, command: Kill, until_s: float) -> None:
        loop = asyncio.get_running_loop()
        while not at_rest(self._life.desk.state, command.scope) and (left_s := until_s - loop.time()) > 0:
            engine = self._life.engine
            try:
                async with asyncio.timeout(min(left_s, PATIENCE_S)):
                    await engine.turned()
            except TimeoutError:
                if engine.busy and left_s > PATIENCE_S and self._second is None:
                    self._life.fail(TWSError(f"the journal has not committed within {PATIENCE_S:g} s"))
                    command = await self._take_over(command)
            except TWSError as error:
                if self._life.stopped or self._second is not None:
                    self._by_hand(str(error))
                    return
                command = await self._take_over(command)

    async def _take_over(self, command: Kill) -> Kill:
        """Go on with a second engine. Without a memory nothing can be closed, so nothing is uncovered."""
        if self._life.stopped:
            raise TWSError("the trader was stopped")
        if self._second is None:
            self._second = _Second(
                self._life, EmergencyStore(self._safety, self._note), self._note
            )
            self._note(f"the trader has failed ({self._life.failure}); an emergency engine acts")
            await self._second.begin()
        if not self._second.remembers and command.flatten:
            self._note("nothing can be remembered, so nothing is closed: the stops stay")
            command = replace(command, flatten=False)
        stands = self._life.desk.state.kill.stops.get(command.scope.key)
        if stands is None or (command.flatten and not stands.flatten):  # else the first engine decided it
            try:
                await _patiently(self._life.engine.ask(command))
            except TimeoutError:
                raise TWSError(f"the emergency engine has not answered within {PATIENCE_S:g} s") from None
        return command

    def _by_hand(self, cause: str) -> None:
        """No desk is left: cancel the entries that it knew of. Stops stay."""
        self._note(f"no desk acts ({cause}): entries are cancelled one by one, all else stays")
        for order in self._life.desk.state.book.living():
            if order.role.opens:
                try:
                    self._life.connection.outbound.cancel(order.order_id)
                except TWSError as error:
                    self._note(f"{order.intent_id} is not cancelled: {error}")

    # -- what is told

    def _report(self, command: Kill) -> KillReport:
        report = kill_report(self._life.desk.state, self._life.clock.now_ns(), command.scope)
        return replace(report, reason="; ".join(filter(None, (report.reason, *self._notes))))

    def _tell(self, report: KillReport) -> None:
        severity = Severity.INFO if report.flat else Severity.ALARM if report.flatten else Severity.WARNING
        self._life.alert(Alert(severity=severity, subject=f"kill {report.scope.key}",
                               text="\n".join(report.sentences())))

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)
            self._life.alert(Alert(severity=Severity.ALARM, subject="kill", text=text))


async def _patiently(work: Awaitable[object]) -> None:
    """Wait `PATIENCE_S` in two halves: a machine that slept finds a wait over when it wakes, and nothing has
    had its turn by then. Raises TimeoutError, and what the work raises.
    """
    task = asyncio.ensure_future(work)
    try:
        for _ in range(2):
            await asyncio.wait({task}, timeout=PATIENCE_S / 2)
            if task.done():
                await task
                return
        raise TimeoutError
    finally:
        task.cancel()


class _Second:
    """The second engine on the same desk: what was under way is unknown, the broker is asked for all."""

    def __init__(self, life: Life, store: EmergencyStore, note: Callable[[str], None]) -> None:
        self._life = life
        self._first = life.engine
        self._store = store
        self._note = note
        self._cover = Cover(store, life.desk.state)
        self._tasks: list[asyncio.Task[None]] = []
        self.over = False

    @property
    def remembers(self) -> bool:
        """Whether what it sends is found again after a crash: else it places nothing."""
        return self._store.remembers

    async def begin(self) -> None:
        """Take the desk over, as a restart would, with the state in memory for a journal."""
        life, desk = self._life, self._life.desk
        await life.engine_ended()
        self._store.append([encode_record(record) for record in self._first.undone])
        engine = Engine(desk, life.clock, self._perform)
        engine.furnish(self._store, life.connection.facts())
        engine.watch(life.heard)
        life.engine = engine  # reports of the writer go there from now on
        state = desk.state
        was, accounts = state.link, state.accounts
        for report in never_left(self._first.undone, state.book.orders):
            await engine.begin(report)
        await engine.begin(Begin(prefix=state.prefix, client_id=state.client_id, account=state.account,
                                 port=state.port))
        life.connection.outbound.withdraw_all()
        if life.connection.is_connected():
            up = LinkState.BROKER_LOST if was is LinkState.BROKER_LOST else LinkState.CONNECTED
            await engine.begin(Link(state=up, session=life.connection.session, accounts=accounts))
        for name, work in (("engine", engine.run()), ("facts", engine.relay()), ("timer", self._timer())):
            task = asyncio.get_running_loop().create_task(work, name=f"emergency {name}")
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def close(self) -> None:
        """End it."""
        self.over = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _perform(self, effect: Effect) -> None:
        refused = refusal(effect, self._life.desk.state.book.orders, self.remembers)
        if refused is not None:
            self._life.engine.post(refused)
        elif symbol := self._cover.keeps(effect):
            self._note(f"the records of the emergency run short: {symbol} keeps its exits, and is not closed")
        else:
            self._life.hands.perform(effect)

    async def _timer(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._life.engine.tick()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """It may fail as the first did: nothing leaves any more, and whoever waits for a turn hears of it."""
        error = None if task.cancelled() else task.exception()
        if error is None or self.over:
            return
        self.over = True
        self._life.engine.failure = self._life.engine.failure or error
        for other in self._tasks:
            other.cancel()
