"""A journal held against the simulator's own books, which were kept by code that shares nothing with ours."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

from tws.desk import Desk
from tws.journal import read_journal
from tws.model.order import Role
from tws.model.records import Booked, Intended, Planned, decode_records
from tws.risk import Gate, Limits
from tws.testing import HostedTWS

__all__ = ["compare"]


def compare(journal: Path, tws: HostedTWS, symbols: tuple[str, ...]) -> list[str]:
    """What does not agree, in words; empty: nothing lost, nothing doubled."""
    records = list(decode_records(read_journal(journal)))
    desk = Desk(Gate(Limits()))
    desk.recover(records)
    state = desk.state
    wrong = []

    booked = Counter(
        each.execution.exec_id for each in records if isinstance(each, Booked) and each.intent_id
    )
    executed = Counter(each.exec_id for each in tws.executions())
    if booked != executed:
        wrong.append(
            f"fills: lost {set(executed) - set(booked)}, made up {set(booked) - set(executed)}, "
            f"twice {[name for name, count in booked.items() if count > 1]}"
        )

    open_refs = Counter(view.ticket.order_ref for view in tws.orders())
    ever = open_refs + Counter(done.order.ticket.order_ref for done in tws.completed_orders())
    meant = {each.intent_id for each in records if isinstance(each, Intended)}
    wrong += [f"order {ref} was placed {count} times" for ref, count in ever.items() if count > 1]
    wrong += [f"order {ref} was never meant" for ref in ever if ref not in meant]

    living = {each.intent_id for each in state.book.living()}
    if living != set(open_refs):
        wrong.append(f"open orders: ours {sorted(living)}, the broker's {sorted(open_refs)}")
    unknown = [each.intent_id for each in state.book.exposed() if each.state == "unknown"]
    wrong += [f"order {name} is of unknown outcome" for name in unknown]

    trades = Counter(each.signal_id for each in records if isinstance(each, Planned))
    wrong += [f"signal {name} acted {count} times" for name, count in trades.items() if count > 1]

    for symbol in symbols:
        ours = sum(
            (each.quantity for each in state.ours.holdings.values() if each.contract.symbol == symbol),
            Decimal(0),
        )
        theirs = tws.position(symbol)
        stops = sum(
            (
                each.open_quantity
                for each in state.book.living()
                if each.role is Role.STOP and each.contract.symbol == symbol and each.intent_id in open_refs
            ),
            Decimal(0),
        )
        if ours != theirs:
            wrong.append(f"{symbol}: ours {ours}, the broker's {theirs}")
        if stops < abs(theirs):
            wrong.append(f"{symbol}: {theirs} held, stops for {stops}")
    return wrong
