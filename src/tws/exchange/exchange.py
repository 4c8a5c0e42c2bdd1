"""The exchange's face: inputs in, events out.

Deterministic and sans-I/O: time comes with every input and never runs back. `quote` and `trade`
are the hot inputs, in integer ticks and lots; a quote that reaches no order costs a few integer
comparisons. The parts behind: `intake` (tickets), `matching` (fills), `families` (brackets, OCA),
`bells` (time), `ledger` (money), over one shared `Core`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from tws.errors import ConfigError
from tws.exchange.activation import on_quote, on_trade, settle
from tws.exchange.allotments import Allotments
from tws.exchange.archive import Archive, MemoryArchive
from tws.exchange.bells import elapse
from tws.exchange.book import FAR, NEVER, Book
from tws.exchange.byhand import ByHand
from tws.exchange.combos import legs_of, requote
from tws.exchange.core import NOTHING, Core
from tws.exchange.corporate import Corporate
from tws.exchange.events import CompletedOrder, Event, ExecutionReport, OrderView, PositionRow
from tws.exchange.fees import FeeTable
from tws.exchange.intake import cancel, place, start_cancel
from tws.exchange.ledger import Holding, Ledger
from tws.exchange.margins import MarginModel
from tws.exchange.mishaps import Mishaps
from tws.exchange.special import OptionMath
from tws.exchange.statement import statement
from tws.exchange.terms import AccountSetup, ExecutionFilter, Habits, Listing, OrderTicket
from tws.exchange.transmission import release_held
from tws.exchange.working import Held
from tws.model.account import AccountValue

__all__ = ["Exchange"]

ANY = ExecutionFilter()
HABITS = Habits()
FEES = FeeTable()
MARGIN = MarginModel()
MEMORY_NS = 7 * 86_400 * 1_000_000_000
"""How long executions and completed orders are kept: TWS's up to seven days (C4)."""


