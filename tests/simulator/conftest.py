"""Simulators and clients that end with their test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start

from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.wire import codec


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a simulator with these options; it is stopped at the end."""
    running: list[SimulatedTWS] = []

    async def make(**options: Any) -> SimulatedTWS:
        simulator = SimulatedTWS(SimulatorOptions(**options))
        running.append(simulator)
        simulator.address = await simulator.start()  # type: ignore[attr-defined]
        return simulator

    yield make
    for simulator in running:
        await simulator.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """A started session on a simulator."""
    clients: list[Client] = []

    async def make(
        simulator: SimulatedTWS,
        client_id: int = 1,
        *,
        handshake: bool = True,
        version: int = codec.MAX_VERSION,
    ) -> Client:
        host, port = simulator.address  # type: ignore[attr-defined]
        client = Client(*await asyncio.open_connection(host, port), client_id, version)
        clients.append(client)
        if handshake:
            client.writer.write(client.session.start())
        return client

    yield make
    for client in clients:
        client.writer.close()
