"""The keeper on real sockets, threads and processes: what virtual time can not show.

The same behaviour on virtual time, with its bounds: test_keeping.py.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.connection.peers import Peer, RecorderServer, config_of, port_of, until

from tws.clock import NS_PER_S, SystemClock
from tws.connection import Keep, SyncConnection, TWSConnection
from tws.connection.keeping import keeper, vitals
from tws.connection.keeping.events import ConnectionEvent, ConnectionState, EventKind
from tws.errors import LinkLostError
from tws.model.contract import Contract
from tws.simulator import SimulatedTWS
from tws.testing import HostedTWS
from tws.wire.messages import ErrorMessage, ManagedAccounts, NextValidId

S = ConnectionState
SPY = Contract(con_id=756733, symbol="SPY")
QUICK = Keep(backoff_s=(0.01, 0.05))
EXIT_BOUND_S = 120


@pytest.fixture
async def kept(sim: SimulatedTWS, journal: Path) -> AsyncIterator[TWSConnection]:
    async with TWSConnection(config_of(port_of(sim), client_id=7), keep=QUICK, journal=journal) as made:
        await made.wait_ready()
        yield made


@pytest.fixture
def hosted() -> Iterator[HostedTWS]:
    with HostedTWS() as tws:
        yield tws


def own_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("tws ")}


async def test_a_cut_socket_is_dialled_again_and_streams_are_fed(
    sim: SimulatedTWS, kept: TWSConnection
) -> None:
    stream = kept.stream_quotes(SPY)
    await anext(stream)
    sim.faults.play("cut")
    await until(lambda: kept.session == 2)
    await kept.wait_ready()
    await until(lambda: stream.gap is None)
    sim.quote("SPY", bid=77.0, ask=77.5)
    await until(lambda: stream.quote.bid == 77.0)
    assert [session.client_id for session in sim.sessions] == [7]
    assert len(sim.core.lines[SPY.con_id]) == 1


# -- connect and disconnect while it dials


async def test_connect_while_the_keeper_dials_waits_for_its_session(
    sim: SimulatedTWS, kept: TWSConnection
) -> None:
    sim.faults.play("refuse-dials")
    sim.faults.play("cut")
    await until(lambda: kept.state is S.WAITING)
    waiting = [asyncio.create_task(kept.connect()) for _ in range(3)]
    await asyncio.sleep(0)
    sim.faults.clear()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert kept.session == 2 and len(sim.sessions) == 1


async def test_connect_while_the_keeper_dials_says_why_it_failed(sim: SimulatedTWS, journal: Path) -> None:
    config = config_of(port_of(sim), connection_timeout=0.3)
    connection = TWSConnection(config, keep=QUICK, journal=journal)
    assert await connection.connect()
    sim.faults.play("refuse-dials")
    sim.faults.play("cut")
    await until(lambda: connection.state is S.WAITING and connection.failure is not None)
    assert not await connection.connect()
    assert connection.failure is not None and connection.failure.stage == "dial"
    assert connection.state in (S.WAITING, S.REDIALLING), "the keeper goes on"
    connection.disconnect()


@pytest.mark.parametrize("way", ["here", "thread"])
async def test_disconnect_while_the_keeper_dials(sim: SimulatedTWS, kept: TWSConnection, way: str) -> None:
    stream = kept.stream_quotes(SPY)
    sim.faults.play("refuse-dials")
    sim.faults.play("cut")
    await until(lambda: kept.state is S.WAITING)
    if way == "here":
        kept.disconnect()
    else:
        thread = threading.Thread(target=kept.disconnect)
        thread.start()
        thread.join()
    await until(lambda: kept.state is S.CLOSED)
    with pytest.raises(LinkLostError):
        while True:
            await anext(stream)
    await until(lambda: not own_tasks())
    sim.faults.clear()
    await until(lambda: sim.is_listening)
    assert await kept.connect(), kept.failure


async def test_disconnect_in_the_middle_of_a_dial_and_connect_at_once(
    journal: Path, sim: SimulatedTWS
) -> None:
    """The dial that is being given up stands in nobody's way."""
    connection = TWSConnection(config_of(port_of(sim)), keep=QUICK, journal=journal)
    assert await connection.connect()
    sim.faults.play("accept-dialog")
    sim.faults.play("cut")
    await until(lambda: connection.state is S.REDIALLING)
    connection.disconnect()
    assert connection.state is S.CLOSED
    sim.faults.clear()
    assert await connection.connect(), connection.failure
    connection.disconnect()
    await connection.wait_closed()
    await until(lambda: not own_tasks())


