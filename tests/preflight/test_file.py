"""All that is wrong in a file is told at once; secrets are never shown; what makes no sense is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.preflight.scene import about, blockers, one, plan_of, written

from tws.errors import ConfigError
from tws.model.stop import KillState
from tws.preflight.file import check_file
from tws.preflight.line import Weight
from tws.rules import Engine
from tws.runtime.rulefile import write_memory
from tws.safety import SafetyFile

WRONG = """
[connection]
clientid = 4
[risk]
max_order_quantity = -1
max_drawdown = 10
max_orders_per_side = 21
[risk.symbols.SPY]
max_drawdwn = 1
[risk.symbols.QQQ]
max_position = 10_001
[[signals]]
kind = "file"
file = "none.jsonl"
symbols = ["SPY", "QQQ"]
[[signals]]
kind = "http"
symbols = ["SPY"]
base_url = "https://api.example.com"
[[strategies]]
kind = "breakout"
symbols = "GLD"
[[rules]]
name = "one"
when = "confidnce > 0.5"
then = "exit"
[[rules]]
name = "two"
when = "confidence > 0.5"
then = "leave"
[codes.4711]
order = "bogus"
[sgnals]
"""


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG, encoding="utf-8")
    checked = check_file(path, tmp_path / "state", {})
    assert checked.plan is None
    fields = [line.about for line in blockers(checked)]
    assert sorted(set(fields)) == sorted([
        "sgnals", "connection.clientid", "risk.max_order_quantity", "risk.max_orders_per_side",
        "risk.symbols.SPY.max_drawdwn", "risk.symbols.QQQ.max_position", "strategies.0.symbols",
        "codes.4711.order", "rules.one.when", "rules.two.then", "symbols", "signals.file", "API_KEY",
    ])  # fmt: skip
    assert len(fields) == len(set(fields)), "one thing is told once"


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("sgnals", "signals"),
        ("connection.clientid", "client_id"),
        ("risk.symbols.SPY.max_drawdwn", "max_drawdown"),
        ("rules.one.when", "confidence"),
    ],
)
def test_a_slip_of_the_pen_is_guessed(tmp_path: Path, field: str, meant: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG, encoding="utf-8")
    assert f"Did you mean {meant}?" in one(check_file(path, tmp_path, {}), field).cure


def test_a_right_file_has_a_plan_and_makes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, 7400)
    before = sorted(tmp_path.rglob("*"))
    checked = check_file(path, tmp_path / "state", {})
    assert checked.plan is not None and not blockers(checked)
    assert one(checked, "file").weight is Weight.OK
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("text", ["[connection", "a = \\x"])
def test_what_is_no_toml_is_one_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="no TOML"):
        check_file(path)


API = """
[[signals]]
kind = "http"
symbols = ["SPY"]
"""


def test_secrets_are_told_of_by_name_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "api.toml"
    path.write_text(API, encoding="utf-8")
    missing = check_file(path, tmp_path, {})
    assert {line.about for line in blockers(missing)} >= {"signals.base_url"}
    environ = {"API_BASE_URL": "https://api.example.com"}
    assert one(check_file(path, tmp_path, environ), "API_KEY").weight is Weight.BLOCKER
    (tmp_path / ".env").write_text("API_KEY=hushhushhushhush\n", encoding="utf-8")
    told = check_file(path, tmp_path, environ)
    assert one(told, "API_KEY").weight is Weight.OK and ".env" in one(told, "API_KEY").text
    assert not any("hush" in f"{line.text}{line.cure}" for line in told.lines)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ("[risk]\nmax_order_quantity = 9", "risk.max_order_quantity"),
        ("[risk.symbols.SPY]\nmax_position = 9", "risk.max_position"),
        ("[risk]\ndeny = ['SPY']", "risk.deny"),
        ("[risk]\nallow = ['QQQ']", "risk.allow"),
    ],
)
def test_limits_under_which_no_entry_could_leave_are_blockers(tmp_path: Path, more: str, field: str) -> None:
    assert [line.about for line in blockers(check_file(written(tmp_path, 7400, more=more)))] == [field]


def test_a_limit_that_leaves_room_is_none(tmp_path: Path) -> None:
    more = "[risk]\nmax_order_quantity = 10\n[risk.symbols.QQQ]\nmax_position = 9"
    assert not blockers(check_file(written(tmp_path, 7400, more=more)))


def test_entries_after_the_close_of_day_are_a_warning(tmp_path: Path) -> None:
    flat = "[run]\nflatten_before_close_s = 300"
    line = one(check_file(written(tmp_path, 7400, more=flat)), "close_margin_s")
    assert line.weight is Weight.WARNING


def test_a_latch_is_a_blocker_with_its_reset(tmp_path: Path) -> None:
    path = written(tmp_path, 7400)
    with SafetyFile(tmp_path / "state" / "7400-1" / "safety") as safety:
        safety.latch(KillState.LATCHED, reason="drill", operator="me", at_ns=1)
    assert "tws reset" in one(blockers(check_file(path, tmp_path / "state", {})), "latch").cure


RULE = """
[[rules]]
name = "enter"
when = "wish == BUY"
then = "enter signal shares 1 stop 2 atr target 2 atr"
"""


def test_what_the_rules_remember_is_looked_at(tmp_path: Path) -> None:
    """A run would refuse half a memory; and a rule that was switched off stays off, which a human forgets."""
    path, state = written(tmp_path, 7400, more=RULE), tmp_path / "state"
    kept = state / "7400-1" / "rules.json"
    assert not about(check_file(path, state, {}), "rules.json")
    engine = Engine(plan_of(path).rules)
    engine.disable("enter", "too eager")
    write_memory(kept, engine.written())
    line = one(check_file(path, state, {}), "rules.json")
    assert (line.weight, line.text) == (Weight.WARNING, "enter is switched off: too eager")
    kept.write_bytes(kept.read_bytes()[:-20])
    line = one(blockers(check_file(path, state, {})), "rules.json")
    assert str(kept) in line.text and line.cure.startswith("Put a copy back")


def test_real_money_wants_its_unlock(tmp_path: Path) -> None:
    path = written(tmp_path, 7400)
    text = path.read_text(encoding="utf-8")
    text = text.replace("port = 7400", 'port = 7496\ntrading_mode = "live"\naccount_id = "U7654321"')
    path.write_text(text, encoding="utf-8")
    line = one(blockers(check_file(path, tmp_path / "state", {})), "unlock")
    assert "U7654321" not in line.text and "tws unlock" in line.cure
    path.write_text(f"{text}\n[paper]\nallow_delayed = true\n", encoding="utf-8")
    assert about(blockers(check_file(path, tmp_path / "state", {})), "paper.allow_delayed")
