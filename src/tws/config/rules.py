"""The section `[[rules]]`: a condition and actions as text, or as tables of texts.

    [[rules]]
    name = "enter"
    when = "confidence >= 0.5 and wish in (BUY, SHORT) and position.side == flat and cooldown <= 0s"
    then = ["enter signal cash 10000 stop 6 atr target 3 atr", "cooldown 3m"]
    priority = 10

    [[rules]]
    name = "pullback"
    when = { all = ["ema(20) crosses above ema(50)", { any = ["rsi(14) < 40", "change(5) < -0.3"] }] }
    then = "enter long shares 100 stop 2% target 4%"
    cooldown_s = 300
    per_day = 3

Names and types are checked here; `tws.rules.parse_rules` reads the texts and gives line and column of what is
wrong in them.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from tws.config.section import Section, Words

__all__ = ["RuleSection"]

Text = Annotated[str, Field(min_length=1, max_length=100_000)]


class RuleSection(Section):
    """One rule; what is left out has the default of `tws.rules.Rule`, which has the same names."""

    name: Words = Field(description='Give the rule a name of its own, such as "enter"')
    when: Text | dict[str, Any] = Field(
        description='Write a condition, such as "confidence >= 0.5", or a table with all, any or not'
    )
    then: Text | tuple[Text, ...] = Field(
        description='Write an action, such as "exit", or an array of actions'
    )
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] | None = None
    """Higher goes first; of equal ones the rule that stands first."""
    cooldown_s: Annotated[float, Field(ge=0, le=604_800, allow_inf_nan=False)] | None = None
    """The rule's own pause per symbol after it fired."""
    per_day: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """How often it may fire per symbol in a trading day, which ends with its session."""
    enabled: bool | None = None
    """False: it begins disabled, until a human or another rule enables it."""
