"""Proposals and a situation for the tests of the gate: one ordinary market, one ordinary order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Order, OrderType, Role, Side
from tws.risk import FIELDS, Gate, Limits, Proposal, Situation
from tws.risk.fields import Shape

NOW = 1_700_000_000 * NS_PER_S
SPY = Instrument(contract=Contract(con_id=756733, symbol="SPY"))
QUOTE = Quote(con_id=756733, symbol="SPY", time_ns=NOW, bid=99.99, ask=100.01)
WHERE = Situation(now_ns=NOW, port=7497, account="DU1", managed_accounts=("DU1",), quote=QUOTE)


def entry(quantity: int = 100, side: Side = Side.BUY, limit: str | None = None, **more: Any) -> Proposal:
    order = Order(
        side=side,
        quantity=Decimal(quantity),
        account="DU1",
        order_type=OrderType.LIMIT if limit else OrderType.MARKET,
        limit_price=Decimal(limit) if limit else None,
    )
    return Proposal(instrument=SPY, order=order, role=Role.ENTRY, **more)


def exit_(quantity: int, side: Side = Side.SELL, **more: Any) -> Proposal:
    return replace(entry(quantity, side), role=Role.CLOSE, **more)


def limit_of(proposal: Proposal, where: Situation = WHERE, **limits: Any) -> str | None:
    """The limit that denies, or None; all limits but those given are as wide as they go."""
    wide: dict[str, Any] = {name: None for name, kind in FIELDS.items() if kind.shape is Shape.AMOUNT}
    denial = Gate(Limits(**{**wide, **limits})).judge(proposal, where)
    if denial is None:
        return None
    assert denial.figure and denial.bound and denial.reason
    return denial.limit
