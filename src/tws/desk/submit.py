"""Wishes into intents: build the orders, let the gate judge them, give them ids, all in one step.

A bracket is complete or absent: all three orders are judged before the first gets an id, and their
intents, ids and approvals are records of one commit. The parent and the first child are sent with
transmit off, the last child with it on (TWS-BEHAVIOUR.md C2).
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.desk.books import blocked_by_books
from tws.desk.commands import SubmitBracket, SubmitOrder
from tws.desk.limits import latch_if_broken, latches_on, limits_in_force
from tws.desk.losses import losses_now, money_of
from tws.desk.state import Group
from tws.desk.turn import Turn
from tws.model.contract import Contract
from tws.model.exercise import Exercising
from tws.model.instrument import Instrument
from tws.model.marketrule import FARTHEST
from tws.model.order import Bracket, Order, OrderType, Role, Side, TimeInForce
from tws.model.records import Approved, Denied, Intended, Planned
from tws.orders.book import OurOrder
from tws.orders.table import OrderEvent
from tws.risk.denial import Denial
from tws.risk.grid import wild
from tws.risk.situation import Proposal, Situation

__all__ = ["EXIT_TIF", "MAX_ORDER_ID", "approve", "blocked", "deny", "intend", "no_ids", "place_exit",
           "situation", "submit_bracket", "submit_order", "usual_orders"]

_ZERO = Decimal(0)
_ONE = Decimal(1)
EXIT_TIF = TimeInForce.GTC
"""Of a trade's stops and targets: a DAY order would leave what is held bare from the close on, and for good
where the trader is dead by then.
"""
MAX_ORDER_ID = 2**31 - 2
"""The highest id of ours: 2147483647 is what manual orders carry (TWS-BEHAVIOUR.md C4)."""


def submit_bracket(turn: Turn, command: SubmitBracket) -> None:
    """Judge an entry with its two children; then intend and approve all three, or deny all."""
    plan, account = command.bracket, turn.state.account
    where = situation(turn, command.instrument.contract, plan.side, signal=(plan.strategy, plan.signal_id))
    denial = wild(quantity=plan.quantity, limit_price=plan.limit_price, stop_price=plan.stop_price,
                  target_price=plan.target_price, trail=plan.trail, trail_percent=plan.trail_percent,
                  break_even=plan.break_even, break_even_offset=plan.break_even_offset)
    base = turn.state.groups.get(command.joins)
    if denial is None:
        plan = _not_behind(_snapped(plan, command.instrument), base)
    stop = _stop_of(plan, command.instrument, where) if denial is None else Order(
        side=plan.side.opposite, quantity=plan.quantity, order_type=OrderType.STOP)
    stop = replace(_as_that_of(stop, base), account=account)
    orders = _three(plan, stop)
    denial = denial or _cannot_join(turn, command) or _wrong_sides(plan, stop, where)
    proposals = []
    for role, order in orders:
        child = None if role is Role.ENTRY else plan.quantity
        proposal = Proposal(instrument=command.instrument, order=order, role=role, strategy=plan.strategy,
                            signal_id=plan.signal_id, joins=command.joins, parent_quantity=child,
                            attached=child is not None, messages=len(orders))
        proposals.append(proposal)
        denial = denial or turn.gate.judge(proposal, where) or no_ids(turn, len(orders))
    if denial is not None:
        deny(turn, denial, plan.contract, Role.ENTRY, orders[0][1], plan.strategy, plan.signal_id)
        latch_if_broken(turn, denial, plan.contract.symbol)
        return
    group_id = _next_intent_id(turn)
    turn.emit(Planned(at_ns=turn.now_ns, group_id=group_id, contract=command.instrument.contract,
                      tick=command.instrument.tick, lot=command.instrument.lot, side=plan.side,
                      quantity=plan.quantity, stop_price=plan.stop_price, target_price=plan.target_price,
                      strategy=plan.strategy, signal_id=plan.signal_id, reference=where.mid,
                      joins=command.joins, trail=stop.trail, trail_percent=stop.trail_percent,
                      trigger_price=stop.trigger_price, adjusted_stop_price=stop.adjusted_stop_price,
                      target_follows=plan.target_follows, stop_follows=plan.stop_follows))
    parent = 0
    intents = []
    for proposal in proposals:
        intent = intend(turn, group_id, proposal, parent)
        parent = parent or intent.order_id
        intents.append(intent)
    for intent, proposal in zip(intents, proposals, strict=True):
        approve(turn, intent, proposal, where)


def _three(plan: Bracket, stop: Order) -> tuple[tuple[Role, Order], ...]:
    """A bracket's orders, in the order in which they are sent."""
    entry = Order(side=plan.side, quantity=plan.quantity, limit_price=plan.limit_price, tif=plan.tif,
                  order_type=OrderType.MARKET if plan.limit_price is None else OrderType.LIMIT,
                  account=stop.account, transmit=False)
    target = Order(side=plan.side.opposite, quantity=plan.quantity, order_type=OrderType.LIMIT,
                   limit_price=plan.target_price, tif=EXIT_TIF, account=stop.account, transmit=False)
    return (Role.ENTRY, entry), (Role.TARGET, target), (Role.STOP, stop)