async def test_disconnect_in_the_middle_of_the_synchronisation(sim: SimulatedTWS, journal: Path) -> None:
    sim.faults.play("swallow", request="ExecutionRequest")
    connection = TWSConnection(config_of(port_of(sim)), keep=QUICK, journal=journal)
    assert await connection.connect()
    assert connection.state is S.SYNCHRONISING
    connection.disconnect()
    await connection.wait_closed()
    await until(lambda: not own_tasks())
    assert connection.state is S.CLOSED
    await connection.wait_ready()  # it has ended: nobody waits for ever


async def test_an_exception_of_a_dial_does_not_end_the_keeping(sim: SimulatedTWS, journal: Path) -> None:
    """A dial of the user's own may raise anything; the link is dialled again all the same."""
    loop, broken = asyncio.get_running_loop(), [0]

    async def dial(factory, host, port):  # type: ignore[no-untyped-def]
        if connection.session == 1 and broken[0] < 3:
            broken[0] += 1
            raise ValueError("a tunnel of mine")
        return await loop.create_connection(factory, host, port)

    connection = TWSConnection(config_of(port_of(sim)), keep=QUICK, journal=journal, dial=dial)
    assert await connection.connect()
    sim.faults.play("cut")
    await until(lambda: connection.session == 2)
    await connection.wait_ready()
    said = [event.text for event in connection.recent_events if "a tunnel of mine" in event.text]
    assert len(said) == 1
    connection.disconnect()
    await connection.wait_closed()


async def test_what_is_said_before_the_session_is_ready_counts(
    recorder: RecorderServer, journal: Path
) -> None:
    """The order of the first messages is usual, not promised (TWS-BEHAVIOUR.md A2)."""
    recorder.greeting = [
        NextValidId(1),
        ErrorMessage(-1, 0, 2103, "Market data farm connection is broken:usfarm"),
        ErrorMessage(-1, 0, 1100, "Connectivity between IBKR and Trader Workstation has been lost."),
        ManagedAccounts("DU1234567"),
    ]
    async with TWSConnection(config_of(recorder.port), keep=QUICK, journal=journal) as connection:
        assert connection.state is S.BROKER_LOST
        assert [farm.name for farm in connection.farms if farm.broken] == ["usfarm"]


# -- the machine


class JumpingClock(SystemClock):
    ahead_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.ahead_ns


