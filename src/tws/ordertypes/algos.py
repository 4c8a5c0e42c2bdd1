"""IB's algorithms: each takes an order (LMT or MKT) and gives one that is worked by it.

Shares of the volume are fractions (0.1 is 10 %), or percent above 1. `start` and `end` are
"10:00:00 US/Eastern" or "20261201-15:00:00"; `cash` is the amount of money where the size is one. Parameters
that are not stated are not sent. Sources of names and values: the official page of IB's algorithms and its
samples, less what TWS was recorded to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from tws.model.algos import Algo
from tws.model.fullorder import FullOrder
from tws.model.instrument import Number, decimal
from tws.ordertypes.build import having

__all__ = [
    "accumulate_distribute",
    "adaptive",
    "algo",
    "arrival_price",
    "balance_impact_risk",
    "close_price",
    "dark_ice",
    "minimize_impact",
    "percent_of_volume",
    "price_variant_volume",
    "size_variant_volume",
    "time_variant_volume",
    "twap",
    "vwap",
]

Risk: TypeAlias = Literal["Get Done", "Aggressive", "Neutral", "Passive"]


def _text(value: Number | bool) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else str(decimal(value))


def algo(order: FullOrder, strategy: str, params: Mapping[str, Number | bool | None] | None = None, *,
         algo_id: str = "") -> FullOrder:
    """Any algorithm by its name, such as a third party's; None leaves a parameter out."""
    said = {name: _text(value) for name, value in (params or {}).items() if value not in (None, "")}
    return having(order, algo=Algo(strategy=strategy, params=tuple(said.items()), algo_id=algo_id))


def adaptive(order: FullOrder, priority: Literal["Urgent", "Normal", "Patient"] = "Normal") -> FullOrder:
    """Adaptive: searches for a better price, for a shorter or a longer while."""
    return algo(order, "Adaptive", {"adaptivePriority": priority})


def arrival_price(
    order: FullOrder, *, max_share: Number, risk: Risk = "Neutral", start: str = "", end: str = "",
    past_end: bool = False, force: bool = False, cash: Number | None = None,
) -> FullOrder:
    """ArrivalPx: aims at the middle as it is when the order arrives."""
    return algo(order, "ArrivalPx", {"maxPctVol": max_share, "riskAversion": risk, "startTime": start,
                                     "endTime": end, "forceCompletion": force, "allowPastEndTime": past_end,
                                     "monetaryValue": cash})  # fmt: skip


def close_price(
    order: FullOrder, *, max_share: Number, risk: Risk = "Neutral", start: str = "", force: bool = False,
    cash: Number | None = None,
) -> FullOrder:
    """ClosePx: aims at the closing price without moving it."""
    return algo(order, "ClosePx", {"maxPctVol": max_share, "riskAversion": risk, "startTime": start,
                                   "forceCompletion": force, "monetaryValue": cash})  # fmt: skip


def dark_ice(
    order: FullOrder, display_size: int, *, start: str = "", end: str = "", past_end: bool = False,
    cash: Number | None = None,
) -> FullOrder:
    """DarkIce: an iceberg whose visible size varies at random."""
    return algo(order, "DarkIce", {"displaySize": display_size, "startTime": start, "endTime": end,
                                   "allowPastEndTime": past_end, "monetaryValue": cash})  # fmt: skip


def accumulate_distribute(
    order: FullOrder, component_size: int, every_s: int, *, random_time: bool = False,
    random_size: bool = False, give_up: int | None = None, catch_up: bool = False,
    wait_for_fill: bool = False, start: str = "", end: str = "",
) -> FullOrder:
    """AD: pieces of `component_size`, one every `every_s`; times vary by 20 %, sizes by 55 % if so wished."""
    return algo(order, "AD", {"componentSize": component_size, "timeBetweenOrders": every_s,
                              "randomizeTime20": random_time, "randomizeSize55": random_size,
                              "giveUp": give_up, "catchUp": catch_up, "waitForFill": wait_for_fill,
                              "activeTimeStart": start, "activeTimeEnd": end})  # fmt: skip


def percent_of_volume(
    order: FullOrder, share: Number, *, start: str = "", end: str = "", passive: bool = False,
    cash: Number | None = None,
) -> FullOrder:
    """PctVol: a share of the volume; `passive`: tries never to take liquidity."""
    return algo(order, "PctVol", {"pctVol": share, **_window(start, end, passive, cash)})


def price_variant_volume(
    order: FullOrder, share: Number, *, delta: Number, least: Number, most: Number, start: str = "",
    end: str = "", passive: bool = False, cash: Number | None = None,
) -> FullOrder:
    """PctVolPx: a share that varies with the price, between `least` and `most`, by `delta`."""
    return algo(order, "PctVolPx", {"pctVol": share, "deltaPctVol": delta, "minPctVol4Px": least,
                                    "maxPctVol4Px": most, **_window(start, end, passive, cash)})  # fmt: skip


def size_variant_volume(
    order: FullOrder, first: Number, last: Number, *, start: str = "", end: str = "", passive: bool = False,
    cash: Number | None = None,
) -> FullOrder:
    """PctVolSz: a share that goes from `first` to `last` with what is left of the order."""
    return algo(order, "PctVolSz", {"startPctVol": first, "endPctVol": last,
                                    **_window(start, end, passive, cash)})  # fmt: skip


def time_variant_volume(
    order: FullOrder, first: Number, last: Number, *, start: str = "", end: str = "", passive: bool = False,
    cash: Number | None = None,
) -> FullOrder:
    """PctVolTm: a share that goes from `first` to `last` with the time."""
    return algo(order, "PctVolTm", {"startPctVol": first, "endPctVol": last,
                                    **_window(start, end, passive, cash)})  # fmt: skip


def twap(
    order: FullOrder, *, start: str = "", end: str = "", past_end: bool = False,
    cash: Number | None = None,
) -> FullOrder:
    """Twap: spread evenly over time. The documented `strategyType` is refused now (443, recorded)."""
    return algo(order, "Twap", {"startTime": start, "endTime": end,
                                "allowPastEndTime": past_end, "monetaryValue": cash})  # fmt: skip


def vwap(
    order: FullOrder, *, max_share: Number, start: str = "", end: str = "", past_end: bool = False,
    passive: bool = False, cash: Number | None = None,
) -> FullOrder:
    """Vwap: aims at the volume-weighted average price."""
    return algo(order, "Vwap", {"maxPctVol": max_share, "startTime": start, "endTime": end,
                                "allowPastEndTime": past_end, "noTakeLiq": passive,
                                "monetaryValue": cash})  # fmt: skip


def balance_impact_risk(
    order: FullOrder, *, max_share: Number, risk: Risk = "Neutral", force: bool = False
) -> FullOrder:
    """BalanceImpactRisk, options: between moving the price and waiting for it to move."""
    return algo(order, "BalanceImpactRisk", {"maxPctVol": max_share, "riskAversion": risk,
                                             "forceCompletion": force})


def minimize_impact(order: FullOrder, *, max_share: Number) -> FullOrder:
    """MinImpact, options: slices over time, within a share of the volume."""
    return algo(order, "MinImpact", {"maxPctVol": max_share})


def _window(start: str, end: str, passive: bool, cash: Number | None) -> dict[str, Number | bool | None]:
    return {"startTime": start, "endTime": end, "noTakeLiq": passive, "monetaryValue": cash}