def usual_orders(contract: Contract, account: str) -> list[Order]:
    """What a bracket at the market sends, and the close of what it made, on either side: as they will leave
    but for their numbers, for whoever makes ready for them.
    """
    found = []
    for side in Side:
        plan = Bracket(contract=contract, side=side, quantity=_ONE, limit_price=None, target_price=_ONE,
                       stop_price=_ONE)
        stop = Order(side=side.opposite, quantity=_ONE, stop_price=_ONE, tif=EXIT_TIF, account=account,
                     order_type=OrderType.STOP)
        close = Order(side=side, quantity=_ONE, account=account)
        found += [replace(order, order_ref="-", parent_id=int(role is not Role.ENTRY))
                  for role, order in _three(plan, stop)]
        found.append(replace(close, order_ref="-"))
    return found


def submit_order(turn: Turn, command: SubmitOrder) -> None:
    """One order. An entry opens a trade without protection; an exit must prove that it reduces."""
    instrument = command.instrument
    order = Order(side=command.side, quantity=command.quantity, order_type=command.order_type,
                  limit_price=command.limit_price, stop_price=command.stop_price, tif=command.tif,
                  account=turn.state.account, outside_rth=command.outside_rth, trail=command.trail,
                  trail_percent=command.trail_percent)
    where = situation(turn, instrument.contract, command.side, signal=(command.strategy, command.signal_id))
    shrinks = turn.state.kill.reduces_only(instrument.contract.symbol, command.strategy)
    role = Role.CLOSE if shrinks and command.role is Role.ENTRY else command.role
    proposal = Proposal(instrument=instrument, order=order, role=role, strategy=command.strategy,
                        signal_id=command.signal_id)
    denial = turn.gate.judge(proposal, where) or no_ids(turn, 1)
    if denial is not None:
        deny(turn, denial, instrument.contract, role, order, command.strategy, command.signal_id)
        latch_if_broken(turn, denial, instrument.contract.symbol)
        return
    group_id = ""
    if role is Role.ENTRY:
        group_id = _next_intent_id(turn)
        turn.emit(Planned(at_ns=turn.now_ns, group_id=group_id, contract=instrument.contract,
                          tick=instrument.tick, lot=instrument.lot, side=command.side,
                          quantity=command.quantity, strategy=command.strategy, signal_id=command.signal_id,
                          reference=where.mid))
    approve(turn, intend(turn, group_id, proposal), proposal, where)


def place_exit(
    turn: Turn, group: Group | None, instrument: Instrument, role: Role, order: Order
) -> OurOrder | None:
    """An exit that the desk itself wants, judged like any other. None, and a `Denied`, when it is refused."""
    group_id = group.group_id if group is not None else ""
    where = situation(turn, instrument.contract, order.side, without_exits_of=group_id)
    order = replace(order, account=turn.state.account)
    # An exit of a trade is held to what the trade has: another one may hold the same shares the other way.
    held = abs(turn.state.in_account(group)) if group is not None else None
    proposal = Proposal(instrument=instrument, order=order, role=role, parent_quantity=held)
    denial = turn.gate.judge(proposal, where) or no_ids(turn, 1)
    if denial is not None:
        deny(turn, denial, instrument.contract, role, order, group_id=group_id)
        return None
    intent = intend(turn, group_id, proposal)
    approve(turn, intent, proposal, where)
    return intent


