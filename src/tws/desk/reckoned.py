"""What the desk reckons beside its state: worth of positions, readings of profit, account values, rates.

None of it is in the journal and none of it survives a restart: it comes from the broker's running word,
serves decisions, and the decisions are records.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from tws.desk.cover import Covers
from tws.desk.rates import Rates
from tws.desk.worth import Worth
from tws.model.account import AccountValue

__all__ = ["Reading", "Reckoned"]

_WANTED = frozenset({"BuyingPower", "DayTradesRemaining"})


class Reading(Struct, frozen=True, kw_only=True):
    """What our book had made at one instant, realised and not, after fees, in the account's base currency."""

    at_ns: int
    profit: Decimal


class Reckoned:
    """One desk's. `readings` are the last three of the profit that could be made, oldest first."""

    def __init__(self) -> None:
        self.worth = Worth()
        self.covers = Covers()
        self.rates = Rates()
        self.readings: Sequence[Reading] = ()
        self.blind_ns: int | None = None
        """Since when no reading could be taken; -1 once a human was told."""
        self.unrated: tuple[str, ...] = ()
        """Currencies of our book for which the last reading lacked the rate."""
        self._values: dict[tuple[str, str], Decimal | None] = {}
        """The wanted values by account and key."""

    def copied(self) -> Reckoned:
        """For a decision on a copy of the state."""
        twin = Reckoned()
        twin.readings, twin.blind_ns, twin.unrated = self.readings, self.blind_ns, self.unrated
        twin.rates = self.rates.copied()
        twin._values = dict(self._values)
        return twin

    def hear(self, value: AccountValue) -> None:
        """Keep what the limits look at: two keys of each account, and what currencies are worth."""
        self.rates.hear(value)
        if value.key in _WANTED and not value.model:
            self._values[value.account, value.key] = value.amount

    def stated(self, key: str, account: str) -> Decimal | None:
        """A value as the broker last stated it; None when it never did, or stated no number."""
        return self._values.get((account, key))

    def day_trades(self, account: str) -> int | None:
        """How many day trades are left; negative: any number (TWS writes -1)."""
        count = self.stated("DayTradesRemaining", account)
        return None if count is None else int(count)
