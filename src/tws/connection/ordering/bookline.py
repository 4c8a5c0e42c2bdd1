"""What the guard's book keeps of a call: one line of JSON, enough to find the order or the change again."""

from __future__ import annotations

import json
from decimal import Decimal

from tws.config import mask_account
from tws.connection.ordering.calls import MoneyCall
from tws.model.fullorder import FullOrder

__all__ = ["line_of"]


def line_of(call: MoneyCall) -> str:
    """What the book keeps of a call: enough to find the order again, the account masked."""
    facts: dict[str, object] = {
        "kind": call.kind,
        "order_id": call.order_id,
        "account": mask_account(call.account),
    }
    if call.says:
        facts["says"] = call.says
    if call.contract is not None and call.exercise is not None:
        wish = call.exercise
        facts |= {
            "con_id": call.contract.con_id,
            "symbol": call.contract.symbol,
            "action": wish.action.name,
            "quantity": str(wish.quantity),
            "override": wish.override,
        }
    if call.contract is not None and call.order is not None:
        order = call.order
        facts |= {
            "con_id": call.contract.con_id,
            "symbol": call.contract.symbol,
            "side": order.side,
            "order_type": order.order_type,
            "quantity": str(order.quantity),
            "limit": _text(order.limit_price),
            "stop": _text(order.stop_price),
            "tif": order.tif,
            "order_ref": order.order_ref,
        }
    if call.full is not None:
        facts |= {"order_type": call.full.order_type, "tif": call.full.tif, "attributes": _names(call.full)}
    return json.dumps(facts, default=str)  # a program's own types, such as numpy's con_id, are told as text


def _names(order: FullOrder) -> list[str]:
    """Which attributes an order has; not what they say, since that may name clients and accounts."""
    plain = FullOrder(side=order.side, quantity=order.quantity).attributes
    return [name for name in plain.__struct_fields__
            if getattr(order.attributes, name) != getattr(plain, name)]


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)
