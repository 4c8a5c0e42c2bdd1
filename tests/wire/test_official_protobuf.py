"""The official client 10.46 as the witness of protobuf: its requests we read, our answers it reads.

Messages are drawn with every attribute that protobuf carries; what the official side cannot say or does not
read is named below, attribute by attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.wire import official
from tests.wire.binary import NEVER, binary_messages, carried, since
from tests.wire.test_official_answers import APART, BASIC, CALLS
from tests.wire.test_official_requests import PLAIN, SENDS

from tws.wire import codec
from tws.wire import messages as m
from tws.wire.layouts import ANSWERS, REQUESTS

FEW = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

UNSAID: dict[str, st.SearchStrategy[Any]] = {
    "text": PLAIN,
    "client_id": st.just(7),  # the client's own
    "StartApiRequest.client_id": st.just(7),
    "market_data_options": st.just(()),  # the calls of the text tests pass none
    "market_depth_options": st.just(()),
    "WireContract.last_trade_date": st.just(""),
    **{
        f"WireOrder.{name}": st.just(value)
        for name, value in {
            "auto_cancel_date": "", "filled_quantity": None, "ref_futures_con_id": None, "shareholder": "",
            "parent_perm_id": None,
        }.items()
    },
    "WireSoftDollarTier.display_name": st.just(""),
}
"""What the official client never puts into a request."""

YOUNG = {
    216: {"deactivate": False, "post_only": False, "allow_pre_open": False, "ignore_open_auction": False},
    217: {"route_marketable_to_bbo": None, "seek_price_improvement": None, "what_if_type": None},
    223: {"hedge_max_size": None},
}
"""Attributes of an order that the client refuses to send below a version."""


@pytest.mark.parametrize("name", [one.message.__name__ for one in REQUESTS if since(one) < NEVER])
@FEW
@given(data=st.data())
def test_what_the_official_client_sends_we_read(name: str, data: st.DataObject) -> None:
    layout = next(layout for layout in REQUESTS if layout.message.__name__ == name)
    drawn = carried(data.draw(binary_messages(layout.message, UNSAID)))
    for version in sorted({since(layout), 208, 213, 215, 220, 225}):
        if version < since(layout):
            continue
        ours = known(drawn, version)
        client, sent = official.client(version)
        client.extraAuth = True  # without, it sends no verification
        SENDS[layout.message](client, ours)
        assert len(sent) == 1, version
        payload = sent[0][4:]
        assert payload[:4] == (layout.id + 200).to_bytes(4, "big")
        assert codec.decode_request(payload, version) == ours, version
        again = codec.encode(ours, version)
        assert codec.decode_request(again, version) == ours


def test_a_margin_condition_of_the_official_client_is_read() -> None:
    """Its percent is whole, and the client refuses any other: in a random order it comes up now and then."""
    condition = m.WireOrderCondition(type=4, is_more=True, percent=20.0)
    ours = m.PlaceOrderRequest(1, m.WireContract(symbol="SPY"), m.WireOrder(conditions=(condition,)))
    for version in (200, 203, 225):
        client, sent = official.client(version)
        SENDS[m.PlaceOrderRequest](client, ours)
        read = codec.decode_request(sent[0][4:], version)
        assert isinstance(read, m.PlaceOrderRequest)
        assert read.order.conditions == (condition,)


def known(request: Any, version: int) -> Any:
    """The request without what this version lacks; conditions with only what their type has."""
    if not isinstance(request, m.PlaceOrderRequest):
        return request
    order = request.order
    order = replace(order, conditions=tuple(fitted(one) for one in order.conditions))
    for mark, young in YOUNG.items():
        if version < mark:
            order = replace(order, **young)
    if version < 218:
        request = replace(request, attached_orders=m.WireAttachedOrders())
    return replace(request, order=order)


PARTS = {
    1: ("is_more", "con_id", "exchange", "price", "trigger_method"),
    3: ("is_more", "time"),
    4: ("is_more", "percent"),
    5: ("sec_type", "exchange", "symbol"),
    6: ("is_more", "con_id", "exchange", "volume"),
    7: ("is_more", "con_id", "exchange", "change_percent"),
}


def fitted(condition: m.WireOrderCondition) -> m.WireOrderCondition:
    parts = ("type", "is_conjunction_connection", *PARTS[condition.type])
    return m.WireOrderCondition(**{part: getattr(condition, part) for part in parts})


# answers

SOME = BASIC.filter(bool)
READABLE: dict[str, st.SearchStrategy[Any]] = {
    "text": BASIC,
    "WireContract.last_trade_date_or_contract_month": st.from_regex(r"20[0-9]{6}|", fullmatch=True),
    "fund_distribution_policy_indicator": st.just(""),  # it makes enumerations of these two
    "fund_asset_type": st.just(""),
    **{f"WireOrderCondition.{name}": SOME for name in ("exchange", "symbol", "sec_type", "time")},  # or None
    "IneligibilityReason.id": SOME,
    "IneligibilityReason.description": SOME,
    "hedge_type": SOME,  # without these it does not read what belongs to them
    "algo_strategy": SOME,
    "multiplier": st.sampled_from(["", "1", "50", "100", "0.5"]),
}

UNREAD = {
    "contract.sec_id_type", "contract.sec_id", "contract.include_expired",
    *(f"order.{name}" for name in (
        "fa_profile", "shares_allocation", "auction_strategy", "basis_points", "basis_points_type",
        "transmit", "override_percentage_constraints", "active_start_time", "active_stop_time",
        "scale_table", "algo_id", "order_misc_options", "mifid2_decision_maker", "mifid2_decision_algo",
        "mifid2_execution_trader", "mifid2_execution_algo", "advanced_error_override", "manual_order_time",
    )),
    "last_price_precision", "last_size_precision",
    "execution.opt_exercise_or_lapse_type",  # it makes an enumeration of it: a test of its own
}  # fmt: skip
"""What the official decoder lets lie."""


HAVE_ONE = {layout.message for layout in ANSWERS if since(layout) < NEVER}


@pytest.mark.parametrize("kind", [kind for kind in CALLS if kind in HAVE_ONE], ids=lambda kind: kind.__name__)
@FEW
@given(data=st.data())
def test_what_we_write_the_official_client_reads(kind: type[m.Answer], data: st.DataObject) -> None:
    layout = next(layout for layout in ANSWERS if layout.message is kind)
    ours = sensible(carried(data.draw(binary_messages(kind, READABLE))))
    callback, names = CALLS[kind]
    for version in {since(layout), 225}:
        [(called, arguments)] = official.callbacks(codec.encode(ours, version), version)
        assert called == callback
        roots = dict(zip(names.split(), arguments, strict=True))
        for path, value in leaves(ours):
            if path in UNREAD:
                continue
            root, _, rest = path.partition(".")
            theirs, parts = (roots[root], rest) if root in roots else (roots["*"], path)
            for part in parts.split(".") if parts else ():
                theirs = official.attribute(part, theirs)
            if value and isinstance(value, tuple) and isinstance(value[0], tuple):  # tags: a map, in no order
                theirs = sorted(theirs, key=lambda tag: tag.tag)
            if path == "order.order_combo_leg_prices" and not value:  # it makes one for every leg
                assert all(price in official.UNSET for price in theirs or ())
                continue
            official.same(value, theirs, f"{path} at {version}")


def sensible(answer: Any) -> Any:
    if isinstance(answer, m.OpenOrder | m.CompletedOrder):
        conditions = tuple(fitted(one) for one in answer.order.conditions)
        return replace(answer, order=replace(answer.order, conditions=conditions))
    return answer


def leaves(message: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every attribute by its path; rows of structs are one value."""
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if isinstance(value, Struct):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def test_every_answer_has_its_witness() -> None:
    assert set(CALLS) | APART == {layout.message for layout in ANSWERS}