async def test_a_clock_that_jumps_ahead_means_that_the_link_is_lost(
    sim: SimulatedTWS, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK_S", 0.02)
    clock = JumpingClock()
    config = config_of(port_of(sim))
    async with TWSConnection(config, keep=QUICK, journal=journal, clock=clock) as connection:
        await connection.wait_ready()
        await asyncio.sleep(0.1)  # it has looked
        states: list[ConnectionState | None] = []
        connection.on_event(lambda event: states.append(event.state) if event.state else None)
        clock.ahead_ns = 3600 * NS_PER_S
        await until(lambda: connection.session == 2)
        await connection.wait_ready()
        assert states == [S.WAITING, S.REDIALLING, S.SYNCHRONISING, S.READY]
        (event,) = of_kind(connection, EventKind.CLOCK)
        assert "3600 s ahead" in event.text
        await asyncio.sleep(0.1)
        clock.ahead_ns = 0
        await until(lambda: len(of_kind(connection, EventKind.CLOCK)) == 2)
        assert "set back by 3600 s" in of_kind(connection, EventKind.CLOCK)[1].text
        assert connection.session == 2, "a clock that is set back is no sleep"


async def test_a_callback_that_holds_the_loop_is_told_and_ends_nothing(
    sim: SimulatedTWS, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK_S", 0.02)
    monkeypatch.setattr(vitals, "LATE_S", 0.3)
    keep = Keep(backoff_s=(0.01, 0.05), heartbeat_s=0.2, heartbeat_timeout_s=0.2)
    async with TWSConnection(config_of(port_of(sim)), keep=keep, journal=journal) as connection:
        await connection.wait_ready()
        stream = connection.stream_quotes(SPY)
        stream.on_tick(lambda field, price, size: time.sleep(0.5) if price == 77.0 else None)
        await anext(stream)
        await asyncio.sleep(0.1)  # it has looked
        sim.quote("SPY", bid=77.0, ask=77.5)
        await until(lambda: of_kind(connection, EventKind.CLOCK))
        assert "stood still" in of_kind(connection, EventKind.CLOCK)[0].text
        assert await connection.request_current_time()
        assert connection.session == 1


def of_kind(connection: TWSConnection, kind: EventKind) -> list[ConnectionEvent]:
    return [event for event in connection.recent_events if event.kind is kind]


async def test_a_callback_that_always_raises_writes_a_bounded_number_of_lines(
    sim: SimulatedTWS, kept: TWSConnection, caplog: pytest.LogCaptureFixture
) -> None:
    stream, calls = kept.stream_quotes(SPY), [0]

    def broken_by_design(field: int, price: float, size: float) -> None:
        calls[0] += 1
        raise RuntimeError("mine")

    stream.on_tick(broken_by_design)
    await anext(stream)
    while calls[0] < 10_000:
        for step in range(200):
            sim.quote("SPY", bid=70.0 + step / 100, ask=80.0 + step / 100)
        await asyncio.sleep(0)
    failed = [record for record in caplog.records if record.levelname == "ERROR"]  # it may also be slow
    lines = [record for record in failed if "broken_by_design" in record.getMessage()]
    assert 1 <= len(lines) <= 3 + calls[0] // 1000
    assert kept.session == 1


# -- one connection, several loops


def test_a_second_run_of_asyncio_with_the_same_connection(hosted: HostedTWS, journal: Path) -> None:
    connection = TWSConnection(hosted.config(client_id=7), keep=QUICK, journal=journal)

    async def work(end: str) -> int:
        assert await connection.connect(), connection.failure
        await connection.wait_ready()
        connection.stream_quotes(SPY)
        if end == "waiting":
            hosted.play("refuse-dials")
            hosted.play("cut")
            await until(lambda: connection.state is S.WAITING)
        return connection.session

    assert asyncio.run(work("ready")) == 1
    assert asyncio.run(work("waiting")) == 2
    hosted.clear_faults()
    hosted.wait_until(lambda: hosted.call(lambda sim: sim.is_listening))
    assert asyncio.run(work("ready")) == 3
    connection.disconnect()
    assert not connection.is_connected()


def test_a_synchronous_program_is_kept_too(hosted: HostedTWS, journal: Path) -> None:
    with SyncConnection(hosted.config(client_id=7), keep=QUICK, journal=journal) as connection:
        hosted.play("cut")
        hosted.wait_until(lambda: connection.core.session == 2 and connection.is_connected())
        assert connection.request_current_time()


# -- the end of the interpreter


PROGRAM = """
import asyncio, sys, threading
from tws.connection import Keep, SyncConnection, TWSConnection
from tws.config import TWSConfig

port, how = int(sys.argv[1]), sys.argv[2]
config = TWSConfig(port=port, client_id=7, connection_timeout=5)
keep = Keep(backoff_s=(0.01, 0.02) if how == "redialling" else (60.0, 60.0))
connection = TWSConnection(config, keep=keep)

async def lost(state):
    print("ready", flush=True)
    while connection.state.value != state:
        await asyncio.sleep(0.01)

async def main():
    assert await connection.connect()
    await connection.wait_ready()
    if how in ("waiting", "redialling"):
        await lost(how)
    elif how == "loop":
        await lost("waiting")
    elif how == "thread":
        threading.Thread(target=connection.disconnect).start()
        while connection.is_connected():
            await asyncio.sleep(0.01)

if how == "loop":
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
elif how == "sync":
    one = SyncConnection(config)
    assert one.connect()
else:
    asyncio.run(main())
print("end", flush=True)
"""


@pytest.mark.parametrize("how", ["ready", "waiting", "redialling", "loop", "thread", "sync"])
async def test_a_program_ends_with_a_keeper_at_work(how: str, hosted: HostedTWS, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "dev", str(program), str(hosted.port), how), stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    if how in ("waiting", "redialling", "loop"):
        assert await process.stdout.readline() in (b"ready\n", b"ready\r\n")
        if how == "redialling":
            hosted.play("accept-dialog")
        hosted.play("cut")
    out, err = await asyncio.wait_for(process.communicate(), EXIT_BOUND_S)
    words = err.decode()
    assert process.returncode == 0, words
    assert b"end" in out
    assert "Traceback" not in words and "destroyed" not in words and "never awaited" not in words, words
    if how != "redialling":  # there a socket stands until the dialog is answered
        await until(lambda: hosted.sessions() == 0)


async def test_a_peer_that_goes_mute_during_a_redial_is_left_again(sim: SimulatedTWS, journal: Path) -> None:
    """Each dial has its bound: a TWS that takes the socket and says nothing is tried again."""

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return

    async with Peer(nothing) as peer:
        loop = asyncio.get_running_loop()
        where = [port_of(sim)]

        async def dial(factory, host, port):  # type: ignore[no-untyped-def]
            return await loop.create_connection(factory, host, where[0])

        config = config_of(port_of(sim), connection_timeout=0.2)
        async with TWSConnection(config, keep=QUICK, journal=journal, dial=dial) as connection:
            await connection.wait_ready()
            where[0] = peer.port
            sim.faults.play("cut")
            await until(lambda: peer.dials >= 3)
            where[0] = port_of(sim)
            await until(lambda: connection.session == 2)
