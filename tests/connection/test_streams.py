"""Market data: merged for a slow reader, whole for a callback, ended by the link, by TWS or by us."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal

import pytest
from tests.connection.peers import Recorder, RecorderServer, config_of, unkept

from tws.connection import TWSConnection
from tws.connection.streaming.streams import QuoteStream, TickStream
from tws.errors import NotSentError, RequestError
from tws.model.contract import Contract, stock
from tws.model.market import MarketDataType, TickField
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.messages import (
    ErrorMessage,
    MarketDataRequest,
    TickByTickData,
    TickGeneric,
    TickPrice,
    TickSize,
    TickString,
)
from tws.wire.messages import MarketDataType as MarketDataTypeAnswer

SPY = stock("SPY")


def direct(function: object, *arguments: object) -> None:
    function(*arguments)  # type: ignore[operator]


# -- against a simulated TWS


async def test_quotes_of_a_market(sim: SimulatedTWS, connection: TWSConnection) -> None:
    sim.quote("SPY", bid=100.00, ask=100.02, bid_size=300, ask_size=400)
    async with connection.stream_quotes(SPY) as quotes:
        async for quote in quotes:
            if quote.ask == 100.02 and quote.ask_size is not None:
                break
        assert (quotes.quote.bid, quotes.quote.bid_size, quotes.quote.ask_size) == (100.00, 300, 400)
        assert quotes.quote.symbol == "SPY" and quotes.quote.mid == pytest.approx(100.01)
        sim.quote("SPY", bid=100.01, ask=100.02)
        async for quote in quotes:
            if quote.bid == 100.01:
                break
        sim.trade("SPY", 100.02, 50)
        async for quote in quotes:
            if quote.last is not None and quote.last_size is not None:
                break
        assert (quotes.quote.last, quotes.quote.last_size) == (100.02, 50)
    assert quotes.closed
    with pytest.raises(StopAsyncIteration):
        await anext(quotes)
    await connection.request_current_time()  # the cancel has been read
    count = quotes.count
    sim.quote("SPY", bid=99.00, ask=99.02)
    await connection.request_current_time()
    assert quotes.count == count


async def test_an_unknown_symbol_ends_the_stream(connection: TWSConnection) -> None:
    async with connection.stream_quotes(stock("NOSUCH")) as quotes:
        with pytest.raises(RequestError, match="200"):
            await anext(quotes)


# -- against scripted ticks


async def opened(recorder: RecorderServer, connection: TWSConnection) -> tuple[QuoteStream, Recorder]:
    stream = connection.stream_quotes(Contract(con_id=756733, symbol="SPY"), generic_ticks=(233, 236))
    await recorder.caught_up(connection)
    return stream, recorder.clients[0]


async def settled(connection: TWSConnection, client: Recorder) -> None:
    """All that the client said before has been acted upon."""
    client.say(ErrorMessage(-1, 0, 2104, "mark"))
    lane = connection.facts()
    await lane.wait()
    lane.close()


async def test_what_is_asked_for(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream, _ = await opened(recorder, connection)
        asked = codec.decode_request(recorder.payloads[0], 200)
        assert isinstance(asked, MarketDataRequest)
        assert (asked.req_id, asked.generic_tick_list, asked.contract.con_id) == (
            stream.request_id,
            "233,236",
            756733,
        )
        stream.close()
        stream.close()
        await recorder.caught_up(connection)
        assert recorder.ids == [b"1", b"2"]


async def test_a_slow_reader_finds_the_newest_state_and_a_callback_sees_each_tick(
    recorder: RecorderServer,
) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream, client = await opened(recorder, connection)
        seen: list[tuple[int, float, float]] = []
        stop = stream.on_tick(lambda *tick: seen.append(tick))
        for number in range(100):
            client.say(TickPrice(stream.request_id, TickField.BID, 100 + number / 100, Decimal(number)))
            client.say(TickSize(stream.request_id, TickField.ASK_SIZE, Decimal(number)))
        await settled(connection, client)
        quote = await anext(stream)
        assert (quote.bid, quote.bid_size, quote.ask_size) == (100.99, 99, 99)
        assert (stream.count, stream.merged) == (200, 199)
        assert len(seen) == 200
        assert seen[0] == (1, 100.0, 0.0)
        assert (seen[1][0], math.isnan(seen[1][1]), seen[1][2]) == (3, True, 0.0)
        assert not stream.dirty
        stop()
        client.say(TickSize(stream.request_id, 0, Decimal(1)))
        await settled(connection, client)
        assert len(seen) == 200 and stream.dirty


async def test_dirty_is_told_once_until_it_is_taken(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream, client = await opened(recorder, connection)
        told: list[QuoteStream] = []
        stream.on_dirty(told.append)
        for size in range(3):
            client.say(TickSize(stream.request_id, 0, Decimal(size)))
        await settled(connection, client)
        assert told == [stream]
        assert stream.take().bid_size == 2
        client.say(TickSize(stream.request_id, 0, Decimal(9)))
        await settled(connection, client)
        assert told == [stream, stream]


async def test_a_faulty_callback_harms_nobody(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream, client = await opened(recorder, connection)
        seen: list[int] = []
        stream.on_tick(lambda *tick: 1 / 0)
        stream.on_dirty(lambda it: 1 / 0)
        stream.on_tick(lambda field, price, size: seen.append(field))
        connection.set_callbacks(on_error=lambda *error: 1 / 0)
        connection.facts(lambda fact: 1 / 0)
        client.say(TickSize(stream.request_id, 0, Decimal(1)))
        client.say(TickGeneric(stream.request_id, 49, 0.0))
        await settled(connection, client)
        assert seen == [0, 49]


async def test_texts_numbers_delayed_data_and_no_data(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream, client = await opened(recorder, connection)
        number = stream.request_id
        for message in (
            MarketDataTypeAnswer(number, 3),
            TickPrice(number, 66, 10.0, Decimal(5)),
            TickPrice(number, 67, -1.0, Decimal(0)),
            TickPrice(number, 68, 0.0, Decimal(0)),
            TickString(number, 48, "1;2;3"),
            TickString(number, 45, "1700000000"),
            TickGeneric(number, 49, 2.0),
            TickSize(number, 8, None),
            TickSize(number, 74, Decimal("2e10")),
        ):
            client.say(message)
        await settled(connection, client)
        quote = stream.quote
        assert (quote.bid, quote.bid_size, quote.ask, quote.last) == (10.0, 5, None, None)
        assert (quote.kind, quote.volume) == (MarketDataType.DELAYED, 2e10)
        assert stream.texts == {48: "1;2;3", 45: "1700000000"}
        assert stream.prices[49] == 2.0


async def test_an_advisory_spares_the_stream_and_a_refusal_ends_it(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream, client = await opened(recorder, connection)
        client.say(ErrorMessage(stream.request_id, 0, 10167, "Displaying delayed market data."))
        client.say(ErrorMessage(stream.request_id, 0, 77_777, "nobody knows this one"))
        client.say(TickSize(stream.request_id, 0, Decimal(1)))
        assert (await anext(stream)).bid_size == 1
        client.say(ErrorMessage(stream.request_id, 0, 10168, "not subscribed"))
        with pytest.raises(RequestError) as caught:
            await anext(stream)
        assert caught.value.code == 10168 and stream.failure is caught.value
        stream.close()  # nothing to cancel any more
        await recorder.caught_up(connection)
        assert recorder.ids == [b"1"]


async def test_two_readers_of_one_stream_are_told(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream, _ = await opened(recorder, connection)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="read elsewhere"):
            await anext(stream)
        stream.close()
        with pytest.raises(StopAsyncIteration):
            await first


async def test_ticks_by_tick_are_bounded_and_say_when_they_overflow(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        seen: list[TickByTickData] = []
        async with connection.stream_ticks(SPY, "Last", bound=3) as ticks:
            ticks.on_tick(seen.append)
            await recorder.caught_up(connection)
            client = recorder.clients[0]
            for number in range(5):
                client.say(
                    TickByTickData(ticks.request_id, 1, 1_700_000_000 + number, price=1.0, size=Decimal(1))
                )
            await settled(connection, client)
            assert [(await anext(ticks)).time for _ in range(3)] == [
                1_700_000_002,
                1_700_000_003,
                1_700_000_004,
            ]
            assert (ticks.lost, len(seen)) == (2, 5)
            client.say(ErrorMessage(ticks.request_id, 0, 10189, "Failed"))
            with pytest.raises(RequestError):
                await anext(ticks)
        await recorder.caught_up(connection)
        assert recorder.ids == [b"97"]


async def test_without_a_session(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    with pytest.raises(NotSentError):
        connection.stream_quotes(SPY)
    with pytest.raises(NotSentError):
        connection.stream_ticks(SPY)


def test_a_tick_stream_that_nobody_iterates_holds_nothing() -> None:
    stream: TickStream[int] = TickStream(SPY, direct, bound=2)
    for number in range(100):
        stream.put(number)
    assert (len(stream._queue), stream.lost) == (0, 0)
