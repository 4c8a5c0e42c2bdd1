"""The page of rules: its names are those of the table, its examples are one. Run this file to draw it."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.drawn import Drawn

from tws.config import load_settings
from tws.model.sizing import Allocation
from tws.rules import parse_rules, rules_toml
from tws.rules.fields import FIELDS, FieldInfo, Kind
from tws.rules.ready import Plan, standard


def value_of(info: FieldInfo) -> str:
    if info.kind is Kind.WORD:
        return ", ".join(f"`{word}`" for word in info.words) or "a word"
    return (
        "a flag" if info.kind is Kind.FLAG else {"s": "a time span", "": "a number"}.get(info.unit, info.unit)
    )


def names() -> str:
    rows = [
        f"| `{name}` | {value_of(info)} | {info.meaning} | {info.unknown} |" for name, info in FIELDS.items()
    ]
    return "\n".join(["| name | value | meaning | unknown when |", "|---|---|---|---|", *rows])


def standard_rules() -> str:
    text = rules_toml(standard(Plan(size=Allocation(Decimal(10_000)))))
    return f"```toml\n{text}```"


PAGE = Drawn("rules.md", {"names": names(), "standard": standard_rules()})


@pytest.mark.parametrize("name", PAGE.parts)
def test_the_page_holds_what_the_table_draws(name: str) -> None:
    PAGE.check(name)


def test_the_examples_of_both_forms_are_equal(tmp_path: Path) -> None:
    text = PAGE.path.read_text(encoding="utf-8")
    toml, python = (re.findall(rf"```{form}\n(.*?)```", text, re.DOTALL)[0] for form in ("toml", "python"))
    file = tmp_path / "tws.toml"
    file.write_text(toml, encoding="utf-8")
    known: dict[str, Any] = {}
    exec(compile(python, str(PAGE.path), "exec"), known)
    assert parse_rules(each.chosen() for each in load_settings(file).rules) == tuple(known["rules"])


if __name__ == "__main__":
    PAGE.draw()
