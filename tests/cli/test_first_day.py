"""A trader's first day, the careless one: no answer, a full disk, a console that is closed, a folder that is
forgotten. Each is one line with its cure and a documented exit code, never a traceback.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from tests.cli.conftest import Call
from tests.cli.test_app import run
from tests.desk.conftest import Bench

from tws.cli.console import ask, short
from tws.cli.run import show_latches
from tws.config import load_settings
from tws.errors import ConfigError, DataError
from tws.platform import shell_word
from tws.preflight.found import of_positions
from tws.preflight.line import Weight
from tws.preflight.scaffold import Answers, scaffold, write
from tws.runtime.place import Place, find_place, known_places, remember
from tws.runtime.plan import plan_run
from tws.runtime.stopping import StopWish, latch_file
from tws.safety import SafetyFile
from tws.simulator.faults.files import load

POSIX = os.name == "posix"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's own folder for state, of which no other test knows."""
    for name in ("HOME", "LOCALAPPDATA", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def trader(tmp_path: Path) -> Callable[[str], Place]:
    """A trader that has been there, below the folder of its configuration."""

    def make(desk: str) -> Place:
        place = Place(tmp_path / desk / "state" / "7400-1")
        place.folder.mkdir(parents=True)
        SafetyFile(place.safety).close()
        return place

    return make


# where traders lie


def test_a_trader_that_lies_elsewhere_is_found_without_being_told(
    call: Call, trader: Callable[[str], Place]
) -> None:
    place = trader("desk")
    assert known_places(None) == []
    remember(place)
    assert find_place(None, None).folder == place.folder.resolve()
    code, answer = call.json("status")
    assert code == 0 and list(answer) == ["7400-1"]


def test_of_two_by_one_name_the_folder_says_which(call: Call, trader: Callable[[str], Place]) -> None:
    one, two = trader("one"), trader("two")
    remember(one)
    remember(two)
    code, answer = call.json("status")
    assert code == 0 and list(answer) == sorted(str(place.folder.resolve()) for place in (one, two))
    code, out = call("stop")
    assert code == 2 and all(each in out for each in answer) and "--trader" in out
    assert find_place(None, str(one.folder.resolve())).folder == one.folder.resolve()


def test_among_several_the_one_that_runs_is_meant(trader: Callable[[str], Place]) -> None:
    one, two = trader("one"), trader("two")
    remember(one)
    remember(two)
    found = find_place(None, None, lambda place: place.folder == two.folder.resolve())
    assert found.folder == two.folder.resolve()
    with pytest.raises(ConfigError, match="several traders have state"):
        find_place(None, None, lambda place: True)


def test_the_word_of_a_folder_that_is_gone_is_taken_away(home: Path, trader: Callable[[str], Place]) -> None:
    one = trader("one")
    remember(one)
    one.safety.unlink()
    for left in one.folder.iterdir():
        left.unlink()
    one.folder.rmdir()
    assert known_places(None) == []
    remember(trader("two"))
    assert len(list(home.rglob("*.path"))) == 1


def test_a_folder_that_is_none_is_no_folder_without_traders(call: Call, tmp_path: Path) -> None:
    code, out = call("status", "--state", tmp_path / "nowhere")
    assert code == 2 and "nowhere" in out and "no such folder" in out
    code, out = call("status")
    assert code == 0 and str(tmp_path / "home") in out


@pytest.mark.skipif(not POSIX or os.geteuid() == 0, reason="nothing is closed to root, nor so on Windows")
def test_a_trader_that_is_closed_to_us_is_not_no_trader(
    call: Call, tmp_path: Path, trader: Callable[[str], Place]
) -> None:
    place = trader("desk")
    place.folder.chmod(0)
    code, out = call("status", "--state", tmp_path / "desk" / "state")
    place.folder.chmod(0o700)
    assert code == 2 and "permission denied" in out


def test_without_a_trader_the_cure_names_the_option(call: Call) -> None:
    code, out = call("kill")
    assert code == 2 and "--state FOLDER" in out


# what a machine refuses


def test_a_file_where_a_folder_is_wanted_is_no_bug_of_ours(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, out = call("certify", "--no-orders", "--port", "1", "--out", tmp_path / "file" / "pack")
    assert code == 2 and "Traceback" not in out and str(tmp_path / "file") in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full: Linux has one")
def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("sim", "ctl", "list", "--json", cwd=tmp_path, stdout=full)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr


@pytest.mark.skipif(not POSIX, reason="closes a handle as a shell does")
def test_a_console_that_is_closed_stops_nothing(tmp_path: Path) -> None:
    done = run("check", "nothing.toml", cwd=tmp_path, closed=True)
    assert done.returncode == 2 and b"Traceback" not in done.stderr


def test_a_file_that_cannot_be_opened_has_no_line(tmp_path: Path) -> None:
    assert str(DataError(tmp_path / "a.csv", 0, "is gone")) == f"{tmp_path / 'a.csv'}: is gone"


# what is told before it hurts


def test_a_state_folder_that_is_a_file_blocks_before_the_run(call: Call, tmp_path: Path) -> None:
    assert call("init", tmp_path / "desk", "--defaults")[0] == 0
    (tmp_path / "desk" / "state").write_text("")
    code, out = call("check", tmp_path / "desk" / "tws.toml")
    assert code == 2 and "can't be written" in out and "[state] folder" in out


def test_a_simulator_that_was_started_anew_is_thought_of(bench: Bench) -> None:
    (line,) = of_positions([], bench.desk.state, ["AAPL"], Path("state"))
    assert "delete state" in line.cure and line.weight is Weight.WARNING
    (line,) = of_positions([], bench.desk.state, ["AAPL"])
    assert "delete" not in line.cure


def test_a_run_under_a_latch_says_so_at_once(
    trader: Callable[[str], Place], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = trader("desk")
    with SafetyFile(place.safety) as safety:
        latch_file(safety, StopWish(operator="ann", reason="a try"), 1)
    write(tmp_path / "desk", scaffold(Answers(), 1), force=True)
    config = tmp_path / "desk" / "tws.toml"
    show_latches(plan_run(load_settings(config), config))
    said = capsys.readouterr().out
    assert said.startswith("LATCHED") and "a try" in said and "tws reset" in said


def test_a_slip_in_a_faults_name_is_answered_with_those_near_it() -> None:
    with pytest.raises(ConfigError) as wrong:
        load("reset", lambda when: None)
    assert "nightly-reset" in wrong.value.cure and "market-move" not in wrong.value.cure


@pytest.mark.parametrize(("figure", "told"), [
    ("0.00001791215877337736", "0"), ("9490.930", "9490.93"), ("500000", "500000"), (None, "unknown"),
])  # fmt: skip
def test_a_figure_is_as_long_as_a_human_reads_it(figure: str | None, told: str) -> None:
    assert short(figure, "unknown") == told


# tws init


def test_no_answer_is_told_with_the_way_around(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("paper\n"))
    code, out = call("init", tmp_path / "desk")
    assert code == 2 and "--defaults" in out
    assert not (tmp_path / "desk").exists()


def test_ctrl_c_at_a_question_is_ctrl_c() -> None:
    def question() -> str:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise typer.Abort from None  # as Typer's questions do

    with pytest.raises(KeyboardInterrupt):
        ask(question, "none")


def test_nothing_is_asked_where_files_are(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("init", tmp_path / "desk", "--defaults")[0] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, out = call("init", tmp_path / "desk")
    assert code == 2 and "--force" in out and "Where to trade" not in out
    code, out = call("init", tmp_path / "desk" / "tws.toml")
    assert code == 2 and "is a file" in out


def test_answers_may_be_written_large(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Paper\nIBM\n5000\n1\n2\n Breakout\n"))
    assert call("init", tmp_path / "desk")[0] == 0


def test_lines_of_ones_own_stay(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n.env")
    code, out = call("init", tmp_path, "--defaults")
    assert code == 0, out
    lines = (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["mine", ".env"] and "state/" in lines and lines.count(".env") == 1
    assert not list(tmp_path.glob("*.new"))


def test_a_write_that_fails_leaves_nothing(call: Call, tmp_path: Path) -> None:
    (tmp_path / "desk" / "signals.jsonl.new").mkdir(parents=True)
    code, out = call("init", tmp_path / "desk", "--defaults")
    assert code == 2 and "can't be written" in out
    assert [file.name for file in (tmp_path / "desk").iterdir()] == ["signals.jsonl.new"]


def test_a_command_is_printed_as_a_shell_takes_it() -> None:
    assert shell_word("desk/tws.toml", "linux") == "desk/tws.toml"
    assert shell_word("a b$c/tws.toml", "linux") == "'a b$c/tws.toml'"
    assert shell_word(r"C:\a b\tws.toml", "win32") == r'"C:\a b\tws.toml"'
