"""Each filled share of a protected trade has a live stop of the right size, or the desk is on its way to one.

A trade is looked at after every event, and what is wrong is set right, one step at a time:

* While the entry works, its children are TWS's affair: attached, held or working for the filled part. A
  partial fill that stays partial too long ends the rest of the entry: TWS may hold the children back.
* A bracket is complete or absent: a child that ended while nothing was filled takes the entry with it.
* When the entry ended partly filled, TWS cancels the children (or cuts them to size); as soon as they have
  ended, a new pair for the filled shares is placed in an OCA group of its own.
* A stop that ended by itself is placed anew after a short wait, since its twin's fill may be on the way.
* After `MAX_REPAIRS` the shares are closed at the market instead.
* Exits that took more than was held are bought (sold) back at once.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.state import Group
from tws.desk.submit import place_exit, resize
from tws.desk.turn import Turn
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import OrderState, Released, Severity, Watched
from tws.orders.book import OurOrder

__all__ = ["MAX_REPAIRS", "look_after"]

MAX_REPAIRS = 6
"""Protective orders that the desk places or changes for one trade before it closes it: three pairs."""

MAX_CLOSES = 3
"""Closing orders after those; when they too are refused only a human can help, and the alarm repeats."""

_NEVER_THERE = (OrderState.WITHDRAWN, OrderState.DENIED, OrderState.REJECTED)


def look_after(turn: Turn) -> None:
    """Every open trade, oldest first."""
    for group_id in tuple(turn.state.open_groups):
        _look_at(turn, turn.state.groups[group_id])


def _look_at(turn: Turn, group: Group) -> None:
    entries = turn.state.members(group, Role.ENTRY)
    exits = turn.state.members(group, Role.STOP, Role.TARGET, Role.CLOSE)
    live_entries = [order for order in entries if order.live]
    live_exits = [order for order in exits if order.live]
    held = turn.state.held(group)
    owing = any(order.missing for order in (*entries, *exits))
    if not live_entries and not live_exits and not owing and (held == 0 or not group.protected):
        turn.emit(Released(at_ns=turn.now_ns, group_id=group.group_id, reason="over"))
    elif not turn.state.link_up or turn.state.flattening(group):
        return  # nothing can be sent; what happened meanwhile is asked for first. Or it is being closed
    elif live_entries:
        _while_entering(turn, group, live_entries, exits, held)
    elif owing:
        return  # what is held is not known before the executions are here; `pass_time` asks for them
    elif held == 0:
        _end_exits(turn, group, entries, live_exits)
    elif held < 0:
        _give_back(turn, group, live_exits, -held)
    elif group.protected:
        _cover(turn, group, exits, live_exits, held)


def _while_entering(
    turn: Turn, group: Group, live_entries: list[OurOrder], exits: list[OurOrder], held: Decimal
) -> None:
    """The entry works: complete or absent, and not partly filled for long."""
    ended = [order for order in exits if not order.live]
    if group.protected and ended:
        for order in live_entries:
            if not order.cancel_wanted:
                turn.cancel(order, f"its {ended[0].role} ended ({ended[0].state}): complete or absent")
    elif group.protected and held > 0:
        since = _bare(turn, group)
        if turn.now_ns - since >= turn.timing.partial_ns:
            for order in live_entries:
                if not order.cancel_wanted:
                    turn.cancel(order, "partly filled for too long: its children may be held till it is full")


def _end_exits(turn: Turn, group: Group, entries: list[OurOrder], live_exits: list[OurOrder]) -> None:
    """Nothing is held: exits must go. TWS ends them itself, so wait a moment unless it never knew them."""
    _covered(turn, group)
    at_once = all(entry.state in _NEVER_THERE for entry in entries)
    last = max((order.changed_ns for order in (*entries, *live_exits)), default=0)
    if not at_once and turn.now_ns - last < turn.timing.bare_ns:
        return
    for order in live_exits:
        if not order.cancel_wanted:
            turn.cancel(order, "nothing is held any more")


def _give_back(turn: Turn, group: Group, live_exits: list[OurOrder], excess: Decimal) -> None:
    """Exits took more than was held: end the others, then close what is held the wrong way."""
    turn.alarm(Severity.ALARM, f"overfilled {group.group_id}",
               f"{group.contract.symbol}: exits of trade {group.group_id} took {excess} more than it held")
    if _cancel_all(turn, live_exits, "the exits took more than was held"):
        return
    _close(turn, group, group.side, excess)


def _cover(
    turn: Turn, group: Group, exits: list[OurOrder], live_exits: list[OurOrder], held: Decimal
) -> None:
    """The entry has ended with shares held: a live stop of exactly that size, or a close at the market."""
    if any(order.role is Role.CLOSE for order in live_exits):
        return  # being closed
    stops = [order for order in live_exits if order.role is Role.STOP]
    staying = [order for order in stops if order.state is not OrderState.PENDING_CANCEL]
    covered = sum((_reach(order) for order in staying), Decimal(0))
    certain = all(order.state is not OrderState.UNKNOWN for order in live_exits)
    if covered == held and certain:
        _covered(turn, group)
        return
    since = _bare(turn, group)
    if turn.now_ns - since >= turn.timing.partial_ns:
        turn.alarm(Severity.ALARM, f"bare {group.group_id}",
                   f"{group.contract.symbol}: {held} shares of trade {group.group_id} have had no full stop "
                   f"for {(turn.now_ns - since) / 1e9:.1f} s")
    if not certain:  # rounds of questions run while any order is unknown (reconcile.pass_time)
        turn.alarm(Severity.ALARM, f"exit unknown {group.group_id}",
                   f"{group.contract.symbol}: an exit of trade {group.group_id} is of unknown outcome")
        return
    with_entry = bool(exits) and all(order.state is OrderState.CANCELLED for order in exits if not order.live)
    entered = sum((order.filled for order in turn.state.members(group, Role.ENTRY)), Decimal(0))
    partly = entered < group.quantity
    waited = turn.now_ns - since >= turn.timing.bare_ns
    if not live_exits and ((with_entry and partly) or waited):
        _protect_anew(turn, group, held)
    elif live_exits and waited:
        _set_right(turn, group, live_exits, stops, held)


def _set_right(
    turn: Turn, group: Group, live_exits: list[OurOrder], stops: list[OurOrder], held: Decimal
) -> None:
    """Exits live at a wrong size: change those that stand alone, end those that hang on an entry."""
    attached = any(order.order.parent_id for order in live_exits)
    if attached or not stops or group.repairs >= MAX_REPAIRS:
        _cancel_all(turn, live_exits, "its size is not what is held")
        return
    for order in live_exits:
        wanted = order.filled + held
        if not order.changing and wanted != order.order.quantity and not order.cancel_wanted:
            resize(turn, group, order, wanted)


def _protect_anew(turn: Turn, group: Group, held: Decimal) -> None:
    """A stop and a target for what is held, in an OCA group of their own; beyond the bound, close."""
    if group.repairs < MAX_REPAIRS and group.stop_price is not None:
        name = f"{group.group_id}.{group.repairs}" if group.target_price is not None else ""
        stop = Order(side=group.side.opposite, quantity=held, order_type=OrderType.STOP, oca_group=name,
                     stop_price=group.stop_price, oca_type=2 if name else 0)
        if place_exit(turn, group, group.instrument, Role.STOP, stop) is not None:
            if group.target_price is not None:
                target = Order(side=group.side.opposite, quantity=held, order_type=OrderType.LIMIT,
                               limit_price=group.target_price, oca_group=name, oca_type=2)
                place_exit(turn, group, group.instrument, Role.TARGET, target)
            return
    turn.alarm(Severity.ALARM, f"unprotected {group.group_id}",
               f"{group.contract.symbol}: trade {group.group_id} can't be protected; closing {held}")
    _close(turn, group, group.side.opposite, held)


def _close(turn: Turn, group: Group, side: Side, quantity: Decimal) -> None:
    """At the market, a bounded number of times."""
    order = Order(side=side, quantity=quantity, order_type=OrderType.MARKET)
    trying = group.repairs < MAX_REPAIRS + MAX_CLOSES
    if trying and place_exit(turn, group, group.instrument, Role.CLOSE, order) is not None:
        return
    turn.alarm(Severity.ALARM, f"given up {group.group_id}",
               f"{group.contract.symbol}: NOT PROTECTED, {side} {quantity} can't be placed; close it in TWS")


def _cancel_all(turn: Turn, orders: list[OurOrder], reason: str) -> bool:
    """Cancel what lives; True while any does."""
    for order in orders:
        if not order.cancel_wanted:
            turn.cancel(order, reason)
    return any(order.live for order in orders)


def _reach(order: OurOrder) -> Decimal:
    """What an exit can still take: the broker's own word where it gave one, for it cuts sizes by itself."""
    own, word = order.order.quantity - order.filled, order.claimed_remaining
    return min(word, own) if word is not None and order.claimed + word <= order.order.quantity else own


def _bare(turn: Turn, group: Group) -> int:
    """Since when shares are held without a full stop; begins now when it is new."""
    if group.bare_since_ns is None:
        turn.emit(Watched(at_ns=turn.now_ns, group_id=group.group_id, bare=True))
    assert group.bare_since_ns is not None
    return group.bare_since_ns


def _covered(turn: Turn, group: Group) -> None:
    if group.bare_since_ns is not None:
        turn.emit(Watched(at_ns=turn.now_ns, group_id=group.group_id, bare=False))
