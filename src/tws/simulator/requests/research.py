"""Fundamentals (52, 53, answer 51) and the calendar of corporate events (100 to 103, answers 104, 105).

Both are refused unless `Subscriptions` has them: 10358 (older builds: 430 `… Not allowed`) and 10276, in
TWS's words (reported). With a subscription the calendar wants its meta data asked for first in each session
(10282), answers one request of each kind at a time (10278, 10281), and refuses what names both a contract and
a filter (10309): official documentation. An answer leaves with the loop's next turn: what a client sent in
one go finds the first still pending (assumed). From which build on 10358 refuses fundamentals is assumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tws.simulator.content.company import Company
from tws.simulator.content.horizon import (
    AHEAD_DAYS,
    BEFORE_DAYS,
    EVENT_TYPES,
    MOST_EVENTS,
    EventFilter,
    events,
    meta_data,
)
from tws.simulator.content.reports import REPORTS, report
from tws.simulator.hours import local_date
from tws.simulator.requests.contracts import resolve
from tws.simulator.requests.news import NOT_ALLOWED
from tws.simulator.session import Session
from tws.wire.messages import (
    CancelFundamentalsData,
    CancelWshEventData,
    CancelWshMetaData,
    FundamentalsData,
    FundamentalsDataRequest,
    WshEventData,
    WshEventDataRequest,
    WshMetaData,
    WshMetaDataRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Research"]

UNAVAILABLE = "The fundamentals data for the security specified is not available."
NEWER_WORDS_SINCE = 200


class Research:
    """Fundamentals are answered at once, so their cancels find nothing."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._introduced: dict[Session, None] = {}
        self._pending: dict[tuple[Session, type], int] = {}
        """The id of the calendar request of a session and kind that waits for its answer."""

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            FundamentalsDataRequest: self._fundamentals,
            WshMetaDataRequest: self._meta,
            WshEventDataRequest: self._events,
            CancelFundamentalsData: lambda session, request: None,
            CancelWshMetaData: lambda session, request: self._cancel(session, WshMetaData, request),
            CancelWshEventData: lambda session, request: self._cancel(session, WshEventData, request),
        }

    def drop(self, session: Session) -> None:
        """The session ended."""
        self._introduced.pop(session, None)
        for kind in (WshMetaData, WshEventData):
            self._pending.pop((session, kind), None)

    def _cancel(
        self, session: Session, kind: type, request: CancelWshMetaData | CancelWshEventData
    ) -> None:
        if self._pending.get((session, kind)) == request.req_id:
            del self._pending[session, kind]

    def _answer(self, session: Session, said: WshMetaData | WshEventData) -> None:
        """Say it soon, unless it is cancelled or the session ends before."""
        key = (session, type(said))
        self._pending[key] = said.req_id

        def tell() -> None:
            if self._pending.get(key) == said.req_id:
                del self._pending[key]
                session.send(said)

        self._core.later(self._core.loop_time(), tell)

    def _fundamentals(self, session: Session, request: FundamentalsDataRequest) -> None:
        core, req_id = self._core, request.req_id
        if not core.options.subscriptions.fundamentals:
            if session.version >= NEWER_WORDS_SINCE:
                session.error(req_id, 10358, "Fundamentals data is not allowed")
            else:
                session.error(req_id, 430, f"{UNAVAILABLE}Not allowed")
            return
        security = resolve(core, session, req_id, request.contract)
        if security is None:
            return
        if request.report_type not in REPORTS:
            session.error(req_id, 430, f"{UNAVAILABLE}Missing reportType")
        elif security.sec_type != "STK" or security.stock_type == "ETF":
            session.error(req_id, 430, UNAVAILABLE)
        else:
            company = Company(core.options.seed, security)
            text = report(request.report_type, company, local_date(core.now_ns()))
            session.send(FundamentalsData(req_id, text))

    def _meta(self, session: Session, request: WshMetaDataRequest) -> None:
        if not self._core.options.subscriptions.wsh:
            session.error(request.req_id, *NOT_ALLOWED)
            return
        if (session, WshMetaData) in self._pending:
            session.error(request.req_id, 10278, "Duplicate WSH metadata request")
            return
        self._introduced[session] = None
        self._answer(session, WshMetaData(request.req_id, meta_data()))

    def _events(self, session: Session, request: WshEventDataRequest) -> None:
        core, req_id = self._core, request.req_id
        if not core.options.subscriptions.wsh:
            session.error(req_id, *NOT_ALLOWED)
            return
        if (session, WshEventData) in self._pending:
            session.error(req_id, 10281, "Duplicate WSH event data request")
            return
        if session not in self._introduced:
            session.error(req_id, 10282, "WSH meta data not requested.")
            return
        try:
            con_ids, wanted = _wanted(request, local_date(core.now_ns()))
        except (ValueError, TypeError, OverflowError, RecursionError):  # the filter may be JSON of any shape
            session.error(req_id, 10309, "Invalid WSH event data request.")
            return
        if request.fill_portfolio:
            con_ids |= {held.con_id for held in core.exchange.positions() if held.quantity}
        found: list[dict[str, Any]] = []
        for con_id in sorted(con_ids):
            security = core.universe.get(con_id)
            if security is not None and security.sec_type == "STK" and security.stock_type != "ETF":
                company = Company(core.options.seed, security)
                found += events(company, local_date(core.now_ns()), wanted)
        found.sort(key=lambda event: event["index_date"])
        self._answer(session, WshEventData(req_id, json.dumps(found[: wanted.most])))


def _wanted(request: WshEventDataRequest, today: date) -> tuple[set[int], EventFilter]:
    """Whose events, and which. Raises ValueError for a request that TWS calls invalid."""
    if (request.con_id is not None) == bool(request.filter.strip()):
        raise ValueError("one of contract and filter")
    most = request.total_limit if request.total_limit is not None else MOST_EVENTS
    first = _day(request.start_date) or today - timedelta(days=BEFORE_DAYS)
    last = _day(request.end_date) or today + timedelta(days=AHEAD_DAYS)
    if not 0 < most <= MOST_EVENTS or last < first:
        raise ValueError("limit or dates")
    if request.con_id is not None:
        return {request.con_id}, EventFilter(first, last, most=most)
    told = json.loads(request.filter)
    if not isinstance(told, dict):
        raise ValueError("no object")
    watched = told.get("watchlist", [])
    if not isinstance(watched, list):
        raise ValueError("watchlist")
    kinds = frozenset(tag for tag in EVENT_TYPES if str(told.get(tag, "")).lower() == "true")
    return {int(one) for one in watched}, EventFilter(first, last, kinds, most)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
