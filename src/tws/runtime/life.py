"""The life of a trader: its start, the watch over its tasks and its link, its end.

Start: the journal is replayed, the link is dialled, the broker is asked for executions, open and completed
orders and positions; it is up once these answers and the books agree. Watch: one task turns the engine, one
wakes it for facts, one tells the time; the connection keeps its link by itself. A task that ends by itself is
a failure: the brake falls at once, whoever waits hears of it, orders at the broker stay. So is a lease that
has gone to another; there the link is left for good, for its client id is that one's now. End: the engine
plays its last turn, so that reports of what left are remembered; then the tasks, the questions, the link and,
last, the journal are closed. The end runs in a task of its own: it comes to its end although its caller is
cancelled. """

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from tws.clock import SystemClock, system_rng
from tws.config import Settings, TWSConfig, mask_account
from tws.connection import Keep, TWSConnection
from tws.connection.configured import configured
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.desk import Alert, Begin, Desk, DeskState
from tws.errors import (
    ConfigError,
    ConnectError,
    JournalError,
    RequestTimeoutError,
    SafetyError,
    TWSError,
)
from tws.journal import Recovered, SQLiteStore, Store, keep_at_end, recover
from tws.log import get_logger
from tws.model.linkedrecords import ReversalMoved
from tws.model.records import Booked, Inferred, Intended, Record, Severity
from tws.platform import doubtful_place, state_folder
from tws.risk import Denial, Gate
from tws.runtime.bell import Bell
from tws.runtime.emergency import merge_emergency
from tws.runtime.engine import Engine
from tws.runtime.fence import Fence
from tws.runtime.fingerprint import code_fingerprint, limits_fingerprint, program_version
from tws.runtime.hands import Hands
from tws.runtime.hours import Hours
from tws.runtime.kill import Killer
from tws.runtime.parts import TraderParts
from tws.runtime.trade import Trades
from tws.runtime.watch import Watchlist

__all__ = ["Life"]

TIMER_S = 1.0
"""How often the desk is told that time has passed."""

MIRRORED = 200
"""Entries of orders that the connection's mirror keeps beside the desk's books, and five times as many fills
of 4 KB: nobody but a human looks there.
"""

END_S = 5.0
"""How long the end waits for the last turn, and for a socket whose peer does not read."""

log = get_logger("tws.runtime")


