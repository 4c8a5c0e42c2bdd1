"""The doctor's notebook during one examination: steps, findings, and what the session told."""

from __future__ import annotations

from typing import Any

from tws.monitor.doctor import causes
from tws.monitor.doctor.report import Finding, Outcome, SessionSeen, Step

__all__ = ["Notes"]


class Notes:
    """Fills while the stages run. `session` is None until one is open."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.findings: list[Finding] = []
        self.session: SessionSeen | None = None

    def step(self, stage: str, outcome: Outcome, text: str) -> None:
        """A stage that met no cause."""
        self.steps.append(Step(stage, outcome, text))

    def found(self, key: str, stage: str, **facts: object) -> None:
        """A cause, by its key; `facts` fill its text."""
        self.add(causes.finding(key, stage, **facts))

    def add(self, finding: Finding) -> None:
        """A cause that is worded already."""
        self.findings.append(finding)
        self.steps.append(Step(finding.stage, Outcome.PROBLEM, finding.cause))

    def saw(self, **facts: Any) -> None:
        """Something that the open session told."""
        if self.session is not None:
            seen = {name: getattr(self.session, name) for name in SessionSeen.__struct_fields__}
            self.session = SessionSeen(**{**seen, **facts})
