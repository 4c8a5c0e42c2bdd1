"""Which rule a contract has at an exchange, and the grid that follows from what TWS has answered."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tws.connection import TWSConnection
from tws.connection.ordering.rules import Rules, rule_id_of
from tws.errors import OrderDeniedError
from tws.model.contract import Contract, ContractDetails, stock
from tws.model.order import Order
from tws.simulator import SimulatedTWS
from tws.simulator.universe import RULES

OPTION = Contract(con_id=1, symbol="SPY", sec_type="OPT", exchange="SMART")
DETAILS = ContractDetails(
    contract=OPTION,
    min_tick=0.01,
    valid_exchanges="SMART,AMEX, CBOE",
    market_rule_ids="109,110,32",
    size_increment=1.0,
)


@pytest.mark.parametrize(
    ("exchange", "rule_id"), [("SMART", 109), ("AMEX", 110), ("CBOE", 32), ("ISE", None), ("", None)]
)
def test_the_rule_stands_where_the_exchange_stands(exchange: str, rule_id: int | None) -> None:
    assert rule_id_of(DETAILS, exchange) == rule_id


@pytest.mark.parametrize("ids", ["", "109", "109,110", "109,110,32,5", "a,b,c"])
def test_lists_that_do_not_match_name_nothing(ids: str) -> None:
    details = ContractDetails(contract=OPTION, valid_exchanges="SMART,AMEX,CBOE", market_rule_ids=ids)
    assert rule_id_of(details, "SMART") is None


def test_each_rule_is_wanted_once_and_then_governs_the_prices() -> None:
    rules = Rules()
    assert rules.instrument(OPTION, DETAILS).is_on("3.01")  # minTick, until the rule is known
    assert rules.wanted(DETAILS) == 109
    rules.learn(109, RULES[109])
    assert rules.wanted(DETAILS) is None
    assert rules.wanted(DETAILS, "AMEX") == 110
    grid = rules.instrument(OPTION, DETAILS)
    assert (grid.is_on("3.01"), grid.is_on("2.99"), grid.lot) == (False, True, 1)
    assert rules.instrument(Contract(con_id=1, exchange="AMEX"), DETAILS).rule is None


def test_a_table_that_is_none_is_not_asked_for_again_and_min_tick_serves() -> None:
    rules = Rules()
    with pytest.raises(ValueError, match="market rule 109"):
        rules.learn(109, [])
    assert rules.wanted(DETAILS) is None
    assert rules.instrument(OPTION, DETAILS).tick == Decimal("0.01")


def test_without_details_the_broker_judges() -> None:
    grid = Rules().instrument(OPTION, None)
    assert grid.is_on("0.00000001") and grid.lots("0.00000001") == 1


def test_every_rule_of_the_simulator_is_one() -> None:
    rules = Rules()
    for rule_id, rows in RULES.items():
        assert rules.learn(rule_id, rows) is rules.get(rule_id)


def test_the_memory_is_bounded() -> None:
    rules = Rules()
    for rule_id in range(10_001):
        rules.learn(rule_id, [(0, 0.01)])
    assert (rules.get(0), rules.get(1) is None) == (None, False)


@pytest.mark.parametrize(("side", "rounded"), [("BUY", "100.00"), ("SELL", "100.01")])
async def test_a_price_off_the_grid_is_refused_here_or_rounded_for_the_user(
    sim: SimulatedTWS, connection: TWSConnection, side: str, rounded: str
) -> None:
    sim.quote("SPY", bid=90.00, ask=110.00)
    instrument = await connection.request_instrument(stock("SPY"))
    assert instrument.rule is not None and instrument.tick_at(Decimal(100)) == Decimal("0.01")
    order = Order(side=side, quantity=1, order_type="LMT", limit_price="100.005")  # type: ignore[arg-type]
    with pytest.raises(OrderDeniedError, match=r"market_rule.*100\.00"):
        connection.place_order(instrument.contract, order)
    await connection.place_order(instrument.contract, order, off_grid="round")
    [placed] = await connection.request_open_orders()
    assert placed.limit_price == Decimal(rounded)
