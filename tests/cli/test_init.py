"""`tws init`, `tws sim`, `tws check --connect` and `tws run`, as processes, to a first trade."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from tws.config import load_settings

TWS = [sys.executable, "-c", "from tws.cli.app import main; main()"]
WAIT_S = 60


def environment(folder: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
    return kept | {"HOME": str(folder), "LOCALAPPDATA": str(folder), "XDG_STATE_HOME": str(folder)}


def test_from_nothing_to_a_first_trade(tmp_path: Path) -> None:
    env = environment(tmp_path)

    def tws(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*TWS, *words], capture_output=True, text=True, env=env, cwd=tmp_path, timeout=WAIT_S, check=False
        )

    sim_out = tmp_path / "sim.txt"
    with sim_out.open("wb") as file:
        command = [*TWS, "sim", "--port", "0", "--seed", "7"]
        sim = subprocess.Popen(command, stdout=file, env=env, cwd=tmp_path)
    try:
        made = tws("init", "desk", "--defaults")
        assert made.returncode == 0, made.stderr
        assert "tws check" in made.stdout and "tws run" in made.stdout
        end = time.monotonic() + WAIT_S
        while "listening on" not in (said := sim_out.read_text(encoding="utf-8")):
            assert sim.poll() is None and time.monotonic() < end, said
            time.sleep(0.05)
        port = said.strip().splitlines()[0].rpartition(":")[2]
        config = tmp_path / "desk" / "tws.toml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("port = 7400", f"port = {port}"), encoding="utf-8")

        checked = tws("check", "desk/tws.toml", "--connect")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stdout.rstrip().endswith("fine")

        ran = tws("run", "desk/tws.toml", "--for", "20s", "--json")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        report = json.loads(ran.stdout)
        assert report["traded"] >= 1 and report["fills"] >= 2, report
        assert report["flat"] and report["good"]
    finally:
        sim.terminate()
        sim.wait(WAIT_S)


def test_answers_are_asked_for(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("paper\nIBM\n5000\n1\n2\nbreakout\n"))
    code, out = call("init", tmp_path / "desk")
    assert code == 0, out
    assert "tws doctor --port 7497" in out
    settings = load_settings(tmp_path / "desk" / "tws.toml")
    assert settings.connection.port == 7497 and settings.strategies[0].symbols == ("IBM",)
    code, out = call("init", tmp_path / "desk", "--defaults")
    assert code == 2 and "--force" in out
    assert call("init", tmp_path / "desk", "--defaults", "--force")[0] == 0


def test_a_wrong_answer_writes_nothing(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("paper\nIBM\nnone\n1\n2\nfile\n"))
    code, out = call("init", tmp_path / "desk")
    assert code == 2 and "money" in out
    assert not (tmp_path / "desk").exists()
