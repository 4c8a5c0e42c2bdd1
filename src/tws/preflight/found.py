"""What stands at the broker before a run: which orders and positions are ours, and whose the others are.

Ours are those that the journal knows, by the name that each order bears (orderRef) and by our own fills.
Orders that a person placed in TWS bear client id 0 and no order id of ours (TWS-BEHAVIOUR.md D: 0 when
unbound, negative when bound); all others are those of another program, or of a journal that is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from tws.desk import DeskState
from tws.model.account import Position
from tws.model.facts import BrokerOrder
from tws.preflight.line import Line, Weight

__all__ = ["of_orders", "of_positions"]

SHOWN = 10
"""Rows named in one line; the rest are counted."""


def of_orders(
    orders: Sequence[BrokerOrder], desk: DeskState | None, client_id: int, symbols: Sequence[str]
) -> list[Line]:
    """A line for each kind of owner."""
    known = {} if desk is None else desk.book.orders
    kinds: dict[str, list[BrokerOrder]] = {}
    for each in orders:
        kinds.setdefault(_owner(each, known.keys(), client_id), []).append(each)
    lines = [_order_line(owner, rows, symbols) for owner, rows in kinds.items()]
    return lines or [Line(about="open orders", weight=Weight.OK, text="none is open")]


def _owner(order: BrokerOrder, ours: object, client_id: int) -> str:
    if order.order_ref and order.order_ref in ours:  # type: ignore[operator]
        return "ours"
    if order.client_id == 0 and order.order_id <= 0:
        return "placed by hand"
    if order.client_id == client_id:
        return "of this client id, unknown to the journal"
    return f"of client id {order.client_id}"


def _order_line(owner: str, rows: Sequence[BrokerOrder], symbols: Sequence[str]) -> Line:
    text = f"{len(rows)} {owner}: {_listed([_order(each) for each in rows])}"
    if owner == "ours":
        return Line(about="open orders", weight=Weight.OK, text=text)
    if all(each.contract.symbol not in symbols for each in rows):
        return Line(about="open orders", weight=Weight.OK, text=f"{text}; in nothing that a run would trade")
    cure = "A run leaves them alone; their fills move the account, so cancel in TWS what you don't mean"
    return Line(about="open orders", weight=Weight.WARNING, text=text, cure=cure)


def _order(each: BrokerOrder) -> str:
    price = each.limit_price if each.limit_price is not None else each.stop_price
    at = "" if price is None else f" at {price}"
    return f"{each.side} {each.quantity:f} {each.contract.symbol} {each.order_type}{at}"


def of_positions(
    rows: Sequence[Position], desk: DeskState | None, symbols: Sequence[str], forgets: Path | None = None
) -> list[Line]:
    """A line for each position: what is ours, and what others hold beside it. `forgets`: the state that goes
    with a simulated account, which a simulator that is started anew does not know.
    """
    holdings = () if desk is None else tuple(desk.ours.holdings.values())
    ours = {each.contract.con_id: each.quantity for each in holdings}
    stated = {each.contract.con_id: each for each in rows if each.quantity}
    lines = [_position(each, ours.get(con_id, Decimal(0)), symbols) for con_id, each in stated.items()]
    lines += [
        _missing(each.contract.symbol, each.quantity, forgets)
        for each in holdings
        if each.quantity and each.contract.con_id not in stated
    ]
    return lines or [Line(about="positions", weight=Weight.OK, text="none is held")]


def _position(row: Position, ours: Decimal, symbols: Sequence[str]) -> Line:
    symbol, others = row.contract.symbol, row.quantity - ours
    text = f"{symbol}: {row.quantity:f} in the account, ours {ours:f}"
    if not others:
        return Line(about="positions", weight=Weight.OK, text=text)
    text = f"{text}, others' {others:f}"
    if ours and (others > 0) != (ours > 0):
        cure = "Somebody moved shares of ours: start, then see tws status for what it wants (tws adjust)"
        return Line(about="positions", weight=Weight.WARNING, text=text, cure=cure)
    if symbol not in symbols:
        return Line(about="positions", weight=Weight.OK, text=text)
    cure = "A run does not touch them; its limits count what the account holds. Confirm: tws adjust --opening"
    return Line(about="positions", weight=Weight.WARNING, text=text, cure=cure)


def _missing(symbol: str, quantity: Decimal, forgets: Path | None) -> Line:
    text = f"{symbol}: ours {quantity:f} by the journal, and the account holds none"
    cure = "Start it: what was filled meanwhile is asked for; tws status then says what is left to explain"
    if forgets is not None:
        cure = f"If this simulator was started anew it knows nothing of them: delete {forgets}. Else {cure}"
    return Line(about="positions", weight=Weight.WARNING, text=text, cure=cure)


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
