"""Market scanners: what is looked for, what is found, and what scanners know at all."""

from __future__ import annotations

from msgspec import Struct

from tws.model.contract import Contract

__all__ = [
    "MOST_ROWS",
    "Scan",
    "ScanField",
    "ScanFilter",
    "ScanInstrument",
    "ScanLocation",
    "ScanRow",
    "ScanType",
    "ScannerParameters",
]

MOST_ROWS = 50
"""TWS gives no more (TWS-BEHAVIOUR.md B)."""


class Scan(Struct, frozen=True):
    """What to look for; None is "any". Codes are those of `ScannerParameters`, such as TOP_PERC_GAIN.

    stock_type  "ALL", "CORP", "ADR", "ETF", "REIT", "CEF"; "" all
    filters     further ones as pairs of a field's code and a value: ("priceAbove", "5")
    rows        50 at most; None as many as there may be

    Prices and capitalisation in the contract's currency, volumes in shares or contracts, ratings and dates as
    TWS writes them.
    """

    code: str
    instrument: str = "STK"
    location: str = "STK.US.MAJOR"
    rows: int | None = None
    above_price: float | None = None
    below_price: float | None = None
    above_volume: int | None = None
    above_market_cap: float | None = None
    below_market_cap: float | None = None
    above_moody_rating: str = ""
    below_moody_rating: str = ""
    above_sp_rating: str = ""
    below_sp_rating: str = ""
    above_maturity_date: str = ""
    below_maturity_date: str = ""
    above_coupon_rate: float | None = None
    below_coupon_rate: float | None = None
    exclude_convertible: bool = False
    above_average_option_volume: int | None = None
    setting_pairs: str = ""
    stock_type: str = ""
    filters: tuple[tuple[str, str], ...] = ()


class ScanRow(Struct, frozen=True, kw_only=True):
    """One row; `rank` begins at 0. What the last four say depends on the scan, and is mostly nothing."""

    rank: int
    contract: Contract
    market_name: str = ""
    distance: str = ""
    benchmark: str = ""
    projection: str = ""
    legs: str = ""


class ScanInstrument(Struct, frozen=True, kw_only=True):
    """A type of instruments that can be scanned, such as STK; `filters` are ids of the filters for it."""

    code: str
    name: str
    filters: tuple[str, ...] = ()


class ScanLocation(Struct, frozen=True, kw_only=True):
    """Where to look; `inside` is the code of the location around it, "" for none."""

    code: str
    name: str
    instruments: tuple[str, ...] = ()
    inside: str = ""


class ScanType(Struct, frozen=True, kw_only=True):
    """A scan, and the instruments for which there is it (none stated: all)."""

    code: str
    name: str
    instruments: tuple[str, ...] = ()


class ScanField(Struct, frozen=True, kw_only=True):
    """A bound or a choice: its code goes into `Scan.filters`. `kind` is TWS's name of its type; `choices` are
    the codes of those that it offers.
    """

    code: str
    name: str
    kind: str = ""
    choices: tuple[str, ...] = ()


class ScanFilter(Struct, frozen=True, kw_only=True):
    """A filter with its fields: a range has two."""

    id: str
    category: str
    fields: tuple[ScanField, ...] = ()


class ScannerParameters(Struct, frozen=True, kw_only=True):
    """What scanners know (answer 19). What has no code in TWS's text is left out; `xml` is that text."""

    instruments: tuple[ScanInstrument, ...] = ()
    locations: tuple[ScanLocation, ...] = ()
    scans: tuple[ScanType, ...] = ()
    filters: tuple[ScanFilter, ...] = ()
    xml: str = ""
