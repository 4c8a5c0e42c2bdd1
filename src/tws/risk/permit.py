"""The one-use leave for one order to go out, and the memory that knows which leaves are good.

What is no order but moves money too (an exercise, a change of TWS's settings) has without a desk a leave that
names its bytes; a desk's exercise has a permit as its orders have.

A permit names one order id and the exact contract and order. The `Mint` (which a gate owns)
remembers the very objects that it handed out: a permit that it does not hold, one that was used, or one
whose order differs in any field from what is about to be written, opens nothing. Python hides
no constructor, so the proof is in the mint's memory and not in the class.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Protocol

from tws.errors import OrderDeniedError
from tws.model.contract import Contract
from tws.model.exercise import Instruction
from tws.risk.denial import Denial

__all__ = ["FramePermit", "Mint", "Permit", "Verifier"]

_SEAL: Final = object()


class Permit:
    """Leave to write one order once. `cap` is the intent's quantity; more than that is never sent for it."""

    __slots__ = ("cap", "contract", "intent_id", "modifies", "order", "order_id")

    def __init__(
        self, seal: object, order_id: int, contract: Contract, order: Instruction, *, intent_id: str,
        cap: Decimal, modifies: bool,
    ) -> None:
        if seal is not _SEAL:
            raise OrderDeniedError("permit", "one made by hand", "one from a gate", "only a gate mints them")
        self.order_id = order_id
        self.contract = contract
        self.order = order
        self.intent_id = intent_id
        self.cap = cap
        self.modifies = modifies

    def __repr__(self) -> str:
        return f"Permit({self.order_id}, {self.order.quantity} {self.contract.symbol})"


class FramePermit:
    """Leave to write one frame that is no order, once: exactly these bytes."""

    __slots__ = ("frame",)

    def __init__(self, seal: object, frame: bytes) -> None:
        if seal is not _SEAL:
            raise OrderDeniedError("permit", "one made by hand", "one from a gate", "only a gate mints them")
        self.frame = frame

    def __repr__(self) -> str:
        return f"FramePermit({len(self.frame)} bytes)"


class Verifier(Protocol):
    """What the writer of the socket asks, just before the bytes."""

    def redeem(self, permit: Permit, order_id: int, contract: Contract, order: Instruction) -> Denial | None:
        """None when the permit is good for exactly this; it is used up by the question."""
        ...


class Mint:
    """Hands permits out and takes each back once. Holds at most `capacity` that nobody redeemed."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._outstanding: dict[int, Permit | FramePermit] = {}
        self._capacity = capacity

    def issue(
        self, order_id: int, contract: Contract, order: Instruction, *, intent_id: str, cap: Decimal,
        modifies: bool,
    ) -> Permit:
        """A new permit; the oldest unredeemed one dies when the mint is full."""
        permit = Permit(_SEAL, order_id, contract, order, intent_id=intent_id, cap=cap, modifies=modifies)
        self._remember(permit)
        return permit

    def issue_frame(self, frame: bytes) -> FramePermit:
        """A new permit for bytes that are no order."""
        permit = FramePermit(_SEAL, frame)
        self._remember(permit)
        return permit

    def _remember(self, permit: Permit | FramePermit) -> None:
        while len(self._outstanding) >= self._capacity:
            del self._outstanding[next(iter(self._outstanding))]
        self._outstanding[id(permit)] = permit

    def redeem(self, permit: Permit, order_id: int, contract: Contract, order: Instruction) -> Denial | None:
        """None when `permit` came from here, was never used, and names exactly this order; else why not."""
        unknown = self._use_up(permit, Permit)
        if unknown is not None:
            return unknown
        if permit.order_id != order_id or permit.contract != contract or permit.order != order:
            return Denial(limit="permit", figure=f"order {order_id}", bound=f"order {permit.order_id}",
                          reason="the order differs from the one that was approved")
        if order.quantity > permit.cap:
            return Denial(limit="children", figure=str(order.quantity), bound=str(permit.cap),
                          reason="more than the intent would be sent")
        return None

    def redeem_frame(self, permit: FramePermit, frame: bytes) -> Denial | None:
        """None when `permit` came from here, was never used, and names exactly these bytes; else why not."""
        unknown = self._use_up(permit, FramePermit)
        if unknown is None and permit.frame != frame:
            return Denial(limit="permit", figure="other bytes", bound="those that were approved",
                          reason="the call differs from the one that was approved")
        return unknown

    def _use_up(self, permit: Permit | FramePermit, kind: type) -> Denial | None:
        if self._outstanding.get(id(permit)) is not permit or not isinstance(permit, kind):
            return Denial(limit="permit", figure="unknown or used permit",
                          bound="one from this gate, once",
                          reason="this permit was not issued here, or was used before")
        del self._outstanding[id(permit)]
        return None
