"""What TWS refuses of IB's own algorithms: their names, the names and the values of their parameters.

Algorithms that are not in the table (third parties' at JEFFALGO, CSFBALGO, …) are not judged. Sources: the
official page of IB's algorithms, and what was recorded of a paper Gateway at server version 225
(docs/design/order-types.md); where the two differ, the wider holds. A value out of its range is answered with
441 or 145, an unknown name with 443.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from tws.model.contract import Contract
from tws.model.fullorder import FullOrder
from tws.ordertypes.rule import Rule

__all__ = ["ALGOS", "ALGO_RULES", "PRIORITIES", "RISK_AVERSIONS", "TWAP_STRATEGIES"]

PRIORITIES = ("Urgent", "Normal", "Patient")
RISK_AVERSIONS = ("Get Done", "GetDone", "Get_Done", "Aggressive", "Neutral", "Passive")
TWAP_STRATEGIES = ("Marketable", "Matching", "Midpoint", "Matching Same Side", "Matching Last")
_LEAST_SHARE, _MOST_SHARE = Decimal("0.01"), Decimal(50)
"""Of the volume: a fraction up to 1, percent above (recorded; the page has 0.1 to 0.5 and 1 to 50 %)."""

Kind: TypeAlias = Callable[[str], str]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _share(text: str) -> str:
    number = _number(text)
    fits = number is not None and _LEAST_SHARE <= number <= _MOST_SHARE
    return "" if fits else f"a share of the volume from {_LEAST_SHARE} to {_MOST_SHARE}, please"


def _amount(text: str) -> str:
    number = _number(text)
    return "" if number is not None and number >= 0 else "a number from zero up, please"


def _flag(text: str) -> str:
    return "" if text.lower() in ("0", "1", "true", "false") else "1 or 0, please"


def _text(text: str) -> str:
    return ""


def _word(*words: str) -> Kind:
    return lambda text: "" if text in words else f"one of {', '.join(words)}, please"


_TIMES: dict[str, Kind] = {"startTime": _text, "endTime": _text}
_MONEY: dict[str, Kind] = {"monetaryValue": _amount}
_RISK: dict[str, Kind] = {"riskAversion": _word(*RISK_AVERSIONS), "forceCompletion": _flag}
_VOLUME: dict[str, Kind] = {**_TIMES, "noTakeLiq": _flag, **_MONEY}

ALGOS: dict[str, dict[str, Kind]] = {
    "Adaptive": {"adaptivePriority": _word(*PRIORITIES)},
    "ArrivalPx": {"maxPctVol": _share, **_RISK, **_TIMES, "allowPastEndTime": _flag, **_MONEY},
    "ClosePx": {"maxPctVol": _share, **_RISK, "startTime": _text, **_MONEY},
    "DarkIce": {"displaySize": _amount, **_TIMES, "allowPastEndTime": _flag, **_MONEY},
    "AD": {"componentSize": _amount, "timeBetweenOrders": _amount, "randomizeTime20": _flag,
           "randomizeSize55": _flag, "giveUp": _amount, "catchUp": _flag, "waitForFill": _flag, **_TIMES,
           "activeTimeStart": _text, "activeTimeEnd": _text},
    "PctVol": {"pctVol": _share, **_VOLUME},
    "PctVolPx": {"pctVol": _share, "deltaPctVol": _share, "minPctVol4Px": _share, "maxPctVol4Px": _share,
                 **_VOLUME},
    "PctVolSz": {"startPctVol": _share, "endPctVol": _share, **_VOLUME},
    "PctVolTm": {"startPctVol": _share, "endPctVol": _share, **_VOLUME},
    "Twap": {"strategyType": _word(*TWAP_STRATEGIES), **_TIMES, "allowPastEndTime": _flag, **_MONEY},
    "Vwap": {"maxPctVol": _share, **_TIMES, "allowPastEndTime": _flag, "noTakeLiq": _flag,
             "speedUp": _flag, **_MONEY},
    "BalanceImpactRisk": {"maxPctVol": _share, **_RISK},
    "MinImpact": {"maxPctVol": _share},
}  # fmt: skip
"""IB's algorithms with the parameters that each knows, and what each of them may be."""


def unknown_algo_parameter(order: FullOrder, contract: Contract | None) -> str:
    algo = order.attributes.algo
    known = None if algo is None else ALGOS.get(algo.strategy)
    if algo is None or known is None:
        return ""
    strange = [name for name, _ in algo.params if name not in known]
    return f"{algo.strategy} knows no {', '.join(strange)}" if strange else ""


def bad_algo_value(order: FullOrder, contract: Contract | None) -> str:
    algo = order.attributes.algo
    for name, text in () if algo is None else algo.params:
        kind = ALGOS.get(algo.strategy, {}).get(name) if algo else None
        fault = kind(text) if kind is not None and text else ""
        if fault:
            return f"{name} is {text!r}: {fault}"
    return ""


def large_component(order: FullOrder, contract: Contract | None) -> str:
    algo = order.attributes.algo
    if algo is None or algo.strategy != "AD" or order.quantity is None:
        return ""
    size = _number(algo.get("componentSize") or "0")
    return f"componentSize {size} exceeds the order's size" if size and size > order.quantity else ""


def algo_of_options(order: FullOrder, contract: Contract | None) -> str:
    algo = order.attributes.algo
    if algo is None or contract is None or algo.strategy not in ("MinImpact", "BalanceImpactRisk"):
        return ""
    return "" if contract.sec_type in ("OPT", "FOP") else f"{algo.strategy} works options alone"


def algo_with_display(order: FullOrder, contract: Contract | None) -> str:
    both = order.attributes.algo is not None and order.attributes.display_size is not None
    return "an algorithm shows what it likes" if both else ""


def component_missing(order: FullOrder, contract: Contract | None) -> str:
    algo = order.attributes.algo
    if algo is None or algo.strategy != "AD":
        return ""
    lacks = [name for name in ("componentSize", "timeBetweenOrders") if not algo.get(name)]
    return f"AD needs {' and '.join(lacks)}" if lacks else ""


ALGO_RULES: tuple[Rule, ...] = (
    Rule(fault=unknown_algo_parameter, attribute="algo.params", code=443, source="codes",
         cure="Take the builder of the algorithm: it knows its parameters."),
    Rule(fault=bad_algo_value, attribute="algo.params", code=441, source="algos",
         cure="See the page of IB's algorithms."),
    Rule(fault=component_missing, attribute="algo.params", code=441, source="recorded",
         cure="Take accumulate_distribute()."),
    Rule(fault=algo_of_options, attribute="algo.strategy", code=439, source="recorded",
         cure="Take ArrivalPx or Vwap for stocks."),
    Rule(fault=algo_with_display, attribute="display_size", code=10255, source="recorded",
         cure="Leave it unset, or take dark_ice()."),
    Rule(fault=large_component, attribute="algo.params", code=441, source="algos",
         cure="Cut the order in smaller pieces."),
)
