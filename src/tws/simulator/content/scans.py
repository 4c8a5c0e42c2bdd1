"""What a scanner finds: the instruments that trade now, chosen by place and filters, ranked by the scan's
figure.

`SCANS`, `INSTRUMENTS`, `LOCATIONS` and `FILTERS` are the only tables: a scan is computed from them, and
`tws.simulator.content.catalogue` states them as XML. Codes are TWS's own (official documentation, public
copies of the XML); a real TWS knows many more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from tws.simulator.content.company import Company
from tws.simulator.tape import Tape
from tws.simulator.universe import Security

__all__ = [
    "FILTERS",
    "INSTRUMENTS",
    "LOCATIONS",
    "MOST_ROWS",
    "SCANS",
    "STOCK_TYPES",
    "Candidate",
    "Found",
    "Wanted",
    "find",
    "instrument_fits",
]

MOST_ROWS = 50
"""Rows of one scan (B)."""
OPTIONS_ABOUT = 70_000
"""Options a day on an underlying, about (as generic tick 105 says)."""


class Candidate(NamedTuple):
    """One instrument as its market stands."""

    security: Security
    tape: Tape
    company: Company
    halted: int
    minutes: float
    """Of the day so far."""

    @property
    def last(self) -> float:
        return self.tape.last or self.tape.close or 0.0

    @property
    def change(self) -> float | None:
        """Since yesterday's close, percent."""
        close = self.tape.close
        return None if not close or not self.tape.last else (self.tape.last / close - 1) * 100

    @property
    def since_open(self) -> float | None:
        opened = self.tape.open
        return None if not opened else (self.tape.last / opened - 1) * 100

    @property
    def gap(self) -> float | None:
        """From yesterday's close to today's opening, percent."""
        close, opened = self.tape.close, self.tape.open
        return None if not close or not opened else (opened / close - 1) * 100

    @property
    def span(self) -> float:
        """Today's highest to lowest price, percent."""
        return (self.tape.high / self.tape.low - 1) * 100 if self.tape.low else 0.0

    @property
    def volume(self) -> float:
        """Today's, in shares or contracts."""
        return float(self.tape.volume * self.security.lot)

    @property
    def traded_value(self) -> float:
        return float(self.tape.value) * float(self.security.lot)

    @property
    def heat(self) -> float:
        """Today's volume as a part of what is usual."""
        return self.volume / self.security.volume

    @property
    def capital(self) -> float:
        """Market capitalisation."""
        return self.company.shares * self.last

    @property
    def option_volume(self) -> float:
        return OPTIONS_ABOUT * (0.5 + self.company.chance("average options"))


Figure = Callable[[Candidate], float | None]


class Scan(NamedTuple):
    """A scan: its name, the figure it ranks by, the highest first or the lowest; None keeps one out."""

    name: str
    figure: Figure
    highest: bool = True


def _if(holds: Callable[[Candidate], bool], figure: Figure) -> Figure:
    return lambda one: figure(one) if holds(one) else None


SCANS: Mapping[str, Scan] = {
    "TOP_PERC_GAIN": Scan("Top % Gainers", lambda one: one.change),
    "TOP_PERC_LOSE": Scan("Top % Losers", lambda one: one.change, highest=False),
    "MOST_ACTIVE": Scan("Most Active", lambda one: one.volume or None),
    "MOST_ACTIVE_USD": Scan("Most Active ($)", lambda one: one.traded_value or None),
    "HOT_BY_VOLUME": Scan("Hot Contracts by Volume", lambda one: one.heat or None),
    "HOT_BY_PRICE": Scan(
        "Hot Contracts by Price",
        lambda one: None if one.change is None else abs(one.change) / one.security.volatility,
    ),
    "TOP_TRADE_COUNT": Scan("Top Trade Count", lambda one: one.tape.prints or None),
    "TOP_TRADE_RATE": Scan("Top Trade Rate", lambda one: one.tape.prints / one.minutes or None),
    "TOP_VOLUME_RATE": Scan("Top Volume Rate", lambda one: one.volume / one.minutes or None),
    "TOP_PRICE_RANGE": Scan("Top Price Range", lambda one: one.span or None),
    "HOT_BY_PRICE_RANGE": Scan("Hot by Price Range", lambda one: one.span / one.security.volatility or None),
    "TOP_OPEN_PERC_GAIN": Scan("Top % Gainers Since Open", lambda one: one.since_open),
    "TOP_OPEN_PERC_LOSE": Scan("Top % Losers Since Open", lambda one: one.since_open, highest=False),
    "HIGH_OPEN_GAP": Scan("Top Close-to-Open % Gainers", lambda one: one.gap),
    "LOW_OPEN_GAP": Scan("Top Close-to-Open % Losers", lambda one: one.gap, highest=False),
    "HIGH_OPT_IMP_VOLAT": Scan("Highest Option Imp Vol", lambda one: one.security.volatility),
    "LOW_OPT_IMP_VOLAT": Scan("Lowest Option Imp Vol", lambda one: one.security.volatility, highest=False),
    "HALTED": Scan("Halted", _if(lambda one: one.halted > 0, lambda one: one.capital)),
    "NOT_OPEN": Scan("Not Open", _if(lambda one: not one.tape.prints, lambda one: one.capital)),
}

_EUROPE = frozenset(("XETRA", "EURONEXT", "SIX", "LSE"))
_ASIA = frozenset(("TSEJ", "SEHK", "ASX"))
Fits = Callable[[Security], bool]


