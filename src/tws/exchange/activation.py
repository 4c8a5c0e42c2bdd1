"""Where an order belongs now: the gates that it passes on its way to the market, and what opens them.

`settle` looks at every order that something happened to. The gates are asked in this order: its parent,
TWS itself (a locate, a dialog), its time, its conditions, an auction, the hours, its trigger. Behind the
last one it works.
"""

from __future__ import annotations

from tws.clock import to_datetime
from tws.exchange.auctions import await_auction, hold_auction
from tws.exchange.book import NEVER, Book, Ladder
from tws.exchange.conditions import look, met, note_fills, pending, watch_conditions
from tws.exchange.core import Core
from tws.exchange.families import awaits_parent, cancel_now
from tws.exchange.kinds import Anchor
from tws.exchange.matching import match, take_whole
from tws.exchange.pegs import anchored, follow, out_of_range, stand, watch_anchor
from tws.exchange.terms import FarPrice
from tws.exchange.transmission import transmit
from tws.exchange.triggers import (
    adjust_due,
    adjusted,
    counted,
    method_of,
    must_watch,
    plausible,
    reached,
    start_trailing,
    trail,
    trailed_limit,
    unwatch,
    watch,
)
from tws.exchange.working import Held, Stage, Working

__all__ = ["on_quote", "on_trade", "settle"]

TRIGGER = -1
"""The key under which an order counts its own trigger; conditions count under their places."""


def settle(core: Core) -> None:
    """Look at every order that something happened to, until nothing more follows."""
    while core.ready or core.fills or core.births:
        note_fills(core)
        _bear(core)
        if core.ready:
            order = core.ready.popleft()
            if order.live and order.stage is not Stage.UNTRANSMITTED:
                _activate(core, order)


def _bear(core: Core) -> None:
    """Orders that TWS places by itself go to the broker."""
    births, core.births = core.births, []
    for ticket, portion in births:
        book = core.books[ticket.con_id]
        order = Working(ticket, book, book.instrument.lots(ticket.quantity))
        transmit(core, order)
        order.portion = portion
        if portion is not None:
            portion.ladder.dependents.append(order)
        if order.live:
            core.ready.append(order)


def on_quote(core: Core, book: Book) -> None:
    """The quote reaches somebody: it triggers stops, then fills."""
    _show(core, book, False)
    _spring(core, book.stops[True, True], book.bid)
    _spring(core, book.stops[True, False], -book.ask)
    match(core, book)
    for order in list(book.watchers):
        if order.stage is Stage.WORKING and order.book is book and order.picky:
            take_whole(core, order)
    settle(core)
    book.refresh()


def on_trade(core: Core, book: Book) -> None:
    """The last price reaches a stop."""
    assert book.last is not None
    _show(core, book, True)
    if plausible(book):
        _spring(core, book.stops[False, True], book.last)
        _spring(core, book.stops[False, False], -book.last)
    settle(core)
    book.refresh()


def _spring(core: Core, ladder: Ladder, reached_ticks: int) -> None:
    """Trigger every stop at or before the price reached, nearest first."""
    top = ladder.top()
    while top is not None and top[0] <= reached_ticks:
        _trigger(core, top[1])
        top = ladder.top()


def _trigger(core: Core, order: Working) -> None:
    if awaits_parent(core, order):  # its parent's part is spent: nothing stands at the exchange
        order.move(Stage.AWAITS_PARENT)
        return
    _spent(order)
    order.move(Stage.WORKING)
    core.say_if_changed(order)
    core.ready.append(order)


def _spent(order: Working) -> None:
    """The trigger did its work; a trailing limit is known now."""
    order.triggered = True
    if order.kind.trails and order.is_limit:
        order.limit = trailed_limit(order)


# -- who watches --------------------------------------------------------------------------------


def _show(core: Core, book: Book, is_trade: bool) -> None:
    """Every watcher of a book sees a quote or a trade of it."""
    for order in list(book.watchers):
        if not order.live:
            unwatch(order)
            continue
        if pending(order) and order.stage is not Stage.UNTRANSMITTED and look(core, order, book, is_trade):
            core.ready.append(order)
        if order.stage is Stage.WORKING and (order.follows or _unplaced(order)):
            follow(core, order, book)
        if book is not order.book:
            continue
        if is_trade and order.portion is not None and order.stage is Stage.WORKING:
            portion = order.portion
            if portion.watches and portion.more(core, order):
                core.ready.append(order)
        if order.stage is Stage.ARMED:
            _watch_trigger(core, order, is_trade)
        elif order.opening and order.stage is Stage.AWAITS_AUCTION:
            hold_auction(core, order)


def _unplaced(order: Working) -> bool:
    """Whether it still waits for a quote that tells its price."""
    return order.is_limit and not order.anchored and order.anchor is not Anchor.STATED


def _watch_trigger(core: Core, order: Working, is_trade: bool) -> None:
    """One more quote or trade for an armed order: it may be adjusted, trail on, or be triggered."""
    if adjust_due(order):
        order.adopt(adjusted(order.ticket), order.total)
        core.say_pair(order)
        core.ready.append(order)
        return
    if order.kind.trails:
        trail(order)
    if _triggered(order, is_trade):
        _trigger(core, order)


