"""Thousands of seeds of the simulated world, on all cores, going on where docs/world-ledger.md ends.

    python -m tests.world --seeds 20000          # make soak-world
    python -m tests.world --first 1234 --seeds 1 # one seed again; the ledger is left alone
    python -m tests.world --automation           # make soak-automation: docs/automation-ledger.md

Seeds up to the ledger's last one were played; a run plays the next ones, writes down how far it came, also
when Ctrl-C ends it, and says every few seconds how far it is. A failing seed is printed with its faults, then
with the fewest of them that still make it fail, as the call that plays it. Exit code 1 when any failed.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.world.automation import judge_automation
from tests.world.house import judge
from tests.world.outcome import Outcome
from tests.world.shrink import scenario, shrink

ROOT = Path(__file__).resolve().parents[2]
END = "<!-- end -->"
CHUNK = 20
"""Seeds that one job plays: some seconds of work, so that cores end together."""
PROGRESS_S = 10.0
SHRUNK = 5
"""Failing seeds that are made small in one job; a broken build fails in all of them."""
COUNTED = ("orders", "fills", "links", "lives", "records")
ROW = re.compile(r"^\|[^|]*\|[^|]*\| *[\d,]+ to ([\d,]+) *\|", re.MULTILINE)


class Kind(NamedTuple):
    """Who plays and judges a seed, what is counted of it, and where that is written down."""

    judge: Callable[..., Outcome]
    counted: tuple[str, ...]
    ledger: Path


WORLD = Kind(judge, COUNTED, ROOT / "docs" / "world-ledger.md")
AUTOMATION = Kind(judge_automation, ("signals", *COUNTED), ROOT / "docs" / "automation-ledger.md")


@dataclass
class Tally:
    """What some seeds came to. `counts` are in the ledger's order."""

    first: int
    last: int
    counts: dict[str, int]
    failed: list[int] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        for name in self.counts.keys() - {"faults"}:
            self.counts[name] += getattr(outcome, name)
        self.counts["faults"] += sum(outcome.met.values()) + len(outcome.mix.ends)

    def take(self, other: Tally) -> None:
        """Join the seeds that follow."""
        self.last = other.last
        self.failed += other.failed
        for name, count in other.counts.items():
            self.counts[name] += count


def chunk(kind: Kind, first: int, count: int) -> Tally:
    """Play some seeds; those that fail are made small."""
    tally = nothing(kind, first, first + count - 1)
    for seed in range(first, first + count):
        outcome = kind.judge(seed)
        tally.add(outcome)
        if outcome.complaints:
            tally.failed.append(seed)
            tally.lines += report(outcome, kind.judge, small=len(tally.failed) <= SHRUNK)
    return tally


def nothing(kind: Kind, first: int, last: int) -> Tally:
    return Tally(first, last, dict.fromkeys((*kind.counted, "faults"), 0))


def report(
    outcome: Outcome, judge: Callable[..., Outcome] = judge, *, small: bool = True
) -> list[str]:
    """What a failing seed has to say."""
    seed, mix = outcome.seed, outcome.mix
    lines = [f"seed {seed} FAILED: {complaint}" for complaint in outcome.complaints[:5]]
    lines.append(f"seed {seed} faults: {', '.join(mix.parts())}")
    if small:
        least = shrink(mix, lambda smaller: bool(judge(seed, smaller).complaints))
        lines.append(f"seed {seed} fails with: {', '.join(least.parts()) or 'no fault at all'}")
        lines += [f"    {complaint}" for complaint in judge(seed, least).complaints[:3]]
        lines.append(f"    {scenario(seed, least)}")
    return lines


def main() -> int:
    options = _options()
    kind = AUTOMATION if options.automation else WORLD
    first = done_before(kind.ledger) if options.first is None else options.first
    total = nothing(kind, first, first - 1)
    began = time.monotonic()
    print(f"seeds {first} to {first + options.seeds - 1} on {options.jobs} processes", flush=True)
    try:
        for tally in _in_order(kind, first, options, began):
            total.take(tally)
    except KeyboardInterrupt:
        print("ended by hand", flush=True)
    minutes = (time.monotonic() - began) / 60
    played = total.last - first + 1
    counts = ", ".join(f"{count:,} {name}" for name, count in total.counts.items())
    print(f"{played} seeds in {minutes:.1f} min: {counts}; {len(total.failed)} failed {total.failed[:20]}")
    if options.first is None and played:
        write_row(kind.ledger, total, minutes)
        print(f"written: {kind.ledger.relative_to(ROOT)}")
    return 1 if total.failed or played < options.seeds else 0


def _in_order(kind: Kind, first: int, options: argparse.Namespace, began: float) -> Iterator[Tally]:
    """The tallies of all chunks, each once those before it are there; progress and failures are printed."""
    seeds, last = options.seeds, first + options.seeds
    with ProcessPoolExecutor(options.jobs) as pool:
        futures: list[Future[Tally]] = [
            pool.submit(chunk, kind, start, min(CHUNK, last - start)) for start in range(first, last, CHUNK)
        ]
        told, failed = time.monotonic(), 0
        try:
            for number, future in enumerate(futures):
                while not future.done():
                    wait([future], timeout=1.0)
                tally = future.result()
                failed += len(tally.failed)
                for line in tally.lines:
                    print(line, flush=True)
                if time.monotonic() - told > PROGRESS_S or number == len(futures) - 1:
                    told = time.monotonic()
                    played = tally.last - first + 1
                    print(f"{played} of {seeds} seeds, {failed} failed, {told - began:.0f} s", flush=True)
                yield tally
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def done_before(ledger: Path) -> int:
    """The first seed that the ledger does not name."""
    rows = ROW.findall(ledger.read_text(encoding="utf-8"))
    return max((int(row.replace(",", "")) + 1 for row in rows), default=0)


def write_row(ledger: Path, total: Tally, minutes: float) -> None:
    """How far this run came."""
    text = ledger.read_text(encoding="utf-8")
    cells = [
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        _commit(),
        f"{total.first:,} to {total.last:,}",
        f"{minutes:.1f}",
        *(f"{count:,}" for count in total.counts.values()),
        ", ".join(map(str, total.failed)) or "none",
    ]
    head, _, tail = text.partition(END)
    ledger.write_text(f"{head}| {' | '.join(cells)} |\n{END}{tail}", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20_000, help="how many (default 20,000)")
    parser.add_argument("--first", type=int, help="the first of them (default: where the ledger ends)")
    parser.add_argument("--automation", action="store_true", help="runs of a configuration, by signals")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    return parser.parse_args()


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
