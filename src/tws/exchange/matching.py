"""Where orders meet the market: activation, triggers, fills.

Orders never meet each other, only the quote: a buy fills at the ask, a sell at the bid, up to the
displayed size, which all orders share by price and time until the next quote refreshes it. A
limit order whose limit the quote crosses fills at the quote, which is the better of the two.
"""

from __future__ import annotations

from tws.clock import to_datetime
from tws.exchange.book import NEVER, Book, Ladder
from tws.exchange.core import Core, multiplier
from tws.exchange.events import AccountChanged, CommissionCharged, Executed, ExecutionReport, PositionChanged
from tws.exchange.families import after_fill, awaits_parent, cancel_now, close_books, workable
from tws.exchange.fees import due
from tws.exchange.working import Stage, Working, average
from tws.model.order import BrokerStatus

__all__ = ["on_quote", "on_trade", "settle"]

ADDED, REMOVED = 1, 2


def settle(core: Core) -> None:
    """Look at every order that something happened to, until nothing more follows."""
    while core.ready:
        order = core.ready.popleft()
        if order.live:
            _activate(core, order)


def on_quote(core: Core, book: Book) -> None:
    """The quote reaches somebody: it triggers stops, then fills."""
    _spring(core, book, book.stops[True, True], book.bid)
    _spring(core, book, book.stops[True, False], -book.ask)
    _match(core, book)
    settle(core)
    book.refresh()


def on_trade(core: Core, book: Book) -> None:
    """The last price reaches a stop."""
    assert book.last is not None
    _spring(core, book, book.stops[False, True], book.last)
    _spring(core, book, book.stops[False, False], -book.last)
    settle(core)
    book.refresh()


def _spring(core: Core, book: Book, ladder: Ladder, reached: int) -> None:
    """Trigger every stop at or before the price reached, nearest first."""
    top = ladder.top()
    while top is not None and top[0] <= reached:
        _trigger(core, top[1])
        top = ladder.top()


def _trigger(core: Core, order: Working) -> None:
    if awaits_parent(core, order):  # its parent's part is spent: nothing stands at the exchange
        order.move(Stage.AWAITS_PARENT)
        return
    order.triggered = True
    order.move(Stage.WORKING)
    core.say_if_changed(order)
    core.ready.append(order)


# -- activation ---------------------------------------------------------------------------------


def _activate(core: Core, order: Working) -> None:
    """Put a living, transmitted order where it belongs now, and fill what can be filled."""
    book = order.book
    if awaits_parent(core, order):
        if order.stage is not Stage.AWAITS_PARENT:
            order.move(Stage.AWAITS_PARENT)
        return
    if not book.admits(book.phase, order.ticket.outside_rth):
        _to_bed(core, order)
        return
    if order.is_stop and not order.triggered:
        if not book.triggered(order):
            order.move(Stage.ARMED)
            book.arm(order)
            core.say_if_changed(order)
            return
        order.triggered = True
        order.move(Stage.WORKING)
        core.say_if_changed(order)
    else:
        order.move(Stage.WORKING)
    book.enqueue(order)
    _match(core, book, order)
    if order.live and order.is_ioc and not order.cancelling:
        cancel_now(core, order)
    elif order.live:
        core.say_if_changed(order)


def _to_bed(core: Core, order: Working) -> None:
    """Outside the hours: held PreSubmitted, with 399 once (C2)."""
    order.move(Stage.AWAITS_OPEN)
    if order.warned:
        return
    order.warned = True
    core.say_if_changed(order)
    opens = order.book.next_phase(core.now, order.ticket.outside_rth)
    when = f"{to_datetime(opens):%Y-%m-%d %H:%M:%S} UTC" if opens < NEVER else "the next session"
    contract, ticket = order.book.instrument.contract, order.ticket
    where = contract.primary_exchange or contract.exchange
    core.notify(
        order, 399, f"Order Message:\n{ticket.side} {ticket.quantity} {contract.symbol} {where}\n"
        f"Warning: your order will not be placed at the exchange until {when}",
    )  # fmt: skip


