"""The protobuf half of the codec: thresholds, round trips, damage, and the parts that a hot path caches."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ibapi.common import PROTOBUF_MSG_IDS
from ibapi.decoder import Decoder
from tests.wire.binary import NEVER, VERSIONS, binary_messages, carried, since

from tws.errors import DecodeError, NotSentError
from tws.wire import codec, thresholds
from tws.wire import messages as m
from tws.wire.layout import Layout
from tws.wire.layouts import ANSWERS, REQUESTS
from tws.wire.protobuf import part
from tws.wire.protobuf.mapping import official_class

ALL = [(layout, codec.decode_request) for layout in REQUESTS] + [
    (layout, codec.decode_answer) for layout in ANSWERS
]
NAMES = [layout.message.__name__ for layout, _ in ALL]
BINARY = [(layout, decode) for layout, decode in ALL if since(layout) < NEVER]
"""Those that have a protobuf form at all."""
BINARY_NAMES = [layout.message.__name__ for layout, _ in BINARY]
QUICK = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


# thresholds


def test_the_thresholds_of_requests_are_the_official_ones() -> None:
    younger = {106: 215, 107: 215, 108: 219, 109: 221}  # they came after the official table
    official = {int(key): value for key, value in PROTOBUF_MSG_IDS.items()}
    assert official | younger == thresholds.REQUESTS


def test_the_answers_with_a_threshold_are_those_that_the_official_decoder_reads() -> None:
    assert set(thresholds.ANSWERS) == {int(key) for key in Decoder.msgId2handleInfoProtoBuf}
    assert thresholds.ASSUMED.issubset(thresholds.ANSWERS)


def test_an_answer_changes_with_its_request() -> None:
    """The grouping of F2. 53 is of the orders' group (203) though its request 5 follows at 204."""
    of_request = {
        1: 1, 2: 1, 3: 3, 5: 3, 6: 6, 7: 6, 8: 6, 9: 8, 10: 9, 11: 7, 12: 10, 13: 10, 15: 17, 17: 20, 18: 9,
        19: 24, 20: 22, 21: 1, 45: 1, 46: 1, 49: 49, 50: 50, 52: 9, 54: 6, 55: 7, 57: 1, 58: 59, 61: 61,
        62: 61, 63: 62, 64: 62, 71: 74, 72: 74, 73: 76, 74: 76, 75: 78, 76: 78, 77: 79, 78: 80, 79: 81, 81: 1,
        82: 83, 83: 84, 85: 85, 86: 86, 87: 86, 88: 87, 89: 88, 90: 20, 93: 91, 94: 92, 95: 94, 96: 96,
        97: 96, 98: 96, 99: 97, 100: 15, 101: 99, 102: 99, 104: 100, 105: 102, 107: 104, 108: 20,
        109: 105, 110: 108, 111: 109,
    }  # fmt: skip
    for answer, request in of_request.items():
        assert thresholds.ANSWERS[answer] == thresholds.REQUESTS[request], (answer, request)


@pytest.mark.parametrize(("layout", "decode"), ALL, ids=NAMES)
def test_the_form_changes_at_the_threshold(layout: Layout, decode: Any) -> None:
    mark, message = since(layout), _plain(layout.message)
    for version in range(max(157, layout.since), 226):
        payload = codec.encode(message, version)
        if version < 201:
            assert payload.startswith(b"%d\0" % layout.id), version
        else:
            offset = 200 if version >= mark else 0
            assert payload[:4] == (layout.id + offset).to_bytes(4, "big"), version


def _plain(kind: type[Any]) -> Any:
    """A message that says as little as it can."""
    from tws.wire.protobuf.mapping import absent

    return kind(**absent(kind))


# round trips


