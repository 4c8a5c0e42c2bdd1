"""Who hears what of the exchange's events, and in which words.

The owner of an order hears of it; so do client 0 of orders of TWS itself and the
master client of every order, without being able to change it (TWS-BEHAVIOUR.md A4). Positions and
account values go to whoever subscribed. Account values follow once per flush, however many fills there
were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tws.exchange import (
    AccountChanged,
    CommissionCharged,
    Event,
    Executed,
    Notice,
    OrderBound,
    OrderOpened,
    OrderView,
    PositionChanged,
    StatusChanged,
    WhatIfAnswered,
)
from tws.simulator import words
from tws.simulator.session import Session
from tws.wire.messages import CommissionAndFeesReport, OpenOrder, OrderStatus
from tws.wire.messages import OrderBound as BoundMessage

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Broker"]


class Broker:
    """Speaks for the exchange."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._changed: dict[str, None] = {}
        self._opened: tuple[OrderView, OpenOrder] | None = None
        self._status: tuple[OrderView, OrderStatus] | None = None

    def tell(self, events: Sequence[Event]) -> None:
        """Queue the messages of these events, in their order unless a fault has other plans."""
        self.say(self._core.faults.events(events))

    def say(self, events: Sequence[Event]) -> None:
        """The same past all faults."""
        for event in events:
            self._say(event)

    def settle(self) -> None:
        """Account values changed: tell the subscribers, once."""
        if self._changed:
            changed, self._changed = list(self._changed), {}
            for account in changed:
                self._core.desk.accounts.changed(account)

    def _opened_of(self, view: OrderView) -> OpenOrder:
        """Message 5; the same one when it is said twice."""
        if self._opened is None or self._opened[0] is not view:
            self._opened = (view, words.open_order(view, self._core.echo(view.con_id)))
        return self._opened[1]

    def _status_of(self, view: OrderView) -> OrderStatus:
        """Message 3; the same one when it is said twice."""
        if self._status is None or self._status[0] is not view:
            self._status = (view, words.order_status(view))
        return self._status[1]

    def _hearers(self, client_id: int) -> list[Session]:
        core = self._core
        wanted = dict.fromkeys((client_id, core.options.master_client_id))
        return [core.by_client[one] for one in wanted if one is not None and one in core.by_client]

    def _say(self, event: Event) -> None:
        core = self._core
        if isinstance(event, StatusChanged):
            status = self._status_of(event.order)
            for session in self._hearers(event.order.client_id):
                session.send(status)
        elif isinstance(event, OrderOpened):
            opened = self._opened_of(event.order)
            core.exchange.note_seen(event.order.client_id, event.order.order_id)
            for session in self._hearers(event.order.client_id):
                session.send(opened)
        elif isinstance(event, Executed):
            for session in self._hearers(event.client_id):
                time = words.local_time(event.time_ns, session.version, core.zone)
                session.send(words.execution(event, core.echo(event.con_id), -1, time))
        elif isinstance(event, CommissionCharged):
            report = commission(event)
            for session in self._hearers(event.client_id):
                session.send(report)
        elif isinstance(event, Notice):
            owner = core.by_client.get(event.client_id)
            if owner is not None:
                owner.error(event.order_id, event.code, event.text)
        elif isinstance(event, WhatIfAnswered):
            owner = core.by_client.get(event.order.client_id)
            if owner is not None:
                owner.send(words.what_if(event.order, event.margin, core.echo(event.order.con_id)))
        elif isinstance(event, OrderBound):
            for session in self._hearers(event.client_id):
                session.send(BoundMessage(event.perm_id, event.client_id, event.order_id))
        elif isinstance(event, PositionChanged):
            core.desk.accounts.position(event)
        elif isinstance(event, AccountChanged):
            self._changed[event.account] = None


def commission(event: CommissionCharged) -> CommissionAndFeesReport:
    """Message 59; realised profit unset when the fill opened something (C5)."""
    realized = None if event.realized_pnl is None else float(event.realized_pnl)
    return CommissionAndFeesReport(event.exec_id, float(event.amount), event.currency, realized)
