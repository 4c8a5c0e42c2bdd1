"""Conditions by what they say, to be joined with `&` and `|` and given to `conditional`.

    conditional(limit("BUY", 100, 99.5), price_above(spy, 560) & time_after("20261201 10:00:00 US/Eastern"))

A condition looks at a contract by its con_id and its exchange: ask for the contract first
(`request_contract`).
"""

from __future__ import annotations

from tws.errors import BadOrderError
from tws.model.conditions import (
    ExecutionCondition,
    MarginCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from tws.model.contract import Contract
from tws.model.instrument import Number, decimal
from tws.ordertypes.changes import _TRIGGERS, Trigger

__all__ = [
    "change_above",
    "change_below",
    "executed",
    "margin_above",
    "margin_below",
    "price_above",
    "price_below",
    "time_after",
    "time_before",
    "volume_above",
    "volume_below",
]


def _seen(contract: Contract) -> tuple[int, str]:
    if contract.con_id <= 0:
        raise BadOrderError("conditions", f"{contract.symbol} has no con_id",
                            "Ask for the contract first (request_contract).", 147)
    return contract.con_id, contract.exchange or "SMART"


def price_above(contract: Contract, price: Number, trigger: Trigger = "default") -> PriceCondition:
    """The price of `contract` is at `price` or above, seen by `trigger`."""
    return _price(contract, price, trigger, True)


def price_below(contract: Contract, price: Number, trigger: Trigger = "default") -> PriceCondition:
    """The price of `contract` is at `price` or below, seen by `trigger`."""
    return _price(contract, price, trigger, False)


def _price(contract: Contract, price: Number, trigger: Trigger, is_more: bool) -> PriceCondition:
    con_id, exchange = _seen(contract)
    return PriceCondition(con_id=con_id, exchange=exchange, price=decimal(price, "price"), is_more=is_more,
                          trigger_method=_TRIGGERS[trigger])


def time_after(time: str) -> TimeCondition:
    """From `time` on: "20261201 10:00:00 US/Eastern", or "20261201-15:00:00" in UTC."""
    return TimeCondition(time=time, is_more=True)


def time_before(time: str) -> TimeCondition:
    """Until `time`."""
    return TimeCondition(time=time, is_more=False)


def margin_above(percent: int) -> MarginCondition:
    """The margin cushion is at least so many percent of the equity."""
    return MarginCondition(percent=percent, is_more=True)


def margin_below(percent: int) -> MarginCondition:
    """The margin cushion is at most so many percent of the equity."""
    return MarginCondition(percent=percent, is_more=False)


def executed(contract: Contract) -> ExecutionCondition:
    """The account had a fill in this symbol, from when the condition is watched on."""
    return ExecutionCondition(symbol=contract.symbol, sec_type=contract.sec_type,
                              exchange=contract.exchange or "SMART")


def volume_above(contract: Contract, volume: int) -> VolumeCondition:
    """At least so many shares of `contract` were traded today."""
    con_id, exchange = _seen(contract)
    return VolumeCondition(con_id=con_id, exchange=exchange, volume=volume, is_more=True)


def volume_below(contract: Contract, volume: int) -> VolumeCondition:
    """At most so many shares of `contract` were traded today."""
    con_id, exchange = _seen(contract)
    return VolumeCondition(con_id=con_id, exchange=exchange, volume=volume, is_more=False)


def change_above(contract: Contract, percent: Number) -> PercentChangeCondition:
    """`contract` is up by at least so many percent from its last close (a negative one: down by at most)."""
    return _change(contract, percent, True)


def change_below(contract: Contract, percent: Number) -> PercentChangeCondition:
    """`contract` is up by at most so many percent from its last close (a negative one: down by at least)."""
    return _change(contract, percent, False)


def _change(contract: Contract, percent: Number, is_more: bool) -> PercentChangeCondition:
    con_id, exchange = _seen(contract)
    return PercentChangeCondition(con_id=con_id, exchange=exchange, is_more=is_more,
                                  change_percent=decimal(percent, "percent"))
