"""Contract details (answers 10 and 18) as ours: typed where a source says how, TWS's words elsewhere.

What did not come is None; the wire's own marks of "none" (an empty text, 0 of an id, 2147483647) are read
as that. A date that carries a time and a zone behind it keeps its date, the rest goes to `last_trade_time`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec.structs import replace

from tws.connection.hearing.reading import contract_of
from tws.model.contract import Contract, ContractDetails
from tws.model.terms import BondTerms, EventTerms, FundAsset, FundPolicy, FundTerms, Ineligibility
from tws.wire.messages import BondContractData, ContractData, FundDetails, WireContractDetails

__all__ = ["contract_details_of"]

_UNSET_INT = 2147483647


def contract_details_of(row: ContractData | BondContractData) -> ContractDetails:
    """One row of an answer."""
    wire = row.contract_details
    contract, time = _dated(contract_of(row.contract))
    is_bond = isinstance(row, BondContractData)
    return ContractDetails(
        contract=replace(contract, last_trade_date="") if is_bond else contract,
        market_name=wire.market_name,
        min_tick=wire.min_tick,
        order_types=wire.order_types,
        valid_exchanges=wire.valid_exchanges,
        price_magnifier=wire.price_magnifier,
        under_con_id=wire.under_con_id,
        long_name=wire.long_name,
        contract_month=wire.contract_month,
        industry=wire.industry,
        category=wire.category,
        subcategory=wire.subcategory,
        time_zone_id=wire.time_zone_id,
        trading_hours=wire.trading_hours,
        liquid_hours=wire.liquid_hours,
        market_rule_ids=wire.market_rule_ids,
        stock_type=wire.stock_type,
        min_size=_float(wire.min_size),
        size_increment=_float(wire.size_increment),
        suggested_size_increment=_float(wire.suggested_size_increment),
        min_algo_size=_float(wire.min_algo_size),
        last_price_precision=_float(wire.last_price_precision),
        last_size_precision=_float(wire.last_size_precision),
        under_symbol=wire.under_symbol or None,
        under_sec_type=wire.under_sec_type or None,
        last_trade_time=None if is_bond else time,
        real_expiration_date=wire.real_expiration_date or None,
        ev_rule=wire.ev_rule or None,
        ev_multiplier=wire.ev_multiplier or None,
        agg_group=wire.agg_group if 0 < wire.agg_group < _UNSET_INT else None,
        identifiers=wire.sec_id_list,
        bond=_bond_of(wire, contract.last_trade_date, time) if is_bond else None,
        fund=None if wire.fund is None else _fund_of(wire.fund),
        event=_event_of(wire) if wire.event_contract1 or wire.event_contract_description1 else None,
        ineligibilities=tuple(
            Ineligibility(id=reason.id or None, description=reason.description or None)
            for reason in wire.ineligibility_reason_list
        ),
    )


def _dated(contract: Contract) -> tuple[Contract, str | None]:
    """The contract with its date alone, and what stood behind it: `20261218 08:30 US/Central`, or with
    minus signs between the parts (official client).
    """
    date, _, time = contract.last_trade_date.replace("-", " ").partition(" ")
    return (replace(contract, last_trade_date=date), time or None) if time else (contract, None)


def _bond_of(wire: WireContractDetails, maturity: str, time: str | None) -> BondTerms:
    return BondTerms(
        cusip=wire.cusip or None,
        coupon=wire.coupon,
        coupon_type=wire.coupon_type or None,
        maturity=maturity or None,
        maturity_time=time,
        issue_date=wire.issue_date or None,
        ratings=wire.ratings or None,
        bond_type=wire.bond_type or None,
        description=wire.desc_append or None,
        is_callable=wire.callable,
        is_puttable=wire.puttable,
        is_convertible=wire.convertible,
        next_option_date=wire.next_option_date or None,
        next_option_type=wire.next_option_type or None,
        next_option_is_partial=wire.next_option_partial,
        notes=wire.bond_notes or None,
    )


def _fund_of(wire: FundDetails) -> FundTerms:
    return FundTerms(
        name=wire.fund_name or None,
        family=wire.fund_family or None,
        kind=wire.fund_type or None,
        asset=_word(FundAsset, wire.fund_asset_type),
        policy=_word(FundPolicy, wire.fund_distribution_policy_indicator),
        front_load=wire.fund_front_load or None,
        back_load=wire.fund_back_load or None,
        back_load_interval=wire.fund_back_load_time_interval or None,
        management_fee=wire.fund_management_fee or None,
        is_closed=wire.fund_closed,
        is_closed_for_new_investors=wire.fund_closed_for_new_investors,
        is_closed_for_new_money=wire.fund_closed_for_new_money,
        notify_amount=wire.fund_notify_amount or None,
        minimum_initial_purchase=wire.fund_minimum_initial_purchase or None,
        minimum_subsequent_purchase=wire.fund_minimum_subsequent_purchase or None,
        blue_sky_states=wire.fund_blue_sky_states or None,
        blue_sky_territories=wire.fund_blue_sky_territories or None,
    )


def _event_of(wire: WireContractDetails) -> EventTerms:
    told = (wire.event_contract_description1, wire.event_contract_description2)
    return EventTerms(name=wire.event_contract1 or None, descriptions=tuple(text for text in told if text))


def _word(kind: type[StrEnum], text: str) -> StrEnum | str | None:
    """A known word of an enumeration, an unknown one as it came; "None" is TWS's word for none."""
    if text in ("", "None"):
        return None
    return next((word for word in kind if word == text), text)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
