"""TWS without IB, and the night: 1100, 1101 and 1102, farms, restarts, refused dials, on virtual time.

Nothing is asked for twice, no line is left over, and the log stays short.
"""

from __future__ import annotations

import asyncio

import pytest
from tests.connection.kept import SPY, House, buy

from tws.connection import Keep
from tws.connection.keeping.events import ConnectionState, EventKind
from tws.errors import NotSentError, OrderDeniedError, PacingError
from tws.simulator.faults.link import drop_subscriptions

S = ConnectionState


def test_after_1101_each_stream_is_asked_for_once_and_no_old_line_is_left() -> None:
    async def scene(house: House) -> None:
        streams = [house.connection.stream_quotes(SPY) for _ in range(3)]
        for stream in streams:
            await house.fed(stream)
        old = {stream.request_id for stream in streams}
        house.sim.faults.play("connectivity-lost", lasts="40s", restored="lost", repeat="10s")
        await house.until(lambda: house.connection.state is S.BROKER_LOST)
        with pytest.raises(OrderDeniedError) as denied:
            await house.connection.place_order(SPY, buy("98"))
        assert denied.value.limit == "link"
        assert all(stream.gap is not None for stream in streams)
        await house.until(lambda: house.connection.state is S.READY)
        for stream in streams:
            await house.fed(stream)
        assert house.connection.session == 1
        assert house.lines() == 3
        assert not old & {stream.request_id for stream in streams}
        await asyncio.sleep(300)
        assert house.lines() == 3

    house = House().run(scene)
    assert [state for state in house.states() if state is S.BROKER_LOST] == [S.BROKER_LOST], (
        "1100 was repeated, and told once"
    )


def test_after_1101_the_answers_to_the_cancels_of_old_lines_refuse_no_stream() -> None:
    """TWS answers 300 to a cancel of market data that it has forgotten, 366 to one of bars."""

    async def scene(house: House) -> None:
        quotes = house.connection.stream_quotes(SPY)
        bars = house.connection.stream_bars(SPY, "1 hour", duration="1 D")
        await house.fed(quotes)
        await house.until(lambda: bars.count)
        old = {quotes.request_id, bars.request_id}
        drop_subscriptions(house.sim.faults)
        house.sim.faults.play("connectivity-lost", lasts="40s", restored="lost")
        await house.until(lambda: house.connection.state is S.BROKER_LOST)
        await house.until(lambda: house.connection.state is S.READY)
        await house.fed(quotes)
        await asyncio.sleep(120)
        assert not old & {quotes.request_id, bars.request_id}
        assert quotes.gap is None and bars.gap is None

    house = House().run(scene)
    assert [str(event) for event in house.events(EventKind.STREAM) if "refused" in str(event)] == []


def test_after_1102_a_stream_that_is_fed_is_left_alone() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        line = stream.request_id
        house.sim.faults.play("connectivity-lost", lasts="40s", restored="maintained")
        await house.until(lambda: stream.gap is not None)
        await house.until(lambda: house.connection.state is S.READY)
        await house.fed(stream)
        assert stream.gap is None
        await asyncio.sleep(300)
        assert stream.request_id == line

    house = House().run(scene)
    assert not house.events(EventKind.STREAM)


def test_after_1102_a_stream_that_stays_silent_is_asked_for_anew() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.connection.request_contract_details(SPY)  # its hours
        await house.fed(stream)
        house.sim.faults.play("connectivity-lost", lasts="40s", restored="maintained")
        await house.until(lambda: house.connection.state is S.BROKER_LOST)
        await asyncio.sleep(20)
        drop_subscriptions(house.sim.faults)  # TWS says maintained, and has lost it all the same
        back_s = await house.until(lambda: house.connection.state is S.READY)
        fed_s = await house.until(lambda: stream.gap is None)
        assert fed_s - back_s <= house.keep.verify_s + 5.0
        assert house.lines() == 1

    house = House(Keep(verify_s=20)).run(scene)
    (stale,) = house.events(EventKind.STREAM)
    assert "stale" in stale.text and stale.symbol == "SPY"


