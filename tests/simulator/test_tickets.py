"""An order by wire becomes a ticket: dates in TWS's forms, and what is refused at the door."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.simulator.client import Connect, Start, stock

from tws.clock import to_ns
from tws.exchange import OrderTicket
from tws.simulator.instants import instant
from tws.simulator.market import ManualMarket
from tws.simulator.tickets import Door, Refused, ticket_of
from tws.simulator.universe import UNIVERSE
from tws.wire.messages import ErrorMessage, OpenOrder, OrderStatus, PlaceOrderRequest, WireOrder
from tws.wire.messages.order import WireOrderCondition

NEW_YORK = ZoneInfo("America/New_York")
T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
DOOR = Door(client_id=1, accounts=("DU1",), zone=NEW_YORK, now_ns=T0)


def utc(*parts: int) -> int:
    return to_ns(datetime(*parts, tzinfo=UTC))  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("20260701 15:59:30 US/Eastern", utc(2026, 7, 1, 19, 59, 30)),
        ("20260701 15:59:30 EST", utc(2026, 7, 1, 19, 59, 30)),
        ("20260701 15:59:30 Europe/London", utc(2026, 7, 1, 14, 59, 30)),
        ("20260701  15:59:30", utc(2026, 7, 1, 19, 59, 30)),
        ("20260701-15:59:30", utc(2026, 7, 1, 15, 59, 30)),
        ("20260701 15:59 UTC", utc(2026, 7, 1, 15, 59)),
        ("10:00:00", utc(2026, 1, 5, 15)),
        ("20260701", utc(2026, 7, 1, 4)),
        ("", 0),
    ],
)
def test_a_date_is_read_in_every_form_of_tws(text: str, meant: int) -> None:
    assert instant(text, NEW_YORK, T0) == meant


def test_a_day_alone_may_mean_its_end() -> None:
    assert instant("20260701", NEW_YORK, T0, end_of_day=True) == utc(2026, 7, 2, 3, 59, 59)


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "20261301", "20260701 25:00:00", "20260701 10:00:00 Mars/Base", "2026-07-01", "-1:00 x y"],
)
def test_any_other_text_is_no_date(text: str) -> None:
    with pytest.raises(ValueError):
        instant(text, NEW_YORK, T0)


def order(**more: Any) -> WireOrder:
    fields: dict[str, Any] = {"action": "BUY", "order_type": "LMT", "lmt_price": 99.0} | more
    return WireOrder(total_quantity=fields.pop("total_quantity", Decimal(10)), **fields)


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (321, {"account": "U9"}),
        (321, {"action": "HOLD"}),
        (321, {"total_quantity": None}),
        (337, {"good_after_time": "soon"}),
        (343, {"tif": "GTD", "good_till_date": "never"}),
        (337, {"conditions": (WireOrderCondition(type=3, time="late"),)}),
        (398, {"conditions": (WireOrderCondition(type=2),)}),
    ],
)
def test_what_cannot_be_read_is_refused_at_the_door(code: int, fields: dict[str, Any]) -> None:
    answer = ticket_of(order(**fields), 1, 756733, DOOR)
    assert isinstance(answer, Refused) and answer.code == code


def test_prices_are_taken_as_their_shortest_text_says_them() -> None:
    ticket = ticket_of(order(lmt_price=99.07, action="SSHORT"), 1, 756733, DOOR)
    assert isinstance(ticket, OrderTicket)
    assert ticket.limit_price == Decimal("99.07") and ticket.side == "SELL"


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (382, {"lmt_price": float("inf")}),
        (382, {"lmt_price": 1e300}),
        (383, {"total_quantity": Decimal("1E+40")}),
        (382, {"order_type": "TRAIL", "aux_price": float("inf")}),
        (434, {"total_quantity": Decimal(0)}),
    ],
)
async def test_numbers_beyond_all_measure_harm_nobody(
    start: Start, connect: Connect, code: int, fields: dict[str, Any]
) -> None:
    simulator = await start(market=ManualMarket(UNIVERSE, T0))
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    client.send(PlaceOrderRequest(1, stock("SPY"), order(**fields)))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == code
    client.send(PlaceOrderRequest(2, stock("SPY"), order()))
    await client.expect(OrderStatus, lambda m: m.order_id == 2 and m.status == "Submitted")


async def test_a_conditioned_order_over_the_wire(start: Start, connect: Connect) -> None:
    simulator = await start(market=ManualMarket(UNIVERSE, T0))
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    simulator.quote("SPY", bid=100.0, ask=100.02, bid_size=500, ask_size=500)
    above = WireOrderCondition(
        type=1, con_id=756733, exchange="SMART", price=101.0, is_more=True, trigger_method=4
    )
    client.send(PlaceOrderRequest(1, stock("SPY"), order(order_type="MKT", conditions=(above,))))
    await client.expect(OrderStatus, lambda m: m.status == "PreSubmitted")
    simulator.quote("SPY", bid=101.0, ask=101.02, bid_size=500, ask_size=500)
    await client.expect(OrderStatus, lambda m: m.status == "Filled")


async def test_a_trailing_stop_over_the_wire_states_where_it_stands(start: Start, connect: Connect) -> None:
    simulator = await start(market=ManualMarket(UNIVERSE, T0))
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    simulator.quote("SPY", bid=100.0, ask=100.02, bid_size=500, ask_size=500)
    trail = order(action="SELL", order_type="TRAIL", lmt_price=None, aux_price=1.0, trigger_method=4)
    client.send(PlaceOrderRequest(1, stock("SPY"), trail))
    await client.expect(OpenOrder, lambda m: m.order.trail_stop_price == 99.02)
    simulator.quote("SPY", bid=104.0, ask=104.02, bid_size=500, ask_size=500)
    client.send(PlaceOrderRequest(1, stock("SPY"), trail))
    await client.expect(OpenOrder, lambda m: m.order.trail_stop_price == 103.02)
    simulator.quote("SPY", bid=103.0, ask=103.02, bid_size=500, ask_size=500)
    await client.expect(OrderStatus, lambda m: m.status == "Filled")
