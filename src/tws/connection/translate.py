"""Between the official client's classes, the wire's messages and our model. No state, no I/O.

Unset is None with us; the official client writes it as 2**31-1, the largest double or 2**127-1. Money becomes
Decimal by the float's shortest repr (`tws.model.instrument.decimal`).
"""

from __future__ import annotations

import math
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from ibapi.const import UNSET_DOUBLE
from ibapi.contract import Contract as IbContract
from ibapi.order import Order as IbOrder

from tws.connection.calls import MoneyCall, MoneyKind
from tws.connection.tws_time import instant_ns
from tws.model.account import Position
from tws.model.contract import Contract, ContractDetails
from tws.model.execution import Commission, Execution
from tws.model.facts import BrokerOrder, BrokerOrderStatus
from tws.model.instrument import decimal
from tws.model.market import Bar
from tws.model.order import Order, OrderType, Side, TimeInForce
from tws.wire.messages import ExecutionDetails, HistoricalDataBar, OrderStatus, WireContract

__all__ = [
    "bar_of",
    "broker_order_of",
    "commission_of",
    "completed_order_of",
    "contract_details_of",
    "contract_of",
    "execution_of",
    "ib_contract",
    "ib_order",
    "money_call",
    "money_call_of",
    "order_status_of",
    "position_of",
    "wire_contract_of",
]

_UNSET_INTS = {2**31 - 1, 2**63 - 1}
_HUGE = 1.7e308  # above it a double means unset
_UNSET_DECIMAL = Decimal(2**127 - 1)
_SIDES = {"BOT": Side.BUY, "SLD": Side.SELL, "BUY": Side.BUY, "SELL": Side.SELL}


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
    if order.stop_price is not None:
        ib.auxPrice = float(order.stop_price)
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
    return Order(
        side=Side(ib.action),
        quantity=quantity,
        order_type=OrderType(ib.orderType),
        limit_price=_price(ib.lmtPrice),
        stop_price=_price(ib.auxPrice),
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


# -- from TWS


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
    )


def wire_contract_of(wire: WireContract) -> Contract:
    """The wire's contract as ours."""
    return Contract(
        con_id=wire.con_id,
        symbol=wire.symbol,
        sec_type=wire.sec_type,
        last_trade_date=wire.last_trade_date_or_contract_month,
        strike=wire.strike or None,
        right="" if wire.right in ("?", "0") else wire.right,
        multiplier=wire.multiplier,
        exchange=wire.exchange,
        primary_exchange=wire.primary_exch,
        currency=wire.currency,
        local_symbol=wire.local_symbol,
        trading_class=wire.trading_class,
    )


def contract_details_of(ib: Any) -> ContractDetails:
    """Answer 10 as ours."""
    size, step = _quantity(ib.minSize), _quantity(ib.sizeIncrement)
    return ContractDetails(
        contract=contract_of(ib.contract),
        market_name=ib.marketName,
        min_tick=ib.minTick,
        order_types=ib.orderTypes,
        valid_exchanges=ib.validExchanges,
        price_magnifier=ib.priceMagnifier,
        under_con_id=ib.underConId,
        long_name=ib.longName,
        contract_month=ib.contractMonth,
        industry=ib.industry,
        category=ib.category,
        subcategory=ib.subcategory,
        time_zone_id=ib.timeZoneId,
        trading_hours=ib.tradingHours,
        liquid_hours=ib.liquidHours,
        market_rule_ids=ib.marketRuleIds,
        stock_type=ib.stockType,
        min_size=None if size is None else float(size),
        size_increment=None if step is None else float(step),
    )