def test_while_the_broker_is_lost_no_stream_is_blamed() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.connection.request_contract_details(SPY)
        await house.fed(stream)
        house.sim.faults.play("connectivity-lost", lasts="20m")
        await asyncio.sleep(19 * 60)
        assert house.connection.state is S.BROKER_LOST
        await house.until_state(S.READY, 2)
        await house.fed(stream)

    assert not House().run(scene).events(EventKind.STREAM)


def test_1102_without_its_1100_is_synchronised_too() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("notice", code=1102, text="restored - data maintained")
        await house.until_state(S.SYNCHRONISING, 2)
        await house.until_state(S.READY, 2)

    House().run(scene)


def test_a_competing_session_is_said_and_over_when_it_is_over() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        house.sim.faults.play("competing-session", lasts="60s")
        await house.until(lambda: stream.notice is not None and stream.notice[0] == 10197)
        await house.fed(stream)
        await asyncio.sleep(60)
        await house.fed(stream)
        assert not stream.closed

    House().run(scene)


def test_a_stream_that_is_quiet_after_a_return_is_given_its_time() -> None:
    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.connection.request_contract_details(SPY)
        await house.fed(stream)
        house.sim.faults.play("stale-stream", lasts="300s")
        await asyncio.sleep(3)
        house.sim.faults.play("restart", lasts="200s")
        await house.until_session(2)
        line = stream.request_id
        await asyncio.sleep(60)
        assert stream.request_id == line
        await house.fed(stream)

    house = House().run(scene)
    assert not house.events(EventKind.STREAM)


def test_a_session_that_opens_while_the_broker_is_lost_may_not_trade() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("connectivity-lost", lasts="60s")
        house.sim.faults.play("cut")
        await house.until(lambda: house.connection.session == 2)
        await house.until(lambda: house.connection.state is S.BROKER_LOST)
        with pytest.raises(OrderDeniedError):
            await house.connection.place_order(SPY, buy("98"))
        await house.until_session(2)

    House().run(scene)


@pytest.mark.parametrize(
    "error", [PacingError(100, "requests", 101, 100, "wait"), NotSentError(512, "no room")]
)
def test_a_synchronisation_that_can_not_be_sent_is_tried_again(error: NotSentError) -> None:
    async def scene(house: House) -> None:
        ask, failed = house.connection.request_executions, [0]

        def once() -> object:
            if not failed[0]:
                failed[0] = 1
                raise error
            return ask()

        house.connection.request_executions = once  # type: ignore[method-assign, assignment]
        house.sim.faults.play("cut")
        await house.until_session(2)
        assert failed == [1]

    House().run(scene)


def test_silence_does_not_say_that_orders_are_welcome() -> None:
    async def scene(house: House) -> None:
        house.connection._resume.read_only = None
        house.sim.faults.play("swallow", request="AllOpenOrdersRequest")
        house.sim.faults.play("cut")
        await house.until_state(S.SYNCHRONISING, 2)
        await asyncio.sleep(32)  # it has timed out
        assert house.connection.read_only is None
        await house.until_session(2)
        assert house.connection.read_only is False

    House().run(scene)


# -- the night


def test_a_night_is_survived_and_told_in_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="tws.connection")

    async def scene(house: House) -> None:
        stream = house.connection.stream_quotes(SPY)
        await house.fed(stream)
        caplog.clear()
        house.sim.faults.play("nightly-reset", outage="4m", restart="30s", refused="90s", rollback=4)
        await house.until_session(2, 3600)
        await house.fed(stream)
        await asyncio.sleep(60)
        assert house.lines() == 1

    house = House().run(scene)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) <= 30, "\n".join(lines)
    causes = [line for line in lines if "calendar" not in line]  # two outages of a minute are two warnings
    assert len(set(causes)) == len(causes), "a line was said twice"
    assert house.states().count(S.WAITING) == 1


def test_a_night_of_refused_dials_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="tws.connection")

    async def scene(house: House) -> None:
        caplog.clear()
        house.sim.faults.play("restart", lasts="8h")
        await house.until_session(2, 9 * 3600)

    House().run(scene)
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "refuse" in line]) == 1
    assert len(set(lines)) == len(lines), "a line was said twice"
    assert len(lines) <= 16 + 4 * 8, lines  # an outage that nobody planned is called out every quarter hour
