"""Seeds: a whole trader and the simulated TWS under faults of every kind, and then in calm weather."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
from tests.world.__main__ import report
from tests.world.house import Outcome, judge, play
from tests.world.mix import ALL, OUT

from tws.simulator.faults.base import REGISTRY

SEEDS = 300
CHUNK = 20
"""Seeds of one test: a name that fails says where, without three hundred lines when all is well."""
TOGETHER: dict[int, list[Outcome]] = {}


def outcomes(first: int) -> list[Outcome]:
    """What the seeds of a chunk came to; played once."""
    if first not in TOGETHER:
        TOGETHER[first] = [judge(seed) for seed in range(first, first + CHUNK)]
        for outcome in TOGETHER[first]:
            outcome.tail = outcome.tail if outcome.complaints else []
    return TOGETHER[first]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_all_is_known_guarded_and_flat_when_the_faults_have_stopped(first: int) -> None:
    bad = [outcome for outcome in outcomes(first) if outcome.complaints]
    assert not bad, "\n".join(line for outcome in bad[:2] for line in report(outcome))


def test_the_seeds_are_not_idle() -> None:
    """Trades happen, lives end, links are lost, disks fill, and every fault is met: otherwise the seeds above
    prove nothing.
    """
    every = [outcome for first in range(0, SEEDS, CHUNK) for outcome in outcomes(first)]
    met = Counter[str]()
    for outcome in every:
        met.update(outcome.met)
    assert sum(outcome.fills for outcome in every) > 5 * SEEDS
    assert sum(outcome.mix.pause for outcome in every) > SEEDS / 50
    acts = Counter(end.act for outcome in every for end in outcome.mix.ends if end.kind == "sleep")
    assert min(acts["latch"], acts["takeover"]) > SEEDS / 50
    assert sum(outcome.lives > 1 for outcome in every) > SEEDS / 4
    assert sum(outcome.starts > outcome.lives for outcome in every) > SEEDS / 20
    assert sum(outcome.links > outcome.lives + 1 for outcome in every) > SEEDS / 5
    assert set(ALL) == set(ALL) & met.keys()


def test_every_fault_of_the_simulator_is_in_the_lot_or_has_its_reason() -> None:
    assert set(ALL) | OUT.keys() == REGISTRY.keys()
    assert not set(ALL) & OUT.keys()


@pytest.mark.parametrize("seed", range(3))
def test_a_run_repeats_to_the_byte(seed: int) -> None:
    first, second = play(seed), play(seed)
    assert first.digest == second.digest
    assert first.steps == second.steps


def test_a_run_repeats_in_other_processes_with_other_hash_seeds() -> None:
    digests = set()
    for hash_seed in ("0", "4242"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        answer = subprocess.run(
            [sys.executable, "-m", "tests.world.test_house"], env=environ, capture_output=True, check=True
        )
        digests.add(answer.stdout.decode().strip())
    assert digests == {play(1).digest}


if __name__ == "__main__":
    print(play(1).digest)
