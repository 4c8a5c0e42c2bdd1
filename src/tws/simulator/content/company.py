"""Figures of a company, invented by the seed: what earnings, dividends and the number of shares are.

Reports, corporate events, generic ticks and the market capitalisation of scanners all take them from here, so
they agree with one another.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from tws.simulator.universe import Security

__all__ = ["Company", "chance", "quarter_ends"]

TURNOVER_DAYS = 250
"""A company has about so many times its daily volume in shares (invented)."""
NO_DIVIDEND = 0.4
"""So many companies pay none (invented)."""


def chance(seed: int, con_id: int, what: str) -> float:
    """0..1, always the same for the same question."""
    return random.Random(f"{seed}:{con_id}:{what}").random()


class Company:
    """One company behind a stock. Money is in the currency of the stock, per share where it says so."""

    def __init__(self, seed: int, security: Security) -> None:
        self.security = security
        self._seed = seed

    def chance(self, what: str) -> float:
        """0..1 of this company."""
        return chance(self._seed, self.security.con_id, what)

    @property
    def shares(self) -> int:
        """Shares outstanding."""
        return int(self.security.volume * TURNOVER_DAYS * (0.5 + self.chance("shares")))

    @property
    def earned(self) -> float:
        """Earnings a share over twelve months."""
        return self.security.price / (10 + 20 * self.chance("pe"))

    @property
    def revenue(self) -> float:
        """Over twelve months."""
        return self.earned * self.shares / (0.05 + 0.2 * self.chance("margin"))

    @property
    def employees(self) -> int:
        return int(1_000 + 150_000 * self.chance("employees") ** 3)

    @property
    def dividend(self) -> float:
        """A share and quarter; 0 for a company that pays none."""
        if self.chance("dividend") < NO_DIVIDEND:
            return 0.0
        return round(self.security.price * 0.004 * (0.5 + self.chance("yield")), 2)

    def quarter(self, end: date) -> float:
        """Earnings a share of the quarter that ends then."""
        return round(self.earned / 4 * (0.8 + 0.4 * self.chance(f"quarter {end}")), 2)

    def expected(self, end: date) -> float:
        """What analysts expected of that quarter."""
        return round(self.quarter(end) * (0.92 + 0.16 * self.chance(f"expected {end}")), 2)

    def reports_on(self, end: date) -> date:
        """The day on which the quarter's earnings are told: three to six weeks later, a weekday."""
        day = end + timedelta(days=21 + int(21 * self.chance(f"report {end}")))
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def quarter_ends(first: date, last: date) -> Iterator[date]:
    """The ends of calendar quarters from `first` to `last`."""
    for year in range(first.year, last.year + 1):
        for month, day in ((3, 31), (6, 30), (9, 30), (12, 31)):
            end = date(year, month, day)
            if first <= end <= last:
                yield end
