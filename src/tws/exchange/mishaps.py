"""What goes wrong with single orders and executions at a broker, played on demand.

Each input does to the exchange what INCIDENTS.md or TWS-BEHAVIOUR.md tells of a real TWS, and returns
what TWS would say then; an order or execution that does not exist, or not in the state that the mishap
needs, is left alone and nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from tws.exchange.bells import elapse
from tws.exchange.core import NOTHING, Core, multiplier
from tws.exchange.events import AccountChanged, CompletedOrder, Event, ExecutionReport, PositionChanged
from tws.exchange.families import forget
from tws.exchange.intake import release_held
from tws.exchange.matching import book_fill, settle
from tws.exchange.working import Held, Stage, Working
from tws.model.order import BrokerStatus

__all__ = ["Mishaps"]

REMOVED = 2


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
        order = core.orders.get((client_id, order_id))
        if order is None or order.live or order.end_status == BrokerStatus.FILLED or not order.perm_id:
            return self._settle()
        lots = min(lots, order.remaining)
        price = _price_of(order)
        if lots <= 0 or price is None:
            return self._settle()
        report = book_fill(core, order, price, lots, REMOVED)
        core.out.append(report.executed)
        if not order.remaining:
            order.end_status = BrokerStatus.FILLED
        core.say_pair(order)
        core.out.append(report.commission)
        self._tell_books(order.ticket.account, order.book.con_id)
        self._restate(order)
        return self._settle()

    def bust(self, exec_id: str, now_ns: int) -> Sequence[Event]:
        """An execution is busted: the position and the money go back, and no answer names it any more.

        The order stays as it ended; TWS has no message that says so to the API (assumed).
        """
        core = self._core
        elapse(core, now_ns)
        report = self._take_report(exec_id)
        if report is not None:
            done, fee = report.executed, report.commission.amount
            shares = done.quantity if done.side == "BOT" else -done.quantity
            value = done.price * shares * multiplier(core.books[done.con_id])
            core.ledgers[done.account].fill(done.con_id, -shares, -value, -fee)
            self._tell_books(done.account, done.con_id)
        return self._settle()

    def correct(self, exec_id: str, price: Decimal, now_ns: int) -> Sequence[Event]:
        """An execution's price is corrected: 11 and 59 come again, the execId's last part one higher (C4)."""
        core = self._core
        elapse(core, now_ns)
        report = self._take_report(exec_id)
        if report is not None:
            done = report.executed
            head, _, last = exec_id.rpartition(".")
            shares = done.quantity if done.side == "BOT" else -done.quantity
            difference = (price - done.price) * shares * multiplier(core.books[done.con_id])
            core.ledgers[done.account].correct(done.con_id, difference)
            number = f"{head}.{int(last) + 1:02d}"
            executed = replace(done, exec_id=number, price=price, time_ns=core.now)
            commission = replace(report.commission, exec_id=number)
            core.reports.append(ExecutionReport(executed=executed, commission=commission))
            core.out.extend((executed, commission))
            self._tell_books(done.account, done.con_id)
        return self._settle()

    # -- what they share --------------------------------------------------------------------------

    def _settle(self) -> Sequence[Event]:
        settle(self._core)
        return self._core.take() if self._core.out else NOTHING

    def _take_report(self, exec_id: str) -> ExecutionReport | None:
        reports = self._core.reports
        for at, report in enumerate(reports):
            if report.executed.exec_id == exec_id:
                return reports.pop(at)
        return None

    def _restate(self, order: Working) -> None:
        """The completed order says what became of it in the end."""
        rows = self._core.completed
        for at, row in enumerate(rows):
            if row.order.perm_id == order.perm_id:
                size = order.book.instrument.quantity(order.filled)
                text = row.completed_status if order.remaining else f"Filled Size: {size}"
                rows[at] = CompletedOrder(
                    order=order.view(), completed_ns=self._core.now, completed_status=text
                )

    def _tell_books(self, account: str, con_id: int) -> None:
        holding = self._core.ledgers[account].holdings[con_id]
        self._core.out.append(PositionChanged(
            account=account, con_id=con_id, quantity=holding.quantity, average_cost=holding.average_cost(),
        ))  # fmt: skip
        self._core.out.append(AccountChanged(account))


def _price_of(order: Working) -> int | None:
    """Where a late fill trades, in ticks."""
    book = order.book
    if order.sign > 0 and book.ask_left:
        return book.ask
    if order.sign < 0 and book.bid_left:
        return book.bid
    mark = book.mark()
    return mark if mark is not None else order.limit or None
