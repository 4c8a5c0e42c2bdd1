"""What the journal keeps of rules: who switched one while a run traded, and why.

What a rule wished is not said again here: an order that it made names the rule in its `signal_id`.
"""

from __future__ import annotations

from tws.model.record import JournalRecord

__all__ = ["RuleSwitched"]


class RuleSwitched(JournalRecord, frozen=True, kw_only=True):
    """A rule was enabled or disabled; without an operator by another rule, or since it raised too often."""

    rule: str
    enabled: bool
    reason: str
    operator: str = ""
