"""Each filled share of a protected trade has a live stop of the right size, or the desk is on its way to one.

A trade is looked at after each event that concerns it (agenda.py), and what is wrong is set right, one step
at a time:

* While the entry works, its children are TWS's affair: attached, held or working for the filled part, which
  is undocumented (TWS-BEHAVIOUR.md C2). So a share of a partly filled entry counts as bare, and a partial
  fill that stays partial too long ends the rest of the entry.
* A bracket is complete or absent: a child that ended while nothing was filled takes the entry with it.
* When the entry ended partly filled, TWS cancels the children (or cuts them to size); as soon as they have
  ended, a new pair for the filled shares is placed in an OCA group of its own.
* A stop that ended by itself is placed anew after a short wait, since its twin's fill may be on the way. One
  that TWS holds inactive protects nothing: it is replaced. A new one moves as the old one did, and begins
  where TWS last stated that one to stand.
* After `MAX_REPAIRS` the shares are closed at the market instead.
* Exits that took more than was held are bought (sold) back at once.
* A trade that was over, and that a late fact makes hold shares or work again, is looked after again.

Shares are covered when stops of exactly their number are proven to be at the broker: acknowledged by it,
with no change under way. Until then the time counts (`Group.bare_ns`), and beyond a bound it is an alarm.
"""

from __future__ import annotations

from decimal import Decimal

from tws.desk.aim import keep_aim
from tws.desk.books import looks_split
from tws.desk.change import change
from tws.desk.state import Group
from tws.desk.submit import EXIT_TIF, place_exit
from tws.desk.turn import Turn
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import OrderState, Released, Reopened, Severity, Watched
from tws.orders.book import OurOrder
from tws.orders.terms import PENDING

__all__ = ["MAX_REPAIRS", "PARTLY_FILLED", "look_after"]

PARTLY_FILLED = "partly filled for too long: its children may be held till it is full"
"""Why an entry's rest is cancelled; who wants the rest filled after all wishes for it anew."""

MAX_REPAIRS = 6
"""Protective orders that the desk places or changes for one trade before it closes it: three pairs."""

MAX_CLOSES = 3
"""Closing orders after those. When they too are refused the alarm says NOT PROTECTED and repeats, and with it
one more closing order is tried: what refuses now (a closed exchange, a wrong login) may pass."""

_NEVER_THERE = (OrderState.WITHDRAWN, OrderState.DENIED, OrderState.REJECTED)
_AT_THE_BROKER = (OrderState.ACKNOWLEDGED, OrderState.WORKING)
_ZERO = Decimal(0)


def look_after(turn: Turn) -> None:
    """Every trade that the event concerns or whose wait is over, oldest first."""
    for group_id in turn.agenda.take(turn.state, turn.now_ns):
        group = turn.state.groups.get(group_id)
        if group is None:
            continue  # packed away meanwhile
        turn.next_ns = None
        if group_id in turn.state.open_groups or _comes_back(turn, group):
            _look_at(turn, group)
        turn.agenda.wait(group_id, turn.next_ns)


def _comes_back(turn: Turn, group: Group) -> bool:
    """Whether a trade that was over is to be looked after again, by a late fact."""
    state = turn.state
    if not group.settled:
        return False
    alive = any(order.live for order in state.orders_of(group.group_id))
    held = state.in_account(group)
    if not alive and not (group.protected and held):
        return False
    if state.flattening(group):
        turn.emit(Released(at_ns=turn.now_ns, group_id=group.group_id, reason="a flatten has taken it"))
        return False
    turn.emit(Reopened(at_ns=turn.now_ns, group_id=group.group_id))
    turn.alarm(Severity.ALARM, f"reopened {group.group_id}",
               f"{group.contract.symbol}: trade {group.group_id} was over; by a late word of the broker "
               f"{held} shares are held or an order lives; it is looked after again")
    return True


