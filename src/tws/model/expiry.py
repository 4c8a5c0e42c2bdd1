"""When a future ends: how many days are left, and the words in which a human is told in time.

Nothing rolls by itself: before its last trading day somebody closes a future and names the next month. The
last trading day is the broker's (`Contract.last_trade_date`, a day of the exchange); it is compared with the
day by UTC, which is at most some hours off from that of any exchange.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tws.clock import to_datetime
from tws.model.contract import Contract

__all__ = ["ROLL_DAYS", "days_left", "ending"]

ROLL_DAYS = 8
"""From so many days before its end a human is told: an equity index rolls on the Thursday of the week before
its last Friday (reported: exchanges' roll dates), others earlier still."""


def days_left(contract: Contract, now_ns: int) -> int | None:
    """Days until a future's last trading day: 0 on it, negative after it. None for what is no future, and
    where no day is stated.
    """
    last = contract.last_trade_date
    if contract.sec_type != "FUT" or len(last) != 8 or not (last.isascii() and last.isdigit()):
        return None
    try:
        return (date(int(last[:4]), int(last[4:6]), int(last[6:])) - to_datetime(now_ns).date()).days
    except ValueError:
        return None


def ending(contracts: Iterable[Contract], now_ns: int) -> list[str]:
    """A line for each future that ends within `ROLL_DAYS`, the first to end first; each contract once."""
    found: dict[object, tuple[int, Contract]] = {}
    for each in contracts:
        left = days_left(each, now_ns)
        if left is not None and left <= ROLL_DAYS:
            found[each.con_id or each] = left, each
    return [_told(left, each) for left, each in sorted(found.values(), key=lambda row: row[0])]


def _told(left: int, contract: Contract) -> str:
    name, last = contract.local_symbol or contract.symbol, contract.last_trade_date
    when = "PAST" if left < 0 else {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
    return (f"{name}: its last trading day {last[:4]}-{last[4:6]}-{last[6:]} is {when}; nothing rolls by "
            "itself: close it, and name the next month")
