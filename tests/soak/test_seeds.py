"""Some seeds of the soak in each test run, one of them to the byte; `make soak` plays the thousands."""

from __future__ import annotations

from functools import cache

import pytest
from tests.soak.scene import Outcome, play

SEEDS = range(24)


@cache
def played(seed: int) -> Outcome:
    """What a seed came to; played once."""
    return play(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_is_well_again_when_the_faults_have_stopped(seed: int) -> None:
    outcome = played(seed)
    assert not outcome.complaints, "\n".join(outcome.complaints)


def test_the_seeds_are_not_idle() -> None:
    """Faults come, links are lost, orders fill, streams flow: otherwise the seeds above prove nothing."""
    outcomes = [played(seed) for seed in SEEDS]
    assert len({name for outcome in outcomes for name in outcome.met}) > 40
    assert sum(outcome.links for outcome in outcomes) > 2 * len(outcomes)
    assert sum(outcome.fills for outcome in outcomes) > len(outcomes)
    assert sum(outcome.streams for outcome in outcomes) > 4 * len(outcomes)


@pytest.mark.parametrize("seed", [3, 11])
def test_a_run_repeats_to_the_byte(seed: int) -> None:
    first, second = played(seed), play(seed)
    assert (first.digest, first.steps) == (second.digest, second.steps)
