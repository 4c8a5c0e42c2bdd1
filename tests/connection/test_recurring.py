"""Orders and statuses read short are what the careful reading gives, whatever recurs or breaks in them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.protobuf.OpenOrder_pb2 import OpenOrder as OpenOrderProto
from msgspec.structs import replace

from tws.connection.hearing import reading
from tws.connection.hearing.recurring import Recurring
from tws.errors import DecodeError
from tws.wire import codec
from tws.wire.messages import OpenOrder, OpenOrdersEnd, OrderStatus, WireContract, WireOrder, WireOrderState

VERSIONS = [157, 176, 187, 200, 202, 203, 219, 225]


def careful(payload: bytes, version: int) -> object:
    message = codec.decode_answer(payload, version, lenient=True)
    if isinstance(message, OpenOrder):
        if message.order.what_if:
            return message  # no order lives
        return reading.broker_order_of(message.order_id, message.contract, message.order, message.order_state)
    return reading.order_status_of(message) if isinstance(message, OrderStatus) else None


def outcome(read: Callable[..., object], *arguments: object) -> object:
    try:
        return read(*arguments)
    except DecodeError as error:
        return str(error)


def reader(version: int) -> Callable[[bytes], object]:
    """As the router asks; None for what is no concern of this module."""
    readers = Recurring(version).readers
    width = len(next(iter(readers), b""))

    def read(payload: bytes) -> object:
        found = readers.get(payload[:width])
        return None if found is None else found(payload)

    return read


def compare(payloads: list[bytes], version: int) -> None:
    read = reader(version)
    for payload in payloads:
        short = outcome(read, payload)
        if short is not None:  # else the router asks the codec, as at versions 201 and 202
            assert repr(short) == repr(outcome(careful, payload, version))


prices = st.none() | st.sampled_from([0.0, -0.0, 100.25, -3.5, 1e-7, 2e9, 1e300, float("inf")])
quantities = st.none() | st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(100), Decimal(10**12)])
ids = st.sampled_from([0, 1, 77, -5, 2**31 - 2])
refs = st.sampled_from(["", "intent-7", "straße"])
contracts = st.builds(
    WireContract,
    con_id=st.sampled_from([265598, 756733]),
    symbol=st.sampled_from(["AAPL", "Börse"]),
    sec_type=st.just("STK"),
    right=st.sampled_from(["", "?", "C"]),
    strike=st.none() | st.just(150.0),
)
kinds = st.sampled_from(["LMT", "MKT", "STP LMT", "PEG BENCH", "TRAIL"])
wishes = st.builds(
    WireOrder,
    client_id=st.sampled_from([0, 1]),
    perm_id=st.sampled_from([0, 900_001, 2**40]),
    parent_id=st.sampled_from([0, 3]),
    action=st.sampled_from(["BUY", "SELL"]),
    total_quantity=quantities,
    order_type=kinds,
    lmt_price=prices,
    aux_price=prices,
    tif=st.just("DAY"),
    account=st.just("DU1234567"),
    order_ref=refs,
    oca_group=st.sampled_from(["", "oca"]),
    hedge_type=st.sampled_from(["", "D"]),
    trailing_percent=prices,
    trail_stop_price=prices,
    adjusted_order_type=st.sampled_from(["", "None", "STP", "TRAIL"]),
    trigger_price=prices,
    adjusted_stop_price=prices,
    what_if=st.booleans(),
    transmit=st.booleans(),
)
states = st.builds(WireOrderState, status=st.sampled_from(["PreSubmitted", "Submitted", "Filled"]))
statuses = st.builds(
    OrderStatus,
    ids,
    st.sampled_from(["Submitted", "Filled"]),
    st.sampled_from([Decimal(0), Decimal("1.5")]),
    st.sampled_from([Decimal(0), Decimal(100)]),
    prices,
    st.sampled_from([0, 900_001, 2**40, -1]),
    ids,
    prices,
    st.sampled_from([0, 1]),
    st.sampled_from(["", "locate"]),
    prices,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.builds(OpenOrder, ids, contracts, wishes, states), min_size=1, max_size=3),
    st.lists(st.tuples(ids, quantities, prices, prices, refs), max_size=5),
    st.lists(statuses, max_size=5),
    st.sampled_from(VERSIONS),
)
def test_any_orders_again_and_again(
    orders: list[OpenOrder],
    changes: list[tuple[int, Decimal | None, float | None, float | None, str]],
    said: list[OrderStatus],
    version: int,
) -> None:
    payloads = [codec.encode(message, version) for message in (*orders, *said, *orders)]
    for row in orders:
        for order_id, quantity, limit, stop, ref in changes:
            order = replace(
                row.order,
                total_quantity=quantity,
                lmt_price=limit,
                aux_price=stop,
                order_ref=ref,
                perm_id=order_id,
            )
            payloads.append(codec.encode(replace(row, order_id=order_id, order=order), version))
    payloads += [codec.encode(replace(row, order_id=row.order_id + 1, perm_id=9), version) for row in said]
    compare(payloads, version)


PLAIN = OpenOrder(
    7,
    WireContract(con_id=265598, symbol="AAPL", sec_type="STK", exchange="SMART", currency="USD"),
    WireOrder(
        client_id=1,
        perm_id=900_007,
        action="BUY",
        total_quantity=Decimal(100),
        order_type="LMT",
        lmt_price=100.25,
        tif="DAY",
        order_ref="intent-7",
    ),
    WireOrderState(status="PreSubmitted"),
)
SAID = OrderStatus(7, "Submitted", Decimal(0), Decimal(100), perm_id=900_007, client_id=1)


CHANGES: dict[str, object] = {
    "client_id": 0,
    "perm_id": 5,
    "parent_id": 3,
    "action": "SELL",
    "total_quantity": Decimal(7),
    "order_type": "MKT",
    "lmt_price": 0.0,
    "aux_price": 3.5,
    "trail_stop_price": 98.5,
    "trailing_percent": 2.5,
    "adjusted_order_type": "STP",
    "tif": "GTC",
    "account": "DU7654321",
    "order_ref": "",
    "oca_group": "oca",
    "transmit": False,
    "what_if": True,
}


@pytest.mark.parametrize("version", VERSIONS)
def test_one_thing_changes(version: int) -> None:
    """Each field of an order, a contract, a status on its own, and each pair of an order's."""
    orders = [replace(PLAIN.order, **{name: value}) for name, value in CHANGES.items()]
    orders += [replace(each, **{name: value}) for each in orders for name, value in CHANGES.items()]
    rows = [replace(PLAIN, order=order) for order in orders]
    rows += [replace(PLAIN, contract=replace(PLAIN.contract, con_id=1))]
    rows += [replace(PLAIN, contract=replace(PLAIN.contract, trading_class="NMS"))]
    rows += [replace(PLAIN, order_state=WireOrderState(status="Submitted"))]
    said = [
        replace(SAID, **{name: value})
        for name, value in {
            "status": "Filled",
            "filled": Decimal(3),
            "remaining": Decimal(4),
            "avg_fill_price": 1.5,
            "perm_id": 8,
            "parent_id": 9,
            "last_fill_price": 2.5,
            "client_id": 0,
            "why_held": "locate",
        }.items()
    ]
    compare([codec.encode(message, version) for message in (PLAIN, SAID, *rows, *said, PLAIN, SAID)], version)


