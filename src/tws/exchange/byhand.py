"""What a human does in TWS itself: orders placed, changed and cancelled by hand (TWS-BEHAVIOUR.md C4).

Such an order belongs to client 0 and has order id 0 until client 0 binds it: by asking for its open
orders, or beforehand for all to come. A bound order has a negative id (TWS's default), by which client 0
may change and cancel it; executions of an unbound one carry 2147483647. Reached as `exchange.by_hand`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tws.exchange.activation import settle
from tws.exchange.bells import elapse
from tws.exchange.core import NOTHING, Core
from tws.exchange.events import Event, OrderBound
from tws.exchange.intake import change, enter, fill_in, start_cancel
from tws.exchange.terms import OrderTicket
from tws.exchange.validity import ticket_refused
from tws.exchange.working import Working

__all__ = ["ByHand"]


class ByHand:
    """The human at TWS. An order that TWS's own window would not let through is not placed: no events."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._binds = False
        self._bound = 0

    def place(self, ticket: OrderTicket, now_ns: int) -> Sequence[Event]:
        """Place an order; client, order id, parent and transmit of the ticket are not read."""
        core = self._core
        elapse(core, now_ns)
        order_id = self._next_id() if self._binds else 0
        ticket, _ = fill_in(core, replace(
            ticket, client_id=0, order_id=order_id, parent_id=0, transmit=True, what_if=False
        ))  # fmt: skip
        if ticket_refused(core, ticket) is not None:
            return NOTHING
        at = len(core.out)
        order = enter(core, ticket)
        if order_id:
            core.orders[0, order_id] = order
            core.out.insert(at, OrderBound(perm_id=order.perm_id, client_id=0, order_id=order_id))
        return self._settle()

    def cancel(self, perm_id: int, now_ns: int) -> Sequence[Event]:
        """Cancel any living order, whoever placed it; one that doesn't live is left alone."""
        core = self._core
        elapse(core, now_ns)
        order = core.live.get(perm_id)
        if order is not None and not order.cancelling:
            start_cancel(core, order)
        return self._settle()

    def change(self, perm_id: int, ticket: OrderTicket, now_ns: int) -> Sequence[Event]:
        """Change any living order to size, prices and times of the ticket; whose it is stays."""
        core = self._core
        elapse(core, now_ns)
        order = core.live.get(perm_id)
        if order is not None:
            old = order.ticket
            change(core, order, replace(ticket, client_id=old.client_id, order_id=old.order_id))
        return self._settle()

    # -- binding ----------------------------------------------------------------------------------

    def bind_future(self, on: bool) -> None:
        """reqAutoOpenOrders of client 0."""
        self._binds = on

    def bind(self, now_ns: int) -> Sequence[Event]:
        """reqOpenOrders of client 0: every order placed by hand that lives gets an id."""
        core = self._core
        elapse(core, now_ns)
        for order in core.live.values():
            if (order.ticket.client_id, order.ticket.order_id) == (0, 0):  # not what TWS sent for a client
                self._give_id(order)
        return core.take()

    def _give_id(self, order: Working) -> None:
        order_id = self._next_id()
        order.ticket = replace(order.ticket, order_id=order_id)
        self._core.orders[0, order_id] = order
        self._core.out.append(OrderBound(perm_id=order.perm_id, client_id=0, order_id=order_id))

    def _next_id(self) -> int:
        self._bound -= 1
        return self._bound

    def _settle(self) -> Sequence[Event]:
        settle(self._core)
        return self._core.take()
