"""What goes wrong with single orders and executions at a broker, played on demand.

Each input does to the exchange what INCIDENTS.md or TWS-BEHAVIOUR.md tells of a real TWS, and returns
what TWS would say then; an order or execution that does not exist, or not in the state that the mishap
needs, is left alone and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from tws.exchange.activation import settle
from tws.exchange.bells import elapse
from tws.exchange.core import Core
from tws.exchange.events import CompletedOrder, Event, Executed, ExecutionReport
from tws.exchange.families import forget
from tws.exchange.matching import book_fill, tell_books
from tws.exchange.transmission import release_held
from tws.exchange.working import Held, Stage, Working
from tws.model.order import BrokerStatus

__all__ = ["Mishaps"]

REMOVED = 2
ZERO = Decimal(0)


class Mishaps:
    """The inputs, reached as `exchange.mishaps`. Prices in currency, sizes in lots, instants in ns UTC."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def hold(self, client_id: int, order_id: int, now_ns: int) -> Sequence[Event]:
        """A dialog of TWS holds the order until `release`: INCIDENTS.md 9.

        Named before it is placed, the order gets no callback at all. A living one stops working and
        says PreSubmitted.
        """
        core = self._core
        elapse(core, now_ns)
        core.popups[client_id, order_id] = None
        order = core.orders.get((client_id, order_id))
        if order is not None and order.live and order.stage is not Stage.UNTRANSMITTED:
            order.held = Held.DIALOG
            core.ready.append(order)
        return self._settle()

    def release(self, client_id: int, order_id: int, now_ns: int) -> Sequence[Event]:
        """The dialog is answered with yes: the order goes its way."""
        core = self._core
        elapse(core, now_ns)
        if (client_id, order_id) in core.popups:
            del core.popups[client_id, order_id]
            order = core.orders.get((client_id, order_id))
            if order is not None and order.live:
                release_held(core, order)
        return self._settle()

    def lose(self, client_id: int, order_id: int, now_ns: int) -> None:
        """The order vanishes without a word, as half a bracket does (INCIDENTS.md 14): nobody is told, its
        children wait for ever, a cancel finds nothing (10147).
        """
        core = self._core
        elapse(core, now_ns)
        order = core.orders.get((client_id, order_id))
        if order is not None and order.live:
            del core.orders[client_id, order_id]
            forget(core, order)

    def drift_modify(self, client_id: int, order_id: int) -> None:
        """The next change of this order becomes a second living order with a permId of its own, while the
        first works on under its old permId and can no longer be reached by its id (INCIDENTS.md 3).
        """
        self._core.drifting[client_id, order_id] = None

    def late_fill(self, client_id: int, order_id: int, lots: int, now_ns: int) -> Sequence[Event]:
        """An order that was said to be Cancelled gets an execution (C2: fill after Cancelled).

        At the opposite quote, else the mark, else its limit; at most what was left of it. Said: 11, 5+3
        (Filled when that was all, else Cancelled with the fill), 59.
        """
        core = self._core
        elapse(core, now_ns)
        done = core.archive.order(client_id, order_id)
        if done is None or done.order.status != BrokerStatus.CANCELLED or not done.order.perm_id:
            return self._settle()
        order = self._revive(done)
        lots, price = min(lots, order.remaining), _price_of(order)
        if lots <= 0 or price is None:
            return self._settle()
        report = book_fill(core, order, price, lots, REMOVED)
        core.out.append(report.executed)
        order.end_status = BrokerStatus.CANCELLED if order.remaining else BrokerStatus.FILLED
        core.say_pair(order)
        core.out.append(report.commission)
        tell_books(core, order.ticket.account, order.book)
        size = order.book.instrument.quantity(order.filled)
        text = done.completed_status if order.remaining else f"Filled Size: {size}"
        core.amend(CompletedOrder(order=order.view(), completed_ns=core.now, completed_status=text))
        return self._settle()

    def bust(self, exec_id: str, now_ns: int) -> Sequence[Event]:
        """An execution is busted: the position and the money go back, and no answer names it any more.

        The order stays as it ended; TWS has no message that says so to the API (assumed).
        """
        core = self._core
        elapse(core, now_ns)
        report = self._find(exec_id)
        if report is not None:
            core.busted[exec_id] = None
            if not self._restate(report.executed, _signed(report.executed), report.commission.amount):
                self._book(report.executed, -1, report.executed.price, -report.commission.amount)
        return self._settle()

    def correct(self, exec_id: str, price: Decimal, now_ns: int) -> Sequence[Event]:
        """An execution's price is corrected: 11 and 59 come again, the execId's last part one higher (C4)."""
        core = self._core
        elapse(core, now_ns)
        report = self._find(exec_id)
        if report is not None:
            done = report.executed
            core.busted[exec_id] = None
            head, _, last = exec_id.rpartition(".")
            number = f"{head}.{int(last) + 1:02d}"
            executed = replace(done, exec_id=number, price=price, time_ns=core.now)
            commission = replace(report.commission, exec_id=number)
            core.archive.add_execution(ExecutionReport(executed=executed, commission=commission))
            core.out.extend((executed, commission))
            if not self._restate(done, ZERO, ZERO):
                self._book(done, -1, done.price, ZERO)
                self._book(done, 1, price, ZERO)
        return self._settle()

    # -- what they share --------------------------------------------------------------------------

    def _settle(self) -> Sequence[Event]:
        settle(self._core)
        return self._core.take()

    def _find(self, exec_id: str) -> ExecutionReport | None:
        """The execution of this id that still counts."""
        rows = self._core.archive.executions()
        found = (row for row in rows if row.executed.exec_id == exec_id)
        return None if exec_id in self._core.busted else next(found, None)

    def _restate(self, done: Executed, gone: Decimal, fee: Decimal) -> bool:
        """The holding anew, as if every execution had been right at once (assumed to be what TWS does):
        `gone` shares and their `fee` are no more.

        False, and nothing moves, when something else than executions has moved the holding, or the archive
        no longer knows all of them: then the execution is booked back at the holding's present cost.
        """
        core, ledger = self._core, self._core.ledgers[done.account]
        heads: dict[str, ExecutionReport | None] = {}
        for row in core.archive.executions():
            if (row.executed.account, row.executed.con_id) != (done.account, done.con_id):
                continue
            head, valid = row.executed.exec_id.rpartition(".")[0], row.executed.exec_id not in core.busted
            heads[head] = row if valid else heads.get(head)  # it keeps the place of its first version
        right = [row for row in heads.values() if row is not None]
        times = core.books[done.con_id].multiplier
        fills = [(_signed(row.executed), row.executed.price * _signed(row.executed) * times,
                  row.commission.amount) for row in right]
        if not ledger.restate(done.con_id, fills, gone, fee):
            return False
        tell_books(core, done.account, core.books[done.con_id])
        return True

    def _book(self, done: Executed, sign: int, price: Decimal, fee: Decimal) -> None:
        """Book an execution once more, or back (`sign` -1), at a price."""
        core, book = self._core, self._core.books[done.con_id]
        shares = sign * _signed(done)
        core.ledgers[done.account].fill(done.con_id, shares, price * shares * book.multiplier, fee)
        tell_books(core, done.account, book)

    def _revive(self, done: CompletedOrder) -> Working:
        """An order of the archive as it ended."""
        view, book = done.order, self._core.books[done.order.con_id]
        order = Working(view.ticket, book, book.instrument.lots(view.total))
        order.perm_id, order.stage, order.end_status = view.perm_id, Stage.DONE, view.status
        order.filled = order.consumed = book.instrument.lots(view.filled)
        order.cost_ticks = round(view.average_price / book.instrument.tick * order.filled)
        own = (view.perm_id, view.ticket.account)  # without the parts of an advisor's clients
        rows = self._core.archive.executions()
        mine = (row for row in rows if (row.executed.perm_id, row.executed.account) == own)
        order.fee_charged = sum((row.commission.amount for row in mine), ZERO)
        return order


def _signed(done: Executed) -> Decimal:
    return done.quantity if done.side == "BOT" else -done.quantity


def _price_of(order: Working) -> int | None:
    """Where a late fill trades, in ticks."""
    book = order.book
    if order.sign > 0 and book.ask_left:
        return book.ask
    if order.sign < 0 and book.bid_left:
        return book.bid
    mark = book.mark()
    return mark if mark is not None else order.limit or None