class Exchange:
    """A simulated broker's matching engine and books. Inputs return events in TWS's order."""

    def __init__(
        self,
        listings: Iterable[Listing],
        accounts: Iterable[AccountSetup],
        *,
        habits: Habits = HABITS,
        fees: FeeTable = FEES,
        margin: MarginModel = MARGIN,
        archive: Archive | None = None,
        options: OptionMath | None = None,
        next_order_ids: Mapping[int, int] | None = None,
        run: int = 1,
        now_ns: int = 0,
    ) -> None:
        """`next_order_ids` restores ids per client; `run` (0..65535) keeps two runs' exec and perm ids apart.

        `archive` keeps what is over, in memory unless given; `options` prices options for who needs it.
        Raises ConfigError for no account, accounts of different base currencies, or a doubled con_id.
        """
        setups = tuple(accounts)
        if not setups:
            raise ConfigError("accounts", (), "an exchange needs an account", "Give an AccountSetup.")
        base = setups[0].currency
        core = self._core = Core(habits, (fees, margin, base), run & 0xFFFF, archive or MemoryArchive())
        core.options = options
        self.mishaps = Mishaps(core)
        self.by_hand = ByHand(core)
        self.corporate = Corporate(core)
        self.allotments = Allotments(core)
        core.begin(now_ns)
        for setup in setups:
            if setup.currency != base:
                raise ConfigError("currency", setup.currency, f"differs from {base}", "Use one for all.")
            core.open_account(setup)
        for client_id, order_id in (next_order_ids or {}).items():
            core.highest[client_id] = order_id - 1
        for listing in listings:
            self.add(listing)

    def add(self, listing: Listing) -> None:
        """List an instrument of any type and currency. Raises ConfigError for a doubled con_id."""
        core, contract = self._core, listing.instrument.contract
        if contract.con_id <= 0 or contract.con_id in core.books:
            raise ConfigError("con_id", contract.con_id, "is 0 or listed twice", "Give each its own.")
        book = core.books[contract.con_id] = Book(listing, core.now)
        book.leeway = core.habits.last_leeway
        if contract.sec_type == "CASH":
            core.rates.watch(book)
        core.set_bell(book)

    def rate(self, currency: str, units_of_base: Decimal) -> None:
        """What one unit of a currency is worth in the accounts' base currency.

        A listed and quoted pair of the two (EUR.USD, USD.JPY) goes before it. Without any rate orders in
        the currency are rejected (201).
        """
        self._core.rates.state(currency, units_of_base)

    # -- the market -------------------------------------------------------------------------------

    def quote(
        self, con_id: int, bid: int, bid_lots: int, ask: int, ask_lots: int, now_ns: int
    ) -> Sequence[Event]:
        """A new best bid and ask, in ticks and lots; lots 0: that side is empty. It refreshes the size.

        Raises KeyError for a con_id that is not listed.
        """
        core = self._core
        if now_ns >= core.wake:
            elapse(core, now_ns)
        elif now_ns > core.now:
            core.now = now_ns
        book = core.books[con_id]
        if not bid_lots:
            bid = -FAR
        if not ask_lots:
            ask = FAR
        book.bid = bid
        book.bid_left = bid_lots
        book.ask = ask
        book.ask_left = ask_lots
        fills = ask <= book.buy_best or bid >= book.sell_best
        if fills or bid >= book.rises_at_bid or ask <= book.falls_at_ask:
            on_quote(core, book)
            for combo in book.combos:
                if requote(combo):
                    on_quote(core, combo)
        return core.take() if core.out else NOTHING

    def trade(self, con_id: int, price: int, lots: int, now_ns: int) -> Sequence[Event]:
        """A print, in ticks and lots: it sets the last price and triggers stops, and fills nothing itself."""
        core = self._core
        if now_ns >= core.wake:
            elapse(core, now_ns)
        elif now_ns > core.now:
            core.now = now_ns
        book = core.books[con_id]
        book.last = price
        book.volume += lots
        if price >= book.rises_at_last or price <= book.falls_at_last:
            on_trade(core, book)
        return core.take() if core.out else NOTHING

    def day(self, con_id: int, close: int | None, volume: int = 0) -> None:
        """What conditions need and no quote brings: the previous close in ticks, and the lots traded today
        before the exchange saw the first trade.
        """
        book = self._core.books[con_id]
        book.close, book.volume = close, volume

    def advance(self, now_ns: int) -> Sequence[Event]:
        """Let time pass: opens, closes and expiries up to `now_ns`. Call it at least at `next_wake()`."""
        elapse(self._core, now_ns)
        return self._core.take()

    def next_wake(self) -> int | None:
        """The next instant at which `advance` has something to do, None for never."""
        return None if self._core.wake == NEVER else self._core.wake

    # -- orders -----------------------------------------------------------------------------------

    def place(self, ticket: OrderTicket, now_ns: int) -> Sequence[Event]:
        """placeOrder: a new order, a what-if, or the change of a living one."""
        elapse(self._core, now_ns)
        place(self._core, ticket)
        return self._settle()

    def cancel(self, client_id: int, order_id: int, now_ns: int) -> Sequence[Event]:
        """cancelOrder by its owner; another's order is not found (10147)."""
        elapse(self._core, now_ns)
        cancel(self._core, client_id, order_id)
        return self._settle()

    def global_cancel(self, now_ns: int) -> Sequence[Event]:
        """reqGlobalCancel: every living order of every client, untransmitted ones too."""
        elapse(self._core, now_ns)
        for order in [*self._core.live.values(), *self._core.untransmitted.values()]:
            if order.live and not order.cancelling:
                start_cancel(self._core, order)
        return self._settle()

    def restart(self, now_ns: int) -> None:
        """TWS restarts: untransmitted orders are lost without a word (C2 Bracket)."""
        elapse(self._core, now_ns)
        for key, order in self._core.untransmitted.items():
            del self._core.orders[key]
            if order.parent is not None:
                order.parent.children.remove(order)
        self._core.untransmitted.clear()

    def new_day(self, now_ns: int) -> Sequence[Event]:
        """A day begins (D: 20:30 ET): today's realised P&L is 0, all older than seven days is forgotten."""
        core = self._core
        elapse(core, now_ns)
        for ledger in core.ledgers.values():
            ledger.new_day()
        for book in core.books.values():
            book.close, book.volume = book.mark(), 0
        core.archive.forget(core.now - MEMORY_NS)
        return core.take()

    def refuse(self, con_id: int, reason: str | None) -> None:
        """A fault to play: reject new orders on this contract (201) for this reason, until None is given."""
        if reason is None:
            self._core.refusals.pop(con_id, None)
        else:
            self._core.refusals[con_id] = reason

    def hold_short(self, con_id: int, on: bool, now_ns: int) -> Sequence[Event]:
        """A fault to play: no shares to borrow. Orders that would sell short are held PreSubmitted with 404
        and whyHeld "locate", until shares are found (`on` False) (C3).
        """
        core = self._core
        elapse(core, now_ns)
        if on:
            core.unborrowable[con_id] = None
        elif core.unborrowable.pop(con_id, 1) is None:
            for order in list(core.live.values()):
                if order.book.con_id == con_id and order.held is Held.LOCATE:
                    release_held(core, order)
        return self._settle()

    def _settle(self) -> Sequence[Event]:
        settle(self._core)
        return self._core.take()

    # -- ids --------------------------------------------------------------------------------------

    def next_perm_id(self) -> int:
        """A permId for what is shown as an order and is none, such as an exercise that waits."""
        return self._core.next_perm_id()

    def next_order_id(self, client_id: int) -> int:
        """nextValidId of a client: above all that it ever used; outlives its sessions."""
        return self._core.highest.get(client_id, 0) + 1

    def note_seen(self, client_id: int, order_id: int) -> None:
        """The client saw this id through an open-order callback: it may not use it as new (103)."""
        if order_id > self._core.highest.get(client_id, 0):
            self._core.highest[client_id] = order_id

    def set_next_order_id(self, client_id: int, order_id: int) -> None:
        """Roll a client's ids back or forth: INCIDENTS.md 1, or "Reset API order ID sequence"."""
        self._core.highest[client_id] = order_id - 1

    def order_ids(self) -> dict[int, int]:
        """Next ids of all clients, to be given to a later exchange as `next_order_ids`."""
        return {client_id: highest + 1 for client_id, highest in self._core.highest.items()}

    # -- questions --------------------------------------------------------------------------------

    def open_orders(self, client_id: int | None = None) -> tuple[OrderView, ...]:
        """Living, transmitted orders of one client, or of all; oldest first."""
        living = self._core.live.values()
        wanted = (one for one in living if client_id is None or one.ticket.client_id == client_id)
        return tuple(self._core.view(one) for one in wanted)

    def completed_orders(self) -> tuple[CompletedOrder, ...]:
        """Orders that ended, in the order of their end."""
        return tuple(self._core.completed())

    def each_completed(self) -> Iterator[CompletedOrder]:
        """The same one by one, since there may be more than memory holds."""
        return self._core.completed()

    def executions(self, wanted: ExecutionFilter = ANY) -> tuple[ExecutionReport, ...]:
        """Executions that match, oldest first."""
        return tuple(self.each_execution(wanted))

    def each_execution(self, wanted: ExecutionFilter = ANY) -> Iterator[ExecutionReport]:
        """The same one by one: those known now, however long the reading takes."""
        rows = self._core.archive.executions(wanted.since_ns)
        gone = self._core.busted
        return (row for row in rows if row.executed.exec_id not in gone and self._wanted(row, wanted))

    def _wanted(self, report: ExecutionReport, wanted: ExecutionFilter) -> bool:
        row = report.executed
        contract = self._core.books[row.con_id].instrument.contract
        return (
            wanted.client_id in (0, row.client_id)
            and wanted.account in ("", row.account)
            and wanted.since_ns <= row.time_ns
            and (not wanted.spans or any(begin <= row.time_ns < end for begin, end in wanted.spans))
            and wanted.con_id in (0, row.con_id)
            and wanted.symbol in ("", contract.symbol)
            and wanted.sec_type in ("", contract.sec_type)
            and wanted.exchange in ("", "SMART", row.exchange)
            and wanted.side in ("", row.side, {"BOT": "BUY", "SLD": "SELL"}[row.side])
        )

    def legs(self, con_id: int) -> tuple[tuple[int, int], ...]:
        """Of a combo's (negative) con_id: con_id and signed ratio of each leg; () for anything else."""
        return legs_of(self._core, con_id)

    def accounts(self) -> tuple[str, ...]:
        return tuple(self._core.ledgers)

    def positions(self, account: str | None = None) -> tuple[PositionRow, ...]:
        """Positions of one account, or of all; closed ones stay with quantity 0."""
        ledgers = self._core.ledgers.values()
        return tuple(
            self._row(ledger, con_id, holding)
            for ledger in ledgers
            if account is None or ledger.account == account
            for con_id, holding in ledger.holdings.items()
        )

    def busy(self) -> frozenset[int]:
        """Whose quotes matter here: instruments with a living order, a watcher, a combo or a position."""
        core = self._core
        orders = (*core.live.values(), *core.untransmitted.values())
        watched = (con_id for con_id, book in core.books.items() if book.watchers or book.combos)
        held = (
            con_id
            for ledger in core.ledgers.values()
            for con_id, holding in ledger.holdings.items()
            if holding.quantity
        )
        return frozenset((*(order.book.con_id for order in orders), *watched, *held))

    def position(self, account: str, con_id: int) -> PositionRow | None:
        """One position; None where that account never held any."""
        ledger = self._core.ledgers.get(account)
        holding = None if ledger is None else ledger.holdings.get(con_id)
        return None if ledger is None or holding is None else self._row(ledger, con_id, holding)

    def _row(self, ledger: Ledger, con_id: int, holding: Holding) -> PositionRow:
        book = self._core.books[con_id]
        mark = book.mark()
        value = ledger.market_value(con_id, holding)
        open_profit = value - holding.cost
        return PositionRow(
            account=ledger.account, con_id=con_id, quantity=holding.quantity,
            average_cost=holding.average_cost(),
            market_price=holding.average_cost() if mark is None else book.instrument.price(mark),
            market_value=value, unrealized_pnl=open_profit, realized_pnl=holding.realized,
            daily_pnl=open_profit + holding.realized - holding.unrealized_before,
            rate=ledger.rate(book.instrument.contract.currency),
        )  # fmt: skip

    def account_values(self, account: str) -> tuple[AccountValue, ...]:
        """The rows of message 6, TWS's tags (D); () for an unknown account."""
        ledger = self._core.ledgers.get(account)
        return statement(ledger) if ledger is not None else ()
