"""What most users never trade: bonds, metals, warrants, funds, an event contract.

How each is described follows the official samples (a bond by its CUSIP, XAUUSD at SMART, VINIX at FUNDSERV, a
warrant at FWB); the conIds of the metals are public, CUSIPs and terms of the bonds too. Everything else is
invented: other conIds, prices, issuers' ids, the convertible, the words about funds and why one may not be
traded.

A bond's price is a percentage of par and one unit of it 100 of face value, so that price times quantity is
money; 1,000 of face are the least (assumed). Metals are quoted and never printed (reported). A fund has no
quote and takes no order over the API (assumed); a warrant follows its underlying as an option does.
"""

from __future__ import annotations

from decimal import Decimal

from tws.simulator.universe.security import SYNTHETIC_FROM, BondTerms, Security
from tws.wire.messages import FundDetails

__all__ = ["FURTHER"]

_OWN = SYNTHETIC_FROM + 20_000
"""Invented ids of this table begin here; the offset is part of the row, so that an id never moves."""
_BOND_EXCHANGES = ("SMART", "BONDDESK", "BTRUST", "VALUBOND", "MKTAXESS", "IBBOND")

_BONDS: tuple[tuple[int, str, str, str, str, float, float, BondTerms], ...] = (
    # conId, symbol, name, ISIN, issuer, price in % of par, volatility, terms
    (
        _OWN + 1, "US-T", "United States Treasury Note/Bond", "US91282CJJ18", "e1400715", 101.25, 0.06,
        BondTerms(
            coupon=4.5, maturity="20331115", issue_date="20231115", ratings="Aaa/AA+", bond_type="GOVT",
            desc_append="US-T 4 1/2 11/15/33",
        ),
    ),
    (
        _OWN + 2, "US-T", "United States Treasury Note/Bond", "US912810SN90", "e1400715", 52.5, 0.12,
        BondTerms(
            coupon=1.25, maturity="20500515", issue_date="20200515", ratings="Aaa/AA+", bond_type="GOVT",
            desc_append="US-T 1 1/4 05/15/50",
        ),
    ),
    (
        _OWN + 3, "AAPL", "APPLE INC", "US037833BX70", "e1359578", 91.5, 0.08,
        BondTerms(
            coupon=4.65, maturity="20460223", issue_date="20160223", ratings="Aaa/AA+", is_callable=True,
            next_option_date="20450823", next_option_type="CALL", next_option_partial=True,
            desc_append="AAPL 4.65 02/23/46", notes="Make-whole call",
        ),
    ),
    (
        _OWN + 4, "IBM", "INTL BUSINESS MACHINES CORP", "US459200HF10", "e1360115", 82.75, 0.08,
        BondTerms(
            coupon=4.0, maturity="20420620", issue_date="20120620", ratings="A3/A-",
            desc_append="IBM 4 06/20/42",
        ),
    ),
    (
        _OWN + 5, "CVNA", "CARVANA CO", "", "e1475003", 118.0, 0.3,
        BondTerms(
            coupon=None, coupon_type="ZERO", maturity="20301001", issue_date="20211001", ratings="Caa1/CCC",
            is_convertible=True, is_puttable=True, next_option_date="20271001", next_option_type="PUT",
            desc_append="CVNA 0 10/01/30",
        ),
    ),
)  # fmt: skip

_METALS: tuple[tuple[int, str, str, float, float, str], ...] = (
    # conId, symbol, name, price, volatility, tick
    (69067924, "XAUUSD", "London Gold", 2650.0, 0.15, "0.01"),
    (77124483, "XAGUSD", "London Silver", 31.0, 0.28, "0.001"),
)

_FUNDS: tuple[tuple[int, str, str, str, float, FundDetails], ...] = (
    # conId, symbol, name, ISIN, price, what TWS says about it
    (
        _OWN + 20, "VINIX", "VANGUARD INSTITUTIONAL INDEX FUND-INST", "US9220401007", 480.0,
        FundDetails(
            fund_name="Vanguard Institutional Index Fund", fund_family="Vanguard", fund_type="Open-ended",
            fund_front_load="0", fund_back_load="0", fund_management_fee="0.035%",
            fund_notify_amount="1000000", fund_minimum_initial_purchase="5000000",
            fund_minimum_subsequent_purchase="1", fund_blue_sky_states="ALL",
            fund_blue_sky_territories="PR,VI", fund_distribution_policy_indicator="Y", fund_asset_type="004",
        ),
    ),
    (
        _OWN + 21, "SIMMM", "SIMULATED MONEY MARKET FUND-A", "", 1.0,
        FundDetails(
            fund_name="Simulated Money Market Fund", fund_family="Simulated",
            fund_closed_for_new_investors=True, fund_distribution_policy_indicator="N", fund_asset_type="001",
        ),
    ),
)  # fmt: skip

