"""The simulated broker's matching engine and books: pure, deterministic, computed apart from ours.

It imports layer 1 alone, so that what the desk believes can be checked against what "really"
happened. `docs/design/exchange.md` says what each behaviour rests on.
"""

from __future__ import annotations

from tws.exchange.archive import Archive, MemoryArchive
from tws.exchange.events import (
    AccountChanged,
    CommissionCharged,
    CompletedOrder,
    Event,
    Executed,
    ExecutionReport,
    MarginEffect,
    Notice,
    OrderBound,
    OrderOpened,
    OrderView,
    PositionChanged,
    PositionRow,
    StatusChanged,
    WhatIfAnswered,
)
from tws.exchange.exchange import Exchange
from tws.exchange.fees import FeeSchedule, FeeTable
from tws.exchange.margins import MarginModel, MarginRule
from tws.exchange.statement import LEDGER
from tws.exchange.terms import (
    AccountSetup,
    ChildrenWork,
    Condition,
    ConditionKind,
    ExecutionFilter,
    FarPrice,
    Habits,
    Leg,
    Listing,
    OcaType,
    OrderTicket,
    Session,
    TriggerMethod,
)

__all__ = [
    "LEDGER",
    "AccountChanged",
    "AccountSetup",
    "Archive",
    "ChildrenWork",
    "CommissionCharged",
    "CompletedOrder",
    "Condition",
    "ConditionKind",
    "Event",
    "Exchange",
    "Executed",
    "ExecutionFilter",
    "ExecutionReport",
    "FarPrice",
    "FeeSchedule",
    "FeeTable",
    "Habits",
    "Leg",
    "Listing",
    "MarginEffect",
    "MarginModel",
    "MarginRule",
    "MemoryArchive",
    "Notice",
    "OcaType",
    "OrderBound",
    "OrderOpened",
    "OrderTicket",
    "OrderView",
    "PositionChanged",
    "PositionRow",
    "Session",
    "StatusChanged",
    "TriggerMethod",
    "WhatIfAnswered",
]
