"""What TWS says, from the wire's messages into our model. No state, no I/O.

Unset is None on both sides. Money becomes Decimal by the float's shortest repr
(`tws.model.instrument.decimal`); a number that is none of money's (infinite, NaN) becomes None.
"""

from __future__ import annotations

import math
from datetime import UTC, tzinfo
from decimal import Decimal

from msgspec.structs import replace

from tws.connection.attributes import attributes_of
from tws.connection.hearing.tws_time import instant_ns
from tws.model.account import AccountSource, Position
from tws.model.contract import ComboLeg, Contract
from tws.model.execution import Commission, Execution
from tws.model.facts import BrokerOrder, BrokerOrderStatus
from tws.model.fullorder import trails
from tws.model.instrument import decimal
from tws.model.market import Bar
from tws.model.order import Side
from tws.wire.messages import (
    CommissionAndFeesReport,
    ExecutionDetails,
    HistoricalDataBar,
    OrderStatus,
    PositionMulti,
    WireComboLeg,
    WireContract,
    WireOrder,
    WireOrderState,
)
from tws.wire.messages import Position as WirePosition

__all__ = [
    "bar_of",
    "broker_order_of",
    "commission_of",
    "completed_order_of",
    "contract_of",
    "execution_of",
    "limit_of",
    "money_of",
    "order_status_of",
    "position_of",
]

_SIDES = {"BOT": Side.BUY, "SLD": Side.SELL, "BUY": Side.BUY, "SELL": Side.SELL}


def money_of(value: float | None) -> Decimal | None:
    """A price or an amount of TWS as we book it; None when there is none."""
    if value is None or not math.isfinite(value):
        return None
    return decimal(value)


def contract_of(wire: WireContract) -> Contract:
    """The wire's contract as ours; right `?` and `0` are TWS's "none" (C5)."""
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
        include_expired=wire.include_expired,
        sec_id_type=wire.sec_id_type,
        sec_id=wire.sec_id,
        combo_legs=tuple(_leg_of(leg) for leg in wire.combo_legs),
        issuer_id=wire.issuer_id,
    )


def _leg_of(leg: WireComboLeg) -> ComboLeg:
    return ComboLeg(con_id=leg.con_id, ratio=leg.ratio, side=leg.action, exchange=leg.exchange,
                    open_close=leg.open_close, short_sale_slot=leg.short_sales_slot,
                    designated_location=leg.designated_location, exempt_code=leg.exempt_code)


def broker_order_of(
    order_id: int, contract: WireContract, order: WireOrder, state: WireOrderState
) -> BrokerOrder:
    """openOrder (5) as ours."""
    limit, stop, trail = money_of(order.lmt_price), money_of(order.aux_price), None
    kind = order.order_type
    if trails(kind):
        stop, trail = money_of(order.trail_stop_price), stop
    adjusts = order.adjusted_order_type == "STP"  # TWS writes None where nothing is adjusted (C5)
    return BrokerOrder(
        order_id=order_id,
        perm_id=order.perm_id,
        client_id=order.client_id,
        account=order.account,
        contract=contract_of(contract),
        side=order.action,
        quantity=order.total_quantity or Decimal(0),
        order_type=kind,
        limit_price=limit_of(kind, limit),
        stop_price=stop or None,
        tif=order.tif,
        order_ref=order.order_ref,
        parent_id=order.parent_id,
        status=state.status,
        oca_group=order.oca_group,
        oca_type=order.oca_type,
        outside_rth=order.outside_rth,
        transmit=order.transmit,
        trail=trail or None,
        trail_percent=money_of(order.trailing_percent) or None if trails(kind) else None,
        trigger_price=money_of(order.trigger_price) if adjusts else None,
        adjusted_stop_price=money_of(order.adjusted_stop_price) if adjusts else None,
        attributes=attributes_of(order),
    )


def limit_of(kind: str, limit: Decimal | None) -> Decimal | None:
    """The limit price of an order of this type: 0.0 stands for "none" where the type has none (C5)."""
    return limit if "LMT" in kind or limit else None


def completed_order_of(contract: WireContract, order: WireOrder, state: WireOrderState) -> BrokerOrder:
    """completedOrder (101) as ours: `status` is its end, `filled` is stated, there is no order id."""
    row = broker_order_of(0, contract, order, state)
    return replace(row, parent_id=0, transmit=True, completed=True, filled=order.filled_quantity)


def order_status_of(status: OrderStatus) -> BrokerOrderStatus:
    """orderStatus (3) as ours. A price of 0 before the first fill stays 0."""
    return BrokerOrderStatus(
        order_id=status.order_id,
        perm_id=status.perm_id,
        client_id=status.client_id,
        status=status.status,
        filled=status.filled,
        remaining=status.remaining,
        average_price=money_of(status.avg_fill_price),
        last_price=money_of(status.last_fill_price),
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
        contract=contract_of(details.contract),
        side=_SIDES[fill.side],
        quantity=fill.shares,
        price=decimal(fill.price),
        time_ns=instant_ns(fill.time, zone),
        cumulative=fill.cum_qty,
        average_price=decimal(fill.avg_price),
        order_ref=fill.order_ref,
        exchange=fill.exchange,
    )


def commission_of(report: CommissionAndFeesReport) -> Commission:
    """commissionAndFeesReport (59) as ours; no realised profit means that the fill closed nothing (C5)."""
    return Commission(
        exec_id=report.exec_id,
        amount=money_of(report.commission_and_fees) or Decimal(0),
        currency=report.currency,
        realized_pnl=money_of(report.realized_pnl),
    )


def position_of(row: WirePosition | PositionMulti, now_ns: int = 0) -> Position:
    """position (61) or positionMulti (71) as ours, heard at `now_ns`."""
    multi = row if isinstance(row, PositionMulti) else None
    return Position(
        account=row.account,
        contract=contract_of(row.contract),
        quantity=row.position,
        average_cost=money_of(row.avg_cost) or Decimal(0),
        model="" if multi is None else multi.model_code,
        time_ns=now_ns,
        source=AccountSource.POSITIONS if multi is None else AccountSource.MULTI,
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
