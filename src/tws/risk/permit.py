"""The one-use leave for one order to go out, and the memory that knows which leaves are good.

A permit names what may leave as plain fields (`Outgoing`). The `Mint` that a gate owns remembers the very
objects that it handed out: a permit that it does not hold, one that was used, or one whose fields differ
from what is about to be written, opens nothing. Python hides no constructor, so the proof lies in
the mint's memory; the seal only makes an honest mistake loud.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import fields

from tws.errors import OrderDeniedError
from tws.model.contract import Contract
from tws.model.order import Order
from tws.risk.denial import Denial

__all__ = ["Call", "Mint", "Outgoing", "Permit", "Verifier"]

_SEAL: Final = object()


class Call(Protocol):
    """What a writer knows of the order that it is about to write. Any object with these fields serves."""

    @property
    def order_id(self) -> int: ...
    @property
    def con_id(self) -> int: ...
    @property
    def symbol(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def order_type(self) -> str: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def order_ref(self) -> str: ...


class Outgoing(Struct, frozen=True, kw_only=True):
    """An order as the last gate compares it. `price` is the limit, else the stop, else None."""

    order_id: int
    con_id: int
    symbol: str
    account: str
    side: str
    order_type: str
    quantity: Decimal | None
    price: Decimal | None
    order_ref: str = ""

    @classmethod
    def of(cls, order_id: int, contract: Contract, order: Order) -> Outgoing:
        """The fields of an order of ours."""
        price = order.limit_price if order.limit_price is not None else order.stop_price
        return cls(order_id=order_id, con_id=contract.con_id, symbol=contract.symbol, account=order.account,
                   side=order.side.value, order_type=order.order_type.value, quantity=order.quantity,
                   price=price, order_ref=order.order_ref)

    @classmethod
    def from_call(cls, call: Call) -> Outgoing:
        """The fields of what a writer is about to write."""
        return cls(order_id=call.order_id, con_id=call.con_id, symbol=call.symbol, account=call.account,
                   side=str(call.side), order_type=str(call.order_type), quantity=call.quantity,
                   price=call.price, order_ref=call.order_ref)


class Permit:
    """Leave to write one order once. `cap` is the intent's quantity; more than that is never sent for it."""

    __slots__ = ("cap", "outgoing")

    def __init__(self, seal: object, outgoing: Outgoing, cap: Decimal) -> None:
        if seal is not _SEAL:
            raise OrderDeniedError("permit", "one made by hand", "one from a gate", "only a gate mints permits")
        self.outgoing = outgoing
        self.cap = cap

    def __repr__(self) -> str:
        out = self.outgoing
        return f"Permit({out.order_id}, {out.side} {out.quantity} {out.symbol})"


class Verifier(Protocol):
    """What the writer of the socket asks, just before the bytes."""

    def redeem(self, permit: object, call: Call) -> Denial | None:
        """None when the permit is good for exactly this; it is used up by the question."""
        ...


class Mint:
    """Hands permits out and takes each back once. Holds at most `capacity` that nobody redeemed."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._outstanding: dict[int, Permit] = {}
        self._capacity = capacity

    def issue(self, outgoing: Outgoing, cap: Decimal) -> Permit:
        """A new permit; the oldest unredeemed one dies when the mint is full."""
        permit = Permit(_SEAL, outgoing, cap)
        while len(self._outstanding) >= self._capacity:
            del self._outstanding[next(iter(self._outstanding))]
        self._outstanding[id(permit)] = permit
        return permit

    def redeem(self, permit: object, call: Call) -> Denial | None:
        """None when `permit` came from here, was never used, and names exactly this order; else why not."""
        held = self._outstanding.get(id(permit))
        if held is None or held is not permit:
            return Denial(limit="permit", figure="an unknown or used permit",
                          bound="one from this gate, once", reason="this permit was not issued here, or was used before")
        del self._outstanding[id(permit)]
        asked = Outgoing.from_call(call)
        for name in (each.name for each in fields(Outgoing)):
            mine, theirs = getattr(held.outgoing, name), getattr(asked, name)
            if mine != theirs:
                return Denial(limit="permit", figure=f"{name} {theirs}", bound=f"{name} {mine}",
                              reason="the order differs from the one that was approved")
        if asked.quantity is None or asked.quantity > held.cap:
            return Denial(limit="children", figure=str(asked.quantity), bound=str(held.cap),
                          reason="more would be sent than the intent holds")
        return None
