"""Conditions that hold an order back, or that cancel it: when they are met, and what must be watched.

Conditions are read from left to right, "and" and "or" alike (assumed); all that the chain names must hold
at one moment. Time and execution conditions stay met once they are. Regular hours count for the
order's own instrument: outside of them nothing is met, unless `conditions_ignore_rth`.
"""

from __future__ import annotations

from decimal import Decimal

from tws.exchange.book import Book, Phase
from tws.exchange.core import Core
from tws.exchange.terms import Condition, ConditionKind
from tws.exchange.triggers import counted, method_of, reached, watch
from tws.exchange.working import Working

__all__ = ["look", "met", "note_fills", "pending", "watch_conditions"]

HUNDRED = Decimal(100)
ANYWHERE = ("", "SMART")


def pending(order: Working) -> bool:
    """Whether an order has conditions that were not met yet."""
    return bool(order.ticket.conditions) and not order.released


def watch_conditions(core: Core, order: Working) -> None:
    """See to it that whatever may meet the conditions is looked at: quotes, trades, instants, fills."""
    for condition in order.ticket.conditions:
        kind = condition.kind
        if kind in (ConditionKind.PRICE, ConditionKind.VOLUME, ConditionKind.PERCENT_CHANGE):
            watch(order, core.books[condition.con_id])
        elif kind is ConditionKind.TIME:
            if condition.time_ns > core.now:
                core.look_again_at(condition.time_ns, order)
        elif kind is ConditionKind.MARGIN:
            for book in core.books.values():
                watch(order, book)
        elif order not in core.awaiting_fills:
            core.awaiting_fills.append(order)
    watch(order, order.book)


def look(core: Core, order: Working, book: Book | None = None, is_trade: bool = False) -> bool:
    """Whether the conditions are met now; `book` had a quote, or a trade. What is met once stays met."""
    ticket = order.ticket
    truth = [
        _holds(core, order, at, condition, is_trade if book and book.con_id == condition.con_id else None)
        for at, condition in enumerate(ticket.conditions)
    ]
    if not ticket.conditions_ignore_rth and order.book.phase is not Phase.REGULAR:
        return False
    result = truth[0]
    for at, holds in enumerate(truth[1:]):
        result = result and holds if ticket.conditions[at].joins_and else result or holds
    order.released = result
    return result


def met(core: Core, order: Working) -> bool:
    """Whether the conditions were met before or are now."""
    return order.released or look(core, order)


def _holds(core: Core, order: Working, at: int, condition: Condition, is_trade: bool | None) -> bool:
    kind, way = condition.kind, 1 if condition.is_more else -1
    if kind is ConditionKind.TIME:
        return (core.now - condition.time_ns) * way >= 0
    if kind is ConditionKind.EXECUTION:
        return at in order.counts
    if kind is ConditionKind.MARGIN:
        ledger = core.ledgers[order.ticket.account]
        standing = ledger.standing()
        equity = standing.equity
        excess = equity - standing.maintenance
        return _compare(excess / equity * HUNDRED if equity > 0 else Decimal(0), condition, way)
    book = core.books[condition.con_id]
    if kind is ConditionKind.PRICE:
        method = method_of(book, condition.trigger_method)
        ticks = (condition.price or Decimal(0)) / book.instrument.tick
        holds = reached(book, condition.trigger_method, way, ticks)
        return counted(order.counts, at, method, is_trade, holds)
    if kind is ConditionKind.VOLUME:
        return _compare(book.instrument.quantity(book.volume), condition, way)
    if book.last is None or not book.close:
        return False
    return _compare(HUNDRED * (book.last - book.close) / book.close, condition, way)


def _compare(value: Decimal, condition: Condition, way: int) -> bool:
    return (value - (condition.amount or Decimal(0))) * way >= 0


def note_fills(core: Core) -> None:
    """Orders had fills: whoever waits for an execution in their instrument and account hears of it."""
    fills, core.fills = core.fills, []
    core.awaiting_fills = [order for order in core.awaiting_fills if order.live]
    for order in core.awaiting_fills:
        for at, condition in enumerate(order.ticket.conditions):
            if condition.kind is ConditionKind.EXECUTION and any(
                _answers(order, filled, condition) for filled in fills
            ):
                order.counts[at] = 1
                core.ready.append(order)


def _answers(order: Working, filled: Working, condition: Condition) -> bool:
    contract = filled.book.instrument.contract
    return (
        order is not filled
        and order.ticket.account == filled.ticket.account
        and condition.symbol in ("", contract.symbol)
        and condition.sec_type in ("", contract.sec_type)
        and condition.exchange in (*ANYWHERE, contract.exchange, contract.primary_exchange)
    )
