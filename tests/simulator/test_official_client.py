"""The official client 10.46, with its own socket and threads in a process of its own, sees every step of
its script.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from tests.simulator.client import Start

SCRIPT = Path(__file__).resolve().parents[1] / "clients" / "official.py"


@pytest.mark.parametrize("version", [157, 178, 200, 203, 206, 213, 225])
async def test_every_step_of_the_official_client(start: Start, version: int) -> None:
    simulator = await start(speed=20.0, server_version=version)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(simulator.address[1]),  # type: ignore[attr-defined]
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)  # fmt: skip
    output, _ = await process.communicate()
    text = output.decode(errors="replace")
    assert process.returncode == 0, text
    assert f"all steps seen, server version {version}" in text
