"""Positions that move without an order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.exchange.test_books import COIN, OPTION, STOCK, Run, identity, listing

from tws.errors import ConfigError
from tws.exchange import AccountChanged, AccountSetup, Exchange, Executed, PositionChanged
from tws.model.order import Side


def moved(events: Any) -> list[tuple[int, Decimal]]:
    assert not [event for event in events if isinstance(event, Executed)], "no execution tells of it"
    assert any(isinstance(event, AccountChanged) for event in events)
    return [(event.con_id, event.quantity) for event in events if isinstance(event, PositionChanged)]


def test_a_split_keeps_the_cost_and_ends_the_orders(floor: Any) -> None:
    floor.place(1, "BUY", 50)
    floor.place(2, "SELL", 50, "LMT", limit=110, tif="GTC")
    cost = floor.exchange.positions()[0].average_cost * 50
    events = floor.exchange.corporate.split(floor.SPY, Decimal(4), floor.now)
    assert floor.told(events) == ["3 Cancelled #2 0/50", "4 202 #2"]
    assert moved(events) == [(floor.SPY, 200)]
    row = floor.exchange.positions()[0]
    assert row.average_cost * 200 == cost and row.market_price == Decimal("25.00"), "the mark follows"
    floor.quote(2500, 10, 2501, 10)
    assert floor.exchange.positions()[0].market_value == Decimal("5000.00")


def test_a_reverse_split_pays_the_fraction(floor: Any) -> None:
    floor.place(1, "BUY", 55)
    cash = floor.exchange._core.ledgers["DU1"].cash["USD"]
    assert moved(floor.exchange.corporate.split(floor.SPY, Decimal("0.1"), floor.now)) == [(floor.SPY, 5)]
    assert floor.exchange._core.ledgers["DU1"].cash["USD"] == cash + Decimal(500), "half a share at 1000"


def test_a_short_call_is_assigned_and_a_long_one_exercised() -> None:
    run = Run()
    run.place(OPTION, Side.SELL, Decimal(3))
    cash = run.ledger.cash["USD"]
    events = run.exchange.corporate.exercise("DU1", OPTION, Decimal(2), STOCK, run.now)
    assert moved(events) == [(OPTION, -1), (STOCK, -200)]
    assert run.ledger.cash["USD"] == cash + 200 * 100
    run.place(OPTION, Side.BUY, Decimal(4))
    assert moved(run.exchange.corporate.exercise("DU1", OPTION, Decimal(9), STOCK, run.now)) == [
        (OPTION, 0), (STOCK, 100)
    ]  # fmt: skip
    identity(run)
    nothing = run.exchange.corporate.exercise("DU1", OPTION, Decimal(1), STOCK, run.now)
    assert list(nothing) == [], "nothing is held any more"


def test_a_transfer_brings_shares_and_no_cash() -> None:
    run = Run()
    cash = dict(run.ledger.cash)
    assert moved(run.exchange.corporate.transfer("DU1", COIN, Decimal("0.5"), Decimal(90), run.now)) == [
        (COIN, Decimal("0.5"))
    ]  # fmt: skip
    assert run.ledger.cash == cash
    assert run.exchange.positions()[0].average_cost == 90
    identity(run)


def test_what_is_not_listed_or_no_ratio_is_a_config_error(floor: Any) -> None:
    with pytest.raises(ConfigError, match="con_id"):
        floor.exchange.corporate.split(5, Decimal(2), floor.now)
    with pytest.raises(ConfigError, match="ratio"):
        floor.exchange.corporate.split(floor.SPY, Decimal(0), floor.now)


def of_kind(sec_type: str, multiplier: str) -> Exchange:
    """An underlying (1) at 110 and a call on it (2) at 100, three of which are held at 12 each."""
    under = listing(1, sec_type, "0.25", multiplier=multiplier)
    call = listing(2, "FOP" if sec_type == "FUT" else "OPT", "0.05", multiplier="50", strike=100.0, right="C")
    exchange = Exchange([under, call], [AccountSetup(account="DU1"), AccountSetup(account="DU2")])
    exchange.quote(1, 440, 1000, 440, 1000, 1)
    exchange.corporate.transfer("DU1", 2, Decimal(3), Decimal(12), 1)
    return exchange


def test_an_option_on_a_future_becomes_one_future_each() -> None:
    exchange = of_kind("FUT", "50")
    cash = exchange._core.ledgers["DU1"].cash["USD"]
    assert moved(exchange.corporate.exercise("DU1", 2, Decimal(2), 1, 2)) == [(2, 1), (1, 2)]
    row = exchange.position("DU1", 1)
    assert row is not None and (row.average_cost, row.unrealized_pnl) == (5000, 2 * 50 * 10)
    assert exchange._core.ledgers["DU1"].cash["USD"] == cash, "a future costs nothing"


def test_an_option_on_an_index_is_paid_out() -> None:
    exchange = of_kind("IND", "")
    cash = exchange._core.ledgers["DU1"].cash["USD"]
    assert moved(exchange.corporate.exercise("DU1", 2, Decimal(2), 1, 2)) == [(2, 1)]
    assert exchange.position("DU1", 1) is None
    assert exchange._core.ledgers["DU1"].cash["USD"] == cash + 2 * 50 * 10


def test_what_lapses_goes_out_at_nothing() -> None:
    exchange = of_kind("STK", "")
    cash = exchange._core.ledgers["DU1"].cash["USD"]
    assert moved(exchange.corporate.lapse("DU1", 2, Decimal(9), 2)) == [(2, 0)]
    row = exchange.position("DU1", 2)
    assert row is not None and row.realized_pnl == -3 * 50 * 12
    assert exchange._core.ledgers["DU1"].cash["USD"] == cash
    assert list(exchange.corporate.lapse("DU1", 2, Decimal(1), 2)) == []
