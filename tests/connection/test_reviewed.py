"""What a review of the connection found: each test here failed once."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import UTC
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.connection.kept import SPY, House
from tests.connection.peers import Peer, Recorder, RecorderServer, config_of, port_of, unkept, until
from tests.connection.test_sync import Host

from tws.connection import PacingOptions, TWSConnection
from tws.connection.encoding.translate import ib_contract
from tws.connection.hearing.tws_time import login_zone
from tws.connection.keeping.events import ConnectionEvent, ConnectionState, EventKind
from tws.connection.keeping.vitals import Beat, Vitals
from tws.connection.ordering.calls import SendState
from tws.connection.streaming.streams import QuoteStream, Stream
from tws.connection.sync import SyncConnection
from tws.errors import ConnectError, LinkLostError, RequestTimeoutError, TWSError
from tws.model.contract import stock
from tws.model.facts import BrokerReply, Fact
from tws.model.order import Order, OrderType, Side
from tws.simulator import SimulatedTWS
from tws.wire.messages import HeadTimestamp, NextValidId

BUY = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(10))


# -- callbacks that close what they are called by


@pytest.mark.parametrize("word", ["still no link", "redialling", "waiting"])
def test_a_listener_that_gives_up_ends_the_dials(word: str) -> None:
    async def scene(house: House) -> None:
        def give_up(event: ConnectionEvent) -> None:
            if event.text.startswith(word):
                house.connection.disconnect()

        house.connection.on_event(give_up)
        house.sim.faults.play("refuse-dials", lasts="60s")
        house.sim.faults.play("cut")
        await house.until_state(ConnectionState.CLOSED)
        said = len(house.told)
        await asyncio.sleep(300)
        assert [event.text for _, event in house.told[said:]] == []
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("tws ")]
        assert house.connection.session == 1
        assert not house.connection.is_connected()
        assert not house.sim.sessions

    House().run(scene)


def test_a_stream_that_is_closed_by_its_own_gap_is_not_opened_anew() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        stream.on_gap(lambda gap: stream.close())
        house.connection._engine.answers.subscriptions.renew_all()
        await asyncio.sleep(5)
        assert stream.closed
        assert house.lines() == 0

    House().run(scene)


# -- the link and the outbound queue


async def test_an_order_of_another_thread_does_not_outlive_its_session(
    recorder: RecorderServer, journal: Path
) -> None:
    """The link goes between the look at it and the place in the queue."""
    connection = unkept(config_of(recorder.port), journal=journal)
    assert await connection.connect()
    outbound = connection.outbound
    looked, may_go_on = threading.Event(), threading.Event()
    is_open = connection._engine.wire.is_open

    def slow() -> bool:
        answer = is_open()
        if threading.current_thread().name == "slow":
            looked.set()
            may_go_on.wait(0.5)
        return answer

    connection._engine.wire.is_open = slow  # type: ignore[method-assign]
    made: list[object] = []

    def place() -> None:
        with suppress(TWSError):  # refused on the spot, or as it waits: both are right
            made.append(outbound.place_guarded(5, SPY, BUY))

    order = threading.Thread(target=place, name="slow", daemon=True)
    order.start()
    await until(looked.is_set)
    connection._engine.drop("the cable")
    may_go_on.set()
    await until(lambda: not order.is_alive())
    await asyncio.sleep(0.01)
    assert len(outbound) == 0
    assert await connection.connect()
    outbound.kick()
    await recorder.caught_up(connection)
    assert b"3" not in recorder.ids
    connection.disconnect()


# -- TWS forgets


def test_after_1101_the_places_of_what_tws_has_forgotten_are_free() -> None:
    """Three depths are allowed, two summaries; each was counted twice, and none came back."""

    async def scene(house: House) -> None:
        island = replace(SPY, exchange="ISLAND")
        streams: list[Stream] = [house.connection.stream_depth(island) for _ in range(3)]
        streams += [house.connection.stream_account_summary() for _ in range(2)]
        for _ in range(2):
            await asyncio.sleep(10)
            house.sim.faults.play("connectivity-lost", lasts="40s", restored="lost")
            await asyncio.sleep(40)
            await asyncio.sleep(60)
            assert [stream.gap for stream in streams] == [None] * 5

    House().run(scene)


async def test_an_error_of_an_official_request_is_no_word_about_an_order(
    sim: SimulatedTWS, journal: Path
) -> None:
    async with unkept(config_of(port_of(sim)), journal=journal) as connection:
        facts: list[Fact] = []
        connection.facts(facts.append)
        number = connection.official_request_id()
        connection.official.reqContractDetails(number, ib_contract(stock("NOSUCH")))
        await connection.request_current_time()
        assert not [fact for fact in facts if isinstance(fact, BrokerReply) and fact.order_id > 0]
        assert connection.broker.orders == ()


def test_an_unknown_time_zone_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert login_zone("20250323 22:21:01 Mitteleuropäische Zeit") is UTC
    assert "Mitteleuropäische Zeit" in caplog.text


# -- bars


def test_bars_that_were_not_sent_while_tws_had_no_line_are_fetched_after_1102() -> None:
    async def scene(house: House) -> None:
        live = house.connection.stream_realtime_bars(SPY, use_rth=False)
        kept = house.connection.stream_bars(SPY, "5 secs", duration="60 S", use_rth=False)
        starts: dict[str, list[int]] = {"live": [], "kept": []}
        live.on_tick(lambda bar: starts["live"].append(bar.time_ns // 10**9))
        kept.on_tick(lambda bar: starts["kept"].append(bar.time_ns // 10**9) if bar.is_final else None)
        await asyncio.sleep(30)
        house.sim.faults.play("connectivity-lost", lasts="40s", restored="maintained")
        await asyncio.sleep(100)
        for name, found in starts.items():
            assert len(found) > 12, name
            assert [later - one for one, later in pairwise(found)] == [5] * (len(found) - 1), name

    House().run(scene)


# -- requests that must end


async def test_one_lost_answer_does_not_end_each_later_question(sim: SimulatedTWS, journal: Path) -> None:
    config = config_of(port_of(sim), request_timeout=0.2)
    async with TWSConnection(config, journal=journal, keep=False) as connection:
        sim.faults.play("swallow", request="PositionsRequest", count=1)
        outcomes = []
        for _ in range(4):
            try:
                await connection.request_positions()
                outcomes.append("answered")
            except RequestTimeoutError:
                outcomes.append("late")
        assert outcomes[0] == "late"
        assert outcomes[2:] == ["answered", "answered"]


async def test_a_request_that_cannot_be_cancelled_frees_its_place_when_it_is_given_up(
    recorder: RecorderServer, journal: Path
) -> None:
    """Below version 215 historical ticks can't be cancelled."""
    config = config_of(recorder.port, request_timeout=0.2)
    pacing = PacingOptions(open_history=1)
    async with TWSConnection(config, journal=journal, keep=False, pacing=pacing) as connection:
        with pytest.raises(RequestTimeoutError):
            await connection.request_historical_ticks(SPY)
        with pytest.raises(RequestTimeoutError):
            await connection.request_historical_bars(SPY)


