"""Options of ours exercised, or let lapse: the wish judged, and what the broker's positions then show booked.

An exercise is an intent of the desk like an order: recorded with its ids, approved, sent once, asked about
when its outcome is unknown. It is judged twice: of the options it may take no more than is held and nobody
else may take; what it brings is an entry at the strike, with every limit of entries. A lapse brings nothing.

TWS shows what it took as an order of that id and without a reference (recorded), and says Filled when it is
carried out (assumed). No execution tells of it (assumed); the positions do. So "Filled" is a claim, like that
of a fill whose execution is not here, and it is borne out when the broker's positions differ from the
account's book by just what it takes and brings. Then both books move, by the record `Exercised`. Without the
word (a lost link) the same difference proves it once it has lasted as long as no fill is ever late.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from tws.desk.books import compare_position, confirmed_difference
from tws.desk.commands import SubmitExercise
from tws.desk.handback import charge
from tws.desk.submit import approve, blocked, deny, intend, no_ids, situation
from tws.desk.turn import Turn
from tws.model.contract import Contract
from tws.model.exercise import OPTIONS, STRIKE_STEP, ExerciseAction, Exercising
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, Role, Side
from tws.model.records import Exercised, OrderState, Severity
from tws.orders.book import OurOrder
from tws.orders.table import ENDED, OrderEvent
from tws.positions.holding import multiplier
from tws.risk.denial import Denial
from tws.risk.situation import Proposal, Situation

__all__ = ["exercise_numbered", "settle_exercises", "submit_exercise", "watch_exercises"]

_ZERO = Decimal(0)
_HUNDRED = "100"
"""TWS's multiplier of an option that states none (official)."""

_OVER = ENDED - {OrderState.FILLED, OrderState.ABSENT}
"""Ends after which the broker's positions have nothing of it to show. One that was proven absent may."""


def submit_exercise(turn: Turn, command: SubmitExercise) -> None:
    """Judge it, then intend and approve it, or deny it."""
    contract, wish = command.instrument.contract, command.wish
    wish = replace(wish, account=wish.account or turn.state.account)
    role = Role.EXERCISE if wish.action is ExerciseAction.EXERCISE else Role.LAPSE
    taken = Order(side=Side.SELL, quantity=Decimal(wish.quantity), account=wish.account)
    intent = Exercising(wish=wish, strategy=command.strategy, signal_id=command.signal_id)
    # `attached`: it meets no order of ours on a market.
    proposal = asked = Proposal(instrument=command.instrument, order=taken, role=role, attached=True,
                                strategy=command.strategy, signal_id=command.signal_id)
    where = situation(turn, contract, Side.SELL, signal=(command.strategy, command.signal_id))
    denial = _impossible(command, where) or turn.gate.judge(proposal, where)
    if denial is None and command.underlying is not None and role is Role.EXERCISE:
        intent = _with_shares(intent, contract, command.underlying.contract)
        proposal = _entry(proposal, intent, command.underlying)
        where = situation(turn, proposal.contract, proposal.order.side,
                          signal=(command.strategy, command.signal_id))
        blocks = where.entries_blocked or blocked(turn, contract)
        denial = turn.gate.judge(proposal, replace(where, entries_blocked=blocks))
    denial = denial or no_ids(turn, 1)
    if denial is not None:
        deny(turn, denial, contract, role, taken, command.strategy, command.signal_id)
    else:
        approve(turn, intend(turn, "", asked, exercise=intent), proposal, where)


def _impossible(command: SubmitExercise, where: Situation) -> Denial | None:
    """What no limit is needed for."""
    contract, count = command.instrument.contract, command.wish.quantity
    exercises = command.wish.action is ExerciseAction.EXERCISE
    under = command.underlying.contract if command.underlying is not None else None
    free = where.net - where.missing - where.working_exits
    what, held = f"{contract.sec_type} {contract.symbol}".strip(), f"{where.net} held"

    def no(figure: str, bound: str, reason: str) -> Denial:
        return Denial(limit="exercise", figure=figure, bound=bound, reason=reason)

    if where.signal_used:
        return Denial(limit="duplicate", figure=command.signal_id, bound="each signal once",
                      reason="this signal has already acted")
    known = contract.con_id > 0 and contract.strike and contract.right[:1] in ("C", "P")
    if contract.sec_type not in OPTIONS or not known:
        return no(what, "an option with its con_id, strike and right", "it is no option that the desk knows")
    if exercises and (under is None or under.con_id <= 0):
        return no(what, "its underlying with a con_id", "nothing says what it is an option on")
    if exercises and under is not None and under.sec_type == "IND":
        return no(what, "options that bring shares or futures", "it is settled in cash, of a sum that nobody "
                  "states: exercise it in TWS, then record it with `tws adjust`")
    if where.net <= 0:
        short = "a short holding is assigned, never exercised"
        return no(held, "options of ours, held long", short if where.net else
                  "none of these is ours; what else the account holds is others'")
    if count > free:
        reason = "that is more than is held"
        if count <= where.net - where.missing:
            reason = "other orders and exercises may take the rest: cancel those first"
        return no(str(count), str(max(free, _ZERO)), reason)
    return None


