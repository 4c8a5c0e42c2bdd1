"""What is not a US stock and has no expiry: stocks abroad, indexes, currencies, crypto, CFDs.

conIds below `SYNTHETIC_FROM` are public ones, as read in public code; where none could be verified the id
is invented. A symbol is here several times on purpose: AAPL also trades in Mexico, Zurich and Toronto,
KWEB in dollars at two places, so a sloppy description is ambiguous, as it is at a real TWS.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from tws.simulator.universe.rules import RULES
from tws.simulator.universe.security import SYNTHETIC_FROM, Security

__all__ = ["ABROAD"]

_OWN = SYNTHETIC_FROM + 10_000
"""Invented ids of this table begin here; the offset is part of the row, so that an id never moves."""

_STOCKS: tuple[tuple[int, str, str, str, str, str, int, float, str, str], ...] = (
    # conId, symbol, name, exchange, currency, hours, rule, price, stock type, ISIN
    (38708077, "AAPL", "APPLE INC", "MEXI", "MXN", "MEXI", 26, 4400.0, "COMMON", "US0378331005"),
    (273982664, "AAPL", "APPLE INC", "EBS", "CHF", "SIX", 26, 195.0, "COMMON", "US0378331005"),
    (532640894, "AAPL", "APPLE CDR (CAD HEDGED)", "TSE", "CAD", "TSX", 26, 32.0, "COMMON", ""),
    (_OWN + 1, "MSFT", "MICROSOFT CORP", "MEXI", "MXN", "MEXI", 26, 8200.0, "COMMON", "US5949181045"),
    (_OWN + 2, "MSFT", "MICROSOFT CORP", "EBS", "CHF", "SIX", 26, 365.0, "COMMON", "US5949181045"),
    (_OWN + 3, "MSFT", "MICROSOFT CORP", "IBIS", "EUR", "XETRA", 9005, 385.0, "COMMON", "US5949181045"),
    (_OWN + 4, "KWEB", "KRANESHARES CSI CHINA INTERNE", "ARCA", "USD", "US_STOCK", 26, 30.0, "ETF", ""),
    (_OWN + 5, "KWEB", "KRANE CSI CHINA INTERNET", "LSEETF", "USD", "LSE", 9006, 22.0, "ETF", ""),
    (14204, "SAP", "SAP SE", "IBIS", "EUR", "XETRA", 9005, 210.0, "COMMON", "DE0007164600"),
    (_OWN + 6, "SAP", "SAP SE-SPONSORED ADR", "NYSE", "USD", "US_STOCK", 26, 228.0, "ADR", "US8030542042"),
    (
        14094,
        "BMW",
        "BAYERISCHE MOTOREN WERKE AG",
        "IBIS",
        "EUR",
        "XETRA",
        9002,
        79.0,
        "COMMON",
        "DE0005190003",
    ),
    (_OWN + 7, "SIE", "SIEMENS AG-REG", "IBIS", "EUR", "XETRA", 9005, 172.0, "COMMON", "DE0007236101"),
    (_OWN + 8, "ALV", "ALLIANZ SE-REG", "IBIS", "EUR", "XETRA", 9005, 285.0, "COMMON", "DE0008404005"),
    (
        117902840,
        "ASML",
        "ASML HOLDING NV-NY REG SHS",
        "NASDAQ",
        "USD",
        "US_STOCK",
        26,
        830.0,
        "NY REG SHRS",
        "",
    ),
    (_OWN + 9, "ASML", "ASML HOLDING NV", "AEB", "EUR", "EURONEXT", 9005, 760.0, "COMMON", "NL0010273215"),
    (128831206, "VWRL", "VANG FTSE AW USDD", "AEB", "EUR", "EURONEXT", 26, 118.0, "ETF", "IE00B3RBWM25"),
    (29651319, "IUSA", "ISHARES CORE SP 500", "AEB", "EUR", "EURONEXT", 26, 50.0, "ETF", "IE0031442068"),
    (_OWN + 10, "MC", "LVMH MOET HENNESSY LOUIS VUI", "SBF", "EUR", "EURONEXT", 9005, 640.0, "COMMON", ""),
    (_OWN + 11, "TTE", "TOTALENERGIES SE", "SBF", "EUR", "EURONEXT", 9002, 62.0, "COMMON", "FR0000120271"),
    (_OWN + 12, "NESN", "NESTLE SA-REG", "EBS", "CHF", "SIX", 9002, 88.0, "COMMON", "CH0038863350"),
    (_OWN + 13, "VOD", "VODAFONE GROUP PLC", "LSE", "GBP", "LSE", 9001, 75.0, "COMMON", "GB00BH4HKS39"),
    (_OWN + 14, "BARC", "BARCLAYS PLC", "LSE", "GBP", "LSE", 9001, 235.0, "COMMON", "GB0031348658"),
    (_OWN + 15, "SHEL", "SHELL PLC", "LSE", "GBP", "LSE", 9003, 2600.0, "COMMON", "GB00BP6MXD84"),
    (
        35151400,
        "GAW",
        "GAMES WORKSHOP GROUP PLC",
        "LSE",
        "GBP",
        "LSE",
        9013,
        11_000.0,
        "COMMON",
        "GB0003718474",
    ),
    (
        39194759,
        "CSU",
        "CONSTELLATION SOFTWARE INC",
        "TSE",
        "CAD",
        "TSX",
        26,
        4300.0,
        "COMMON",
        "CA21037X1006",
    ),
    (_OWN + 16, "RY", "ROYAL BANK OF CANADA", "TSE", "CAD", "TSX", 26, 168.0, "COMMON", "CA7800871021"),
    (_OWN + 17, "RY", "ROYAL BANK OF CANADA", "NYSE", "USD", "US_STOCK", 26, 122.0, "COMMON", "CA7800871021"),
    (_OWN + 18, "SHOP", "SHOPIFY INC - CLASS A", "TSE", "CAD", "TSX", 26, 110.0, "COMMON", "CA82509L1076"),
    (_OWN + 19, "7203", "TOYOTA MOTOR CORP", "TSEJ", "JPY", "TSEJ", 9004, 2600.0, "COMMON", "JP3633400001"),
    (_OWN + 20, "6758", "SONY GROUP CORP", "TSEJ", "JPY", "TSEJ", 9004, 2800.0, "COMMON", "JP3435000009"),
    (117595037, "1540", "JAPAN PHYSICAL GOLD ETF", "TSEJ", "JPY", "TSEJ", 9004, 12_500.0, "ETF", ""),
    (_OWN + 21, "700", "TENCENT HOLDINGS LTD", "SEHK", "HKD", "SEHK", 9017, 420.0, "COMMON", "KYG875721634"),
    (99662733, "1972", "SWIRE PROPERTIES LTD", "SEHK", "HKD", "SEHK", 26, 16.0, "COMMON", "HK0000063609"),
    (4036812, "BHP", "BHP GROUP LTD", "ASX", "AUD", "ASX", 26, 42.0, "COMMON", "AU000000BHP4"),
    (564155292, "WDS", "WOODSIDE ENERGY GROUP LTD", "ASX", "AUD", "ASX", 26, 25.0, "COMMON", "AU0000224040"),
)

_INDEXES: tuple[tuple[int, str, str, str, str, str, float, float], ...] = (
    # conId, symbol, name, exchange, currency, hours, price, volatility
    (416904, "SPX", "S&P 500 Stock Index", "CBOE", "USD", "CBOE_INDEX", 5600.0, 0.15),
    (416843, "NDX", "NASDAQ 100 Stock Index", "NASDAQ", "USD", "US_INDEX", 19_700.0, 0.20),
    (13455763, "VIX", "CBOE Volatility Index", "CBOE", "USD", "CBOE_INDEX", 16.0, 0.90),
    (416921, "TNX", "CBOE 10 Year Treasury Yield Index", "CBOE", "USD", "US_INDEX", 42.0, 0.25),
    (_OWN + 30, "RUT", "Russell 2000 Stock Index", "RUSSELL", "USD", "US_INDEX", 2170.0, 0.22),
    (_OWN + 31, "INDU", "Dow Jones Industrial Average", "CME", "USD", "US_INDEX", 41_000.0, 0.14),
    (825711, "DAX", "DAX 40 Index (Deutsche Aktien Xchange 40)", "EUREX", "EUR", "XETRA", 18_700.0, 0.16),
    (4356500, "ESTX50", "Dow Jones Euro STOXX50", "EUREX", "EUR", "XETRA", 4900.0, 0.16),
    (11055503, "OBX", "OBX Stock Index", "OSE", "NOK", "XETRA", 1320.0, 0.17),
)

_PAIRS: tuple[tuple[int, str, str, float], ...] = (
    (12087792, "EUR", "USD", 1.085),
    (12087797, "GBP", "USD", 1.275),
    (14433401, "AUD", "USD", 0.665),
    (39453441, "NZD", "USD", 0.605),
    (15016059, "USD", "JPY", 150.5),
    (15016062, "USD", "CAD", 1.365),
    (12087820, "USD", "CHF", 0.885),
    (12345777, "USD", "HKD", 7.795),
    (113342317, "USD", "CNH", 7.22),
    (37928772, "USD", "SGD", 1.335),
    (37893486, "USD", "SEK", 10.45),
    (37971206, "USD", "NOK", 10.75),
    (35045199, "USD", "MXN", 18.9),
    (12087807, "EUR", "GBP", 0.851),
    (14321016, "EUR", "JPY", 163.3),
    (12087817, "EUR", "CHF", 0.960),
    (14321015, "GBP", "JPY", 191.9),
    (12087826, "GBP", "CHF", 1.128),
)

_COINS: tuple[tuple[int, str, str, str, float, float, str, str], ...] = (
    # conId, symbol, name, exchange, price, volatility, tick, lot
    (479624278, "BTC", "Bitcoin cryptocurrency", "PAXOS", 62_000.0, 0.55, "0.25", "0.00000001"),
    (495759171, "ETH", "Ethereum cryptocurrency", "PAXOS", 2600.0, 0.70, "0.05", "0.00000001"),
    (_OWN + 40, "LTC", "Litecoin cryptocurrency", "PAXOS", 70.0, 0.75, "0.01", "0.00000001"),
    (_OWN + 41, "BCH", "Bitcoin Cash cryptocurrency", "PAXOS", 350.0, 0.80, "0.05", "0.00000001"),
    (541686651, "BTC", "Bitcoin cryptocurrency", "ZEROHASH", 62_000.0, 0.55, "0.25", "0.00000001"),
    (541686654, "ETH", "Ethereum cryptocurrency", "ZEROHASH", 2600.0, 0.70, "0.05", "0.00000001"),
)

_CFDS: tuple[tuple[int, str, str, str, str, str, float, float, int], ...] = (
    # conId, symbol, name, currency, hours, tick, price, volatility, conId of the underlying
    (120549942, "AAPL", "APPLE INC", "USD", "US_STOCK", "0.01", 225.0, 0.25, 265598),
    (111767871, "IBUS500", "US 500", "USD", "GLOBEX", "0.05", 5600.0, 0.15, 111743379),
    (111767885, "IBUST100", "US Tech 100", "USD", "GLOBEX", "0.05", 19_700.0, 0.20, 111754060),
    (111767879, "IBUS30", "US 30", "USD", "GLOBEX", "0.25", 41_000.0, 0.14, 111746713),
    (111987422, "IBDE40", "Germany 40", "EUR", "EUREX", "0.25", 18_700.0, 0.16, 111987349),
    (111987412, "IBGB100", "UK 100", "GBP", "EUREX", "0.25", 8300.0, 0.13, 111987344),
    (111987469, "IBJP225", "Japan 225", "JPY", "EUREX", "0.25", 38_500.0, 0.20, 111987372),
    (457068913, "XAUUSD", "London Gold", "USD", "GLOBEX", "0.01", 2650.0, 0.15, 0),
)

_AMERICAN = ("ARCA", "NYSE", "NASDAQ")


def _stock(row: tuple[int, str, str, str, str, str, int, float, str, str]) -> Security:
    con_id, symbol, name, exchange, currency, hours, rule, price, kind, isin = row
    tick = Decimal(repr(RULES[rule][0][1]))
    common = Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        primary_exchange=exchange,
        stock_type=kind,
        currency=currency,
        price=price,
        volume=1_500_000,
        isin=isin,
    )
    if exchange in _AMERICAN:
        return common
    exchanges = ("SMART", exchange)
    pence = exchange == "LSE" and currency == "GBP"
    return replace(
        common,
        exchanges=exchanges,
        local_symbol=f"{symbol}.T" if exchange == "TSEJ" else symbol,
        trading_class={"IBIS": "XETRA", "EBS": symbol, "TSE": symbol}.get(exchange, symbol),
        tick=tick,
        min_tick=float(tick),
        market_rules=(rule,) * len(exchanges),
        lot=Decimal(1),
        suggested_size=Decimal(100),
        price_magnifier=100 if pence else 1,
        hours=hours,
        spread=max(1, int(price * 0.0004 / float(tick))),
    )


def _index(row: tuple[int, str, str, str, str, str, float, float]) -> Security:
    con_id, symbol, name, exchange, currency, hours, price, volatility = row
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        stock_type="",
        sec_type="IND",
        exchange=exchange,
        exchanges=(exchange,),
        currency=currency,
        trading_class=symbol,
        price=price,
        volatility=volatility,
        volume=0,
        hours=hours,
        industry="Indices",
        category="Broad Range Equity Index",
    )


def _pair(row: tuple[int, str, str, float]) -> Security:
    con_id, symbol, currency, price = row
    coarse = currency == "JPY"
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=f"{symbol}.{currency}",
        stock_type="",
        sec_type="CASH",
        exchange="IDEALPRO",
        exchanges=("IDEALPRO",),
        currency=currency,
        local_symbol=f"{symbol}.{currency}",
        trading_class=f"{symbol}.{currency}",
        tick=Decimal("0.005" if coarse else "0.00005"),
        market_rules=(59 if coarse else 239,),
        hours="FX",
        price=price,
        volatility=0.08,
        volume=500_000_000,
    )


def _coin(row: tuple[int, str, str, str, float, float, str, str]) -> Security:
    con_id, symbol, name, exchange, price, volatility, tick, lot = row
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        stock_type="",
        sec_type="CRYPTO",
        exchange=exchange,
        exchanges=(exchange,),
        local_symbol=f"{symbol}.USD",
        trading_class=symbol,
        tick=Decimal(tick),
        market_rules=({"0.25": 67, "0.05": 9011, "0.01": 26}[tick],),
        lot=Decimal(lot),
        hours="CRYPTO",
        price=price,
        volatility=volatility,
        spread=4,
        volume=4_000,
    )


def _cfd(row: tuple[int, str, str, str, str, str, float, float, int]) -> Security:
    con_id, symbol, name, currency, hours, tick, price, volatility, under = row
    share = symbol == "AAPL"
    return Security(
        con_id=con_id,
        symbol=symbol,
        long_name=name,
        stock_type="",
        sec_type="CFD",
        exchanges=("SMART",),
        currency=currency,
        local_symbol=f"{symbol}n" if share else symbol,
        trading_class="NMS" if share else symbol,
        under_con_id=under,
        under_symbol=symbol if under else "",
        under_sec_type=("STK" if share else "IND") if under else "",
        tick=Decimal(tick),
        market_rules=({"0.25": 67, "0.05": 9011, "0.01": 26}[tick],),
        hours=hours,
        price=price,
        volatility=volatility,
        volume=100_000,
    )


def _under(cfd: Security) -> Security:
    """The index that a CFD is written on: the broker's own, under a public conId."""
    return replace(
        cfd,
        con_id=cfd.under_con_id,
        sec_type="IND",
        volume=0,
        under_con_id=0,
        under_sec_type="",
        under_symbol="",
    )


ABROAD: tuple[Security, ...] = (
    *map(_stock, _STOCKS),
    *map(_index, _INDEXES),
    *map(_pair, _PAIRS),
    *map(_coin, _COINS),
    *map(_cfd, _CFDS),
    *(_under(cfd) for cfd in map(_cfd, _CFDS) if cfd.under_sec_type == "IND"),
)
