"""What becomes of a link that goes: dialled again, synchronised, its streams fed, nothing lost or told twice.

On virtual time (`tests.connection.kept`), where bounds are exact; what needs a real socket, a thread or a
process stands in test_keeping_sockets.py.
"""

from __future__ import annotations

import asyncio

import pytest
from tests.connection.kept import CLIENT_ID, SPY, House, buy

from tws.connection import Keep
from tws.connection.keeping.events import ConnectionState, EventKind, Severity
from tws.connection.streaming.streams import Gap
from tws.errors import (
    LinkLostError,
    OrderDeniedError,
    RequestError,
    RequestTimeoutError,
)
from tws.model.execution import Execution
from tws.model.facts import BrokerReply

S = ConnectionState


# -- a socket that goes


def test_a_cut_link_comes_back_on_the_same_id_and_its_streams_are_fed() -> None:
    async def scene(house: House) -> None:
        stream, gaps = house.connection.stream_quotes(SPY), list[Gap]()
        stream.on_gap(gaps.append)
        await house.fed(stream)
        first = house.session
        house.sim.faults.play("cut")
        await house.until_session(2)
        await house.fed(stream)
        assert first.client_id == house.session.client_id == CLIENT_ID
        assert house.lines() == 1
        began, ended = gaps
        assert began.end_ns is None and "cut" in began.cause
        assert ended.end_ns is not None and ended.begin_ns == began.begin_ns < ended.end_ns
        assert stream.gap is None and list(stream.gaps) == [ended]

    house = House().run(scene)
    assert house.states() == [
        *(S.CONNECTING, S.SYNCHRONISING, S.READY),
        *(S.WAITING, S.REDIALLING, S.SYNCHRONISING, S.READY, S.CLOSED),
    ]


def test_what_waits_for_an_answer_ends_with_the_link() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("swallow", request="CurrentTimeRequest")
        reply = house.connection.request_current_time()
        house.sim.faults.play("cut")
        with pytest.raises(LinkLostError):
            await reply
        await house.until_session(2)
        assert await house.connection.request_current_time()

    House().run(scene)


def test_a_request_that_tws_swallows_times_out_and_the_link_stays() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("swallow", request="ContractDataRequest")
        with pytest.raises(RequestTimeoutError):
            await house.connection.request_contract(SPY)
        assert await house.connection.request_contract(SPY)
        assert house.connection.session == 1

    House().run(scene)


def test_a_fill_of_the_gap_is_found_and_told_once() -> None:
    async def scene(house: House) -> None:
        facts: list[object] = []
        house.connection.facts(facts.append)
        house.sim.quote("SPY", bid=100.0, ask=101.0)
        sent = await house.connection.place_order(SPY, buy("100.50"))
        await house.until(lambda: house.connection.broker.of_ref("mine"))
        house.sim.faults.play("refuse-dials")
        house.sim.faults.play("cut")
        await house.until(lambda: house.connection.state is S.WAITING)
        house.sim.quote("SPY", bid=100.0, ask=100.25)
        assert len(house.sim.exchange.executions()) == 1
        house.sim.faults.clear()
        await house.until_session(2)

        (seen,) = house.connection.broker.of_ref("mine")
        assert (seen.order_id, seen.filled, seen.status) == (sent.order_id, 10, "Filled")
        assert not house.connection.broker.open_orders
        fills = [fact for fact in facts if isinstance(fact, Execution)]
        assert len({fill.exec_id for fill in fills}) == len(house.connection.broker.executions) == 1
        (told,) = house.events(EventKind.ORDERS)
        assert "a fill that was not told: BUY 10 SPY at 100.25" in told.text

    House().run(scene)


def test_new_orders_are_held_back_until_the_books_are_known() -> None:
    async def scene(house: House) -> None:
        house.sim.quote("SPY", bid=100.0, ask=101.0)
        resting = await house.connection.place_order(SPY, buy("99"))
        await house.until(lambda: house.connection.broker.of_ref("mine"))
        house.sim.faults.play("swallow", request="ExecutionRequest", count=1)
        house.sim.faults.play("cut")
        await house.until(lambda: house.connection.state is S.SYNCHRONISING)
        with pytest.raises(OrderDeniedError) as denied:
            await house.connection.place_order(SPY, buy("98", "later"))
        assert denied.value.limit == "link"
        # what makes the position smaller, or nothing, is not held back
        house.connection.cancel_order(resting.order_id)
        await house.until(lambda: not house.sim.exchange.open_orders())
        assert house.connection.state is S.SYNCHRONISING

        await house.until_session(2)
        await house.connection.place_order(SPY, buy("98", "later"))
        await house.until(lambda: house.connection.broker.of_ref("later"))

    house = House().run(scene)
    late = [event for event in house.events(EventKind.STATE) if "not synchronised" in event.text]
    assert len(late) == 1 and "executions" in late[0].text


def test_a_stream_that_is_opened_while_the_link_is_down_is_opened_at_the_resume() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("refuse-dials", lasts="20s")
        house.sim.faults.play("cut")
        await house.until(lambda: house.connection.state is S.WAITING)
        stream = house.connection.stream_quotes(SPY)
        assert stream.gap is not None and house.lines() == 0
        closed = house.connection.stream_quotes(SPY)
        closed.close()
        await house.until_session(2)
        await house.fed(stream)
        assert house.lines() == 1

    House().run(scene)


def test_a_renewal_that_tws_refuses_is_tried_again() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        house.sim.faults.play("answer-error", request="MarketDataRequest", code=354, text="not now", count=2)
        house.sim.faults.play("cut")
        await house.until_session(2)
        await house.fed(stream)
        assert not stream.closed and stream.failure is None
        assert house.lines() == 1

    house = House().run(scene)
    refused = house.events(EventKind.STREAM)
    assert [(event.code, event.symbol) for event in refused] == [(354, "SPY")] * 2


