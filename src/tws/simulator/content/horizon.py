"""Corporate events as the calendar of Wall Street Horizon states them: meta data and events, as JSON.

Tags and names of events are official documentation; the keys of an event (`event_type`, `index_date`,
`conid`, `data` with `earnings_date`, `time_of_day` and so on) are as public code of subscribers reads them.
Dates and figures come from `company`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from msgspec import Struct

from tws.simulator.content.company import Company, quarter_ends

__all__ = [
    "AHEAD_DAYS",
    "BEFORE_DAYS",
    "EVENT_TYPES",
    "MOST_EVENTS",
    "EventFilter",
    "events",
    "meta_data",
]

EVENT_TYPES = {
    "wshe_bod": "Board of Directors Meeting",
    "wshe_bybk": "Buyback",
    "wshe_bybkmod": "Buyback Modification",
    "wshe_cc": "Conference Call",
    "wshe_fda_adv_comm": "FDA Advisory Committee Meeting",
    "wshe_fq": "Future Quarter",
    "wshe_ic": "Investors Conference",
    "wshe_idx": "Index Change",
    "wshe_interim_dates": "Interim Dates",
    "wshe_ipo": "Initial Public Offering",
    "wshe_movies": "Movie Release",
    "wshe_option": "Option Expiration Date",
    "wshe_merg_acq": "Merger and Acquisition",
    "wshe_qe": "Quarter End",
    "wshe_secondary": "Secondary Offering",
    "wshe_videos": "Video Release",
    "wshe_splits": "Splits",
    "wshe_spinoffs": "Spinoff",
    "wshe_sh": "Shareholder Meeting",
    "wshe_sec": "Filing Due Date",
    "wshe_div": "WSHE Dividend",
    "wshe_divsr": "Dividends Suspend/Resume",
    "wshe_ed": "Earnings Date",
    "wshe_eps": "Earnings Report",
}
MOST_EVENTS = 100
"""Of one answer (official documentation)."""
BEFORE_DAYS, AHEAD_DAYS = 92, 366
"""The time that an answer covers unless dates are given (assumed)."""


class EventFilter(Struct, frozen=True):
    """Which events are wanted. `kinds` empty: all."""

    first: date
    last: date
    kinds: frozenset[str] = frozenset()
    most: int = MOST_EVENTS


def meta_data() -> str:
    """What the calendar knows."""
    types = [{"tag": tag, "name": name} for tag, name in EVENT_TYPES.items()]
    filters = [
        {"tag": "country", "name": "Country", "type": "string"},
        {"tag": "watchlist", "name": "Watchlist", "type": "array"},
    ]
    return json.dumps({"meta_data": {"event_types": types, "filters": filters}})


def events(company: Company, today: date, wanted: EventFilter) -> list[dict[str, Any]]:
    """The company's events, by date."""
    found = [
        event
        for event in _all(company, today, wanted)
        if f"{wanted.first:%Y%m%d}" <= event["index_date"] <= f"{wanted.last:%Y%m%d}"
        and (not wanted.kinds or event["event_type"] in wanted.kinds)
    ]
    found.sort(key=lambda event: (event["index_date"], event["event_type"]))
    return found[: wanted.most]


def _all(company: Company, today: date, wanted: EventFilter) -> Iterator[dict[str, Any]]:
    dollars = company.security.currency
    for end in quarter_ends(wanted.first - timedelta(days=92), wanted.last + timedelta(days=92)):
        quarter = (end.month - 1) // 3 + 1
        fiscal = {"fiscal_year": end.year, "quarter": f"Q{quarter}", "quarter_end_date": f"{end:%Y%m%d}"}
        told = company.reports_on(end)
        status = "CONFIRMED" if told <= today + timedelta(days=30) else "UNCONFIRMED"
        hour = "AFTER MARKET" if company.chance("hour") < 0.6 else "BEFORE MARKET"
        earnings = {"earnings_date": f"{told:%Y%m%d}", "time_of_day": hour}
        yield _event(company, "wshe_ed", told, {**fiscal, **earnings, "wshe_earnings_date_status": status})
        yield _event(company, "wshe_cc", told, fiscal)
        yield _event(company, "wshe_qe", end, fiscal)
        if told <= today:
            figures = {"amount_oc": company.quarter(end), "estimated_eps": company.expected(end)}
            yield _event(company, "wshe_eps", told, {**fiscal, **figures, "currency": dollars})
        if company.dividend:
            paid = {"dividend_oc": company.dividend, "dividend_currency": dollars, "frequency": "Quarterly"}
            day = end.replace(day=20)
            dates = {"ex_div_date": f"{day:%Y%m%d}", "pay_date": f"{day + timedelta(days=14):%Y%m%d}"}
            yield _event(company, "wshe_div", day, {**paid, **dates})
        if quarter == 1:
            meeting = end + timedelta(days=40 + int(30 * company.chance("meeting")))
            yield _event(company, "wshe_sh", meeting, {"shm_meeting_type": "Annual"})


def _event(company: Company, kind: str, day: date, data: dict[str, Any]) -> dict[str, Any]:
    security = company.security
    return {
        "event_type": kind,
        "index_date": f"{day:%Y%m%d}",
        "conid": str(security.con_id),
        "company_name": security.long_name,
        "data": data,
    }
