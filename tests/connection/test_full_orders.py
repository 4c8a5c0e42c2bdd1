"""Orders with attributes over a socket: what was built comes back equal in the open order, at text and
protobuf; what a version has no place for is named before anything leaves.
"""

from __future__ import annotations

import json
import sqlite3
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.order import Order as IbOrder
from msgspec import Struct
from msgspec.structs import asdict, fields, replace
from tests.connection.peers import config_of, port_of
from tests.ordertypes.built import ATTRIBUTES, CALL, LIMIT, OF_OPTIONS, PAIR, SPY, contract_of, every_order
from tests.wire.generators import carried, messages

from tws import ordertypes as ot
from tws.connection import PacingOptions, TWSConnection
from tws.connection.attributes import BESIDE, ROWS, attributes_of, official_name, stated, too_old, wired
from tws.connection.encoding.official import OfficialClient, OfficialEncoder, Pipe
from tws.errors import BadOrderError, NotSentError, OrderDeniedError
from tws.exchange import Habits
from tws.model.attributes import Attributes, PegOffsets
from tws.model.facts import BrokerOrder, BrokerReply
from tws.model.fullorder import FullOrder, full_order
from tws.model.order import Order, OrderType, Side
from tws.risk import Limits as RiskLimits
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.wire import codec, kinds
from tws.wire.layout import Layout
from tws.wire.layouts.order import OPEN_ORDER
from tws.wire.messages import OpenOrder, PlaceOrderRequest

ACCOUNT = "DU1234567"
LAST_TEXT = 200


def comes_back(name: str, order: FullOrder, connection: TWSConnection) -> FullOrder:
    """What openOrder can say of an order: all of it in protobuf, what its layout has in text."""
    attributes, version = replace(order.attributes, attached=None), connection.server_version
    if version <= LAST_TEXT:
        frame = OfficialEncoder(connection.official).order(1, contract_of(name), order)[0]
        sent = codec.decode_request(frame[4:], version)
        assert isinstance(sent, PlaceOrderRequest)
        heard = carried(OpenOrder(1, sent.contract, sent.order), OPEN_ORDER, version)
        attributes = attributes_of(heard.order) or Attributes()
    return replace(order, account=ACCOUNT, attributes=attributes)


def differences(one: FullOrder, other: FullOrder) -> list[tuple[str, Any, Any]]:
    """Which of their words differ, attribute by attribute."""
    mine, theirs = (asdict(order) | asdict(order.attributes) for order in (one, other))
    return [(name, value, theirs[name]) for name, value in mine.items()
            if value != theirs[name] and name != "attributes"]


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_what_was_built_comes_back(version: int, journal: Path) -> None:
    tws = SimulatedTWS(SimulatorOptions(paused=True, server_version=version, limits=Limits.off(),
                                        habits=Habits(max_working=1000)))  # fmt: skip
    tws.address = await tws.start()  # type: ignore[attr-defined]
    tws.quote("SPY", bid=100.0, ask=100.02, bid_size=5000, ask_size=5000)
    async with TWSConnection(config_of(port_of(tws)), guard="off", pacing=PacingOptions.off()) as made:
        facts: list[Any] = []
        made.facts(facts.append)
        call, pair = [(await made.request_contract(each)).contract for each in (CALL, PAIR)]
        parent = await made.place_order(SPY, ot.limit("BUY", 100, 90))
        of_option = await made.place_order(call, ot.limit("BUY", 100, 1))
        wanted: dict[int, tuple[str, FullOrder]] = {}
        orders = [*every_order(), ("attributes", replace(LIMIT, attributes=ATTRIBUTES))]
        orders.sort(key=lambda row: row[0] == "attach_presets")  # last: its children's ids are far ahead
        for name, order in orders:
            if order.parent_id:
                whose = of_option if name == "hedged_delta" else parent
                order = replace(order, parent_id=whose.order_id)
            if too_old(order.attributes, version):
                with pytest.raises(NotSentError, match="this session speaks"):
                    made.place_order(SPY, order)
                continue
            known = call if name in OF_OPTIONS else pair if name == "hedged_fx" else contract_of(name)
            sent = made.place_order(known, order)
            wanted[sent.order_id] = (name, order)
        await made.request_open_orders()
        told: dict[int, BrokerOrder] = {}
        for fact in facts:
            if isinstance(fact, BrokerOrder):
                told.setdefault(fact.order_id, fact)
        replies = {fact.order_id: fact.text for fact in facts if isinstance(fact, BrokerReply)}
        for order_id, (name, order) in wanted.items():
            assert order_id in told, (name, replies.get(order_id))
            heard = full_order(told[order_id])
            if order.parent_id:  # TWS makes one group of a parent's children
                heard = replace(heard, oca_group="", oca_type=0)
            if order.attributes.hedge:  # its size follows what its parent fills: nothing yet
                assert heard.quantity == 0
                heard = replace(heard, quantity=order.quantity)
            if name == "with_leg_prices":  # the simulated TWS states what they come to (assumed)
                assert heard.limit_price == 90
                heard = replace(heard, limit_price=None)
            assert differences(heard, comes_back(name, order, made)) == [], name
        assert len(wanted) > 80 if version == 225 else len(wanted) > 70
        made.cancel_all_orders()
        ended = {row.perm_id: row for row in await made.request_completed_orders()}
        if version == 225:  # the text of a completed order has fields for few of them
            for order_id, row in told.items():
                assert ended[row.perm_id].attributes == row.attributes, wanted.get(order_id)
    await tws.stop()


