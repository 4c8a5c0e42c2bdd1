"""Seeds: a whole trader and the simulated TWS in bad weather; once it clears, the books agree to the cent."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.world.house import play

SEEDS = range(24)  # a few seconds; more with `python bench/world.py --seeds N`
NEVER_ONE = 3  # seeds of which something is asked that one alone may miss


@pytest.mark.parametrize("seed", SEEDS)
def test_the_books_are_the_markets_own(seed: int) -> None:
    outcome = play(seed)
    assert outcome.complaints == [], "\n".join(outcome.tail[-60:])


def test_the_seeds_are_not_idle() -> None:
    """Trades happen, lives end, links are lost: otherwise the seeds above prove nothing."""
    outcomes = [play(seed) for seed in SEEDS]
    assert sum(outcome.fills for outcome in outcomes) > 5 * len(outcomes)
    assert sum(outcome.lives > 1 for outcome in outcomes) > len(outcomes) / 4
    assert sum(outcome.links > outcome.lives for outcome in outcomes) > len(outcomes) / 5


@pytest.mark.parametrize("seed", range(NEVER_ONE))
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
