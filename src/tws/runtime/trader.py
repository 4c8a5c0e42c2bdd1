"""`Trader`: connection, desk and journal under one roof, as a program sees them.

The face alone: what can be asked and wished. How it comes up, watches its tasks and its link, and ends
is in `life`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from decimal import Decimal
from types import TracebackType

import msgspec

from tws.config import TWSConfig
from tws.connection import QuoteStream
from tws.connection.ordering.rules import rule_id_of
from tws.desk import (
    Alert,
    CancelAll,
    Command,
    Flatten,
    Kill,
    KillReport,
    ModifyOrder,
    ResetKill,
    Reverse,
    SubmitBracket,
    SubmitExercise,
)
from tws.desk.standing import Discrepancy, Held, discrepancies, holdings
from tws.desk.submit import usual_orders
from tws.errors import ConfigError, LinkLostError, NotSentError, TWSError
from tws.log import get_logger
from tws.model.contract import Contract, ContractDetails, stock
from tws.model.exercise import Exercise, ExerciseAction
from tws.model.instrument import Instrument, decimal
from tws.model.market import Quote
from tws.model.marketrule import MarketRule
from tws.model.order import Bracket, OrderType
from tws.model.records import Denied, Record
from tws.model.stop import EVERYTHING, Scope, ScopeKind
from tws.orders import OurOrder
from tws.risk import Gate, Limits
from tws.runtime.engine import Engine
from tws.runtime.kill import ANSWER_S
from tws.runtime.life import Life, as_tws_error
from tws.runtime.parts import TraderParts
from tws.runtime.trade import ExerciseAnswer, Trade

__all__ = ["Trader"]

log = get_logger("tws.runtime")


class Trader:
    """Trades one account through one TWS. Use it as an async context manager, once, on one event loop.

    Raises on entry: ConnectError (stage, cause, cure) when there is no TWS to trade with; ConfigError when
    the account is not clear or the journal is another's; JournalError when the journal can't be opened or is
    held by another trader; RequestTimeoutError when the broker does not tell what it has within
    `request_timeout`. On exit it raises what ended the trading meanwhile, unless something else is on
    its way already.
    """

    def __init__(
        self, config: TWSConfig, *, limits: Limits | None = None, parts: TraderParts | None = None
    ) -> None:
        self.config = config
        self.parts = parts or TraderParts()
        self.gate = Gate(limits or Limits())
        self._life = Life(config, self.gate, self.parts)
        self.clock = self._life.clock
        self.desk = self._life.desk
        self.connection = self._life.connection
        self.watchlist = self._life.watchlist
        self._rules: dict[int, MarketRule | None] = {}
        self.bell = self._life.bell
        """Rings for fills, steps of reversals and the trader's failure; whoever drives it lets more ring."""

    async def __aenter__(self) -> Trader:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if error is None and self.failure is not None:
            raise as_tws_error(self.failure)

    async def start(self) -> None:
        """Replay the journal, dial, reconcile; returns when entries are possible. Raises: see the class."""
        await self._life.start()

    async def stop(self) -> None:
        """The orderly end; safe twice, during `start`, and for a trader that has failed. Orders that work at
        the broker stay there. Raises JournalError when records of the end could not be written."""
        await self._life.stop()

    @property
    def failure(self) -> BaseException | None:
        """What ended the trading, such as a journal that can't be written; None while all is well.

        From that moment no order leaves, and `submit` and all other wishes raise it.
        """
        return self._life.failure

    @property
    def head(self) -> str:
        """The journal's newest head, `<row>:<hash>`: what `tws verify --head` holds a journal against."""
        return self._life.head

    @property
    def turning(self) -> bool:
        """Whether it takes wishes: from the moment of the link on, before the broker has told all of it."""
        return self._life.runs

    @property
    def moves(self) -> int:
        """How many fills and steps of reversals this run has recorded: unchanged, none is new."""
        return self._life.moves

    @property
    def engine(self) -> Engine:
        """What turns the desk; another one once an emergency stop had to take over."""
        return self._life.engine

    # -- what a program asks for

    def contract(self, symbol: str) -> Contract:
        """What a symbol means to this trader, as it is to be looked up."""
        return self.parts.contracts.get(symbol) or stock(symbol)

    async def instrument(self, contract: Contract) -> Instrument:
        """The contract with its con_id and its grid, asked of TWS once: its market rule, or minTick where TWS
        tells none, so that the broker judges.

        Raises NoContractError, AmbiguousContractError.
        """
        details = await self.details(contract)
        rule = await self._rule_of(details)
        lot = Decimal(1) if not details.min_size else decimal(details.min_size, "min_size")
        if details.contract.sec_type == "STK":  # of American ones TWS states parts, and refuses them (10243)
            lot = max(lot, Decimal(1))
        if lot == lot.to_integral_value():  # a journal tells 17 shares, not 17.0
            lot = lot.to_integral_value()
        tick = decimal(details.min_tick, "min_tick") if rule is None else rule.step
        return Instrument(contract=details.contract, tick=tick, lot=lot, rule=rule)

    async def _rule_of(self, details: ContractDetails) -> MarketRule | None:
        """The contract's market rule; each is asked for once, and again after a link that went meanwhile."""
        rule_id = rule_id_of(details, details.contract.exchange)
        if rule_id is not None and rule_id not in self._rules:
            try:
                self._rules[rule_id] = await self.connection.request_market_rule(rule_id)
            except (LinkLostError, NotSentError):
                return None
            except (TWSError, ValueError) as wrong:
                self._rules[rule_id] = None
                log.warning("market rule not told", symbol=details.contract.symbol, reason=str(wrong))
        return None if rule_id is None else self._rules.get(rule_id)

    async def details(self, contract: Contract) -> ContractDetails:
        """All that TWS says about one contract; asked once, then remembered."""
        return await self.watchlist.details(contract)

    async def stream(self, contract: Contract) -> QuoteStream:
        """Follow a contract's market from now on, over lost links too; the stream of the present link."""
        return self.watchlist.follow((await self.details(contract)).contract)

    async def quote(self, contract: Contract, timeout_s: float = 30.0) -> Quote:
        """A two-sided quote: the newest, or the first one that comes within `timeout_s`.

        Raises RequestTimeoutError, RequestError when TWS serves no data, and what `details` raises.
        """
        full = (await self.details(contract)).contract
        self.watchlist.follow(full)
        return await self.watchlist.two_sided(full, timeout_s)

    async def submit(self, wish: Bracket, *, joins: str = "") -> Trade:
        """Put a bracket to the desk. Answers when its intent is on disk and its bytes have been handed to the
        socket, or with the denial in `Trade.denial`. Raises `failure`, and what looking the contract up does.

        `joins` is the trade that it adds to (`Trade.group_id`); see `tws.desk.SubmitBracket`.
        """
        full, instrument = await self._tradable(wish)
        await self._learn_where(self.desk.state.orders_of(joins) if joins else ())
        command = SubmitBracket(bracket=full, instrument=instrument, joins=joins)
        return self._life.trades.made_by(await self.ask(command))

    async def reverse(self, wish: Bracket, *, reason: str = "reversed") -> Denied | None:
        """Close what the wish's strategy holds the other way, and enter with it once that is flat.

        Answers when the reversal has begun, or with the denial; how it goes on is in the journal
        (`ReversalMoved`). Raises as `submit` does.
        """
        full, instrument = await self._tradable(wish)
        records = await self.ask(Reverse(bracket=full, instrument=instrument, reason=reason))
        return next((record for record in records if isinstance(record, Denied)), None)

    async def exercise(
        self, contract: Contract, wish: Exercise, *, strategy: str = "", signal_id: str = ""
    ) -> ExerciseAnswer:
        """Exercise options of ours, or let them lapse, as `wish` says (`tws.desk.SubmitExercise`).

        It is judged as an entry of what it brings: ask for a `quote` of the underlying first. Answers when
        the intent is on disk and its bytes have been handed to the socket, or with the denial. What comes of
        it is told by TWS (refused: the order is `rejected`) and, when it is carried out, by the positions:
        then both books move (`Exercised`). Raises as `submit` does.
        """
        if self.failure is not None:
            raise as_tws_error(self.failure)
        instrument, details = await self.instrument(contract), await self.details(contract)
        underlying = None
        if details.under_con_id and wish.action is ExerciseAction.EXERCISE:
            underlying = await self.instrument(Contract(con_id=details.under_con_id, sec_type=""))
            self.watchlist.follow(underlying.contract)
        return ExerciseAnswer.of(await self.ask(SubmitExercise(
            instrument=instrument, wish=wish, underlying=underlying, strategy=strategy, signal_id=signal_id)))

    async def lapse(
        self, contract: Contract, wish: Exercise, *, strategy: str = "", signal_id: str = ""
    ) -> ExerciseAnswer:
        """The same with `ExerciseAction.LAPSE`: give the options up when they expire."""
        wish = msgspec.structs.replace(wish, action=ExerciseAction.LAPSE)
        return await self.exercise(contract, wish, strategy=strategy, signal_id=signal_id)

    async def _tradable(self, wish: Bracket) -> tuple[Bracket, Instrument]:
        """The wish with its full contract, whose market is followed from here on."""
        if self.failure is not None:  # rather than what a link says that may be closed by now
            raise as_tws_error(self.failure)
        instrument = await self.instrument(wish.contract)
        self.watchlist.follow(instrument.contract)
        return msgspec.structs.replace(wish, contract=instrument.contract), instrument

    async def flatten(
        self, symbol: str | None = None, *, reason: str = "asked", timeout_s: float = 30.0
    ) -> bool:
        """Cancel and close what is ours, of one symbol or of all; True once it is flat.

        False after `timeout_s`: the desk goes on trying and keeps alarming. Raises `failure`.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.ask(Flatten(symbol=symbol, reason=reason))
                while not self.flat(symbol):
                    await self.engine.turned()
        return self.flat(symbol)

    async def kill(
        self, *, reason: str, operator: str = "", flatten: bool = False, scope: Scope = EVERYTHING,
        answer_s: float = ANSWER_S,
    ) -> KillReport:
        """The emergency stop: no entry passes any more, those that work are cancelled, protective stops stay;
        with `flatten` what is ours is closed as well.

        Answers when that has come to rest, at the latest after `answer_s`: FLAT, proven, or NOT FLAT with
        what is left and why. It goes on until it is flat, whatever becomes of the caller, and with a journal
        that can't be written (docs/design/kill.md). Only `reset` ends it. Raises ConfigError for a scope
        without its name or of another account, TWSError for a trader that does not run.
        """
        check_scope(scope, self.desk.state.account)
        if not self._life.runs:
            raise TWSError("the trader does not run")
        command = Kill(reason=reason, operator=operator, flatten=flatten, scope=scope)
        return await self._life.killer.kill(command, answer_s)

    async def reset(
        self, *, operator: str, reason: str, scope: Scope = EVERYTHING, accept: bool = False
    ) -> Denied | None:
        """A named human ends a stop; None, or what speaks against it: the scope is not flat by the broker's
        own word, and `accept` does not say that this is known. Raises `failure`."""
        if self.failure is not None:
            raise as_tws_error(self.failure)
        command = ResetKill(operator=operator, reason=reason, scope=scope, accept=accept)
        records = await self._life.killer.reset(command)
        return next((record for record in records if isinstance(record, Denied)), None)

    async def modify(self, wish: ModifyOrder) -> Denied | None:
        """Change a working order from what TWS last stated of it. The denial, or None when the change is on
        its way: it stands once TWS states it, and a refusal of TWS's leaves the order as it was.

        Raises `failure`, and for a trailing stop what asking TWS where it stands raises.
        """
        order = self.desk.state.book.get(wish.intent_id)
        await self._learn_where([order] if order is not None else [])
        records = await self.ask(wish)
        return next((record for record in records if isinstance(record, Denied)), None)

    async def _learn_where(self, orders: Iterable[OurOrder]) -> None:
        """Ask where trailing stops stand, if any of these is one: TWS does not tell it as they move, and what
        is sent next is built on it.
        """
        trail = any(each.live and each.order.order_type is OrderType.TRAIL for each in orders)
        if trail and self.desk.state.link_up:
            await self.connection.request_open_orders(urgent=True)

    async def cancel_all(self, *, reason: str = "asked") -> None:
        """Cancel every working order of ours; the answers come as facts."""
        await self.ask(CancelAll(reason=reason))

    async def ask(self, command: Command) -> list[Record]:
        """Put any command to the desk; answers its records, which are on disk by then. Raises `failure`."""
        if self.failure is not None:
            raise as_tws_error(self.failure)
        return await self.engine.ask(command)

    def note(self, command: Command) -> None:
        """Put a command to the desk whose records nobody waits for; they are committed with those of the next
        wish, and before its bytes leave. Forgotten by a trader that has failed.
        """
        self.engine.post(command)

    def make_ready(self, contract: Contract) -> None:
        """The first orders of a contract shall leave as quickly as later ones. Asks and sends nothing."""
        orders = usual_orders(contract, self.desk.state.account)
        with contextlib.suppress(NotSentError):  # no link: then they take the long way
            self.connection.outbound.make_ready(contract, orders)

    def position(self, symbol: str) -> Decimal:
        """Shares of ours, negative when short: what our fills made."""
        holdings = self.desk.state.ours.holdings.values()
        return sum((each.quantity for each in holdings if each.contract.symbol == symbol), Decimal(0))

    def holdings(self) -> tuple[Held, ...]:
        """What is held in every account of the login: ours, and what others hold beside it."""
        return holdings(self.desk.state)

    def discrepancies(self) -> tuple[Discrepancy, ...]:
        """All in which our books and the broker's word do not agree now, with its cure; what blocks first."""
        return discrepancies(self.desk.state, self.clock.now_ns(), self.desk.timing)

    def flat(self, symbol: str | None = None) -> bool:
        """No position of ours, and no order that may act or owes us a fill, in one symbol or in all."""
        state = self.desk.state
        held = (each.contract.symbol for each in state.ours.holdings.values() if each.quantity)
        open_ = (each.contract.symbol for each in state.book.exposed())
        return not any(symbol in (None, each) for each in (*held, *open_))

    def on_alert(self, listener: Callable[[Alert], object]) -> None:
        """Call `listener` for each alarm, on the loop's thread. What it raises stops nothing."""
        self._life.alert_listeners.append(listener)

    def on_record(self, listener: Callable[[Record], object]) -> None:
        """Call `listener` with each record of the journal once it is on disk, on the loop's thread and before
        the bytes that come of it: it must be quick. What it raises stops nothing.
        """
        self._life.record_listeners.append(listener)

    def tick(self) -> None:
        """A second of market time has passed. For who drives time by hand (`TraderParts.timers` False)."""
        self.engine.tick()

    @property
    def idle(self) -> bool:
        """Nothing waits, nothing is under way, no question is open."""
        return self.engine.idle and not self._life.hands.waiting


def check_scope(scope: Scope, account: str) -> None:
    """Raises ConfigError for a scope that names nothing, or an account that is not the one we trade."""
    if not scope.whole and not scope.name:
        raise ConfigError("scope", scope.kind, "names nothing", f"Say which {scope.kind}")
    if scope.kind is ScopeKind.ACCOUNT and scope.name != account:
        raise ConfigError("scope", scope.name, "is not the account that we trade", "Type its id in full")