@pytest.mark.parametrize(("layout", "decode"), BINARY, ids=BINARY_NAMES)
@QUICK
@given(data=st.data())
def test_what_is_written_is_read(layout: Layout, decode: Any, data: st.DataObject) -> None:
    message = data.draw(binary_messages(layout.message))
    for version in VERSIONS:
        if version >= since(layout):
            payload = codec.encode(message, version)
            again = decode(payload, version)
            assert again == carried(message), version
            assert codec.encode(again, version) == payload, version


@pytest.mark.parametrize(("layout", "decode"), BINARY, ids=BINARY_NAMES)
def test_an_empty_body_is_a_message_with_nothing_stated(layout: Layout, decode: Any) -> None:
    made = decode((layout.id + 200).to_bytes(4, "big"), 225)
    assert isinstance(made, layout.message)
    if "req_id" in layout.message.__struct_fields__:
        assert made.req_id == -1
    if isinstance(made, m.PlaceOrderRequest):
        assert made.order == m.WireOrder(transmit=False)


def test_known_bytes() -> None:
    """A1: startApi of the official client; F7: field numbers."""
    assert codec.encode(m.StartApiRequest(7), 213) == b"\0\0\1\x0f\x08\x07"
    assert codec.encode(m.NextValidId(5), 213) == b"\0\0\0\xd1\x08\x05"
    tick = m.TickPrice(7, 1, 101.25, Decimal(300), 1)
    body = b"\x08\x07\x10\x01\x19\x00\x00\x00\x00\x00PY@\x22\x03300\x28\x01"
    assert codec.encode(tick, 206) == b"\0\0\0\xc9" + body


def test_the_text_form_is_read_at_any_version_and_the_other_way_round() -> None:
    """The id names the form (F1); official clients read a text 9 at 225 too."""
    assert codec.decode_answer(b"\0\0\0\x09" + b"1\x007\x00", 225) == m.NextValidId(7)
    assert codec.decode_answer(b"\0\0\0\xd1\x08\x07", 201) == m.NextValidId(7)


def test_no_strike_is_empty_from_202() -> None:
    position = m.Position("DU1", m.WireContract(con_id=1, symbol="SPY"), Decimal(1), 1.5)
    texts = [codec.encode(position, version)[4:].split(b"\0")[6] for version in (201, 202)]
    assert texts == [b"0.0", b""]
    for version in (201, 202, 207):
        assert codec.decode_answer(codec.encode(position, version), version) == position


def test_a_map_is_always_the_same_bytes() -> None:
    tags = tuple((f"tag{n}", str(n)) for n in range(20))
    wanted = codec.encode(m.PlaceOrderRequest(1, m.WireContract(), m.WireOrder(algo_params=tags)), 225)
    turned = m.PlaceOrderRequest(1, m.WireContract(), m.WireOrder(algo_params=tags[::-1]))
    assert codec.encode(turned, 225) == wanted


# damage

HALF_A_PERCENT = m.WireOrderCondition(type=4, percent=0.5)
"""The margin of a condition travels as a whole number."""


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.sampled_from(ALL), st.sampled_from([201, 213, 225]))
def test_garbage_raises_only_decode_errors(junk: bytes, row: Any, version: int) -> None:
    layout, decode = row
    for payload in (junk, (layout.id + 200).to_bytes(4, "big") + junk):
        try:
            decode(payload, version)
        except DecodeError as error:
            assert error.payload in (payload, payload[4:])


@pytest.mark.parametrize(("layout", "decode"), BINARY, ids=BINARY_NAMES)
@settings(QUICK, max_examples=4)
@given(data=st.data())
def test_a_damaged_body_raises_only_decode_errors(layout: Layout, decode: Any, data: st.DataObject) -> None:
    payload = bytearray(codec.encode(data.draw(binary_messages(layout.message)), 225))
    for place in data.draw(st.lists(st.integers(4, max(4, len(payload) - 1)), max_size=4)):
        if place < len(payload):
            payload[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(4, len(payload)))
    for damaged in (bytes(payload), bytes(payload[:cut])):
        try:
            decode(damaged, 225)
        except DecodeError as error:
            assert layout.message.__name__ in str(error) and "225" in str(error)


