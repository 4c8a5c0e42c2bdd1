"""Each way in which a connect ends: ready, or with a stage, a cause and a cure, in bounded time and with
nothing left behind.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.connection.peers import Peer, RecorderServer, config_of, port_of, unkept, until

from tws.connection.dialling.stages import Handshakes
from tws.connection.facade import _close_all as close_all
from tws.errors import ConnectError, LinkLostError, NotSentError
from tws.model.contract import stock
from tws.model.facts import Link, LinkState
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import CurrentTime, ErrorMessage, ManagedAccounts, NextValidId

SPY = stock("SPY")


class TestServer:
    """A recorder on a thread of its own, which answers questions for the time."""

    __test__ = False

    def __enter__(self) -> int:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = RecorderServer()
        self.server.heard = lambda client, payload: (
            client.say(CurrentTime(1_700_000_000)) if payload.startswith(b"49") else None
        )
        asyncio.run_coroutine_threadsafe(self.server.__aenter__(), self.loop).result()
        return self.server.port

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.server.__aexit__(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept and never speak."""


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def answer(*chunks: bytes, close: bool = False) -> Serve:
    """Say the first chunk after the hello, the others after startApi."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(chunks[0])
        for chunk in chunks[1:]:
            await reader.read(4096)
            writer.write(chunk)
        if close:
            if len(chunks) == 1:
                await reader.read(4096)
            writer.close()

    return serve


GREETING = frame(b"176\x0020261123 09:30:00 EST\x00")
IN_USE = frame(
    codec.encode(ErrorMessage(-1, 0, 326, "Unable to connect as the client id is already in use."), 176)
)

REFUSALS = {
    "silent": (nothing, "handshake", "said nothing", "dialog"),
    "closed at once": (close_at_once, "handshake", "closed it at once", "trusted"),
    "http": (answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "handshake", "no TWS", "port"),
    "tls": (answer(b"\x16\x03\x01\x02\x00\x01"), "handshake", "no TWS", "port"),
    "old version": (answer(frame(b"76\x0020261123 09:30:00 EST\x00")), "handshake", "version 76", "Update"),
    "no ids": (answer(GREETING, b""), "start", "did not name", "dialog"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_names_stage_cause_and_cure(case: str) -> None:
    serve, stage, cause, cure = REFUSALS[case]
    async with Peer(serve) as peer:
        connection = unkept(config_of(peer.port, connection_timeout=0.4))
        assert await connection.connect() is False
        failure = connection.failure
        assert failure is not None
        assert (failure.stage, cause in failure.cause, cure in failure.cure) == (stage, True, True), str(
            failure
        )
        assert not connection.is_connected()
        await peer.ended.wait()  # no half-open socket is left
        assert peer.dials == 1


async def test_nothing_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    connection = unkept(config_of(port))
    assert await connection.connect() is False
    assert connection.failure is not None
    assert (connection.failure.stage, connection.failure.code) == ("dial", 502)
    assert "nothing listens" in connection.failure.cause


async def test_a_name_that_nobody_knows() -> None:
    async def dial(factory: object, host: str, port: int) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    connection = unkept(config_of(7400, host="tws.invalid"), dial=dial)
    assert await connection.connect() is False
    assert connection.failure is not None and "unknown" in connection.failure.cause


async def test_the_context_manager_raises_the_same() -> None:
    async with Peer(close_at_once) as peer:
        with pytest.raises(ConnectError, match="closed it at once"):
            async with unkept(config_of(peer.port)):
                pytest.fail("no session can be here")


async def test_a_client_id_in_use_is_tried_again_on_the_same_id() -> None:
    hellos = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(GREETING)
        hellos.append(await reader.read(4096))
        if len(hellos) < 3:
            writer.write(IN_USE)
            writer.close()
        else:
            for message in (ManagedAccounts("DU1"), NextValidId(7)):
                writer.write(frame(codec.encode(message, 176)))

    async with Peer(serve) as peer:
        connection = unkept(config_of(peer.port, client_id=5))
        assert await connection.connect() is True
        assert connection.failure is None
        assert hellos == [frame(b"71\x002\x005\x00\x00")] * 3
        connection.disconnect()


@pytest.mark.parametrize(
    "serve",
    [answer(GREETING, IN_USE, close=True), answer(GREETING, close=True)],
    ids=["326", "closed after startApi"],
)
async def test_a_client_id_in_use_for_good(serve: Serve) -> None:
    async with Peer(serve) as peer:
        connection = unkept(config_of(peer.port, connection_timeout=1.2))
        assert await connection.connect() is False
        assert connection.failure is not None
        assert (connection.failure.code, connection.failure.stage) == (326, "start")
        assert "in use" in connection.failure.cause
        assert peer.dials == 2 + 3  # at 0 s and 0.5 s, the next would be at 1.5 s; then three other ids


async def test_a_free_client_id_is_named_and_not_taken(sim: SimulatedTWS) -> None:
    async with unkept(config_of(port_of(sim), client_id=5)), unkept(config_of(port_of(sim), client_id=6)):
        late = unkept(config_of(port_of(sim), client_id=5, connection_timeout=1.2))
        assert await late.connect() is False
        assert late.failure is not None and late.failure.code == 326
        assert "Client id 7 is free" in late.failure.cure
        assert not late.is_connected()
        await until(lambda: set(sim.core.by_client) == {5, 6})


async def test_a_session_gives_account_version_and_ids(sim: SimulatedTWS) -> None:
    connection = unkept(config_of(port_of(sim)))
    assert connection.get_next_order_id() is None
    assert await connection.connect() is True
    assert (connection.accounts, connection.server_version, connection.session) == (("DU1234567",), 225, 1)
    first = connection.get_next_order_id()
    assert first is not None and connection.get_next_order_id() == first + 1
    assert await connection.connect() is True  # a session that is open stays
    assert connection.session == 1
    connection.disconnect()
    assert not connection.is_connected()
    await connection.wait_closed()
    assert await connection.connect() is True
    assert connection.session == 2
    assert connection.get_next_order_id() == first + 2
    connection.disconnect()


@pytest.mark.parametrize("version", [157, 163, 176, 187, 193, 196, 200])
async def test_each_version_is_spoken(version: int) -> None:
    async with RecorderServer(version) as server, unkept(config_of(server.port)) as connection:
        assert connection.server_version == version
        assert connection.official.serverVersion() == version


async def test_a_tws_that_names_no_accounts_is_ready_but_locked(recorder: RecorderServer) -> None:
    recorder.greeting = [NextValidId(1)]
    async with unkept(config_of(recorder.port)) as connection:
        assert connection.accounts == ()
        assert recorder.ids == [b"17"]  # it was asked


async def test_the_next_id_may_come_before_the_accounts(recorder: RecorderServer) -> None:
    recorder.greeting = [NextValidId(1), ManagedAccounts("DU1,DU2,")]
    async with unkept(config_of(recorder.port)) as connection:
        assert connection.accounts == ("DU1", "DU2")


async def test_connect_while_connecting_is_refused_and_harms_nothing(sim: SimulatedTWS) -> None:
    connection = unkept(config_of(port_of(sim)))
    assert sorted(await asyncio.gather(connection.connect(), connection.connect())) == [False, True]
    assert connection.is_connected()
    connection.disconnect()


async def test_disconnect_during_connect() -> None:
    async with Peer(nothing) as peer:
        connection = unkept(config_of(peer.port, connection_timeout=30))
        dialling = asyncio.create_task(connection.connect())
        await until(lambda: peer.dials)
        connection.disconnect()
        assert await dialling is False
        assert connection.failure is not None and "disconnect()" in connection.failure.cause
        await peer.ended.wait()


async def test_a_cancelled_connect_leaves_no_socket() -> None:
    async with Peer(nothing) as peer:
        connection = unkept(config_of(peer.port, connection_timeout=30))
        dialling = asyncio.create_task(connection.connect())
        await until(lambda: peer.dials)
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        await peer.ended.wait()


async def test_disconnect_twice_and_from_a_thread(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    connection.disconnect()  # before the first connect
    await connection.connect()
    waiting = connection.request_current_time()
    thread = threading.Thread(target=connection.disconnect)
    thread.start()
    with pytest.raises(LinkLostError):
        await waiting
    thread.join()
    connection.disconnect()
    connection.disconnect()
    await recorder.gone.wait()
    with pytest.raises(NotSentError, match="504"):
        connection.request_current_time()


def test_disconnect_when_the_loop_has_ended() -> None:
    """The peer sees the end, though no loop of ours runs any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        accepted: list[socket.socket] = []

        def serve() -> None:
            peer, _ = listener.accept()
            accepted.append(peer)
            peer.recv(4096)
            peer.sendall(GREETING)
            peer.recv(4096)
            for message in (ManagedAccounts("DU1"), NextValidId(1)):
                peer.sendall(frame(codec.encode(message, 176)))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        connection = unkept(config_of(listener.getsockname()[1]))
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(connection.connect())
        loop.close()
        thread.join()
        assert connection.is_connected()
        connection.disconnect()
        connection.disconnect()
        assert not connection.is_connected()
        accepted[0].settimeout(5)
        assert accepted[0].recv(4096) == b""
        accepted[0].close()
        del loop
        with pytest.warns(ResourceWarning):  # asyncio's own, for the transport that died with its loop
            del connection
            gc.collect()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # asyncio's own: a transport died with its loop
