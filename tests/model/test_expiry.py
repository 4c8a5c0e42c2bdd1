"""When a future ends, and what a human is told of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tws.clock import to_ns
from tws.model.contract import Contract, future, stock
from tws.model.expiry import days_left, ending

ES = replace(future("ES", "20261218", "CME"), con_id=1, local_symbol="ESZ6")
NQ = replace(future("NQ", "20261217", "CME"), con_id=2, local_symbol="NQZ6")


def at(day: int, hour: int = 15) -> int:
    return to_ns(datetime(2026, 12, day, hour, tzinfo=UTC))


@pytest.mark.parametrize(("day", "left"), [(9, 9), (10, 8), (17, 1), (18, 0), (19, -1)])
def test_days_are_counted_to_the_last_trading_day(day: int, left: int) -> None:
    assert days_left(ES, at(day)) == days_left(ES, at(day, 0)) == left


@pytest.mark.parametrize("contract", [
    stock("ES"), future("ES", "202612", "CME"), replace(ES, last_trade_date="20261318"),
    replace(ES, sec_type="OPT"), replace(ES, last_trade_date="2026121x"),
])  # fmt: skip
def test_what_states_no_day_has_none(contract: Contract) -> None:
    assert days_left(contract, at(18)) is None and ending([contract], at(18)) == []


def test_the_first_to_end_is_told_first_and_each_once() -> None:
    assert ending([ES, NQ, ES, stock("SPY")], at(9)) == [
        "NQZ6: its last trading day 2026-12-17 is in 8 days; nothing rolls by itself: close it, and name the "
        "next month"
    ]
    assert [line.split(":")[0] for line in ending([ES, NQ, ES], at(16))] == ["NQZ6", "ESZ6"]
    days = [line.partition(" is ")[2].split(";")[0] for day in (17, 19) for line in ending([ES, NQ], at(day))]
    assert days == ["today", "tomorrow", "PAST", "PAST"]