_WARRANTS: tuple[tuple[int, str, str, str, str, float, str, int, float], ...] = (
    # conId, symbol, name, local symbol, last trading day, strike, right, conId of the underlying, price
    (_OWN + 40, "SAP", "SAP SE", "SD4X7Q", "20271217", 220.0, "C", 14204, 18.0),
    (_OWN + 41, "SAP", "SAP SE", "SD4X7R", "20271217", 190.0, "P", 14204, 9.0),
)


def _bond(row: tuple[int, str, str, str, str, float, float, BondTerms]) -> Security:
    con_id, symbol, name, isin, issuer, price, volatility, terms = row
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        stock_type="",
        sec_type="BOND",
        exchanges=_BOND_EXCHANGES,
        local_symbol=f"IBCID{con_id - SYNTHETIC_FROM}",
        trading_class=symbol,
        tick=Decimal("0.001"),
        market_rules=(9008,) * len(_BOND_EXCHANGES),
        lot=Decimal(10),
        suggested_size=Decimal(10),
        hours="US_BOND",
        price=price,
        volatility=volatility,
        spread=250,
        volume=50_000,
        isin=isin,
        cusip=isin[2:11] or "14686R9Z4",
        issuer_id=issuer,
        bond=terms,
    )


def _metal(row: tuple[int, str, str, float, float, str]) -> Security:
    con_id, symbol, name, price, volatility, tick = row
    exchanges = ("SMART", "IBCMDTY")
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        stock_type="",
        sec_type="CMDTY",
        exchanges=exchanges,
        primary_exchange="IBCMDTY",
        trading_class=symbol,
        tick=Decimal(tick),
        market_rules=({"0.01": 26, "0.001": 9008}[tick],) * len(exchanges),
        hours="FX",
        price=price,
        volatility=volatility,
        spread=25,
        volume=100_000,
    )


def _fund(row: tuple[int, str, str, str, float, FundDetails]) -> Security:
    con_id, symbol, name, isin, price, fund = row
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        stock_type="",
        sec_type="FUND",
        exchange="FUNDSERV",
        exchanges=("FUNDSERV",),
        trading_class=symbol,
        hours="US_OPTION",
        price=price,
        volatility=0.0,
        volume=0,
        isin=isin,
        fund=fund,
        ineligible=(("FUND_API", "Mutual funds cannot be traded through the API"),),
    )


def _warrant(row: tuple[int, str, str, str, str, float, str, int, float]) -> Security:
    con_id, symbol, name, local_symbol, last, strike, right, under, price = row
    exchanges = ("FWB", "SWB")
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        stock_type="",
        sec_type="WAR",
        exchange="FWB",
        exchanges=exchanges,
        currency="EUR",
        local_symbol=local_symbol,
        trading_class=local_symbol,
        multiplier="1",
        last_trade_date=last,
        contract_month=last[:6],
        strike=strike,
        right=right,
        under_con_id=under,
        under_symbol=symbol,
        under_sec_type="STK",
        tick=Decimal("0.01"),
        market_rules=(26,) * len(exchanges),
        hours="XETRA",
        price=price,
        volume=20_000,
    )


_EVENT = Security(
    con_id=_OWN + 60,
    symbol="FF",
    long_name="US Fed Funds Target Rate",
    stock_type="",
    sec_type="OPT",
    exchange="FORECASTX",
    exchanges=("FORECASTX",),
    local_symbol="FF_121626_3.625_YES",
    trading_class="FF",
    multiplier="1",
    last_trade_date="20261216",
    contract_month="202612",
    strike=3.625,
    right="C",
    hours="GLOBEX",
    price=0.55,
    event=("FF 16DEC26 3.625 YES", "Above 3.625 %", "The target rate after the meeting of 16 December 2026"),
)
"""An event contract is an option whose call says yes (official documentation); it has no market here."""

FURTHER: tuple[Security, ...] = (
    *map(_bond, _BONDS),
    *map(_metal, _METALS),
    *map(_fund, _FUNDS),
    *map(_warrant, _WARRANTS),
    _EVENT,
)
