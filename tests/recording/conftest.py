"""A simulated TWS, and a proxy before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.recording.peer import ACCOUNTS

from tws.recording import Proxy, ProxyOptions
from tws.simulator import SimulatedTWS, SimulatorOptions


@pytest.fixture
async def broker() -> AsyncIterator[SimulatedTWS]:
    served = SimulatedTWS(SimulatorOptions(accounts=ACCOUNTS, paused=True, seed=3))
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
def simulator(broker: SimulatedTWS) -> int:
    return broker.port


@pytest.fixture
async def proxy(simulator: int, tmp_path: Path) -> AsyncIterator[tuple[Proxy, int]]:
    made = Proxy(ProxyOptions(path=tmp_path / "session.jsonl", tws_port=simulator, port=0))
    _, port = await made.start()
    yield made, port
    await made.stop()