def _body(name: str, **fields: Any) -> bytes:
    return bytes(official_class(getattr(m, name))(**fields).SerializeToString())


@pytest.mark.parametrize(
    ("message_id", "body", "words"),
    [
        (1, b"\x08", "TickPrice .1. at server version 225: the body is no TickPrice"),
        (1, _body("TickPrice", reqId=1, price=float("nan")), "field price is no finite number"),
        (1, _body("TickPrice", price=1.7976931348623157e308), "field price is no finite number"),
        (1, _body("TickPrice", size="1_0"), "field size"),
        (1, _body("TickPrice", size="much"), "field size"),
        (1, _body("TickPrice", size="1E999999999"), "field size is no decimal number of a size"),
        (1, _body("TickPrice", size="0E-999999999"), "field size is no decimal number of a size"),
        (1, _body("TickPrice", size="NaN"), "field size is no finite decimal"),
        (61, _body("Position", position="1.7976931348623157E308"), "field position"),
        (17, _body("HistoricalData", historicalDataBars=[{"open": float("inf")}]), "field open"),
        (81, _body("TickReqParams", minTick="x"), "field minTick"),
        (46, b"\x1a\x02\xff\xfe", "TickString"),
    ],
)
def test_damage_is_named(message_id: int, body: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        codec.decode_answer((message_id + 200).to_bytes(4, "big") + body, 225)


def test_what_is_no_payload_at_all() -> None:
    for short in (b"", b"\0", b"\0\0\0"):
        with pytest.raises(DecodeError, match="no room"):
            codec.decode_answer(short, 225)
    assert codec.decode_answer(b"\0\0\x12\x67" + b"abc", 225) == codec.Unknown(4711 - 200, (b"abc",))
    assert codec.decode_answer(b"\0\0\0\xc7" + b"a\0", 201) == codec.Unknown(199, (b"a",))


@pytest.mark.parametrize(
    "message",
    [
        m.TickPrice(1, 1, float("nan"), Decimal(1)),
        m.TickPrice(1, 1, float("inf"), Decimal(1)),
        m.TickPrice(2**31, 1, 1.5, Decimal(1)),
        m.TickPrice(1, 1, 1.5, Decimal("NaN")),
        m.TickString(1, 1, "\ud800"),
        m.NextValidId(None),  # type: ignore[arg-type]
        m.PnL(1, float("nan"), None, None),
        m.MarketDataRequest(1, m.WireContract(multiplier="ten")),
        m.PlaceOrderRequest(1, m.WireContract(), m.WireOrder(conditions=(HALF_A_PERCENT,))),
    ],
)
def test_what_has_no_form_is_not_written(message: Any) -> None:
    with pytest.raises(NotSentError, match=type(message).__name__):
        codec.encode(message, 225)


# the rest


def test_parts_joined_are_the_message() -> None:
    tick = m.TickPrice(7, 1, 101.25, Decimal(300), 1)
    line, quote = part(m.TickPrice, req_id=7, tick_type=1), part(
        m.TickPrice, price=101.25, size=Decimal(300), attr_mask=1
    )
    assert b"\0\0\0\xc9" + line + quote == codec.encode(tick, 225)
    assert part(m.TickPrice, size=None) == part(m.TickString, value="") == b""


def test_a_text_session_does_not_load_the_official_classes() -> None:
    code = (
        "import sys\nfrom tws.wire import codec, session\nfrom tws.wire.messages import NextValidId\n"
        "codec.decode_answer(codec.encode(NextValidId(1), 212), 212)\n"
        "assert not any(name.startswith(('google', 'ibapi')) for name in sys.modules)\n"
        "codec.encode(NextValidId(1), 213)\nassert 'ibapi.protobuf.NextValidId_pb2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
