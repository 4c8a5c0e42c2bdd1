"""What is over: executions and completed orders, however many there are (TWS-BEHAVIOUR.md C4).

Executions are those of all clients, unless the filter names one, since midnight in New York; a TWS whose
trade log shows more days answers for these too (`SimulatorOptions.execution_days`). From server version
200 a client may ask for the last days or for single ones. The answers are read from the archive row by
row and leave as the client reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from tws.exchange import CompletedOrder, ExecutionFilter, ExecutionReport
from tws.simulator import words
from tws.simulator.broker import commission
from tws.simulator.hours import local_date, midnight_ns
from tws.simulator.instants import instant
from tws.simulator.session import Session
from tws.wire.messages import (
    Answer,
    CompletedOrdersEnd,
    CompletedOrdersRequest,
    ExecutionDetailsEnd,
    ExecutionRequest,
)
from tws.wire.messages import ExecutionFilter as WireFilter

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Reports"]

MOST_DAYS = 7
"""How far back any filter reaches: what a TWS remembers (C4)."""
SIDES = {"": "", "BUY": "BUY", "BOT": "BUY", "SELL": "SELL", "SLD": "SELL", "SSHORT": "SELL"}


class Reports:
    """Requests about executions and completed orders."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {CompletedOrdersRequest: self._completed, ExecutionRequest: self._executions}

    def _completed(self, session: Session, request: CompletedOrdersRequest) -> None:
        """Those of today alone (official, IB's page of the request)."""
        today_ns = midnight_ns(local_date(self._core.now_ns()))
        rows = (row for row in self._core.exchange.each_completed() if row.completed_ns >= today_ns)
        wanted = (row for row in rows if row.order.ticket.order_id or not request.api_only)
        session.stream(chain(map(self._ended, wanted), [CompletedOrdersEnd()]))

    def _ended(self, done: CompletedOrder) -> Answer:
        return words.completed_order(done, self._core.echo(done.order.con_id), self._core.zone)

    def _executions(self, session: Session, request: ExecutionRequest) -> None:
        try:
            wanted = self._filter(request.execution_filter)
        except ValueError as error:
            session.error(request.req_id, 321, f"Error validating request.-'bX' : cause - {error}")
            return
        rows = self._core.exchange.each_execution(wanted)
        told = chain.from_iterable(self._told(row, request.req_id, session.version) for row in rows)
        session.stream(chain(told, [ExecutionDetailsEnd(request.req_id)]))

    def _told(self, report: ExecutionReport, req_id: int, version: int) -> Iterator[Answer]:
        core, executed = self._core, report.executed
        time = words.local_time(executed.time_ns, version, core.zone)
        yield words.execution(executed, core.echo(executed.con_id), req_id, time)
        if report.commission.currency:
            yield commission(report.commission)

    def _filter(self, wanted: WireFilter) -> ExecutionFilter:
        """The exchange's own filter. Raises ValueError with the cause."""
        if wanted.side.upper() not in SIDES:
            raise ValueError(f"Invalid side '{wanted.side}'")
        today = local_date(self._core.now_ns())
        days = min(wanted.last_n_days or self._core.options.execution_days, MOST_DAYS)
        since_ns = midnight_ns(today - timedelta(days=days - 1))
        spans = tuple(_day(number) for number in wanted.specific_dates)
        if spans:
            since_ns = min(begin for begin, _ in spans)
        return ExecutionFilter(
            client_id=wanted.client_id,
            account=wanted.acct_code,
            since_ns=max(since_ns, instant(wanted.time, self._core.zone, self._core.now_ns())),
            symbol=wanted.symbol,
            side=SIDES[wanted.side.upper()],
            sec_type=wanted.sec_type,
            exchange=wanted.exchange,
            spans=spans,
        )


def _day(number: int) -> tuple[int, int]:
    """A day such as 20261123 in New York. Raises ValueError."""
    try:
        day = date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError as error:
        raise ValueError(f"Invalid date '{number}'") from error
    return midnight_ns(day), midnight_ns(day + timedelta(days=1))
