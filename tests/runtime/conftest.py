"""The scene of each test, and the proof that nothing of it is left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
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