# answers that the official client splits or regroups


def read(ours: m.Answer, version: int = 225) -> list[tuple[str, tuple[Any, ...]]]:
    return official.callbacks(codec.encode(ours, version), version)


def drawn(data: st.DataObject, kind: type[m.Answer], **special: st.SearchStrategy[Any]) -> Any:
    return carried(data.draw(binary_messages(kind, {**READABLE, **special})))


@FEW
@given(st.data())
def test_ticks(data: st.DataObject) -> None:
    ours = drawn(data, m.TickPrice, **{"TickPrice.tick_type": st.sampled_from([1, 6])})
    (name, (req_id, tick_type, price, attributes)), *more = read(ours)
    assert (name, req_id, tick_type, price) == ("tickPrice", ours.req_id, ours.tick_type, ours.price)
    assert attributes.canAutoExecute | attributes.pastLimit << 1 | attributes.preOpen << 2 == ours.attr_mask
    if tick_type == 1:
        [(name, (_, size_type, size))] = more
        assert (name, size_type) == ("tickSize", 0)
        official.same(ours.size, size)


@FEW
@given(st.data())
def test_tick_by_tick(data: st.DataObject) -> None:
    ours = drawn(data, m.TickByTickData, tick_type=st.integers(1, 4))
    [(name, arguments)] = read(ours)
    if ours.tick_type in (1, 2):
        req_id, kind, time, price, size, bits, exchange, conditions = arguments
        assert (name, kind, exchange, conditions) == (
            "tickByTickAllLast", ours.tick_type, ours.exchange, ours.special_conditions)  # fmt: skip
        theirs = (price if ours.price is not None else None, size)
        official.same((ours.price, ours.size), theirs)
        assert bits.pastLimit | bits.unreported << 1 == ours.attr_mask
    elif ours.tick_type == 3:
        req_id, time, bid, ask, bid_size, ask_size, bits = arguments
        assert name == "tickByTickBidAsk"
        official.same((ours.bid_price, ours.ask_price), (bid, ask))
        official.same((ours.bid_size, ours.ask_size), (bid_size, ask_size))
        assert bits.bidPastLow | bits.askPastHigh << 1 == ours.attr_mask
    else:
        req_id, time, mid_point = arguments
        assert name == "tickByTickMidPoint"
        official.same(ours.mid_point, mid_point)
    assert (req_id, time) == (ours.req_id, ours.time)