def test_a_stream_that_was_never_fed_ends_with_its_refusal() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("answer-error", request="MarketDataRequest", code=354, text="not subscribed")
        with pytest.raises(RequestError, match="354"):
            await anext(house.connection.stream_quotes(SPY))
        assert house.lines() == 0

    House().run(scene)


# -- a link that lives, with nothing at its other end


@pytest.mark.parametrize("fault", ["mute", "half-open"])
@pytest.mark.parametrize(("every_s", "timeout_s"), [(10.0, 10.0), (2.0, 5.0), (30.0, 3.0), (2.5, 1.3)])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_dead_link_is_found_in_bounded_time(
    fault: str, every_s: float, timeout_s: float, seed: int
) -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        if seed > 1:  # else directly behind a sign of life, which is the longest wait
            await asyncio.sleep(house.world.rng("moment").uniform(0, 7))
        began_s = house.loop.time()
        house.sim.faults.play(fault, lasts="300s") if fault == "mute" else house.sim.faults.play(fault)
        found_s = await house.until(lambda: not house.connection.is_connected())
        assert found_s - began_s <= every_s + timeout_s + 1.0 + 0.02  # the step in which we look
        house.sim.faults.clear()
        await house.until_session(2)
        await house.fed(stream)

    house = House(Keep(heartbeat_s=every_s, heartbeat_timeout_s=timeout_s), seed=seed).run(scene)
    (lost,) = [event for event in house.events(EventKind.STATE) if event.state is S.WAITING]
    assert "mute or half open" in lost.text


def test_a_quiet_link_that_answers_lives_for_hours() -> None:
    async def scene(house: House) -> None:
        house.sim.pause()  # nothing comes by itself
        await asyncio.sleep(6 * 3600)
        assert house.connection.session == 1

    house = House().run(scene)
    assert house.states() == [S.CONNECTING, S.SYNCHRONISING, S.READY, S.CLOSED]


def test_a_slow_reader_is_not_taken_for_a_dead_link() -> None:
    async def scene(house: House) -> None:
        lane = house.connection.facts(bound=1)
        house.connection.request_positions()
        house.connection.request_executions()
        await house.until(lambda: lane.full)
        await asyncio.sleep(300)
        assert house.connection.session == 1 and house.connection.is_connected()
        lane.close()
        assert await house.connection.request_current_time()
        assert house.connection.session == 1

    House(Keep(heartbeat_s=5, heartbeat_timeout_s=5)).run(scene)


def test_an_id_that_is_still_in_use_is_tried_until_it_is_free() -> None:
    async def scene(house: House) -> None:
        tried: list[int] = []
        refuses = house.sim.faults.refuses

        def noting(client_id: int) -> bool:
            tried.append(client_id)
            return refuses(client_id)

        house.sim.faults.refuses = noting  # type: ignore[method-assign]  # it only looks
        house.sim.faults.play("half-open", zombie="90s")
        await house.until_session(2)
        assert set(tried) == {CLIENT_ID} and len(tried) > 10

    house = House().run(scene)
    said = [event for event in house.events(EventKind.STATE) if event.severity is Severity.WARNING]
    assert len([event for event in said if "in use" in event.text]) == 1, "one line for one cause"


# -- what is not done


def test_the_read_only_refusal_is_asked_for_once_in_each_session() -> None:
    async def scene(house: House) -> None:
        refusals: list[BrokerReply] = []
        house.connection.facts(
            lambda fact: refusals.append(fact) if isinstance(fact, BrokerReply) and fact.code == 321 else None
        )
        for number in (2, 3):
            house.sim.faults.play("cut")
            await house.until_session(number)
            assert len(refusals) == number - 1
        house.sim.faults.play("notice", code=1101, text="restored - data lost")
        await house.until_state(S.SYNCHRONISING, 4)
        await house.until_state(S.READY, 4)
        assert len(refusals) == 2 and house.connection.read_only is True

    House(read_only=True).run(scene)


def test_the_synchronisation_of_client_0_binds_no_order_placed_by_hand() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("manual-order", symbol="SPY", side="BUY", quantity=100, price=1.0)
        (by_hand,) = house.sim.exchange.open_orders()
        house.sim.faults.play("cut")
        await house.until_session(2)
        (still,) = house.sim.exchange.open_orders()
        assert (still.client_id, still.order_id) == (by_hand.client_id, by_hand.order_id)
        assert len(house.connection.broker.open_orders) == 1

    House(config={"client_id": 0}).run(scene)


def test_without_keeping_a_link_that_goes_is_gone() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        house.sim.faults.play("cut")
        await house.until(lambda: house.connection.state is S.CLOSED)
        assert isinstance(stream.failure, LinkLostError)
        await asyncio.sleep(120)
        assert house.connection.session == 1

    House(Keep(reconnect=False)).run(scene)


def test_an_order_that_is_gone_is_told() -> None:
    async def scene(house: House) -> None:
        house.sim.quote("SPY", bid=100.0, ask=101.0)
        await house.connection.place_order(SPY, buy("99"))
        await house.until(lambda: house.connection.broker.open_orders)
        house.sim.faults.play("order-vanishes")
        house.sim.faults.play("cut")
        await house.until_session(2)
        (seen,) = house.connection.broker.of_ref("mine")
        assert seen.gone and not seen.is_open

    house = House().run(scene)
    (gone,) = house.events(EventKind.ORDERS)
    assert gone.severity is Severity.ALARM and "neither open nor completed" in gone.text
