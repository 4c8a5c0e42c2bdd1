"""What an examination does beyond naming one cause (test_causes.py): its order, its manners, its report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.doctor.scene import (
    NO_TWS_HERE,
    UNREADABLE,
    by_hand,
    config,
    free_port,
    keys,
    listener,
    simulated,
    warned,
)

from tws.config import TWSConfig
from tws.connection import TWSConnection
from tws.monitor.doctor import Outcome
from tws.monitor.doctor.examine import Tools, diagnose
from tws.monitor.doctor.listeners import SocketTable
from tws.monitor.doctor.report import ListenerSeen
from tws.monitor.doctor.session import Session, open_session

# -- no session


async def test_where_the_table_cannot_be_read_the_dial_tells() -> None:
    report = await diagnose(config(free_port()), UNREADABLE)
    assert keys(report) == ["refused"]
    assert [step.outcome for step in report.steps if step.stage == "listener"] == [Outcome.SKIPPED]


async def test_the_well_known_port_of_another_mode_is_named_by_the_table() -> None:
    other = ListenerSeen(address="::", port=7496, process="tws.exe", pid=77)
    tools = replace(NO_TWS_HERE, table=lambda: SocketTable(True, "", (other,)))
    report = await diagnose(config(free_port()), tools)
    assert keys(report) == ["other_port"]
    assert "tws.exe, pid 77 listens on 7496" in report.findings[0].cause
    assert "--port 7496" in report.findings[0].cure


async def test_a_table_that_is_wrong_is_overruled_by_a_session() -> None:
    """A forwarded port (containers, WSL) is in no table, and works."""
    async with simulated() as (_, port):
        report = await diagnose(config(port), Tools(table=lambda: SocketTable(True)))
    assert keys(report) == []


async def test_a_listener_that_never_answers() -> None:
    said: list[bytes] = []

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await reader.read(1000))
        await reader.read()

    async with listener(deaf) as port:
        report = await diagnose(config(port, connection_timeout=1.5))
        assert keys(report) == ["silent"]
        assert "Accept incoming connection" in report.findings[0].cure
        assert f"pid {report.listeners[0].pid}" in report.findings[0].cause
    # One connection, and a whole handshake in it: TWS never meets a bare probe.
    assert len(said) == 1
    assert said[0].startswith(b"API\0") and b"v157..225" in said[0]


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
        report = await diagnose(config(port, connection_timeout=1.5))
    assert keys(report) == [key]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("1100·Lost",), ["broker_lost"]),
        (("1100·Lost", "1102·Back"), []),
        (("2110·Broken",), ["broker_lost"]),
        (("2103·farm connection is broken:usfarm", "2104·farm connection is OK:usfarm"), []),
        (("2103·farm connection is broken:usfarm", "2104·farm connection is OK:eufarm"), ["farm_broken"]),
        (("2105·farm connection is broken:ushmds", "2107·upon demand.ushmds"), []),
        (("1100·Lost", "2103·farm connection is broken:usfarm"), ["broker_lost"]),
        (("2104·farm connection is OK:usfarm",), []),
    ],
)
async def test_the_last_word_on_the_link_to_ib_counts(words: tuple[str, ...], expected: list[str]) -> None:
    """The bytes of TWS-BEHAVIOUR.md A2 and A6, said by hand."""
    notices = [f"4·2·-1·{word}··" for word in words]
    async with listener(by_hand(*notices)) as port:
        assert keys(await diagnose(config(port, client_id=0))) == expected


# -- a simulated TWS


async def test_healthy() -> None:
    async with simulated(accounts=("DU1234567", "DU7654321")) as (_, port):
        report = await diagnose(config(port, account_id="DU7654321"))
    assert keys(report) == []
    assert report.session is not None
    assert (report.session.server_version, report.session.read_only) == (225, False)
    assert report.session.accounts == ("DU*****67", "DU*****21")
    assert report.target.account == "DU*****21"
    # Each once: in the half hour before a reset and a restart the calendar has a step for both.
    assert list(dict.fromkeys(step.stage for step in report.steps if step.stage != "time zone")) == [
        "configuration", "packages", "listener", "memory", "connection", "clock", "account", "orders",
        "data", "settings", "farms", "calendar",
    ]  # fmt: skip
    assert [(seen.symbol, seen.kind, seen.code) for seen in report.data] == [("SPY", "live", None)]
    assert report.settings is not None and report.settings.auto_restart is True
    assert "daily restart of TWS" in {pause.what for pause in report.pauses}
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
        report = await diagnose(config(port, connection_timeout=2.0))
    assert keys(report) == ["client_id_in_use"]
    assert "client id 41" in report.findings[0].cause
    assert "--client-id 43" in report.findings[0].cure
    assert report.session is not None and report.session.client_id == 43
    stages = [step.stage for step in report.steps]
    assert stages[stages.index("connection: start") :][:3] == ["connection: start", "connection", "clock"]


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
            assert bool(report.data) == (client_id != 0)


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


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_off_is_a_warning_and_no_cause(hours: int) -> None:
    wrong = datetime.now(UTC) + timedelta(hours=hours)
    async with simulated() as (_, port):
        report = await diagnose(config(port), Tools(now_ns=lambda: int(wrong.timestamp()) * 10**9))
    assert keys(report) == []
    assert report.session is not None and report.session.time_skew_s is not None
    assert round(report.session.time_skew_s / 3600) == hours
    assert "clock_skew" in warned(report)
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