def _look_at(turn: Turn, group: Group) -> None:
    entries = turn.state.members(group, Role.ENTRY)
    exits = turn.state.members(group, Role.STOP, Role.TARGET, Role.CLOSE)
    live_entries = [order for order in entries if order.live]
    live_exits = [order for order in exits if order.live]
    held = turn.state.in_account(group)
    owing = any(order.missing for order in (*entries, *exits))
    done = turn.state.held(group) == 0 or not group.protected  # what is missing today may be back tomorrow
    if not live_entries and held == 0 and not owing:
        _end_joined(turn, group)
    if not live_entries and not live_exits and not owing and done:
        turn.emit(Released(at_ns=turn.now_ns, group_id=group.group_id, reason="over"))
        return
    if turn.state.link_up and not turn.state.flattening(group):
        # Else it is being closed, or nothing can be sent: what happened meanwhile is asked for first.
        if live_entries:
            _while_entering(turn, group, live_entries, exits, held)
        elif owing:
            pass  # what is held is not known before the executions are here; `pass_time` asks for them
        elif held == 0:
            _end_exits(turn, group, entries, live_exits)
        elif held < 0:
            _give_back(turn, group, live_exits, -held)
        elif group.protected:
            _cover(turn, group, exits, live_exits, held)
        keep_aim(turn, group)
    _say_bare(turn, group, held)


def _end_joined(turn: Turn, group: Group) -> None:
    """The trade holds nothing any more: what was to add to it, and is not filled, goes with it."""
    for group_id in turn.state.open_groups if turn.state.link_up else ():
        other = turn.state.groups[group_id]
        for order in turn.state.members(other, Role.ENTRY) if other.joins == group.group_id else ():
            if order.live and not order.cancel_wanted:
                turn.cancel(order, f"trade {group.group_id}, to which it adds, is over")


def _joins_what_is_over(turn: Turn, group: Group) -> bool:
    """Whether the trade that it adds to is over: then its entry is to go, also after the link was away."""
    base = turn.state.groups.get(group.joins)
    return bool(group.joins) and (base is None or (group.joins not in turn.state.open_groups)
                                  or turn.state.held(base) == 0)


def _say_bare(turn: Turn, group: Group, held: Decimal) -> None:
    since = group.bare_since_ns
    if since is not None and turn.over(since, turn.timing.alarm_ns):
        turn.alarm(Severity.ALARM, f"bare {group.group_id}",
                   f"{group.contract.symbol}: {held} shares of trade {group.group_id} have had no full stop "
                   f"proven at the broker for {(turn.now_ns - since) / 1e9:.1f} s")


def _while_entering(
    turn: Turn, group: Group, live_entries: list[OurOrder], exits: list[OurOrder], held: Decimal
) -> None:
    """The entry works: complete or absent, and not partly filled for long."""
    ended = [order for order in exits if not order.live]
    if group.protected and held > 0:
        _bare(turn, group)
    else:
        _covered(turn, group)
    reason = ""
    if _joins_what_is_over(turn, group):
        reason = f"trade {group.joins}, to which it adds, is over"
    elif group.protected and ended:
        reason = f"its {ended[0].role} ended ({ended[0].state}): complete or absent"
    elif group.bare_since_ns is not None and turn.over(group.bare_since_ns, turn.timing.partial_ns):
        reason = PARTLY_FILLED
    for order in live_entries if reason else ():
        if not order.cancel_wanted:
            turn.cancel(order, reason)


def _end_exits(turn: Turn, group: Group, entries: list[OurOrder], live_exits: list[OurOrder]) -> None:
    """Nothing is held: exits must go. TWS ends them itself, so wait a moment unless it never knew them."""
    _covered(turn, group)
    at_once = all(entry.state in _NEVER_THERE for entry in entries)
    last = max((order.changed_ns for order in (*entries, *live_exits)), default=0)
    if not at_once and not turn.over(last, turn.timing.bare_ns):
        return
    for order in live_exits:
        if not order.cancel_wanted:
            turn.cancel(order, "nothing is held any more")


def _give_back(turn: Turn, group: Group, live_exits: list[OurOrder], excess: Decimal) -> None:
    """Exits took more than was held: end the others, then close what is held the wrong way."""
    _bare(turn, group)
    turn.alarm(Severity.ALARM, f"overfilled {group.group_id}",
               f"{group.contract.symbol}: exits of trade {group.group_id} took {excess} more than it held")
    back = [order for order in live_exits if order.role is Role.CLOSE and order.order.side is group.side]
    others = [order for order in live_exits if order not in back]
    if _cancel_all(turn, others, "the exits took more than was held") or back:
        return
    if _may_try(turn, group):
        _close(turn, group, group.side, excess)


