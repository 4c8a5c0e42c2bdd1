"""`tws certify` as somebody types it: exit codes, output, what it refuses before it dials."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

from tests.certify.conftest import Start

PROGRAM = (sys.executable, "-c", "from tws.cli.app import main; main()", "certify")


class Ran(NamedTuple):
    code: int | None
    out: str
    err: str


async def ran(folder: Path, *words: str) -> Ran:
    """The command in a folder of its own, with no TWS in its environment."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *words, cwd=folder, env=env | {"PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return Ran(process.returncode, out.decode(), err.decode())


async def test_alike_is_0_and_differing_is_1(start: Start, tmp_path: Path) -> None:
    tws = await start()
    words = ("--port", str(tws.port), "--only", "cancel of data", "--patience", "1")
    done = await ran(tmp_path, *words, "--out", "one")
    assert done.code == 0, done.out + done.err
    assert "cancel of data that nobody asked for: 300" in done.out
    assert "same\n1 played, 0 differ, 0 not played\npack: " in done.out

    assert (tmp_path / "one.zip").is_file()
    tws.faults.play("answer-error", request="CancelMarketData", code=301)
    done = await ran(tmp_path, *words, "--json")
    assert done.code == 1, done.out + done.err
    report = json.loads(done.out)
    assert report["verdict"] == "differs"
    assert (tmp_path / report["pack"]).is_file()


async def test_what_can_not_be_played_is_2(start: Start, tmp_path: Path) -> None:
    live = await ran(tmp_path, "--port", "7496", "--orders")
    assert (live.code, "port 7496 is one of live trading" in live.err) == (2, True), live.err
    assert list(tmp_path.iterdir()) == [], "no pack of nothing"
    tws = await start()
    unasked = await ran(tmp_path, "--port", str(tws.port), "--only", "a stop rests")
    assert unasked.code == 2, unasked.out
    assert "orders were not allowed (--orders)" in unasked.out
    assert not tws.exchange.completed_orders(), "neither a terminal nor the option has said yes"
