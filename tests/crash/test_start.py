"""A signal of the system while `tws run` starts, to the real process: a TWS that answers late, or never."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from tests.crash.process import Desk, until

from tws.safety import SafetyFile
from tws.testing import HostedTWS

SIGNALS = (
    [signal.CTRL_BREAK_EVENT] if sys.platform == "win32" else [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
)
STAGES: dict[str, tuple[str, dict[str, object]]] = {
    "dialling": ("accept-dialog", {}),
    "session": ("silent-start", {}),
    "slowly": ("slow-writer", {"bytes_per_s": 40}),
    "reconciling": ("swallow", {"request": "PositionsRequest", "count": 10**6}),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_signal_during_the_start_ends_it_protected(tmp_path: Path, stage: str) -> None:
    with HostedTWS(hours="always") as tws:
        tws.quote("SPY", bid=99.99, ask=100.01)
        desk = Desk(tmp_path, tws)
        with desk.running() as process:
            desk.signal("SPY")
            until(lambda: desk.holds("SPY", 10), "a protected position")
            process.kill()
        name, fields = STAGES[stage]
        tws.play(name, **fields)
        number = SIGNALS[list(STAGES).index(stage) % len(SIGNALS)]
        process = desk.run()
        try:
            until(tws.sessions, "the dial")
            assert "trading\n" not in process.text
            process.popen.send_signal(number)
            assert process.wait() == 1, process.text
        finally:
            process.kill()
        assert "cut short" in process.text and "SPY: 10 held" in process.text, process.text
        assert "Traceback" not in process.text
        tws.clear_faults()
        assert sorted(view.ticket.order_type for view in tws.orders()) == ["LMT", "STP"]
        with SafetyFile(desk.place.safety) as safety:
            assert safety.state.lease is None
        with desk.running():
            until(desk.settled, "books that agree after the next start")
