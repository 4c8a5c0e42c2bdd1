"""Commissions: what an order costs, by type of security (TWS-BEHAVIOUR.md D; the public fixed schedules).

A schedule charges per unit, by value, or both; at least the minimum, at most a share of the value.
Exchange, clearing and regulatory fees are left out. What is not the schedule of US stocks is assumed
from IB's public price list: USD 0.65 an option, 0.85 a US future, 0.2 basis points of a currency pair
(at least 2), 0.18 % of crypto (at least 1.75), CFDs like shares.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["FeeSchedule", "FeeTable", "due"]

ZERO = Decimal(0)


class FeeSchedule(Struct, frozen=True, kw_only=True):
    """What one type costs, per order across its partial fills; the defaults are IB's for US stocks.

    `of_value` and `maximum` are shares of the trade value; the maximum wins over the minimum where they
    clash, None: there is none. All in the trade's currency, but see `FeeTable.forex`.
    """

    per_share: Decimal = Decimal("0.005")
    of_value: Decimal = ZERO
    minimum: Decimal = Decimal("1.00")
    maximum: Decimal | None = Decimal("0.01")


class FeeTable(Struct, frozen=True, kw_only=True):
    """A schedule for each type of security. The minimum of `forex` is in the account's base currency."""

    stock: FeeSchedule = FeeSchedule()
    option: FeeSchedule = FeeSchedule(per_share=Decimal("0.65"), maximum=None)
    future: FeeSchedule = FeeSchedule(per_share=Decimal("0.85"), minimum=ZERO, maximum=None)
    forex: FeeSchedule = FeeSchedule(
        per_share=ZERO, of_value=Decimal("0.00002"), minimum=Decimal("2.00"), maximum=None
    )
    crypto: FeeSchedule = FeeSchedule(
        per_share=ZERO, of_value=Decimal("0.0018"), minimum=Decimal("1.75"), maximum=Decimal("0.01")
    )
    cfd: FeeSchedule = FeeSchedule(maximum=None)

    def of(self, sec_type: str) -> FeeSchedule:
        """The schedule of TWS's type; one that has none of its own pays like a stock."""
        schedule = _BY_TYPE.get(sec_type)
        return self.stock if schedule is None else getattr(self, schedule)


_BY_TYPE = {
    "OPT": "option", "FOP": "future", "FUT": "future", "CASH": "forex", "CRYPTO": "crypto", "CFD": "cfd",
}  # fmt: skip


def due(schedule: FeeSchedule, shares: Decimal, value: Decimal, unit: Decimal = Decimal(1)) -> Decimal:
    """What an order owes in all after `shares` worth `value` were filled, in the trade's currency.

    At least the minimum, at most a share of the value; where they clash the maximum wins (IB's
    public schedule: ten shares at 0.20 cost 0.02). `unit` is how much of the trade's currency the
    minimum's unit buys. It never falls as an order fills while `unit` stands still, so each fill is
    charged the difference to what was charged before.
    """
    owed = schedule.per_share * shares
    if schedule.of_value:
        owed += schedule.of_value * value
    if owed < schedule.minimum * unit:
        owed = schedule.minimum * unit
    if schedule.maximum is not None and owed > schedule.maximum * value:
        owed = schedule.maximum * value
    return owed
