"""The scene of each test, and the proof that nothing of it is left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import Scene, until


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    before: set[asyncio.Task[Any] | None] = {*asyncio.all_tasks()}
    made = Scene(tmp_path)
    await made.open()
    yield made
    await made.close()
    before = before | {asyncio.current_task()}  # the fixture's end has a task of its own
    await until(lambda: asyncio.all_tasks() <= before, "the end of every task")


@pytest.fixture
async def fly(scene: Scene, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Makes runs on the scene, and ends what a test left flying."""
    flights: list[Flight] = []

    async def make(section: str = "", more: str = "", source: str = "", **how: Any) -> Flight:
        flight = Flight(scene, tmp_path, section, more, source, **how)
        flights.append(flight)
        return await flight.up()

    yield make
    for flight in flights:
        if hasattr(flight, "going"):
            await flight.close()
