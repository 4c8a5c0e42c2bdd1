"""Trailing and adjustable stops on the wire: what leaves was meant, and what TWS states is read as it is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ibapi.contract import Contract as IbContract
from ibapi.order import Order as IbOrder
from ibapi.order_state import OrderState as IbOrderState
from ibapi.wrapper import EWrapper
from msgspec.structs import replace
from tests.connection.test_placing import VERSIONS, encoder

from tws.connection.encoding.official import decode_for
from tws.connection.hearing import reading
from tws.model.contract import Contract
from tws.model.facts import BrokerOrder
from tws.model.order import Order, OrderType, Side
from tws.orders.terms import as_sent_back, same_terms, trailed
from tws.wire import codec
from tws.wire.messages import OpenOrder, PlaceOrderRequest, WireContract, WireOrder, WireOrderState

D = Decimal
SPY = Contract(con_id=756733, symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
BASE = Order(side=Side.SELL, quantity=D(10), order_ref="t-3", parent_id=1)
ORDERS = {
    "amount": replace(BASE, order_type=OrderType.TRAIL, trail=D("1.5"), stop_price=D(98)),
    "percent": replace(BASE, order_type=OrderType.TRAIL, trail_percent=D("2.5"), stop_price=D(98)),
    "off the market": replace(BASE, order_type=OrderType.TRAIL, trail=D(2)),
    "break-even": replace(
        BASE,
        order_type=OrderType.STOP,
        stop_price=D(98),
        trigger_price=D(103),
        adjusted_stop_price=D("100.05"),
    ),
}


def sent(order: Order, version: int) -> WireOrder:
    """What TWS reads of the frame, by our codec."""
    frame, _ = encoder(version).order(7, SPY, order)
    request = codec.decode_request(frame[4:], version)
    assert isinstance(request, PlaceOrderRequest)
    return request.order


def told(order: WireOrder, version: int) -> BrokerOrder:
    """What we read of the openOrder in which TWS states it."""
    state = WireOrderState(status="PreSubmitted")
    payload = codec.encode(OpenOrder(7, WireContract(con_id=756733, symbol="SPY"), order, state), version)
    message = codec.decode_answer(payload, version)
    assert isinstance(message, OpenOrder)
    return reading.broker_order_of(message.order_id, message.contract, message.order, message.order_state)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", ORDERS)
def test_what_leaves_is_what_was_meant(case: str, version: int) -> None:
    order = ORDERS[case]
    wire = sent(order, version)
    trails = order.order_type is OrderType.TRAIL
    aux, begins = (order.trail, order.stop_price) if trails else (order.stop_price, None)
    assert wire.order_type == order.order_type
    assert (wire.aux_price or None) == (None if aux is None else float(aux))
    assert wire.trail_stop_price == (None if begins is None else float(begins))
    assert wire.trailing_percent == (None if order.trail_percent is None else float(order.trail_percent))
    if order.trigger_price is not None:
        assert (wire.trigger_price, wire.adjusted_stop_price) == (103.0, 100.05)
        assert wire.adjusted_order_type == "STP"
    else:
        assert wire.adjusted_order_type in ("", "None") and wire.trigger_price is None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", ORDERS)
def test_a_change_sends_back_what_tws_states(case: str, version: int) -> None:
    """There and back, with the stop moved on: nothing but where it stands has changed."""
    order = ORDERS[case]
    moved = replace(sent(order, version), perm_id=9, client_id=1)
    if order.order_type is OrderType.TRAIL:
        moved = replace(moved, trail_stop_price=101.25)
    back = as_sent_back(order, told(moved, version))
    assert same_terms(back, order)
    assert trailed(back, order) is (order.order_type is OrderType.TRAIL)
    stands = D("101.25") if order.order_type is OrderType.TRAIL else D(98)
    assert back == replace(order, stop_price=stands)


class Heard(EWrapper):  # type: ignore[misc]  # ibapi has no type information
    """The openOrder that the official client calls."""

    def openOrder(self, orderId: int, contract: IbContract, order: IbOrder, orderState: IbOrderState) -> None:
        self.order = order


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", ORDERS)
def test_the_official_client_reads_the_same(case: str, version: int) -> None:
    order = replace(sent(ORDERS[case], version), perm_id=9, client_id=1)
    state = WireOrderState(status="PreSubmitted")
    contract = WireContract(con_id=756733, symbol="SPY", sec_type="STK")
    heard = Heard()
    decode_for(heard)(codec.encode(OpenOrder(7, contract, order, state), version), version)
    row, theirs = told(order, version), heard.order
    read = {
        "trigger_price": theirs.triggerPrice,
        "adjusted_stop_price": theirs.adjustedStopPrice,
        "trail_percent": theirs.trailingPercent,
    }
    if row.order_type == OrderType.TRAIL:
        read |= {"trail": theirs.auxPrice, "stop_price": theirs.trailStopPrice}
    else:
        read |= {"stop_price": theirs.auxPrice}
    for name, value in read.items():
        said = getattr(row, name)
        assert (said is None and (not value or value > 1e300)) or float(said) == value, name


def test_what_was_adjusted_or_never_was_has_no_adjustment() -> None:
    """TWS writes None for the type, and may leave the prices of before (C5 for the word)."""
    for word in ("", "None"):
        wire = WireOrder(order_type="STP", action="SELL", aux_price=100.05, adjusted_order_type=word,
                         trigger_price=103.0, adjusted_stop_price=100.05, trail_stop_price=98.0)  # fmt: skip
        row = told(wire, 200)
        assert (row.stop_price, row.trigger_price, row.adjusted_stop_price) == (D("100.05"), None, None)
        assert row.trail is None and row.trail_percent is None
