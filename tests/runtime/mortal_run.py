"""A run in a process of its own, that is to be killed.

    python mortal_run.py CONFIGURATION STATE-FOLDER JOURNAL

It says `trading` when it is, and goes on until its death.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tws.config import load_settings
from tws.runtime.plan import plan_run
from tws.runtime.run import Run


async def _fly(file: Path, state: Path, journal: Path) -> None:
    run = Run(plan_run(load_settings(file), file, state, journal))
    await run.go(on_ready=lambda trader: print("trading", flush=True))


if __name__ == "__main__":
    asyncio.run(_fly(*(Path(word) for word in sys.argv[1:])))
