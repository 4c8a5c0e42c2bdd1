"""Questions to a simulated TWS, and what becomes of those that TWS refuses or leaves unanswered."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.connection.peers import Recorder, RecorderServer, config_of, port_of, unkept, until

from tws.connection import FactLane, TWSConnection
from tws.connection.ids import OFFICIAL_FIRST, OURS_FIRST
from tws.errors import (
    AmbiguousContractError,
    NoContractError,
    RequestError,
    RequestTimeoutError,
)
from tws.model.contract import Contract, stock
from tws.model.facts import Answer, AnswerKind, BrokerReply, Fact
from tws.model.order import Order, OrderType, Side
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.wire import codec
from tws.wire.messages import (
    ContractData,
    ContractDataEnd,
    CurrentTime,
    ErrorMessage,
    HistoricalDataRequest,
    OpenOrder,
    OpenOrdersEnd,
    WireContract,
    WireContractDetails,
    WireOrder,
    WireOrderState,
)

SPY = stock("SPY")


async def test_time_accounts_and_ids(sim: SimulatedTWS, connection: TWSConnection) -> None:
    now = await connection.request_current_time()
    assert now.tzinfo is UTC
    assert abs(now.timestamp() - sim.now_ns() / 1e9) < 2
    assert await connection.request_managed_accounts() == ("DU1234567",)
    first = connection.get_next_order_id()
    assert first is not None
    assert await connection.request_next_order_id(5) == first + 1
    assert connection.get_next_order_id() == first + 6
    connection.raise_order_id_floor(1000)
    assert connection.get_next_order_id() == 1000


async def test_contract_details(connection: TWSConnection) -> None:
    found = await connection.request_contract(SPY)
    assert (found.contract.con_id, found.contract.symbol, found.min_tick) == (756733, "SPY", 0.01)
    assert found.liquid_hours
    assert [row.contract.con_id for row in await connection.request_contract_details(SPY)] == [756733]
    with pytest.raises(NoContractError) as caught:
        await connection.request_contract(stock("NOSUCH"))
    assert caught.value.code == 200


async def test_two_contracts_for_one_description(recorder: RecorderServer) -> None:
    def heard(client: Recorder, payload: bytes) -> None:
        number = int(payload.split(b"\0")[2])
        for con_id in (1, 2):
            contract = WireContract(con_id=con_id, symbol="ABC", sec_type="STK", primary_exch=f"X{con_id}")
            client.say(ContractData(number, contract, WireContractDetails(min_tick=0.01)))
        client.say(ContractDataEnd(number))

    recorder.heard = heard
    async with unkept(config_of(recorder.port)) as connection:
        with pytest.raises(AmbiguousContractError, match="1 on X1, 2 on X2"):
            await connection.request_contract(stock("ABC"))


async def test_bars(sim: SimulatedTWS, connection: TWSConnection) -> None:
    bars = await connection.request_historical_bars(SPY, duration="1800 S", bar_size="1 min")
    assert bars and all(bar.seconds == 60 and bar.low <= bar.open <= bar.high for bar in bars)
    assert [bar.time_ns for bar in bars] == sorted({bar.time_ns for bar in bars})
    assert bars[-1].time_ns <= sim.now_ns()
    days = await connection.request_historical_bars(SPY, duration="3 D", bar_size="1 day")
    assert days and all(len(bar.date) == 8 for bar in days)


async def test_bars_are_asked_for_as_epochs_and_a_cancelled_reply_ends_the_request(
    recorder: RecorderServer,
) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        end = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
        reply = connection.request_historical_bars(SPY, end=end)
        reply.cancel()
        await asyncio.sleep(0)
        await recorder.caught_up(connection)
        asked = codec.decode_request(recorder.payloads[0], 200)
        assert isinstance(asked, HistoricalDataRequest)
        assert (asked.format_date, asked.end_date_time) == (2, "20261120-21:00:00")
        assert recorder.ids == [b"20", b"25"]


@pytest.mark.parametrize("wishes", [{"bar_size": "7 mins"}, {"end": datetime(2026, 1, 1)}])  # noqa: DTZ001
async def test_wishes_that_cannot_be(connection: TWSConnection, wishes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"bar_size|time zone"):
        connection.request_historical_bars(SPY, **wishes)  # type: ignore[arg-type]


async def test_the_books_of_an_order(sim: SimulatedTWS, connection: TWSConnection) -> None:
    """Placed, open, filled, held, completed: each question sees it, and each complete answer is a fact as
    well.
    """
    details = await connection.request_contract(SPY)
    sim.quote("SPY", bid=100.00, ask=100.02)
    lane = connection.facts()
    resting = Order(
        side=Side.BUY,
        quantity=Decimal(5),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(90),
        order_ref="mine",
    )
    waiting = await connection.place_order(details.contract, resting)
    open_orders = await connection.request_open_orders()
    assert [(row.order_id, row.order_ref, row.limit_price) for row in open_orders] == [
        (waiting.order_id, "mine", Decimal("90.0"))
    ]
    assert await connection.request_all_open_orders() == open_orders
    buying = Order(
        side=Side.BUY, quantity=Decimal(10), order_type=OrderType.LIMIT, limit_price=Decimal("100.02")
    )
    await connection.place_order(details.contract, buying)
    (fill,) = await connection.request_executions()
    assert (fill.quantity, fill.price, fill.side) == (Decimal(10), Decimal("100.02"), Side.BUY)
    assert abs(fill.time_ns - sim.now_ns()) < 2 * 10**9
    (position,) = await connection.request_positions()
    assert position.quantity == Decimal(10)
    connection.cancel_order(waiting.order_id)
    assert await connection.request_open_orders() == []
    done = await connection.request_completed_orders()
    assert sorted(row.status for row in done) == ["Cancelled", "Filled"]
    values = {row.key: row for row in await connection.request_account_values()}
    assert Decimal(values["NetLiquidation"].value) > 0
    kinds = [fact.kind for fact in lane.drain() if isinstance(fact, Answer)]
    assert set(kinds) == set(AnswerKind)


async def test_executions_of_others_are_no_complete_answer(connection: TWSConnection) -> None:
    await connection.wait_ready()  # the answers that it asks for itself are complete
    lane = connection.facts()
    await connection.request_executions(symbol="AAPL")
    assert not [fact for fact in lane.drain() if isinstance(fact, Answer)]


async def test_read_only_tws(journal: object) -> None:
    sim = SimulatedTWS(SimulatorOptions(paused=True, symbols=("SPY",), read_only=True))
    _, port = await sim.start()
    try:
        async with unkept(config_of(port)) as connection:
            with pytest.raises(RequestError) as caught:
                await connection.request_open_orders()
            assert caught.value.code == 321
            assert await connection.request_positions() == []
    finally:
        await sim.stop()


async def test_an_error_without_an_id_ends_the_question_that_waits(recorder: RecorderServer) -> None:
    recorder.heard = lambda client, payload: client.say(ErrorMessage(-1, 0, 321, "Read-Only mode"))
    async with unkept(config_of(recorder.port)) as connection:
        with pytest.raises(RequestError, match="Read-Only"):
            await connection.request_all_open_orders()


@pytest.mark.parametrize(("code", "ends"), [(162, True), (99_999, True), (2106, False), (10167, False)])
async def test_a_notice_ends_no_request_and_a_refusal_does(
    recorder: RecorderServer, code: int, ends: bool
) -> None:
    recorder.heard = lambda client, payload: client.say(
        ErrorMessage(int(payload.split(b"\0")[1]), 0, code, "text")
    )
    async with unkept(config_of(recorder.port, request_timeout=0.3)) as connection:
        with pytest.raises(RequestError if ends else RequestTimeoutError):
            await connection.request_historical_bars(SPY)


async def test_a_reply_may_be_dropped(recorder: RecorderServer) -> None:
    """Neither its time-out nor the end of the link warns of anything."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    gc.collect()  # what other tests left behind is not ours to complain of
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with unkept(config_of(recorder.port, request_timeout=0.02)) as connection:
            connection.request_current_time()
            connection.request_contract(SPY)
            await asyncio.sleep(0.05)
            connection.request_positions()
        gc.collect()
        await asyncio.sleep(0)
    assert complaints == []
    assert recorder.ids == [b"49", b"9", b"61"]


