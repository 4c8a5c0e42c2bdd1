"""Frames by pattern are the official client's frames, to the byte, at every form of placeOrder."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.connection.encoding.official import OfficialClient, OfficialEncoder, Pipe
from tws.connection.ordering.patterns import Patterns
from tws.errors import NotSentError
from tws.model.contract import Contract
from tws.model.order import Order, OrderType, Side, TimeInForce

VERSIONS = [157, 176, 187, 200, 201, 203, 219, 225]


def encoder(version: int) -> OfficialEncoder:
    client = OfficialClient(Pipe(lambda data: None, lambda: True, lambda: None))
    client.begin(version, "20261122 10:00:00 EST", 1)
    return OfficialEncoder(client)


prices = (
    st.none()
    | st.decimals(-1000, 10**6, places=4)
    | st.sampled_from(
        [Decimal("1E+2"), Decimal(2**31 - 1), Decimal("1.7976931348623157E308"), Decimal("1E-9"), Decimal(0)]
    )
)
quantities = st.integers(1, 10**7).map(Decimal) | st.sampled_from(
    [Decimal("0.5"), Decimal("1E+3"), Decimal("100.00"), Decimal(2**31 - 1), Decimal("1E+12"), Decimal(0)]
)
contracts = st.builds(
    Contract,
    con_id=st.sampled_from([0, 265598]),
    symbol=st.sampled_from(["AAPL", "SPY"]),
    sec_type=st.sampled_from(["STK", "OPT"]),
    strike=st.none() | st.just(150.0),
    exchange=st.sampled_from(["SMART", "IBKRATS"]),
    primary_exchange=st.sampled_from(["", "NASDAQ"]),
    sec_id=st.sampled_from(["", "US0378331005"]),
)
orders = st.builds(
    Order,
    side=st.sampled_from(Side),
    quantity=quantities,
    order_type=st.sampled_from(OrderType),
    limit_price=prices,
    stop_price=prices,
    tif=st.sampled_from(TimeInForce),
    account=st.sampled_from(["", "DU1234567"]),
    order_ref=st.sampled_from(["", "intent-7", "intent-8", "straße", "tab\tin", "~ !"]),
    parent_id=st.sampled_from([0, 1, 77, 2**31 - 1]),
    oca_group=st.sampled_from(["", "oca-1"]),
    oca_type=st.sampled_from([0, 1]),
    transmit=st.booleans(),
    outside_rth=st.booleans(),
    trail=prices,
    trail_percent=prices,
    trigger_price=prices,
    adjusted_stop_price=prices,
)
placed = st.tuples(st.sampled_from([1, 2, 900, 2**31 - 2]), contracts, orders)


def outcome(call: Any, *arguments: Any) -> object:
    try:
        return call(*arguments)
    except NotSentError as error:
        return (error.code, str(error))


@settings(max_examples=60, deadline=None)
@given(st.lists(placed, min_size=1, max_size=6), st.sampled_from(VERSIONS))
def test_any_orders(wanted: list[tuple[int, Contract, Order]], version: int) -> None:
    made = encoder(version)
    for _ in range(2):  # the second time each pattern is known
        for order_id, contract, order in wanted:
            fast = outcome(lambda *wish: made.order(*wish)[0], order_id, contract, order)
            assert fast == outcome(made.careful_order, order_id, contract, order)


CHANGES: list[dict[str, Any]] = [
    {"side": Side.SELL},
    {"order_type": OrderType.STOP_LIMIT},
    {"limit_price": None},
    {"limit_price": Decimal(2**31 - 1)},
    {"stop_price": Decimal("99.5")},
    {"stop_price": Decimal("1.7976931348623157E308")},
    {"quantity": Decimal(2**31 - 1)},
    {"quantity": Decimal("1E+3")},
    {"quantity": Decimal(0)},
    {"tif": TimeInForce.GTC},
    {"account": "DU1234567"},
    {"order_ref": ""},
    {"order_ref": "straße"},
    {"parent_id": 0},
    {"parent_id": 2**31 - 1},
    {"oca_group": "oca"},
    {"oca_type": 1},
    {"transmit": False},
    {"outside_rth": True},
    {"order_type": OrderType.TRAIL, "limit_price": None, "trail": Decimal("1.5")},
    {"order_type": OrderType.TRAIL, "limit_price": None, "trail": Decimal(2), "stop_price": Decimal(98)},
    {"order_type": OrderType.TRAIL, "limit_price": None, "trail_percent": Decimal(3)},
    {"order_type": OrderType.STOP, "stop_price": Decimal(98), "trigger_price": Decimal(103),
     "adjusted_stop_price": Decimal(100)},
]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_one_thing_changes(version: int) -> None:
    made = encoder(version)
    plain = Order(
        side=Side.BUY,
        quantity=Decimal(10),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("100.25"),
        order_ref="intent-7",
        parent_id=7,
    )
    spy = Contract(con_id=756733, symbol="SPY")
    wanted = [(1, spy, plain), (2**31 - 1, spy, plain), (2, replace(spy, sec_id="x"), plain)]
    wanted += [(3, spy, replace(plain, **change)) for change in CHANGES]
    for _ in range(2):
        for order_id, contract, order in [row for pair in wanted for row in (wanted[0], pair)]:
            fast = outcome(lambda *wish: made.order(*wish)[0], order_id, contract, order)
            assert fast == outcome(made.careful_order, order_id, contract, order)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pattern_serves_after_its_first_order(version: int) -> None:
    made, asked = encoder(version), list[int]()

    def encode(order_id: int, contract: Contract, order: Order) -> bytes:
        asked.append(order_id)
        return made.careful_order(order_id, contract, order)

    patterns = Patterns(encode)
    patterns.begin(version)
    spy = Contract(con_id=756733, symbol="SPY")
    for number in range(1, 20):
        order = Order(
            side=Side.BUY,
            quantity=Decimal(number),
            order_type=OrderType.LIMIT,
            limit_price=Decimal(number) / 8,
            order_ref=f"intent-{number}",
            parent_id=number,
        )
        assert patterns.frame(number, spy, order) == made.careful_order(number, spy, order)
    assert asked == [1, 2]  # the first frame, and the proof
    patterns.begin(version - 1)
    patterns.frame(7, spy, order)
    assert asked[2:] == [7, 8]


def test_a_pattern_without_its_proof_is_never_used() -> None:
    """An encoder that writes a checksum of the order somewhere can't be foreseen: it is asked each time."""
    made, asked = encoder(157), list[int]()

    def encode(order_id: int, contract: Contract, order: Order) -> bytes:
        asked.append(order_id)
        return made.careful_order(order_id, contract, order) + b"%d" % len(asked)

    patterns = Patterns(encode)
    patterns.begin(157)
    order = Order(side=Side.BUY, quantity=Decimal(1))
    for _ in range(3):
        patterns.frame(5, Contract(symbol="SPY"), order)
    assert asked == [5, 6, 5, 5]


def test_without_a_session_the_official_client_refuses() -> None:
    client = OfficialClient(Pipe(lambda data: None, lambda: True, lambda: None))
    client.begin(157, "20261122 10:00:00 EST", 1)
    made, order = OfficialEncoder(client), Order(side=Side.BUY, quantity=Decimal(1))
    made.order(1, Contract(symbol="SPY"), order)
    client.end()
    with pytest.raises(NotSentError):
        made.order(2, Contract(symbol="SPY"), order)
