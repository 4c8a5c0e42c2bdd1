"""Fundamentals (gone from TWS 10.47 on), and the calendar of corporate events of Wall Street Horizon.

TWS wants the calendar's meta data asked for once in a session before any event, and answers one question of
each kind at a time: `request_wsh_events` asks for them where nobody has, and questions wait for each other
here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tws.connection.families.base import Handlers, first, hear_rows
from tws.connection.families.contracts import ContractQuestions
from tws.connection.hearing.documents import read_json, read_xml, unreadable
from tws.connection.hearing.replies import Reply
from tws.model.contract import Contract
from tws.model.research import CorporateEvent, EventCatalogue, EventType, FundamentalReport, ReportKind
from tws.wire.messages import FundamentalsData, WshEventData, WshMetaData

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["MOST_EVENTS", "ResearchQuestions", "hear"]

MOST_EVENTS = 100
"""In one answer (official documentation)."""
T = TypeVar("T")


class ResearchQuestions(ContractQuestions):
    """Questions about companies."""

    _asked_meta_in = 0
    """The session that has had the calendar's meta data."""
    _calendar: asyncio.Future[Any] | None = None
    """The question to the calendar that was asked last."""

    def request_fundamentals(
        self, contract: Contract, kind: ReportKind = "ReportSnapshot"
    ) -> Reply[FundamentalReport]:
        """A report about a company. NotSubscribedError (10358, 430) without the subscription, RequestError
        430 where there is no such report.
        """
        official = self._engine.official
        return self._request(
            "fundamentals",
            lambda rows: _report_of(first(rows), kind),
            lambda number: official.reqFundamentalData(number, self._ib(contract), kind, []),
            lambda number: official.cancelFundamentalData(number),
        )

    def request_wsh_meta(self) -> Reply[EventCatalogue]:
        """What the calendar of corporate events knows. NotSubscribedError (10276, 10277) without the
        subscription.
        """
        self._must_be_ready()
        return self._in_turn(self._meta)

    def request_wsh_events(
        self,
        contract: Contract | None = None,
        *,
        filters: Mapping[str, object] | None = None,
        start: date | None = None,
        end: date | None = None,
        limit: int | None = None,
        portfolio: bool = False,
        watchlist: bool = False,
        competitors: bool = False,
    ) -> Reply[list[CorporateEvent]]:
        """Corporate events of an instrument, or those that filters let through.

        contract   looked up first without a `con_id`
        filters    TWS's own, such as {"country": "All", "watchlist": ["8314"], "wshe_ed": "true"}; tags are
                   those of `request_wsh_meta`
        start, end the days from and to; limit 1 to 100; the last three add the login's instruments

        NotSubscribedError (10276, 10277) without the subscription. Raises ValueError unless either a contract
        or filters are given, and for a limit out of bounds.
        """
        if (contract is None) == (filters is None):
            raise ValueError("give either a contract or filters: TWS refuses both")
        if limit is not None and not 1 <= limit <= MOST_EVENTS:
            raise ValueError(f"limit is {limit}: 1 to {MOST_EVENTS}")
        from ibapi.common import WshEventData as IbWish

        wish = IbWish()
        wish.filter = "" if filters is None else json.dumps(filters)
        wish.startDate = "" if start is None else f"{start:%Y%m%d}"
        wish.endDate = "" if end is None else f"{end:%Y%m%d}"
        if limit is not None:
            wish.totalLimit = limit
        wish.fillPortfolio, wish.fillWatchlist, wish.fillCompetitors = portfolio, watchlist, competitors
        self._must_be_ready()
        return self._in_turn(lambda: self._events(contract, wish))

    async def _meta(self) -> EventCatalogue:
        official, engine = self._engine.official, self._engine
        session = engine.session
        answer = await self._request(
            "calendar of events",
            lambda rows: _catalogue_of(first(rows).data_json),
            lambda number: official.reqWshMetaData(number),
            lambda number: official.cancelWshMetaData(number),
        )
        self._asked_meta_in = session
        return answer

    async def _events(self, contract: Contract | None, wish: Any) -> list[CorporateEvent]:
        if contract is not None:
            con_id = contract.con_id or (await self.request_contract(contract)).contract.con_id
            wish.conId = con_id
        if self._asked_meta_in != self._engine.session:
            await self._meta()
        official = self._engine.official
        return await self._request(
            "corporate events",
            lambda rows: _events_of(first(rows).data_json),
            lambda number: official.reqWshEventData(number, wish),
            lambda number: official.cancelWshEventData(number),
        )

    def _in_turn(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> Reply[T]:
        """Ask when the question before is answered."""
        before = self._calendar

        async def asked() -> T:
            if before is not None and before.get_loop() is asyncio.get_running_loop():
                await asyncio.wait([before])  # however it ended
            return await ask()

        reply = self._task(asked())
        self._calendar = reply
        return reply


def hear(answers: Answers) -> Handlers:
    """Answers 51, 104 and 105."""
    return hear_rows(answers, alone=(FundamentalsData, WshMetaData, WshEventData))


def _report_of(message: FundamentalsData, kind: str) -> FundamentalReport:
    return FundamentalReport(kind=kind, xml=message.data, root=read_xml(message.data, kind))


def _catalogue_of(text: str) -> EventCatalogue:
    """What has no tag is left out."""
    told = read_json(text, "calendar of events")
    told = told.get("meta_data", told) if isinstance(told, dict) else None
    types = told.get("event_types") if isinstance(told, dict) else None
    if not isinstance(types, list):
        raise unreadable(text, "calendar of events", "no list of event types")
    found = [one for one in types if isinstance(one, dict) and isinstance(one.get("tag"), str)]
    return EventCatalogue(
        types=tuple(EventType(tag=one["tag"], name=_word(one.get("name"))) for one in found), json=text
    )


def _events_of(text: str) -> list[CorporateEvent]:
    """Each event that says what it is; TWS sends a list, or (reported) an object with one."""
    told = read_json(text, "corporate events")
    if isinstance(told, dict):
        told = told.get("events")
    if not isinstance(told, list):
        raise unreadable(text, "corporate events", "no list of events")
    return [_event_of(one) for one in told if isinstance(one, dict)]


def _event_of(told: dict[str, Any]) -> CorporateEvent:
    data = told.get("data")
    return CorporateEvent(
        kind=_word(told.get("event_type")),
        day=_day(told.get("index_date")),
        con_id=_con_id(told.get("conid")),
        company=_word(told.get("company_name")),
        fields={**told, **data} if isinstance(data, dict) else told,
    )


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _con_id(value: object) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else None


def _day(value: object) -> date | None:
    """`20261029`; None for any other form."""
    try:
        return datetime.strptime(str(value), "%Y%m%d").date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        return None