def _is_us(security: Security) -> bool:
    return security.sec_type == "STK" and security.hours == "US_STOCK"


INSTRUMENTS: Mapping[str, tuple[str, Fits]] = {
    "STK": ("US Stocks", _is_us),
    "ETF.EQ.US": ("US Equity ETFs", lambda one: _is_us(one) and one.stock_type == "ETF"),
    "FUT.US": ("US Futures", lambda one: one.sec_type == "FUT" and one.hours != "EUREX"),
    "IND.US": ("US Indexes", lambda one: one.sec_type == "IND"),
    "STOCK.EU": ("European Stocks", lambda one: one.sec_type == "STK" and one.hours in _EUROPE),
    "STOCK.HK": ("Asian Stocks", lambda one: one.sec_type == "STK" and one.hours in _ASIA),
}
"""Type: name, and what belongs to it."""


class Location(NamedTuple):
    """Where to look; `inside` names the location around it."""

    name: str
    instrument: str
    exchange: str = ""
    inside: str = ""


LOCATIONS: Mapping[str, Location] = {
    "STK.US": Location("US Stocks", "STK"),
    "STK.US.MAJOR": Location("Listed/NASDAQ", "STK", inside="STK.US"),
    "STK.NYSE": Location("NYSE", "STK", "NYSE", "STK.US.MAJOR"),
    "STK.NASDAQ": Location("NASDAQ", "STK", "NASDAQ", "STK.US.MAJOR"),
    "STK.ARCA": Location("ARCA", "STK", "ARCA", "STK.US.MAJOR"),
    "STK.AMEX": Location("AMEX", "STK", "AMEX", "STK.US.MAJOR"),
    "ETF.EQ.US": Location("US Equity ETFs", "ETF.EQ.US"),
    "ETF.EQ.US.MAJOR": Location("Listed/NASDAQ", "ETF.EQ.US", inside="ETF.EQ.US"),
    "FUT.US": Location("US Futures", "FUT.US"),
    "FUT.CME": Location("CME", "FUT.US", "CME", "FUT.US"),
    "FUT.NYMEX": Location("NYMEX", "FUT.US", "NYMEX", "FUT.US"),
    "IND.US": Location("US Indexes", "IND.US"),
    "STK.EU": Location("Europe", "STOCK.EU"),
    "STK.HK": Location("Asia", "STOCK.HK"),
}


class Filter(NamedTuple):
    """A range: its name, the codes of its bounds, and the figure that must lie within."""

    name: str
    above: str
    below: str
    figure: Figure
    is_whole: bool = False


FILTERS: Mapping[str, Filter] = {
    "PRICE": Filter("Price", "priceAbove", "priceBelow", lambda one: one.last),
    "VOLUME": Filter("Volume", "volumeAbove", "volumeBelow", lambda one: one.volume, True),
    "MKTCAP": Filter(
        "Market Cap (M)", "marketCapAbove1e6", "marketCapBelow1e6", lambda one: one.capital / 1e6
    ),
    "CHANGEPERC": Filter("Change %", "changePercAbove", "changePercBelow", lambda one: one.change),
    "AVGVOLUME": Filter(
        "Average Volume", "avgVolumeAbove", "avgVolumeBelow", lambda one: one.security.volume, True
    ),
    "AVGOPTVOLUME": Filter(
        "Average Option Volume", "avgOptVolumeAbove", "avgOptVolumeBelow", lambda one: one.option_volume, True
    ),
}
STOCK_TYPES: Mapping[str, tuple[str, ...]] = {
    "CORP": ("COMMON", "NYRS"), "ADR": ("ADR",), "ETF": ("ETF",), "REIT": ("REIT",), "CEF": ("CEF",),
}  # fmt: skip
"""Words of the filter of stock types, and the types of contract details that they mean."""


class Wanted(Struct, frozen=True):
    """A scan as understood. `bounds`: filter id, lowest and highest figure (None: any)."""

    instrument: str
    location: str
    scan: str
    rows: int
    bounds: tuple[tuple[str, float | None, float | None], ...] = ()
    stock_types: frozenset[str] | None = None


class Found(NamedTuple):
    """The rows, best first, and how many there would have been."""

    rows: list[Security]
    total: int


def instrument_fits(instrument: str, location: str) -> bool:
    """Whether such instruments are looked for there."""
    return LOCATIONS[location].instrument == instrument


def find(candidates: Iterable[Candidate], wanted: Wanted) -> Found:
    """Rank those that fit; equal figures by conId."""
    scan = SCANS[wanted.scan]
    sign = -1 if scan.highest else 1
    ranked = []
    for one in candidates:
        if _belongs(one.security, wanted) and all(_within(one, bound) for bound in wanted.bounds):
            figure = scan.figure(one)
            if figure is not None:
                ranked.append((sign * figure, one.security.con_id, one.security))
    ranked.sort(key=lambda row: row[:2])
    return Found([security for _, _, security in ranked[: wanted.rows]], len(ranked))


def _belongs(security: Security, wanted: Wanted) -> bool:
    fits = INSTRUMENTS[wanted.instrument][1](security)
    exchange = LOCATIONS[wanted.location].exchange
    if exchange and exchange not in (security.primary_exchange, security.exchange):
        return False
    return fits and (wanted.stock_types is None or security.stock_type in wanted.stock_types)


def _within(one: Candidate, bound: tuple[str, float | None, float | None]) -> bool:
    name, low, high = bound
    figure = FILTERS[name].figure(one)
    if figure is None:
        return False
    return (low is None or figure >= low) and (high is None or figure <= high)
