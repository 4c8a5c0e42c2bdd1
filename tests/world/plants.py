"""Bugs to plant: each breaks the real trader in the one way that its name says, by a wrapper around a part.

They are the mistakes of INCIDENTS.md, and of traders in general. `tests/world/test_planted.py` switches each
on alone and demands that the checkers see it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tws.clock import NS_PER_S
from tws.connection.lane import FactLane
from tws.desk import Desk, Place, protect, reconcile
from tws.desk import desk as desk_module
from tws.desk.state import KillSwitch
from tws.desk.turn import Turn
from tws.errors import TWSError
from tws.model.execution import Commission, Execution
from tws.model.facts import Answer, AnswerKind, BrokerReply, Link, LinkState
from tws.model.order import OrderType, Role
from tws.model.records import Approved, Moved, OrderState, Record, encode_record
from tws.orders.book import OrderBook, OurOrder
from tws.orders.table import ENDED, OrderEvent
from tws.positions import Balance, Holding, Move, PositionBook, holding
from tws.runtime.engine import Engine
from tws.runtime.fence import Fence
from tws.runtime.hands import Hands

__all__ = ["PLANTS", "Plant"]

Plant = Callable[[pytest.MonkeyPatch], None]


# -- facts on their way into the desk


def _facts(patch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """Change each fact on its way into the lane; None drops it."""
    put = FactLane.put

    def changed(lane: FactLane, fact: Any) -> None:
        fact = change(fact)
        if fact is not None:
            put(lane, fact)

    patch.setattr(FactLane, "put", changed)


def _fills(fact: Any, change: Callable[[Execution], Execution | None]) -> Any:
    """The same change of fills, also of those that come with an answer."""
    if isinstance(fact, Answer) and fact.kind is AnswerKind.EXECUTIONS:
        rows = tuple(row for row in map(change, fact.executions) if row is not None)
        return msgspec.structs.replace(fact, executions=rows)
    return change(fact) if isinstance(fact, Execution) else fact


def drop_a_fill(patch: pytest.MonkeyPatch) -> None:
    def lose(fill: Execution) -> Execution | None:
        return None if "00000003." in fill.exec_id else fill

    _facts(patch, lambda fact: _fills(fact, lose))


def drop_a_fill_during_1100(patch: pytest.MonkeyPatch) -> None:
    """What comes while TWS has no line, and what the first answer after that tells, is for ever ignored."""
    dark = {"now": False, "was": False}
    lost: set[str] = set()

    def hear(fact: Any) -> Any:
        if isinstance(fact, Link):
            dark["was"] = dark["was"] or fact.state is LinkState.BROKER_LOST
            dark["now"] = fact.state is LinkState.BROKER_LOST
        answer = isinstance(fact, Answer) and fact.kind is AnswerKind.EXECUTIONS
        live = isinstance(fact, Execution) and dark["now"]
        if live:
            lost.add(fact.exec_id)
        if answer and dark["was"]:
            known = heard
            lost.update(row.exec_id for row in fact.executions if row.exec_id not in known)
            dark["was"] = dark["now"]
        fact = _fills(fact, lambda fill: None if fill.exec_id in lost else fill)
        if isinstance(fact, Execution):
            heard.add(fact.exec_id)
        return fact

    heard: set[str] = set()
    _facts(patch, hear)


def book_a_wrong_price(patch: pytest.MonkeyPatch) -> None:
    def dearer(fill: Execution) -> Execution:
        return msgspec.structs.replace(fill, price=fill.price + Decimal("0.01"))

    _facts(patch, lambda fact: _fills(fact, dearer))


def forget_the_fees(patch: pytest.MonkeyPatch) -> None:
    _facts(patch, lambda fact: None if isinstance(fact, Commission) else fact)


# -- what the desk makes of them


def count_a_fill_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PositionBook, "knows", lambda book, execution: False)


def misprice_a_reversal(patch: pytest.MonkeyPatch) -> None:
    """What a fill opens beyond zero gets the average cost of what it closed."""
    right = holding.step

    def step(at: Balance, move: Move) -> Balance:
        after = right(at, move)
        if at.quantity * after.quantity < 0:
            after = after._replace(cost=at.cost / at.quantity * after.quantity)
        return after

    patch.setattr(holding, "step", step)


def drop_a_fee_at_a_correction(patch: pytest.MonkeyPatch) -> None:
    correct, settle = PositionBook._correct, PositionBook._settle_fee

    def corrected(book: PositionBook, where: Holding, base: str, execution: Execution) -> Decimal:
        book.fees.pop(base, None)
        where.fills[base].fee = Decimal(0)
        return correct(book, where, base, execution)

    def settled(book: PositionBook, where: Holding, base: str) -> bool:
        return not where.fills[base].revision > 1 and settle(book, where, base)

    patch.setattr(PositionBook, "_correct", corrected)
    patch.setattr(PositionBook, "_settle_fee", settled)


def take_10349_for_a_cancel(patch: pytest.MonkeyPatch) -> None:
    hear = desk_module._HEARD[BrokerReply]

    def heard(turn: Turn, fact: BrokerReply) -> None:
        order = turn.state.book.numbered(fact.order_id)
        if fact.code == 10349 and order is not None:
            turn.move(order, OrderEvent.CANCEL, cause=fact.text)
        else:
            hear(turn, fact)

    patch.setitem(desk_module._HEARD, BrokerReply, heard)


def forget_a_perm_id(patch: pytest.MonkeyPatch) -> None:
    def bind(book: OrderBook, order: OurOrder, perm_id: int, order_id: int) -> None:
        """Nothing is remembered."""

    patch.setattr(OrderBook, "bind", bind)


def forget_an_unknown_order(patch: pytest.MonkeyPatch) -> None:
    """A lost link counts as a rejection."""
    move = Turn.move

    def moved(turn: Turn, order: OurOrder, event: OrderEvent, **said: Any) -> None:
        move(turn, order, event, **said)
        if event is OrderEvent.LOSE and order.state is OrderState.UNKNOWN:
            move(turn, order, OrderEvent.ABSENCE, cause="the link was lost")

    patch.setattr(Turn, "move", moved)


def believe_a_stale_open_order(patch: pytest.MonkeyPatch) -> None:
    """Any word of life revives an ended order."""
    move = Turn.move

    def moved(turn: Turn, order: OurOrder, event: OrderEvent, **said: Any) -> None:
        if order.state in ENDED and event in (OrderEvent.ACK, OrderEvent.WORK):
            turn.emit(
                Moved(
                    at_ns=turn.now_ns,
                    intent_id=order.intent_id,
                    event=event,
                    before=order.state,
                    state=OrderState.WORKING,
                )
            )
        else:
            move(turn, order, event, **said)

    patch.setattr(Turn, "move", moved)


def shrink_a_stop_late(patch: pytest.MonkeyPatch) -> None:
    """For twenty minutes exits have the size that the trade was to have, not that of what it holds."""
    set_right, protect_anew = protect._set_right, protect._protect_anew

    def is_late(turn: Turn, group: Any) -> bool:
        return turn.now_ns - (group.bare_since_ns or turn.now_ns) > 1200 * NS_PER_S

    def resize_late(turn: Turn, group: Any, *others: Any) -> None:
        if is_late(turn, group):
            set_right(turn, group, *others)

    def too_large(turn: Turn, group: Any, held: Decimal) -> None:
        protect_anew(turn, group, held if is_late(turn, group) else group.quantity)

    patch.setattr(protect, "_set_right", resize_late)
    patch.setattr(protect, "_protect_anew", too_large)


def leave_the_rest_bare(patch: pytest.MonkeyPatch) -> None:
    """Whoever lost its stop gets no other."""
    patch.setattr(protect, "_protect_anew", lambda turn, group, held: None)


def leave_the_rest_bare_and_say_nothing(patch: pytest.MonkeyPatch) -> None:
    """For a minute nobody is told that the stop is gone, and no other takes its place."""
    right = protect._protect_anew

    def late(turn: Turn, group: Any, held: Decimal) -> None:
        if turn.over(group.bare_since_ns or turn.now_ns, 60 * NS_PER_S):
            right(turn, group, held)

    patch.setattr(protect, "_protect_anew", late)
    patch.setattr(protect, "_say_bare", lambda turn, group, held: None)


def trap_an_exit_in_a_limit(patch: pytest.MonkeyPatch) -> None:
    """What is to close a position waits at a price of yesterday."""
    place = Hands._place

    def trapped(hands: Hands, effect: Place) -> None:
        order = effect.order
        if order.order_type is OrderType.MARKET and not order.parent_id and order.transmit:
            price = Decimal(1) if order.side.sign > 0 else Decimal(5000)
            order = msgspec.structs.replace(order, order_type=OrderType.LIMIT, limit_price=price)
            outbound = hands._connection.outbound
            if outbound._wire.is_open():
                outbound._wire.write(outbound._encoder.order(effect.order_id, effect.contract, order)[0])
        else:
            place(hands, effect)

    patch.setattr(Hands, "_place", trapped)


# -- what leaves


def send_an_order_twice(patch: pytest.MonkeyPatch) -> None:
    """As a trader would that gives an order of unknown outcome a new id and sends it again."""
    place = Hands._place

    def twice(hands: Hands, effect: Place) -> None:
        place(hands, effect)
        _write(hands, effect, effect.order_id + 1000)

    patch.setattr(Hands, "_place", twice)


def retry_a_submit(patch: pytest.MonkeyPatch) -> None:
    """What was never acknowledged is sent again, under its own id, every two seconds."""
    place, heard = Hands._place, set[int]()

    def hear(fact: Any) -> Any:
        heard.add(getattr(fact, "order_id", 0))
        return fact

    def retried(hands: Hands, effect: Place) -> None:
        def again(left: int) -> None:
            if left and effect.order_id not in heard:
                _write(hands, effect, effect.order_id)
                asyncio.get_running_loop().call_later(2.0, again, left - 1)

        place(hands, effect)
        if not effect.modifies:
            heard.discard(effect.order_id)
            asyncio.get_running_loop().call_later(2.0, again, 5)

    _facts(patch, hear)
    patch.setattr(Hands, "_place", retried)


def reuse_an_order_id(patch: pytest.MonkeyPatch) -> None:
    """After a restart ids go on where TWS says, however far back that is, and a bit further back."""
    recover = Desk.recover

    def forgetful(desk: Desk, records: Any) -> None:
        recover(desk, records)
        desk.state.next_order_id = max(1, desk.state.next_order_id - 3) if desk.state.prefix else 0

    patch.setattr(Desk, "recover", forgetful)
    patch.setattr(reconcile, "hear_next_order_id", lambda turn, fact: None)
    patch.setattr("tws.desk.hear.raise_floor", lambda turn, client_id, order_id: None)


def enter_under_a_stop(patch: pytest.MonkeyPatch) -> None:
    """The emergency stop holds back nobody who did not see it fall."""
    patch.setattr(KillSwitch, "stopped", lambda switch, symbol, strategy: "")


def send_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    async def hasty(engine: Engine, records: Sequence[Record]) -> None:
        if records:
            assert engine._store is not None
            engine._store.append([encode_record(record) for record in records])
            commit = asyncio.ensure_future(engine._store.commit())  # the bug: nobody awaits it
            commit.add_done_callback(lambda done: done.cancelled() or done.exception())

    patch.setattr(Engine, "_remember", hasty)


def wake_after_the_latch(patch: pytest.MonkeyPatch) -> None:
    """The safety file is not read before the byte: what was let out before a sleep leaves after it."""
    patch.setattr(Fence, "judge", lambda fence, call: None)


def skip_the_gate_for_exits(patch: pytest.MonkeyPatch) -> None:
    """Exits leave without a word of approval."""
    emit, effects = Turn.emit, Desk.effects

    def is_exit(state: Any, record: Any) -> bool:
        return state.book.orders[record.intent_id].role is not Role.ENTRY

    def emitted(turn: Turn, record: Record) -> None:
        if not (isinstance(record, Approved) and is_exit(turn.state, record)):
            emit(turn, record)

    def acted(desk: Desk, record: Record) -> Any:
        if isinstance(record, Moved) and record.event == OrderEvent.APPROVE and is_exit(desk.state, record):
            order = desk.state.book.orders[record.intent_id]
            record = Approved(at_ns=record.at_ns, intent_id=order.intent_id, order_id=order.order_id)
        return effects(desk, record)

    patch.setattr(Turn, "emit", emitted)
    patch.setattr(Desk, "effects", acted)


def _write(hands: Hands, effect: Place, order_id: int) -> None:
    """Straight to the socket, past every gate."""
    outbound = hands._connection.outbound
    try:
        frame, _ = outbound._encoder.order(order_id, effect.contract, effect.order)
    except TWSError:
        return
    if outbound._wire.is_open():
        outbound._wire.write(frame)


PLANTS: dict[str, tuple[Plant, str, int]] = {
    plant.__name__: (plant, words, seed)
    for plant, words, seed in (
        (drop_a_fill, "is in the journal 0 times", 0),
        (drop_a_fill_during_1100, "is in the journal 0 times", 106),
        (count_a_fill_twice, "in the journal [2-9] times|book holds", 1),
        (book_a_wrong_price, "the market says", 0),
        (misprice_a_reversal, "profit .* by the ledger", 14),
        (drop_a_fee_at_a_correction, "fees .* by the executions", 0),
        (forget_the_fees, "fee of", 0),
        (take_10349_for_a_cancel, "is cancelled on disk, and works at the broker", 8),
        (forget_a_perm_id, "permanent id", 0),
        (forget_an_unknown_order, "is absent on disk, and works at the broker", 5),
        (believe_a_stale_open_order, "revived", 48),
        (shrink_a_stop_late, "are guarded", 88),
        (leave_the_rest_bare, "are guarded", 4),
        (leave_the_rest_bare_and_say_nothing, "no alarm told", 4),
        (trap_an_exit_in_a_limit, "not flat|the intent is", 0),
        (send_an_order_twice, "arrived as order", 0),
        (retry_a_submit, "arrived [2-9] times", 1),
        (reuse_an_order_id, "order id .* arrived as|next_order_id differ", 0),
        (send_before_the_commit, "arrived before its intent was on disk", 0),
        (skip_the_gate_for_exits, "no gate approved it", 0),
        (wake_after_the_latch, "latched on disk|lease is gone", 45),
        (enter_under_a_stop, "is stopped", 0),
    )
}
"""Each bug, words of the complaint by which it is to be seen (a pattern), and a seed that saw it once: it is
played first, since the same code sees it there again."""