async def test_a_late_end_is_not_taken_for_the_end_of_a_later_question(recorder: RecorderServer) -> None:
    """Rows are complete only from end to end: half an answer would prove an order absent that lives."""
    async with unkept(config_of(recorder.port, request_timeout=0.15)) as connection:
        with pytest.raises(RequestTimeoutError):
            await connection.request_open_orders()
        second = connection.request_open_orders()
        await recorder.caught_up(connection)
        client = recorder.clients[0]
        client.say(OpenOrdersEnd())  # the first one's, late
        await asyncio.sleep(0.02)
        assert not second.done()
        order = WireOrder(client_id=1, perm_id=9, action="BUY", total_quantity=Decimal(1), order_type="LMT")
        client.say(
            OpenOrder(3, WireContract(con_id=1, symbol="SPY"), order, WireOrderState(status="Submitted"))
        )
        client.say(OpenOrdersEnd())
        assert [row.order_id for row in await second] == [3]


async def test_a_question_that_tws_forgot_does_not_shift_the_others_for_ever(
    recorder: RecorderServer,
) -> None:
    async with unkept(config_of(recorder.port, request_timeout=0.05)) as connection:
        with pytest.raises(RequestTimeoutError):
            await connection.request_current_time()
        await asyncio.sleep(0.1)  # its shadow dies
        recorder.heard = lambda client, payload: client.say(CurrentTime(1_700_000_000))
        assert (await connection.request_current_time()).year == 2023


