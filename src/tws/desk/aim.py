"""What is added to a trade changes its average price; the exits that are to follow it go along.

    target   as far from the average of all that is held as it was from the entry (`Bracket.target_follows`)
    stop     the same, where it was asked for (`stop_follows`) and the stop does not trail
    break-even, not reached yet: the profit that it waits for, and where the stop goes then, always

The average is that of our book, so what an exit took meanwhile counts as it does there. One level serves the
trade and all that joined it. It is decided once for each fill of an addition (`Aimed`) and then each living
exit is changed to it, once: an exit that somebody moves afterwards stays there until the next fill, and from
then on as far from the average as he left it.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.desk.change import changeable, reprice
from tws.desk.state import Group
from tws.desk.turn import Turn
from tws.model.order import OrderType, Role
from tws.model.records import Aimed
from tws.orders.book import OurOrder

__all__ = ["keep_aim"]

_ZERO = Decimal(0)
_REASON = "the average price has changed"


def keep_aim(turn: Turn, group: Group) -> None:
    """Reckon anew what an addition's fill has changed, and change the exits that still wait for it."""
    base = turn.state.groups.get(group.joins) if group.joins else group
    if base is None or not base.additions or base.group_id not in turn.state.open_groups:
        return
    family = [base, *(turn.state.groups[each] for each in turn.state.open_groups
                      if turn.state.groups[each].joins == base.group_id)]
    aim = _reckoned(turn, base, family) or base.aim
    if aim is None:
        return
    waiting = tuple(each for each in aim.waiting if not _changed(turn, turn.state.book.get(each), aim))
    if aim is not base.aim or waiting != aim.waiting:
        turn.emit(replace(aim, at_ns=turn.now_ns, waiting=waiting))


def _reckoned(turn: Turn, base: Group, family: list[Group]) -> Aimed | None:
    """The new aim, where something was added since the last one; None: that holds."""
    entries = [order for group in family for order in turn.state.members(group, Role.ENTRY)]
    shares, before = sum((order.filled for order in entries), _ZERO), base.aim
    own = sum((order.filled for order in turn.state.members(base, Role.ENTRY)), _ZERO)
    if shares == (own if before is None else before.shares):
        return None
    if any(group.moved for group in family) or any(order.missing for order in entries):
        return None  # a split or a transfer: what a share cost says nothing of these prices
    key = turn.state.ours.key(turn.state.account, base.contract.con_id)
    holding = turn.state.ours.holdings.get(key)
    held = sum((turn.state.held(group) for group in family), _ZERO)
    if holding is None or not held or held != abs(holding.quantity):
        turn.next_ns = turn.now_ns  # what other trades hold of it touches none of these: looked at again
        return None  # nothing is held, or not by this trade alone: the average is not its own
    average = holding.average_price
    known = before.average if before is not None else _paid(turn, base)
    if known is None:
        return None
    aim = _from(base, before, known, average)
    exits = [order.intent_id for group in family
             for order in turn.state.members(group, Role.STOP, Role.TARGET) if order.live]
    return replace(aim, at_ns=turn.now_ns, shares=shares, waiting=tuple(exits))


def _from(base: Group, before: Aimed | None, known: Decimal, average: Decimal) -> Aimed:
    """The prices of the exits, as far from `average` as they are from `known` now."""
    sign, snap = base.side.sign, base.instrument.snap
    buys = sign > 0

    def far(price: Decimal, kept: Decimal | None, meant: Decimal | None) -> Decimal:
        return meant if meant is not None and kept == price else (price - known) * sign

    aim = Aimed(at_ns=0, group_id=base.group_id, average=average, shares=_ZERO)
    last = before or aim
    if base.target_follows and base.target_price is not None:
        reward = far(base.target_price, last.target_price, last.reward)
        aim = replace(aim, reward=reward, target_price=snap(average + sign * reward))
    trails = base.trail is not None or base.trail_percent is not None
    if base.stop_follows and base.stop_price is not None and not trails:
        risk = -far(base.stop_price, last.stop_price, None if last.risk is None else -last.risk)
        aim = replace(aim, risk=risk, stop_price=snap(average - sign * risk, up=buys))
    if base.trigger_price is not None and base.adjusted_stop_price is not None:
        by = average - known
        aim = replace(aim, trigger_price=snap(base.trigger_price + by, up=buys),
                      adjusted_stop_price=snap(base.adjusted_stop_price + by, up=buys))
    return aim


def _paid(turn: Turn, base: Group) -> Decimal | None:
    """What a share of the trade's own entry cost on average; None while its fills are not here."""
    key = turn.state.ours.key(turn.state.account, base.contract.con_id)
    entries = {order.intent_id: order.early for order in turn.state.members(base, Role.ENTRY)}
    fills = [move for move in turn.state.ours.holdings[key].fills.values() if move.owner in entries]
    early = [each for each in entries.values() if each is not None]
    shares = sum((each.shares for each in early), _ZERO) + sum((move.quantity for move in fills), _ZERO)
    value = sum((each.value for each in early), _ZERO)
    value += sum((move.quantity * move.price for move in fills), _ZERO)
    return value / shares if shares else None


def _changed(turn: Turn, order: OurOrder | None, aim: Aimed) -> bool:
    """Whether an exit needs to wait no more: it is changed now, or there is nothing to change of it."""
    if order is None or not order.live or order.cancel_wanted:
        return True
    own = order.order
    if order.role is Role.TARGET:
        prices = {"limit_price": aim.target_price}
    else:
        prices = {"stop_price": aim.stop_price if own.order_type is OrderType.STOP else None}
        if own.trigger_price is not None:
            prices |= {"trigger_price": aim.trigger_price, "adjusted_stop_price": aim.adjusted_stop_price}
    prices = {name: price for name, price in prices.items() if price not in (None, getattr(own, name))}
    if not prices:
        return True
    if not changeable(turn, order):
        return False  # what it waits for comes as a fact
    reprice(turn, order, {name: price for name, price in prices.items() if price is not None}, _REASON)
    return True
