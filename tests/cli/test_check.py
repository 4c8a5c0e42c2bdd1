"""`tws check`: exit codes, and what it prints for people and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.preflight.scene import written

from tws.testing import HostedTWS


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("API_KEY", raising=False)


def test_a_file_alone(tmp_path: Path, call: Call) -> None:
    path = written(tmp_path, 7400)
    code, out = call("check", path, "--state", tmp_path / "state")
    assert code == 0 and out.rstrip().endswith("fine")
    assert "10 shares an entry" in out, "the plan of the run"
    path.write_text(path.read_text(encoding="utf-8").replace("shares", "share"), encoding="utf-8")
    code, out = call("check", path, "--connect")
    assert code == 2 and "Did you mean shares?" in out and "mend the file first" in out
    assert out.rstrip().endswith("1 blocker")


def test_json_has_plan_and_lines(tmp_path: Path, call: Call) -> None:
    path = written(tmp_path, 7400, more="[risk]\nmax_order_quantity = 9")
    code, answer = call.json("check", path, "--state", tmp_path / "state")
    assert code == 2 and answer["good"] is False and answer["plan"]
    [line] = [line for line in answer["lines"] if line["weight"] == "blocker"]
    assert line["about"] == "risk.max_order_quantity" and line["cure"]
    path = written(tmp_path, 7400)
    assert call.json("check", path, "--state", tmp_path / "state")[1]["good"] is True


def test_with_a_tws(tmp_path: Path, call: Call) -> None:
    with HostedTWS() as tws:
        tws.quote("SPY", bid=100.0, ask=100.02)
        path = written(tmp_path, tws.port)
        code, out = call("check", path, "--connect", "--state", tmp_path / "state")
        assert code == 0, out
        assert "SPY: live" in out and "DU" in out
        assert tws.account not in out, "account ids are masked"
    code, out = call("check", path, "--connect", "--state", tmp_path / "state")
    assert code == 2, out