def _with_shares(intent: Exercising, contract: Contract, under: Contract) -> Exercising:
    """What each contract brings: its multiplier of shares, of a future one (as the exchange delivers)."""
    each = Decimal(1)
    if under.sec_type != "FUT":
        each = multiplier(contract if contract.multiplier else replace(contract, multiplier=_HUNDRED))
    if contract.right.startswith("P"):
        each = -each
    return replace(intent, underlying=under, each=each, strike=Decimal(repr(contract.strike)))


def _entry(proposal: Proposal, intent: Exercising, underlying: Instrument) -> Proposal:
    """The entry that it is in effect. A strike keeps to no grid of prices."""
    shares = intent.each * intent.wish.quantity
    order = Order(side=Side.BUY if shares > 0 else Side.SELL, quantity=abs(shares), outside_rth=True,
                  order_type=OrderType.LIMIT, limit_price=intent.strike, account=intent.wish.account)
    instrument = replace(underlying, tick=STRIKE_STEP, rule=None)
    return replace(proposal, instrument=instrument, order=order, role=Role.ENTRY)


# -- what becomes of it


def exercise_numbered(turn: Turn, client_id: int, order_id: int) -> OurOrder | None:
    """The exercise of ours with this order id. Its name travels in no orderRef, and the id was never used
    before: ids of ours only ever rise.
    """
    if client_id != turn.state.client_id or not turn.state.book.exercises:
        return None
    order = turn.state.book.numbered(order_id)
    return order if order is not None and order.exercise is not None else None


def settle_exercises(turn: Turn) -> None:
    """Book what the broker's positions show to be carried out."""
    state = turn.state
    if not state.book.exercises or not state.differs or state.reconciled_epoch != state.epoch:
        return
    by_symbol: dict[str, list[OurOrder]] = {}
    for order in _unbooked(turn):
        by_symbol.setdefault(order.contract.symbol, []).append(order)
    for orders in by_symbol.values():
        told = [order for order in orders if order.missing]
        silent = [order for order in orders if not order.missing]
        for each in (told, orders, *([*told, order] for order in silent), *([order] for order in told)):
            if each and _is_shown(turn, each):
                for order in each:
                    _book(turn, order)
                break


def watch_exercises(turn: Turn) -> None:
    """What the broker calls carried out and his positions do not show: a human has to look."""
    for order in tuple(_unbooked(turn)):
        if order.missing and turn.now_ns - order.changed_ns >= turn.timing.differs_ns:
            turn.alarm(Severity.ALARM, f"owed {order.intent_id}",
                       f"{order.role} {order.intent_id} ({order.contract.symbol}): the broker calls it "
                       "carried out, and his positions do not show just that. Look in TWS, then `tws adjust` "
                       "the positions, and `tws declare` it gone")


def _unbooked(turn: Turn) -> Iterator[OurOrder]:
    for intent_id in turn.state.book.exercises:
        order = turn.state.book.orders[intent_id]
        over = order.state in _OVER or (order.state is OrderState.FILLED and not order.missing)
        if not over and order.state is not OrderState.INTENDED:
            yield order


def _is_shown(turn: Turn, orders: list[OurOrder]) -> bool:
    """Whether the positions differ by just what these take and bring together. What the broker has not called
    carried out wants a difference that has lasted.
    """
    state = turn.state
    wanted: dict[int, Decimal] = {}
    for order in orders:
        assert order.exercise is not None
        count = order.order.quantity
        wanted[order.contract.con_id] = wanted.get(order.contract.con_id, _ZERO) - count
        if order.exercise.underlying is not None:
            under = order.exercise.underlying.con_id
            wanted[under] = wanted.get(under, _ZERO) + order.exercise.each * count
    silent = any(not order.missing for order in orders)
    for con_id, change in wanted.items():
        key = state.ours.key(state.account, con_id)
        stated = state.stated.get(key)
        quantity = stated.quantity if stated is not None else _ZERO
        if quantity - state.account_book.quantity(state.account, con_id) != change:
            return False
        if change and silent and not confirmed_difference(turn, key):
            return False
    return True


def _book(turn: Turn, order: OurOrder) -> None:
    """Both books move, and the trades that held what it took or closed."""
    state, exercise = turn.state, order.exercise
    assert exercise is not None
    told, count, under = bool(order.missing), order.order.quantity, exercise.underlying
    basis = "the broker says so and his positions show it" if told else "his positions show it"
    shares = exercise.each * count
    turn.emit(Exercised(at_ns=turn.now_ns, intent_id=order.intent_id, account=state.account,
                        contract=order.contract, quantity=count, underlying=under, shares=shares,
                        strike=exercise.strike, basis=basis))
    charge(turn, order.contract, -count)
    if under is not None:
        charge(turn, under, shares, excess=False)
    if order.state is not OrderState.FILLED:
        turn.move(order, OrderEvent.FILL, cause=basis)
    for contract in (order.contract, *(() if under is None else (under,))):
        compare_position(turn, state.account, contract)
    if under is not None and state.net(under):
        turn.alarm(Severity.WARNING, f"exercised {order.intent_id}",
                   f"{count} {order.contract.symbol} were exercised: {shares:+f} at {exercise.strike}, "
                   f"{state.net(under)} are held now, and no stop guards what came")
