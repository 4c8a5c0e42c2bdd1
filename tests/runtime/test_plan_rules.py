"""A file with rules is checked before anything is dialled, and refused while a run does not trade them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tws.config import load_settings
from tws.errors import ConfigError
from tws.runtime.plan import plan_run

TEXT = """
[[strategies]]
kind = "breakout"
symbols = ["SPY"]
"""


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("confidnce >= 0.5", r"rules\.enter\.when .*line 1, column 1.*Did you mean confidence"),
        ("confidence >= 0.5", "does not trade rules yet"),
    ],
)
def test_rules_are_never_passed_over(tmp_path: Path, when: str, says: str) -> None:
    file = tmp_path / "tws.toml"
    file.write_text(TEXT, encoding="utf-8")
    plan_run(load_settings(file), file, tmp_path)
    file.write_text(f'{TEXT}[[rules]]\nname = "enter"\nwhen = "{when}"\nthen = "exit"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        plan_run(load_settings(file), file, tmp_path)
