"""`python -m tests.automation --data FOLDER`: the eight-ticker configuration over three recorded days.

Prints what it did; ends with 1 when anything that was promised does not hold. `make days` calls it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.automation.days import ADDING, DAYS, Outcome, Stretch, play


def main() -> int:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of recorded days")
    asked.add_argument("--seed", type=int, default=7, help="of the predictions and the API's faults")
    asked.add_argument("--days", type=int, default=len(DAYS), help="of them so many, from the first on")
    asked.add_argument("--minutes", type=int, default=None, help="of each day its last minutes alone")
    asked.add_argument("--skip", action="store_true", help="set the market's clock forward over the nights")
    asked.add_argument("--adding", action="store_true", help="scale in, and double down")
    told = asked.parse_args()
    stretch = Stretch(
        days=DAYS[: told.days],
        seed=told.seed,
        last_minutes=told.minutes,
        skips=told.skip,
        changes=ADDING if told.adding else {},
    )
    with tempfile.TemporaryDirectory(prefix="tws-days-") as folder:
        outcome = play(told.data.resolve(), Path(folder), stretch)
    show(outcome)
    return 1 if outcome.complaints else 0


def show(outcome: Outcome) -> None:
    """What it did, for a human."""
    report = outcome.report
    print(f"{outcome.market_s / 3600:.1f} hours of the market in {outcome.wall_s:.0f} s: {outcome.counts}")
    print(
        f"signals     {report.signals}: "
        + ", ".join(
            f"{report.fates[name]} {name}" for name in ("traded", "closed", "refused", "denied", "passed")
        )
    )
    print(f"  refused   {dict(sorted(report.refused.items()))}")
    print(f"  denied    {dict(sorted(report.denied.items()))}")
    print(f"  trouble   {report.fates['trouble']}")
    print(f"fills       {report.fills}, earned {report.realized} after commissions")
    print(f"protection  {report.protection}")
    print(f"alarms      {len(report.alarms)}: {report.alarms[:5]}")
    print(f"fingerprint {outcome.fingerprint}")
    for each in outcome.complaints:
        print(f"WRONG       {each}")
    print("all of it holds" if not outcome.complaints else f"{len(outcome.complaints)} complaints")


if __name__ == "__main__":
    sys.exit(main())