def _triggered(order: Working, is_trade: bool | None) -> bool:
    if order.stop is None:
        return False
    asked = order.ticket.trigger_method
    holds = reached(order.book, asked, order.way, order.stop)
    return counted(order.counts, TRIGGER, method_of(order.book, asked), is_trade, holds)


# -- the gates ----------------------------------------------------------------------------------


def _activate(core: Core, order: Working) -> None:
    """Put a living, transmitted order where it belongs now, and fill what can be filled."""
    if order.ticket.conditions_cancel_order and order.ticket.conditions and met(core, order):
        cancel_now(core, order)
        return
    stage = _gate(core, order)
    if stage is not None:
        if order.stage is not stage:
            order.move(stage)
        if order.announced != order.status and stage is not Stage.AWAITS_PARENT:
            core.say_pair(order)
    elif not order.book.admits(order.book.phase, order.outside):
        _to_bed(core, order)
    elif order.waits and not _passed(core, order):
        core.say_if_changed(order)
    else:
        _work(core, order)


def _gate(core: Core, order: Working) -> Stage | None:
    """The stage in which an order waits for something else than the market itself; None: for nothing."""
    ticket = order.ticket
    if awaits_parent(core, order):
        return Stage.AWAITS_PARENT
    if order.held is not Held.NOT:
        return Stage.HELD
    if core.now < ticket.good_after_ns:
        core.look_again_at(ticket.good_after_ns, order)
        return Stage.AWAITS_TIME
    if pending(order):
        watch_conditions(core, order)
        if not ticket.conditions_cancel_order and not met(core, order):
            return Stage.AWAITS_CONDITIONS
    if order.released:
        unwatch(order)
    if (order.kind.at_close or order.rule.at_open) and not order.auctioned:
        await_auction(core, order)
        return Stage.AWAITS_AUCTION
    return None


def _to_bed(core: Core, order: Working) -> None:
    """Outside the hours: held PreSubmitted, with 399 once (C2)."""
    order.move(Stage.AWAITS_OPEN)
    if order.warned:
        return
    order.warned = True
    core.say_if_changed(order)
    opens = order.book.next_phase(core.now, order.outside)
    when = f"{to_datetime(opens):%Y-%m-%d %H:%M:%S} UTC" if opens < NEVER else "the next session"
    contract, ticket = order.book.instrument.contract, order.ticket
    where = contract.primary_exchange or contract.exchange
    core.notify(
        order, 399, f"Order Message:\n{ticket.side} {ticket.quantity} {contract.symbol} {where}\n"
        f"Warning: your order will not be placed at the exchange until {when}",
    )  # fmt: skip


def _passed(core: Core, order: Working) -> bool:
    """Whether a stop or touch is reached as the market stands; if not, it is armed."""
    start_trailing(order)
    if _triggered(order, None):
        _spent(order)
        order.move(Stage.WORKING)
        core.say_if_changed(order)
        return True
    order.move(Stage.ARMED)
    if must_watch(order):
        watch(order, order.book)
    else:
        order.book.arm(order, method_of(order.book, order.ticket.trigger_method))
    return False


def _work(core: Core, order: Working) -> None:
    """Nothing holds the order back: it takes what it can, and rests or ends."""
    book = order.book
    order.move(Stage.WORKING)
    if order.portion is not None and not order.portion.begin(core, order):
        if order.live and order.rule.at_once:
            cancel_now(core, order)
        elif order.live:
            core.say_if_changed(order)
        return
    if not _price_it(core, order):
        return
    if order.picky:
        take_whole(core, order)
    if order.live and not order.picky and order.stage is Stage.WORKING:
        book.enqueue(order)
        match(core, book, order)
    if order.live and order.rule.at_once and not order.cancelling:
        cancel_now(core, order)
    elif order.live:
        if order.picky:
            watch(order, book)
        if order.follows:
            watch_anchor(core, order)
        core.say_if_changed(order)


def _price_it(core: Core, order: Working) -> bool:
    """Give an order that states no price its limit, and look whether the limit is far from the market.
    False: the order ended over it, or waits for a quote.
    """
    if order.is_limit and order.anchor is not Anchor.STATED and not order.anchored:
        limit = None if out_of_range(core, order) else anchored(core, order)
        if limit is None:
            if out_of_range(core, order) or order.rule.at_once:
                cancel_now(core, order)
            else:  # until a quote tells
                watch_anchor(core, order)
                core.say_if_changed(order)
            return False
        stand(order, limit)
    mark = order.book.mark()
    if core.habits.far_price is FarPrice.ALLOWED or not order.is_limit or mark is None:
        return True
    worst = int(mark * (1 + order.sign * core.habits.far_share))
    if (order.limit - worst) * order.sign <= 0:
        return True
    if core.habits.far_price is FarPrice.CANCELLED:
        cancel_now(core, order)
        return False
    order.limit = order.cap = worst
    return True
