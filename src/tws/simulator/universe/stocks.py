"""The US stocks and ETFs that trade from the start.

conIds below `SYNTHETIC_FROM` are the public ones of Interactive Brokers, each as read in public code
(an ETF gets a new one at each reverse split, so SQQQ's may be a past one). Prices, volatilities and
volumes only shape the synthetic market: round, invented.
"""

from __future__ import annotations

from tws.simulator.universe.security import SYNTHETIC_FROM, Security

__all__ = ["UNIVERSE", "unlisted"]

_ROWS: tuple[tuple[int, str, str, str, str, float, float, int, int], ...] = (
    # conId, symbol, name, primary, type, price $, volatility, spread ct, volume a day
    (756733, "SPY", "SPDR S&P 500 ETF TRUST", "ARCA", "ETF", 560.0, 0.15, 1, 60_000_000),
    (320227571, "QQQ", "INVESCO QQQ TRUST SERIES 1", "NASDAQ", "ETF", 480.0, 0.20, 1, 40_000_000),
    (9579970, "IWM", "ISHARES RUSSELL 2000 ETF", "ARCA", "ETF", 215.0, 0.22, 1, 30_000_000),
    (73128548, "DIA", "SPDR DJIA TRUST", "ARCA", "ETF", 410.0, 0.14, 2, 4_000_000),
    (15547841, "TLT", "ISHARES 20+ YEAR TREASURY BD", "NASDAQ", "ETF", 92.0, 0.14, 1, 35_000_000),
    (51529211, "GLD", "SPDR GOLD SHARES", "ARCA", "ETF", 245.0, 0.16, 2, 8_000_000),
    (39039301, "SLV", "ISHARES SILVER TRUST", "ARCA", "ETF", 28.0, 0.28, 1, 20_000_000),
    (72539702, "TQQQ", "PROSHARES ULTRAPRO QQQ", "NASDAQ", "ETF", 72.0, 0.60, 1, 70_000_000),
    (537765515, "SQQQ", "PROSHARES ULTRAPRO SHORT QQQ", "NASDAQ", "ETF", 36.0, 0.60, 1, 60_000_000),
    (
        SYNTHETIC_FROM + 1,
        "SOXL",
        "DIREXION DAILY SEMICONDUCTOR BULL 3X",
        "ARCA",
        "ETF",
        38.0,
        0.90,
        1,
        65_000_000,
    ),
    (
        SYNTHETIC_FROM + 2,
        "SOXS",
        "DIREXION DAILY SEMICONDUCTOR BEAR 3X",
        "ARCA",
        "ETF",
        22.0,
        0.90,
        1,
        50_000_000,
    ),
    (
        SYNTHETIC_FROM + 3,
        "UVXY",
        "PROSHARES ULTRA VIX SHORT TERM FUTURES",
        "BATS",
        "ETF",
        24.0,
        1.00,
        1,
        18_000_000,
    ),
    (274144952, "CVNA", "CARVANA CO", "NYSE", "COMMON", 165.0, 0.70, 8, 4_500_000),
    (265598, "AAPL", "APPLE INC", "NASDAQ", "COMMON", 225.0, 0.25, 1, 50_000_000),
    (272093, "MSFT", "MICROSOFT CORP", "NASDAQ", "COMMON", 420.0, 0.22, 2, 20_000_000),
    (4815747, "NVDA", "NVIDIA CORP", "NASDAQ", "COMMON", 125.0, 0.45, 1, 200_000_000),
    (76792991, "TSLA", "TESLA INC", "NASDAQ", "COMMON", 250.0, 0.55, 3, 80_000_000),
    (3691937, "AMZN", "AMAZON.COM INC", "NASDAQ", "COMMON", 185.0, 0.28, 1, 35_000_000),
    (208813720, "GOOG", "ALPHABET INC-CL C", "NASDAQ", "COMMON", 168.0, 0.26, 1, 18_000_000),
    (208813719, "GOOGL", "ALPHABET INC-CL A", "NASDAQ", "COMMON", 167.0, 0.26, 1, 25_000_000),
    (107113386, "META", "META PLATFORMS INC-CLASS A", "NASDAQ", "COMMON", 560.0, 0.32, 8, 13_000_000),
    (4391, "AMD", "ADVANCED MICRO DEVICES", "NASDAQ", "COMMON", 150.0, 0.45, 1, 45_000_000),
    (8314, "IBM", "INTL BUSINESS MACHINES CORP", "NYSE", "COMMON", 215.0, 0.20, 4, 4_000_000),
    (10098, "BAC", "BANK OF AMERICA CORP", "NYSE", "COMMON", 40.0, 0.24, 1, 38_000_000),
    (61319701, "AIG", "AMERICAN INTERNATIONAL GROUP", "NYSE", "COMMON", 74.0, 0.24, 2, 4_500_000),
    (6459, "DIS", "WALT DISNEY CO/THE", "NYSE", "COMMON", 95.0, 0.26, 1, 10_000_000),
    (13977, "XOM", "EXXON MOBIL CORP", "NYSE", "COMMON", 115.0, 0.22, 1, 15_000_000),
    (13824, "WMT", "WALMART INC", "NYSE", "COMMON", 80.0, 0.18, 1, 17_000_000),
)

_ISINS = {
    "AAPL": "US0378331005",
    "MSFT": "US5949181045",
    "TSLA": "US88160R1014",
    "META": "US30303M1027",
    "IBM": "US4592001014",
    "SPY": "US78462F1030",
}

UNIVERSE: tuple[Security, ...] = tuple(
    Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        primary_exchange=primary,
        stock_type=kind,
        price=price,
        volatility=volatility,
        spread=spread,
        volume=volume,
        isin=_ISINS.get(symbol, ""),
    )
    for con_id, symbol, name, primary, kind, price, volatility, spread, volume in _ROWS
)


def unlisted(symbol: str, index: int) -> Security:
    """A security that only a data file names: `index` keeps the invented conIds of one run apart."""
    return Security(
        con_id=SYNTHETIC_FROM + 100_000 + index, symbol=symbol, long_name=symbol, primary_exchange="NYSE"
    )
