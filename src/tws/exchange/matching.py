"""Where working orders meet the quote: fills, and what is booked and said of each.

Orders never meet each other, only the quote: a buy fills at the ask, a sell at the bid, up to the
displayed size, which all orders share by price and time until the next quote refreshes it. A
limit order whose limit the quote crosses fills at the quote, which is the better of the two.

An order that wants at least so much at once (all or none, fill or kill, a minimum), or a price of its own for
each leg of a combo, stands in no queue: it takes what is left of a quote after all others, if that is enough.
"""

from __future__ import annotations

from tws.exchange.book import Book
from tws.exchange.combos import fill_legs, legs_within, tell_legs
from tws.exchange.core import Core
from tws.exchange.events import AccountChanged, CommissionCharged, Executed, ExecutionReport, PositionChanged
from tws.exchange.families import after_fill, close_books, workable
from tws.exchange.legging import trade_legs
from tws.exchange.working import Stage, Working, average
from tws.model.order import BrokerStatus

__all__ = ["book_fill", "match", "take_whole", "tell_books", "trade_at"]

ADDED, REMOVED = 1, 2


def match(core: Core, book: Book, arriving: Working | None = None) -> None:
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
    portion = order.portion
    if portion is not None:
        lots = portion.part(order, lots, order is arriving)
        if lots <= 0:
            order.version += 1
            return 0
    liquidity = ADDED if order.is_limit and order is not arriving else REMOVED
    trade_at(core, order, price, lots, liquidity)
    return lots


def take_whole(core: Core, order: Working) -> None:
    """Let an order that wants so much at once have it, if the quote still shows enough at its price; and legs
    that fill apart what they may.
    """
    if order.apart:
        _take_apart(core, order)
        return
    book = order.book
    price, left = (book.ask, book.ask_left) if order.sign > 0 else (book.bid, book.bid_left)
    lots = min(workable(core, order), left)
    if lots < order.least or (order.is_limit and (order.worst - price) * order.sign < 0):
        return
    if order.leg_limits and not legs_within(order):
        return
    if order.sign > 0:
        book.ask_left -= lots
    else:
        book.bid_left -= lots
    trade_at(core, order, price, lots, REMOVED)
    if order.live and order.least <= 1:
        core.ready.append(order)  # its minimum is had: the rest works as any other


def _take_apart(core: Core, order: Working) -> None:
    reports, units = trade_legs(core, order, workable(core, order), REMOVED)
    if reports:
        _fill(core, order, reports)
        if units:
            after_fill(core, order, units)
        core.fills.append(order)


def trade_at(core: Core, order: Working, price: int, lots: int, liquidity: int = REMOVED) -> None:
    """Fill so many lots at a price, tell it, and let its family and those who wait for a fill know."""
    if order.book.legs:
        _fill(core, order, fill_legs(core, order, price, lots, liquidity))
    else:
        _fill(core, order, [book_fill(core, order, price, lots, liquidity)])
    if order.portion is not None:
        order.portion.filled(core, order, lots)
    after_fill(core, order, lots)
    core.fills.append(order)


def _fill(core: Core, order: Working, reports: list[ExecutionReport]) -> None:
    """Say one execution, or a combo's and its legs': 11, then 5+3 (twice when Filled), then 59 (C2)."""
    core.out += [report.executed for report in reports]
    view = None
    if order.remaining:
        core.say_pair(order)
    elif order.hedge is not None and order.parent is not None and order.parent.live:
        order.move(Stage.AWAITS_PARENT)  # until that fills more
        core.say_pair(order)
    else:
        order.end_status = BrokerStatus.FILLED
        order.move(Stage.DONE)
        view = core.say_pair(order)
        if core.habits.duplicate_filled:
            core.out += core.out[-2:]
    core.out += [report.commission for report in reports if report.commission.currency]
    if order.book.legs:
        tell_legs(core, order)
    else:
        tell_books(core, order.ticket.account, order.book)
    if view is not None:
        close_books(core, order, view, f"Filled Size: {order.book.instrument.quantity(order.filled)}")


def book_fill(core: Core, order: Working, price: int, lots: int, liquidity: int) -> ExecutionReport:
    """The order grows, money moves, the execution is kept."""
    order.filled += lots
    order.consumed += lots
    order.cost_ticks += price * lots
    order.last_ticks = price
    book, ticket = order.book, order.ticket
    instrument, contract = book.instrument, book.instrument.contract
    shares = instrument.quantity(lots)
    times = book.multiplier
    traded = abs(instrument.tick * order.cost_ticks * instrument.lot * times)
    owed = max(core.owed(book, instrument.quantity(order.filled), traded), order.fee_charged)
    fee, order.fee_charged = owed - order.fee_charged, owed
    signed = shares * order.sign
    value = instrument.price(price) * signed * times
    profit = core.ledgers[ticket.account].fill(book.con_id, signed, value, fee)
    executed = Executed(
        exec_id=core.next_exec_id(), client_id=ticket.client_id, order_id=order.said_id,
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
    core.archive.add_execution(report)
    return report


def tell_books(core: Core, account: str, book: Book) -> None:
    """A position moved, and the account with it."""
    ledger = core.ledgers[account]
    holding = ledger.holdings[book.con_id]
    core.out.append(PositionChanged(
        account=ledger.account, con_id=book.con_id, quantity=holding.quantity,
        average_cost=holding.average_cost(),
    ))  # fmt: skip
    core.out.append(AccountChanged(ledger.account))
