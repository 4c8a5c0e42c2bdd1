"""IB's algos: their parameters as TWS checks them. How they trade is in `schedules`.

Names, labels, bounds and legal values are those of the definitions that TWS gets from IB's servers, as far as
they were recorded, the rest official (the API's page of algos). TWS looks for the algorithm (439), then reads
each parameter in the client's order (443 unknown, 10314 no time, 441 no number), then the legal values (145),
the bounds (441) and what is missing (441). Shares of the volume are fractions up to 1, percent above (the
documentation has the former, the definitions the latter).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from msgspec import Struct

from tws.exchange.refusals import Refusal

__all__ = ["ALGOS", "Algo", "read_algo"]

NO_ALGO = Refusal(439, "Order processing failed. Algorithm definition not found")
NO_DISPLAY = Refusal(10255, "The 'Display Size' order attribute may not be specified for this order.")


class Algo(Struct, frozen=True, kw_only=True):
    """An algorithm with its parameters by TWS's names: instants in ns UTC, flags as 0 or 1."""

    strategy: str
    numbers: dict[str, Decimal] = {}
    texts: dict[str, str] = {}
    times: dict[str, int] = {}

    def flag(self, name: str) -> bool:
        """Whether a flag is set."""
        return bool(self.numbers.get(name))

    def share(self, name: str) -> Decimal | None:
        """A share of the volume, as a fraction."""
        number = self.numbers.get(name)
        return number if number is None or number <= 1 else number / 100


class Param(NamedTuple):
    """How TWS calls a parameter in its refusals, and what it takes."""

    label: str
    kind: str = "number"  # number, whole, flag, time, text
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[str, ...] = ()
    required: bool = False


class Rule(NamedTuple):
    """An algorithm's parameters and the security types it is for; () for all."""

    params: dict[str, Param]
    sec_types: tuple[str, ...] = ()


LEAST, MOST = Decimal("0.01"), Decimal("50.0")
MOST_NUMBER = Decimal(10) ** 9
"""As many shares as an order may have; no parameter means more."""
_TIMES = {"startTime": Param("Start Time", "time"), "endTime": Param("End Time", "time")}
_CASH = {"monetaryValue": Param("Cash Quantity")}
_PAST = {"allowPastEndTime": Param("Allow trading past end time", "flag")}
_NO_TAKE = {"noTakeLiq": Param("Attempt to never take liquidity", "flag")}
_MOST = {"maxPctVol": Param("Max Percentage", low=LEAST, high=MOST)}
_URGENCY = {
    "riskAversion": Param(
        "Urgency/Risk aversion", "text",
        choices=("GetDone", "Get Done", "Get_Done", "Aggressive", "Neutral", "Passive"),
    ),
    "forceCompletion": Param("Attempt completion by EOD", "flag"),
}  # fmt: skip
_WINDOW = _TIMES | _NO_TAKE | _CASH


def _target(name: str = "pctVol", label: str = "Target Percentage") -> dict[str, Param]:
    return {name: Param(label, low=LEAST, required=True)}


ALGOS: dict[str, Rule] = {
    "Adaptive": Rule(
        {"adaptivePriority": Param("Priority", "text", choices=("Urgent", "Normal", "Patient"))} | _CASH
    ),
    "Twap": Rule(
        {"strategyType": Param(
            "Trade strategy", "text",
            choices=("Marketable", "Matching", "Midpoint", "Matching Same Side", "Matching Last"),
        )} | _TIMES | _PAST | _CASH
    ),
    "Vwap": Rule(_MOST | _TIMES | _PAST | _NO_TAKE | {"speedUp": Param("Speed Up", "flag")} | _CASH),
    "ArrivalPx": Rule(_MOST | _URGENCY | _TIMES | _PAST | _CASH),
    "ClosePx": Rule(_MOST | _URGENCY | {"startTime": _TIMES["startTime"]} | _CASH),
    "DarkIce": Rule({"displaySize": Param("Display Size", "whole")} | _TIMES | _PAST | _CASH),
    "PctVol": Rule(_target() | _WINDOW),
    "PctVolPx": Rule(
        _target() | _WINDOW
        | {
            "deltaPctVol": Param("Target Percentage Change Rate"),
            "minPctVol4Px": Param("Minimum Target Percentage"),
            "maxPctVol4Px": Param("Maximum Target Percentage"),
        }
    ),
    "PctVolSz": Rule(_target("startPctVol", "Initial Target Percentage")
                     | _target("endPctVol", "Terminal Target Percentage") | _WINDOW),
    "PctVolTm": Rule(_target("startPctVol", "Initial Target Percentage")
                     | _target("endPctVol", "Terminal Target Percentage") | _WINDOW),
    "AD": Rule({
        "componentSize": Param("Component Size", "whole", required=True),
        "timeBetweenOrders": Param("Time Between Orders", "whole", required=True),
        "randomizeTime20": Param("Randomize time by 20%", "flag"),
        "randomizeSize55": Param("Randomize size by 55%", "flag"),
        "giveUp": Param("Give Up", "whole"),
        "catchUp": Param("Catch Up", "flag"),
        "waitForFill": Param("Wait For Fill", "flag"),
        "activeTimeStart": Param("Active Time Start", "time"),
        "activeTimeEnd": Param("Active Time End", "time"),
    } | _TIMES),
    "MinImpact": Rule(_MOST | _CASH, ("OPT", "FOP")),
    "BalanceImpactRisk": Rule(_MOST | _URGENCY | _CASH, ("OPT", "FOP")),
}  # fmt: skip
"""By TWS's name. Those of options are not found for stocks, nor are those of third parties (recorded)."""