@pytest.mark.parametrize("value", [1.7976931348623157e308, float("nan"), float("inf"), -1e300, 2e9])
@pytest.mark.parametrize("field", ["lmtPrice", "auxPrice"])
def test_strange_prices_of_protobuf(field: str, value: float) -> None:
    body = codec.encode(PLAIN, 225)
    message = OpenOrderProto.FromString(body[4:])
    setattr(message.order, field, value)
    compare([body, body[:4] + message.SerializeToString(), body], 225)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=12),
    st.sampled_from(VERSIONS),
)
def test_any_damage(harm: list[tuple[int, int]], version: int) -> None:
    payloads = []
    for message in (PLAIN, SAID):
        good = codec.encode(message, version)
        payloads.append(good)
        for place, byte in harm:
            at = place % len(good)
            payloads += [good[:at] + bytes([byte]) + good[at + 1 :], good[:at] + good[at + 1 :]]
            payloads += [good[:at] + bytes([byte]) + good[at:], good]
    compare(payloads, version)


@pytest.mark.parametrize("version", [157, 200, 203, 225])
def test_what_recurs_is_read_once(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read, whole = reader(version), list[bytes]()
    decode = codec.decode_answer

    def counted(payload: bytes, *arguments: int, **options: bool) -> object:
        whole.append(payload)
        return decode(payload, *arguments, **options)

    monkeypatch.setattr("tws.connection.hearing.recurring.codec.decode_answer", counted)
    for number in range(1, 50):
        order = replace(PLAIN.order, perm_id=number, lmt_price=number / 8, order_ref=f"intent-{number}")
        told = read(codec.encode(replace(PLAIN, order_id=number, order=order), version))
        assert (told.order_id, told.limit_price, told.order_ref) == (  # type: ignore[attr-defined]
            number,
            Decimal(str(number / 8)),
            f"intent-{number}",
        )
        status = read(codec.encode(replace(SAID, order_id=number, perm_id=number), version))
        assert (status.order_id, status.perm_id) == (number, number)  # type: ignore[attr-defined]
    assert len(whole) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_other_messages_are_left_alone(version: int) -> None:
    assert reader(version)(codec.encode(OpenOrdersEnd(), version)) is None
    assert reader(version)(b"") is None
