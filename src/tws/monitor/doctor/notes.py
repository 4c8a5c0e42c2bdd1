"""The doctor's notebook during one examination: steps, causes, and what the session told."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from msgspec.structs import replace

from tws.monitor.doctor import causes
from tws.monitor.doctor.report import DataSeen, Finding, Outcome, SessionSeen, SettingsSeen, Step

__all__ = ["Notes"]


class Notes:
    """Fills while the stages run. `session` is None until one is open."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []
        self.session: SessionSeen | None = None
        self.settings: SettingsSeen | None = None
        self.data: list[DataSeen] = []
        self.zone: tzinfo | None = None
        """The zone of TWS's login, where it can be told."""

    def step(self, stage: str, outcome: Outcome, text: str) -> None:
        """A stage that met no cause."""
        self.steps.append(Step(stage, outcome, text))

    def found(self, key: str, stage: str, *, mild: bool = False, **facts: object) -> None:
        """A cause, by its key; `facts` fill its text. `mild`: a warning here, whatever the table says."""
        self.add(causes.finding(key, stage, **facts), mild=mild)

    def add(self, finding: Finding, *, mild: bool = False) -> None:
        """A cause that is worded already."""
        mild = mild or causes.CAUSES[finding.key].warns
        (self.warnings if mild else self.findings).append(finding)
        self.steps.append(Step(finding.stage, Outcome.NOTE if mild else Outcome.PROBLEM, finding.cause))

    def saw(self, **facts: Any) -> None:
        """Something that the open session told."""
        if self.session is not None:
            self.session = replace(self.session, **facts)
