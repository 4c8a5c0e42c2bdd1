"""Who hears what of the exchange's events, and in which words.

The owner of an order hears of it; so do client 0 of orders of TWS itself and the
master client of every order, without being able to change it (TWS-BEHAVIOUR.md A4). Positions and
account values go to whoever subscribed. Account values follow once per flush, however many fills there
were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

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
        self._last_opened: tuple[OrderView, OpenOrder] | None = None
        self._last_status: tuple[OrderView, OrderStatus] | None = None
        self._later: deque[Sequence[Event]] = deque()
        self._is_telling = False
        self._sayers: dict[type, Callable[[Any], None]] = {
            OrderOpened: self._opened, StatusChanged: self._status, Executed: self._executed,
            CommissionCharged: self._charged, PositionChanged: self._moved, AccountChanged: self._counted,
            Notice: self._noticed, WhatIfAnswered: self._answered, OrderBound: self._bound,
        }  # fmt: skip

    def tell(self, events: Sequence[Event]) -> None:
        """Queue the messages of these events, in their order unless a fault has other plans.

        What happens while others are told (a fault that one of them triggers) is told after them.
        """
        self._later.append(events)
        if self._core.options.advisor:
            for event in events:
                if isinstance(event, StatusChanged):
                    self._core.desk.advisors.settle(event.order)
        if self._is_telling:
            return
        self._is_telling = True
        try:
            while self._later:
                self.say(self._core.faults.events(self._later.popleft()))
        finally:
            self._is_telling = False

    def say(self, events: Sequence[Event]) -> None:
        """The same past all faults."""
        sayers = self._sayers
        for event in events:
            sayers[type(event)](event)

    def settle(self) -> None:
        """Account values changed: tell the subscribers, once."""
        if self._changed:
            changed, self._changed = list(self._changed), {}
            for account in changed:
                self._core.desk.accounts.changed(account)

    def _opened_of(self, view: OrderView) -> OpenOrder:
        """Message 5; the same one when it is said twice."""
        last = self._last_opened
        if last is None or last[0] is not view:
            last = self._last_opened = (view, words.open_order(view, self._core.echo(view.con_id)))
        return last[1]

    def _status_of(self, view: OrderView) -> OrderStatus:
        """Message 3; the same one when it is said twice."""
        last = self._last_status
        if last is None or last[0] is not view:
            last = self._last_status = (view, words.order_status(view))
        return last[1]

    def _hearers(self, client_id: int) -> list[Session]:
        core = self._core
        owner, master_id = core.by_client.get(client_id), core.options.master_client_id
        hearers = [] if owner is None else [owner]
        if master_id is not None and master_id != client_id and master_id in core.by_client:
            hearers.append(core.by_client[master_id])
        return hearers

    # -- one event each ---------------------------------------------------------------------------

    def _status(self, event: StatusChanged) -> None:
        status = self._status_of(event.order)
        for session in self._hearers(event.order.client_id):
            session.send(status)

    def _opened(self, event: OrderOpened) -> None:
        opened = self._opened_of(event.order)
        self._core.exchange.note_seen(event.order.client_id, event.order.order_id)
        for session in self._hearers(event.order.client_id):
            session.send(opened)

    def _executed(self, event: Executed) -> None:
        core = self._core
        for session in self._hearers(event.client_id):
            time = words.local_time(event.time_ns, session.version, core.zone)
            session.send(words.execution(event, core.echo(event.con_id), -1, time))

    def _charged(self, event: CommissionCharged) -> None:
        report = commission(event)
        for session in self._hearers(event.client_id):
            session.send(report)

    def _noticed(self, event: Notice) -> None:
        owner = self._core.by_client.get(event.client_id)
        if owner is not None:
            owner.error(event.order_id, event.code, event.text)

    def _answered(self, event: WhatIfAnswered) -> None:
        owner = self._core.by_client.get(event.order.client_id)
        if owner is not None:
            owner.send(words.what_if(event.order, event.margin, self._core.echo(event.order.con_id)))

    def _bound(self, event: OrderBound) -> None:
        for session in self._hearers(event.client_id):
            session.send(BoundMessage(event.perm_id, event.client_id, event.order_id))

    def _moved(self, event: PositionChanged) -> None:
        self._core.desk.accounts.position(event)

    def _counted(self, event: AccountChanged) -> None:
        self._changed[event.account] = None


def commission(event: CommissionCharged) -> CommissionAndFeesReport:
    """Message 59; realised profit unset when the fill opened something (C5)."""
    realized = None if event.realized_pnl is None else float(event.realized_pnl)
    return CommissionAndFeesReport(event.exec_id, float(event.amount), event.currency, realized)
