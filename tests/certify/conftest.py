"""A TWS to certify: a simulated one behind a real socket, which is taken for somebody's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tws.certify.run import EVERYTHING, CertifyOptions, certify
from tws.connection import PacingOptions
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions

Start = Callable[..., Awaitable[SimulatedTWS]]
Play = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a TWS with these options; it is stopped at the end."""
    running: list[SimulatedTWS] = []

    async def make(**options: Any) -> SimulatedTWS:
        made = {
            "limits": Limits.off(),
            "subscriptions": EVERYTHING,
            "speed": 20.0,
            "seed": 11,
            "symbols": ("SPY", "AAPL", "MSFT", "NVDA"),
        } | options
        simulator = SimulatedTWS(SimulatorOptions(**made))
        running.append(simulator)
        await simulator.start()
        return simulator

    yield make
    await asyncio.gather(*(simulator.stop() for simulator in running))


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Certify a TWS; answers the report's data."""

    async def certified(tws: SimulatedTWS, *only: str, **options: Any) -> dict[str, Any]:
        made = {
            "folder": tmp_path / f"pack-{tws.port}",
            "patience_s": 5.0,
            "orders": True,
            "pacing": PacingOptions.off(),
        } | options
        wanted = CertifyOptions(port=tws.port, only=only, **made)
        return await certify(wanted, lambda: datetime(2026, 1, 5, tzinfo=UTC), lambda *told: None)

    return certified


def differing(report: dict[str, Any]) -> dict[str, list[str]]:
    """What differs, by scenario: kind and text of each difference."""
    return {
        row["name"]: [f"{each['what']}: {each['text']}" for each in row["differences"]]
        for row in report["scenarios"]
        if row["verdict"] == "differs"
    }
