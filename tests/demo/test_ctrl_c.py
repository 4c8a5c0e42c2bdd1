"""`tws demo` as its user meets it: a process of its own, Ctrl-C, and mistakes on its command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.demo.market_files import write_day

from tws.desk import Desk
from tws.errors import TWSError
from tws.journal import read_journal
from tws.model.records import Booked, FlattenMoved, Record, decode_records
from tws.risk import Gate, Limits

BOUND_S = 120.0
# A shell's background job is born with Ctrl-C ignored, and its children inherit that: take the default back.
PROGRAM = """import signal; signal.signal(signal.SIGINT, signal.default_int_handler)
from tws.cli.app import main; main()"""
COMMAND = [sys.executable, "-c", PROGRAM, "demo"]
WINDOWS = sys.platform == "win32"

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `tws demo` with these arguments; whatever still runs at the end is ended."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: object) -> subprocess.Popen[str]:
        # On Windows a Ctrl-Break can be sent to a process group alone, and Ctrl-C to none but one's own.
        group = {"creationflags": 0x200} if WINDOWS else {}
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", cwd=tmp_path, env=os.environ | {"PYTHONUTF8": "1"}, **group,  # type: ignore[call-overload]
        )
        running.append(process)
        return process

    yield run
    for process in running:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    """SIGINT, or its twin that can be sent to another process on Windows."""
    process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT) if WINDOWS else signal.SIGINT)


def end_of(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=BOUND_S)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def wait_for(process: subprocess.Popen[str], true: Callable[[], bool]) -> None:
    until = time.monotonic() + BOUND_S
    while not true():
        if process.poll() is not None or time.monotonic() > until:
            out, err = process.communicate()
            pytest.fail(f"it never came to it:\n{out}\n{err}")
        time.sleep(0.01)


def desk_of(records: list[Record]) -> Desk:
    desk = Desk(Gate(Limits()))
    desk.recover(records)
    return desk


def exposed(journal: Path) -> bool:
    """Whether the trader holds a position and has orders that work, by its journal of now."""
    try:
        state = desk_of(list(decode_records(read_journal(journal)))).state
    except (TWSError, OSError):  # it is just being made
        return False
    return bool(list(state.book.living())) and any(each.quantity for each in state.ours.holdings.values())


@pytest.mark.parametrize("shown", ["report", "json"])
def test_ctrl_c_cancels_closes_and_reports(start: Start, tmp_path: Path, shown: str) -> None:
    journal = tmp_path / "journal.sqlite3"
    more = ["--json"] if shown == "json" else []
    process = start("--data", write_day(tmp_path, "SPY"), "--symbol", "CVNA=SPY", "--speed", 300,
                    "--journal", journal, *more)
    wait_for(process, lambda: exposed(journal))
    press_ctrl_c(process)
    code, out, err = end_of(process)
    assert code == 130, err
    if shown == "json":
        report = json.loads(out)
        assert report["interrupted"] and report["flat"] and report["exact"] and report["signals"] >= 1
        assert not set(report["orders"]) - {"filled", "cancelled"}
    else:
        assert "ended by Ctrl-C" in out
        assert "The books agree to the last digit; all is flat" in out
    records = list(decode_records(read_journal(journal)))
    cut = next(n for n, r in enumerate(records) if isinstance(r, FlattenMoved) and r.reason == "Ctrl-C")
    before, after = desk_of(records[:cut]).state, desk_of(records).state
    assert any(each.quantity for each in before.ours.holdings.values()), "nothing was held when it came"
    assert list(before.book.living()), "no order worked when it came"
    assert not list(after.book.living())
    assert not any(each.quantity for each in after.ours.holdings.values())
    assert any(isinstance(record, Booked) for record in records[cut:]), "nothing was closed"


def test_ctrl_c_twice_ends_at_once(start: Start, tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite3"
    process = start("--data", write_day(tmp_path, "SPY"), "--symbol", "CVNA=SPY", "--speed", 300,
                    "--journal", journal)
    wait_for(process, lambda: exposed(journal))
    press_ctrl_c(process)
    with suppress(ProcessLookupError):
        press_ctrl_c(process)
    code, _, _ = end_of(process)
    assert code == 130
    list(read_journal(journal))  # whole, whatever was cut short


@pytest.mark.parametrize("after_s", [0.35, 0.5, 0.7, 0.9])
def test_ctrl_c_while_it_starts(start: Start, after_s: float) -> None:
    """Wherever it is by then: no traceback of ours, no report of a day that did not happen."""
    process = start("--speed", 1)
    time.sleep(after_s)
    press_ctrl_c(process)
    out, err = process.communicate(timeout=BOUND_S)
    assert "this is a bug" not in err
    # Before our own first line runs, it is the interpreter that says KeyboardInterrupt.
    assert process.returncode == 130 or ("KeyboardInterrupt" in err and "import" in err), (out, err)


# -- mistakes: one line on stderr that names what is wrong and what to do, and code 2


def refused(start: Start, *arguments: object) -> str:
    code, out, err = end_of(start(*arguments))
    assert code == 2, (code, out, err)
    lines = [line for line in err.splitlines() if line.startswith("tws: ")]
    assert len(lines) == 1, err
    return lines[0]


def test_a_bad_row_names_file_line_and_reason(start: Start, tmp_path: Path) -> None:
    path = write_day(tmp_path, "SPY", minutes=2)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[40] = "not,a,row"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    line = refused(start, "--data", path)
    assert f"{path}, line 41: " in line and "'not'" in line


@pytest.mark.parametrize(("text", "told"), [
    ("[risk]\nmax_order_quantity = -1\n", ["risk.max_order_quantity", "-1", "Correct"]),
    ("[risk]\nmax_order_quantty = 1\n", ["risk.max_order_quantty", "no such setting", "max_order_q"]),
    ("[demo]\nseed = 'seven'\n", ["demo.seed", "'seven'"]),
    ("demo = [\n", ["file", "TOML"]),
])
def test_a_wrong_configuration_names_field_value_and_cure(
    start: Start, tmp_path: Path, text: str, told: list[str]
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    line = refused(start, "--config", path)
    for word in told:
        assert word in line


@pytest.mark.parametrize(("arguments", "told"), [
    (["--data", "nowhere.csv"], ["nowhere.csv", "can't be opened"]),
    (["--config", "nowhere.toml"], ["nowhere.toml"]),
    (["--symbol", "CVNA"], ["CVNA", "CVNA=SPY"]),
    (["--symbol", "CVNA=SPY"], ["--data"]),
    (["--speed", "fast"], ["speed", "fast", "max"]),
    (["--speed", "-1"], ["speed", "-1"]),
])
def test_a_wrong_option(start: Start, arguments: list[str], told: list[str]) -> None:
    line = refused(start, *arguments)
    for word in told:
        assert word in line


def test_an_existing_journal(start: Start, tmp_path: Path) -> None:
    (tmp_path / "j.sqlite3").touch()
    assert "j.sqlite3" in refused(start, "--journal", "j.sqlite3")


def test_the_command_line_comes_before_the_file(tmp_path: Path) -> None:
    """And the file before the defaults, of which it replaces no more than it names."""
    from tws.cli.demo import _configured
    from tws.demo import DemoOptions

    path = tmp_path / "tws.toml"
    path.write_text("[demo]\nseed = 3\n[risk]\nmax_position = 50\n", encoding="utf-8")
    options = _configured(DemoOptions(), path)
    assert options.seed == 3 and options.speed == "max" and options.symbols == ()
    assert options.limits.max_position == 50
    assert options.limits.max_order_notional == DemoOptions().limits.max_order_notional


def test_a_seed_on_the_command_line_wins(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "tws.toml"
    data = write_day(tmp_path, "SPY", minutes=2)
    path.write_text(f"[demo]\nseed = 3\ndata = ['{data}']\n", encoding="utf-8")
    code, out, err = end_of(start("--config", path, "--seed", 5, "--json"))
    assert code == 0, err
    assert json.loads(out)["seed"] == 5