async def test_complete_ends_on_a_stream_that_was_closed(recorder: RecorderServer, journal: Path) -> None:
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        stream = connection.stream_account()
        stream.close()
        with pytest.raises(LinkLostError):
            await stream.complete()


def test_a_stream_of_a_loop_that_has_closed_says_so(journal: Path) -> None:
    connection: list[TWSConnection] = []

    async def first(port: int) -> QuoteStream:
        made = unkept(config_of(port), journal=journal)
        connection.append(made)
        assert await made.connect()
        return made.stream_quotes(SPY)

    async def second(stream: QuoteStream) -> None:
        assert await connection[0].connect()
        with pytest.raises(LinkLostError):
            while True:
                await anext(stream)  # what it still holds, then its end
        connection[0].disconnect()
        await connection[0].wait_closed()

    host = Host()
    try:
        asyncio.run(second(asyncio.run(first(host.port))))
    finally:
        host.stop()


async def test_disconnect_ends_a_dial_that_gets_no_answer(journal: Path) -> None:
    async def dial(factory: object, host: str, port: int) -> None:
        await asyncio.Event().wait()

    connection = TWSConnection(config_of(4002), journal=journal, dial=dial)  # type: ignore[arg-type]
    dialling = asyncio.ensure_future(connection.connect())
    await asyncio.sleep(0.01)
    connection.disconnect()
    assert await dialling is False
    assert connection.failure is not None and "disconnect" in connection.failure.cause


async def test_two_connects_at_once_both_say_why(journal: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pass

    async with Peer(mute) as peer:
        connection = TWSConnection(config_of(peer.port, connection_timeout=0.3), journal=journal)
        first = asyncio.ensure_future(connection.connect())
        await asyncio.sleep(0)
        with pytest.raises(ConnectError):
            async with connection:
                pass
        assert await first is False


async def test_a_connection_is_not_taken_from_a_loop_that_runs(
    recorder: RecorderServer, journal: Path
) -> None:
    connection = unkept(config_of(recorder.port), journal=journal)
    assert await connection.connect()
    reply = connection.request_executions()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(asyncio.run(connection.connect())), daemon=True)
    thread.start()
    await until(lambda: not thread.is_alive())
    assert taken == [False]
    assert connection.is_connected()
    connection.disconnect()
    with pytest.raises(LinkLostError):
        await reply


# -- a slow clock, a slow user


def test_an_answer_within_the_same_tick_of_the_clock_counts() -> None:
    """Windows: 15.6 ms."""
    vitals = Vitals(10.0, 10.0)
    vitals.begin(0.0)
    vitals.ask_at_once(100.0)
    assert vitals.look(101.0, 100.0, False) is Beat.FINE
    assert vitals.look(110.0, 100.0, False) is Beat.ASK