# -- the table, and what a frame can't say


SETTLED = {
    "action", "totalQuantity", "orderType", "lmtPrice", "auxPrice", "tif", "account", "orderRef", "parentId",
    "ocaGroup", "ocaType", "transmit", "outsideRth", "trailStopPrice", "trailingPercent",  # FullOrder's own
    "conditions", "conditionsCancelOrder", "conditionsIgnoreRth", "orderComboLegs", "slOrderType",
    "ptOrderType", "dontUseAutoPriceForHedge",  # made beside the table
    "whatIf",  # request_what_if sets it
    "orderId", "clientId", "permId", "filledQuantity", "parentPermId", "autoCancelDate", "refFuturesConId",
    "shareholder", "submitter", "softDollarTier", "basisPoints", "basisPointsType",  # TWS states them
}  # fmt: skip
"""What the official Order has and no row of the table names."""


def test_the_table_names_every_attribute_of_the_official_order() -> None:
    named = {official_name(row).partition(".")[0] for row in (*ROWS, *BESIDE)}
    assert set(vars(IbOrder())) - SETTLED == named - {"softDollarTier"}


def encoder(version: int) -> OfficialEncoder:
    client = OfficialClient(Pipe(lambda data: None, lambda: True, lambda: None))
    client.begin(version, "20261122 10:00:00 EST", 1)
    return OfficialEncoder(client)


TOO_OLD = {
    "duration_s": (157, ot.good_till(LIMIT, duration_s=60)),
    "compliance.manual_order_indicator": (191, ot.by_hand(LIMIT, "20261123-15:00:00")),
    "peg_offsets.min_trade_quantity": (169, ot.ats_limit("BUY", 1, 9, min_trade_quantity=1)),
    "post_only": (215, replace(LIMIT, attributes=Attributes(post_only=True))),
    "seek_price_improvement": (216, replace(LIMIT, attributes=Attributes(seek_price_improvement=False))),
    "attached.stop_loss_id": (217, ot.attach_presets(LIMIT, stop_loss_id=7)),
    "hedge.max_size": (222, ot.hedged_beta(ot.market("BUY", 1, parent_id=1), 1, max_size=9)),
    "auction_strategy": (203, ot.auction_limit("BUY", 1, 9, 1)),
}


@pytest.mark.parametrize("name", TOO_OLD)
def test_a_version_without_a_place_for_an_attribute_is_named(name: str) -> None:
    version, order = TOO_OLD[name]
    with pytest.raises(NotSentError, match=f"{name} .*this session speaks {version}: .*unset") as refused:
        encoder(version).order(1, SPY, order)
    assert refused.value.code == 503
    assert encoder(202 if name == "auction_strategy" else version + 1).order(1, replace(
        SPY, exchange="IBKRATS"), order)  # fmt: skip


