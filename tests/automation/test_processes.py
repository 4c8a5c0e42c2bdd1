"""The eight-ticker configuration as a user runs it: `tws sim`, `tws api-demo` and `tws run`, three processes,
over the close of a recorded day, ten times as fast as life.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.automation.days import DAYS, MAPPED, configured

from tws.config import TWSConfig
from tws.connection.sync import SyncConnection

pytestmark = [
    pytest.mark.data,
    pytest.mark.timeout(600),  # nine minutes of the market take one, and three processes begin and end
]

TWS = [sys.executable, "-c", "from tws.cli.app import main; main()"]
DAY = DAYS[1]
SPEED = 10
MARKET_S = 9 * 60
"""From 15:53 on, so that it ends two minutes after the close."""
BOUND_S = 120.0


class Shell:
    """Commands of `tws` whose state is the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
        places = dict.fromkeys(("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"), str(folder))
        self._env = kept | places | {"PYTHONUTF8": "1", "API_KEY": "demo"}

    @contextmanager
    def serving(self, *words: str) -> Iterator[int]:
        """A command that says where it listens: its port; ended by its own handle."""
        out = self._folder / f"{words[0]}.txt"
        with out.open("wb") as file:
            child = subprocess.Popen(
                [*TWS, *words], stdout=file, stderr=subprocess.STDOUT, cwd=self._folder, env=self._env
            )
        try:
            yield self._port(out, child)
        finally:
            child.terminate()
            child.wait(BOUND_S)

    def run(self, *words: str, bound_s: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*TWS, *words], cwd=self._folder, env=self._env, capture_output=True, encoding="utf-8",
            timeout=bound_s, check=False,
        )  # fmt: skip

    def _port(self, out: Path, child: subprocess.Popen[bytes]) -> int:
        end = time.monotonic() + BOUND_S
        while time.monotonic() < end and child.poll() is None:
            found = re.search(r"listening on \S*?:(\d+)", out.read_text("utf-8"))
            if found:
                return int(found[1])
            time.sleep(0.05)
        pytest.fail(f"did not come up: {out.read_text('utf-8')}")


def test_over_a_close(data_folder: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    series = [f"{name}-{DAY}-1s.csv.gz" for name in dict.fromkeys(MAPPED.values())]
    data = [word for name in series for word in ("--data", str(data_folder / name))]
    played = [word for alias, name in MAPPED.items() for word in ("--symbol", f"{alias}={name}")]
    with ExitStack() as stack:
        sim = stack.enter_context(
            shell.serving("sim", "--port", "0", "--hours", "exchange", "--speed", str(SPEED),
                          "--clock", f"{DAY} 15:53:00", *data, *played)
        )  # fmt: skip
        api = stack.enter_context(
            shell.serving("api-demo", "--port", "0", "--sim", str(sim), "--per-minute", "600")
        )
        path = tmp_path / "eight_tickers.toml"
        changes = {"per_minute": "400", "close_margin_s": "90"}  # a minute here is ten of the market's
        path.write_text(configured(sim, f"http://127.0.0.1:{api}", changes), encoding="utf-8")
        ran = shell.run("run", str(path), "--for", f"{MARKET_S / SPEED}s", "--json", bound_s=200)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        report = json.loads(ran.stdout)
        left = shell.run("sim", "ctl", "orders", "--port", str(sim), "--json", bound_s=BOUND_S)
        with SyncConnection(TWSConfig(port=sim, client_id=77)) as tws:
            held = [each for each in tws.request_positions() if each.quantity]
            cash = next(each.amount for each in tws.request_account_summary(("TotalCashValue",)))
    check(report)
    assert held == [] and json.loads(left.stdout) == []
    assert cash == Decimal(1_000_000) + Decimal(report["realized"]), "to the cent"


def check(report: dict[str, Any]) -> None:
    """Each signal has its end; each share had its stop; nothing is left; the journal is whole."""
    fates = report["fates"]
    ends = {name: fates[name] for name in ("traded", "closed", "denied", "refused")}
    assert fates["passed"] == 0 and sum(ends.values()) == report["signals"] > 20, fates
    assert ends["traded"] >= 4, fates
    assert report["good"] and report["flat"] and report["differs"] == ""
    assert report["protection"]["longest_s"] <= report["protection"]["bound_s"]
