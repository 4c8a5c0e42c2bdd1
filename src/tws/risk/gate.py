"""The gate: judges proposals against the limits, and alone turns an approval into a permit.

`judge` looks and answers, None or the first denial. `approve` remembers that an order as it will be
written may leave; `mint` turns that memory, once, into a permit. The desk approves while it decides
and mints when the records are on disk; a crash between forgets the approval, which is right: the
order is then of unknown outcome and is asked about, never sent again.
"""

from __future__ import annotations

from decimal import Decimal

from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order
from tws.risk.denial import Denial
from tws.risk.limits import Limits
from tws.risk.permit import Mint, Permit
from tws.risk.situation import Proposal, Situation

__all__ = ["Gate", "StandaloneGate"]


class Gate:
    """The gate of a desk. It is a `Verifier`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._mint = Mint()
        self._approved: dict[tuple[str, int], Permit] = {}

    def judge(self, proposal: Proposal, situation: Situation) -> Denial | None:
        """The first limit that the proposal breaks, None if it breaks none."""
        raise NotImplementedError

    def approve(
        self, key: tuple[str, int], order_id: int, contract: Contract, order: Order, *, cap: Decimal
    ) -> None:
        """Remember that revision `key[1]` of intent `key[0]` may leave exactly like this."""
        raise NotImplementedError

    def mint(self, key: tuple[str, int]) -> Permit | None:
        """The permit of an approval, once; None when there is none."""
        raise NotImplementedError

    def redeem(self, permit: Permit, order_id: int, contract: Contract, order: Order) -> Denial | None:
        """None when the permit is good for exactly this order; asking uses it up."""
        return self._mint.redeem(permit, order_id, contract, order)


class StandaloneGate:
    """The small gate of a connection without a desk: live lock, quantity, notional, allow-list, market rule."""

    def __init__(self, limits: Limits, *, port: int, account: str) -> None:
        self.limits = limits
        self.port = port
        self.account = account
        self._mint = Mint()

    def permit(
        self, order_id: int, contract: Contract, order: Order, *, quote: Quote | None = None,
        instrument: Instrument | None = None, modifies: bool = False,
    ) -> Permit | Denial:
        """A permit for this order, or the denial. `account` may be set later, when TWS has named it."""
        raise NotImplementedError

    def redeem(self, permit: Permit, order_id: int, contract: Contract, order: Order) -> Denial | None:
        """None when the permit is good for exactly this order; asking uses it up."""
        return self._mint.redeem(permit, order_id, contract, order)
