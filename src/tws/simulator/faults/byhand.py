"""What others do to the account: a human at TWS itself, and the broker's back office.

The human is `exchange.by_hand`, the back office `exchange.corporate`. TWS-BEHAVIOUR.md C4, D; pains 16 and 18
of INCIDENTS.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from tws.errors import ConfigError
from tws.exchange import OrderTicket, OrderView
from tws.model.order import Side
from tws.simulator.faults.base import Effect, Fault, Span, fault

if TYPE_CHECKING:
    from tws.simulator.faults.engine import Faults

__all__: list[str] = []


def _account(faults: Faults, wanted: str) -> str:
    accounts = faults.core.options.accounts
    if wanted and wanted not in accounts:
        raise ConfigError("account", wanted, "is unknown here", f"Use one of {', '.join(accounts)}")
    return wanted or accounts[0]


def _price(value: float) -> Decimal | None:
    return Decimal(repr(float(value))) if value else None


@fault("manual-order", "official (C4)", 1)
class ManualOrder(Fault, frozen=True, kw_only=True):
    """A human places an order in TWS itself: client 0 hears of it, executions name order 2147483647.

    symbol, side, quantity  what is bought or sold
    price                   the limit; 0 is a market order
    account                 "" is the first
    """

    symbol: str = "SPY"
    side: Literal["BUY", "SELL"] = "BUY"
    quantity: int = 100
    price: float = 0.0
    account: str = ""

    def begin(self, faults: Faults) -> None:
        core = faults.core
        security = core.universe.get(faults.con_ids(self.symbol)[0])
        assert security is not None
        core.listed(security)
        ticket = OrderTicket(
            client_id=0,
            order_id=0,
            account=_account(faults, self.account),
            con_id=security.con_id,
            side=Side(self.side),
            quantity=Decimal(self.quantity),
            order_type="LMT" if self.price else "MKT",
            limit_price=_price(self.price),
        )
        core.tell(core.exchange.by_hand.place(ticket, core.now_ns()))


def _living(faults: Faults, client: int | None, order: int) -> OrderView | None:
    """The newest living order that fits."""
    living = [one for one in faults.core.exchange.open_orders(client) if order in (0, one.order_id)]
    return living[-1] if living else None


@fault("manual-cancel", "official that it can be done (C4)")
class ManualCancel(Fault, frozen=True, kw_only=True):
    """A human cancels an order of a client in TWS itself: it is told as any other cancel.

    client  whose order; without one, anybody's
    order   its order id; 0 is the newest
    """

    client: int | None = None
    order: int = 0

    def begin(self, faults: Faults) -> None:
        core, found = faults.core, _living(faults, self.client, self.order)
        if found is not None:
            core.tell(core.exchange.by_hand.cancel(found.perm_id, core.now_ns()))


@fault("manual-change", "official that it can be done (C4)")
class ManualChange(Fault, frozen=True, kw_only=True):
    """A human changes an order of a client in TWS itself: openOrder tells the new terms, unasked.

    client    whose order; without one, anybody's
    order     its order id; 0 is the newest
    price     the new limit; 0 is as it was
    quantity  the new size; 0 is as it was
    """

    client: int | None = None
    order: int = 0
    price: float = 0.0
    quantity: int = 0

    def begin(self, faults: Faults) -> None:
        core, found = faults.core, _living(faults, self.client, self.order)
        if found is not None:
            ticket = replace(
                found.ticket,
                limit_price=_price(self.price) or found.ticket.limit_price,
                quantity=Decimal(self.quantity) if self.quantity else found.ticket.quantity,
            )
            core.tell(core.exchange.by_hand.change(found.perm_id, ticket, core.now_ns()))


@fault("split", "official (D: positions change, GTC orders are cancelled); no execution is assumed")
class Split(Fault, frozen=True, kw_only=True):
    """A share split: positions change without an execution, living orders end, the quote is divided.

    An invented or replayed market goes on at its old price with its next update: quote by hand afterwards.

    symbol  which
    ratio   new shares for each old one; below 1 it is a reverse split
    """

    symbol: str = "SPY"
    ratio: float = 2.0

    def begin(self, faults: Faults) -> None:
        core = faults.core
        con_id = faults.con_ids(self.symbol)[0]
        tape = core.tapes[con_id]
        core.tell(core.exchange.corporate.split(con_id, Decimal(repr(self.ratio)), core.now_ns()))
        if faults.actions is not None and tape.bid_size and tape.ask_size:
            bid, ask = tape.grid.price(tape.bid) / self.ratio, tape.grid.price(tape.ask) / self.ratio
            faults.actions.quote(con_id, bid=bid, ask=ask, bid_size=tape.bid_size, ask_size=tape.ask_size)


@fault("assignment", "official that it happens; that no execution tells it is assumed")
class Assignment(Fault, frozen=True, kw_only=True):
    """An option position becomes shares at its strike: assigned when short, exercised when long.

    con_id     the option; 0 is the first that the account holds
    contracts  how many, at most those held
    account    "" is the first
    """

    con_id: int = 0
    contracts: int = 1
    account: str = ""

    def begin(self, faults: Faults) -> None:
        core, account = faults.core, _account(faults, self.account)
        for row in core.exchange.positions(account):
            security = core.security(row.con_id)
            if self.con_id in (0, row.con_id) and security.sec_type == "OPT" and row.quantity:
                under = core.security(security.under_con_id)
                core.listed(under)
                events = core.exchange.corporate.exercise(
                    account, row.con_id, Decimal(self.contracts), under.con_id, core.now_ns()
                )
                core.tell(events)
                return


@fault("transfer", "official that it happens (D); no cash moves")
class Transfer(Fault, frozen=True, kw_only=True):
    """Shares come from another broker, or go there: a position without an execution.

    symbol   which
    shares   how many; negative ones leave
    price    what each did cost
    account  "" is the first
    """

    symbol: str = "SPY"
    shares: int = 100
    price: float = 100.0
    account: str = ""

    def begin(self, faults: Faults) -> None:
        core = faults.core
        con_id = faults.con_ids(self.symbol)[0]
        price = Decimal(repr(float(self.price)))
        account, shares = _account(faults, self.account), Decimal(self.shares)
        core.tell(core.exchange.corporate.transfer(account, con_id, shares, price, core.now_ns()))


@fault("deposit", "official that it happens (D)")
class Deposit(Fault, frozen=True, kw_only=True):
    """Cash comes to the account, or leaves it (negative).

    amount, currency  how much of what
    account           "" is the first
    """

    amount: float = 10_000.0
    currency: str = "USD"
    account: str = ""

    def begin(self, faults: Faults) -> None:
        core, account = faults.core, _account(faults, self.account)
        amount = Decimal(repr(float(self.amount)))
        core.tell(core.exchange.corporate.deposit(account, self.currency, amount, core.now_ns()))


@fault("exercise-rejected", "recorded: a paper Gateway's 322, Cancelled and 202")
class ExerciseRejected(Fault, frozen=True, kw_only=True):
    """IB's server rejects the exercises and lapses that wait for the clearing."""

    def begin(self, faults: Faults) -> None:
        faults.core.desk.exercises.cancel_all()


@fault("read-only", "official: a box on TWS's page of API settings (H)")
class ReadOnly(Fault, frozen=True, kw_only=True):
    """A human ticks "Read-Only API" while programs are connected: orders are refused with 321 from then on.

    lasts  "" is until cleared: then the box is as it was
    """

    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _ReadOnly(faults)


class _ReadOnly(Effect):
    def __init__(self, faults: Faults) -> None:
        self._settings = faults.core.desk.settings
        self._before = faults.core.options.read_only
        self._settings.tick(read_only_api=True)

    def end(self) -> None:
        self._settings.tick(read_only_api=self._before)
