"""Causes between the dial and the open session."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest
from tests.doctor.cases import case
from tests.doctor.scene import UNREADABLE, config, frames, free_port, listener, simulated
from tests.simulator.scene import until

from tws.connection import TWSConnection
from tws.monitor.doctor import Report
from tws.monitor.doctor.examine import diagnose
from tws.monitor.doctor.listeners import half_closed, read_table


@case("refused")
async def the_table_cannot_be_read(tmp: Path) -> Report:
    return await diagnose(config(free_port()), UNREADABLE)


@case("unreachable")
async def an_address_to_which_no_way_leads(tmp: Path) -> Report:
    """TCP has no broadcast: the system refuses before a packet leaves."""
    return await diagnose(config(7497, host="255.255.255.255"))


@case("no_reply")
async def a_dial_that_is_swallowed(tmp: Path) -> Report:
    """A full queue of a listener that accepts nobody drops what comes, as a firewall does."""
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems refuse when the queue is full")
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        return await diagnose(config(full.getsockname()[1], connection_timeout=1.5))


@case("too_many_clients")
async def the_thirty_third_client(tmp: Path) -> Report:
    async with simulated() as (simulator, port):
        others = [await asyncio.open_connection("127.0.0.1", port) for _ in range(32)]
        await until(lambda: len(simulator.sessions) == 32)
        report = await diagnose(config(port))
        for _, writer in others:
            writer.close()
        return report


@case("silent")
async def a_dialog_asks_whether_to_accept(tmp: Path) -> Report:
    async with simulated(trusted=(), localhost_only=False) as (_, port):
        return await diagnose(config(port, connection_timeout=1.5))


@case("silent")
async def nobody_answers_the_dialog(tmp: Path) -> Report:
    async with simulated() as (simulator, port):
        simulator.faults.play("accept-dialog")
        return await diagnose(config(port, connection_timeout=1.5))


@case("wedged")
async def a_bare_probe_has_wedged_it(tmp: Path) -> Report:
    """It holds the probe's socket and reads nobody (TWS-BEHAVIOUR.md A5, INS#386)."""

    over = asyncio.Event()

    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with listener(stuck) as port:
        await half_close(port)
        report = await diagnose(config(port, connection_timeout=1.5))
        over.set()
        return report


async def half_close(port: int) -> None:
    """A bare probe that goes, as this machine's table then shows it."""
    _, probe = await asyncio.open_connection("127.0.0.1", port)
    probe.close()
    await probe.wait_closed()
    await until(lambda: half_closed(read_table(), port) > 0)


@case("closed_at_once")
async def this_address_is_not_trusted(tmp: Path) -> Report:
    async with simulated(trusted=()) as (_, port):
        return await diagnose(config(port))


@case("not_tws")
async def a_web_server(tmp: Path) -> Report:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with listener(web) as port:
        return await diagnose(config(port))


@case("version")
async def a_tws_of_long_ago(tmp: Path) -> Report:
    async def ancient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(frames("100·20260101 00:00:00 EST·"))
        await reader.read()

    async with listener(ancient) as port:
        return await diagnose(config(port))


@case("client_id_in_use")
async def another_program_has_the_id(tmp: Path) -> Report:
    async with simulated() as (_, port), TWSConnection(config(port)):
        report = await diagnose(config(port, connection_timeout=2.0))
        assert "connected now: " in report.findings[0].cause
        assert report.session is not None and report.session.client_id == 42
        return report


@case("client_id_zombie")
async def a_dead_program_has_the_id(tmp: Path) -> Report:
    async with simulated() as (simulator, port):
        simulator.faults.play("zombie-id", client=41, lasts="")
        report = await diagnose(config(port, connection_timeout=2.0))
        assert report.session is not None and report.session.client_id == 42
        return report


@case("no_session")
async def the_login_is_not_finished(tmp: Path) -> Report:
    async with simulated() as (simulator, port):
        simulator.faults.play("silent-start")
        return await diagnose(config(port, connection_timeout=1.5))


@case("unexpected")
async def this_very_program_is_dialling_already(tmp: Path) -> Report:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listener(deaf) as port:
        other = TWSConnection(config(port, connection_timeout=60.0))
        dialling = asyncio.create_task(other.connect())
        await asyncio.sleep(0)
        report = await diagnose(config(port, connection_timeout=1.0))
        other.disconnect()
        await dialling
        return report
