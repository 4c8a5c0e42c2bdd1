"""A handful of kills in `make test`; forty in the continuous integration, two hundred in `make crash`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.crash.compare import compare
from tests.crash.killing import play
from tests.crash.process import Desk, until

from tws.testing import HostedTWS


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled_by_kill_9(tmp_path: Path) -> None:
    outcome = play(5, seed=7, folder=tmp_path)
    assert not outcome.wrong
    assert outcome.fills, "nothing was traded, so nothing was tried"


def test_the_comparison_sees_a_fill_that_the_journal_lacks(tmp_path: Path) -> None:
    """A trader that is dead hears of no fill: without its recovery the books must be found to differ."""
    with HostedTWS(hours="always") as tws:
        tws.quote("SPY", bid=99.99, ask=100.01)
        desk = Desk(tmp_path, tws)
        with desk.running() as process:
            desk.signal("SPY")
            until(lambda: desk.holds("SPY", 10), "the fill and its stop")
            # what it says of itself is ahead of its disk by one commit
            until(lambda: not compare(desk.place.journal, tws, desk.symbols), "a journal that agrees")
            process.kill()
        tws.quote("SPY", bid=95.0, ask=95.02)
        tws.trade("SPY", 95.0)
        until(lambda: tws.position("SPY") == 0, "the stop's fill")
        assert any("fills: lost" in each for each in compare(desk.place.journal, tws, desk.symbols))
