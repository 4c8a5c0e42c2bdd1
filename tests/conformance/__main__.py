"""Real clients against the simulated TWS: `make conformance`, or

    python -m tests.conformance [--only NAME] [--scenario TEXT] [--cache FOLDER] [--check]

Writes docs/conformance.md after a whole run; with --check a table that differs from the written one is a
failure instead, which is what the continuous integration asks. Exits 0 only when nothing failed.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path
from tempfile import gettempdir

from tests.conformance.clients import CLIENTS
from tests.conformance.run import Run, play_all
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.table import render

from tws.simulator.options import HIGHEST_VERSION

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", help="clients whose name contains this; may be repeated")
    parser.add_argument(
        "--scenario", action="append", help="scenarios whose name contains this; may be repeated"
    )
    parser.add_argument("--cache", type=Path, help="folder for the clients' environments")
    parser.add_argument(
        "--check", action="store_true", help="a changed table is a failure; nothing is written"
    )
    parser.add_argument("--top", type=int, default=HIGHEST_VERSION, help="highest server version offered")
    parser.add_argument("--log", action="store_true", help="show the simulator's log")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    logging.disable(logging.NOTSET if args.log else logging.CRITICAL)
    clients = [c for c in CLIENTS if not args.only or any(text in c.name for text in args.only)]
    scenarios = [s for s in SCENARIOS if not args.scenario or any(text in s.name for text in args.scenario)]
    if not clients or not scenarios:
        print("nothing to play; clients:", ", ".join(client.name for client in CLIENTS))
        return 2
    home = Path(sys.prefix if sys.prefix != sys.base_prefix else gettempdir())
    cache = (args.cache or home / "conformance").resolve()
    begun = time.monotonic()
    runs = asyncio.run(play_all(clients, scenarios, cache, args.top))
    failed = report(runs)
    took = time.monotonic() - begun
    print(f"{len(clients)} clients, {len(scenarios)} scenarios, {failed} failed, {took:.0f} s")
    if len(clients) < len(CLIENTS) or len(scenarios) < len(SCENARIOS):
        return min(failed, 1)
    page = render(runs, scenarios)
    if not args.check:
        PAGE.write_text(page, "utf-8", newline="\n")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != page:
        print(f"{PAGE} differs from this run: `make conformance` writes it anew")
        return 1
    return min(failed, 1)


def report(runs: list[Run]) -> int:
    """Every failure with what was seen and what was expected; returns their number."""
    failed = 0
    for run in runs:
        for name, outcome in run.outcomes.items():
            if outcome.verdict == "failed":
                failed += 1
                print(f"FAILED  {run.client.name} · {name}\n        {outcome.text}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
