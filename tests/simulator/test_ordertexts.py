"""Orders read and written by template are what the codec reads and writes, whatever came before."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.errors import DecodeError
from tws.simulator.ordertexts import OrderTexts, order_templates
from tws.wire import codec
from tws.wire.messages import OpenOrder, PlaceOrderRequest, WireContract, WireOrder, WireOrderState

prices = st.one_of(st.none(), st.floats(0, 1e6).map(lambda price: abs(round(price, 4))))
sizes = st.decimals(0, 10**6, places=3)
contracts = st.builds(
    WireContract, con_id=st.sampled_from([1, 756733]), symbol=st.sampled_from(["SPY", "987654321"]),
    sec_type=st.sampled_from(["STK", "OPT"]), exchange=st.just("SMART"), currency=st.just("USD"),
)  # fmt: skip
orders = st.builds(
    WireOrder, action=st.sampled_from(["BUY", "SELL"]), order_type=st.sampled_from(["LMT", "MKT", "STP"]),
    total_quantity=sizes, filled_quantity=sizes, lmt_price=prices, aux_price=prices,
    perm_id=st.integers(0, 2**31 - 1), order_ref=st.sampled_from(["", "~status~"]), account=st.just("DU1"),
)  # fmt: skip
placed = st.builds(PlaceOrderRequest, st.integers(0, 2**31 - 1), contracts, orders)
opened = st.builds(
    OpenOrder, st.integers(-5, 2**31 - 1), contracts, orders,
    st.builds(WireOrderState, status=st.sampled_from(["New", "Filled"]), max_commission_and_fees=prices),
)  # fmt: skip
versions = st.sampled_from([157, 163, 176, 187, 193, 200, 202, 203, 225])


@settings(max_examples=30, deadline=None)
@given(version=versions, requests=st.lists(placed, min_size=2, max_size=8))
def test_orders_are_read_as_the_codec_reads_them(version: int, requests: list[PlaceOrderRequest]) -> None:
    texts = order_templates(version)
    for request in requests:
        payload = codec.encode(request, version)
        assert texts.read(payload) == codec.decode_request(payload, version, lenient=True)


@settings(max_examples=30, deadline=None)
@given(version=versions, messages=st.lists(opened, min_size=2, max_size=8))
def test_orders_are_written_as_the_codec_writes_them(version: int, messages: list[OpenOrder]) -> None:
    texts = order_templates(version)
    for message in messages:
        assert texts.write(message) == codec.encode(message, version)


@pytest.mark.parametrize("version", [200, 225])
def test_the_like_of_an_order_is_known_by_its_shape_alone(version: int) -> None:
    texts = order_templates(version)
    contract = WireContract(con_id=1, symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
    known = []
    for number, price, side in ((1, 1.5, "BUY"), (2, 2.5, "BUY"), (3, 2.5, "SELL"), (4, None, "BUY")):
        order = WireOrder(action=side, order_type="LMT", total_quantity=Decimal(number), lmt_price=price)
        payload = codec.encode(PlaceOrderRequest(number, contract, order), version)
        assert texts.read(payload) == codec.decode_request(payload, version, lenient=True)
        known.append(texts.was_known)
    assert known[:3] == [False, True, False]


def test_an_unreadable_order_is_the_codecs_error_though_its_like_was_read() -> None:
    texts = OrderTexts(200)
    contract = WireContract(con_id=1, symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
    order = WireOrder(action="BUY", order_type="LMT", total_quantity=Decimal("77"), lmt_price=1.5)
    payload = codec.encode(PlaceOrderRequest(1, contract, order), 200)
    assert texts.read(payload) == texts.read(payload)
    with pytest.raises(DecodeError, match="decimal"):
        texts.read(payload.replace(b"\0" + b"77\0", b"\0" + b"7_7\0"))
