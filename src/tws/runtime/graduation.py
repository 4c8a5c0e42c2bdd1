"""How much of its sizes and of its limits a live run may use: little at first, more as sessions end well.

    grade = grade_of(root, settings, account)      # from the lines that sessions left (`evidence`)
    capped(limits, grade.share)                    # the limits of such a run

A simulator and a paper account have no grade: there a strategy trades at its full size, and earns what an
unlock asks for. On a live account it begins with a tenth, whatever it is sized by, and goes on from step to
step with the live sessions of this configuration that traded and ended reconciled. One that did not end so
takes it back to the beginning. Which code they ran on does not count here: each code has earned its unlock.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from tws.config import Settings
from tws.risk import Limits
from tws.risk.limits import SCOPES, Override
from tws.runtime.evidence import read_sessions
from tws.runtime.fingerprint import settings_fingerprint

__all__ = ["GRADES", "Grade", "capped", "grade_of"]

GRADES = ((0, Decimal("0.1")), (5, Decimal("0.25")), (10, Decimal("0.5")), (20, Decimal(1)))
"""From so many sessions on, this part: a tenth is the least that shows how orders fill and still hurts
little; a week, two and a month of trading days lead to the whole."""

COUNTS = ("max_order_quantity", "max_position")
MONEY = (
    "max_order_notional", "max_position_notional", "max_symbol_notional", "max_net_notional",
    "max_gross_notional", "max_daily_loss", "max_drawdown",
)  # fmt: skip


class Grade(Struct, frozen=True, kw_only=True):
    """Step `number` of `of`: the part `share`, earned by `sessions`; the next one begins at `next_at`."""

    number: int
    share: Decimal
    sessions: int
    next_at: int | None
    of: int = len(GRADES)

    def __str__(self) -> str:
        whole = self.next_at is None
        part = "whole sizes and limits" if whole else f"{self.share:.0%} of sizes and limits"
        ahead = "" if whole else f", more from {self.next_at} on"
        return f"step {self.number} of {self.of}: {part}; {self.sessions} live sessions ended well{ahead}"


def grade_of(root: Path, settings: Settings, account: str) -> Grade:
    """The grade of this configuration on a live account; `root` is the folder of all traders' state."""
    said, count = settings_fingerprint(settings), 0
    lines = [each for each in read_sessions(root) if each.account == account]
    for each in sorted(lines, key=lambda line: line.at_ns):
        if not each.reconciled:
            count = 0
        elif each.settings == said and each.trades:
            count += 1
    number = sum(count >= least for least, _ in GRADES)
    next_at = GRADES[number][0] if number < len(GRADES) else None
    return Grade(number=number, share=GRADES[number - 1][1], sessions=count, next_at=next_at)


def capped(limits: Limits, share: Decimal) -> Limits:
    """The limits with this part of every size and loss, overrides too; at least one share stays possible."""
    if share == 1:
        return limits
    scopes = {}
    for scope in SCOPES:
        overrides: dict[str, Override] = getattr(limits, scope)
        scopes[scope] = {key: {**each, **_parts(each, share)} for key, each in overrides.items()}
    return replace(limits, **_parts(asdict(limits), share), **scopes)


def _parts(values: Override, share: Decimal) -> Override:
    """What has a size, of these; a bound that is off stays off."""
    named = ((name, values.get(name)) for name in (*COUNTS, *MONEY))
    return {name: _of(name, value, share) for name, value in named if value is not None}


def _of(name: str, value: Decimal, share: Decimal) -> Decimal:
    part = value * share
    if name in COUNTS:
        return min(value, max(Decimal(1), part.to_integral_value(ROUND_FLOOR)))
    return part.normalize()
