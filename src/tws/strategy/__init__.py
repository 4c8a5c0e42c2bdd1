"""From bars to wishes, from wishes to linked orders. Pure: instants and prices are arguments.

    source.on_bar(symbol, bar)                    -> signals        (sources.py)
    gate.judge(signal, now_ns, session)           -> Refusal | None (gate.py; each refusal is kept)
    bracket_for(signal, quote, atr, plan)         -> Bracket | Refusal (linked.py)
    manage(signal, stance, market, plan, conduct) -> what it means given what is held (manage.py)
    quantity_for(sizing, basis)                   -> shares (sizing.py)

A refusal is a value with its reason, the figure and the bound: nothing here raises for what is ordinary.
"""

from __future__ import annotations

from tws.strategy.breakout import OpeningRangeBreakout
from tws.strategy.crossover import MovingAverageCrossover
from tws.strategy.fates import Fate, FateBook, Outcome
from tws.strategy.gate import GateRules, ModelLimits, SignalGate
from tws.strategy.linked import TradePlan, bracket_for
from tws.strategy.refusal import Reason, Refusal
from tws.strategy.schema import signal_from
from tws.strategy.sizing import (
    Allocation,
    AnySizing,
    Basis,
    Kelly,
    RiskFraction,
    Shares,
    Sizing,
    VolatilityTarget,
    quantity_for,
)
from tws.strategy.sources import SignalSource

__all__ = [
    "Allocation",
    "AnySizing",
    "Basis",
    "Fate",
    "FateBook",
    "GateRules",
    "Kelly",
    "ModelLimits",
    "MovingAverageCrossover",
    "OpeningRangeBreakout",
    "Outcome",
    "Reason",
    "Refusal",
    "RiskFraction",
    "Shares",
    "SignalGate",
    "SignalSource",
    "Sizing",
    "TradePlan",
    "VolatilityTarget",
    "bracket_for",
    "quantity_for",
    "signal_from",
]
