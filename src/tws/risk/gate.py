"""The gate: judges proposals against the limits, and alone turns an approval into a permit.

`judge` looks, and answers None or the first denial. `approve` remembers that an order, as it will be
written, may leave; `mint` turns that memory, once, into a permit. The desk approves while it decides
and mints when the records are on disk. A crash in between forgets the approval, which is right: the
order is then of unknown outcome, is asked about and never sent again.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order
from tws.risk.checks import ALWAYS, ENTRIES, live_lock, reduces
from tws.risk.denial import Denial
from tws.risk.limits import Limits
from tws.risk.permit import Call, Mint, Outgoing, Permit
from tws.risk.situation import Proposal, Situation

__all__ = ["Gate", "Leave", "StandaloneGate"]

_CAPACITY = 10_000  # approvals that nobody fetched: more than any batch of records holds


class Leave(Struct, frozen=True, kw_only=True):
    """A permit with the order that it is for."""

    permit: Permit
    order_id: int
    contract: Contract
    order: Order


class Gate:
    """The gate of a desk, and the verifier of its permits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._mint = Mint()
        self._approved: dict[tuple[str, int], tuple[int, Contract, Order, Decimal]] = {}

    def judge(self, proposal: Proposal, situation: Situation) -> Denial | None:
        """The first limit that the proposal breaks, None if it breaks none."""
        checks = ALWAYS if reduces(proposal, situation) else ALWAYS + ENTRIES
        for check in checks:
            denial = check(proposal, situation, self.limits)
            if denial is not None:
                return denial
        return None

    def approve(
        self, key: tuple[str, int], order_id: int, contract: Contract, order: Order, cap: Decimal
    ) -> None:
        """Remember that revision `key[1]` of intent `key[0]` was judged and may leave exactly like this."""
        while len(self._approved) >= _CAPACITY:
            del self._approved[next(iter(self._approved))]
        self._approved[key] = (order_id, contract, order, cap)

    def mint(self, key: tuple[str, int]) -> Leave | None:
        """The permit of an approval, once; None when there is none (any more)."""
        approved = self._approved.pop(key, None)
        if approved is None:
            return None
        order_id, contract, order, cap = approved
        permit = self._mint.issue(Outgoing.of(order_id, contract, order), cap)
        return Leave(permit=permit, order_id=order_id, contract=contract, order=order)

    def redeem(self, permit: object, call: Call) -> Denial | None:
        """None when the permit is good for exactly this call; asking uses it up."""
        return self._mint.redeem(permit, call)


class StandaloneGate:
    """The small gate of a connection without a desk: live lock, market rule, allow-list, quantity, notional.

    `account` may be empty until TWS has named the accounts; nothing passes before it is set.
    """

    def __init__(self, limits: Limits, *, port: int, account: str = "") -> None:
        self.limits = limits
        self.port = port
        self.account = account
        self._mint = Mint()

    def judge(
        self, call: Call, *, quote: Quote | None = None, instrument: Instrument | None = None,
        multiplier: Decimal = Decimal(1),
    ) -> Denial | None:
        """The first limit that this call breaks. An order without an account counts as one of ours.

        A market order is valued by `quote`; without one it is denied as long as a notional limit stands.
        """
        locked = live_lock(self.port, call.account or self.account)
        if locked is not None:
            return locked
        if call.account and call.account != self.account:
            return Denial(limit="account", figure=call.account, bound=self.account,
                          reason="the order names another account than the one we trade")
        size = call.quantity
        if size is None or not size.is_finite() or size <= 0:
            return Denial(limit="market_rule", figure=str(size), bound="above zero",
                          reason="no valid quantity")
        if instrument is not None and (size % instrument.lot or (call.price or 0) % instrument.tick):
            return Denial(limit="market_rule", figure=f"{size} at {call.price}",
                          bound=f"lot {instrument.lot}, tick {instrument.tick}",
                          reason="price or quantity lies off the contract's grid")
        if self.limits.allow is not None and call.symbol not in self.limits.allow:
            return Denial(limit="allow", figure=call.symbol, bound=", ".join(self.limits.allow) or "none",
                          reason="the symbol is not on the allow-list")
        bound = self.limits.max_order_quantity
        if bound is not None and size > bound:
            return Denial(limit="max_order_quantity", figure=str(size), bound=str(bound),
                          reason="too many shares in one order")
        return self._notional(call, size * multiplier, quote)

    def permit(
        self, call: Call, *, quote: Quote | None = None, instrument: Instrument | None = None,
        multiplier: Decimal = Decimal(1),
    ) -> Permit | Denial:
        """A permit for exactly this call, once; or the denial."""
        denial = self.judge(call, quote=quote, instrument=instrument, multiplier=multiplier)
        if denial is not None:
            return denial
        return self._mint.issue(Outgoing.from_call(call), call.quantity or Decimal(0))

    def redeem(self, permit: object, call: Call) -> Denial | None:
        """None when the permit is good for exactly this call; asking uses it up."""
        return self._mint.redeem(permit, call)

    def _notional(self, call: Call, units: Decimal, quote: Quote | None) -> Denial | None:
        bound = self.limits.max_order_notional
        if bound is None:
            return None
        price = call.price
        if price is None and quote is not None:
            side = quote.ask if str(call.side) == "BUY" else quote.bid
            price = Decimal(repr(side)) if side is not None and 0 < side < float("inf") else None
        if price is None:
            return Denial(limit="max_order_notional", figure="no price", bound=str(bound),
                          reason="a market order without a quote can't be valued")
        if price * units <= bound:
            return None
        return Denial(limit="max_order_notional", figure=str(price * units), bound=str(bound),
                      reason="too much money in one order")
