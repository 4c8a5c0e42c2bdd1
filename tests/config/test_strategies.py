"""Strategies in Python in a configuration: section, file and class, and every slip with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tws.config import Settings, load_settings
from tws.config.strategies import PythonStrategySection, file_digest, is_loading, load_class
from tws.errors import ConfigError

SECTION = """
[[strategies]]
kind = "python"
file = "my.py"
class = "Momentum"
"""


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "tws.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_a_section_with_all_that_it_may_say(tmp_path: Path) -> None:
    more = (
        'name = "mine"\nsymbols = ["SPY"]\noptions = { fast = 12, names = ["a"] }\nmax_errors = 3\n'
        'error_window_s = 60\nblocked_s = 2.5\nwarm_up = false\nshares = 10\n[[strategies]]\n'
        'kind = "breakout"\nsymbols = ["QQQ"]\n'
    )
    section, other = load(tmp_path, SECTION + more).strategies
    assert isinstance(section, PythonStrategySection)
    assert (section.file, section.class_, section.name) == ("my.py", "Momentum", "mine")
    assert section.options == {"fast": 12, "names": ("a",)}
    assert (section.max_errors, section.blocked_s, section.warm_up) == (3, 2.5, False)
    assert other.symbols == ("QQQ",)


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        (SECTION + "clas = 1\n", "strategies.0.clas", "Did you mean class?"),
        (SECTION + 'blocked_s = "5"\n', "strategies.0.blocked_s", "Correct strategies.0.blocked_s"),
        (SECTION.replace('class = "Momentum"\n', ""), "strategies.0.class", 'such as "Momentum"'),
        (SECTION.replace("python", "pyton"), "strategies.0.kind", "Did you mean python?"),
        (SECTION.replace('kind = "python"\n', ""), "strategies.0.kind", "Known here: breakout, crossover"),
        (SECTION + 'sha256 = "abc"\n', "strategies.0.sha256", "Correct"),
        (SECTION + "bar_seconds = 7\n", "strategies.0.bar_seconds", "make a day"),
    ],
)
def test_slips(tmp_path: Path, text: str, field: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.field == field
    assert cure in caught.value.cure


def test_a_class_is_loaded_with_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("NUMBER = 7\n", encoding="utf-8")
    path = tmp_path / "my.py"
    path.write_text(
        "from dataclasses import dataclass\nfrom beside_it import NUMBER\n\n@dataclass\nclass Momentum:\n"
        "    number: int = NUMBER\n",
        encoding="utf-8",
    )
    assert load_class(path, "Momentum")().number == 7
    assert is_loading() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nclass Momentum(:\n", "my.py, line 2'"),
        ("\n\nx = 1 / 0\n", "my.py, line 3': ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(1)\n", "my.py, line 2': SystemExit: 1"),
        ("import no_such_module_at_all\n", "my.py, line 1': ModuleNotFoundError"),
        ("class Momentun: pass\n", "my.py has no such class. Did you mean Momentun?"),
        ("Momentum = 5\n", "my.py has no such class"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "my.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_class(path, "Momentum")
    assert said in str(caught.value)
    assert is_loading() is None


def test_the_text_counts_and_not_what_python_compiled_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled code is kept by size and second, and an edit may change neither."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    path = tmp_path / "my.py"
    for number in (1, 2):
        path.write_text(f"class Momentum:\n    number = {number}\n", encoding="utf-8")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        assert load_class(path, "Momentum").number == number  # type: ignore[attr-defined]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_class(tmp_path / "my.py", "Momentum")


def test_the_digest_does_not_see_line_ends(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_bytes(b"a\nb\n")
    other.write_bytes(b"a\r\nb\r\n")
    assert file_digest(one) == file_digest(other)