class Life:
    """The parts of one trader and their time together. `Trader` is its face."""

    def __init__(self, config: TWSConfig, gate: Gate, parts: TraderParts) -> None:
        self.config = config
        self.parts = parts
        self.clock = parts.clock or SystemClock()
        self.desk = Desk(gate, timing=parts.timing)
        said = configured(parts.settings or Settings())
        self.connection = TWSConnection(
            config,
            guard=gate,
            brake=self._brake,
            unlocked=lambda account: self._fence is not None and self._fence.was_unlocked(account),
            # without sync: the desk asks by itself, and remembers; the connection's mirror is for looking at
            keep=Keep(reconnect=parts.reconnect, sync=False, maintenance=said.maintenance,
                      most_orders=MIRRORED),
            pacing=said.pacing,
            catalogue=said.catalogue,
            dial=parts.dial,
            clock=self.clock,
            rng=parts.rng,
        )
        self._fence = None if parts.safety is None else Fence(parts.safety, config, self._state, self.clock)
        if self._fence is not None:
            gate.unlocked_until = self._fence.unlocked_until
        self.engine = Engine(self.desk, self.clock, lambda effect: self.hands.perform(effect))
        self.hands = Hands(self.connection, lambda event: self.engine.post(event), self.alert)
        self.watchlist = Watchlist(self.connection, lambda stream: self.engine.dirty(stream))
        self.hours = Hours(
            self.watchlist, lambda: self.desk.state, lambda event: self.engine.post(event), self.clock
        )
        self.killer = Killer(self, parts.safety)
        self.trades = Trades(lambda: self.desk.state)
        self.alert_listeners: list[Callable[[Alert], object]] = []
        self.record_listeners: list[Callable[[Record], object]] = []
        self.bell = Bell()
        self.moves = 0
        self.stopped = False
        self._store: Store | None = None
        self._recovered: Recovered | None = None
        self._failure: BaseException | None = None
        self._began = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._followed = False
        self.engine.watch(self.heard)

    @property
    def failure(self) -> BaseException | None:
        """What ended the trading; None while all is well, and after an orderly end."""
        return self.engine.failure or self._failure

    @property
    def head(self) -> str:
        """The journal's newest head, `<row>:<hash>`; empty without a journal on disk."""
        return str(self._store.head) if isinstance(self._store, SQLiteStore) else ""

    # -- start

    async def start(self) -> None:
        """Come up whole or not at all. See `Trader.start`."""
        if self._began:
            raise TWSError("a trader starts once: make another one on the same journal")
        self._began = True
        try:
            await self._come_up()
        except BaseException:
            with suppress(JournalError):  # what went wrong first is what the caller hears of
                await self.stop()
            raise

    async def _come_up(self) -> None:
        safety = self.parts.safety
        if safety is not None and not safety.mine:
            safety.take_lease(client_id=self.config.client_id, account=self.config.account_id,
                              at_ns=self.clock.now_ns())
        store = self._store = self.parts.store or self._open_journal()
        if safety is not None:
            await merge_emergency(store, safety)
        self._recovered = recover(self.desk, store)
        self.connection.raise_order_id_floor(self.desk.state.next_order_id)
        self.engine.furnish(store, self.connection.facts())
        if not await self.connection.connect():
            raise self.connection.failure or ConnectError("connect", "no cause was given", "Run tws doctor")
        self._refuse_if_stopped()
        config = self.config
        account = choose_account(config, self.connection.accounts)
        check_journal(self.desk.state, account, config.client_id)
        if safety is not None:
            safety.name_account(account)
        prefix = self.desk.state.prefix or self._new_prefix()
        await self.engine.begin(self._begin(prefix, account))
        self._refuse_if_stopped()
        self._spawn(self.engine.run(), "engine")
        self._spawn(self.engine.relay(), "facts")
        if self.parts.timers:
            self._spawn(self._timer(), "timer")
            self._spawn(self.hours.run(), "hours")
        await self._until_ready()

    def _begin(self, prefix: str, account: str) -> Begin:
        """What the run trades as, and what it trades by."""
        return Begin(
            prefix=prefix, client_id=self.config.client_id, account=account, port=self.config.port,
            code=code_fingerprint(), program=program_version(),
            configuration=self.parts.configuration or limits_fingerprint(self.desk.gate.limits),
        )  # fmt: skip

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(self.config.request_timeout):
                await self._ready.wait()
        except TimeoutError:
            raise RequestTimeoutError(
                "the broker's orders, fills and positions did not all come "
                f"within {self.config.request_timeout} s"
            ) from None
        if self.failure is not None:
            raise self.failure
        self._refuse_if_stopped()

    def _refuse_if_stopped(self) -> None:
        if self.stopped:
            raise TWSError("the trader was stopped while it started")

    def _new_prefix(self) -> str:
        rng = self.parts.rng or system_rng()
        return self.parts.prefix or "t" + "".join(f"{rng.randint(0, 15):x}" for _ in range(5))

    def _open_journal(self) -> SQLiteStore:
        path = self._journal_path()
        doubt = doubtful_place(path.parent)
        if doubt is not None:
            log.warning("the journal lies in a doubtful place", path=str(path), why=doubt)
        return SQLiteStore(path)

    def _journal_path(self) -> Path:
        if self.parts.journal is not None:
            return self.parts.journal
        mode = f"{self.config.port}-{self.config.account_id or 'account'}-{self.config.client_id}"
        return state_folder() / f"journal-{mode}.sqlite3"

    # -- watch

    def _spawn(self, coroutine: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(coroutine, name=f"trader {name}")
        task.add_done_callback(self._ended)
        self._tasks[name] = task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task of ours ends only by `stop`; anything else is a failure that stops the trading."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.stopped:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Trade no more: the brake falls, whoever waits hears of it, orders at the broker stay."""
        if self._failure is None:
            self._failure = self.failure or error
            self._ready.set()
            self.trades.fail(as_tws_error(self._failure))
            self.bell.ring()
            text = f"the trader has failed and sends nothing; orders at the broker stay: {self._failure!r}"
            self.alert(Alert(severity=Severity.ALARM, subject="trader", text=text))
        if not self.killer.acting:
            self.engine.failure = self.engine.failure or self._failure
        if "engine" in self._tasks:  # without the tasks that feed it, it would trade on old news
            self._tasks["engine"].cancel()

    @property
    def runs(self) -> bool:
        """Whether it has come up, far enough to turn, and was not stopped."""
        return "engine" in self._tasks and not self.stopped

    async def engine_ended(self) -> None:
        """Return when the engine of this life turns no more; at once when it never did."""
        if "engine" in self._tasks:
            await asyncio.wait({self._tasks["engine"]})

    def heard(self, record: Record) -> None:
        self.trades.hear(record)
        state = self.desk.state
        if isinstance(record, Booked | Inferred | ReversalMoved):
            self.moves += 1
            self.bell.ring()
        if isinstance(record, Intended):  # one id, one order: `get_next_order_id` never gives the desk's
            self.connection.raise_order_id_floor(state.next_order_id)
        if not self._followed and state.link_up and state.reconciled_epoch == state.epoch:
            self._followed = True
            self._follow_account(state.account)
            self._ready.set()
        for listener in self.record_listeners:
            try:
                listener(record)
            except Exception:
                log.exception("a listener to records failed")

    def _follow_account(self, account: str) -> None:
        """Hear what the account is worth: buying power and day trades are limits of the gate.

        The connection keeps the stream over lost links. Where it can't be opened the gate knows no figure,
        and live then denies entries; where TWS ends it, the last figure stays.
        """
        try:
            self.connection.stream_account(account)
        except TWSError as error:
            log.warning("the account's values are not followed", reason=str(error))

    def _state(self) -> DeskState:
        return self.desk.state

    def _brake(self, call: MoneyCall) -> Denial | None:
        """Read directly before each frame that moves money: a trader that has failed sends nothing more, but
        for what an emergency stop lets out, exits and cancels; one that lost its lease sends nothing at all.
        """
        if self.failure is None or self.killer.acting or call.kind is MoneyKind.CANCEL:
            return None if self._fence is None else self._fence.judge(call)
        return Denial(limit="brake", figure="an order", bound="none",
                      reason=f"the trader has failed: {self.failure}")

    def alert(self, alert: Alert) -> None:
        """To the log and to whoever listens, with the journal's head; a listener's fault stops nothing."""
        alert = replace(alert, head=self.head)
        level = {Severity.INFO: log.info, Severity.WARNING: log.warning, Severity.ALARM: log.error}
        level[alert.severity](alert.text, subject=alert.subject, head=alert.head)
        for listener in self.alert_listeners:
            try:
                listener(alert)
            except Exception:
                log.exception("a listener to alarms failed")

    async def _timer(self) -> None:
        while True:
            await asyncio.sleep(TIMER_S)
            safety = self.parts.safety
            if safety is not None and safety.state.readable and (gone := safety.fenced):
                cure = "Leave the trading to that one; start this one anew once it has ended"
                self.fail(SafetyError(safety.path, "held", gone, cure))
                self.connection.disconnect()  # dialled on, it would keep the other one's client id from it
                return
            self.engine.tick()
            if safety is not None:
                safety.renew(self.clock.now_ns())

    # -- end

    async def stop(self) -> None:
        """See `Trader.stop`."""
        if self._ending is None:
            self.stopped = self._began = True
            self._ready.set()
            self._ending = asyncio.get_running_loop().create_task(self._end(), name="trader end")
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        try:
            await self._end_tasks()
        finally:  # cut short or not
            self.connection.disconnect()
            self.trades.fail(TWSError("the trader was stopped"))
            try:
                self._close_store()
            finally:
                self._release()

    async def _end_tasks(self) -> None:
        await self.killer.answered()
        await self.killer.close()
        engine = self._tasks.get("engine")
        self.engine.close()
        for task in self._tasks.values():
            if task is not engine:
                task.cancel()
        if engine is not None:
            await asyncio.wait({engine}, timeout=END_S)
            engine.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        await self.hands.close()
        self.watchlist.close()
        self.connection.disconnect()
        try:
            async with asyncio.timeout(END_S):
                await self.connection.wait_closed()
        except TimeoutError:
            log.warning("the socket did not close: TWS does not read")

    def _release(self) -> None:
        """Last of all: whoever takes the lease now finds the journal free and the client id too."""
        if self.parts.safety is None:
            return
        try:
            self.parts.safety.release()
        except SafetyError as error:  # the next one sees that this process is gone
            log.warning("the lease was not released", reason=str(error))

    def _close_store(self) -> None:
        """Raises the JournalError by which records of this end were lost, when nobody knows of it yet."""
        if self._store is None:
            return
        try:
            self._store.close()
        except JournalError as error:
            if self.failure is None:
                raise
            log.error("the journal did not close in order", reason=str(error))
        else:
            if self._recovered is not None and self.failure is None:
                keep_at_end(self.desk, self._store, self._recovered, self.engine.remembered)


def choose_account(config: TWSConfig, accounts: tuple[str, ...]) -> str:
    """The account to trade. Raises ConfigError when it is not clear which."""
    if config.account_id:
        if config.account_id not in accounts:
            raise ConfigError("account_id", config.account_id, "is not among the accounts of this login",
                              "Set TWS_ACCOUNT to one of those that TWS shows in its title bar")
        return config.account_id
    if len(accounts) != 1:
        raise ConfigError("account_id", "", f"this login has {len(accounts)} accounts",
                          "Say which one to trade: set TWS_ACCOUNT")
    return accounts[0]


def check_journal(state: DeskState, account: str, client_id: int) -> None:
    """A journal belongs to one account and one client id. Raises ConfigError for another's.

    The orders in it could not be found, changed or cancelled from here, and would be taken for lost.
    """
    cure = "Trade as that one, or start another journal (TraderParts.journal)"
    if not state.prefix:
        return  # no run has begun in it
    if state.account != account:
        raise ConfigError("account_id", mask_account(account),
                          f"the journal is that of account {mask_account(state.account)}", cure)
    if state.client_id != client_id:
        raise ConfigError("client_id", client_id, f"the journal is that of client id {state.client_id}", cure)


def as_tws_error(error: BaseException) -> TWSError:
    """What callers catch: the error itself, or one that names it."""
    return error if isinstance(error, TWSError) else TWSError(f"the trader has failed: {error!r}")
