"""`tws run` as a real process: stopped, asked, killed, hung, latched, and started a second time."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.crash.process import Desk, Traded, until
from typer.testing import CliRunner

from tws.cli.app import app
from tws.errors import SafetyError
from tws.safety import SafetyFile
from tws.testing import HostedTWS

POSIX = sys.platform != "win32"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with HostedTWS(hours="always") as tws:
        for symbol, price in (("SPY", 100.0), ("QQQ", 50.0)):
            tws.quote(symbol, bid=price - 0.01, ask=price + 0.01)
        yield Desk(tmp_path, tws)


def hold(desk: Desk) -> None:
    """A long position of ten SPY with its stop and target at the broker."""
    desk.signal("SPY")
    until(lambda: desk.holds("SPY", 10), "a protected position")


def refs(desk: Desk) -> list[str]:
    return sorted(view.ticket.order_type for view in desk.tws.orders())


@pytest.mark.skipif(not POSIX, reason="a signal of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_it_protected(desk: Desk, name: str) -> None:
    with desk.running() as process:
        hold(desk)
        process.popen.send_signal(signal.Signals[name])
        assert process.wait() == 0, process.text
    assert "10 held, 10 of it behind a stop" in process.text
    assert "reconciled" in process.text
    assert refs(desk) == ["LMT", "STP"], "stop and target stay at the broker"
    assert desk.tws.sessions() == 0
    with SafetyFile(desk.place.safety) as safety:
        assert safety.state.lease is None


def test_its_time_is_over_and_the_report_is_json(desk: Desk) -> None:
    process = desk.run("--for", "0.5s", "--json")
    try:
        assert process.wait() == 0, process.text
        report = json.loads(process.out.read_text(encoding="utf-8"))
        assert report["good"] and report["flat"] and report["ended"] == "the 0.5 s are over"
    finally:
        process.kill()
    [line] = desk.place.sessions.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["reconciled"] is True


def test_stop_flatten_closes_all_that_is_ours(desk: Desk) -> None:
    with desk.running() as process:
        hold(desk)
        code, text = desk.command("stop", "--flatten")
        assert (code, "ended: flat" in text) == (0, True), text
        assert process.wait() == 0
    assert desk.tws.position("SPY") == 0
    assert desk.tws.orders() == ()


def test_a_second_trader_ends_and_names_the_first(desk: Desk) -> None:
    with desk.running() as process:
        note = desk.note()
        second = desk.run()
        try:
            assert second.wait() == 2
            assert f"process {process.popen.pid} on" in second.text
            assert "since 20" in second.text
        finally:
            second.kill()
        assert desk.note() == note, "the second must not write over what leads to the first"
        assert desk.settled()
        assert desk.tws.sessions() == 1


def test_kill_latches_and_only_a_named_human_resets(desk: Desk) -> None:
    with desk.running() as process:
        hold(desk)
        code, text = desk.command("kill", "--operator", "ann", "--reason", "a test")
        assert "NOT FLAT" in text and "SPY" in text, text
        assert code == 0, "entries are gone, the stop stays: that is what was asked for"
        assert refs(desk) == ["LMT", "STP"]
        desk.signal("QQQ")
        until(lambda: "a test" in str(desk.ask("status")["latches"]), "the latch")
        assert desk.tws.position("QQQ") == 0
        code, text = desk.command("reset", "--operator", "ann", "--reason", "seen")
        assert code == 2 and "accept" in text, text
        code, text = desk.command("reset", "--operator", "ann", "--reason", "seen", "--accept-positions")
        assert code == 0, text
        desk.signal("QQQ")
        until(lambda: desk.tws.position("QQQ") == 10, "an entry after the reset")
        process.kill()


def test_kill_flatten_answers_flat(desk: Desk) -> None:
    with desk.running():
        hold(desk)
        code, text = desk.command("kill", "--flatten", "--operator", "ann", "--json")
        assert code == 0, text
        assert '"flat": true' in text
        assert desk.tws.position("SPY") == 0
        assert desk.tws.orders() == ()


def freeze(process: Traded) -> None:
    """As a debugger does, or SIGSTOP."""
    psutil.Process(process.popen.pid).suspend()


def killed(desk: Desk, process: Traded) -> tuple[int, str]:
    """`tws kill --flatten` of a frozen trader; how long the answer took is printed, and asserted nowhere."""
    began_s = time.monotonic()
    code, text = desk.command_apart("kill", "--flatten", "--operator", "ann")
    print(f"answer of a frozen trader after {time.monotonic() - began_s:.1f} s; RISK.md: 25 s")
    assert process.wait() != 0
    assert f"process {process.popen.pid} on" in text and "was silent and was ended" in text
    return code, text


def test_a_frozen_trader_is_ended_and_its_place_taken(desk: Desk) -> None:
    with desk.running() as process:
        hold(desk)
        freeze(process)
        code, text = killed(desk, process)
        assert code == 0 and text.startswith("FLAT"), text
    assert desk.tws.position("SPY") == 0
    assert desk.tws.orders() == ()
    with SafetyFile(desk.place.safety) as safety:
        assert safety.latched and safety.state.lease is None


@pytest.mark.slow
def test_a_frozen_trader_whose_client_id_stays_in_use_has_all_cancelled(desk: Desk) -> None:
    """The longest way: silence, the end of the process, a session that is refused, another client id."""
    with desk.running() as process:
        hold(desk)
        freeze(process)
        desk.tws.play("zombie-id", client=1, lasts=10**6)
        code, text = killed(desk, process)
        assert code == 1 and text.startswith("NOT FLAT"), text
        assert "every order of the account" in text and "WITHOUT A STOP: SPY: 10 held" in text, text
    assert desk.tws.orders() == ()


def test_a_latch_that_can_t_be_written_stops_no_stop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses the command's latch; the trader hears of the stop all the same."""

    def refuse(self: SafetyFile, *given: object, **named: object) -> None:
        raise SafetyError(self.path, "unwritable", "Input/output error", "Replace the disk")

    with desk.running():
        hold(desk)
        monkeypatch.setattr(SafetyFile, "latch", refuse)
        words = ["kill", "--flatten", "--operator", "ann", "--state", str(desk.place.folder.parent)]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0 and "the latch is not on disk" in done.output, done.output
    assert desk.tws.position("SPY") == 0


