"""Contracts as the wire describes them, and the questions and answers about contracts.

Names are those of the official protobuf classes of API 10.46 in snake_case, so that a protobuf
codec for newer servers can fill the same structs. Source: TWS-BEHAVIOUR.md F4, F6, F7.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from tws.wire.messages.base import Answer, Request, Tag

__all__ = [
    "BondContractData",
    "ContractData",
    "ContractDataEnd",
    "ContractDataRequest",
    "ContractDescription",
    "FundDetails",
    "IneligibilityReason",
    "MarketRule",
    "MarketRuleRequest",
    "MatchingSymbolsRequest",
    "PriceIncrement",
    "SecDefOptParameter",
    "SecDefOptParameterEnd",
    "SecDefOptParamsRequest",
    "SymbolSamples",
    "WireComboLeg",
    "WireContract",
    "WireContractDetails",
    "WireDeltaNeutral",
]


class WireComboLeg(Struct, frozen=True, kw_only=True):
    """One leg of a BAG.

    `open_close` 0 same as parent, 1 open, 2 close, 3 unknown; `exempt_code` -1 is none.
    """

    con_id: int = 0
    ratio: int = 0
    action: str = ""
    exchange: str = ""
    open_close: int = 0
    short_sales_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1


class WireDeltaNeutral(Struct, frozen=True, kw_only=True):
    """The underlying that makes a delta-neutral combination neutral."""

    con_id: int = 0
    delta: float = 0.0
    price: float = 0.0


class WireContract(Struct, frozen=True, kw_only=True):
    """A contract on the wire. Empty text, 0 and None mean: not stated.

    `strike` None is written 0.0, the wire's own form of "no strike" below server version 202, and 0 is read
    as None. `multiplier` is TWS's text ("100"). `last_trade_date_or_contract_month` is raw: in ContractData
    it may carry a time and a zone behind the date.
    """

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    last_trade_date_or_contract_month: str = ""
    strike: float | None = None
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exch: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    sec_id_type: str = ""
    sec_id: str = ""
    description: str = ""
    issuer_id: str = ""
    delta_neutral_contract: WireDeltaNeutral | None = None
    include_expired: bool = False
    combo_legs_descrip: str = ""
    combo_legs: tuple[WireComboLeg, ...] = ()
    last_trade_date: str = ""


class IneligibilityReason(Struct, frozen=True, kw_only=True):
    """Why TWS would not let this account trade the contract (server version 186 on)."""

    id: str = ""
    description: str = ""


class FundDetails(Struct, frozen=True, kw_only=True):
    """What ContractData adds for sec_type FUND (server version 179 on)."""

    fund_name: str = ""
    fund_family: str = ""
    fund_type: str = ""
    fund_front_load: str = ""
    fund_back_load: str = ""
    fund_back_load_time_interval: str = ""
    fund_management_fee: str = ""
    fund_closed: bool = False
    fund_closed_for_new_investors: bool = False
    fund_closed_for_new_money: bool = False
    fund_notify_amount: str = ""
    fund_minimum_initial_purchase: str = ""
    fund_minimum_subsequent_purchase: str = ""
    fund_blue_sky_states: str = ""
    fund_blue_sky_territories: str = ""
    fund_distribution_policy_indicator: str = ""
    fund_asset_type: str = ""


class WireContractDetails(Struct, frozen=True, kw_only=True):
    """What TWS knows about a contract. Hours are TWS's text in the zone `time_zone_id`; sizes in units of
    the contract.

    `fund` is None unless the contract is a fund and the server states it. From `cusip` on: bonds alone, in
    BondContractData. `min_algo_size`, the two precisions and the words of event contracts: protobuf alone.
    """

    market_name: str = ""
    min_tick: float = 0.0
    order_types: str = ""
    valid_exchanges: str = ""
    price_magnifier: int = 1
    under_con_id: int = 0
    long_name: str = ""
    contract_month: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    time_zone_id: str = ""
    trading_hours: str = ""
    liquid_hours: str = ""
    ev_rule: str = ""
    ev_multiplier: int = 0
    sec_id_list: tuple[Tag, ...] = ()
    agg_group: int = 0
    under_symbol: str = ""
    under_sec_type: str = ""
    market_rule_ids: str = ""
    real_expiration_date: str = ""
    stock_type: str = ""
    min_size: Decimal | None = None
    size_increment: Decimal | None = None
    suggested_size_increment: Decimal | None = None
    fund: FundDetails | None = None
    ineligibility_reason_list: tuple[IneligibilityReason, ...] = ()
    min_algo_size: Decimal | None = None
    last_price_precision: Decimal | None = None
    last_size_precision: Decimal | None = None
    event_contract1: str = ""
    event_contract_description1: str = ""
    event_contract_description2: str = ""
    cusip: str = ""
    issue_date: str = ""
    ratings: str = ""
    bond_type: str = ""
    coupon: float | None = None
    coupon_type: str = ""
    convertible: bool = False
    callable: bool = False
    puttable: bool = False
    desc_append: str = ""
    next_option_date: str = ""
    next_option_type: str = ""
    next_option_partial: bool = False
    bond_notes: str = ""


class ContractDataRequest(Request, frozen=True):
    """Request 9: which contracts fit this description?"""

    req_id: int
    contract: WireContract


class ContractData(Answer, frozen=True):
    """Answer 10: one contract that fits; ContractDataEnd follows the last."""

    req_id: int
    contract: WireContract
    contract_details: WireContractDetails = WireContractDetails()


class BondContractData(Answer, frozen=True):
    """Answer 18: a bond that fits, in place of ContractData. Where that has the last trade date stands the
    maturity, perhaps with a time and a zone behind it.
    """

    req_id: int
    contract: WireContract
    contract_details: WireContractDetails = WireContractDetails()


class ContractDataEnd(Answer, frozen=True):
    """Answer 52."""

    req_id: int


class MatchingSymbolsRequest(Request, frozen=True):
    """Request 81: symbols or company names that begin with `pattern`."""

    req_id: int
    pattern: str


class ContractDescription(Struct, frozen=True, kw_only=True):
    """One row of SymbolSamples; of the contract con_id, symbol, sec_type, primary_exch and currency are
    stated.
    """

    contract: WireContract = WireContract()
    derivative_sec_types: tuple[str, ...] = ()


class SymbolSamples(Answer, frozen=True):
    """Answer 79 to MatchingSymbolsRequest."""

    req_id: int
    contract_descriptions: tuple[ContractDescription, ...] = ()


class MarketRuleRequest(Request, frozen=True):
    """Request 91."""

    market_rule_id: int


class PriceIncrement(Struct, frozen=True, kw_only=True):
    """From the price `low_edge` upwards the smallest step is `increment`."""

    low_edge: float
    increment: float


class MarketRule(Answer, frozen=True):
    """Answer 93."""

    market_rule_id: int
    price_increments: tuple[PriceIncrement, ...] = ()


class SecDefOptParamsRequest(Request, frozen=True):
    """Request 78: the option chain of an underlying."""

    req_id: int
    underlying_symbol: str
    fut_fop_exchange: str
    underlying_sec_type: str
    underlying_con_id: int


class SecDefOptParameter(Answer, frozen=True):
    """Answer 75, one for each exchange; SecDefOptParameterEnd follows the last."""

    req_id: int
    exchange: str
    underlying_con_id: int
    trading_class: str
    multiplier: str
    expirations: tuple[str, ...] = ()
    strikes: tuple[float, ...] = ()


class SecDefOptParameterEnd(Answer, frozen=True):
    """Answer 76."""

    req_id: int
