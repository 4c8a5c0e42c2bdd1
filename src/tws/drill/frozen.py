"""A trader in a process of its own (`sleeper`), frozen while it holds, replaced as `tws kill` replaces it.

The process is suspended by the operating system, so nothing of it runs. The latch goes to disk first; then
the holder of the lease is ended, its client id is taken, and the journal says what is ours.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil

from tws.drill.stage import OPERATOR, Stage
from tws.runtime.place import Note
from tws.runtime.stopping import StopWish, latch_file
from tws.runtime.takeover import end_holder, take_over

__all__ = ["frozen_trader"]

ANSWER_S = 8.0
"""What the stop itself gets, as from `tws kill`."""


async def frozen_trader(folder: Path) -> Stage:
    """Play it."""
    async with Stage(folder) as stage:
        words = [sys.executable, "-m", "tws.drill.sleeper", str(folder), str(stage.port)]
        path = os.pathsep.join(filter(None, sys.path))
        child = await asyncio.to_thread(subprocess.Popen, words, env={**os.environ, "PYTHONPATH": path})
        try:
            await stage.until(lambda: stage.held() == 100 and len(stage.ours("SPY")) == 2, "a held position")
            psutil.Process(child.pid).suspend()
            wish = StopWish(operator=OPERATOR, reason="trader frozen", flatten=True)
            latch_file(stage.safety, wish, stage.tws.now_ns())
            ended = await asyncio.to_thread(end_holder, stage.safety)
            stage.notes.append(ended)
            answer = await take_over(_note(stage, folder), stage.safety, wish, ANSWER_S)
            stage.notes.append(answer.sentences[0])
            stage.check(answer.flat, f"it answered {answer.sentences[0]}")
            stage.is_flat()
            stage.check(stage.safety.latched, "no latch is on disk")
        finally:
            child.kill()
            await asyncio.to_thread(child.wait)
    return stage


def _note(stage: Stage, folder: Path) -> Note:
    return Note(pid=0, host="127.0.0.1", port=stage.port, client_id=1, account="", trading_mode="paper",
                journal=str(folder / "journal.sqlite3"))
