"""The words that all drivers of Python clients share: one event is one line of JSON on stdout.

A driver turns whatever its library says into these words, so that the runner compares what clients *saw*,
whatever each calls it. Numbers are numbers (a Decimal, a float and an int of one value are the same), what a
library marks as unset is null, and so is an empty text. Contracts and orders keep the API's own field names.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import traceback
from datetime import date, datetime
from decimal import Decimal
from typing import Any

LARGEST = 1e30
"""Any number beyond means "unset": the largest double, or the 2**127 that marks an unset Decimal."""
UNSET = (2147483647, 9223372036854775807)

CONTRACT = "conId symbol secType exchange currency localSymbol tradingClass".split()
ORDER = (
    "orderId clientId permId parentId action totalQuantity orderType lmtPrice auxPrice tif ocaGroup ocaType "
    "orderRef account outsideRth hidden goodAfterTime goodTillDate trailStopPrice trailingPercent minQty "
    "displaySize allOrNone sweepToFill discretionaryAmt triggerMethod algoStrategy cashQty transmit "
    "adjustedOrderType triggerPrice adjustedStopPrice hedgeType"
).split()
MARGINS = (
    "initMarginBefore maintMarginBefore equityWithLoanBefore initMarginChange maintMarginChange "
    "equityWithLoanChange initMarginAfter maintMarginAfter equityWithLoanAfter"
).split()
EXECUTION = (
    "execId time acctNumber side shares price permId clientId orderId cumQty avgPrice orderRef exchange"
).split()
TICKS = {
    0: "bidSize", 1: "bid", 2: "ask", 3: "askSize", 4: "last", 5: "lastSize", 6: "high", 7: "low",
    8: "volume", 9: "close", 14: "open", 21: "avVolume", 23: "histVolatility", 24: "impliedVolatility",
    27: "callOpenInterest", 28: "putOpenInterest", 29: "callVolume", 30: "putVolume", 37: "markPrice",
    45: "lastTime", 46: "shortable", 48: "rtVolume", 49: "halted", 54: "tradeCount", 89: "shortableShares",
}  # fmt: skip
DELAYED = {66: 1, 67: 2, 68: 4, 69: 0, 70: 3, 71: 5, 72: 6, 73: 7, 74: 8, 75: 9, 76: 14, 88: 45, 90: 49}
GREEKS = {10: "bid", 11: "ask", 12: "last", 13: "model", 80: "bid", 81: "ask", 82: "last", 83: "model"}
_lock = threading.Lock()


def emit(session: str, event: str, **fields: Any) -> None:
    """Say that `session` saw `event`."""
    line = json.dumps(
        {"session": session, "event": event} | {key: plain(value) for key, value in fields.items()}
    )
    with _lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, (bool, type(None))):
        return value
    if isinstance(value, str):
        return value or None
    if isinstance(value, (Decimal, float, int)):
        number = float(value)
        if math.isnan(number) or abs(number) > LARGEST or value in UNSET:
            return None
        return int(number) if number == int(number) else number
    if isinstance(value, datetime):
        return plain(value.timestamp())
    if isinstance(value, date):
        return f"{value:%Y%m%d}"
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return sorted(plain(one) for one in value) if isinstance(value, (set, frozenset)) else str(value)


def number(text: Any) -> Any:
    """A number that a library hands on as text, as ibapi 10.37.2 does with every quantity of protobuf."""
    try:
        return plain(float(text))
    except (TypeError, ValueError):
        return None


def tick_name(kind: int) -> str:
    """The name of a tick type; a delayed one is called like the live one."""
    return TICKS.get(DELAYED.get(kind, kind), f"tick{kind}")


def contract_row(contract: Any) -> dict[str, Any]:
    row = {name: getattr(contract, name) for name in CONTRACT}
    row["expiry"] = (contract.lastTradeDateOrContractMonth or "").split(" ")[0].split("-")[0]
    row["strike"] = number(contract.strike) or None
    row["right"] = {"CALL": "C", "PUT": "P", "C": "C", "P": "P"}.get(contract.right)
    row["multiplier"] = number(contract.multiplier) or None
    row["primaryExchange"] = getattr(contract, "primaryExchange", None)
    legs = contract.comboLegs or []
    row["legs"] = [[leg.conId, leg.ratio, leg.action, leg.exchange] for leg in legs]
    return plain(row)


def order_row(order: Any) -> dict[str, Any]:
    row = {name: getattr(order, name, None) for name in ORDER}
    row["totalQuantity"] = number(order.totalQuantity)
    row["conditions"] = [condition_row(condition) for condition in order.conditions or []]
    return plain(row)


def condition_row(condition: Any) -> list[Any]:
    """[kind, what it asks for]. The official client spells the exchange in full, ib_* do not."""
    kind = type(condition).__name__.removesuffix("Condition").lower()
    if kind == "execution":
        return [kind, condition.secType, condition.symbol]
    value = {
        "price": "price",
        "time": "time",
        "margin": "percent",
        "volume": "volume",
        "percentchange": "changePercent",
    }
    row = [kind, bool(condition.isMore), getattr(condition, value[kind])]
    return [*row, condition.conId] if kind in ("price", "volume", "percentchange") else row


def state_row(state: Any) -> dict[str, Any]:
    row = {name: number(getattr(state, name)) for name in MARGINS}
    row["status"] = state.status
    row["warning"] = state.warningText
    row["commission"] = getattr(state, "commission", getattr(state, "commissionAndFees", None))
    row["completedStatus"], row["completedTime"] = state.completedStatus, state.completedTime
    return plain(row)


def details_row(found: Any) -> dict[str, Any]:
    row = contract_row(found.contract)
    for name in (
        "minTick longName validExchanges marketRuleIds underConId contractMonth timeZoneId stockType".split()
    ):
        row[name] = getattr(found, name)
    row["hours"] = found.liquidHours
    return plain(row)


def execution_row(contract: Any, execution: Any) -> dict[str, Any]:
    row = {name: getattr(execution, name) for name in EXECUTION}
    row["shares"], row["cumQty"] = number(execution.shares), number(execution.cumQty)
    return plain(row | {"conId": contract.conId})


def serve(perform: Any) -> None:
    """Read commands, one line of JSON each, until stdin ends; `perform(op, arguments)` does one."""
    for line in sys.stdin:
        command = json.loads(line)
        obey(perform, command)


def obey(perform: Any, command: dict[str, Any]) -> None:
    """Do one command; what goes wrong is an event, so that the runner hears of it at once."""
    session = command.get("session", "main")
    try:
        perform(session, command["op"], command.get("arguments", {}))
    except NotImplementedError as lacking:
        emit(session, "unsupported", op=command["op"], text=str(lacking))
    except Exception:
        emit(session, "failed", op=command["op"], text=traceback.format_exc())
