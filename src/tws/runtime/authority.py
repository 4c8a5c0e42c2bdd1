"""The desk's gate as the last word before the socket.

`Outbound` knows nothing of desks: it asks an `Authority` to spend a permit for a call described in
neutral words. Here those words are held against the very order that the desk approved, so that what
is encoded can differ in nothing that costs money; then the gate burns the permit.
"""

from __future__ import annotations

from tws.connection import MoneyCall, MoneyKind
from tws.errors import OrderDeniedError
from tws.risk.gate import Gate
from tws.risk.permit import Permit

__all__ = ["DeskAuthority"]


class DeskAuthority:
    """Lets only what `gate` minted pass, each permit once. While `latched` is not empty, nothing passes."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.latched = ""

    def spend(self, permit: object, call: MoneyCall) -> None:
        """See `tws.connection.outbound.Authority.spend`."""
        if self.latched:
            raise OrderDeniedError("latch", call.kind, "nothing", self.latched)
        if not isinstance(permit, Permit):
            raise OrderDeniedError("permit", call.kind, "an approval of the desk's gate",
                                   "with a desk at work every order goes through the desk")
        if call.kind is not MoneyKind.PLACE:
            raise OrderDeniedError("permit", call.kind, MoneyKind.PLACE, "the desk approves orders, nothing else")
        order, asked = permit.order, (call.side, call.quantity, call.order_type, call.account, call.order_ref)
        approved = (order.side, order.quantity, order.order_type, order.account, order.order_ref)
        if asked != approved or call.con_id != permit.contract.con_id:
            raise OrderDeniedError("permit", asked, approved, "the frame differs from the order that was approved")
        denial = self._gate.redeem(permit, call.order_id, permit.contract, order)
        if denial is not None:
            raise OrderDeniedError(denial.limit, denial.figure, denial.bound, denial.reason)