@pytest.mark.parametrize(
    ("kind", "callback"),
    [(m.ContractData, "contractDetails"), (m.BondContractData, "bondContractDetails")],
)
@FEW
@given(data=st.data())
def test_contract_data(kind: type[m.Answer], callback: str, data: st.DataObject) -> None:
    ours = drawn(data, kind)
    [(name, (req_id, theirs))] = read(ours)
    assert (name, req_id) == (callback, ours.req_id)
    if kind is m.BondContractData:
        assert theirs.maturity == ours.contract.last_trade_date_or_contract_month
    for path, value in leaves(ours):
        root, _, rest = path.partition(".")
        parts = [part for part in rest.split(".") if part != "fund"]  # a fund's words stand in the details
        if path in UNREAD or not rest or not parts or parts[-1] in (
            "fund_distribution_policy_indicator", "fund_asset_type"
        ):
            continue
        there = theirs.contract if root == "contract" else theirs
        for part in parts:
            there = official.attribute(part, there)
        if value and isinstance(value, tuple) and isinstance(value[0], tuple):
            there = sorted(there, key=lambda tag: tag.tag)
        official.same(value, there, path)


@pytest.mark.parametrize("number", [1, 2, 3, 100, 101, 102, 103, 200])
def test_what_ended_an_option(number: int) -> None:
    ours = m.ExecutionDetails(1, m.WireContract(), m.WireExecution(opt_exercise_or_lapse_type=number))
    [(_, (_, _, execution))] = read(ours)
    assert execution.optExerciseOrLapseType.value[0] == number


