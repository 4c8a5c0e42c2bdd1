"""An answer of which a message can't be read: whoever asked is told at once, and never given what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.connection.peers import Recorder, RecorderServer, config_of, unkept

from tws.connection import TWSConnection
from tws.errors import DecodeError
from tws.model.contract import Contract, stock
from tws.model.scanner import Scan
from tws.wire import codec
from tws.wire import messages as m
from tws.wire.framing import frame
from tws.wire.layout import Const, Field
from tws.wire.layouts import ANSWERS
from tws.wire.thresholds import ANSWERS as MARKS
from tws.wire.thresholds import PROTOBUF_OFFSET, RAW_ID

SPY = stock("SPY")
CALL = Contract(con_id=1, symbol="SPY", sec_type="OPT", exchange="SMART", currency="USD")
ASKED: list[tuple[Callable[[TWSConnection], Any], type[m.Answer]]] = [
    (lambda one: one.request_contract_details(SPY), m.ContractData),
    (lambda one: one.request_matching_symbols("SP"), m.SymbolSamples),
    (lambda one: one.request_positions_of(), m.PositionMulti),
    (lambda one: one.request_account_values_of(), m.AccountUpdateMulti),
    (lambda one: one.request_account_summary(), m.AccountSummary),
    (lambda one: one.request_historical_ticks(SPY), m.HistoricalTicksLast),
    (lambda one: one.request_histogram(SPY), m.HistogramData),
    (lambda one: one.request_historical_news(CALL, ["BRFG"]), m.HistoricalNews),
    (lambda one: one.request_scan(Scan("MOST_ACTIVE")), m.ScannerData),
    (lambda one: one.request_smart_components("9c0001"), m.SmartComponents),
    (lambda one: one.request_option_price(CALL, volatility=0.2, under_price=5), m.TickOptionComputation),
    (lambda one: one.request_news_providers(), m.NewsProviders),
    (lambda one: one.request_depth_exchanges(), m.MarketDepthExchanges),
    (lambda one: one.request_family_codes(), m.FamilyCodes),
    (lambda one: one.request_current_time(), m.CurrentTime),
]


def broken(kind: type[m.Answer], request_id: int, version: int) -> bytes:
    """A message of this kind whose fields behind the request id are not what they should be."""
    layout = next(one for one in ANSWERS if one.message is kind)
    number = layout.id
    if version >= MARKS.get(number, 10**6):  # field 1, then one that ends before its end
        head = b"\x08" + _varint(request_id)
        return (number + PROTOBUF_OFFSET).to_bytes(4, "big") + head + b"\x12\x7f"
    fields = [b"1"] if isinstance(layout.items[0], Const) and layout.items[0].until > version else []
    fields += [b"%d" % request_id] * any(getattr(item, "name", "") == "req_id" for item in layout.items)
    head = number.to_bytes(4, "big") if version >= RAW_ID else b"%d\0" % number
    return head + b"\0".join((*fields, b"no number", b""))


def _varint(number: int) -> bytes:
    made = bytearray()
    while number >= 0x80:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*made, number))


@pytest.mark.parametrize("version", [176, 200, 225])
async def test_whoever_asked_is_told(version: int) -> None:
    answers = iter(kind for _, kind in ASKED)

    def heard(client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, version)
        name = type(asked).__name__
        if not name.startswith("Cancel"):
            client.transport.write(frame(broken(next(answers), getattr(asked, "req_id", 7), version)))

    async with RecorderServer(version) as server:
        server.heard = heard
        async with unkept(config_of(server.port)) as connection:
            for ask, kind in ASKED:
                seen = len(connection.unreadable)
                with pytest.raises(DecodeError, match="could not be read"):
                    await ask(connection)
                assert len(connection.unreadable) > min(seen, 15), kind
            assert connection.is_connected()


def test_where_the_id_of_a_request_stands() -> None:
    """Behind a version at most, in text; in protobuf it is field 1 of the official class."""
    from tws.wire.protobuf.mapping import official_class

    for layout in ANSWERS:
        if "req_id" not in layout.message.__struct_fields__:
            continue
        first, second = (*layout.items, None)[:2]
        for item in (first, second):
            if isinstance(item, Field) and item.name == "req_id":
                break
        else:
            pytest.fail(layout.message.__name__)
        if layout.id in MARKS:
            assert official_class(layout.message).DESCRIPTOR.fields_by_name["reqId"].number == 1
