"""What a limit looks at: the order that is proposed, and where we stand when it is."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, Role

__all__ = ["Proposal", "Situation", "multiplier"]


class Proposal(Struct, frozen=True, kw_only=True):
    """An order that somebody wants to place, before it has an id.

    `parent_quantity` is set for a child that is attached to an entry proposed with it: the most that
    the child may sell back. `changes_by` is set for a change of a working order: how many shares more.
    """

    instrument: Instrument
    order: Order
    role: Role
    strategy: str = ""
    signal_id: str = ""
    parent_quantity: Decimal | None = None
    changes_by: Decimal | None = None

    @property
    def contract(self) -> Contract:
        return self.instrument.contract


class Situation(Struct, frozen=True, kw_only=True):
    """Where we stand on the proposal's contract, and in all. Quantities in shares, money in its currency.

    `net` is what is filled, ours alone. `working_buys` and `working_sells` are the unfilled shares of
    our entries that may still fill, unknown ones included; `working_exits` the most that our
    working exits could still take away (of exits that end each other the greater counts).
    """

    now_ns: int
    port: int
    account: str
    managed_accounts: tuple[str, ...] = ()
    net: Decimal = Decimal(0)
    working_buys: Decimal = Decimal(0)
    working_sells: Decimal = Decimal(0)
    working_exits: Decimal = Decimal(0)
    orders_on_side: int = 0
    unknown_orders: tuple[str, ...] = ()
    other_gross_notional: Decimal = Decimal(0)
    quote: Quote | None = None
    signal_known: bool = False
    entries_blocked: str = ""
    """Why no entry may leave now: the link, a flatten, a difference between the books; empty if it may."""


def multiplier(contract: Contract) -> Decimal:
    """What one unit of price is worth in money: the contract's multiplier, 1 when it states none."""
    text = contract.multiplier.strip()
    return Decimal(text) if text else Decimal(1)
