"""Exchange values as TWS words them: contracts, orders, executions, times. Pure functions.

Sources: TWS-BEHAVIOUR.md C2 (sequences), C4 (times, execIds), C5 (what TWS fills in), D (positions), F6.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from tws.clock import NS_PER_S, to_datetime
from tws.exchange import CompletedOrder as Done
from tws.exchange import Executed, MarginEffect, OrderView
from tws.simulator.hours import NEW_YORK, TEMPLATES, hours_text
from tws.simulator.universe import BondTerms, Security
from tws.wire.messages import (
    BondContractData,
    CompletedOrder,
    ContractData,
    ExecutionDetails,
    IneligibilityReason,
    OpenOrder,
    OrderStatus,
    WireContract,
    WireContractDetails,
    WireExecution,
    WireOrder,
    WireOrderState,
)

__all__ = [
    "ZONED_SINCE",
    "completed_order",
    "contract_data",
    "execution",
    "local_time",
    "open_order",
    "order_contract",
    "order_status",
    "position_contract",
    "utc_time",
    "what_if",
]

ZONED_SINCE = 174
"""From this server version times carry a zone (INSTRUMENT_TIMEZONE); before, two blanks stand between
date and time.
"""
ORDER_TYPES = (
    "ACTIVETIM,AD,ADJUST,ALERT,ALLOC,AVGCOST,BASKET,COND,CONDORDER,DAY,DEACT,DEACTDIS,DEACTEOD,GAT,GTC,GTD,GTT,HID,"
    "IOC,LMT,MKT,OCA,OPG,SCALE,STP,STPLMT,TRAIL,TRAILLIT,TRAILLMT,WHATIF"
)


AGGREGATION = {"STK": 1, "OPT": 2, "FOP": 2, "CASH": 4}
"""aggGroup by type, as public recordings of contract details show; others say "unset"."""
PART = Decimal("0.0001")
"""The least size and its step that TWS states of American stocks (reported: public logs of contract details
of 2025 and 2026), although over the API it takes whole shares alone (10243)."""


def local_time(ns: int, version: int, zone: ZoneInfo = NEW_YORK) -> str:
    """A moment in TWS's zone, New York unless told; before `ZONED_SINCE` with two blanks and no zone (E)."""
    return _local_second(ns // NS_PER_S, version >= ZONED_SINCE, zone)


@lru_cache(maxsize=256)
def _local_second(second: int, zoned: bool, zone: ZoneInfo) -> str:
    local = to_datetime(second * NS_PER_S).astimezone(zone)
    return f"{local:%Y%m%d %H:%M:%S} {zone.key}" if zoned else f"{local:%Y%m%d  %H:%M:%S}"


def utc_time(ns: int) -> str:
    """A moment in UTC, as head time stamps are (E)."""
    return to_datetime(ns).strftime("%Y%m%d-%H:%M:%S")


def order_contract(security: Security) -> WireContract:
    """The contract of messages 5, 11, 101: right "?", exchange as routed (recorded frames)."""
    known = _wire_contract(security)
    return replace(known, right=security.right or "?", exchange=security.exchange)


def position_contract(security: Security) -> WireContract:
    """The contract of 61 and 7: no exchange (D), the primary one where a message has it."""
    return replace(_wire_contract(security), primary_exch=security.primary_exchange)


def _wire_contract(security: Security) -> WireContract:
    """What every message says of a contract; where it trades, each says its own way."""
    return WireContract(
        con_id=security.con_id,
        symbol=security.symbol,
        sec_type=security.sec_type,
        last_trade_date_or_contract_month=security.last_trade_date,
        strike=security.strike,
        right=security.right,
        multiplier=security.multiplier,
        currency=security.currency,
        local_symbol=security.local_symbol,
        trading_class=security.trading_class,
    )


def contract_data(
    req_id: int, security: Security, now_ns: int, hours: str, exchange: str = "SMART"
) -> ContractData | BondContractData:
    """Message 10, for a bond 18; `exchange` is what was asked for, and echoed."""
    expires, event = security.last_trade_date, security.event or ("", "", "")
    size = PART if (security.sec_type, security.currency) == ("STK", "USD") else security.lot
    contract = replace(
        _wire_contract(security),
        exchange=exchange or security.exchange,
        primary_exch=security.primary_exchange,
        last_trade_date_or_contract_month=f"{expires} {security.last_trade_time}".rstrip(),
        last_trade_date=expires,
    )
    details = WireContractDetails(
        market_name=security.trading_class,
        min_tick=security.min_tick,
        order_types=ORDER_TYPES,
        valid_exchanges=",".join(security.exchanges),
        price_magnifier=security.price_magnifier,
        under_con_id=security.under_con_id,
        long_name=security.long_name,
        contract_month=security.contract_month,
        industry=security.industry,
        category=security.category,
        subcategory=security.subcategory,
        time_zone_id=TEMPLATES[security.hours].zone_id,
        trading_hours=hours_text(now_ns, hours, liquid=False, template=security.hours),
        liquid_hours=hours_text(now_ns, hours, liquid=True, template=security.hours),
        sec_id_list=(("ISIN", security.isin),) if security.isin else (),
        agg_group=AGGREGATION.get(security.sec_type, 2147483647),
        under_symbol=security.under_symbol,
        under_sec_type=security.under_sec_type,
        market_rule_ids=",".join(map(str, security.market_rules)),
        real_expiration_date=expires,
        stock_type=security.stock_type,
        min_size=size,
        size_increment=size,
        suggested_size_increment=security.suggested_size,
        last_price_precision=Decimal(repr(security.min_tick)),
        last_size_precision=security.lot,
        fund=security.fund,
        ineligibility_reason_list=tuple(
            IneligibilityReason(id=name, description=text) for name, text in security.ineligible
        ),
        event_contract1=event[0],
        event_contract_description1=event[1],
        event_contract_description2=event[2],
    )
    if security.bond is None:
        return ContractData(req_id, contract, details)
    contract = replace(contract, last_trade_date_or_contract_month=security.bond.maturity)
    return BondContractData(req_id, contract, _with_terms(details, security.cusip, security.bond))


def _with_terms(details: WireContractDetails, cusip: str, bond: BondTerms) -> WireContractDetails:
    return replace(
        details,
        cusip=cusip,
        issue_date=bond.issue_date,
        ratings=bond.ratings,
        bond_type=bond.bond_type,
        coupon=bond.coupon,
        coupon_type=bond.coupon_type,
        convertible=bond.is_convertible,
        callable=bond.is_callable,
        puttable=bond.is_puttable,
        desc_append=bond.desc_append,
        next_option_date=bond.next_option_date,
        next_option_type=bond.next_option_type,
        next_option_partial=bond.next_option_partial,
        bond_notes=bond.notes,
    )


def _order(view: OrderView) -> WireOrder:
    """The order as TWS echoes it: the client's attributes, and what TWS fills in (C5).

    What the exchange may change (an adjusted stop, a trailing price, an OCA group's sizes) comes from
    the exchange, the rest from the order as it came.
    """
    ticket = view.ticket
    base = ticket.carried if isinstance(ticket.carried, WireOrder) else WireOrder()
    trailed = base.trail_stop_price if view.trail_stop is None else float(view.trail_stop)
    return replace(
        base,
        client_id=ticket.client_id,
        perm_id=view.perm_id,
        parent_id=ticket.parent_id,
        action=base.action or ticket.side.value,
        total_quantity=view.total,
        order_type=ticket.order_type,
        lmt_price=_float(ticket.limit_price) or 0.0,
        aux_price=_float(ticket.stop_price) or 0.0,
        trailing_percent=_float(ticket.trailing_percent),
        trail_stop_price=trailed,
        tif=ticket.tif or "DAY",
        account=ticket.account,
        order_ref=ticket.order_ref,
        oca_group=view.oca_group,
        oca_type=ticket.oca_type,
        transmit=True,
        what_if=ticket.what_if,
        outside_rth=ticket.outside_rth,
        delta_neutral_order_type=base.delta_neutral_order_type or "None",
        delta_neutral_open_close=base.delta_neutral_open_close or "?",
        clearing_intent=base.clearing_intent or "IB",
        adjusted_order_type=ticket.adjusted_order_type or "None",
        dont_use_auto_price_for_hedge=True,
        filled_quantity=view.filled,
    )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def open_order(view: OrderView, contract: WireContract) -> OpenOrder:
    """Message 5; a capped limit says so in the state's warning (C3; the wording is ours)."""
    warning = f"The limit price was capped to {view.cap_price}." if view.cap_price else ""
    state = WireOrderState(status=view.status, warning_text=warning)
    return OpenOrder(view.order_id, contract, _order(view), state)


def what_if(view: OrderView, margin: MarginEffect, contract: WireContract) -> OpenOrder:
    """Message 5 that answers a what-if: margins and commission instead of an order (C2)."""
    state = WireOrderState(
        status=view.status,
        init_margin_before=float(margin.init_before),
        init_margin_change=float(margin.init_change),
        init_margin_after=float(margin.init_after),
        maint_margin_before=float(margin.maint_before),
        maint_margin_change=float(margin.maint_change),
        maint_margin_after=float(margin.maint_after),
        equity_with_loan_before=float(margin.equity_before),
        equity_with_loan_change=float(margin.equity_change),
        equity_with_loan_after=float(margin.equity_after),
        commission_and_fees=float(margin.commission),
        commission_and_fees_currency=margin.currency,
        margin_currency=margin.currency,
    )
    return OpenOrder(view.order_id, contract, _order(view), state)


def order_status(view: OrderView) -> OrderStatus:
    """Message 3."""
    return OrderStatus(
        view.order_id,
        view.status,
        view.filled,
        view.remaining,
        float(view.average_price),
        view.perm_id,
        view.ticket.parent_id,
        float(view.last_price),
        view.client_id,
        view.why_held,
        float(view.cap_price),
    )


def execution(done: Executed, contract: WireContract, req_id: int, time: str) -> ExecutionDetails:
    """Message 11; `time` as the session's version writes it."""
    return ExecutionDetails(
        req_id,
        contract,
        WireExecution(
            order_id=done.order_id,
            exec_id=done.exec_id,
            time=time,
            acct_number=done.account,
            exchange=done.exchange,
            side=done.side,
            shares=done.quantity,
            price=float(done.price),
            perm_id=done.perm_id,
            client_id=done.client_id,
            cum_qty=done.cumulative,
            avg_price=float(done.average_price),
            order_ref=done.order_ref,
            last_liquidity=done.liquidity,
        ),
    )


def completed_order(done: Done, contract: WireContract, zone: ZoneInfo = NEW_YORK) -> CompletedOrder:
    """Message 101."""
    view = done.order
    order = replace(
        _order(view),
        shareholder="Not an insider or substantial shareholder",
        parent_perm_id=view.parent_perm_id or None,
    )
    state = WireOrderState(
        status=view.status,
        completed_time=local_time(done.completed_ns, ZONED_SINCE, zone),
        completed_status=done.completed_status,
    )
    return CompletedOrder(contract, order, state)
