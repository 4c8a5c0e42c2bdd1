"""What a plan says of rules, sources and sizes, before anything is dialled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tws.config import load_settings
from tws.errors import ConfigError
from tws.runtime.plan import RunPlan, plan_run

TEXT = """
[[strategies]]
kind = "breakout"
symbols = ["SPY"]
"""


def planned(folder: Path, text: str) -> RunPlan:
    file = folder / "tws.toml"
    file.write_text(text, encoding="utf-8")
    return plan_run(load_settings(file), file, folder)


def rule(when: str, then: str = "exit") -> str:
    return f'{TEXT}[[rules]]\nname = "first"\nwhen = "{when}"\nthen = "{then}"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (rule("confidnce >= 0.5"), r"rules\.first\.when .*line 1, column 1.*Did you mean confidence"),
        (rule("symbol == QQQ"), r"rules\.first\.when.*no traded symbol can ever fire it.*SPY"),
        (f"{TEXT}shares = 10\nrisk_fraction = 0.01\n", "two ways to size"),
        (f'{TEXT}scale_in_profit = "2 percent"\n', 'no distance above zero.*"1 atr" or "2%"'),
        (f'{TEXT}scale_in_profit = "0%"\n', "no distance above zero"),
        (f'{TEXT}trail = "2"\n', 'no distance above zero.*"2 atr" or "1.5%"'),
        (f'{TEXT}trail = "100%"\n', "trail by all of the price"),
        (f'{TEXT}trail = "1%"\nbreak_even_after = "1%"\n', "two ways to move a stop: keep one"),
        (f'{TEXT}break_even_offset = "1%"\n', "moves nothing without break_even_after"),
        (f'{TEXT}break_even_after = "1 atr"\nbreak_even_offset = "1 atr"\n', "write a smaller one"),
        (f'{TEXT}break_even_after = "4 atr"\n', "the target comes before break_even_after"),
        (f'{TEXT}opposite = "turn"\n', '"reverse".*"close" or "ignore"'),
        (f'{TEXT}[[signals]]\nkind = "http"\nsymbols = ["SPY"]\n', "One strategy owns a contract"),
        (
            '[[signals]]\nkind = "http"\nsymbols = ["SPY"]\n'
            '[[signals]]\nkind = "webhook"\nsymbols = ["SPY"]\n',
            "One strategy owns a contract",
        ),
    ],
)
def test_what_is_wrong_is_said_before_dialling(tmp_path: Path, text: str, says: str) -> None:
    planned(tmp_path, TEXT)
    with pytest.raises(ConfigError, match=says):
        planned(tmp_path, text)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('trail = "2 atr"', "stop 6 ATR that trails by 2 atr, target 3 ATR"),
        ('break_even_after = "2 atr"\nbreak_even_offset = "0.1%"',
         "stop 6 ATR, at the entry + 0.1% after 2 atr of profit"),
    ],
)  # fmt: skip
def test_a_plan_tells_how_its_stop_moves(tmp_path: Path, more: str, says: str) -> None:
    assert says in "\n".join(planned(tmp_path, f"{TEXT}{more}\n").lines())


def test_a_plan_tells_what_it_will_do(tmp_path: Path) -> None:
    more = 'double_down = true\nscale_in_profit = "1 atr"\nkelly_fraction = 0.25\n'
    text = f"{TEXT}{more}" + rule("price of QQQ > 5").removeprefix(TEXT)
    lines = "\n".join(planned(tmp_path, text).lines())
    for part in ("an opposite signal reverses", "adds 1 times at most, at 1 atr", "doubles down half way",
                 "0.25 of Kelly's fraction, 2.00% at risk at most", "rules     first"):  # fmt: skip
        assert part in lines
