"""A simulated TWS for what TWS does, a bare recorder (peers.py) for what our bytes are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.connection.peers import RecorderServer, config_of, port_of

from tws.connection import PacingOptions, TWSConnection
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "guard.sqlite3"


@pytest.fixture
async def recorder() -> AsyncIterator[RecorderServer]:
    async with RecorderServer() as server:
        yield server


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedTWS]:
    """A simulated TWS whose market stands still until a test moves it."""
    server = SimulatedTWS(SimulatorOptions(paused=True, symbols=("SPY", "AAPL")))
    server.address = await server.start()  # type: ignore[attr-defined]
    yield server
    await server.stop()


@pytest.fixture
async def connection(sim: SimulatedTWS, journal: Path) -> AsyncIterator[TWSConnection]:
    async with TWSConnection(config_of(port_of(sim)), journal=journal) as made:
        yield made


@pytest.fixture(params=[176, 200, 225])
async def tws(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedTWS]:
    """The same at three server versions: two that speak text, and protobuf. It paces nobody, since a test
    asks in a second what a program asks in a minute.
    """
    options = SimulatorOptions(paused=True, server_version=request.param, limits=Limits.off())
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    yield server
    await server.stop()


@pytest.fixture
async def client(tws: SimulatedTWS, journal: Path) -> AsyncIterator[TWSConnection]:
    """A connection to `tws`, which keeps no pace either."""
    options = {"journal": journal, "pacing": PacingOptions.off()}
    async with TWSConnection(config_of(port_of(tws)), **options) as made:
        yield made
