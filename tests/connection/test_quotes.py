"""A quote once, what a stream of quotes says beside its prices, and what TWS reckons of options."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.connection.peers import RecorderServer, config_of, unkept, until

from tws.connection import Keep, TWSConnection
from tws.connection.streaming.streams import Reroute
from tws.errors import NoContractError, NotSubscribedError, RequestError, RequestTimeoutError
from tws.model.contract import Contract, stock
from tws.model.market import MarketDataType, OddLots
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire import codec
from tws.wire.messages import (
    CancelMarketData,
    MarketDataRequest,
    RerouteMarketDataRequest,
    TickGeneric,
    TickOptionComputation,
    TickSize,
    TickSnapshotEnd,
)
from tws.wire.messages import MarketDataType as WireMarketDataType

SPY = stock("SPY")


async def an_option(client: TWSConnection) -> Contract:
    """A call near the money."""
    (chain,) = [one for one in await client.request_option_chain(SPY) if one.exchange == "SMART"]
    last = (await client.request_historical_bars(SPY, duration="600 S", use_rth=False))[-1].close
    strike = min(chain.strikes, key=lambda one: abs(one - last))
    (found,) = await client.request_option_contracts(
        chain, expirations=chain.expirations[2:3], strikes=[strike], rights="C"
    )
    return found.contract


async def test_a_quote(tws: SimulatedTWS, client: TWSConnection) -> None:
    tws.quote("SPY", bid=100.0, ask=100.02)
    quote = await client.request_quote(SPY)
    assert (quote.bid, quote.ask, quote.kind) == (100.0, 100.02, MarketDataType.LIVE)
    assert client._engine.answers.quotes.by_number == {}
    with pytest.raises(NoContractError):
        await client.request_quote(stock("NOSUCH"))


async def test_a_quote_that_never_becomes_whole_ends_as_it_is() -> None:
    """TWS ends a snapshot after eleven seconds of market time."""
    market = ManualMarket(UNIVERSE, 1_795_000_000 * 10**9)
    silent = SimulatedTWS(SimulatorOptions(paused=True, market=market))
    _, port = await silent.start()
    try:
        async with TWSConnection(config_of(port)) as connection:
            silent.quote("SPY", bid=100.0, ask=0)
            waiting = connection.request_quote(SPY)
            await connection.request_current_time()
            assert not waiting.done()
            await silent.set_clock(silent.now_ns() + 11 * 10**9)
            quote = await waiting
            assert (quote.bid, quote.ask, quote.last) == (100.0, None, None)
    finally:
        await silent.stop()


async def test_unsubscribed_data(journal: object) -> None:
    sim = SimulatedTWS(SimulatorOptions(paused=True, symbols=("SPY",), unsubscribed=("SPY",)))
    _, port = await sim.start()
    try:
        async with TWSConnection(config_of(port)) as connection:
            with pytest.raises(NotSubscribedError) as caught:
                await connection.request_quote(SPY)
            assert caught.value.code == 354
            with pytest.raises(NotSubscribedError):
                await anext(connection.stream_realtime_bars(SPY))
            with pytest.raises(NotSubscribedError):
                await anext(connection.stream_ticks(SPY))
            connection.request_market_data_type(MarketDataType.DELAYED)
            assert (await connection.request_quote(SPY)).kind is MarketDataType.DELAYED
    finally:
        await sim.stop()


async def test_a_quote_that_nobody_waits_for_is_cancelled(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        connection.request_quote(SPY).cancel()
        await recorder.caught_up(connection)
        asked, ended = (codec.decode_request(payload, 200) for payload in recorder.payloads)
        assert isinstance(asked, MarketDataRequest) and asked.snapshot and asked.generic_tick_list == ""
        assert ended == CancelMarketData(asked.req_id)
        recorder.clients[0].say(TickSnapshotEnd(asked.req_id))  # nobody minds
        assert connection._engine.answers.quotes.by_number == {}


async def test_a_quote_has_the_time_that_tws_takes_for_it(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port, request_timeout=0.05)) as connection:
        quote = connection.request_quote(SPY)
        with pytest.raises(RequestTimeoutError):
            await connection.request_current_time()
        assert not quote.done()
        recorder.clients[0].say(TickSnapshotEnd(connection._engine.answers.request_ids.take() - 1))
        assert (await quote).bid is None


async def test_a_stream_knows_its_step_its_exchange_map_and_halts(
    tws: SimulatedTWS, client: TWSConnection
) -> None:
    async with client.stream_quotes(SPY) as stream:
        assert (stream.min_tick, stream.bbo_exchange, stream.halted) == (None, "", None)
        await anext(stream)
        await until(lambda: stream.halted is not None)
        assert (stream.min_tick, stream.bbo_exchange, stream.halted) == (0.01, "9c0001", 0)
        assert await client.request_smart_components(stream.bbo_exchange)


async def test_odd_lots_and_precisions(tws: SimulatedTWS, client: TWSConnection) -> None:
    """Quotes of less than a round lot; how fine the last trade is comes in protobuf alone."""
    tws.quote("SPY", bid=100.0, ask=100.05, bid_size=300, ask_size=200)
    async with client.stream_quotes(SPY, generic_ticks=[787]) as stream:
        assert stream.odd_lots == OddLots()
        await until(lambda: stream.odd_lots.ask_exchange)
        odd = stream.odd_lots
        assert odd.bid is not None and odd.ask is not None and 100 < odd.bid < odd.ask < 100.05
        assert odd.bid_size and odd.ask_size and (odd.bid_exchange, odd.ask_exchange) == ("Q", "P")
        precisions = (stream.last_price_precision, stream.last_size_precision)
        assert precisions == ((0.01, 1.0) if client.server_version > 205 else (None, None))
    details = await client.request_contract(SPY)
    assert (details.last_price_precision, details.last_size_precision) == precisions


@pytest.mark.parametrize("version", [200, 225])
async def test_a_fraction_of_a_share_is_a_last_size_too(version: int) -> None:
    """From server version 222 on TWS states last sizes in fractions; whichever says so is read."""
    async with RecorderServer(version) as recorder, unkept(config_of(recorder.port)) as connection:
        stream = connection.stream_quotes(SPY)
        recorder.clients[0].say(TickSize(stream.request_id, 5, Decimal("0.0254")))
        await until(lambda: stream.dirty)
        assert stream.quote.last_size == 0.0254


async def test_what_a_newer_tws_says_is_kept_as_it_is(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream = connection.stream_quotes(SPY)
        peer = recorder.clients[0]
        peer.say(TickGeneric(stream.request_id, 49, 7.0))
        peer.say(WireMarketDataType(stream.request_id, 9))
        await recorder.caught_up(connection)
        await until(lambda: stream.kind == 9)
        assert stream.halted == 7 and stream.quote.kind == 9
        peer.say(TickGeneric(stream.request_id, 49, -1.0))
        await until(lambda: stream.halted is None)


async def test_a_rerouted_stream_says_where_to_ask(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream = connection.stream_quotes(Contract(symbol="IBM", sec_type="CFD"))
        recorder.clients[0].say(RerouteMarketDataRequest(stream.request_id, 8314, "NYSE"))
        await anext(stream)
        assert stream.reroute == Reroute(8314, "NYSE")


async def test_greeks(tws: SimulatedTWS, client: TWSConnection) -> None:
    option = await an_option(client)
    async with client.stream_quotes(option) as stream:
        greeks = stream.greeks
        assert (greeks.bid, greeks.ask, greeks.last, greeks.model) == (None, None, None, None)
        await until(lambda: stream.greeks.model)
        model = stream.greeks.model
        assert model is not None and model.delta and 0 < model.delta < 1
        assert model.implied_volatility and model.gamma and model.theta and model.vega
        assert model.under_price and model.time_ns
    volatility = await client.request_implied_volatility(
        option, option_price=model.price or 0.0, under_price=model.under_price
    )
    assert volatility.implied_volatility == pytest.approx(model.implied_volatility, rel=0.02)
    price = await client.request_option_price(
        option, volatility=model.implied_volatility, under_price=model.under_price
    )
    assert price.price == pytest.approx(model.price, rel=0.02)
    never = await client.request_implied_volatility(option, option_price=0.0, under_price=model.under_price)
    assert never.implied_volatility is None
    with pytest.raises(RequestError):
        await client.request_option_price(SPY, volatility=0.2, under_price=100.0)


async def test_not_yet_is_not_never(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream = connection.stream_quotes(Contract(symbol="SPY", sec_type="OPT"))
        recorder.clients[0].say(TickOptionComputation(stream.request_id, 83, 0))
        await anext(stream)
        assert stream.greeks.model is not None and stream.greeks.model.delta is None
        assert stream.greeks.bid is None


async def test_delayed_data_are_asked_for_again_in_the_session_after_a_lost_link(journal: Path) -> None:
    """TWS forgets the wish with the session: without it the stream would be refused (354)."""
    sim = SimulatedTWS(SimulatorOptions(symbols=("SPY",), unsubscribed=("SPY",)))
    _, port = await sim.start()
    try:
        keep = Keep(backoff_s=(0.01, 0.05))
        async with TWSConnection(config_of(port), keep=keep, journal=journal) as connection:
            await connection.wait_ready()
            connection.request_market_data_type(MarketDataType.DELAYED)
            stream = connection.stream_quotes(SPY)
            await anext(stream)
            sim.faults.play("cut")
            await until(lambda: connection.session == 2)
            await connection.wait_ready()
            await until(lambda: stream.gap is None)
            assert not stream.closed and stream.kind is MarketDataType.DELAYED
    finally:
        await sim.stop()
