"""What can be traded, in TWS's own terms."""

from __future__ import annotations

import re

from msgspec import Struct

from tws.model.terms import BondTerms, EventTerms, FundTerms, Ineligibility

__all__ = ["ComboLeg", "Contract", "ContractDetails", "contract_named", "forex", "future", "option", "stock"]


class ComboLeg(Struct, frozen=True, kw_only=True):
    """One leg of a combination: `ratio` of the contract `con_id` for each unit, bought or sold (`side`).

    `open_close` 0 as its order, 1 opens, 2 closes; the last three are of an institution's short sale.
    """

    con_id: int
    ratio: int
    side: str
    exchange: str = "SMART"
    open_close: int = 0
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1


class Contract(Struct, frozen=True, kw_only=True):
    """A contract as TWS describes it. Empty text, 0 and None mean: not stated.

    `con_id` alone identifies a contract for good; symbol and exchange may be reused.
    `strike` is a price in `currency`; `right` is "C" or "P"; `last_trade_date` is
    yyyyMMdd or yyyyMM; `multiplier` is TWS's text, such as "100". `combo_legs` are those of a BAG.
    `issuer_id` is TWS's own name of who issues bonds: alone it asks for all of them.
    """

    con_id: int = 0
    symbol: str = ""
    sec_type: str = "STK"
    last_trade_date: str = ""
    strike: float | None = None
    right: str = ""
    multiplier: str = ""
    exchange: str = "SMART"
    primary_exchange: str = ""
    currency: str = "USD"
    local_symbol: str = ""
    trading_class: str = ""
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""
    combo_legs: tuple[ComboLeg, ...] = ()


class ContractDetails(Struct, frozen=True, kw_only=True):
    """What TWS knows about one contract (answer 10, of a bond 18).

    `min_tick` is the smallest price step in `contract.currency`; `trading_hours` and
    `liquid_hours` are TWS's text in the zone `time_zone_id`, such as
    "20261123:0930-20261123:1600;20261126:CLOSED"; sizes are in shares or contracts. From
    `suggested_size_increment` on: None where TWS says nothing, be it that it never does for this type or at
    this server version. `identifiers` are (kind, number) such as ("ISIN", "US0378331005"); `agg_group` is
    shared by contracts whose SMART quotes are one; `last_trade_time` is the clock time of the last trading
    day, in `time_zone_id` unless it names a zone; the two precisions are the
    finest steps in which the last price and its size are stated, such as 0.01 and 0.0001 (reported).
    """

    contract: Contract
    market_name: str = ""
    min_tick: float = 0.01
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
    market_rule_ids: str = ""
    stock_type: str = ""
    min_size: float | None = None
    size_increment: float | None = None
    suggested_size_increment: float | None = None
    min_algo_size: float | None = None
    last_price_precision: float | None = None
    last_size_precision: float | None = None
    under_symbol: str | None = None
    under_sec_type: str | None = None
    last_trade_time: str | None = None
    real_expiration_date: str | None = None
    ev_rule: str | None = None
    ev_multiplier: int | None = None
    agg_group: int | None = None
    identifiers: tuple[tuple[str, str], ...] = ()
    bond: BondTerms | None = None
    fund: FundTerms | None = None
    event: EventTerms | None = None
    ineligibilities: tuple[Ineligibility, ...] = ()


def stock(
    symbol: str, exchange: str = "SMART", currency: str = "USD", primary_exchange: str = ""
) -> Contract:
    """A stock or ETF. `stock("AAPL")` is enough for a US share.

    Give `primary_exchange` when TWS finds several.
    """
    return Contract(symbol=symbol, exchange=exchange, currency=currency, primary_exchange=primary_exchange)


def option(
    symbol: str,
    last_trade_date: str,
    strike: float,
    right: str,
    exchange: str = "SMART",
    currency: str = "USD",
    trading_class: str = "",
) -> Contract:
    """An option on a stock or an index: `option("SPY", "20261218", 560, "C")`; `right` is C or P, the date
    yyyyMMdd. Give `trading_class` where a root has several (SPX, SPXW).
    """
    return Contract(
        symbol=symbol,
        sec_type="OPT",
        last_trade_date=last_trade_date,
        strike=float(strike),
        right=right,
        exchange=exchange,
        currency=currency,
        trading_class=trading_class,
    )


def future(
    symbol: str, last_trade_date: str, exchange: str, currency: str = "USD", multiplier: str = ""
) -> Contract:
    """A future: `future("ES", "202612", "CME")`; the month, or the date yyyyMMdd."""
    return Contract(
        symbol=symbol,
        sec_type="FUT",
        last_trade_date=last_trade_date,
        exchange=exchange,
        currency=currency,
        multiplier=multiplier,
    )


def forex(pair: str, exchange: str = "IDEALPRO") -> Contract:
    """A currency pair: `forex("EUR.USD")`, or "EURUSD". Raises ValueError for what is no pair."""
    base, _, quote = pair.partition(".") if "." in pair else (pair[:3], "", pair[3:])
    if len(base) != 3 or len(quote) != 3 or not (base + quote).isalpha():
        raise ValueError(f"{pair!r} is no pair of currencies: write it like EUR.USD")
    return Contract(symbol=base.upper(), sec_type="CASH", exchange=exchange, currency=quote.upper())


_FORMS = {
    "STK": r"STK(?: (?P<exchange>[A-Z0-9]+)(?: (?P<currency>[A-Z]{3})(?: (?P<primary>[A-Z0-9]+))?)?)?",
    "FUT": r"FUT (?P<date>\d{6}(?:\d{2})?) (?P<exchange>[A-Z0-9]+)(?: (?P<currency>[A-Z]{3}))?",
    "OPT": (
        r"OPT (?P<date>\d{8}) (?P<strike>\d+(?:\.\d+)?) (?P<right>[CP])"
        r"(?: (?P<exchange>[A-Z0-9]+)(?: (?P<currency>[A-Z]{3}))?)?"
    ),
}


def contract_named(symbol: str, text: str) -> Contract:
    """The contract of a symbol as a configuration writes it; what stands in brackets may be left out:

    STK [exchange [currency [primary exchange]]]      "STK SMART EUR IBIS"
    FUT month exchange [currency]                     "FUT 202612 CME"; the month, or the date yyyyMMdd
    OPT date strike right [exchange [currency]]       "OPT 20261218 560 C"

    Raises ValueError for any other text.
    """
    form = _FORMS.get(text.split(" ")[0], "")
    found = re.fullmatch(form, text) if form else None
    if found is None:
        raise ValueError(f"no contract: none of {', '.join(_FORMS)} with what belongs to it")
    said = found.groupdict()
    exchange, currency = said["exchange"] or "SMART", said["currency"] or "USD"
    if text.startswith("FUT"):
        return future(symbol, said["date"], exchange, currency)
    if text.startswith("OPT"):
        return option(symbol, said["date"], float(said["strike"]), said["right"], exchange, currency)
    return stock(symbol, exchange, currency, said["primary"] or "")
