"""The demo on a recorded day: real quotes, as `make test-data DATA=FOLDER` finds them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BOUND_S = 110  # the demo promises 60 on an idle machine; pytest's own bound comes after this one


@pytest.mark.data
@pytest.mark.parametrize("day", ["2013-10-08"])
def test_the_demo_trades_a_recorded_day_and_reconciles(day: str, data_folder: Path, tmp_path: Path) -> None:
    files = [data_folder / f"{symbol}-{day}-1s.csv.gz" for symbol in ("SPY", "IBM")]
    arguments = [part for file in files for part in ("--data", str(file))]
    env = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
    env |= dict.fromkeys(("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"), str(tmp_path)) | {"PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from tws.cli.app import main; main()", "demo", *arguments],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        encoding="utf-8",
        timeout=BOUND_S,
        check=False,
    )
    # 0 only when journal, desk and simulated broker agree exactly and everything is flat.
    assert done.returncode == 0, done.stdout + done.stderr
    for symbol in ("SPY", "IBM"):
        assert symbol in done.stdout
