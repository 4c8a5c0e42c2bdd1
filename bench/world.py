"""What a seed of the simulated world costs, and whether more seeds than the tests play hold as well.

    python bench/world.py [--seeds 200] [--first 0] [--json]

Plays the same house as tests/world/test_house.py: trader, connection, simulated TWS, faults, kills.
Processor time is the figure (the bound is 0.1 core-seconds a seed), since virtual time waits for
nobody. Exits 1 when a checker complains or a run fails, and names the seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import mean, median
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the house lives with the tests

from tests.world.house import judge


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    judge(options.first)  # imports, and codecs compiled on first use, are no cost of a seed
    costs: list[float] = []
    bad: dict[int, list[str]] = {}
    fills = steps = links = 0
    virtual_s = 0.0
    for seed in range(options.first, options.first + options.seeds):
        begun = process_time()
        outcome = judge(seed)
        costs.append(process_time() - begun)
        fills, steps, links = fills + outcome.fills, steps + outcome.steps, links + outcome.links
        virtual_s += outcome.seconds
        if outcome.complaints:
            bad[seed] = outcome.complaints
    figures = {
        "seeds": options.seeds,
        "core_s_per_seed_mean": round(mean(costs), 4) if costs else None,
        "core_s_per_seed_median": round(median(costs), 4) if costs else None,
        "core_s_per_seed_worst": round(max(costs), 4) if costs else None,
        "steps": steps,
        "fills": fills,
        "links": links,
        "virtual_s": round(virtual_s),
        "failed": {str(seed): found for seed, found in bad.items()},
    }
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:24} {value}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