def broker_order_of(order_id: int, contract: Any, order: Any, state: Any) -> BrokerOrder:
    """openOrder (5) as ours."""
    limit, stop = _price(order.lmtPrice), _price(order.auxPrice)
    kind = order.orderType
    return BrokerOrder(
        order_id=order_id,
        perm_id=order.permId,
        client_id=order.clientId,
        account=order.account,
        contract=contract_of(contract),
        side=order.action,
        quantity=_quantity(order.totalQuantity) or Decimal(0),
        order_type=kind,
        limit_price=limit if "LMT" in kind or limit else None,  # 0.0 stands for "none" (C5)
        stop_price=stop or None,
        tif=order.tif,
        order_ref=order.orderRef,
        parent_id=order.parentId,
        status=state.status,
        oca_group=order.ocaGroup,
        transmit=bool(order.transmit),
    )


def completed_order_of(contract: Any, order: Any, state: Any) -> BrokerOrder:
    """completedOrder (101) as ours: `status` is its end, `filled` is stated, there is no order id."""
    limit, stop = _price(order.lmtPrice), _price(order.auxPrice)
    kind = order.orderType
    return BrokerOrder(
        order_id=0,
        perm_id=order.permId,
        client_id=order.clientId,
        account=order.account,
        contract=contract_of(contract),
        side=order.action,
        quantity=_quantity(order.totalQuantity) or Decimal(0),
        order_type=kind,
        limit_price=limit if "LMT" in kind or limit else None,
        stop_price=stop or None,
        tif=order.tif,
        order_ref=order.orderRef,
        parent_id=0,
        status=state.status,
        oca_group=order.ocaGroup,
        completed=True,
        filled=_quantity(order.filledQuantity),
    )


def order_status_of(status: OrderStatus) -> BrokerOrderStatus:
    """orderStatus (3) as ours. A price of 0 before the first fill stays 0."""
    return BrokerOrderStatus(
        order_id=status.order_id,
        perm_id=status.perm_id,
        client_id=status.client_id,
        status=status.status,
        filled=status.filled,
        remaining=status.remaining,
        average_price=_price(status.avg_fill_price),
        last_price=_price(status.last_fill_price),
        parent_id=status.parent_id,
        why_held=status.why_held,
    )


def execution_of(details: ExecutionDetails, zone: tzinfo) -> Execution:
    """execDetails (11) as ours; a time without a zone is meant in `zone`. Raises ValueError or KeyError when
    unreadable.
    """
    fill = details.execution
    return Execution(
        exec_id=fill.exec_id,
        order_id=fill.order_id,
        perm_id=fill.perm_id,
        client_id=fill.client_id,
        account=fill.acct_number,
        contract=wire_contract_of(details.contract),
        side=_SIDES[fill.side],
        quantity=fill.shares,
        price=decimal(fill.price),
        time_ns=instant_ns(fill.time, zone),
        cumulative=fill.cum_qty,
        average_price=decimal(fill.avg_price),
        order_ref=fill.order_ref,
        exchange=fill.exchange,
    )


def commission_of(report: Any) -> Commission:
    """commissionAndFeesReport (59) as ours; the largest double means that the fill closed nothing (C5)."""
    return Commission(
        exec_id=report.execId,
        amount=_price(report.commissionAndFees) or Decimal(0),
        currency=report.currency,
        realized_pnl=_price(report.realizedPNL),
    )


def position_of(account: str, contract: Any, quantity: Any, average_cost: float) -> Position:
    """position (61) as ours."""
    return Position(
        account=account,
        contract=contract_of(contract),
        quantity=_quantity(quantity) or Decimal(0),
        average_cost=_price(average_cost) or Decimal(0),
    )


def bar_of(bar: HistoricalDataBar, seconds: int, zone: tzinfo) -> Bar:
    """One historical bar. Intraday dates are epoch seconds, since we ask for formatDate 2 (E); a text without
    a zone is meant in `zone`. A day bar has its date.
    """
    day = bar.date if len(bar.date) == 8 else ""
    return Bar(
        time_ns=instant_ns(bar.date, UTC if day else zone),
        seconds=seconds,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=0.0 if bar.volume is None else float(bar.volume),
        wap=None if bar.wap is None else float(bar.wap),
        count=max(bar.bar_count, 0),
        date=day,
    )
