"""What a review of the connection found: each test here failed once."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from tests.connection.kept import SPY, House
from tests.connection.peers import RecorderServer, config_of, unkept, until

from tws.connection.events import ConnectionEvent, ConnectionState
from tws.model.order import Order, OrderType, Side

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
    order = threading.Thread(
        target=lambda: made.append(outbound.place_guarded(5, SPY, BUY)), name="slow", daemon=True
    )
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
