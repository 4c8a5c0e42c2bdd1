"""Orders: place, change, cancel; what is open, what ended, what was filled (TWS-BEHAVIOUR.md C, F4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tws.clock import to_ns
from tws.exchange import ExecutionFilter, OrderTicket
from tws.model.order import Side
from tws.simulator import words
from tws.simulator.broker import commission
from tws.simulator.hours import NEW_YORK, local_date, midnight_ns
from tws.simulator.requests.contracts import resolve
from tws.simulator.session import Session
from tws.wire.messages import (
    AllOpenOrdersRequest,
    AutoOpenOrdersRequest,
    CancelOrderRequest,
    CompletedOrdersEnd,
    CompletedOrdersRequest,
    ExecutionDetailsEnd,
    ExecutionRequest,
    GlobalCancelRequest,
    ManagedAccounts,
    NextValidId,
    OpenOrdersEnd,
    OpenOrdersRequest,
    PlaceOrderRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Orders"]


class Orders:
    """Requests about orders."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            PlaceOrderRequest: self._place,
            CancelOrderRequest: self._cancel,
            GlobalCancelRequest: self._global_cancel,
            OpenOrdersRequest: self._open,
            AllOpenOrdersRequest: self._all_open,
            AutoOpenOrdersRequest: self._auto_open,
            CompletedOrdersRequest: self._completed,
            ExecutionRequest: self._executions,
        }

    def greet(self, session: Session) -> None:
        """15 and 9 of the start burst."""
        session.send(ManagedAccounts(",".join(self._core.options.accounts)))
        session.send(NextValidId(self.next_id(session)))

    def next_id(self, session: Session) -> int:
        """nextValidId of the session's client (C4)."""
        assert session.client_id is not None
        return max(self._core.exchange.next_order_id(session.client_id), self._core.options.first_order_id)

    # -- placing ----------------------------------------------------------------------------------

    def _place(self, session: Session, request: PlaceOrderRequest) -> None:
        core = self._core
        security = resolve(core, session, request.order_id, request.contract)
        if security is None:
            return
        ticket = self._ticket(session, request, security.con_id)
        if ticket is None:
            return
        if core.faults.holds > 0 and not ticket.what_if:
            core.faults.holds -= 1
            core.broker.hold(ticket.client_id, ticket.order_id)
        core.tell(core.exchange.place(ticket, core.now_ns()))

    def _ticket(self, session: Session, request: PlaceOrderRequest, con_id: int) -> OrderTicket | None:
        order, order_id = request.order, request.order_id
        assert session.client_id is not None
        account = order.account.strip() or self._core.options.accounts[0]
        if account not in self._core.options.accounts:
            session.error(
                order_id, 321, f"Error validating request.-'bX' : cause - Invalid account code '{account}'."
            )
            return None
        if not order.account.strip() and len(self._core.options.accounts) > 1:
            session.error(order_id, 435, "You must specify an account.")
            return None
        sides = {"BUY": Side.BUY, "SELL": Side.SELL, "SSHORT": Side.SELL}
        if order.action not in sides or order.total_quantity is None:
            session.error(
                order_id,
                321,
                "Error validating request.-'bX' : cause - "
                f"Invalid order side or quantity: {order.action} {order.total_quantity}",
            )
            return None
        return OrderTicket(
            client_id=session.client_id,
            order_id=order_id,
            account=account,
            con_id=con_id,
            side=sides[order.action],
            quantity=order.total_quantity,
            order_type=order.order_type,
            limit_price=_price(order.lmt_price),
            stop_price=_price(order.aux_price),
            tif=order.tif or ("" if self._core.options.preset_notice else "DAY"),
            order_ref=order.order_ref,
            parent_id=order.parent_id,
            transmit=order.transmit,
            oca_group=order.oca_group,
            oca_type=order.oca_type,
            outside_rth=order.outside_rth,
            trigger_method=order.trigger_method,
            what_if=order.what_if,
            carried=order,
        )

    def _cancel(self, session: Session, request: CancelOrderRequest) -> None:
        core = self._core
        assert session.client_id is not None
        core.tell(core.exchange.cancel(session.client_id, request.order_id, core.now_ns()))

    def _global_cancel(self, session: Session, request: GlobalCancelRequest) -> None:
        self._core.tell(self._core.exchange.global_cancel(self._core.now_ns()))

    # -- questions --------------------------------------------------------------------------------

    def send_open(self, session: Session, client_id: int | None) -> None:
        """5 and 3 for each living order of a client, or of all."""
        for view in self._core.exchange.open_orders(client_id):
            if session.client_id == view.client_id:
                self._core.exchange.note_seen(view.client_id, view.order_id)
            session.send(words.open_order(view, self._core.security(view.con_id)))
            session.send(words.order_status(view))

    def _open(self, session: Session, request: OpenOrdersRequest) -> None:
        self.send_open(session, session.client_id)
        session.send(OpenOrdersEnd())

    def _all_open(self, session: Session, request: AllOpenOrdersRequest) -> None:
        self.send_open(session, None)
        session.send(OpenOrdersEnd())

    def _auto_open(self, session: Session, request: AutoOpenOrdersRequest) -> None:
        if session.client_id != 0:
            session.error(
                -1,
                327,
                "Only API connections with clientId set to 0 can set the auto bind TWS orders property.",
            )
        # for client 0: there are no orders placed by hand, so nothing to bind and nothing to say

    def _completed(self, session: Session, request: CompletedOrdersRequest) -> None:
        for done in self._core.exchange.completed_orders():
            session.send(words.completed_order(done, self._core.security(done.order.con_id)))
        session.send(CompletedOrdersEnd())

    def _executions(self, session: Session, request: ExecutionRequest) -> None:
        core, wanted = self._core, request.execution_filter
        since_ns = midnight_ns(local_date(core.now_ns()))  # as IB Gateway: today's (C4)
        if wanted.last_n_days:
            since_ns -= wanted.last_n_days * 86_400 * 10**9
        try:
            since_ns = max(since_ns, _since(wanted.time))
        except ValueError:
            session.error(
                request.req_id, 321, f"Error validating request.-'bX' : cause - Invalid time '{wanted.time}'"
            )
            return
        found = core.exchange.executions(
            ExecutionFilter(
                client_id=wanted.client_id,
                account=wanted.acct_code,
                since_ns=since_ns,
                symbol=wanted.symbol,
                side=wanted.side.upper(),
            )
        )
        for report in found:  # every client's, unless the filter names one (C4)
            security = core.security(report.executed.con_id)
            session.send(words.execution(report.executed, security, request.req_id, session.version))
            session.send(commission(report.commission))
        session.send(ExecutionDetailsEnd(request.req_id))


def _price(value: float | None) -> Decimal | None:
    """A price as its shortest text says it; 0 means unset in orders of old clients."""
    return None if value is None else Decimal(repr(value))


def _since(text: str) -> int:
    """The filter's time: `yyyymmdd-hh:mm:ss` (UTC), or with a blank in New York's or a stated zone.
    Raises ValueError.
    """
    text = text.strip()
    if not text:
        return 0
    if text[8:9] == "-":
        return to_ns(datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC))
    parts = text.split()
    try:
        zone = ZoneInfo(parts[2]) if len(parts) > 2 else NEW_YORK
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(text) from error
    return to_ns(datetime.strptime(" ".join(parts[:2]), "%Y%m%d %H:%M:%S").replace(tzinfo=zone))
