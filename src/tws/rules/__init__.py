"""Rules: conditions and actions as values, and an engine that says which rule an event fires. Pure.

fields      every name that a condition may ask about
conditions  comparisons, words, flags, crossings; `&`, `|`, `~`
actions     what a rule may wish, joined by `+`
rule        a condition, actions, priority, pauses
events      what rules hear
context     what the caller must know
engine      an event, a context, an instant in; decisions out
trace       why a rule did or did not fire
parser      conditions from text (`tokens` below it, `verbs` for actions, `tables` for a file's rules,
`render` back) ready       the rules that most traders want
"""

from __future__ import annotations

from tws.rules.actions import (
    Alert,
    AnyAction,
    BreakEven,
    CancelEntries,
    DisableRule,
    Distance,
    DoubleDown,
    EnableRule,
    Enter,
    Exit,
    Ignore,
    MoveStop,
    Reverse,
    ScaleIn,
    SetCooldown,
    Trail,
    atr,
    percent,
)
from tws.rules.conditions import AnyCondition, between, change, flag, indicator, number, word
from tws.rules.context import Context, Given, Holding
from tws.rules.decisions import Barrier, Decisions, Failed, Fired, Held, Needs
from tws.rules.engine import Engine
from tws.rules.events import BarEnded, Event, Filled, QuoteMoved, SignalCame, TimePassed
from tws.rules.memory import Memory
from tws.rules.parser import parse_condition
from tws.rules.render import action_text, condition_text, rule_table, rules_toml
from tws.rules.rule import Rule
from tws.rules.tables import parse_rule, parse_rules
from tws.rules.trace import Trace
from tws.rules.verbs import parse_actions

__all__ = [
    "Alert",
    "AnyAction",
    "AnyCondition",
    "BarEnded",
    "Barrier",
    "BreakEven",
    "CancelEntries",
    "Context",
    "Decisions",
    "DisableRule",
    "Distance",
    "DoubleDown",
    "EnableRule",
    "Engine",
    "Enter",
    "Event",
    "Exit",
    "Failed",
    "Filled",
    "Fired",
    "Given",
    "Held",
    "Holding",
    "Ignore",
    "Memory",
    "MoveStop",
    "Needs",
    "QuoteMoved",
    "Reverse",
    "Rule",
    "ScaleIn",
    "SetCooldown",
    "SignalCame",
    "TimePassed",
    "Trace",
    "Trail",
    "action_text",
    "atr",
    "between",
    "change",
    "condition_text",
    "flag",
    "indicator",
    "number",
    "parse_actions",
    "parse_condition",
    "parse_rule",
    "parse_rules",
    "percent",
    "rule_table",
    "rules_toml",
    "word",
]