def test_one_connection_on_one_loop_after_another() -> None:
    """Two `asyncio.run` in one program: what hung on the first loop harms nothing on the second."""
    with TestServer() as port:
        connection = unkept(config_of(port))

        async def begin() -> None:
            assert await connection.connect()
            connection.request_positions()
            connection.request_contract(SPY)
            connection.stream_quotes(SPY)

        async def again() -> None:
            assert await connection.connect()
            assert connection.session == 2
            assert (await connection.request_current_time()).year == 2023
            connection.disconnect()
            await connection.wait_closed()

        asyncio.run(begin())
        asyncio.run(again())
        gc.collect()


def test_a_program_that_forgets_to_disconnect_leaves_no_open_socket() -> None:
    """At interpreter exit the peer sees a clean end, and the program prints no trace of its own."""
    program = """
import asyncio, sys
from tws.config import TWSConfig
from tws.connection import TWSConnection

async def main():
    connection = TWSConnection(TWSConfig(port=int(sys.argv[1])))
    assert await connection.connect()
    return connection

kept = asyncio.run(main())
"""

    async def run() -> None:
        async with RecorderServer() as server:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                program,
                str(server.port),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            _, errors = await process.communicate()
            await server.gone.wait()
            assert process.returncode == 0, errors
            assert b"Traceback" not in errors

    asyncio.run(run())