Reader = Callable[[str], int]
"""Reads TWS's text of an instant into ns UTC; raises ValueError."""


def read_algo(
    strategy: str, params: Iterable[tuple[str, str]], sec_type: str, read_time: Reader, *, shows: bool = False
) -> Algo | Refusal:
    """The algorithm that an order names, or what TWS says against it; `shows`: it has a display size."""
    rule = ALGOS.get(strategy)
    if rule is None or (rule.sec_types and sec_type not in rule.sec_types):
        return NO_ALGO
    if shows:
        return NO_DISPLAY
    stated = [(name, value.strip()) for name, value in params]
    numbers: dict[str, Decimal] = {}
    texts: dict[str, str] = {}
    times: dict[str, int] = {}
    for name, value in stated:
        param = rule.params.get(name)
        if param is None:
            return Refusal(443, f"Order processing failed. Unknown algo attribute:{name}")
        if not value:
            continue
        if param.kind == "time":
            try:
                times[name] = read_time(value)
            except ValueError:
                return Refusal(10314, f"{name}: The date, time, or time-zone entered is invalid.")
        elif param.kind == "text":
            texts[name] = value
        else:
            number = _number(value, param.kind)
            if number is None:
                return Refusal(441, f"Algo attributes validation failed:{name}={value}")
            numbers[name] = number
    refusal = _illegal(rule, texts, numbers) or _lacking(rule, texts | dict(stated))
    return refusal or Algo(strategy=strategy, numbers=numbers, texts=texts, times=times)


def _number(text: str, kind: str) -> Decimal | None:
    if kind == "flag":
        return {"1": Decimal(1), "0": Decimal(0), "true": Decimal(1), "false": Decimal(0)}.get(text.lower())
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) > MOST_NUMBER:
        return None
    return None if kind == "whole" and number != number.to_integral_value() else number


def _illegal(rule: Rule, texts: dict[str, str], numbers: dict[str, Decimal]) -> Refusal | None:
    for name, value in texts.items():
        if value not in rule.params[name].choices:
            return Refusal(145, f"Error in validating entry fields -{value}")
    for name, number in numbers.items():
        param = rule.params[name]
        if param.low is not None and number < param.low:
            return _beyond(param, "less than minimum value", param.low)
        if param.high is not None and number > param.high:
            return _beyond(param, "greater than maximum value", param.high)
        if param.kind == "whole" and (number < 0 or (param.required and not number)):
            return _beyond(param, "less than minimum value", Decimal(int(param.required)))
    return None


def _beyond(param: Param, what: str, bound: Decimal) -> Refusal:
    text = f"'{param.label}' is invalid: Value is {what} {bound}.. "
    return Refusal(441, f"Algo attributes validation failed: {text}")


def _lacking(rule: Rule, stated: dict[str, str]) -> Refusal | None:
    missing = "".join(
        f"'{param.label}' is invalid: value is required.\n"
        for name, param in rule.params.items()
        if param.required and not stated.get(name)
    )
    return Refusal(441, f"Algo attributes validation failed:\n{missing}") if missing else None
