"""`tws run` as a process, `tws reload` beside it; the way to the opening as it is shown."""

from __future__ import annotations

import io
import json
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.crash.process import Desk, until

from tws.cli.way import Way
from tws.clock import NS_PER_S, to_ns
from tws.runtime.opening import Countdown
from tws.testing import HostedTWS

OPENS_NS = to_ns(datetime(2026, 11, 30, 14, 30, tzinfo=UTC))


def countdown(left_s: int) -> Countdown:
    return Countdown(symbol="SPY", opens_ns=OPENS_NS, left_s=left_s)


def test_a_closed_market_is_counted_down_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """The simulator's market lies a week ahead, on a Saturday; the trader's clock is the wall's."""
    now = datetime.now(UTC)
    saturday = (now + timedelta(days=7 + (5 - now.weekday()) % 7)).replace(hour=12, minute=0, second=0)
    with HostedTWS(hours="exchange", start_ns=to_ns(saturday), symbols=("SPY", "QQQ")) as tws:
        desk = Desk(tmp_path, tws)
        process = desk.run("--for", "60s")
        try:
            ended = process.popen.poll
            until(lambda: "closed: SPY opens in" in process.text or ended() is not None, "the way")
            assert "trading" not in process.text.split("closed:")[1], process.text
            stop = signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT
            process.popen.send_signal(stop)
            assert process.wait() == 0, process.text
            assert "nothing: flat" in process.text
        finally:
            process.kill()


def test_a_typo_in_a_key_is_said_with_its_line_before_a_dial(tmp_path: Path) -> None:
    with HostedTWS(hours="always") as tws:
        desk = Desk(tmp_path, tws)
        text = desk.config.read_text(encoding="utf-8")
        desk.config.write_text(text.replace("cooldown_s", "cooldwn_s"), encoding="utf-8")
        process = desk.run()
        try:
            assert process.wait() == 2, process.text
            assert "signals.cooldwn_s" in process.text and "Did you mean cooldown_s?" in process.text
            assert "(line 14)" in process.text and not tws.sessions(), process.text
        finally:
            process.kill()


def test_lines_where_no_bar_can_move(capsys: pytest.CaptureFixture[str]) -> None:
    way = Way(as_json=False)
    for left_s in range(7500, 0, -1):
        way.tell(countdown(left_s))
    way.tell(countdown(0))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "closed: SPY opens in 2 h 05 min, 2026-11-30 14:30 UTC"
    assert lines[1].startswith("closed: SPY opens in 2 h 00 min") and len(lines) < 30
    assert lines[-2].startswith("closed: SPY opens in 1 min 00 s") and lines[-1] == "trading"


def test_events_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    way = Way(as_json=True)
    way.tell(countdown(40))
    way.tell(countdown(0))
    out, err = capsys.readouterr()
    assert out == "", "stdout is the report's"
    first, last = err.splitlines()
    assert json.loads(first) == {
        "event": "closed", "symbol": "SPY", "opens": "2026-11-30T14:30:00+00:00", "in_s": 40
    } and last == "trading"  # fmt: skip


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    way = Way(as_json=False)
    for left_s in (90, 40, 0):
        way.tell(countdown(left_s))
    text = screen.getvalue()
    assert "SPY opens 2026-11-30 14:30 UTC, Ctrl-C ends" in text and "1 min 30 s" in text and "40 s" in text
    assert text.endswith("trading\n")


def test_a_process_is_told_to_reload(tmp_path: Path) -> None:
    """A limit of the file, a typo in it, a setting that wants a restart; the journal tells of it."""
    with HostedTWS(hours="always") as tws:
        tws.quote("SPY", bid=99.99, ask=100.01)
        tws.quote("QQQ", bid=49.99, ask=50.01)
        desk = Desk(tmp_path, tws)
        assert desk.command("reload")[0] == 2, "none runs"
        with desk.running() as process:
            desk.signal("SPY")
            until(lambda: desk.holds("SPY", 10), "a position")
            text = desk.config.read_text(encoding="utf-8")

            code, said = desk.command("reload", "--dry")
            assert code == 0 and "nothing to change" in said, said
            desk.config.write_text(text.replace("[risk]", "[risk]\nmax_order_quantity = 5"), "utf-8")
            code, said = desk.command("reload", "--operator", "ann", "--reason", "small")
            assert code == 0 and "max_order_quantity: 10000 -> 5" in said, said

            desk.config.write_text(text.replace("[risk]", "[risk]\nmax_order_quantty = 4"), "utf-8")
            code, said = desk.command("reload")
            assert code == 2 and "trader.toml" in said and "(line 6)" in said, said
            assert "Did you mean max_order_quantity?" in said
            code, said = desk.command("reload", "--json")
            assert code == 2 and json.loads(said)["lines"][0]["line"] == 6, said
            desk.config.write_text(text.replace("[risk]", "[risk]\nmax_position ="), "utf-8")
            code, said = desk.command("reload")
            assert code == 2 and "no TOML" in said and "at line" in said, said

            desk.config.write_text(text.replace("shares = 10", "shares = 11"), "utf-8")
            code, said = desk.command("reload")
            assert code == 2 and "signals.0.shares" in said and "was 10" in said and "Restart" in said, said

            began = time.time_ns()
            wish = desk.signal("QQQ")
            assert desk.ask("risk")["limits"]["max_order_quantity"] == "5"
            until(lambda: "max_order_quantity" in desk.command("explain", wish)[1], "the limit's word")
            code, said = desk.command("explain", "s1")
            assert code == 0 and "max_order_quantity from 10000 to 5" in said, said
            code, said = desk.command("verify", "--json")
            [session] = json.loads(said)["sessions"]
            assert code == 0 and [session["configuration"]] != session["reloaded"] != []
            assert desk.ask("stop", how="protected")["denied"] == {"max_order_quantity": 1}
            assert process.wait() == 0 and time.time_ns() - began < 3600 * NS_PER_S
        told = process.text.split("trading\n")[1].split("\nended")[0].splitlines()
        lines = [line.partition("  ")[2] for line in told]  # without the time
        assert lines[0].startswith("SPY    BUY 10, stop ") and ", target " in lines[0], told
        assert "SPY    entry filled: bought 10 at 100.01" in lines, told
        assert any(line.startswith("QQQ    denied BUY 10: max_order_quantity") for line in lines), told