async def test_tws_cuts_the_line(sim: SimulatedTWS) -> None:
    connection = unkept(config_of(port_of(sim)))
    heard: list[str] = []
    connection.set_callbacks(
        on_connected=lambda: heard.append("on"), on_disconnected=lambda: heard.append("off")
    )
    lane = connection.facts()
    await connection.connect()
    sim.faults.mute = True
    waiting = connection.request_positions()
    quotes = connection.stream_quotes(SPY)
    sim.faults.cut()
    with pytest.raises(LinkLostError):
        await waiting
    with pytest.raises(LinkLostError):
        await anext(quotes)
    assert heard == ["on", "off"]
    assert not connection.is_connected()
    states = [fact.state for fact in lane.drain() if isinstance(fact, Link)]
    assert states == [LinkState.CONNECTED, LinkState.DOWN]
    sim.faults.mute = False
    assert await connection.connect() is True
    assert heard == ["on", "off", "on"]
    connection.disconnect()


async def test_what_is_open_at_exit_is_closed(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    await connection.connect()
    close_all()
    assert not connection.is_connected()
    await recorder.gone.wait()


async def test_small_frames_leave_at_once(recorder: RecorderServer) -> None:
    """Without TCP_NODELAY the second of two small requests waits 40 ms for an acknowledgement."""
    async with unkept(config_of(recorder.port)) as connection:
        link = connection._engine.wire.link
        assert link is not None and link._transport is not None
        ours = link._transport.get_extra_info("socket")
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_one_handshake_at_a_time() -> None:
    turns = Handshakes()
    assert await turns.begin("key", 5)
    assert await turns.begin("other", 5)
    second = asyncio.create_task(turns.begin("key", 5))
    await asyncio.sleep(0.01)
    assert not second.done()
    assert not await turns.begin("key", 0.01)
    turns.end("key")
    assert await second


async def test_a_handshake_that_died_with_its_loop_blocks_nobody() -> None:
    turns = Handshakes()
    dead = asyncio.new_event_loop()
    await asyncio.get_running_loop().run_in_executor(None, dead.run_until_complete, turns.begin("key", 60))
    dead.close()
    assert await turns.begin("key", 5)


async def test_two_connections_of_one_client_id_take_turns() -> None:
    """The second one dials only after the first one's handshake has ended."""
    open_now, most = 0, 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await reader.read(4096)
        await asyncio.sleep(0.05)
        writer.write(frame(b"76\x00x\x00"))  # refused: no such version
        await reader.read(4096)
        open_now -= 1

    async with Peer(serve) as peer:
        both = [unkept(config_of(peer.port)), unkept(config_of(peer.port))]
        assert await asyncio.gather(*(one.connect() for one in both)) == [False, False]
        assert (peer.dials, most) == (2, 1)


async def test_a_tws_that_stops_reading_does_not_hold_up_the_end(recorder: RecorderServer) -> None:
    connection = unkept(config_of(recorder.port))
    await connection.connect()
    recorder.clients[0].transport.pause_reading()
    while connection._engine.wire.link is not None and not connection._engine.wire.link.waiting:
        connection.official.conn.sendMsg(frame(b"0\x00" + b"x" * 30_000))
    connection.disconnect()
    await connection.wait_closed()