async def test_a_callback_that_raises_cancelled_error_harms_nobody(sim: SimulatedTWS, journal: Path) -> None:
    async with TWSConnection(config_of(port_of(sim)), journal=journal) as connection:
        await connection.wait_ready()
        gone = asyncio.get_running_loop().create_future()
        gone.cancel()
        connection.facts(lambda fact: gone.result())
        stream, ticks = connection.stream_quotes(SPY), connection.stream_ticks(SPY)
        stream.on_tick(lambda *_: gone.result())
        ticks.on_tick(lambda _: gone.result())
        await connection.request_current_time()
        sim.quote("SPY", bid=100.0, ask=100.02)
        sim.trade("SPY", 100.0, 1)
        await until(lambda: stream.count and ticks.count)
        await connection.request_positions()
        assert connection.is_connected() and connection.session == 1


async def test_each_callback_that_fails_is_told_by_its_name(
    sim: SimulatedTWS, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with TWSConnection(config_of(port_of(sim)), journal=journal) as connection:
        stream, ticks = connection.stream_quotes(SPY), connection.stream_ticks(SPY)

        def bad_quote(*_: object) -> None:
            raise ValueError("quote")

        def bad_tick(_: object) -> None:
            raise ValueError("tick")

        stream.on_tick(bad_quote)
        ticks.on_tick(bad_tick)
        for step in range(6):
            sim.quote("SPY", bid=100.0 + step, ask=101.0 + step)
            sim.trade("SPY", 100.0 + step, 1)
            await connection.request_current_time()
        await until(lambda: stream.count > 3 and ticks.count > 3)
    assert "bad_quote" in caplog.text and "bad_tick" in caplog.text


def test_a_lane_that_nobody_drains_is_told() -> None:
    async def scene(house: House) -> None:
        house.connection.facts(bound=1)
        house.sim.faults.play("notice", code=2104, text="Market data farm connection is OK:usfarm")
        await asyncio.sleep(60)
        said = [event.text for event in house.events(EventKind.CALLBACK)]
        assert len(said) == 1 and "nothing is read" in said[0]

    House().run(scene)


# -- the synchronous host


def test_a_stream_that_is_closed_while_the_link_is_down_stays_closed(journal: Path) -> None:
    host = Host()
    try:
        with SyncConnection(config_of(host.port), journal=journal) as connection:
            stream = connection.stream_quotes(SPY)
            host.do(host.sim.faults.play, "refuse-dials")
            host.do(host.sim.faults.play, "cut")
            while connection.is_connected():
                pass
            stream.close()
            assert stream.state.closed
    finally:
        host.stop()


# -- cancels


async def test_a_cancel_of_an_order_of_an_earlier_run_leaves(recorder: RecorderServer, journal: Path) -> None:
    """Its change waits here, so it was never written by this run; it lives at TWS all the same."""
    recorder.greeting[1] = NextValidId(50)
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        outbound = connection.outbound
        outbound.hold()
        change = connection.place_order(SPY, BUY, 17)
        fresh = connection.place_order(SPY, BUY)
        assert outbound.cancel(fresh.order_id).state is SendState.WITHDRAWN
        assert outbound.cancel(17).state is SendState.WRITTEN
        assert change.state is SendState.WITHDRAWN


# -- what is kept at TWS, and by us


async def test_an_answer_that_cannot_be_read_ends_what_tws_keeps_open(
    recorder: RecorderServer, journal: Path
) -> None:
    def heard(client: Recorder, payload: bytes) -> None:
        if payload.startswith(b"87\0"):
            client.say(HeadTimestamp(int(payload.split(b"\0")[1]), "tomorrow, perhaps"))

    recorder.heard = heard
    async with unkept(config_of(recorder.port), journal=journal) as connection:
        with pytest.raises(ValueError):
            await connection.request_head_timestamp(SPY)
        await recorder.caught_up(connection)
        assert b"90" in recorder.ids


def test_a_disconnect_between_two_runs_of_a_loop_ends_streams_that_wait_for_a_link(journal: Path) -> None:
    host = Host()
    try:
        loop = asyncio.new_event_loop()
        connection = TWSConnection(config_of(host.port), journal=journal)

        async def go() -> QuoteStream:
            assert await connection.connect()
            await connection.wait_ready()
            stream = connection.stream_quotes(SPY)
            host.do(host.sim.faults.play, "refuse-dials")
            host.do(host.sim.faults.play, "cut")
            await until(lambda: not connection.is_connected())
            return stream

        stream = loop.run_until_complete(go())
        connection.disconnect()

        async def look() -> None:
            with pytest.raises(LinkLostError):
                while True:
                    await anext(stream)

        loop.run_until_complete(look())
        loop.close()
    finally:
        host.stop()