def situation(
    turn: Turn, contract: Contract, side: Side, *, signal: tuple[str, str] = ("", ""),
    without_exits_of: str = "",
) -> Situation:
    """Where we stand on a contract. `without_exits_of` leaves out a trade whose exits end each other."""
    state, reckoned = turn.state, turn.reckoned
    exposure = state.totals.on(contract)
    buys = side is Side.BUY
    money = money_of(turn, contract.currency)
    others = reckoned.worth.others(state, turn.quotes, contract, money)
    strategy, signal_id = signal
    loss, drawdown = losses_now(turn)
    cover = owed = _ZERO
    if not buys:
        cover, owed = reckoned.covers.free(state, contract), reckoned.covers.owed(state, contract)
    return Situation(
        now_ns=turn.now_ns, port=state.port, account=state.account, managed_accounts=state.accounts,
        net=state.net(contract), working_buys=exposure.buys, working_sells=exposure.sells,
        working_exits=state.totals.exits(contract, side, without_exits_of),
        missing=state.shortfall.get(state.ours.key(state.account, contract.con_id), _ZERO),
        orders_on_side=exposure.buy_orders if buys else exposure.sell_orders,
        unknown_orders=tuple(exposure.unknown), quote=turn.quotes.get(contract.con_id),
        signal_used=bool(signal_id) and f"{strategy}/{signal_id}" in state.signals,
        entries_blocked=state.kill.stopped(contract.symbol, strategy) or blocked(turn, contract),
        limits=limits_in_force(turn), hours=state.hours.get(contract.con_id),
        unlocked_until_ns=turn.gate.unlocked_until(state.account), latches=latches_on(state, contract.symbol),
        messages=state.messages, entries=state.entries.get(contract.symbol, ()),
        fingerprints=state.fingerprints, references=state.references.get(contract.con_id, ()),
        own_bid=exposure.own_bid, own_ask=exposure.own_ask, own_market_buys=exposure.market_buys,
        own_market_sells=exposure.market_sells, other_gross_notional=others.gross,
        other_if_bought=others.if_bought, other_if_sold=others.if_sold, other_symbol_notional=others.symbol,
        working_notional=others.working, buying_power=reckoned.stated("BuyingPower", state.account),
        day_trades=reckoned.day_trades(state.account), base=money.base, rate=money.rate(contract.currency),
        unrated=others.unrated, unrated_profit=reckoned.unrated, loss=loss, drawdown=drawdown,
        cover=cover, owed=owed)


def _cannot_join(turn: Turn, command: SubmitBracket) -> Denial | None:
    """Why a bracket can't add to the trade that it names."""
    if not command.joins:
        return None
    group, plan = turn.state.groups.get(command.joins), command.bracket
    reason = ""
    if group is None or command.joins not in turn.state.open_groups:
        reason = "there is no such trade, or it is over"
    elif group.joins:
        reason = "it adds to another trade itself"
    elif (group.contract.con_id, group.side) != (command.instrument.contract.con_id, plan.side):
        reason = f"that one is {group.side} of {group.contract.symbol}"
    elif turn.state.in_account(group) <= 0:
        reason = "it holds nothing yet"
    bound = "an open trade on the same side that holds shares"
    return Denial(limit="joins", figure=command.joins, bound=bound, reason=reason) if reason else None


def blocked(turn: Turn, contract: Contract, reversing: str = "") -> str:
    """Why no entry may leave now; `reversing` is the symbol whose own reversal asks."""
    state = turn.state
    if not state.link_up:
        return f"the link is {state.link}"
    if state.reconciled_epoch != state.epoch:
        return "the broker's orders, fills and positions have not all been read since the link came up"
    if contract.symbol in state.flattens:
        return f"{contract.symbol} is being flattened ({state.flattens[contract.symbol].phase})"
    if contract.symbol in state.reversals and contract.symbol != reversing:
        return f"{contract.symbol} is being reversed ({state.reversals[contract.symbol].phase})"
    return blocked_by_books(turn, contract)


def _snapped(plan: Bracket, instrument: Instrument) -> Bracket:
    """The bracket on the contract's grid: the entry is no dearer, the stop no farther than was wished."""
    buy = plan.side is Side.BUY
    limit = None if plan.limit_price is None else instrument.snap(plan.limit_price, up=not buy)
    trail = None if plan.trail is None else instrument.snap(plan.trail, up=True)
    return replace(plan, limit_price=limit, trail=trail, target_price=instrument.snap(plan.target_price),
                   stop_price=instrument.snap(plan.stop_price, up=buy))


def _stop_of(plan: Bracket, instrument: Instrument, where: Situation) -> Order:
    """The stop with what the broker is to do with it by itself. Break-even is reckoned from the entry's
    limit, or from the side of the market that it meets; on the grid its trigger is no nearer than wished.
    """
    buy, trails = plan.side is Side.BUY, plan.trail is not None or plan.trail_percent is not None
    trigger = adjusted = None

    def beyond(distance: Decimal) -> Decimal:
        price = (entry or _ZERO) + plan.side.sign * distance
        return instrument.snap(price, up=buy) if abs(price) <= FARTHEST else price  # the gate says what it is

    entry = plan.limit_price if plan.limit_price is not None else where.market(plan.side)
    if plan.break_even is not None and entry is not None:
        trigger, adjusted = beyond(plan.break_even), beyond(plan.break_even_offset)
    return Order(side=plan.side.opposite, quantity=plan.quantity, stop_price=plan.stop_price, tif=EXIT_TIF,
                 order_type=OrderType.TRAIL if trails else OrderType.STOP, trail=plan.trail,
                 trail_percent=plan.trail_percent, trigger_price=trigger, adjusted_stop_price=adjusted)


