"""What `tws rules` asks of a running trader: how each rule stands, a switch, why one did not fire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from tws.clock import to_datetime
from tws.errors import ConfigError
from tws.runtime.stopping import named

if TYPE_CHECKING:
    from tws.runtime.ruling import Ruling
    from tws.runtime.run import Run

__all__ = ["RuleWish", "answered"]

MOST_LISTED = 500
"""Rules of one answer, those of the highest priority first: a thousand lines are read by nobody, and the
trader makes the answer between two events.
"""


class RuleWish(Struct, frozen=True, kw_only=True):
    """`symbol` and `event` narrow what is explained; a switch wants a name and a reason."""

    what: Literal["list", "enable", "disable", "explain"]
    rule: str = ""
    symbol: str = ""
    event: str = ""
    operator: str = ""
    reason: str = ""


async def answered(run: Run, wish: RuleWish) -> dict[str, Any]:
    """The answer as JSON takes it. Raises ConfigError: no such rule, a switch without a name and a reason."""
    rules, now_ns = None if run.pilot is None else run.pilot.rules, run.clock.now_ns()
    if wish.what == "list":
        rows = [] if rules is None else rules.tallies(now_ns, MOST_LISTED)
        more = 0 if rules is None else len(rules.engine.rules) - len(rows)
        cooldowns = {} if rules is None else rules.engine.cooldowns(now_ns)
        return {"rules": msgspec.to_builtins(rows), "more": more, "cooldowns": cooldowns}
    if rules is None:
        raise ConfigError("rule", wish.rule, "this run has no rules", "Write [[rules]] into its file")
    try:
        if wish.what == "explain":
            return _explained(rules, wish)
        operator, reason = named(wish.operator, wish.reason)
        await rules.switch(wish.rule, wish.what == "enable", operator, reason)
    except ValueError as wrong:
        if isinstance(wrong, ConfigError):
            raise
        why, _, cure = str(wrong).partition(". ")
        raise ConfigError("rule", wish.rule, why, cure or "See: tws rules list") from None
    return {"rule": wish.rule, "enabled": rules.engine.is_enabled(wish.rule), "kept": not rules.unkept}


def _explained(rules: Ruling, wish: RuleWish) -> dict[str, Any]:
    trace = rules.engine.explain(wish.rule, wish.symbol or None, wish.event or None)
    standing = {"rule": wish.rule, "enabled": rules.engine.is_enabled(wish.rule),
                "disabled": rules.engine.why_disabled(wish.rule)}  # fmt: skip
    if trace is None:
        return {**standing, "text": f"{wish.rule}: no such event has come yet", "trace": None}
    plain = msgspec.to_builtins(trace) | {"at": to_datetime(trace.at_ns).isoformat()}
    return {**standing, "text": trace.explain(), "trace": plain}
