"""A simulated TWS for one script, and the script as a process of its own, bounded in time.

The market is the synthetic one, from the same instant with the same seed: Monday at 10:00 in New York. What
a scene wants of the TWS stands in `scenes.Scene`, its trouble in a file of `examples/moving/faults`, so that
a user can play the same by hand (`tws sim --faults FILE`).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.migration.scenes import REFUSED, SCRIPTS, Scene

from tws.clock import NS_PER_S
from tws.simulator import SimulatedTWS, SimulatorOptions

__all__ = ["Ended", "perform"]

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
SRC = Path(__file__).resolve().parents[2] / "src"


class Ended(NamedTuple):
    """What a script left behind, and the line that would have been right, by the broker's books.

    `code` is None when the script was still running at its bound, and was ended.
    """

    code: int | None
    out: list[str]
    err: list[str]
    truth: str
    took_s: float

    @property
    def said(self) -> str:
        """What the user reads last: the last line of a script that ended well, the exception of another."""
        lines = self.out if self.code == 0 or not self.err else self.err
        return lines[-1] if lines else ""

    @property
    def is_right(self) -> bool:
        """Whether that agrees with the broker."""
        if self.truth.startswith(REFUSED):
            return self.code == 1 and self.truth.removeprefix(REFUSED) in self.said
        return self.code == 0 and self.said == self.truth


async def perform(scene: Scene, command: Sequence[str]) -> Ended:
    """Run a program, which gets the port as its last argument, against the scene's TWS."""
    simulator = SimulatedTWS(
        SimulatorOptions(
            start_ns=int(START.timestamp()) * NS_PER_S,
            hours="exchange",
            speed=scene.speed,
            updates_per_s=4,
        )
    )
    _, port = await simulator.start()
    begun = time.monotonic()
    try:
        if scene.faults:
            simulator.faults.load(SCRIPTS / "faults" / f"{scene.faults}.toml")
        code, out, err = await _run([*command, str(port)], scene.bound_s)
        return Ended(code, out, err, scene.truth(simulator), time.monotonic() - begun)
    finally:
        await simulator.stop()


async def _run(command: list[str], bound_s: float) -> tuple[int | None, list[str], list[str]]:
    """Exit code (None: it had to be ended), lines of stdout and of stderr."""
    with TemporaryDirectory() as home:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
        places = dict.fromkeys(("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"), home)
        manners = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(SRC)}
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=home,
            env=kept | places | manners,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        reading = asyncio.gather(process.stdout.read(), process.stderr.read())
        try:
            code: int | None = await asyncio.wait_for(process.wait(), bound_s)
        except TimeoutError:
            process.kill()
            await process.wait()
            code = None
        out, err = await reading
        return code, _lines(out), _lines(err)


def _lines(output: bytes) -> list[str]:
    return [line.rstrip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
