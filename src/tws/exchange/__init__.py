"""The simulated broker's matching engine and books: pure, deterministic, computed apart from ours.

It imports layer 1 alone, so that what the desk believes can be checked against what "really"
happened. `docs/design/exchange.md` says what each behaviour rests on.
"""

from __future__ import annotations

from tws.exchange.events import (
    AccountChanged,
    CommissionCharged,
    CompletedOrder,
    Event,
    Executed,
    ExecutionReport,
    MarginEffect,
    Notice,
    OrderOpened,
    OrderView,
    PositionChanged,
    PositionRow,
    StatusChanged,
    WhatIfAnswered,
)
from tws.exchange.exchange import Exchange
from tws.exchange.terms import (
    AccountSetup,
    ChildrenWork,
    ExecutionFilter,
    FeeSchedule,
    Habits,
    Listing,
    MarginModel,
    OcaType,
    OrderTicket,
    Session,
    TriggerMethod,
)

__all__ = [
    "AccountChanged",
    "AccountSetup",
    "ChildrenWork",
    "CommissionCharged",
    "CompletedOrder",
    "Event",
    "Exchange",
    "Executed",
    "ExecutionFilter",
    "ExecutionReport",
    "FeeSchedule",
    "Habits",
    "Listing",
    "MarginEffect",
    "MarginModel",
    "Notice",
    "OcaType",
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
