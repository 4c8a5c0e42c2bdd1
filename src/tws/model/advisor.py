"""What a financial advisor's login keeps in TWS: groups and profiles of clients' accounts, their aliases."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["AccountAlias", "AdvisorGroup", "AdvisorProfile", "AdvisorShare"]


class AdvisorShare(Struct, frozen=True):
    """One account of a group or profile. `amount` is its percentage, ratio, money or number of shares, as the
    method says; None where the method needs none.
    """

    account: str
    amount: Decimal | None = None


class AdvisorGroup(Struct, frozen=True, kw_only=True):
    """Accounts to which an order is allocated by one method, in TWS's words: Equal, NetLiq, AvailableEquity,
    and with amounts Percent, Ratio, ContractsOrShares, MonetaryAmount (official); older builds say
    EqualQuantity and PctChange. Another word is kept as it came.
    """

    name: str
    method: str = ""
    shares: tuple[AdvisorShare, ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(share.account for share in self.shares)


class AdvisorProfile(Struct, frozen=True, kw_only=True):
    """The older form of a group with amounts, below server version 177. `kind` is 1 for percentages, 2 for
    ratios, 3 for shares (official); None when TWS states no number.
    """

    name: str
    kind: int | None = None
    shares: tuple[AdvisorShare, ...] = ()


class AccountAlias(Struct, frozen=True):
    """The name by which TWS shows an account."""

    account: str
    alias: str
