"""The same scripts on ib_async and on ours, against the simulated TWS: `make migration`, or

    python -m tests.migration [--only TEXT] [--dialect NAME] [--cache FOLDER] [--check]

Writes the tables of docs/moving-from-ib_async.md after a whole run; with --check a page that differs from
the written one is a failure instead. It fails too when a script of ours tells its user what the broker's
books deny. ib_async gets the environment that `make conformance` makes for it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import subprocess
import sys
import time
from pathlib import Path
from tempfile import gettempdir

from tests.conformance.clients import CLIENTS
from tests.migration import names
from tests.migration.scenes import DIALECTS, SCENES, Scene
from tests.migration.stage import Ended, perform
from tests.migration.table import PAGE, spoken, written

AT_ONCE = 2
"""The continuous integration has two cores; a scene keeps one of them busy for part of its time."""
LIST = "from ib_async import IB; print(*(n for n in {*dir(IB), *IB.events} if not n.startswith('_')))"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.migration",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", help="scripts whose name contains this; may be repeated")
    parser.add_argument("--dialect", choices=DIALECTS, action="append", help="one of the two alone")
    parser.add_argument("--cache", type=Path, help="folder for the clients' environments")
    parser.add_argument(
        "--check", action="store_true", help="a changed page is a failure; nothing is written"
    )
    return parser.parse_args()


def main() -> int:
    args = arguments()
    logging.disable(logging.CRITICAL)
    scenes = [one for one in SCENES if not args.only or any(text in one.name for text in args.only)]
    dialects = args.dialect or DIALECTS
    home = Path(sys.prefix if sys.prefix != sys.base_prefix else gettempdir())
    theirs = next(client for client in CLIENTS if client.name == "ib_async 2.1.0")
    pythons = {"ours": sys.executable}
    if "ibasync" in dialects:
        pythons["ibasync"] = theirs.prepare((args.cache or home / "conformance").resolve())[0]
    begun = time.monotonic()
    seen = asyncio.run(play(scenes, {dialect: pythons[dialect] for dialect in dialects}))
    wrong = [name for (name, dialect), ended in seen.items() if dialect == "ours" and not ended.is_right]
    print(
        f"{len(seen)} scripts in {time.monotonic() - begun:.0f} s; ours wrong: {', '.join(wrong) or 'none'}"
    )
    if "ibasync" in pythons:
        wrong += unnamed(pythons["ibasync"])
    if len(seen) == len(SCENES) * len(DIALECTS):
        page = PAGE.read_text("utf-8")
        new = written(page, seen, keep_varying=args.check)
        if not args.check:
            PAGE.write_text(new, "utf-8", newline="\n")
        elif new != page:
            print(f"{PAGE} differs from this run: `make migration` writes it anew")
            return 1
    return min(len(wrong), 1)


async def play(scenes: list[Scene], pythons: dict[str, str]) -> dict[tuple[str, str], Ended]:
    """Every script of these scenes, at most `AT_ONCE` at a time; each is told of as it ends."""
    room = asyncio.Semaphore(AT_ONCE)
    seen: dict[tuple[str, str], Ended] = {}

    async def one(scene: Scene, dialect: str) -> None:
        async with room:
            ended = seen[scene.name, dialect] = await perform(
                scene, [pythons[dialect], str(scene.script(dialect))]
            )
        verdict = "right" if ended.is_right else "WRONG"
        print(f"{verdict}  {dialect:8}{scene.name:28}{ended.took_s:5.1f} s  {ended.said}")
        if not ended.is_right:
            end = "never ended" if ended.code is None else f"exit code {ended.code}"
            print(f"       {end}; true was: {ended.truth}", *spoken(ended), sep="\n       ")

    # The long ones first, so that none is left alone at the end.
    order = sorted(scenes, key=lambda scene: (-scene.bound_s, scene.speed))
    await asyncio.gather(*(one(scene, dialect) for scene in order for dialect in pythons))
    return seen


def unnamed(python: str) -> list[str]:
    """Public names of the installed `ib_async.IB` that the table of names does not have."""
    done = subprocess.run([python, "-c", LIST], capture_output=True, text=True, check=True)
    there = {name for name in done.stdout.split() if not name.endswith("Async") and name != "events"}
    for name in sorted(there - names.known()):
        print(f"ib_async.IB.{name} has no row in the table of names")
    for name in sorted(names.known() - there):
        print(f"ib_async.IB has no {name}; the table of names has")
    return sorted(there ^ names.known())


if __name__ == "__main__":
    sys.exit(main())
