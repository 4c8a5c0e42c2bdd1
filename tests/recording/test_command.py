"""`tws record` and `tws replay` as processes: one session recorded, served, and departed from."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest
from tests.recording.peer import Peer

from tws.wire.messages import ContractDataEnd, ContractDataRequest, WireContract

TWS = (sys.executable, "-c", "from tws.cli.app import main; main()")


async def listening(*arguments: str) -> tuple[asyncio.subprocess.Process, int]:
    """A command that has said where it listens, and that port."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*TWS, *arguments, stdout=pipe, stderr=pipe)
    assert process.stdout is not None and process.stderr is not None
    said = process.stderr if "--json" in arguments else process.stdout
    line = (await said.readline()).decode()
    return process, int(line.split(":")[1].split(",")[0])


async def ask(port: int, symbol: str) -> Peer:
    peer = await Peer(port).open()
    peer.send(ContractDataRequest(7, WireContract(symbol=symbol, sec_type="STK", exchange="SMART")))
    return peer


@pytest.mark.skipif(sys.platform == "win32", reason="a console process can't be interrupted alone there")
async def test_recorded_served_and_departed_from(simulator: int, tmp_path: Path) -> None:
    file = str(tmp_path / "s.jsonl")
    process, port = await listening("record", file, "--port", "0", "--tws-port", str(simulator))
    peer = await ask(port, "SPY")
    await peer.until(ContractDataEnd)
    await peer.close()
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"1 sessions" in out

    process, port = await listening("replay", file, "--port", "0", "--json")
    peer = await ask(port, "SPY")
    await peer.until(ContractDataEnd)
    await peer.close()
    out, _ = await process.communicate()
    assert (process.returncode, json.loads(out)) == (0, {"sessions": 1, "departures": []})

    process, port = await listening("replay", file, "--port", "0", "--json")
    peer = await ask(port, "QQQ")
    await peer.at_end()
    await peer.close()
    out, _ = await process.communicate()
    (departure,) = json.loads(out)["departures"]
    assert process.returncode == 1
    assert departure["came"] == "with contract.symbol='QQQ'"
