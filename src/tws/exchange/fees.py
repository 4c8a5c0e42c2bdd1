"""Commissions and margin: what an order costs, and what the account must hold for it."""

from __future__ import annotations

from decimal import Decimal

from tws.exchange.terms import FeeSchedule

__all__ = ["due"]


def due(schedule: FeeSchedule, shares: Decimal, value: Decimal) -> Decimal:
    """What an order owes in all after `shares` worth `value` were filled, in the trade's currency.

    At least the minimum, at most a share of the value; where they clash the maximum wins (IB's
    public schedule: ten shares at 0.20 cost 0.02). It never falls as an order fills, so each fill is
    charged the difference to what was charged before.
    """
    return min(max(schedule.per_share * shares, schedule.minimum), schedule.maximum * value)
