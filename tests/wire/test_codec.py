"""The codec against itself: what is written is read, exactly, at every version; what is damaged is refused
by name.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.wire.generators import VERSIONS, carried, messages

from tws.errors import DecodeError, NotSentError, ProtocolError
from tws.wire import codec, thresholds
from tws.wire.layout import Layout
from tws.wire.layouts import ANSWERS, REQUESTS
from tws.wire.messages import (
    AccountValue,
    CurrentTimeInMillisRequest,
    ErrorMessage,
    HistoricalDataEnd,
    ManagedAccounts,
    NextValidId,
    OpenOrder,
    OrderStatus,
    PlaceOrderRequest,
    PnL,
    TickPrice,
    TickString,
    WireContract,
    WireOrder,
)

ALL = [(layout, codec.decode_request) for layout in REQUESTS] + [
    (layout, codec.decode_answer) for layout in ANSWERS
]
QUICK = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def marks(layout: Layout) -> list[int]:
    """The first and the last version of the text, each at which it changes, and the one before it."""
    table = thresholds.REQUESTS if layout in REQUESTS else thresholds.ANSWERS
    until = table.get(layout.id, codec.MAX_VERSION + 1)
    changes = {mark for mark in layout.versions() if mark > 157}
    wanted = {157, 200, 201, 202, until - 1, *changes, *(mark - 1 for mark in changes)}
    return sorted(v for v in wanted if max(157, layout.since) <= v < until)


@pytest.mark.parametrize(("layout", "decode"), ALL, ids=[layout.message.__name__ for layout, _ in ALL])
@QUICK
@given(data=st.data())
def test_what_is_written_is_read(layout: Layout, decode: Any, data: st.DataObject) -> None:
    message = data.draw(messages(layout))
    for version in marks(layout):
        payload = codec.encode(message, version)
        again = decode(payload, version)
        assert again == carried(message, layout.items, version), version
        assert codec.encode(again, version) == payload, version


TEXT = [(layout, decode) for layout, decode in ALL if marks(layout)]  # the youngest have no text form


@pytest.mark.parametrize(("layout", "decode"), TEXT, ids=[layout.message.__name__ for layout, _ in TEXT])
@settings(QUICK, max_examples=4)
@given(data=st.data())
def test_a_field_too_few_or_too_many_is_refused(layout: Layout, decode: Any, data: st.DataObject) -> None:
    message = data.draw(messages(layout))
    version = data.draw(st.sampled_from(marks(layout)))
    payload = codec.encode(message, version)
    with pytest.raises(DecodeError, match="too many"):
        decode(payload + b"x\0", version)
    assert decode(payload + b"x\0", version, lenient=True) == decode(payload, version)
    head = 4 if version >= thresholds.RAW_ID else payload.index(b"\0") + 1
    fields = payload[head:].split(b"\0")[:-1]
    if fields:
        with pytest.raises(DecodeError, match=layout.message.__name__):
            decode(payload[:head] + b"".join(field + b"\0" for field in fields[:-1]), version)


def test_every_version_is_reached_by_the_marks() -> None:
    reached = {mark for layout, _ in ALL for mark in layout.versions() if 157 < mark <= 200}
    assert reached <= set(VERSIONS)
    assert {
        158,
        160,
        162,
        163,
        164,
        166,
        169,
        170,
        176,
        177,
        178,
        179,
        182,
        183,
        184,
        185,
        186,
        187,
        189,
        190,
        192,
        193,
        194,
        195,
        196,
        197,
        198,
        199,
        200,
    } <= reached


def test_ids_and_classes_are_said_once() -> None:
    for layouts in (REQUESTS, ANSWERS):
        assert len({layout.id for layout in layouts}) == len(layouts)
    assert len({layout.message for layout, _ in ALL}) == len(ALL)


# the bytes themselves


def test_known_bytes() -> None:
    """TWS-BEHAVIOUR.md A1, A2, E, F6: frames as recorded or given."""
    assert codec.encode(ManagedAccounts("DU1234567"), 173) == b"15\x001\x00DU1234567\x00"
    assert codec.encode(NextValidId(7), 173) == b"9\x001\x007\x00"
    farm = ErrorMessage(-1, 0, 2104, "Market data farm connection is OK:usfarm")
    assert (
        codec.encode(farm, 173) == b"4\x002\x00-1\x002104\x00Market data farm connection is OK:usfarm\x00\x00"
    )
    assert codec.encode(farm, 165) == b"4\x002\x00-1\x002104\x00Market data farm connection is OK:usfarm\x00"
    assert (
        codec.encode(farm, 194) == b"4\x00-1\x002104\x00Market data farm connection is OK:usfarm\x00\x000\x00"
    )


@pytest.mark.parametrize(
    "frame",
    [
        "61·3·acct·637533641·ES·FUT·20250919·0.0··50··USD·ESU5·ES·1·315114.75·",
        "63·1·9000·DU1·GrossPositionValue·23172.60·USD·",
        "3·13·PreSubmitted·0·100·0.0·1376327563·0·0.0·100··0.0·",
        "4·2·-1·2158·Sec-def data farm connection is OK:secdefil··",
        "93·26·1·0.0·0.01·",
    ],
)
def test_frames_of_a_real_tws_are_read_and_written_again(frame: str) -> None:
    """TWS-BEHAVIOUR.md A2, D, E; a number that TWS writes 0 is 0.0 here."""
    payload = frame.replace("·", "\0").encode()
    message = codec.decode_answer(payload, 173)
    assert not isinstance(message, codec.Unknown)
    assert codec.encode(message, 173) == payload


@pytest.mark.parametrize(
    ("version", "count"), [(157, 110), (163, 113), (176, 115), (187, 118), (189, 119), (193, 118), (200, 119)]
)
def test_place_order_has_the_official_number_of_fields(version: int, count: int) -> None:
    """The check sums of TWS-BEHAVIOUR.md F5."""
    contract = WireContract(symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
    order = WireOrder(action="BUY", total_quantity=Decimal(1), order_type="LMT", lmt_price=1.5)
    assert codec.encode(PlaceOrderRequest(1, contract, order), version).count(b"\0") == count


# what can't be read


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "does not end|empty"),
        (b"\0", "message id"),
        (b"9\0001\0007", "does not end with a NUL"),
        (b"GET / HTTP/1.1\0", "message id"),
        (b"9\0001\000x\0", "NextValidId.*order_id"),
        (b"9\0001\0001_0\0", "order_id"),
        (b"9\0001\000\0", "order_id"),
        (b"9\0001\0", "ends before the field order_id"),
        (b"1\0006\0001\0001\000nan\0001\0000\0", "price"),
        (b"1\0006\0001\0001\0001_0\0001\0000\0", "price"),
        (b"1\0006\0001\0001\0001.7976931348623157E308\0001\0000\0", "price"),
        (b"1\0006\0001\0001\0001.5\000NaN\0000\0", "size"),
        (b"1\0006\0001\0001\0001.5\0001E999999999\0000\0", "size"),
        (
            b"61\0003\000DU1\0001\000SPY\000STK\000\0000\000\000\000\000USD\000SPY\000SPY\000\0001.5\0",
            "position",
        ),
        (b"17\0001\000a\000b\000-1\0", "count"),
        (b"17\0001\000a\000b\0002\000d\0001\0001\0001\0001\0001\0001\0001\0", "historical_data_bars|date"),
    ],
)
def test_damage_is_named(payload: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words) as caught:
        codec.decode_answer(payload, 178)
    assert caught.value.payload == payload


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.sampled_from([157, 178, 200]))
def test_garbage_raises_only_decode_errors(junk: bytes, version: int) -> None:
    for decode in (codec.decode_answer, codec.decode_request):
        for payload in (junk, b"5\0" + junk + b"\0", b"3\0" + junk.replace(b"a", b"\0") + b"\0"):
            try:
                decode(payload, version)
            except DecodeError as error:
                assert error.payload == payload


@pytest.mark.parametrize("version", [157, 200])
def test_an_empty_payload_is_refused_at_a_version_met_for_the_first_time(version: int) -> None:
    with pytest.raises(DecodeError, match="empty"):
        codec._decode(b"", version, False, {}, {})


def test_an_unknown_id_is_no_error() -> None:
    assert codec.decode_answer(b"4711\0a\0\0", 178) == codec.Unknown(4711, (b"a", b""))
    end = codec.encode(HistoricalDataEnd(1, "a", "b"), 196)
    assert isinstance(codec.decode_answer(end, 195), codec.Unknown)


@pytest.mark.parametrize("version", [0, 156, 226])
def test_other_versions_are_refused(version: int) -> None:
    with pytest.raises(ProtocolError):
        codec.encode(NextValidId(1), version)
    with pytest.raises(ProtocolError):
        codec.decode_answer(b"9\0001\0001\0", version)


@pytest.mark.parametrize(
    "message",
    [
        TickPrice(1, 1, float("nan"), Decimal(1)),
        TickPrice(1, 1, float("-inf"), Decimal(1)),
        TickPrice(1, 1, 1.5, Decimal("NaN")),
        TickPrice(1, 1, 1.5, Decimal("Infinity")),
        TickString(1, 1, "a\0b"),
        NextValidId(None),  # type: ignore[arg-type]
        OrderStatus(1, "Filled", Decimal("sNaN"), Decimal(0)),
        PnL(1, float("nan"), None, None),
        PlaceOrderRequest(1, WireContract(), WireOrder(order_misc_options=(("a;b", "c"),))),
    ],
)
def test_what_has_no_form_is_not_written(message: Any) -> None:
    with pytest.raises(NotSentError):
        codec.encode(message, 178)


def test_a_message_that_the_version_lacks_is_not_written() -> None:
    with pytest.raises(NotSentError, match="197"):
        codec.encode(CurrentTimeInMillisRequest(), 196)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+6", b"1000000"),
        ("1E-8", b"0.00000001"),
        ("100.0", b"100"),
        ("-7.50", b"-7.5"),
        ("0.0", b"0"),
        ("10", b"10"),
    ],
)
def test_decimals_are_written_plainly(value: str, text: bytes) -> None:
    """No exponent; and no zeros behind the point: the official client 9.81 reads a size by int()."""
    assert codec.encode(OrderStatus(1, "Submitted", Decimal(value), Decimal(3)), 178).split(b"\0")[3] == text


def test_text_that_is_not_ascii_is_escaped() -> None:
    """A8: backslash-u escapes; a backslash is escaped too, so that every reader gets it back."""
    payload = codec.encode(ErrorMessage(1, 0, 201, "caf\u00e9 \\u0041 \U0001f600"), 178)
    assert payload == b"4\x002\x001\x00201\x00caf\\u00e9 \\u005cu0041 \\ud83d\\ude00\x00\x00"
    message = codec.decode_answer(b"4\x002\x001\x00201\x00C:\\new \\u00E9\x00\x00", 178)
    assert isinstance(message, ErrorMessage)
    assert message.error_msg == "C:\\new \u00e9"
    value = codec.decode_answer(b"6\x002\x00k\x00\\ud83d\x00c\x00a\x00", 178)
    assert value == AccountValue("k", "\ufffd", "c", "a")


def test_the_trail_stop_price_is_stated_twice_and_the_stated_one_wins() -> None:
    order = OpenOrder(1, WireContract(), WireOrder(trail_stop_price=9.5))
    payload = codec.encode(order, 178)
    assert payload.count(b"\x009.5\x00") == 2
    first, _, second = payload.rpartition(b"\x009.5\x00")
    assert codec.decode_answer(first + b"\x001.7976931348623157E308\x00" + second, 178) == order
    assert codec.decode_answer(payload.replace(b"\x009.5\x00", b"\x00\x00", 1), 178) == order


def test_infinite_is_understood_in_both_spellings() -> None:
    order = WireOrder(order_type="PEG BEST", compete_against_best_offset=float("inf"))
    payload = codec.encode(PlaceOrderRequest(1, WireContract(), order), 178)
    for spelling in (b"Infinity", b"Infinite"):
        request = codec.decode_request(payload.replace(b"Infinity", spelling), 178)
        assert isinstance(request, PlaceOrderRequest)
        assert request.order.compete_against_best_offset == float("inf")


def test_options_may_stand_without_their_count() -> None:
    """@stoqey/ib leaves the count of request 52 out; the official client says it. Both are read alike."""
    counted = b"52\0" + b"2\0" + b"9\0" + b"265598\0AAPL\0STK\0\0\0\0\0ReportSnapshot\0" + b"0\0" + b"\0"
    short = counted.removesuffix(b"0\0\0") + b"\0"
    assert codec.decode_request(short, 193, lenient=True) == codec.decode_request(counted, 193, lenient=True)
    with pytest.raises(DecodeError):
        codec.decode_request(short, 193)


def test_the_official_java_client_states_no_discretionary_amount_by_the_largest_number() -> None:
    """Its Order begins with Double.MAX_VALUE there, and its encoder writes what it finds."""
    order = WireOrder(action="BUY", total_quantity=Decimal(1), order_type="MKT", discretionary_amt=0.25)
    payload = codec.encode(PlaceOrderRequest(1, WireContract(symbol="SPY"), order), 177)
    assert payload.count(b"\x000.25\0") == 1
    as_java = payload.replace(b"\x000.25\0", b"\x001.7976931348623157E308\0")
    read = codec.decode_request(as_java, 177)
    assert isinstance(read, PlaceOrderRequest)
    assert read.order.discretionary_amt == 0.0
