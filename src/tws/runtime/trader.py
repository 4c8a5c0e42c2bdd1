"""`Trader`: connection, desk and journal under one roof, with their start, their watch and their end.

Start: the journal is replayed, the link is dialled, the broker is asked for executions, open and completed
orders and positions; entries are possible once its answers and the books agree. Watch: one task turns the
engine, one sees to the link and dials it again with growing, jittered pauses. End: entries stop, working
orders stay at the broker unless they were cancelled before, the journal is closed last.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from types import TracebackType

import msgspec
import structlog

from tws.clock import NS_PER_S, SystemClock, system_rng
from tws.config import TWSConfig
from tws.connection import QuoteStream, TWSConnection
from tws.desk import Alert, Begin, CancelAll, Command, Desk, Effect, Flatten, SubmitBracket, TimerTick
from tws.errors import ConfigError, ConnectError, RequestTimeoutError, TWSError
from tws.journal import SQLiteStore, Store
from tws.model.contract import Contract, ContractDetails
from tws.model.instrument import Instrument, decimal
from tws.model.market import Quote
from tws.model.order import Bracket
from tws.model.records import Began, Denied, LinkMoved, Planned, Record, decode_records
from tws.model.facts import LinkState
from tws.orders import OurOrder
from tws.platform import state_folder
from tws.risk import Denial, Gate, Limits
from tws.runtime.engine import Engine
from tws.runtime.hands import Hands
from tws.runtime.parts import TraderParts
from tws.runtime.trade import Trade
from tws.runtime.watch import Watchlist

__all__ = ["Trader"]

TIMER_S = 1.0
"""How often the desk is told that time has passed."""

BACKOFF_S = (0.5, 30.0)
"""First and longest pause between dials: quick after a hiccup, gentle on a TWS that restarts (about a minute)."""

log = structlog.get_logger("tws.runtime")


class Trader:
    """Trades one account through one TWS. Use it as an async context manager, on one event loop.

    Raises ConnectError (stage, cause, cure) on entry when there is no TWS to trade with, ConfigError when
    the account is not clear, JournalError when the journal can't be opened.
    """

    def __init__(
        self, config: TWSConfig, *, limits: Limits | None = None, parts: TraderParts | None = None
    ) -> None:
        self.config = config
        self.parts = parts or TraderParts()
        self.clock = self.parts.clock or SystemClock()
        self.gate = Gate(limits or Limits())
        self.desk = Desk(self.gate, timing=self.parts.timing)
        self.connection = TWSConnection(
            config, guard=self.gate, brake=self._brake, dial=self.parts.dial, clock=self.clock
        )
        self.store: Store = self.parts.store or SQLiteStore(self._journal_path())
        self.engine = Engine(self.desk, self.store, self.clock, self._perform)
        self.watchlist = Watchlist(self.connection, self.engine.dirty)
        self.failure: BaseException | None = None
        self._hands: Hands | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._trades: dict[str, Trade] = {}
        self._ready = asyncio.Event()
        self._down = asyncio.Event()
        self._alert_listeners: list[Callable[[Alert], object]] = []
        self.engine.watch(self._heard)

    async def __aenter__(self) -> Trader:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Replay, dial, reconcile; returns when entries are possible."""
        try:
            prefix = self._recover()
            self.engine.listen(self.connection.facts())
            if not await self.connection.connect():
                raise self.connection.failure or ConnectError("connect", "no reason was given", "Run tws doctor")
            begin = Begin(prefix=prefix, client_id=self.config.client_id, account=self._account(),
                          port=self.config.port)
            self._hands = Hands(self.connection, self.engine.post)
            self._hands.on_alert = self._alerted
            await self.engine.begin(begin)
            self._spawn(self.engine.run(), "engine")
            self._spawn(self.engine.relay(), "facts")
            self._spawn(self._keep_link(), "link")
            if self.parts.timers:
                self._spawn(self._timer(), "timer")
            async with asyncio.timeout(self.config.request_timeout):
                await self._ready.wait()
        except TimeoutError:
            await self.stop()
            raise RequestTimeoutError(
                f"not all of the broker's orders, fills and positions came within {self.config.request_timeout} s"
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """The orderly end; safe twice. Orders that work at the broker stay there."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._hands is not None:
            await self._hands.close()
        self.watchlist.close()
        self.connection.disconnect()
        await self.connection.wait_closed()
        self.store.close()

    # -- what a program asks for

    async def instrument(self, contract: Contract) -> Instrument:
        """The contract with its con_id and its grid, asked of TWS once. Raises NoContractError, AmbiguousContractError."""
        details = await self.details(contract)
        return Instrument(contract=details.contract, tick=decimal(details.min_tick, "min_tick"),
                          lot=Decimal(1) if not details.min_size else decimal(details.min_size, "min_size"))

    async def details(self, contract: Contract) -> ContractDetails:
        """All that TWS says about one contract; asked once, then remembered."""
        return await self.watchlist.details(contract)

    async def stream(self, contract: Contract) -> QuoteStream:
        """Follow a contract's market from now on, over lost links too; the stream of the present link."""
        return await self.watchlist.follow((await self.details(contract)).contract)

    async def quote(self, contract: Contract, timeout_s: float = 30.0) -> Quote:
        """A two-sided quote: the newest, or the first one that comes within `timeout_s`."""
        full = (await self.details(contract)).contract
        await self.watchlist.follow(full)
        return await self.watchlist.two_sided(full, timeout_s)

    async def submit(self, wish: Bracket) -> Trade:
        """Put a bracket to the desk. Answers when its intent is on disk and its bytes have been handed to the
        socket, or with the denial in `Trade.denial`. Raises what looking the contract up raises."""
        instrument = await self.instrument(wish.contract)
        await self.watchlist.follow(instrument.contract)
        full = msgspec.structs.replace(wish, contract=instrument.contract)
        return self._trade(await self.ask(SubmitBracket(bracket=full, instrument=instrument)))

    async def flatten(self, symbol: str | None = None, *, reason: str = "asked", timeout_s: float = 30.0) -> bool:
        """Cancel and close what is ours, of one symbol or of all; True once it is flat, False when the bound passed."""
        await self.ask(Flatten(symbol=symbol, reason=reason))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self.flat(symbol):
                    await self.engine.turned()
        return self.flat(symbol)

    async def cancel_all(self, *, reason: str = "asked") -> None:
        """Cancel every working order of ours; the answers come as facts."""
        await self.ask(CancelAll(reason=reason))

    async def ask(self, command: Command) -> list[Record]:
        """Put any command to the desk; answers its records, which are on disk by then."""
        if self.failure is not None:
            raise TWSError(f"the trader has stopped: {self.failure}") from self.failure
        return await self.engine.ask(command)

    def position(self, symbol: str) -> Decimal:
        """Shares of ours, negative when short: what our fills made."""
        return sum((h.quantity for h in self.desk.state.ours.holdings.values() if h.contract.symbol == symbol),
                   Decimal(0))

    def flat(self, symbol: str | None = None) -> bool:
        """No position of ours and no live order of ours, in one symbol or in all."""
        state = self.desk.state
        return not any(h.quantity for h in state.ours.holdings.values() if symbol in (None, h.contract.symbol)) and (
            not any(o for o in state.book.living() if symbol in (None, o.contract.symbol))
        )

    def on_alert(self, listener: Callable[[Alert], object]) -> None:
        """Call `listener` for each alarm."""
        self._alert_listeners.append(listener)

    def tick(self) -> None:
        """A second of market time has passed. For who drives time by hand (`TraderParts.timers` False)."""
        self.engine.post(TimerTick())

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing is under way, no question is open."""
        return self.engine.idle and (self._hands is None or not self._hands.waiting)

    # -- inside

    def _recover(self) -> str:
        """Replay the journal; the prefix of its intent ids."""
        prefix = ""

        def seen(records: list[Record]) -> list[Record]:
            nonlocal prefix
            prefix = next((r.prefix for r in reversed(records) if isinstance(r, Began)), "")
            return records

        records = seen(list(decode_records(self.store.read())))
        self.desk.recover(records)
        self.connection.raise_order_id_floor(self.desk.state.next_order_id)
        rng = self.parts.rng or system_rng()
        return prefix or self.parts.prefix or "t" + "".join(f"{rng.randint(0, 15):x}" for _ in range(5))

    def _account(self) -> str:
        accounts = self.connection.accounts
        if self.config.account_id:
            if self.config.account_id not in accounts:
                raise ConfigError("account_id", self.config.account_id, "is not among the accounts of this login",
                                  "Set TWS_ACCOUNT to one of those that TWS shows in its title bar")
            return self.config.account_id
        if len(accounts) != 1:
            raise ConfigError("account_id", "", f"this login has {len(accounts)} accounts",
                              "Say which one to trade: set TWS_ACCOUNT")
        return accounts[0]

    def _journal_path(self) -> Path:
        if self.parts.journal is not None:
            return self.parts.journal
        mode = f"{self.config.port}-{self.config.account_id or 'account'}-{self.config.client_id}"
        return state_folder() / f"journal-{mode}.sqlite3"

    def _perform(self, effect: Effect) -> None:
        if self._hands is not None:
            self._hands.perform(effect)

    def _trade(self, records: list[Record]) -> Trade:
        denial = next((record for record in records if isinstance(record, Denied)), None)
        plan = next((record for record in records if isinstance(record, Planned)), None)
        if denial is not None or plan is None:
            return Trade(list, denial)

        def orders() -> list[OurOrder]:
            return [o for o in self.desk.state.book.orders.values() if o.group_id == plan.group_id]

        trade = self._trades[plan.group_id] = Trade(orders, None)
        return trade

    def _heard(self, record: Record) -> None:
        if isinstance(record, LinkMoved) and record.state is LinkState.DOWN:
            self._down.set()
        for trade in tuple(self._trades.values()):
            trade.hear(record)
        if self._reconciled():
            self._ready.set()

    def _brake(self) -> Denial | None:
        """Read directly before each frame that moves money: a trader that has failed sends nothing more."""
        if self.failure is None:
            return None
        return Denial(limit="brake", figure="an order", bound="none", reason=f"the trader has stopped: {self.failure}")

    def _reconciled(self) -> bool:
        state = self.desk.state
        return state.link_up and state.reconciled_epoch == state.epoch

    def _alerted(self, alert: Alert) -> None:
        for listener in self._alert_listeners:
            listener(alert)

    def _spawn(self, coroutine: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(coroutine, name=f"trader {name}")
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task of ours ends only by `stop`; anything else is a failure that stops the trading."""
        if task.cancelled() or task.exception() is None:
            return
        self.failure = task.exception()
        log.error("the trader has stopped; orders at the broker stay as they are", task=task.get_name(),
                  reason=repr(self.failure))

    async def _timer(self) -> None:
        while True:
            await asyncio.sleep(TIMER_S)
            self.tick()

    async def _keep_link(self) -> None:
        while True:
            await self._down.wait()
            self._down.clear()
            if not self.parts.reconnect:
                return
            await self._redial()

    async def _redial(self) -> None:
        rng, pause_s = self.parts.rng or system_rng(), BACKOFF_S[0]
        while not self.connection.is_connected():
            await asyncio.sleep(pause_s * rng.uniform(0.5, 1.0))
            pause_s = min(pause_s * 2, BACKOFF_S[1])
            if await self.connection.connect():
                await self.watchlist.renew()
            else:
                log.warning("still no link", reason=str(self.connection.failure), next_try_s=pause_s)