def _not_behind(plan: Bracket, base: Group | None) -> Bracket:
    """What adds to a trade whose stop trails begins with its stop where that one has come to, or nearer."""
    if base is None or base.stop_price is None or (base.trail is None and base.trail_percent is None):
        return plan
    come_to, own = base.stop_price, plan.stop_price
    return replace(plan, stop_price=come_to) if (come_to - own) * plan.side.sign > 0 else plan


def _as_that_of(stop: Order, base: Group | None) -> Order:
    """The stop of what adds to a trade moves as the trade's own does, unless it has a way of its own."""
    own = stop.order_type is OrderType.TRAIL or stop.trigger_price is not None
    if base is None or own:
        return stop
    trails = base.trail is not None or base.trail_percent is not None
    return replace(stop, order_type=OrderType.TRAIL if trails else OrderType.STOP, trail=base.trail,
                   trail_percent=base.trail_percent, trigger_price=base.trigger_price,
                   adjusted_stop_price=base.adjusted_stop_price)


def _wrong_sides(plan: Bracket, stop: Order, where: Situation) -> Denial | None:
    """The stop, the entry and the target must lie in the trade's order, or an exit triggers at once; and so
    must what the stop is to become, and when.
    """
    entry = plan.limit_price if plan.limit_price is not None else where.market(plan.side)
    if entry is None and plan.break_even is not None:
        return Denial(limit="bracket_sides", figure=f"break-even {plan.break_even} from an unknown entry",
                      bound="a limit, or a quote", reason="nothing says where break-even lies")
    if entry is None:
        return None  # no market: the stale limit will say so
    sign = plan.side.sign
    if not plan.stop_price * sign < entry * sign < plan.target_price * sign:
        return Denial(limit="bracket_sides", figure=f"stop {plan.stop_price}, target {plan.target_price}",
                      bound=f"entry {entry} between them", reason="an exit would act at once")
    trigger, adjusted = stop.trigger_price, stop.adjusted_stop_price
    if trigger is None or adjusted is None:
        return None
    if plan.stop_price * sign < adjusted * sign < trigger * sign <= plan.target_price * sign:
        return None
    return Denial(limit="bracket_sides", figure=f"break-even at {trigger} to {adjusted}",
                  bound=f"stop {plan.stop_price}, break-even, target {plan.target_price} in this order",
                  reason="the stop would be adjusted at once, or after the target")


def no_ids(turn: Turn, count: int) -> Denial | None:
    """Why so many orders can't be numbered."""
    next_id = turn.state.next_order_id
    if next_id >= 1 and next_id + count - 1 <= MAX_ORDER_ID:
        return None
    return Denial(limit="order_ids", figure=str(next_id), bound=f"1 to {MAX_ORDER_ID}",
                  reason="TWS has not named the next order id" if next_id < 1 else "the ids are used up")


def _next_intent_id(turn: Turn) -> str:
    return f"{turn.state.prefix}-{turn.state.serial + 1}"


def intend(
    turn: Turn, group_id: str, proposal: Proposal, parent_id: int = 0, exercise: Exercising | None = None
) -> OurOrder:
    """Give it its ids: intent and order id are one commit."""
    intent_id = _next_intent_id(turn)
    turn.emit(Intended(at_ns=turn.now_ns, intent_id=intent_id, serial=turn.state.serial + 1,
                       group_id=group_id, role=proposal.role, order_id=turn.state.next_order_id,
                       contract=proposal.contract,
                       order=replace(proposal.order, order_ref=intent_id, parent_id=parent_id),
                       exercise=exercise))
    return turn.state.book.orders[intent_id]


def approve(turn: Turn, intent: OurOrder, proposal: Proposal, where: Situation) -> None:
    """`where` is what it was judged in: the figures that are kept are those of the judgement."""
    asked = intent.order if intent.exercise is None else intent.exercise.wish
    turn.gate.approve((intent.intent_id, 0), intent.order_id, intent.contract, asked, intent.order.quantity)
    turn.emit(Approved(at_ns=turn.now_ns, intent_id=intent.intent_id, order_id=intent.order_id,
                       figures=turn.gate.measure(proposal, where)))
    turn.move(intent, OrderEvent.APPROVE)


def deny(
    turn: Turn, denial: Denial, contract: Contract, role: Role, order: Order, strategy: str = "",
    signal: str = "", group_id: str = "",
) -> None:
    """No order comes of it."""
    turn.emit(Denied(at_ns=turn.now_ns, symbol=contract.symbol, limit=denial.limit, figure=denial.figure,
                     bound=denial.bound, reason=denial.reason, role=role, side=order.side,
                     quantity=order.quantity, strategy=strategy, signal_id=signal, group_id=group_id))
