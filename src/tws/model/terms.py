"""What contract details say of some types alone: bonds, funds, event contracts; why one is barred.

None where TWS states nothing. A word of an enumeration that we do not know is kept as it came. Texts whose
form no source states (loads, fees, amounts of a fund; ratings) are TWS's own.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["BondTerms", "EventTerms", "FundAsset", "FundPolicy", "FundTerms", "Ineligibility"]


class BondTerms(Struct, frozen=True, kw_only=True):
    """What the issuer of a bond owes (answer 18).

    coupon            percent of par a year; `coupon_type` is TWS's word for how it is reckoned
    maturity …        dates are yyyyMMdd; `maturity_time` where TWS states one
    ratings           the agencies' words, such as "Aaa/AA+"
    description       the bond's own name, such as "AAPL 4.65 02/23/46"
    next_option_date  when it may next be called or put, as `next_option_type` says; partly or whole
    """

    cusip: str | None = None
    coupon: float | None = None
    coupon_type: str | None = None
    maturity: str | None = None
    maturity_time: str | None = None
    issue_date: str | None = None
    ratings: str | None = None
    bond_type: str | None = None
    description: str | None = None
    is_callable: bool = False
    is_puttable: bool = False
    is_convertible: bool = False
    next_option_date: str | None = None
    next_option_type: str | None = None
    next_option_is_partial: bool = False
    notes: str | None = None


class FundAsset(StrEnum):
    """What a fund holds, by TWS's codes."""

    OTHERS = "000"
    MONEY_MARKET = "001"
    FIXED_INCOME = "002"
    MULTI_ASSET = "003"
    EQUITY = "004"
    SECTOR = "005"
    GUARANTEED = "006"
    ALTERNATIVE = "007"


class FundPolicy(StrEnum):
    """Whether a fund keeps its income or pays it out, by TWS's codes."""

    ACCUMULATION = "N"
    INCOME = "Y"


class FundTerms(Struct, frozen=True, kw_only=True):
    """What TWS says of a fund, from server version 179 on."""

    name: str | None = None
    family: str | None = None
    kind: str | None = None
    asset: FundAsset | str | None = None
    policy: FundPolicy | str | None = None
    front_load: str | None = None
    back_load: str | None = None
    back_load_interval: str | None = None
    management_fee: str | None = None
    is_closed: bool = False
    is_closed_for_new_investors: bool = False
    is_closed_for_new_money: bool = False
    notify_amount: str | None = None
    minimum_initial_purchase: str | None = None
    minimum_subsequent_purchase: str | None = None
    blue_sky_states: str | None = None
    blue_sky_territories: str | None = None


class EventTerms(Struct, frozen=True, kw_only=True):
    """What an event contract is about (protobuf alone, so from server version 205 on)."""

    name: str | None = None
    descriptions: tuple[str, ...] = ()


class Ineligibility(Struct, frozen=True, kw_only=True):
    """Why this account may not trade the contract; from server version 186 on."""

    id: str | None = None
    description: str | None = None