@FEW
@given(st.data())
def test_history(data: st.DataObject) -> None:
    bars = drawn(data, m.HistoricalData)
    calls = read(bars)
    assert [arguments[0] for _, arguments in calls] == [bars.req_id] * len(bars.historical_data_bars)
    official.same(bars.historical_data_bars, [arguments[1] for _, arguments in calls])
    quotes = drawn(data, m.HistoricalTicksBidAsk)
    [(name, (req_id, ticks, done))] = read(quotes)
    assert (name, req_id, done) == ("historicalTicksBidAsk", quotes.req_id, quotes.is_done)
    for ours, theirs in zip(quotes.historical_ticks_bid_ask, ticks, strict=True):
        assert (ours.time, ours.price_bid, ours.price_ask) == (theirs.time, theirs.priceBid, theirs.priceAsk)
        official.same((ours.size_bid, ours.size_ask), (theirs.sizeBid, theirs.sizeAsk))
        bits = theirs.tickAttribBidAsk
        assert bits.askPastHigh | bits.bidPastLow << 1 == ours.attr_mask
    trades = drawn(data, m.HistoricalTicksLast)
    [(name, (req_id, ticks, done))] = read(trades)
    assert (name, req_id, done) == ("historicalTicksLast", trades.req_id, trades.is_done)
    for trade, theirs in zip(trades.historical_ticks_last, ticks, strict=True):
        for part in ("time", "price", "size", "exchange", "special_conditions"):
            official.same(getattr(trade, part), official.attribute(part, theirs), part)
        bits = theirs.tickAttribLast
        assert bits.pastLimit | bits.unreported << 1 == trade.attr_mask


@FEW
@given(st.data())
def test_symbols_and_option_chains(data: st.DataObject) -> None:
    samples = drawn(data, m.SymbolSamples)
    [(name, (req_id, rows))] = read(samples)
    assert (name, req_id) == ("symbolSamples", samples.req_id)
    for ours, theirs in zip(samples.contract_descriptions, rows, strict=True):
        assert list(ours.derivative_sec_types) == list(theirs.derivativeSecTypes)
        for part in ("con_id", "symbol", "sec_type", "primary_exch", "currency", "description", "issuer_id"):
            official.same(getattr(ours.contract, part), official.attribute(part, theirs.contract), part)
    chain = drawn(data, m.SecDefOptParameter, **{"SecDefOptParameter.multiplier": BASIC})
    [(name, arguments)] = read(chain)
    assert name == "securityDefinitionOptionParameter"
    assert arguments == (
        chain.req_id, chain.exchange, chain.underlying_con_id, chain.trading_class, chain.multiplier,
        set(chain.expirations), set(chain.strikes),
    )  # fmt: skip


@FEW
@given(st.data())
def test_smart_components(data: st.DataObject) -> None:
    """The official client makes a dictionary by bit of them: of two with one bit it keeps the last."""
    ours = drawn(data, m.SmartComponents, **{"SmartComponent.exchange_letter": SOME})
    [(name, (req_id, components))] = read(ours)
    assert (name, req_id) == ("smartComponents", ours.req_id)
    rows = ours.smart_components
    assert components == {row.bit_number: (row.exchange, row.exchange_letter) for row in rows}


@FEW
@given(st.data())
def test_settings(data: st.DataObject) -> None:
    """The official client hands its own class on: attribute by attribute it holds ours, and nothing else."""
    for kind, number, callback in (
        (m.ConfigResponse, 110, "configResponseProtoBuf"),
        (m.UpdateConfigResponse, 111, "updateConfigResponseProtoBuf"),
    ):
        ours = drawn(data, kind)
        recorder, decoder = official._decoder(225)
        recorder.calls.clear()
        decoder.processProtoBuf(codec.encode(ours, 225)[4:], number)
        [(name, (theirs,))] = recorder.calls
        assert name == callback
        assert dict(stated(ours)) == dict(theirs_stated(theirs))


def stated(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every attribute that says something, by its path without underscores; rows by their place."""
    for name in value.__struct_fields__:
        inner, path = getattr(value, name), prefix + name.replace("_", "").lower()
        rows = inner if isinstance(inner, tuple) else (inner,)
        for place, row in enumerate(rows):
            where = f"{path}{place if isinstance(inner, tuple) else ''}"
            if isinstance(row, Struct):
                yield from stated(row, f"{where}.")
            elif row not in (None, ""):
                yield where, row


def theirs_stated(message: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for field, inner in message.ListFields():
        path = prefix + field.name.replace("_", "").lower()
        rows = list(inner) if field.is_repeated else [inner]
        for place, row in enumerate(rows):
            where = f"{path}{place if field.is_repeated else ''}"
            if field.message_type is not None:
                yield from theirs_stated(row, f"{where}.")
            elif row != "":
                yield where, row
