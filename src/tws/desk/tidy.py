"""What ended long ago is packed away, and found again when a late fact speaks of it.

Trades (and orders outside any, such as a flatten's) stay in the book for `Timing.retire_ns` after their end.
Then they go onto the shelf, packed to some hundred bytes an order, with the ways by intent and permanent id;
after `forget_ns`, longer than any broker remembers, they leave the shelf too. The journal keeps all. So
memory is bounded by some days of trading, however long a journal lasts.

So it is with fills: after `forget_ns` both books keep what they came to (`Folded`). That age counts in the
broker's time: a fill is so much older than the latest one that he told, and than our clock says. A clock
that leaps ahead therefore folds nothing that he may still repeat.

A fact about a packed trade unpacks it first (`find`), and is then heard as any other. A row of the completed
orders that says what is known already unpacks nothing (`is_old_news`).
"""

from __future__ import annotations

from tws.desk.turn import Turn
from tws.model.facts import BrokerOrder
from tws.model.records import Folded, Recalled, Retired
from tws.orders.book import OurOrder
from tws.orders.table import STATUS_EVENTS, OrderEvent

__all__ = ["find", "fold", "is_old_news", "tidy"]


def tidy(turn: Turn) -> None:
    """Pack what ended long ago, and drop what was packed longer ago. Costs a look at the oldest."""
    state, timing = turn.state, turn.timing
    ripe = []
    for key, ended_ns in state.over.items():
        if turn.now_ns - ended_ns < timing.retire_ns:
            break
        if _is_quiet(turn, key):
            ripe.append(key)
    if ripe:
        turn.emit(Retired(at_ns=turn.now_ns, keys=tuple(ripe)))
    old = []
    for key, ended_ns in state.shelf.ended.items():
        if turn.now_ns - ended_ns < timing.forget_ns:
            break
        old.append(key)
    if old:
        turn.emit(Retired(at_ns=turn.now_ns, keys=tuple(old), forgotten=True))


def fold(turn: Turn) -> None:
    """Fold the fills that no broker speaks of any more, some minutes' worth at a time: a record for each
    would be as many as there were fills. Not before the opening balance, which is reckoned from all of them.
    """
    state, timing = turn.state, turn.timing
    before_ns = min(turn.now_ns, state.last_fill_ns) - timing.forget_ns
    if not state.opened or before_ns - state.folded_ns < timing.reconcile_ns:
        return
    if state.ours.reaches_before(before_ns) or state.account_book.reaches_before(before_ns):
        turn.emit(Folded(at_ns=turn.now_ns, before_ns=before_ns))


def find(turn: Turn, order_ref: str, perm_id: int) -> OurOrder | None:
    """The order that a fact is about, by our reference, else by permanent id; unpacked if need be."""
    book, shelf = turn.state.book, turn.state.shelf
    order = book.named(order_ref, perm_id)
    if order is None:
        key = shelf.key_of(order_ref, perm_id)
        if key:
            turn.emit(Recalled(at_ns=turn.now_ns, key=key))
            order = book.named(order_ref, perm_id)
    return order


def is_old_news(turn: Turn, row: BrokerOrder) -> bool:
    """Whether a row of the completed orders says of a packed order what is known of it."""
    if not row.completed:
        return False
    key = turn.state.shelf.key_of(row.order_ref, row.perm_id)
    if not key:
        return False
    known = next((order for order in turn.state.shelf.look(key).orders
                  if order.intent_id == row.order_ref or row.perm_id in order.perms), None)
    ended = STATUS_EVENTS.get(row.status) in (OrderEvent.FILL, OrderEvent.CANCEL)
    return known is not None and ended and (row.filled is None or row.filled <= known.filled)


def _is_quiet(turn: Turn, key: str) -> bool:
    """Nothing of it lives, owes us fills, or has moved of late, and nothing of its contract is held."""
    state = turn.state
    if key in state.open_groups:
        return False
    group = state.groups.get(key)
    intents = [key] if group is None else group.intents
    orders = [state.book.orders[intent_id] for intent_id in intents]
    if orders and state.net(orders[0].contract):
        return False  # a flatten asks the trades whose shares these are, and where they were traded
    return all(
        not order.live and not order.missing and turn.now_ns - order.changed_ns >= turn.timing.retire_ns
        for order in orders
    )
