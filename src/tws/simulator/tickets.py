"""An order as it came by wire becomes a ticket for the exchange, or what TWS says against it.

Only what the exchange acts on is read; the order itself rides along in `carried`, so that every other
attribute is echoed as it came (TWS-BEHAVIOUR.md C5). Texts of dates and times are read here, once.
"""

from __future__ import annotations

from datetime import tzinfo
from decimal import Decimal

from msgspec import Struct

from tws.exchange import Condition, ConditionKind, OrderTicket
from tws.exchange.refusals import Refusal
from tws.model.order import Side
from tws.simulator.instants import instant
from tws.simulator.specials import special_of
from tws.wire.messages import WireOrder
from tws.wire.messages.order import WireOrderCondition

__all__ = ["Door", "Refused", "ticket_of"]

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL, "SSHORT": Side.SELL, "SLONG": Side.SELL}
IN_PERCENT = (1, 100)
"""adjustableTrailingUnit: 0 is an amount, 100 a percent (official); 1 was seen in samples."""
BAD_TIME = (
    "The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xxx where "
    "yyyymmdd and xxx are optional. E.g.: 20031126 15:59:00 EST. Note that there is a space between the date "
    "and time, and between the time and time-zone."
)


class Refused(Struct, frozen=True):
    """Message 4 instead of an order."""

    code: int
    text: str


class Door(Struct, frozen=True, kw_only=True):
    """What the door knows besides the order: who sends it, the accounts there are, the zone of the login, the
    contract's type and where it is sent.
    """

    client_id: int
    accounts: tuple[str, ...]
    zone: tzinfo
    now_ns: int
    preset_notice: bool = False
    sec_type: str = "STK"
    exchange: str = "SMART"


def ticket_of(order: WireOrder, order_id: int, con_id: int, door: Door) -> OrderTicket | Refused:
    """The ticket of an order on a contract."""
    account = order.account.strip() or door.accounts[0]
    if account not in door.accounts:
        return _invalid(f"Invalid account code '{account}'.")
    if not order.account.strip() and len(door.accounts) > 1:
        return Refused(435, "You must specify an account.")
    if order.action not in SIDES or order.total_quantity is None:
        return _invalid(f"Invalid order side or quantity: {order.action} {order.total_quantity}")
    try:
        good_after = instant(order.good_after_time, door.zone, door.now_ns)
    except ValueError:
        return Refused(337, BAD_TIME)
    try:
        good_till = instant(order.good_till_date, door.zone, door.now_ns, end_of_day=True)
    except ValueError:
        return Refused(343, "The date, time, or time-zone entered is invalid. "
                            "The correct format is yyyymmdd hh:mm:ss xxx")  # fmt: skip
    special = special_of(order, door, lambda text: instant(text, door.zone, door.now_ns))
    if isinstance(special, Refusal):
        return Refused(special.code, special.text)
    conditions = []
    for row in order.conditions:
        condition = _condition(row, door)
        if isinstance(condition, Refused):
            return condition
        conditions.append(condition)
    return OrderTicket(
        client_id=door.client_id,
        order_id=order_id,
        account=account,
        con_id=con_id,
        side=SIDES[order.action],
        quantity=order.total_quantity,
        order_type=order.order_type,
        limit_price=_decimal(order.lmt_price),
        stop_price=_decimal(order.aux_price),
        tif=order.tif or ("" if door.preset_notice else "DAY"),
        order_ref=order.order_ref,
        parent_id=order.parent_id,
        transmit=order.transmit,
        oca_group=order.oca_group,
        oca_type=order.oca_type,
        outside_rth=order.outside_rth,
        trigger_method=order.trigger_method,
        good_after_ns=good_after,
        good_till_ns=good_till,
        trailing_percent=_decimal(order.trailing_percent),
        trail_stop_price=_decimal(order.trail_stop_price),
        lmt_price_offset=_decimal(order.lmt_price_offset),
        starting_price=_decimal(order.starting_price),
        all_or_none=order.all_or_none,
        min_qty=None if order.min_qty is None else Decimal(order.min_qty),
        trigger_price=_decimal(order.trigger_price),
        adjusted_order_type=order.adjusted_order_type,
        adjusted_stop_price=_decimal(order.adjusted_stop_price),
        adjusted_stop_limit_price=_decimal(order.adjusted_stop_limit_price),
        adjusted_trailing_amount=_decimal(order.adjusted_trailing_amount),
        adjusted_trailing_percent=order.adjustable_trailing_unit in IN_PERCENT,
        conditions=tuple(conditions),
        conditions_ignore_rth=order.conditions_ignore_rth,
        conditions_cancel_order=order.conditions_cancel_order,
        special=special,
        what_if=order.what_if,
        carried=order,
    )


def _invalid(cause: str) -> Refused:
    return Refused(321, f"Error validating request.-'bX' : cause - {cause}")


def _decimal(value: float | None) -> Decimal | None:
    """A number as its shortest text says it."""
    return None if value is None else Decimal(repr(value))


def _condition(row: WireOrderCondition, door: Door) -> Condition | Refused:
    try:
        kind = ConditionKind(row.type)
    except ValueError:
        return Refused(398, f"{row.type} cannot be used as a condition trigger.")
    amounts: dict[ConditionKind, float | None] = {
        ConditionKind.MARGIN: row.percent,
        ConditionKind.VOLUME: row.volume,
        ConditionKind.PERCENT_CHANGE: row.change_percent,
    }
    try:
        time_ns = instant(row.time, door.zone, door.now_ns) if kind is ConditionKind.TIME else 0
    except ValueError:
        return Refused(337, BAD_TIME)
    return Condition(
        kind=kind,
        joins_and=row.is_conjunction_connection,
        is_more=row.is_more,
        con_id=row.con_id,
        price=_decimal(row.price),
        trigger_method=row.trigger_method,
        time_ns=time_ns,
        amount=_decimal(amounts.get(kind)),
        symbol=row.symbol,
        sec_type=row.sec_type,
        exchange=row.exchange,
    )
