"""The two people of a run: the trader's user, who wants much and looks at little, and the human at TWS.

The human does what no program can, and nothing else: he answers dialogs, takes back what he himself or the
back office did to the account, restarts TWS for an order that it may hold untransmitted, cancels by hand a
twin that the API can't reach, and explains to the desk a position that no execution explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from tests.soak.watching import Watching
from tests.world.mix import SYMBOLS
from tests.world.witness import OURS

from tws.clock import NS_PER_S
from tws.desk import Adjust, Alert, DeclareGone
from tws.errors import TWSError
from tws.model.contract import Contract
from tws.model.order import Side, bracket
from tws.model.stop import EVERYTHING, Scope, ScopeKind
from tws.runtime import Trader
from tws.simulator import SimulatedTWS

__all__ = ["UNTOLD", "Human", "enter", "wish"]

UNTOLD = frozenset(("bad-position", "execution-bust", "split", "transfer"))
"""Faults that move a position, or its last word, without an execution: only a human can explain them."""
PATIENCE_NS = 30 * NS_PER_S
"""A human who explains at once what a late fill would have explained makes two errors of one."""
WISHES = (*("enter",) * 12, *("cancel",) * 3, *("flatten",) * 3, *("nothing",) * 3, "kill")


async def wish(
    trader: Trader,
    rng: Random,
    note: Callable[[str], None],
    wishes: Sequence[str] = WISHES,
    symbols: tuple[str, ...] = SYMBOLS,
) -> None:
    """One wish of these. What the link or the desk refuses is noted; what has ended the trader is raised."""
    symbol = rng.choice(symbols)
    try:
        match rng.choice(wishes):
            case "enter":
                await enter(trader, symbol, rng)
            case "cancel":
                await trader.cancel_all()
            case "flatten":
                await trader.flatten(symbol, timeout_s=5.0)
            case "kill":
                scope = rng.choice((EVERYTHING, Scope(kind=ScopeKind.SYMBOL, name=symbol)))
                flatten = rng.random() < 0.5
                await trader.kill(reason="a bad day", operator="bob", flatten=flatten, scope=scope)
            case _:
                for stop in list(trader.desk.state.kill.stops.values()):
                    await trader.reset(operator="ann", reason="looked at", scope=stop.scope, accept=True)
    except TWSError as error:
        note(f"user hears {type(error).__name__}: {error}")
        if trader.failure is not None:
            raise trader.failure from error


async def enter(trader: Trader, symbol: str, rng: Random) -> None:
    """A bracket near the market."""
    contract = Contract(symbol=symbol)
    quote = await trader.quote(contract, timeout_s=10.0)
    assert quote.bid is not None and quote.ask is not None
    side = rng.choice((Side.BUY, Side.SELL))
    middle = round((quote.bid + quote.ask) / 2, 2)
    near, far = rng.randint(2, 8) / 100, rng.randint(2, 8) / 100
    limit = rng.choice((None, middle))
    await trader.submit(
        bracket(
            contract,
            side,
            rng.choice((1, 10, 100, 300, 1000)),
            limit=limit,
            target=round(middle + side.sign * near, 2),
            stop=round(middle - side.sign * far, 2),
        )
    )


class Human:
    """Who sits at TWS, and hears the desk's alarms."""

    def __init__(
        self,
        sim: SimulatedTWS,
        watching: Watching,
        note: Callable[[str], None],
        symbols: tuple[str, ...] = SYMBOLS,
    ) -> None:
        self.alarms: Counter[str] = Counter()
        """What the desk told, by its kind (the first word of the subject)."""
        self._sim = sim
        self._watching = watching
        self._note = note
        self._symbols = symbols
        self._gone: set[str] = set()
        self._noticed: dict[str, int] = {}
        self._splits: dict[int, tuple[Decimal, int]] = {}
        """Ratio and time of those that came, by con_id, until they are explained."""
        self._added: Counter[int] = Counter()
        """What splits have made of our orders' shares beyond what these bought and sold, by con_id."""
        self._watch_splits()

    def alerted(self, alert: Alert) -> None:
        """The desk's alarms."""
        kind, _, subject = alert.subject.partition(" ")
        self.alarms[kind] += 1
        if kind == "untransmitted":
            self._gone.add(subject)

    def calm_down(self) -> None:
        """The storm is over: dialogs are answered, and what others did to the account is taken back."""
        sim = self._sim
        sim.faults.clear()
        sim.answer_dialog(True)
        sim.faults.release()
        exchange, now_ns = sim.exchange, sim.core.now_ns()
        for view in exchange.open_orders(0):
            sim.core.tell(exchange.by_hand.cancel(view.perm_id, now_ns))
        for symbol in self._symbols:
            excess = self.held(symbol) - self.ours(symbol)
            if excess:
                self._note(f"the transfer of {excess} {symbol} is taken back")
                sim.faults.play("transfer", symbol=symbol, shares=-int(excess))

    async def help(self, trader: Trader) -> None:
        """Do what the desk can't do alone."""
        named, self._gone = sorted(self._gone), set()
        for intent_id in named:
            self._note(f"a human restarts TWS and declares {intent_id} gone")
            self._sim.exchange.restart(self._sim.core.now_ns())
            await trader.ask(DeclareGone(intent_id=intent_id, operator="ann", reason="TWS was restarted"))
        self._cancel_twins()
        unexplained = self.unexplained(trader) if self.knows_all(trader) else []
        now_ns = self._sim.core.now_ns()
        self._noticed = {symbol: self._noticed.get(symbol, now_ns) for symbol in unexplained}
        for symbol in unexplained:
            if now_ns - self._noticed[symbol] >= PATIENCE_NS:
                await self._explain(trader, symbol)

    def unexplained(self, trader: Trader) -> list[str]:
        """The symbols of which a book of the desk differs by what no execution explains."""
        if not UNTOLD & self._watching.met.keys():
            return []
        state = trader.desk.state
        books = (state.ours, state.account_book)
        return [
            symbol
            for symbol in self._symbols
            if any(
                book.quantity(state.account, self._sim.con_id(symbol)) != self.held(symbol) for book in books
            )
        ]

    def knows_all(self, trader: Trader) -> bool:
        """Whether the desk has heard all there is to hear: only then is a difference a human's affair."""
        state = trader.desk.state
        return state.link_up and state.reconciled_epoch == state.epoch and not state.book.owing

    def _cancel_twins(self) -> None:
        """One order became two: that which works on under the old permanent id is out of the API's reach."""
        exchange = self._sim.exchange
        views = exchange.open_orders(OURS)
        copies = Counter(view.ticket.order_ref for view in views)
        for view in views:
            if copies[view.ticket.order_ref] > 1:
                self._note(f"a human cancels {view.ticket.order_ref} (permId {view.perm_id}) in TWS")
                self._sim.core.tell(exchange.by_hand.cancel(view.perm_id, self._sim.core.now_ns()))

    def _watch_splits(self) -> None:
        """The papers say when."""
        corporate = self._sim.exchange.corporate
        split = corporate.split

        def announced(con_id: int, ratio: Decimal, now_ns: int) -> Any:
            self._splits[con_id] = ratio, now_ns
            self._added[con_id] += self._traded(con_id) * (ratio - 1)  # type: ignore[assignment]
            return split(con_id, ratio, now_ns)

        corporate.split = announced  # type: ignore[method-assign]

    async def _explain(self, trader: Trader, symbol: str) -> None:
        instrument = await trader.instrument(Contract(symbol=symbol))
        account, con_id = trader.desk.state.account, instrument.contract.con_id
        if con_id in self._splits:
            ratio, at_ns = self._splits.pop(con_id)
            self._note(f"a human explains a split of {symbol}")
            await trader.ask(
                Adjust(
                    account=account,
                    instrument=instrument,
                    operator="ann",
                    reason="read in the paper",
                    ours=True,
                    ratio=ratio,
                    effective_ns=at_ns,
                )
            )
            return
        for ours in (True, False):
            state = trader.desk.state
            book = state.ours if ours else state.account_book
            missing = self.held(symbol) - book.quantity(account, con_id)
            if missing:
                self._note(f"a human explains {missing} {symbol}")
                await trader.ask(
                    Adjust(
                        account=account,
                        instrument=instrument,
                        quantity=missing,
                        price=Decimal(100),
                        operator="ann",
                        reason="seen in TWS",
                        ours=ours,
                    )
                )

    def held(self, symbol: str) -> Decimal:
        """What the account has of a symbol, by the broker."""
        con_id = self._sim.con_id(symbol)
        rows = self._sim.exchange.positions()
        return sum((row.quantity for row in rows if row.con_id == con_id), Decimal(0))

    def ours(self, symbol: str) -> Decimal:
        """What our own orders made there, and splits of that."""
        return self._traded(self._sim.con_id(symbol))

    def _traded(self, con_id: int) -> Decimal:
        """What our own orders made there, and splits of that."""
        total = Decimal(self._added[con_id])
        for report in self._sim.exchange.executions():
            done = report.executed
            if done.con_id == con_id and done.client_id == OURS:
                total += done.quantity if done.side == "BOT" else -done.quantity
        return total