# -- fills --------------------------------------------------------------------------------------


def _match(core: Core, book: Book, arriving: Working | None = None) -> None:
    """Fill from the top of both ladders while the quote crosses and displayed size is left."""
    while book.ask_left and (top := book.buys.top()) is not None and -top[0] >= book.ask:
        book.ask_left -= _take(core, top[1], book.ask, book.ask_left, arriving)
    while book.bid_left and (top := book.sells.top()) is not None and top[0] <= book.bid:
        book.bid_left -= _take(core, top[1], book.bid, book.bid_left, arriving)


def _take(core: Core, order: Working, price: int, displayed: int, arriving: Working | None) -> int:
    """Let the foremost order take what it may; one that may take nothing leaves the queue. Returns lots."""
    lots = min(workable(core, order), displayed)
    if lots <= 0:
        order.move(Stage.AWAITS_PARENT)
        return 0
    liquidity = ADDED if order.is_limit and order is not arriving else REMOVED
    _fill(core, order, _book_fill(core, order, price, lots, liquidity))
    after_fill(core, order, lots)
    return lots


def _fill(core: Core, order: Working, report: ExecutionReport) -> None:
    """Say one execution: 11, then 5+3 (twice when Filled), then 59 (C2)."""
    core.out.append(report.executed)
    if order.remaining:
        core.say_pair(order)
    else:
        order.end_status = BrokerStatus.FILLED
        order.move(Stage.DONE)
        core.say_pair(order)
        if core.habits.duplicate_filled:
            core.say_pair(order)
    core.out.append(report.commission)
    _tell_books(core, order)
    if not order.remaining:
        close_books(core, order, f"Filled Size: {order.book.instrument.quantity(order.filled)}")


def _book_fill(core: Core, order: Working, price: int, lots: int, liquidity: int) -> ExecutionReport:
    """The order grows, money moves, the execution is kept."""
    order.filled += lots
    order.consumed += lots
    order.cost_ticks += price * lots
    order.last_ticks = price
    book, ticket = order.book, order.ticket
    instrument, contract = book.instrument, book.instrument.contract
    shares = instrument.quantity(lots)
    times = multiplier(book)
    traded = instrument.tick * order.cost_ticks * instrument.lot * times
    owed = due(core.fees, instrument.quantity(order.filled), traded)
    fee, order.fee_charged = owed - order.fee_charged, owed
    signed = shares * order.sign
    value = instrument.price(price) * signed * times
    profit = core.ledgers[ticket.account].fill(book.con_id, signed, value, fee)
    executed = Executed(
        exec_id=core.next_exec_id(), client_id=ticket.client_id, order_id=ticket.order_id,
        perm_id=order.perm_id, account=ticket.account, con_id=book.con_id,
        side="BOT" if order.sign > 0 else "SLD", quantity=shares,
        price=instrument.price(price), time_ns=core.now, cumulative=instrument.quantity(order.filled),
        average_price=average(order.cost_ticks, order.filled, instrument.tick), order_ref=ticket.order_ref,
        exchange=contract.primary_exchange or contract.exchange, liquidity=liquidity,
    )  # fmt: skip
    charged = CommissionCharged(
        exec_id=executed.exec_id, client_id=ticket.client_id, account=ticket.account, amount=fee,
        currency=contract.currency, realized_pnl=profit,
    )  # fmt: skip
    report = ExecutionReport(executed=executed, commission=charged)
    core.reports.append(report)
    return report


def _tell_books(core: Core, order: Working) -> None:
    ledger, book = core.ledgers[order.ticket.account], order.book
    holding = ledger.holdings[book.con_id]
    core.out.append(PositionChanged(
        account=ledger.account, con_id=book.con_id, quantity=holding.quantity,
        average_cost=holding.average_cost(),
    ))  # fmt: skip
    core.out.append(AccountChanged(ledger.account))