@pytest.mark.parametrize(("version", "order", "name"), [
    (200, ot.non_guaranteed(LIMIT), "combo.routing"),
    (200, replace(LIMIT, attributes=Attributes(peg_offsets=PegOffsets(min_trade_quantity=1))),
     "peg_offsets.min_trade_quantity"),
    (225, ot.with_leg_prices(LIMIT, [1, 2]), "combo.leg_prices"),
    (176, replace(LIMIT, attributes=Attributes(misc_options=(("a;b", "c"),))), "misc_options"),
])  # fmt: skip
def test_what_the_frame_would_not_say_does_not_leave(version: int, order: FullOrder, name: str) -> None:
    with pytest.raises(NotSentError, match=f"{name} would not reach TWS|can't be read.*{name}"):
        encoder(version).order(1, SPY, order)


def test_attached_orders_are_presets() -> None:
    frame, call = encoder(225).order(7, SPY, ot.attach_presets(LIMIT, stop_loss_id=8, profit_taker_id=9))
    sent = codec.decode_request(frame[4:], 225)
    assert isinstance(sent, PlaceOrderRequest)
    beside = sent.attached_orders
    assert (beside.sl_order_id, beside.sl_order_type) == (8, "PRESET")
    assert (beside.pt_order_id, beside.pt_order_type) == (9, "PRESET")
    assert call.order is None and call.beyond.startswith("attached")


# -- any attributes at once


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an attribute's type that say something, and that a double holds."""
    if not isinstance(kind, type):
        inner = [each for each in typing.get_args(kind) if each is not type(None)]
        if len(inner) == 1:
            return st.none() | _values(inner[0])
        return st.dictionaries(WORDS, WORDS, max_size=2).map(lambda tags: tuple(sorted(tags.items())))
    if issubclass(kind, Struct):
        return st.builds(kind, **{each.name: _values(each.type) for each in fields(kind)})
    return {bool: st.booleans(), int: st.integers(1, 10**6), str: WORDS,
            Decimal: st.integers(1, 10**6).map(lambda n: Decimal(n) / 100)}[kind]


WORDS = st.text("abcXYZ .:-1", min_size=1, max_size=8).map(str.strip).filter(bool)
MADE_ELSEWHERE = {"conditions", "combo", "attached", "auction_strategy", "algo"}
any_attributes = st.fixed_dictionaries(
    {}, optional={each.name: _values(each.type) for each in fields(Attributes)
                  if each.name not in MADE_ELSEWHERE})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(any_attributes)
def test_any_attributes_travel_both_ways(said: dict[str, Any]) -> None:
    asked = Attributes(**said)
    offsets, hedge = asked.peg_offsets, asked.hedge
    if offsets is not None and offsets.up_to_mid and offsets.compete_offset is not None:
        asked = replace(asked, peg_offsets=replace(offsets, up_to_mid=False))
    frame = encoder(225).order(1, SPY, replace(LIMIT, attributes=asked))[0]
    read = codec.decode_request(frame[4:], 225)
    assert isinstance(read, PlaceOrderRequest)
    heard = attributes_of(read.order) or Attributes()
    if hedge is not None:  # whether TWS prices a hedge by itself is never heard again
        asked = replace(asked, hedge=replace(hedge, auto_price=True))
    for group in (each.name for each in fields(Attributes)):
        if getattr(heard, group) is None and _is_empty(getattr(asked, group)):
            asked = replace(asked, **{group: None})
    assert differences(replace(LIMIT, attributes=heard), replace(LIMIT, attributes=asked)) == []


def _is_empty(group: Any) -> bool:
    """Whether a group says nothing, so that nothing of it travels."""
    return isinstance(group, Struct) and not any(
        getattr(group, each.name) != each.default for each in fields(group))


any_open_order = messages(Layout(5, OpenOrder, OPEN_ORDER), {
    "type": st.integers(0, 9), kinds.OPT_FLOAT.name: st.none() | st.floats(),
    kinds.OPT_FLOAT_EMPTY.name: st.none() | st.floats(),
})  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(any_open_order)
def test_whatever_an_open_order_says_is_read(message: OpenOrder) -> None:
    """Numbers that are none, conditions of unknown kinds, tags that stand twice: absent, never a guess."""
    found = attributes_of(message.order)
    if found is not None and found.conditions is not None:
        assert len(found.conditions.terms) == len(message.order.conditions)
        assert {row.type for row in message.order.conditions} <= {1, 3, 4, 5, 6, 7}
    for row, value in stated(found or Attributes()):
        heard = wired(message.order, row.wire)
        assert heard == (float(value) if isinstance(value, Decimal) else value) or isinstance(value, tuple)


