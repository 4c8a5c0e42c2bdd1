"""One thing that was looked at before a run, for people and as JSON."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tws.errors import ConfigError

__all__ = ["Line", "Weight", "of_error"]


class Weight(StrEnum):
    """What a line means for a run. BLOCKER: it would not start, or could not do what it is there for."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    BLOCKER = "blocker"


class Line(Struct, frozen=True, kw_only=True):
    """`about` says what was looked at, in a word or a field of the file; `cure` is empty when all is well."""

    about: str
    weight: Weight
    text: str
    cure: str = ""
    line: int = 0
    """Of the configuration's file; 0: of none."""

    def place(self) -> str:
        """What was looked at, and in which line it stands."""
        return f"{self.about} (line {self.line})" if self.line else self.about


def of_error(wrong: ConfigError) -> Line:
    """What keeps a run from starting."""
    value = "" if wrong.value in (None, "") else f"{wrong.value!r}: "
    return Line(about=wrong.field, weight=Weight.BLOCKER, text=f"{value}{wrong.reason}", cure=wrong.cure,
                line=wrong.line)  # fmt: skip
