"""What `tws init` writes: accepted by the loader as it is, and with each commented setting uncommented."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from tests.preflight.scene import blockers

from tws.clock import to_ns
from tws.config import load_settings
from tws.errors import ConfigError
from tws.platform import shell_word
from tws.preflight.file import check_file
from tws.preflight.scaffold import Answers, next_commands, next_note, parse_answers, scaffold, write

NOW_NS = to_ns(datetime(2026, 11, 27, 15, 0, tzinfo=UTC))
ENVIRON = {"API_BASE_URL": "https://api.example.com", "API_KEY": "a-key"}
TYPED = {
    "where": "simulator", "symbols": "SPY,QQQ", "money": "10000", "stop": "2", "target": "3",
    "source": "file",
}  # fmt: skip
SETTING = re.compile(r"^# ([a-z_]+) = .+$")
ALL = [
    Answers(where=where, source=source)  # type: ignore[arg-type]
    for where, source in product(("simulator", "paper"), ("file", "http", "breakout"))
]


def name(answers: Answers) -> str:
    return f"{answers.where}-{answers.source}"


@pytest.mark.parametrize("answers", ALL, ids=name)
def test_a_first_configuration_is_accepted(tmp_path: Path, answers: Answers) -> None:
    write(tmp_path, scaffold(answers, NOW_NS), force=False)
    settings = load_settings(tmp_path / "tws.toml")
    assert settings.connection.port == {"simulator": 7400, "paper": 7497}[answers.where]
    [section] = [*settings.signals, *settings.strategies]
    assert section.symbols == answers.symbols and section.allocation == answers.money
    assert (section.stop_fraction, section.target_fraction) == (0.02, 0.03)
    environ = {} if answers.where == "simulator" else ENVIRON
    assert not blockers(check_file(tmp_path / "tws.toml", tmp_path / "state", environ))


@pytest.mark.parametrize("answers", ALL, ids=name)
def test_each_commented_setting_exists(tmp_path: Path, answers: Answers) -> None:
    """One after the other is uncommented as it stands; the loader knows each, and its example."""
    text = scaffold(answers, NOW_NS)["tws.toml"]
    lines, tried = text.splitlines(), 0
    for number, line in enumerate(lines):
        if SETTING.match(line):
            tried += 1
            (tmp_path / "tws.toml").write_text(
                "\n".join([*lines[:number], line[2:], *lines[number + 1 :]]), encoding="utf-8"
            )
            load_settings(tmp_path / "tws.toml")
    assert tried >= 10
    misspelt = text.replace("# stop_atr", "stop_atrs")
    (tmp_path / "tws.toml").write_text(misspelt, encoding="utf-8")
    with pytest.raises(ConfigError, match="stop_atrs"):
        load_settings(tmp_path / "tws.toml")


def test_nothing_is_overwritten_unless_told(tmp_path: Path) -> None:
    files = scaffold(Answers(), NOW_NS)
    (tmp_path / "signals.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"holds signals\.jsonl already"):
        write(tmp_path, files, force=False)
    assert not (tmp_path / "tws.toml").exists(), "all or none"
    write(tmp_path, files, force=True)
    assert (tmp_path / "signals.jsonl").read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("where", "live"),
        ("symbols", ""),
        ("symbols", 'SPY"'),
        ("money", "0"),
        ("money", "NaN"),
        ("money", "much"),
        ("stop", "100"),
        ("target", "-1"),
        ("source", "tea leaves"),
    ],
)
def test_an_answer_that_is_none_is_named(field: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_answers({**TYPED, field: value})
    assert caught.value.field == field and caught.value.cure


def test_answers_reach_the_file(tmp_path: Path) -> None:
    typed = {**TYPED, "symbols": "tqqq, sqqq,TQQQ", "money": "2500.50", "stop": "1.5%", "target": "0.75"}
    answers = parse_answers(typed)
    files = scaffold(answers, NOW_NS)
    write(tmp_path, files, force=False)
    [section] = load_settings(tmp_path / "tws.toml").signals
    assert section.symbols == ("TQQQ", "SQQQ") and f"{section.allocation}" == "2500.5"
    assert (section.stop_fraction, section.target_fraction) == (0.015, 0.0075)
    assert files["signals.jsonl"].count("\n") == 2


def test_the_next_commands_name_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "my desk"
    first, second, third = next_commands(Answers(), folder)
    assert first == "tws sim --port 7400"
    assert second == f"tws check {shell_word(str(folder / 'tws.toml'))} --connect"
    assert third.startswith("tws run")
    assert next_commands(Answers(where="paper"), Path("d"))[0] == "tws doctor --port 7497"
    assert next_note(Answers(where="paper"), Path("d")) == ""
    assert ".env.example" in next_note(Answers(where="paper", source="http"), Path("d"))


def test_secrets_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_KEY=mine\n", encoding="utf-8")
    write(tmp_path, scaffold(Answers(source="http"), NOW_NS), force=True)
    assert (tmp_path / ".env").read_text(encoding="utf-8") == "API_KEY=mine\n"
