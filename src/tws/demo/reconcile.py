"""Three memories of one day, held against each other: the journal on disk, the desk, the simulated broker.

The journal is read back from its file and replayed into an empty desk; the simulated broker's books
were kept by code that shares nothing with ours. Exact means equal to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tws.demo.report import Check
from tws.desk import Desk, DeskState
from tws.model.records import Record
from tws.positions import PositionBook
from tws.risk import Gate, Limits
from tws.simulator import SimulatedTWS

__all__ = ["reconcile"]

_ZERO = Decimal(0)


def reconcile(simulator: SimulatedTWS, live: DeskState, records: Iterable[Record]) -> list[Check]:
    """The checks of a day that is over; `records` come from the journal's file."""
    again = Desk(Gate(Limits()))
    again.recover(records)
    exchange = simulator.exchange
    account = live.account
    reports = exchange.executions()
    rows = exchange.positions(account)
    replayed = again.state
    return [
        Check(what="executions", journal=_fills(replayed.ours), desk=_fills(live.ours),
              broker=_digest((r.executed.exec_id, r.executed.quantity, r.executed.price) for r in reports)),
        Check(what="shares traded", journal=_shares(replayed.ours), desk=_shares(live.ours),
              broker=_text(sum((r.executed.quantity for r in reports), _ZERO))),
        Check(what="commissions", journal=_fees(replayed.ours), desk=_fees(live.ours),
              broker=_text(sum((r.commission.amount for r in reports), _ZERO))),
        Check(what="profit after commissions", journal=_net(replayed.ours), desk=_net(live.ours),
              broker=_text(sum((row.realized_pnl for row in rows), _ZERO))),
        Check(what="positions", journal=_held(replayed.ours), desk=_held(live.ours),
              broker=_positions((row.con_id, row.quantity) for row in rows)),
        Check(what="orders still open", journal=str(len(replayed.book.alive)), desk=str(len(live.book.alive)),
              broker=str(len(exchange.open_orders()))),
        Check(what="orders ever placed", journal=_placed(replayed), desk=_placed(live),
              broker=str(len(exchange.completed_orders()) + len(exchange.open_orders()))),
    ]


def _fills(book: PositionBook) -> str:
    fills = (fill for holding in book.holdings.values() for fill in holding.fills.values())
    return _digest((fill.exec_id, abs(fill.quantity), fill.price) for fill in fills)


def _digest(fills: Iterable[tuple[str, Decimal, Decimal]]) -> str:
    """Number of distinct executions and their value: two sets that differ in one id or price differ here."""
    rows = sorted((exec_id, _text(quantity), _text(price)) for exec_id, quantity, price in fills)
    return f"{len(set(rows))} #{_checksum(repr(rows))}"


def _checksum(text: str) -> str:
    value = 0
    for byte in text.encode():
        value = (value * 257 + byte) % 0xFFFFFFFB
    return f"{value:08x}"


def _shares(book: PositionBook) -> str:
    return _text(sum((abs(f.quantity) for h in book.holdings.values() for f in h.fills.values()), _ZERO))


def _fees(book: PositionBook) -> str:
    return _text(sum((h.fees for h in book.holdings.values()), _ZERO))


def _net(book: PositionBook) -> str:
    return _text(sum((book.net_pnl(h) for h in book.holdings.values()), _ZERO))


def _held(book: PositionBook) -> str:
    return _positions((h.contract.con_id, h.quantity) for h in book.holdings.values())


def _positions(rows: Iterable[tuple[int, Decimal]]) -> str:
    held = sorted((con_id, _text(quantity)) for con_id, quantity in rows if quantity)
    return ", ".join(f"{con_id}: {quantity}" for con_id, quantity in held) or "flat"


def _placed(state: DeskState) -> str:
    return str(sum(1 for order in state.book.orders.values() if order.perms))


def _text(value: Decimal) -> str:
    """One spelling per value: 5, 5.0 and 5E+0 are the same money."""
    return f"{value.normalize():f}" if value else "0"
