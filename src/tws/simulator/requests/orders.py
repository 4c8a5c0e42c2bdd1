"""Orders: place, change, cancel; what is open, what ended, what was filled (TWS-BEHAVIOUR.md C, F4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tws.exchange import Leg, OrderTicket
from tws.simulator import cash, combos, words
from tws.simulator.presets import with_children
from tws.simulator.requests.contracts import resolve
from tws.simulator.requests.exercises import Exercises
from tws.simulator.session import Session
from tws.simulator.tickets import Door, Refused, ticket_of
from tws.wire.messages import (
    AllOpenOrdersRequest,
    AutoOpenOrdersRequest,
    CancelOrderRequest,
    GlobalCancelRequest,
    ManagedAccounts,
    NextValidId,
    OpenOrdersEnd,
    OpenOrdersRequest,
    PlaceOrderRequest,
    WireAttachedOrders,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Orders"]

NOTHING = WireAttachedOrders()
TIED = "Invalid NonGuaranteed value of 0. The order cannot be set as guaranteed."
LAST_ID = 2**31 - 1
"""The highest order id: TWS counts in 32 bits. A client that used it up gets no higher one."""


class Orders:
    """Requests about orders."""

    def __init__(self, core: Core, exercises: Exercises) -> None:
        self._core = core
        self._exercises = exercises

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            PlaceOrderRequest: self._place,
            CancelOrderRequest: self._cancel,
            GlobalCancelRequest: self._global_cancel,
            OpenOrdersRequest: self._open,
            AllOpenOrdersRequest: self._all_open,
            AutoOpenOrdersRequest: self._auto_open,
        }

    def greet(self, session: Session) -> None:
        """15 and 9 of the start burst."""
        session.send(ManagedAccounts(",".join(self._core.options.accounts)))
        session.send(NextValidId(self.next_id(session)))

    def next_id(self, session: Session) -> int:
        """nextValidId of the session's client (C4)."""
        assert session.client_id is not None
        next_id = max(self._core.exchange.next_order_id(session.client_id), self._core.options.first_order_id)
        return min(next_id, LAST_ID)

    # -- placing ----------------------------------------------------------------------------------

    def _place(self, session: Session, request: PlaceOrderRequest) -> None:
        core = self._core
        legs = self._legs(session, request)
        if legs is None:
            return
        security = None if legs else resolve(core, session, request.order_id, request.contract)
        if security is None and not legs:
            return
        if security is not None and security.ineligible:
            _, reason = security.ineligible[0]
            session.error(request.order_id, 201, f"Order rejected - reason:{reason}")
            return
        assert session.client_id is not None
        options, now_ns = core.options, core.now_ns()
        door = Door(
            client_id=session.client_id, accounts=options.accounts, zone=core.zone, now_ns=now_ns,
            preset_notice=options.preset_notice, sec_type=request.contract.sec_type,
            exchange=request.contract.exchange,
        )  # fmt: skip
        self._list_conditions(request)
        reference = core.universe.get(request.order.reference_contract_id)
        if reference is not None:
            core.listed(reference)
        con_id = security.con_id if security else 0
        order = core.desk.advisors.addressed((session.client_id, request.order_id), request.order, con_id)
        if security is not None and security.sec_type in cash.KINDS and not isinstance(order, Refused):
            order = cash.sized(order, security, core.listed(security))
        ticket = order if isinstance(order, Refused) else ticket_of(order, request.order_id, con_id, door)
        if isinstance(ticket, Refused):
            session.error(request.order_id, ticket.code, ticket.text)
        else:
            if ticket.quantity and not request.order.total_quantity and request.order.cash_qty:
                ticket = replace(ticket, in_money=True)
            if legs:
                by_leg = combos.limit_by_leg(request.order, legs)
                limit = ticket.limit_price if by_leg is None else by_leg
                ticket = replace(ticket, legs=legs, limit_price=limit)
            found: tuple[OrderTicket, ...] | Refused = (ticket,)
            if security is not None:
                tape = core.listed(security)
                if request.attached_orders != NOTHING and not ticket.what_if:
                    found = with_children(request, ticket, tape, door, options.attached_preset)
            if isinstance(found, Refused):
                session.error(request.order_id, found.code, found.text)
            for each in () if isinstance(found, Refused) else found:
                core.tell(core.exchange.place(each, now_ns))

    def _legs(self, session: Session, request: PlaceOrderRequest) -> tuple[Leg, ...] | None:
        """The legs of a combo, from now on all traded; () when it is none; None: it was refused."""
        if request.contract.sec_type != "BAG":
            return ()
        legs = combos.legs_of(request.contract)
        known = [self._core.universe.get(leg.con_id) for leg in legs]
        listed = [self._core.listed(security) for security in known if security is not None]
        if len(legs) < 2 or len(listed) < len(legs):
            session.error(request.order_id, 200, "No security definition has been found for the request")
            return None
        if combos.tied_stocks(request, [security for security in known if security is not None]):
            session.error(request.order_id, 10043, TIED)
            return None
        return legs

    def _list_conditions(self, request: PlaceOrderRequest) -> None:
        """What an order's conditions look at has to trade, too, and the exchange has to know its day."""
        for condition in request.order.conditions:
            named = self._core.universe.get(condition.con_id) if condition.con_id else None
            if named is not None:
                tape = self._core.listed(named)
                close = None if tape.close is None else tape.grid.ticks(tape.close)
                self._core.exchange.day(named.con_id, close, tape.volume)

    def _cancel(self, session: Session, request: CancelOrderRequest) -> None:
        core = self._core
        assert session.client_id is not None
        if not self._exercises.cancel(session.client_id, request.order_id):
            core.tell(core.exchange.cancel(session.client_id, request.order_id, core.now_ns()))

    def _global_cancel(self, session: Session, request: GlobalCancelRequest) -> None:
        self._core.tell(self._core.exchange.global_cancel(self._core.now_ns()))
        self._exercises.cancel_all()

    # -- questions --------------------------------------------------------------------------------

    def send_open(self, session: Session, client_id: int | None) -> None:
        """5 and 3 for each living order of a client, or of all."""
        for view in (*self._core.exchange.open_orders(client_id), *self._exercises.views(client_id)):
            if session.client_id == view.client_id:
                self._core.exchange.note_seen(view.client_id, view.order_id)
            session.send(words.open_order(view, self._core.echo(view.con_id)))
            session.send(words.order_status(view))

    def _open(self, session: Session, request: OpenOrdersRequest) -> None:
        if session.client_id == 0:
            self._core.tell(self._core.exchange.by_hand.bind(self._core.now_ns()))
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
        else:
            self._core.exchange.by_hand.bind_future(request.auto_bind)