# -- the guard without a desk


async def test_the_built_in_guard_judges_the_worst(sim: SimulatedTWS, journal: Path) -> None:
    sim.quote("SPY", bid=100.0, ask=100.02)
    limits = RiskLimits(max_order_quantity=100, max_order_notional=9500)
    async with TWSConnection(config_of(port_of(sim)), journal=journal, limits=limits) as made:
        allowed = ot.conditional(ot.adaptive(ot.limit("BUY", 100, 90)), ot.price_below(SPY, 80))
        assert (await made.place_order(SPY, allowed)).call.full == replace(allowed)
        with pytest.raises(OrderDeniedError, match="max_order_quantity"):
            made.place_order(SPY, ot.iceberg(ot.limit("BUY", 101, 90), 10))
        with pytest.raises(OrderDeniedError, match="max_order_notional"):  # 90 and the discretion: 96
            made.place_order(SPY, ot.discretionary(ot.limit("BUY", 100, 90), 6))
        with pytest.raises(OrderDeniedError, match="sends orders of its own"):
            made.place_order(SPY, ot.attach_presets(ot.limit("BUY", 1, 90), stop_loss_id=77))
        with pytest.raises(OrderDeniedError, match="lies off the contract's grid"):
            await made.request_instrument(SPY)
            made.place_order(SPY, ot.midprice("BUY", 1, cap="90.001"))
        rounded = made.place_order(SPY, ot.midprice("BUY", 1, cap="90.001"), off_grid="round")
        assert rounded.call.full is not None and rounded.call.full.limit_price == Decimal("90.00")
        with pytest.raises(BadOrderError, match="SMART alone"):
            made.place_order(replace(SPY, exchange="NYSE"), ot.midprice("BUY", 1))
        cost = await made.request_what_if(SPY, allowed)
        assert cost.commission
        with pytest.raises(BadOrderError, match="SMART alone"):
            made.request_what_if(replace(SPY, exchange="NYSE"), ot.midprice("BUY", 1))
    with sqlite3.connect(journal) as base:
        first = json.loads(base.execute("SELECT line FROM sent ORDER BY id").fetchone()[0])
    assert (first["order_type"], first["attributes"]) == ("LMT", ["conditions", "algo"])


async def test_an_order_of_the_broker_is_changed_and_placed_again(client: TWSConnection) -> None:
    """What the broker tells of an order can be changed with all that it says."""
    sent = await client.place_order(SPY, ot.iceberg(ot.limit("BUY", 100, 90), 10))
    (row,) = await client.request_open_orders()
    await client.place_order(SPY, replace(full_order(row), limit_price=Decimal(89)), sent.order_id)
    (row,) = await client.request_open_orders()
    assert row.limit_price == 89 and row.attributes == Attributes(display_size=10)
    client.cancel_all_orders()


async def test_a_plain_order_says_nothing_more(client: TWSConnection) -> None:
    plain = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(90))
    await client.place_order(SPY, plain)
    (row,) = await client.request_open_orders()
    assert row.attributes is None
    assert full_order(plain) == replace(full_order(row), account="")
    client.cancel_all_orders()


@pytest.mark.parametrize("version", [176, 225])
@pytest.mark.parametrize("said", [
    {"limit_price": Decimal("90.25"), "order_type": OrderType.LIMIT, "parent_id": 3, "transmit": False},
    {"stop_price": Decimal(80), "order_type": OrderType.STOP, "oca_group": "g", "oca_type": 2},
    {"stop_price": Decimal(80), "limit_price": Decimal(79), "order_type": OrderType.STOP_LIMIT},
    {"stop_price": Decimal(80), "trail": Decimal(2), "order_type": OrderType.TRAIL, "order_ref": "mine"},
    {"trail_percent": Decimal(2), "order_type": OrderType.TRAIL, "outside_rth": True},
    {"stop_price": Decimal(80), "trigger_price": Decimal(110), "adjusted_stop_price": Decimal(100),
     "order_type": OrderType.STOP, "tif": "GTC"},
])  # fmt: skip
def test_a_plain_order_in_full_is_the_same_frame(version: int, said: dict[str, Any]) -> None:
    plain = Order(side=Side.SELL, quantity=Decimal(10), **said)
    made = encoder(version)
    assert made.order(7, SPY, full_order(plain))[0] == made.careful_order(7, SPY, plain)
