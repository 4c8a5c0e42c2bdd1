"""The doctor against real sockets: nothing, deaf, rude and foreign listeners, simulated TWSs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tws.config import TWSConfig
from tws.connection import TWSConnection
from tws.monitor.doctor import Outcome, Report
from tws.monitor.doctor.dialogue import Session, open_session
from tws.monitor.doctor.examine import Tools, diagnose
from tws.monitor.doctor.listeners import SocketTable
from tws.monitor.doctor.report import ListenerSeen
from tws.simulator import SimulatedTWS, SimulatorOptions

UNREADABLE = Tools(table=lambda: SocketTable(False, "not here"))


def config(port: int, **changes: object) -> TWSConfig:
    plain = TWSConfig(port=port, client_id=41, connection_timeout=5.0, request_timeout=5.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def keys(report: Report) -> list[str]:
    assert report.healthy == (not report.findings and report.session is not None)
    for finding in report.findings:
        assert "{" not in finding.cause + finding.cure
        assert finding.cause and finding.cure
    return [finding.key for finding in report.findings]


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listener(handle: Handler) -> AsyncIterator[int]:
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def simulated(**options: object) -> AsyncIterator[tuple[SimulatedTWS, int]]:
    simulator = SimulatedTWS(SimulatorOptions(symbols=("SPY",), **options))  # type: ignore[arg-type]
    _, port = await simulator.start()
    try:
        yield simulator, port
    finally:
        await simulator.stop()


# -- no session


async def test_nothing_listens() -> None:
    report = await diagnose(config(free_port()))
    assert keys(report) == ["nothing_listens"]
    assert "Enable ActiveX and Socket Clients" in report.findings[0].cure
    assert report.session is None


async def test_nothing_listens_here_but_tws_does_on_its_other_port() -> None:
    other = ListenerSeen(address="::", port=7496, process="tws.exe", pid=77)
    tools = Tools(table=lambda: SocketTable(True, "", (other,)))
    report = await diagnose(config(free_port()), tools)
    assert keys(report) == ["nothing_listens"]
    assert "tws.exe, pid 77 listens on 7496" in report.findings[0].cause


async def test_where_the_table_cannot_be_read_the_dial_tells() -> None:
    report = await diagnose(config(free_port()), UNREADABLE)
    assert keys(report) == ["refused"]
    assert [step.outcome for step in report.steps if step.stage == "listener"] == [Outcome.SKIPPED]


async def test_a_table_that_is_wrong_is_overruled_by_a_session() -> None:
    """A forwarded port (containers, WSL) is in no table, and works."""
    async with simulated() as (_, port):
        report = await diagnose(config(port), Tools(table=lambda: SocketTable(True)))
    assert keys(report) == []


async def test_an_unknown_name() -> None:
    async def resolve(host: str) -> tuple[str, ...]:
        raise socket.gaierror(-2, "Name or service not known")

    report = await diagnose(config(7497, host="no-such-host.invalid"), Tools(resolve=resolve))
    assert keys(report) == ["name_unknown"]


async def test_a_listener_that_never_answers() -> None:
    said: list[bytes] = []

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await reader.read(1000))
        await reader.read()

    async with listener(deaf) as port:
        report = await diagnose(config(port, connection_timeout=0.5))
        assert keys(report) == ["silent"]
        assert "Accept incoming connection" in report.findings[0].cure
        assert f"pid {report.listeners[0].pid}" in report.findings[0].cause
    # One connection, and a whole handshake in it: TWS never meets a bare probe.
    assert len(said) == 1
    assert said[0].startswith(b"API\0") and b"v157..225" in said[0]


async def test_a_listener_that_closes_at_once() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return

    async with listener(rude) as port:
        report = await diagnose(config(port))
    assert keys(report) == ["closed_at_once"]
    assert "Trusted IPs" in report.findings[0].cure


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "not_tws"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not_tws"),
        (b"\0\0\0\5hello", "silent"),  # a frame, but no reply: clients wait for the next one (A1)
    ],
)
async def test_something_that_is_no_tws(answer: bytes, key: str) -> None:
    async def foreign(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        await reader.read()

    async with listener(foreign) as port:
        report = await diagnose(config(port, connection_timeout=0.5))
    assert keys(report) == [key]


async def test_a_version_too_old() -> None:
    async def ancient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        payload = b"100\x0020260101 00:00:00 EST\x00"
        writer.write(len(payload).to_bytes(4, "big") + payload)
        await reader.read()

    async with listener(ancient) as port:
        report = await diagnose(config(port))
    assert keys(report) == ["version"]


async def test_a_version_agreed_and_no_session() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        payload = b"176\x0020260101 00:00:00 EST\x00"
        writer.write(len(payload).to_bytes(4, "big") + payload)
        await reader.read()

    async with listener(half) as port:
        report = await diagnose(config(port, connection_timeout=0.5))
    assert keys(report) == ["no_session"]


def frames(*payloads: str) -> bytes:
    parts = [payload.replace("·", "\0").encode("ascii") for payload in payloads]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


@pytest.mark.parametrize(
    ("codes", "expected"), [((1100,), ["broker_lost"]), ((1100, 1102), []), ((2104,), [])]
)
async def test_a_tws_that_lost_its_broker(codes: tuple[int, ...], expected: list[str]) -> None:
    """The bytes of TWS-BEHAVIOUR.md A2 and A6, said by hand."""

    async def tws(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(frames("176·20260101 00:00:00 EST·"))
        await reader.read(1000)
        notices = [f"4·2·-1·{code}·Connectivity, says TWS··" for code in codes]
        writer.write(frames("15·1·DU1234567·", "9·1·7·", *notices))
        while request := await reader.read(1000):
            known = {b"49": f"49·1·{int(datetime.now(UTC).timestamp())}·", b"5": "53·1·"}
            writer.write(frames(known[request[4:].split(b"\0")[0]]))

    async with listener(tws) as port:
        assert keys(await diagnose(config(port))) == expected


# -- a simulated TWS


async def test_healthy() -> None:
    async with simulated(accounts=("DU1234567", "DU7654321")) as (_, port):
        report = await diagnose(config(port, account_id="DU7654321"))
    assert keys(report) == []
    assert report.session is not None
    assert (report.session.server_version, report.session.read_only) == (225, False)
    assert report.session.accounts == ("DU*****67", "DU*****21")
    assert report.target.account == "DU*****21"
    assert [step.stage for step in report.steps] == [
        "configuration", "packages", "listener", "connection", "clock", "account", "orders",
    ]  # fmt: skip
    assert {seen.name: bool(seen.version and seen.origin) for seen in report.packages} == {
        "ibapi": True,
        "protobuf": True,
    }
    assert report.listeners[0].port == port and report.listeners[0].pid


async def test_it_leaves_nothing_behind_and_keeps_its_id_free() -> None:
    async with simulated() as (_, port):
        for _ in range(2):
            assert keys(await diagnose(config(port))) == []


async def test_a_client_id_in_use_is_named_with_a_free_one_and_the_rest_is_examined() -> None:
    async with (
        simulated() as (_, port),
        TWSConnection(config(port)),
        TWSConnection(config(port, client_id=42)),
    ):
        report = await diagnose(config(port, connection_timeout=1.0))
    assert keys(report) == ["client_id_in_use"]
    assert "client id 41" in report.findings[0].cause
    assert "--client-id 43" in report.findings[0].cure
    assert report.session is not None and report.session.client_id == 43
    assert [step.stage for step in report.steps][-5:] == [
        "connection: start",
        "connection",
        "clock",
        "account",
        "orders",
    ]


async def test_read_only() -> None:
    async with simulated(read_only=True) as (_, port):
        report = await diagnose(config(port))
    assert keys(report) == ["read_only"]
    assert "Read-Only API" in report.findings[0].cure
    assert report.session is not None and report.session.read_only is True


async def test_client_id_0_asks_no_question_that_would_bind_manual_orders() -> None:
    asked: list[str] = []

    def spying(config: TWSConfig) -> Session:
        connection = open_session(config)
        real = connection.request_open_orders

        def noted() -> Awaitable[object]:
            asked.append("open orders")
            return real()

        connection.request_open_orders = noted  # type: ignore[method-assign]
        return connection

    async with simulated() as (_, port):
        for client_id, expected in ((0, []), (5, ["open orders"])):
            report = await diagnose(config(port, client_id=client_id), Tools(open_session=spying))
            assert keys(report) == []
            assert asked == expected


async def test_an_account_of_another_login() -> None:
    async with simulated() as (_, port):
        report = await diagnose(config(port, account_id="DU9999999"))
    assert keys(report) == ["account_mismatch"]
    assert "DU9999999" not in str(report)


async def test_a_live_login_where_paper_is_meant_and_the_other_way_round() -> None:
    async with simulated(accounts=("U1234567",)) as (_, port):
        report = await diagnose(config(port))
        assert keys(report) == ["mode_mismatch"]
        assert keys(await diagnose(config(port, trading_mode="live"))) == []
    async with simulated() as (_, port):
        assert keys(await diagnose(config(port, trading_mode="live"))) == ["mode_mismatch"]


@pytest.mark.parametrize(("port", "mode"), [(7496, "paper"), (4001, "paper"), (7497, "live"), (4002, "live")])
async def test_a_port_of_the_other_mode_is_named_and_still_examined(port: int, mode: str) -> None:
    """The session itself goes to a simulator: these ports may have a real owner on the machine that tests."""
    async with simulated() as (_, real):

        def elsewhere(config: TWSConfig) -> Session:
            return open_session(replace(config, port=real, trading_mode="paper"))

        report = await diagnose(config(port, trading_mode=mode), Tools(open_session=elsewhere))
    assert keys(report)[0] == "wrong_port_for_mode"
    assert report.session is not None


async def test_a_tws_that_hangs_in_the_session() -> None:
    async with simulated() as (simulator, port):

        def muting(config: TWSConfig) -> Session:
            connection = open_session(config)
            real = connection.request_current_time

            def mute() -> Awaitable[object]:
                simulator.faults.mute = True
                return real()

            connection.request_current_time = mute  # type: ignore[method-assign]
            return connection

        report = await diagnose(config(port, request_timeout=0.3), Tools(open_session=muting))
    assert keys(report) == ["no_answer"]
    assert report.findings[0].stage == "clock"


async def test_a_session_that_is_cut_is_named() -> None:
    async with simulated() as (simulator, port):

        def cutting(config: TWSConfig) -> Session:
            connection = open_session(config)
            real = connection.request_current_time

            def cut() -> Awaitable[object]:
                reply = real()
                simulator.faults.cut()
                return reply

            connection.request_current_time = cut  # type: ignore[method-assign]
            return connection

        report = await diagnose(config(port), Tools(open_session=cutting))
    assert keys(report) == ["no_answer"]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_off_is_a_note_and_no_cause(hours: int) -> None:
    wrong = datetime.now(UTC) + timedelta(hours=hours)
    async with simulated() as (_, port):
        report = await diagnose(config(port), Tools(now_ns=lambda: int(wrong.timestamp()) * 10**9))
    assert keys(report) == []
    assert report.session is not None and report.session.time_skew_s is not None
    assert round(report.session.time_skew_s / 3600) == hours
    assert [step.outcome for step in report.steps if step.stage == "clock"] == [Outcome.NOTE]


async def test_no_order_leaves_through_the_session_of_the_doctor() -> None:
    from decimal import Decimal

    from tws.errors import TWSError
    from tws.model.contract import stock
    from tws.model.order import Order, Side

    async with simulated() as (simulator, port):
        connection = open_session(config(port))
        assert isinstance(connection, TWSConnection)
        assert await connection.connect()
        with pytest.raises(TWSError):
            connection.place_order(stock("SPY"), Order(side=Side.BUY, quantity=Decimal(1)))
        await connection.request_current_time()
        assert not list(simulator.exchange.open_orders())
        connection.disconnect()
        await connection.wait_closed()