def _cover(
    turn: Turn, group: Group, exits: list[OurOrder], live_exits: list[OurOrder], held: Decimal
) -> None:
    """The entry has ended with shares held: a live stop of exactly that size, or a close at the market."""
    stops = [order for order in live_exits if order.role is Role.STOP]
    staying = [order for order in stops if order.state is not OrderState.PENDING_CANCEL]
    fits = sum((_reach(order) for order in staying), _ZERO) == held
    certain = all(order.state is not OrderState.UNKNOWN for order in live_exits)
    closing = any(order.role is Role.CLOSE for order in live_exits)
    if fits and certain and all(_proven(turn, order) for order in staying):  # a reversal closes beside it
        _covered(turn, group)
        return
    since = _bare(turn, group)
    if closing:
        return
    if not certain:  # rounds of questions run while any order is unknown (reconcile.pass_time)
        turn.alarm(Severity.ALARM, f"exit unknown {group.group_id}",
                   f"{group.contract.symbol}: an exit of trade {group.group_id} is of unknown outcome")
        return
    if fits:
        _end_held(turn, staying)
        return
    with_entry = bool(exits) and all(order.state is OrderState.CANCELLED for order in exits if not order.live)
    entered = sum((order.filled for order in turn.state.members(group, Role.ENTRY)), _ZERO)
    partly = entered < group.quantity
    ended = [order for order in exits if order.role is Role.STOP and not order.live]
    moved = (*turn.state.members(group, Role.ENTRY), *(live_exits or ended))
    last = max((order.changed_ns for order in moved), default=since)
    waited = turn.over(max(since, last), turn.timing.bare_ns)
    if not _may_try(turn, group):
        return
    if not live_exits and ((with_entry and partly) or waited):
        if looks_split(turn, group):
            turn.next_ns = turn.now_ns  # it depends on the market: looked at again after every event
        else:
            _protect_anew(turn, group, held)
    elif live_exits and waited:
        _set_right(turn, group, live_exits, stops, held)


def _may_try(turn: Turn, group: Group) -> bool:
    """Some time after the last attempt: what was refused would be again at once, and attempts are counted."""
    return turn.over(group.repaired_ns, turn.timing.bare_ns)


def _proven(turn: Turn, order: OurOrder) -> bool:
    """The broker has acknowledged it, as it is. TWS's own PendingSubmit proves nothing yet (C1)."""
    row = turn.rows.get(order.intent_id)
    return order.state in _AT_THE_BROKER and not order.changing and (
        row is None or row.status not in PENDING)


def _end_held(turn: Turn, stops: list[OurOrder]) -> None:
    """Stops of the right size are on their way. One that stays inactive (rejected, blocked by a precaution:
    C1) protects nothing, and goes.
    """
    for order in stops:
        inactive = order.state is OrderState.HELD and not order.cancel_wanted
        if inactive and turn.over(order.changed_ns, turn.timing.alarm_ns):
            turn.cancel(order, "TWS holds it inactive: it protects nothing")


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
            change(turn, order, wanted, "its size is not what is held")


def _protect_anew(turn: Turn, group: Group, held: Decimal) -> None:
    """A stop and a target for what is held, in an OCA group of their own; beyond the bound, close."""
    if group.repairs < MAX_REPAIRS and group.stop_price is not None:
        name = f"{group.group_id}.{group.repairs}" if group.target_price is not None else ""
        trails = group.trail is not None or group.trail_percent is not None
        stop = Order(side=group.side.opposite, quantity=held, oca_group=name, oca_type=2 if name else 0,
                     order_type=OrderType.TRAIL if trails else OrderType.STOP, stop_price=group.stop_price,
                     tif=EXIT_TIF, trail=group.trail, trail_percent=group.trail_percent,
                     trigger_price=group.trigger_price, adjusted_stop_price=group.adjusted_stop_price)
        if place_exit(turn, group, group.instrument, Role.STOP, stop) is not None:
            if group.target_price is not None:
                target = Order(side=group.side.opposite, quantity=held, order_type=OrderType.LIMIT,
                               limit_price=group.target_price, tif=EXIT_TIF, oca_group=name, oca_type=2)
                place_exit(turn, group, group.instrument, Role.TARGET, target)
            return
    turn.alarm(Severity.ALARM, f"unprotected {group.group_id}",
               f"{group.contract.symbol}: trade {group.group_id} can't be protected; closing {held}")
    _close(turn, group, group.side.opposite, held)


def _close(turn: Turn, group: Group, side: Side, quantity: Decimal) -> None:
    """At the market: a few times at once, then no oftener than the alarm is told."""
    order = Order(side=side, quantity=quantity, order_type=OrderType.MARKET)
    trying = group.repairs < MAX_REPAIRS + MAX_CLOSES or turn.over(group.repaired_ns, turn.timing.repeat_ns)
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
