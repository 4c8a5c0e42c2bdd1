"""What the doctor's tests share: configurations, simulated TWSs, rude listeners, and a TWS said by hand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from tws.config import TWSConfig
from tws.monitor.doctor import Report
from tws.monitor.doctor.examine import Tools
from tws.monitor.doctor.listeners import SocketTable, read_table
from tws.simulator import SimulatedTWS, SimulatorOptions

UNREADABLE = Tools(table=lambda: SocketTable(False, "not here"))


def own_table() -> SocketTable:
    """Nobody listens but the test."""
    seen = read_table()
    own = tuple(each for each in seen.listeners if each.pid == os.getpid())
    return SocketTable(seen.whole, seen.why, own, seen.links)


NO_TWS_HERE = Tools(table=own_table, processes=lambda: (), wsl_processes=lambda: ())
"""The machine that runs the tests may have a TWS of its own, a simulated one, or WSL."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def config(port: int, **changes: object) -> TWSConfig:
    plain = TWSConfig(port=port, client_id=41, connection_timeout=60.0, request_timeout=60.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def keys(report: Report) -> list[str]:
    """The causes that were found; every text of the report is whole."""
    assert report.healthy == (not report.findings and report.session is not None)
    for finding in report.findings + report.warnings:
        assert "{" not in finding.cause + finding.cure
        assert finding.cause and finding.cure
    return [finding.key for finding in report.findings]


def warned(report: Report) -> set[str]:
    return {warning.key for warning in report.warnings}


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


def frames(*payloads: str) -> bytes:
    """Text payloads as TWS sends them, `·` for NUL."""
    parts = [payload.replace("·", "\0").encode("ascii") for payload in payloads]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def by_hand(*notices: str, time_after_s: float = 0.0) -> Handler:
    """A TWS of version 176 that answers time and open orders, and nothing else (TWS-BEHAVIOUR.md A2)."""

    async def tws(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(frames("176·20260101 00:00:00 EST·"))
        await reader.read(1000)
        writer.write(frames("15·1·DU1234567·", "9·1·7·", *notices))
        while request := await reader.read(1000):
            number = request[4:].split(b"\0")[0]
            if number == b"49":
                await asyncio.sleep(time_after_s)
                writer.write(frames(f"49·1·{int(datetime.now(UTC).timestamp())}·"))
            elif number == b"5":
                writer.write(frames("53·1·"))

    return tws
