"""Many seeds of the soak, on all cores, with progress; what it did goes into docs/soak-ledger.md.

    python -m tests.soak --seeds 2000            # make soak SEEDS=2000
    python -m tests.soak --first 1234 --seeds 1  # one seed again: it fails as it failed

Exit code 1 when a seed has a complaint; each is printed with its seed. Ctrl-C ends it and writes nothing.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.soak.scene import Outcome, play

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / "docs" / "soak-ledger.md"
CHUNK = 25
"""Seeds that one job plays: some seconds of work, so that progress is seen and cores end together."""
COUNTED = ("links", "orders", "fills", "streams")
MET, END = "<!-- faults -->", "<!-- end -->"


def chunk(first: int, count: int) -> list[Outcome]:
    """Play some seeds; without what only a look at one of them wants."""
    outcomes = [play(seed) for seed in range(first, first + count)]
    for outcome in outcomes:
        outcome.tail = []
    return outcomes


def main() -> int:
    options = _options()
    began, done = time.monotonic(), list[Outcome]()
    with ProcessPoolExecutor(options.jobs) as pool:
        starts = range(options.first, options.first + options.seeds, CHUNK)
        last = options.first + options.seeds
        jobs = [pool.submit(chunk, start, min(CHUNK, last - start)) for start in starts]
        for job in as_completed(jobs):
            done += job.result()
            for outcome in job.result():
                for complaint in outcome.complaints:
                    print(f"seed {outcome.seed}: {complaint}", flush=True)
            print(f"{len(done)} of {options.seeds} seeds, {time.monotonic() - began:.0f} s", flush=True)
    minutes = (time.monotonic() - began) / 60
    bad = [outcome for outcome in done if outcome.complaints]
    print(_summary(done, minutes))
    if options.ledger:
        write_ledger(done, minutes)
        print(f"written: {LEDGER.relative_to(ROOT)}")
    print(f"{len(done) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=2000, help="how many (default 2000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument("--ledger", action="store_true", help="write the run into docs/soak-ledger.md")
    return parser.parse_args()


def _summary(done: list[Outcome], minutes: float) -> str:
    total = {name: sum(getattr(one, name) for one in done) for name in COUNTED}
    played = sum(sum(one.met.values()) for one in done)
    return f"{len(done)} seeds in {minutes:.1f} min: {played} faults, " + ", ".join(
        f"{count} {name}" for name, count in total.items()
    )


def write_ledger(done: list[Outcome], minutes: float) -> None:
    """A row for this run, and how often each fault was met in it."""
    text = LEDGER.read_text(encoding="utf-8")
    bad = sum(1 for one in done if one.complaints)
    cells = [
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        _commit(),
        f"{done[0].seed if len(done) == 1 else f'{len(done)}'}",
        f"{minutes:.1f}",
        *(f"{sum(getattr(one, name) for one in done):,}" for name in COUNTED),
        str(bad) if bad else "none",
    ]
    head, _, tail = text.partition(END)
    text = f"{head}| {' | '.join(cells)} |\n{END}{tail}"
    met = Counter[str]()
    for one in done:
        met.update(one.met)
    rows = "".join(f"| `{name}` | {count:,} |\n" for name, count in sorted(met.items()))
    before, _, rest = text.partition(MET)
    after = rest.partition(END)[2]
    LEDGER.write_text(f"{before}{MET}\n\n| fault | met |\n|---|---|\n{rows}\n{END}{after}", encoding="utf-8")


def _commit() -> str:
    try:
        shown = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return shown.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
