"""docs/design/risk.md shows the table of controls as it is in the code, and limits with their hard bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tws.risk import CONTROLS, FIELDS, Control, Holds, Limits
from tws.risk.fields import to_text

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "risk.md"
SCOPE = {"accounts": "account", "symbols": "symbol", "strategies": "strategy"}
PASSES = {Holds.ALL: "nothing", Holds.EXITS: "entries, cancels", Holds.ENTRIES: "exits, cancels"}


def scope_of(name: str) -> str:
    """Where a limit can be set: for everything, and tighter for these."""
    if name not in FIELDS:
        return "always on"
    return ", ".join(["everything", *(SCOPE[each] for each in FIELDS[name].scopes)])


def default_of(name: str) -> str:
    return to_text(getattr(Limits(), name)) or "none" if name in FIELDS else ""


def row(control: Control) -> str:
    name = control.name
    return f"| `{name}` | {scope_of(name)} | {default_of(name)} | {control.rule} | {PASSES[control.holds]} |"


def setting(name: str) -> str:
    kind = FIELDS[name]
    hard = f"{kind.highest:,f}: {kind.why}" if kind.highest < 10**15 else ""
    return f"| `{name}` | {scope_of(name)} | {default_of(name)} | {kind.shape} | {hard} |"


NAMED = {each.name for each in CONTROLS}
SETTINGS = [name for name, kind in FIELDS.items() if name not in NAMED or kind.highest < 10**15]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_the_page_has_each_control_as_it_is(control: Control) -> None:
    assert row(control) in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_has_no_other_and_the_order_of_the_gate() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith("| `") and line.endswith(
        tuple(f"| {passes} |" for passes in PASSES.values()))]
    assert shown == [row(each) for each in CONTROLS]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_page_has_each_setting_with_its_hard_bound(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert setting(name) in text.splitlines(), setting(name)
