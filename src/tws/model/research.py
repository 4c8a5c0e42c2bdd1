"""What is known of a company: reports with fundamentals, and the calendar of corporate events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Literal, TypeAlias

from msgspec import Struct

from tws.model.markup import Markup

__all__ = ["CorporateEvent", "EventCatalogue", "EventType", "FundamentalReport", "ReportKind"]

ReportKind: TypeAlias = Literal[
    "ReportSnapshot",
    "ReportsFinSummary",
    "ReportRatios",
    "ReportsFinStatements",
    "RESC",
    "CalendarReport",
    "ReportsOwnership",
]
"""The reports by TWS's names: company, summary, ratios, statements, estimates, calendar, owners."""


class FundamentalReport(Struct, frozen=True, kw_only=True):
    """A report (answer 51): TWS's text, and what stands in it."""

    kind: str
    xml: str
    root: Markup

    @property
    def ratios(self) -> dict[str, float | str]:
        """The figures of a snapshot or of ratios by TWS's names (TTMEPSXCLX, MKTCAP …); what is no number
        stays text.
        """
        named = ((one.attributes.get("FieldName"), one.text) for one in self.root.all("Ratio"))
        return {name: _figure(text) for name, text in named if name and text}


class EventType(Struct, frozen=True, kw_only=True):
    """A kind of corporate events: the tag that a filter takes, such as wshe_ed, and its name."""

    tag: str
    name: str


class EventCatalogue(Struct, frozen=True, kw_only=True):
    """What the calendar of Wall Street Horizon knows (answer 104); `json` is TWS's text."""

    types: tuple[EventType, ...] = ()
    json: str = ""


class CorporateEvent(Struct, frozen=True, kw_only=True):
    """One event (answer 105). None where TWS states nothing that could be read; `fields` has all that it
    stated, as JSON gives it.
    """

    kind: str
    day: date | None = None
    con_id: int | None = None
    company: str = ""
    fields: Mapping[str, object] = {}


def _figure(text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if isfinite(value) else text
