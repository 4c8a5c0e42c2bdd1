"""The market time of a `tws sim` in another process: another day, another pace, and held."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tws.cli.sim_clock import SimClock, simulated
from tws.cli.sim_note import Note, ask, running_on
from tws.clock import to_datetime
from tws.config import TWSConfig
from tws.desk import Timing
from tws.platform import state_folder

BOUND_S = 120.0
TWS = [sys.executable, "-c", "import sys; from tws.cli.app import main; main(sys.argv[1:])"]
SIM = ["sim", "--port", "0", "--speed", "20", "--hours", "exchange",
       "--clock", "2026-11-23 09:45 America/New_York"]


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A simulator of this test's own, which leaves its note in the test's home."""
    for name in ("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    process = subprocess.Popen([*TWS, *SIM], stdout=subprocess.PIPE, text=True, env=os.environ.copy())
    assert process.stdout is not None
    yield int(process.stdout.readline().rpartition(":")[2])
    process.kill()
    process.communicate()


def found(port: int) -> Note:
    note = running_on(state_folder() / "sim", port)
    assert note is not None
    return note


def test_a_run_goes_by_the_simulators_clock(port: int) -> None:
    parts = simulated(TWSConfig(port=port))
    assert parts is not None and parts.clock is not None and parts.timing is not None
    begun_ns = parts.clock.now_ns()
    assert re.match("2026-11-23 14:4[5-9]", str(to_datetime(begun_ns)))
    assert parts.timing.alarm_ns == 20 * Timing().alarm_ns
    begun_s = parts.clock.monotonic()
    end = time.monotonic() + BOUND_S
    while parts.clock.now_ns() < begun_ns + 10_000_000_000:
        assert time.monotonic() < end, "market time does not pass"
    assert parts.clock.monotonic() - begun_s < 10, "it passes no faster than life"


def test_a_held_clock_stands(port: int) -> None:
    clock = SimClock(found(port))
    assert clock.speed == 20
    ask(found(port), "clock", run=False)
    end = time.monotonic() + BOUND_S
    while clock.speed:
        assert time.monotonic() < end, "never heard that it is held"
        time.sleep(0.02)
    held = clock.now_ns()
    time.sleep(0.05)
    assert clock.now_ns() == held


def test_nobody_is_asked_for_a_clock_that_is_gone(port: int) -> None:
    before = set(threading.enumerate())
    clock = SimClock(found(port))
    (follower,) = set(threading.enumerate()) - before
    del clock
    follower.join(BOUND_S)
    assert not follower.is_alive()


def test_another_tws_is_none(port: int) -> None:
    assert simulated(TWSConfig(port=port + 1)) is None
    assert simulated(TWSConfig(host="192.0.2.1", port=port)) is None


def test_a_check_holds_tws_against_that_clock(port: int, tmp_path: Path) -> None:
    config = tmp_path / "tws.toml"
    config.write_text(
        f'[connection]\nport = {port}\n[[strategies]]\nkind = "breakout"\nsymbols = ["SPY"]\n', "utf-8"
    )
    words = ["check", str(config), "--connect", "--json", "--state", str(tmp_path / "state")]
    ran = subprocess.run([*TWS, *words], capture_output=True, text=True, env=os.environ.copy(), check=False)
    told = json.loads(ran.stdout)
    (clock,) = (each for each in told["lines"] if each["about"] == "clock")
    assert clock["weight"] == "ok" and "14:4" in clock["text"]
    assert "mode      simulator: no broker, no money" in told["plan"], "as the run says"