async def test_ids_of_ours_and_of_official_never_meet(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream = connection.stream_quotes(SPY)
        assert stream.request_id >= OURS_FIRST > connection.official_request_id() >= OFFICIAL_FIRST


async def test_an_error_about_an_order_is_a_fact_and_about_a_request_is_not(recorder: RecorderServer) -> None:
    heard: list[tuple[int, int, str]] = []
    async with unkept(config_of(recorder.port)) as connection:
        connection.set_callbacks(on_error=lambda *error: heard.append(error))
        lane = connection.facts()
        stream = connection.stream_quotes(SPY)
        client = recorder.clients[0]
        client.say(ErrorMessage(7, 0, 201, "Order rejected - reason:x"))
        client.say(ErrorMessage(stream.request_id, 0, 10167, "Displaying delayed market data."))
        client.say(ErrorMessage(-1, 0, 2104, "Market data farm connection is OK:usfarm"))
        await recorder.caught_up(connection)
        await until(lambda: len(heard) == 3)
        assert lane.drain() == [
            BrokerReply(order_id=7, code=201, text="Order rejected - reason:x"),
            BrokerReply(order_id=-1, code=2104, text="Market data farm connection is OK:usfarm"),
        ]
        assert [error[:2] for error in heard] == [(7, 201), (stream.request_id, 10167), (-1, 2104)]


async def test_the_official_client_asks_and_a_wrapper_hears(connection: TWSConnection) -> None:
    from ibapi.wrapper import EWrapper

    class Mine(EWrapper):  # type: ignore[misc]
        def __init__(self) -> None:
            self.heard = asyncio.get_running_loop().create_future()

        def contractDetails(self, reqId: int, contractDetails: object) -> None:
            self.heard.set_result((reqId, contractDetails.contract.conId))  # type: ignore[attr-defined]

        def contractDetailsEnd(self, reqId: int) -> None:
            raise RuntimeError("a fault of the user's harms nobody")

    from tws.connection.encoding.translate import ib_contract

    mine = Mine()
    stop = connection.attach(mine)
    number = connection.official_request_id()
    connection.official.reqContractDetails(number, ib_contract(Contract(symbol="SPY")))
    assert await mine.heard == (number, 756733)
    assert await connection.request_current_time()
    stop()


async def test_a_client_that_nothing_was_asked_of_sends_nothing_more(sim: SimulatedTWS) -> None:
    async with unkept(config_of(port_of(sim))) as connection:
        sent = connection.bytes_sent
        await asyncio.sleep(0.01)
        assert connection.bytes_sent == sent
        assert (sim.bytes_received, sim.bytes_sent) == (connection.bytes_sent, connection.bytes_received)


async def test_an_order_is_waited_for(sim: SimulatedTWS, connection: TWSConnection) -> None:
    """Acknowledged, filled, cancelled, rejected by a code alone; a time-out says nothing about the order."""
    sim.quote("SPY", bid=100.00, ask=100.02)
    spy = (await connection.request_contract(stock("SPY"))).contract

    def order(price: str) -> Order:
        return Order(side="BUY", quantity=1, order_type="LMT", limit_price=price)  # type: ignore[arg-type]

    filled = await connection.wait_order(connection.place_order(spy, order("100.02")))
    assert (filled.status, filled.filled) == ("Filled", 1)
    resting = connection.place_order(spy, order("90"))
    seen = await connection.wait_order(resting, until="acknowledged")
    assert seen.is_open
    with pytest.raises(RequestTimeoutError, match=r"not ended.*Submitted"):
        await connection.wait_order(resting, timeout_s=0.05)
    connection.cancel_order(resting.order_id)
    assert (await connection.wait_order(resting)).status == "Cancelled"
    nowhere = connection.place_order(Contract(con_id=999_999_999), order("1"))
    refused = await connection.wait_order(nowhere)
    assert refused.refusal is not None and refused.refusal[0] == 200 and not refused.is_open


async def test_a_lane_is_iterated_fact_by_fact(sim: SimulatedTWS, connection: TWSConnection) -> None:
    lane = connection.facts()
    await connection.request_positions()
    found = [fact async for fact in _until_answer(lane)]
    assert isinstance(found[-1], Answer)
    lane.close()
    assert [fact async for fact in lane] == []


async def _until_answer(lane: FactLane) -> AsyncIterator[Fact]:
    async for fact in lane:
        yield fact
        if isinstance(fact, Answer):
            return
