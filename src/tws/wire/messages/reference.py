"""What a client may look up besides contracts: exchanges, families, tiers, histograms, option arithmetic,
display groups; and the exercise of options. Source: TWS-BEHAVIOUR.md F4, F6; the official client.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.wire.messages.base import Answer, Request, Tag
from tws.wire.messages.contract import WireContract

__all__ = [
    "CalculateImpliedVolatilityRequest",
    "CalculateOptionPriceRequest",
    "CancelCalculateImpliedVolatility",
    "CancelCalculateOptionPrice",
    "CancelContractData",
    "CancelHistogramData",
    "CancelHistoricalTicks",
    "DepthMarketDataDescription",
    "DisplayGroupList",
    "DisplayGroupUpdated",
    "ExerciseOptionsRequest",
    "FamilyCode",
    "FamilyCodes",
    "FamilyCodesRequest",
    "HistogramData",
    "HistogramDataEntry",
    "HistogramDataRequest",
    "MarketDepthExchanges",
    "MarketDepthExchangesRequest",
    "QueryDisplayGroupsRequest",
    "SmartComponent",
    "SmartComponents",
    "SmartComponentsRequest",
    "SoftDollarTier",
    "SoftDollarTiers",
    "SoftDollarTiersRequest",
    "SubscribeToGroupEventsRequest",
    "UnsubscribeFromGroupEventsRequest",
    "UpdateDisplayGroupRequest",
]


class MarketDepthExchangesRequest(Request, frozen=True):
    """Request 82."""


class DepthMarketDataDescription(Struct, frozen=True):
    """An exchange with market depth; `service_data_type` is "Deep" or "Deep2" (with market makers)."""

    exchange: str
    sec_type: str
    listing_exch: str = ""
    service_data_type: str = ""
    agg_group: int | None = None


class MarketDepthExchanges(Answer, frozen=True):
    """Answer 80."""

    depth_market_data_descriptions: tuple[DepthMarketDataDescription, ...] = ()


class SmartComponentsRequest(Request, frozen=True):
    """Request 83: which exchanges stand behind the letters of a `bbo_exchange` of TickReqParams."""

    req_id: int
    bbo_exchange: str


class SmartComponent(Struct, frozen=True):
    """One exchange behind SMART."""

    bit_number: int
    exchange: str
    exchange_letter: str


class SmartComponents(Answer, frozen=True):
    """Answer 82."""

    req_id: int
    smart_components: tuple[SmartComponent, ...] = ()


class FamilyCodesRequest(Request, frozen=True):
    """Request 80."""


class FamilyCode(Struct, frozen=True):
    """An account and the family that it belongs to; the account is "*" for all."""

    account_id: str
    family_code: str


class FamilyCodes(Answer, frozen=True):
    """Answer 78."""

    family_codes: tuple[FamilyCode, ...] = ()


class SoftDollarTiersRequest(Request, frozen=True):
    """Request 79."""

    req_id: int


class SoftDollarTier(Struct, frozen=True):
    """A tier as the user defined it."""

    name: str
    value: str
    display_name: str


class SoftDollarTiers(Answer, frozen=True):
    """Answer 77."""

    req_id: int
    soft_dollar_tiers: tuple[SoftDollarTier, ...] = ()


class HistogramDataRequest(Request, frozen=True):
    """Request 88: how much traded at which price over "3 days" and the like."""

    req_id: int
    contract: WireContract
    use_rth: bool
    time_period: str


class CancelHistogramData(Request, frozen=True):
    """Request 89."""

    req_id: int


class HistogramDataEntry(Struct, frozen=True):
    """One price and its volume."""

    price: float
    size: Decimal | None


class HistogramData(Answer, frozen=True):
    """Answer 89."""

    req_id: int
    histogram_data_entries: tuple[HistogramDataEntry, ...] = ()


class CalculateImpliedVolatilityRequest(Request, frozen=True):
    """Request 54: the answer is TickOptionComputation with tick type 53."""

    req_id: int
    contract: WireContract
    option_price: float
    under_price: float
    implied_volatility_options: tuple[Tag, ...] = ()


class CalculateOptionPriceRequest(Request, frozen=True):
    """Request 55: the answer is TickOptionComputation with tick type 53."""

    req_id: int
    contract: WireContract
    volatility: float
    under_price: float
    option_price_options: tuple[Tag, ...] = ()


class CancelCalculateImpliedVolatility(Request, frozen=True):
    """Request 56."""

    req_id: int


class CancelCalculateOptionPrice(Request, frozen=True):
    """Request 57."""

    req_id: int


class CancelContractData(Request, frozen=True):
    """Request 106, from server version 215."""

    req_id: int


class CancelHistoricalTicks(Request, frozen=True):
    """Request 107, from server version 215."""

    req_id: int


class ExerciseOptionsRequest(Request, frozen=True):
    """Request 21: `exercise_action` 1 exercise, 2 lapse; `override` acts against TWS's natural action."""

    order_id: int
    contract: WireContract
    exercise_action: int
    exercise_quantity: int
    account: str = ""
    override: bool = False
    manual_order_time: str = ""
    customer_account: str = ""
    professional_customer: bool = False


class QueryDisplayGroupsRequest(Request, frozen=True):
    """Request 67."""

    req_id: int


class DisplayGroupList(Answer, frozen=True):
    """Answer 67: group numbers joined by "|"."""

    req_id: int
    groups: str


class SubscribeToGroupEventsRequest(Request, frozen=True):
    """Request 68."""

    req_id: int
    group_id: int


class UpdateDisplayGroupRequest(Request, frozen=True):
    """Request 69: `contract_info` is "conId@exchange", "none" or "combo"."""

    req_id: int
    contract_info: str


class UnsubscribeFromGroupEventsRequest(Request, frozen=True):
    """Request 70."""

    req_id: int


class DisplayGroupUpdated(Answer, frozen=True):
    """Answer 68."""

    req_id: int
    contract_info: str
