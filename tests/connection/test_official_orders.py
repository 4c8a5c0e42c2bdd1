"""Orders in the official client's words at the built-in guard: what it reads whole it judges, else names."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from ibapi.client import EClient
from ibapi.const import UNSET_DOUBLE
from ibapi.contract import DeltaNeutralContract
from ibapi.order import Order as IbOrder
from ibapi.tag_value import TagValue
from msgspec.structs import replace
from tests.connection.peers import RecorderServer, config_of, port_of, unkept, until
from tests.connection.test_full_orders import encoder
from tests.connection.words import Desk, ib_contract, ib_order
from tests.ordertypes.built import ATTRIBUTES, LIMIT, contract_of, every_order

from tws.connection import PacingOptions, TWSConnection
from tws.connection.encoding.placed import call_of_placed
from tws.connection.encoding.translate import ib_contract as ib_contract_of
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.errors import NotSentError, OrderDeniedError
from tws.model.contract import stock
from tws.risk import Limits as RiskLimits
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import CurrentTimeRequest, PlaceOrderRequest


def adaptive(quantity: int = 10, price: float = 100.25) -> IbOrder:
    order = ib_order(quantity, price)
    order.algoStrategy, order.algoParams = "Adaptive", [TagValue("adaptivePriority", "Normal")]
    return order


def read(version: int, data: bytes) -> MoneyCall:
    client = encoder(version)._client
    return call_of_placed(data, version, lambda *order: client.encode(EClient.placeOrder, *order))


@pytest.mark.parametrize("version", [176, 200, 225])
def test_every_order_that_can_be_built_is_read_whole(version: int) -> None:
    """As the very order that it was made of; but for what sends orders of its own, which no guard judges."""
    made, seen = encoder(version), 0
    for name, order in [*every_order(), ("attributes", replace(LIMIT, attributes=ATTRIBUTES))]:
        try:
            data, ours = made.order(5, contract_of(name), order)
        except NotSentError:
            continue  # this version has no place for it
        call = read(version, data)
        seen += 1
        if name == "attach_presets":
            assert call.order is None and call.beyond.startswith("attached_orders.")
        else:
            assert call == ours, name
    assert seen > 70


@pytest.mark.parametrize("version", [200, 225])
def test_what_the_client_leaves_at_nothing_is_nothing(version: int) -> None:
    """Prices of 0 where a type has none, and an empty time in force, as many programs write them."""
    order, client = adaptive(), encoder(version)._client
    order.auxPrice, order.tif, order.percentOffset = 0.0, "", 0.0
    call = read(version, client.encode(EClient.placeOrder, 7, ib_contract(), order))
    assert call.beyond == "" and call.full is not None and call.order is not None
    assert (call.order.limit_price, call.full.aux_price) == (Decimal("100.25"), None)
    assert call.full.attributes.algo is not None and call.full.attributes.algo.strategy == "Adaptive"


def test_what_is_left_unread_is_named() -> None:
    order = ib_order()
    order.trailingPercent = 5.0  # of an order that does not trail: TWS may make anything of it
    client = encoder(225)._client
    call = read(225, client.encode(EClient.placeOrder, 7, ib_contract(), order))
    assert (call.order, call.full, call.order_id) == (None, None, 7)
    assert call.beyond.startswith("order.trailing_percent = 5")
    contract = ib_contract()
    contract.deltaNeutralContract = DeltaNeutralContract()
    contract.deltaNeutralContract.conId, contract.deltaNeutralContract.delta = 7, 0.5
    call = read(225, client.encode(EClient.placeOrder, 7, contract, ib_order()))
    assert call.order is None and "delta_neutral" in call.beyond


def test_no_order_and_no_frame() -> None:
    assert read(200, frame(codec.encode(CurrentTimeRequest(), 200))).beyond == "place: CurrentTimeRequest"
    assert read(225, frame(b"\0\0\0\xcb\xff\xff\xff")).beyond


async def test_an_algo_leaves_as_the_official_client_wrote_it(
    recorder: RecorderServer, journal: Path
) -> None:
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        connection.official.placeOrder(1, ib_contract(), adaptive())
        await recorder.caught_up(connection)
        (payload,) = recorder.payloads
        plain = connection.official.encode(EClient.placeOrder, 1, ib_contract(), adaptive())
        assert payload == plain[4:], "no byte of it is ours"
    with sqlite3.connect(journal) as base:
        (line,) = next(base.execute("SELECT line FROM sent"))
    told = json.loads(line)
    assert (told["kind"], told["quantity"], told["limit"]) == ("place", "10", "100.25")
    assert told["attributes"] == ["algo"]


DENIED: dict[str, tuple[RiskLimits, IbOrder]] = {
    "max_order_quantity": (RiskLimits(max_order_quantity=9), adaptive()),
    "max_order_notional": (RiskLimits(max_order_notional=1000), adaptive()),
    "allow": (RiskLimits(allow=("AAPL",)), adaptive()),
}


@pytest.mark.parametrize("limit", DENIED)
async def test_the_limits_hold_for_it(recorder: RecorderServer, journal: Path, limit: str) -> None:
    limits, order = DENIED[limit]
    async with unkept(config_of(recorder.port), limits=limits, journal=journal) as connection:
        with pytest.raises(OrderDeniedError, match=limit):
            connection.official.placeOrder(1, ib_contract(), order)
        await recorder.caught_up(connection)
        assert recorder.payloads == []


async def test_its_prices_keep_to_the_grid(journal: Path) -> None:
    """Those too that the plain order which is judged in its stead does not have."""
    tws = SimulatedTWS(SimulatorOptions(paused=True, limits=Limits.off(), symbols=("SPY",)))
    tws.address = await tws.start()  # type: ignore[attr-defined]
    tws.quote("SPY", bid=100.0, ask=100.02)
    try:
        config = config_of(port_of(tws))
        async with TWSConnection(config, journal=journal, pacing=PacingOptions.off()) as connection:
            known = (await connection.request_contract(stock("SPY"))).contract
            stream = connection.stream_quotes(known)
            await until(lambda: stream.quote is not None and stream.quote.ask is not None)
            order = ib_order(10, UNSET_DOUBLE)
            order.orderType, order.auxPrice = "MIT", 90.005
            with pytest.raises(OrderDeniedError, match="market_rule"):
                connection.official.placeOrder(connection.get_next_order_id(), ib_contract_of(known), order)
            order.auxPrice = 90.0
            number = connection.get_next_order_id()
            connection.official.placeOrder(number, ib_contract_of(known), order)
            assert (await connection.wait_order(number, until="acknowledged", timeout_s=5)).is_open
    finally:
        await tws.stop()


async def test_a_question_is_a_question_in_official_words_too(journal: Path) -> None:
    """Past the live lock and the brake alone, as `request_what_if` is; a desk lets it pass likewise."""
    tws = SimulatedTWS(SimulatorOptions(paused=True, limits=Limits.off(), symbols=("SPY",)))
    tws.address = await tws.start()  # type: ignore[attr-defined]
    tws.quote("SPY", bid=100.0, ask=100.02)
    try:
        for guard in ("default", Desk().gate):
            config = config_of(port_of(tws), client_id=3 if guard == "default" else 4)
            async with TWSConnection(
                config, guard=guard, journal=journal, pacing=PacingOptions.off()  # type: ignore[arg-type]
            ) as connection:
                order, contract = ib_order(10**6), ib_contract()
                contract.conId, order.whatIf = tws.con_id("SPY"), True
                sent: list[MoneyKind] = []
                connection.outbound.on_sent(lambda sending, sent=sent: sent.append(sending.call.kind))
                connection.official.placeOrder(connection.get_next_order_id(), contract, order)
                assert await connection.request_open_orders() == []
                assert sent == [MoneyKind.WHAT_IF]
    finally:
        await tws.stop()
    assert not journal.exists(), "a question moves no money, so no book keeps it"


def test_a_question_is_read_as_one() -> None:
    order, client = adaptive(), encoder(225)._client
    order.whatIf = True
    data = client.encode(EClient.placeOrder, 7, ib_contract(), order)
    call, sent = read(225, data), codec.decode_request(data[4:], 225)
    assert isinstance(sent, PlaceOrderRequest) and sent.order.what_if
    assert (call.kind, call.beyond) == (MoneyKind.WHAT_IF, "")
