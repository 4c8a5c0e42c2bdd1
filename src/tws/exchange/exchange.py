"""The exchange's face: inputs in, events out.

Deterministic and sans-I/O: time comes with every input and never runs back. `quote` and `trade`
are the hot inputs, in integer ticks and lots; a quote that reaches no order costs a few integer
comparisons. The parts behind: `intake` (tickets), `matching` (fills), `families` (brackets, OCA),
`bells` (time), `ledger` (money), over one shared `Core`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tws.errors import ConfigError
from tws.exchange.bells import elapse, set_wake
from tws.exchange.book import FAR, NEVER, Book
from tws.exchange.core import NOTHING, Core
from tws.exchange.events import CompletedOrder, Event, ExecutionReport, OrderView, PositionRow
from tws.exchange.intake import cancel, place, start_cancel
from tws.exchange.ledger import Holding, Ledger
from tws.exchange.matching import on_quote, on_trade, settle
from tws.exchange.terms import (
    AccountSetup,
    ExecutionFilter,
    FeeSchedule,
    Habits,
    Listing,
    MarginModel,
    OrderTicket,
)
from tws.model.account import AccountValue

__all__ = ["Exchange"]

ANY = ExecutionFilter()
HABITS = Habits()
FEES = FeeSchedule()
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
        fees: FeeSchedule = FEES,
        margin: MarginModel = MARGIN,
        next_order_ids: Mapping[int, int] | None = None,
        run: int = 1,
        now_ns: int = 0,
    ) -> None:
        """`next_order_ids` restores ids per client; `run` (0..65535) keeps two runs' exec and perm ids apart.

        Raises ConfigError for no account, a doubled con_id, or an instrument in another currency
        than the accounts'.
        """
        core = self._core = Core(habits, fees, margin, run & 0xFFFF)
        core.begin(now_ns)
        for setup in accounts:
            core.open_account(setup)
        if not core.ledgers:
            raise ConfigError("accounts", (), "an exchange needs an account", "Give an AccountSetup.")
        for client_id, order_id in (next_order_ids or {}).items():
            core.highest[client_id] = order_id - 1
        for listing in listings:
            self.add(listing)

    def add(self, listing: Listing) -> None:
        """Add an instrument. Raises ConfigError as the constructor does."""
        contract = listing.instrument.contract
        if contract.con_id <= 0 or contract.con_id in self._core.books:
            raise ConfigError("con_id", contract.con_id, "is 0 or listed twice", "Give each its own.")
        currencies = {ledger.currency for ledger in self._core.ledgers.values()}
        if currencies != {contract.currency}:
            raise ConfigError("currency", contract.currency, "differs from the accounts'", "Use one for all.")
        self._core.books[contract.con_id] = Book(listing, self._core.now)
        set_wake(self._core)

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
        if price >= book.rises_at_last or price <= book.falls_at_last:
            on_trade(core, book)
        return core.take() if core.out else NOTHING

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
        oldest = core.now - MEMORY_NS
        core.reports = [report for report in core.reports if report.executed.time_ns >= oldest]
        core.completed = [done for done in core.completed if done.completed_ns >= oldest]
        remembered = {(done.order.client_id, done.order.order_id) for done in core.completed}
        core.orders = {key: order for key, order in core.orders.items() if order.live or key in remembered}
        return core.take()

    def refuse(self, con_id: int, reason: str | None) -> None:
        """A fault to play: reject new orders on this contract (201) for this reason, until None is given."""
        if reason is None:
            self._core.refusals.pop(con_id, None)
        else:
            self._core.refusals[con_id] = reason

    def _settle(self) -> Sequence[Event]:
        settle(self._core)
        if self._core.pending_cancels:
            self._core.wake = min(self._core.wake, self._core.pending_cancels[0][0])
        return self._core.take()

    # -- ids --------------------------------------------------------------------------------------

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
        return tuple(self._core.completed)

    def executions(self, wanted: ExecutionFilter = ANY) -> tuple[ExecutionReport, ...]:
        """Executions that match, oldest first."""
        return tuple(report for report in self._core.reports if self._wanted(report, wanted))

    def _wanted(self, report: ExecutionReport, wanted: ExecutionFilter) -> bool:
        row = report.executed
        contract = self._core.books[row.con_id].instrument.contract
        return (
            wanted.client_id in (0, row.client_id)
            and wanted.account in ("", row.account)
            and wanted.since_ns <= row.time_ns
            and wanted.con_id in (0, row.con_id)
            and wanted.symbol in ("", contract.symbol)
            and wanted.side in ("", row.side, {"BOT": "BUY", "SLD": "SELL"}[row.side])
        )

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

    def _row(self, ledger: Ledger, con_id: int, holding: Holding) -> PositionRow:
        book = self._core.books[con_id]
        mark = book.mark()
        value = ledger.market_value(con_id, holding)
        return PositionRow(
            account=ledger.account, con_id=con_id, quantity=holding.quantity,
            average_cost=holding.average_cost(),
            market_price=holding.average_cost() if mark is None else book.instrument.price(mark),
            market_value=value, unrealized_pnl=value - holding.cost, realized_pnl=holding.realized,
        )  # fmt: skip

    def account_values(self, account: str) -> tuple[AccountValue, ...]:
        """The rows of message 6, TWS's tags (D); () for an unknown account."""
        ledger = self._core.ledgers.get(account)
        return ledger.values() if ledger is not None else ()