def test_kill_without_a_trader_acts_by_the_journal(desk: Desk) -> None:
    with desk.running() as process:
        hold(desk)
        process.kill()
    code, text = desk.command("kill", "--flatten", "--operator", "ann")
    assert code == 0 and "no trader runs" in text, text
    assert desk.tws.position("SPY") == 0
    code, text = desk.command("reset", "--operator", "ann", "--reason", "seen")
    assert code == 0, text
    with desk.running():
        desk.signal("QQQ")
        until(lambda: desk.tws.position("QQQ") == 10, "an entry after the reset")


def test_a_latch_pulled_without_a_trader_binds_the_next_one(desk: Desk) -> None:
    """The stop command died after its first act: the one that starts next carries it out."""
    from tws.model.stop import KillState

    with desk.running() as process:
        hold(desk)
        process.kill()
    with SafetyFile(desk.place.safety) as safety:
        safety.latch(KillState.FLATTENING, at_ns=1, reason="cut short", operator="ann")
    with desk.running():
        until(lambda: desk.tws.position("SPY") == 0, "the close that the latch asks for")
        desk.signal("QQQ")
        assert desk.command("status")[0] == 1
        assert desk.tws.position("QQQ") == 0


def test_adjust_over_the_channel_and_without_a_trader(desk: Desk) -> None:
    words = (
        "adjust",
        "SPY",
        "--quantity",
        "5",
        "--price",
        "100",
        "--operator",
        "ann",
        "--reason",
        "a transfer",
    )
    with desk.running() as process:
        hold(desk)
        assert desk.command(*words)[0] == 0
        process.kill()
    code, text = desk.command(*words)
    assert code == 0 and "Adjusted" in text, text
    code, text = desk.command(*words[:-1], " ")
    assert code == 2 and "reason" in text
    code, text = desk.command("adjust", "XYZ", *words[2:])
    assert code == 2 and "XYZ" in text


def test_risk_shows_distances_and_changes_limits_of_the_running_trader(desk: Desk) -> None:
    human = ("--operator", "ann", "--reason", "a small day")
    with desk.running() as process:
        hold(desk)
        code, text = desk.command("risk")
        assert code == 0 and "max_gross_notional" in text and "max_position " in text, text
        code, text = desk.command("risk", "--set", "max_position=10", *human)
        assert code == 0 and "done: max_position=10" in text, text
        code, text = desk.command("risk")
        assert code == 1 and "100.0%  10 of 10" in text, text
        code, text = desk.command("risk", "--set", "max_positon=9", *human)
        assert code == 2 and "max_positon" in text, text
        code, text = desk.command("risk", "--set", "max_position=9")
        assert code == 2 and "operator" in text, text
        code, text = desk.command("risk", "--release", "max_entries/SPY", *human)
        assert code == 2 and "has not latched" in text, text
        process.kill()
    code, text = desk.command("risk")
    assert code == 1 and "No trader runs" in text and "100.0%  10 of 10" in text, text
    code, text = desk.command("risk", "--set", "max_entries=3", *human)
    assert code == 0 and "done: max_entries=3" in text, text
    assert "1 of 3" in desk.command("risk")[1], "written into the journal"
    with desk.running():
        assert "10 of 10" in desk.command("risk")[1], "the change outlives the process"


def test_live_is_refused_without_an_unlock_and_unlock_lists_what_is_missing(desk: Desk) -> None:
    text = desk.config.read_text(encoding="utf-8").replace(
        "client_id = 1", 'client_id = 1\naccount_id = "U7654321"\ntrading_mode = "live"'
    )
    desk.config.write_text(text, encoding="utf-8")
    process = desk.run()
    try:
        assert process.wait() == 2
        assert "live trading is locked" in process.text and "tws unlock" in process.text
    finally:
        process.kill()
    code, text = desk.command("unlock", str(desk.config), "--account", "U7654321", "--operator", "ann")
    assert code == 2
    assert "no drill was played" in text and "0 paper sessions ended reconciled" in text
    assert desk.tws.sessions() == 0


def test_a_slip_in_the_configuration_is_named_before_anything_is_dialled(desk: Desk) -> None:
    text = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(text.replace("stop_fraction", "stop_fracton"), encoding="utf-8")
    process = desk.run()
    try:
        assert process.wait() == 2
        assert "signals.stop_fracton" in process.text and "Did you mean stop_fraction?" in process.text
    finally:
        process.kill()
    assert not desk.place.folder.exists()
