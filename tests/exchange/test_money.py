"""Fees, average cost, profit, margin (TWS-BEHAVIOUR.md D)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.errors import ConfigError
from tws.exchange import AccountSetup, Exchange, FeeSchedule, Listing, OrderTicket, PositionChanged
from tws.exchange.fees import due
from tws.exchange.ledger import Holding
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Side


@pytest.mark.parametrize(
    ("shares", "value", "fee"),
    [
        (1000, "25000", "5.000"),  # half a cent a share
        (100, "2500", "1.00"),  # the minimum
        (200, "5000", "1.00"),
        (1000, "250", "2.50"),  # one per cent of the value
        (10, "2", "0.02"),  # the maximum wins over the minimum
    ],
)
def test_the_fixed_schedule(shares: int, value: str, fee: str) -> None:
    assert due(FeeSchedule(), Decimal(shares), Decimal(value)) == Decimal(fee)


def test_the_fee_is_reckoned_per_order_across_its_fills(floor: Any) -> None:
    floor.place(1, "BUY", 500)
    for _ in range(8):
        floor.quote(10000, 300, 10001, 60)
    fees = [report.commission.amount for report in floor.exchange.executions()]
    assert fees == [Decimal("1.00"), 0, 0, Decimal("0.20"), *[Decimal("0.30")] * 4, Decimal("0.10")]
    assert sum(fees) == Decimal("2.50")


def test_the_average_cost_includes_the_commission(floor: Any) -> None:
    events = floor.raw(1, "BUY", 50)
    (moved,) = [event for event in events if isinstance(event, PositionChanged)]
    assert (moved.quantity, moved.average_cost) == (50, Decimal("100.03"))


def test_realised_profit_is_net_of_both_commissions_and_told_with_the_closing_fill(floor: Any) -> None:
    floor.place(1, "BUY", 50)
    floor.quote(10100, 300, 10101, 60)
    assert "59 1.00 47.50" in [line.replace("47.50000000", "47.50") for line in floor.place(2, "SELL", 50)]
    assert floor.value("RealizedPnL") == "47.50"
    assert floor.value("TotalCashValue") == "1000047.50"


def test_a_short_earns_when_the_price_falls(floor: Any) -> None:
    floor.place(1, "SELL", 50)
    row = floor.exchange.positions()[0]
    assert (row.quantity, row.average_cost) == (-50, Decimal("99.98"))
    floor.quote(9900, 300, 9910, 60)
    row = floor.exchange.positions()[0]
    assert (row.market_price, row.market_value) == (Decimal("99.10"), Decimal("-4955.00"))
    assert row.unrealized_pnl == Decimal("44.00")


def test_a_flip_closes_the_old_and_opens_the_new(floor: Any) -> None:
    floor.place(1, "BUY", 50)
    told = floor.place(2, "SELL", 150)
    assert told[-1].startswith("59 1.00 -1.8333")
    row = floor.exchange.positions()[0]
    assert (row.quantity, row.average_cost) == (-100, Decimal("99.99333333"))


def test_the_mark_is_the_last_trade_held_within_the_quote(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    for bid, ask, mark in ((9990, 10010, "100.00"), (10020, 10030, "100.20"), (9900, 9910, "99.10")):
        floor.quote(bid, 10, ask, 10)
        assert floor.exchange.positions()[0].market_price == Decimal(mark)


def test_account_values_agree_with_each_other(floor: Any) -> None:
    floor.place(1, "BUY", 60)
    floor.place(2, "SELL", 60, con_id=floor.IBM)
    assert floor.value("GrossPositionValue") == "12000.00"
    assert floor.value("TotalCashValue") == "999997.40"
    assert floor.value("NetLiquidation") == "999997.40"
    assert (floor.value("InitMarginReq"), floor.value("MaintMarginReq")) == ("6000.00", "3000.00")
    assert floor.value("AvailableFunds") == "993997.40"
    assert floor.value("BuyingPower") == "1987994.80"
    assert floor.value("UnrealizedPnL") == "-2.60"


def test_an_order_beyond_the_margin_is_rejected(Floor_: Any) -> None:
    floor = Floor_(cash="5000")
    events = floor.raw(1, "BUY", 101, "LMT", limit=100)
    assert floor.told(events) == ["4 201 #1", "5 Inactive #1 0/101", "3 Inactive #1 0/101"]
    assert "[4999.00 USD] must exceed the Initial Margin [5050.00 USD]" in events[0].text
    assert floor.place(2, "BUY", 99, "LMT", limit=100)[-1] == "3 Submitted #2 0/99"
    assert floor.place(3, "BUY", 101, what_if=True) == ["4 201 #3"]


def test_what_reduces_a_position_is_never_refused_for_margin(Floor_: Any) -> None:
    floor = Floor_(cash="3100")
    floor.place(1, "BUY", 60)
    floor.quote(6000, 300, 6010, 60)
    floor.trade(6000)
    assert floor.value("AvailableFunds").startswith("-")
    assert "11 SLD #2 10@60.00" in floor.place(2, "SELL", 10)
    assert floor.place(3, "BUY", 1)[0] == "4 201 #3", "but adding to it is"


def test_children_are_not_counted_against_the_margin(Floor_: Any) -> None:
    floor = Floor_(cash="3050")
    floor.bracket(60)
    assert floor.open_ids() == [2, 3]


def test_margin_may_go_unchecked(Floor_: Any) -> None:
    assert "11 BOT #1 60@100.01" in Floor_(cash="0", check_margin=False).place(1, "BUY", 60)


def test_a_new_day_starts_the_realised_profit_anew(floor: Any) -> None:
    floor.place(1, "BUY", 50)
    floor.place(2, "SELL", 50)
    assert floor.value("RealizedPnL") == "-2.50"
    floor.exchange.new_day(floor.now + 1)
    assert floor.value("RealizedPnL") == "0.00"
    assert floor.value("PreviousDayEquityWithLoanValue") == "999997.50"
    assert len(floor.exchange.executions()) == 2, "executions stay for seven days"
    floor.exchange.new_day(floor.now + 8 * 86_400 * 10**9)
    assert floor.exchange.executions() == () and floor.exchange.completed_orders() == ()


def test_accounts_are_apart(Floor_: Any) -> None:
    floor = Floor_(accounts=("DU1", "DU2"))
    floor.place(1, "BUY", 50, account="DU2")
    assert floor.position(account="DU1") == 0 and floor.position(account="DU2") == 50
    assert floor.value("TotalCashValue") == "1000000.00"


def test_a_lot_and_a_multiplier_count() -> None:
    contract = Contract(con_id=5, symbol="X", multiplier="50")
    future = Instrument(contract=contract, tick=Decimal("0.25"), lot=Decimal(2))
    exchange = Exchange([Listing(instrument=future)], [AccountSetup(account="DU1")])
    exchange.quote(5, 400, 10, 401, 10, 1)
    ticket = OrderTicket(
        client_id=1, order_id=1, account="DU1", con_id=5, side=Side.BUY, quantity=Decimal(4), order_type="MKT"
    )
    exchange.place(ticket, 2)
    row = exchange.positions()[0]
    assert (row.quantity, row.average_cost) == (4, Decimal("5012.75"))  # 100.25 x 50 and a quarter of the fee


@pytest.mark.parametrize(
    ("accounts", "contracts"),
    [((), ()), (("DU1",), (0,)), (("DU1",), (5, 5))],
)
def test_an_impossible_exchange_is_a_config_error(
    accounts: tuple[str, ...], contracts: tuple[int, ...]
) -> None:
    listings = [Listing(instrument=Instrument(contract=Contract(con_id=con_id))) for con_id in contracts]
    with pytest.raises(ConfigError):
        Exchange(listings, [AccountSetup(account=account) for account in accounts])


def test_accounts_of_two_base_currencies_are_a_config_error() -> None:
    with pytest.raises(ConfigError, match="currency"):
        Exchange([], [AccountSetup(account="DU1"), AccountSetup(account="DU2", currency="EUR")])


def test_a_closed_holding_keeps_no_cost_however_fine_the_prices() -> None:
    holding = Holding()
    holding.fill(Decimal(3), Decimal("1.00000000001"), Decimal("0.0000000001"))
    holding.fill(Decimal(-3), Decimal("-1"), Decimal(0))
    assert holding.quantity == 0 and holding.cost == 0


def test_margin_follows_what_moved_since_it_was_last_asked_for(floor: Any) -> None:
    """What a holding requires is kept between orders: a new mark, size or rate must be seen all the same."""

    def before(order_id: int) -> Decimal:
        (answer,) = floor.raw(order_id, "BUY", 1, what_if=True, con_id=floor.IBM)
        found: Decimal = answer.margin.init_before
        return found

    contract = Contract(con_id=9, symbol="SAP", currency="EUR")
    floor.exchange.add(Listing(instrument=Instrument(contract=contract)))
    floor.exchange.rate("EUR", Decimal("1.1"))
    floor.quote(10000, 300, 10000, 300)
    floor.quote(5000, 300, 5000, 300, con_id=9)
    floor.place(1, "BUY", 100)
    assert before(2) == before(3) == Decimal(5000)
    floor.quote(11000, 300, 11000, 300)
    assert before(4) == Decimal(5500)
    floor.place(5, "BUY", 100)
    assert before(6) == Decimal(11000)
    floor.place(7, "BUY", 100, con_id=9)
    assert before(8) == Decimal(11000) + Decimal(2750)
    floor.exchange.rate("EUR", Decimal("1.2"))
    assert before(9) == Decimal(11000) + Decimal(3000)
