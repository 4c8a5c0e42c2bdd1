"""Our contracts and orders as the official client takes them, and its own as ours. No state, no I/O.

Unset is None with us; the official client writes it as 2**31-1, the largest double or 2**127-1. Money becomes
Decimal by the float's shortest repr (`tws.model.instrument.decimal`).
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from ibapi.const import UNSET_DOUBLE
from ibapi.contract import ComboLeg as IbComboLeg
from ibapi.contract import Contract as IbContract
from ibapi.order import Order as IbOrder
from msgspec.structs import replace

from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.model.contract import ComboLeg, Contract
from tws.model.fullorder import FullOrder
from tws.model.instrument import decimal
from tws.model.order import Order, OrderType, Side, TimeInForce
from tws.risk import worst_of

__all__ = ["contract_of", "full_call", "ib_contract", "ib_order", "money_call", "money_call_of"]

_UNSET_INTS = {2**31 - 1, 2**63 - 1}
_HUGE = 1.7e308  # above it a double means unset
_UNSET_DECIMAL = Decimal(2**127 - 1)


def _price(value: float | None) -> Decimal | None:
    """A price of TWS; None when unset."""
    if value is None or not math.isfinite(value) or value > _HUGE:
        return None
    return decimal(float(value))


def _quantity(value: Any) -> Decimal | None:
    if value is None or value in _UNSET_INTS or value == _UNSET_DECIMAL:
        return None
    number = Decimal(value) if isinstance(value, Decimal) else decimal(value)
    return number if number.is_finite() else None


# -- towards TWS


def ib_contract(contract: Contract) -> IbContract:
    """Our contract as the official client takes it."""
    ib = IbContract()
    ib.conId = contract.con_id
    ib.symbol = contract.symbol
    ib.secType = contract.sec_type
    ib.lastTradeDateOrContractMonth = contract.last_trade_date
    ib.strike = (
        0.0 if contract.strike is None else contract.strike
    )  # 0.0 is "no strike" below version 202 (F1)
    ib.right = contract.right
    ib.multiplier = contract.multiplier
    ib.exchange = contract.exchange
    ib.primaryExchange = contract.primary_exchange
    ib.currency = contract.currency
    ib.localSymbol = contract.local_symbol
    ib.tradingClass = contract.trading_class
    ib.includeExpired = contract.include_expired
    ib.secIdType = contract.sec_id_type
    ib.secId = contract.sec_id
    ib.issuerId = contract.issuer_id
    if contract.combo_legs:
        ib.comboLegs = [_ib_leg(leg) for leg in contract.combo_legs]
    return ib


def _ib_leg(leg: ComboLeg) -> IbComboLeg:
    ib = IbComboLeg()
    ib.conId, ib.ratio, ib.action, ib.exchange = leg.con_id, leg.ratio, leg.side, leg.exchange
    ib.openClose, ib.shortSaleSlot = leg.open_close, leg.short_sale_slot
    ib.designatedLocation, ib.exemptCode = leg.designated_location, leg.exempt_code
    return ib


def ib_order(order: Order) -> IbOrder:
    """Our order as the official client takes it. Prices leave as floats: a double holds each price that a
    tick allows.
    """
    ib = IbOrder()
    ib.action = str(order.side)
    ib.totalQuantity = order.quantity
    ib.orderType = str(order.order_type)
    if order.limit_price is not None:
        ib.lmtPrice = float(order.limit_price)
    trails = order.order_type is OrderType.TRAIL
    aux = order.trail if trails else order.stop_price
    if aux is not None:
        ib.auxPrice = float(aux)
    if trails and order.stop_price is not None:
        ib.trailStopPrice = float(order.stop_price)
    if order.trail_percent is not None:
        ib.trailingPercent = float(order.trail_percent)
    if order.trigger_price is not None and order.adjusted_stop_price is not None:
        ib.triggerPrice = float(order.trigger_price)
        ib.adjustedStopPrice = float(order.adjusted_stop_price)
        ib.adjustedOrderType = str(OrderType.STOP)
    ib.tif = str(order.tif)
    ib.account = order.account
    ib.orderRef = order.order_ref
    ib.parentId = order.parent_id
    ib.ocaGroup = order.oca_group
    ib.ocaType = order.oca_type
    ib.transmit = order.transmit
    ib.outsideRth = order.outside_rth
    return ib


def money_call(order_id: int, contract: Contract, order: Order) -> MoneyCall:
    """A call of ours."""
    return MoneyCall(
        kind=MoneyKind.PLACE, order_id=order_id, account=order.account, contract=contract, order=order
    )


def full_call(order_id: int, contract: Contract, order: FullOrder) -> MoneyCall:
    """A call of ours with attributes; `beyond` says why no guard can judge it, where none can."""
    plain = worst_of(order)
    named = MoneyCall(kind=MoneyKind.PLACE, order_id=order_id, account=order.account, full=order,
                      contract=contract)
    return replace(named, beyond=plain) if isinstance(plain, str) else replace(named, order=plain)


def money_call_of(order_id: int, contract: IbContract, order: IbOrder) -> MoneyCall:
    """A call in the official client's words. Ours are set only when turned back they give the same, field
    for field.
    """
    try:
        ours, wish = contract_of(contract), _order_of(order)
        beyond = _difference(ib_contract(ours), contract) or _difference(ib_order(wish), order)
    except (ValueError, TypeError, AttributeError) as error:
        beyond = str(error)
    if beyond:
        return MoneyCall(kind=MoneyKind.PLACE, order_id=order_id, account=order.account, beyond=beyond)
    return MoneyCall(
        kind=MoneyKind.PLACE, order_id=order_id, account=order.account, contract=ours, order=wish
    )


def _order_of(ib: IbOrder) -> Order:
    """Raises ValueError for what our order has no word for."""
    quantity = _quantity(ib.totalQuantity)
    if quantity is None:
        raise ValueError("no quantity")
    kind, aux = OrderType(ib.orderType), _price(ib.auxPrice)
    trails = kind is OrderType.TRAIL
    return Order(
        side=Side(ib.action),
        quantity=quantity,
        order_type=kind,
        limit_price=_price(ib.lmtPrice),
        stop_price=_price(ib.trailStopPrice) if trails else aux,
        trail=aux or None if trails else None,
        trail_percent=_price(ib.trailingPercent),
        trigger_price=_price(ib.triggerPrice),
        adjusted_stop_price=_price(ib.adjustedStopPrice),
        tif=TimeInForce(ib.tif or "DAY"),
        account=ib.account,
        order_ref=ib.orderRef,
        parent_id=ib.parentId,
        oca_group=ib.ocaGroup,
        oca_type=ib.ocaType,
        transmit=bool(ib.transmit),
        outside_rth=bool(ib.outsideRth),
    )


_SAME = {"", "DAY"}  # an empty time in force is DAY to TWS
_IDLE = {"orderId", "permId", "clientId"}
"""Fields that the encoder does not send."""


def _difference(ours: object, theirs: object) -> str:
    """The first field in which two objects of the official client differ, as text; empty when none does."""
    mine = vars(ours)
    for name, value in vars(theirs).items():
        own = mine.get(name)
        if name in _IDLE or value == own or _nothing(value, own):
            continue
        if not (name == "tif" and {value, own} <= _SAME):
            return f"{name} = {value!r}"
    return ""


def _nothing(value: object, own: object) -> bool:
    """Whether both say nothing: empty, 0, an unset strike, or a soft-dollar tier without content."""
    return all(
        not each or each == UNSET_DOUBLE or not any(getattr(each, "__dict__", {0: 1}).values())
        for each in (value, own)
    )


def contract_of(ib: Any) -> Contract:
    """The official client's contract as ours."""
    strike = ib.strike
    return Contract(
        con_id=ib.conId,
        symbol=ib.symbol,
        sec_type=ib.secType,
        last_trade_date=ib.lastTradeDateOrContractMonth,
        strike=strike if strike and strike < _HUGE else None,
        right="" if ib.right in ("?", "0") else ib.right,
        multiplier=ib.multiplier,
        exchange=ib.exchange,
        primary_exchange=ib.primaryExchange,
        currency=ib.currency,
        local_symbol=ib.localSymbol,
        trading_class=ib.tradingClass,
        include_expired=ib.includeExpired,
        sec_id_type=ib.secIdType,
        sec_id=ib.secId,
        issuer_id=ib.issuerId,
    )
