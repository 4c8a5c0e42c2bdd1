"""Futures: roots with a rule of expiry, and the contracts that the rule makes for a date.

A contract's conId is the public one where it is known (the quarterly ES, NQ, MES and MNQ of 2024 to 2026),
else a pure function of the root's slot and the month, so that `contract(con_id)` finds it again without
any list.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

from msgspec import Struct

from tws.simulator.universe.expiry import last_trade_date
from tws.simulator.universe.rules import rule_of
from tws.simulator.universe.security import SYNTHETIC_FROM, Security

__all__ = ["MONTH_CODES", "ROOTS", "SLOTS", "Root", "future_id", "month_of", "parse_local"]

MONTH_CODES = "FGHJKMNQUVXZ"
QUARTERLY = (3, 6, 9, 12)

_FROM = SYNTHETIC_FROM + 1_000_000
_EPOCH = 1990
_MONTHS = 100 * 12
SLOTS = 1000
"""So many roots have room."""
CARRY = 0.03
"""What a future is dearer for each year to expiry, in the invented world."""


class Root(Struct, frozen=True, kw_only=True):
    """A family of futures.

    symbol, trading_class   TWS's (symbol EUR, class 6E); the class begins the local symbol
    months, expiry, count   which months, by which rule (`expiry.EXPIRIES`), how many are listed
    dated                   the local symbol is "FDAX 20261218 M", as Eurex's are, not "ESZ6"
    under_con_id …          the index that it is written on, 0 when there is none here
    slot                    its place among conIds: unique, never changed
    """

    slot: int
    symbol: str
    trading_class: str
    long_name: str
    exchange: str
    multiplier: str
    tick: Decimal
    price: float
    months: tuple[int, ...] = QUARTERLY
    expiry: str = "third friday"
    count: int = 8
    currency: str = "USD"
    hours: str = "GLOBEX"
    volatility: float = 0.2
    volume: int = 300_000
    price_magnifier: int = 1
    dated: bool = False
    under_con_id: int = 0
    under_symbol: str = ""
    trade_time: str = ""

    def expires(self, year: int, month: int) -> date:
        return last_trade_date(self.expiry, year, month)

    def listed(self, today: date, *, expired: bool = False) -> list[tuple[int, int]]:
        """(year, month) of the contracts that trade on `today`, nearest first; with `expired` also those
        of the two years before, in front.
        """
        found: list[tuple[int, int]] = []
        past: list[tuple[int, int]] = []
        year, month = today.year - 2, today.month
        while len(found) < self.count:
            if month in self.months:
                ahead = self.expires(year, month) >= today
                (found if ahead else past).append((year, month))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return past + found if expired else found

    def make(self, year: int, month: int, today: date) -> Security:
        """The contract of this month; `today` only moves the invented price."""
        expires = self.expires(year, month)
        years = max(0.0, (expires - today).days / 365)
        code = f"{MONTH_CODES[month - 1]}{year % 10}"
        price = self.price * math.exp(CARRY * years) if self.hours != "CFE" else self.price + 2.0 * years
        rule = rule_of(self.tick)
        return Security(
            con_id=future_id(self, year, month),
            symbol=self.symbol,
            long_name=self.long_name,
            stock_type="",
            sec_type="FUT",
            exchange=self.exchange,
            exchanges=(self.exchange,),
            currency=self.currency,
            local_symbol=f"{self.trading_class} {expires:%Y%m%d} M"
            if self.dated
            else self.trading_class + code,
            trading_class=self.trading_class,
            multiplier=self.multiplier,
            last_trade_date=f"{expires:%Y%m%d}",
            last_trade_time=self.trade_time,
            contract_month=f"{year}{month:02d}",
            under_con_id=self.under_con_id,
            under_symbol=self.under_symbol or self.symbol,
            under_sec_type="IND",
            tick=self.tick,
            market_rules=(rule,) if rule else (),
            hours=self.hours,
            price=float(self.tick * round(price / float(self.tick))),
            volatility=self.volatility,
            volume=self.volume,
            price_magnifier=self.price_magnifier,
        )


def future_id(root: Root, year: int, month: int) -> int:
    """The contract's conId: public where it is known, else computed."""
    public = _PUBLIC.get((root.trading_class, year * 100 + month)) if root.slot < len(_PUBLIC_SLOTS) else None
    return public or _FROM + root.slot * _MONTHS + (year - _EPOCH) * 12 + month - 1


def month_of(con_id: int) -> tuple[int, int, int] | None:
    """(slot, year, month) of a future's conId; None when it is no future's."""
    known = _BY_PUBLIC.get(con_id)
    if known is not None:
        return known
    slot, index = divmod(con_id - _FROM, _MONTHS)
    if not 0 <= slot < SLOTS:
        return None
    return slot, _EPOCH + index // 12, index % 12 + 1


def parse_local(root: Root, text: str, today: date) -> tuple[int, int] | None:
    """(year, month) that a local symbol of this root names; the year nearest to today with its digit."""
    if root.dated:
        parts = text.split()
        if len(parts) != 3 or parts[0] != root.trading_class or not parts[1].isdigit():
            return None
        return int(parts[1][:4]), int(parts[1][4:6])
    code = text.removeprefix(root.trading_class)
    if code == text or len(code) != 2 or code[0] not in MONTH_CODES or not code[1].isdigit():
        return None
    first = today.year - 2
    return first + (int(code[1]) - first) % 10, MONTH_CODES.index(code[0]) + 1


_PUBLIC_SLOTS = ("ES", "NQ", "MES", "MNQ")
_PUBLIC_MONTHS: dict[str, dict[int, int]] = {
    "ES": {
        202406: 551601561, 202409: 568550526, 202412: 495512557, 202503: 603558932, 202506: 620731015,
        202509: 637533641, 202512: 495512563, 202603: 649180695, 202606: 649180678, 202609: 649180671,
        202612: 515416632,
    },
    "NQ": {
        202406: 620730920, 202409: 637533450, 202412: 563947733, 202503: 666754605, 202506: 672387474,
        202509: 691171690, 202512: 563947738, 202603: 730283097, 202606: 750150196, 202609: 770561204,
        202612: 563947726,
    },
    "MES": {
        202406: 620731036, 202409: 637533398, 202412: 654503314, 202503: 672387462, 202506: 691171673,
        202509: 711280067, 202512: 730283085, 202603: 750150186, 202606: 770561194, 202609: 793356217,
        202612: 815824257,
    },
    "MNQ": {
        202406: 620730945, 202409: 637533593, 202412: 654503320, 202503: 672387468, 202506: 691171685,
        202509: 711280073, 202512: 730283094, 202603: 750150193, 202606: 770561201, 202609: 793356225,
        202612: 815824267,
    },
}  # fmt: skip
"""Read in public code that trades them (the ES of September 2025 is also in a recorded frame)."""

_PUBLIC = {
    (name, month): con_id for name, months in _PUBLIC_MONTHS.items() for month, con_id in months.items()
}
_BY_PUBLIC = {
    con_id: (_PUBLIC_SLOTS.index(name), month // 100, month % 100)
    for (name, month), con_id in _PUBLIC.items()
}


_MONTHLY: dict[str, object] = {"months": tuple(range(1, 13)), "count": 12}
_SPX: dict[str, object] = {"under_con_id": 416904, "under_symbol": "SPX", "trade_time": "08:30 US/Central"}
_NDX: dict[str, object] = {"under_con_id": 416843, "under_symbol": "NDX", "trade_time": "08:30 US/Central"}
_EUREX: dict[str, object] = {
    "currency": "EUR", "hours": "EUREX", "dated": True, "expiry": "eurex", "count": 4
}  # fmt: skip
_GRAIN: dict[str, object] = {"hours": "CBOT_GRAIN", "expiry": "grain", "price_magnifier": 100, "count": 6}
_FAMILIES: dict[str, dict[str, object]] = {
    "spx": {**_SPX, "volume": 1_300_000},
    "ndx": {**_NDX, "volume": 900_000},
    "index": {},
    "crude": {**_MONTHLY, "hours": "NYMEX", "expiry": "crude"},
    "gas": {**_MONTHLY, "hours": "NYMEX", "expiry": "gas"},
    "metal": {**_MONTHLY, "hours": "NYMEX", "expiry": "metal"},
    "note": {"expiry": "note", "count": 3, "volume": 1_500_000},
    "short note": {"expiry": "short note", "count": 3, "volume": 1_200_000},
    "currency": {"expiry": "currency", "count": 6},
    "vix": {**_MONTHLY, "hours": "CFE", "expiry": "volatility", "count": 9, "under_con_id": 13455763},
    "dax": {**_EUREX, "under_con_id": 825711},
    "stoxx": {**_EUREX, "under_con_id": 4356500},
    "corn": {**_GRAIN, "months": (3, 5, 7, 9, 12)},
    "soy": {**_GRAIN, "months": (1, 3, 5, 7, 8, 9, 11)},
    "coin": {**_MONTHLY, "count": 6},
}
"""What the roots of a kind share."""

_ROWS: tuple[tuple[str, str, str, str, str, str, str, float, float], ...] = (
    # family, symbol, class, name, exchange, multiplier, tick, price, volatility; the order is the slot
    ("spx", "ES", "ES", "E-mini S&P 500", "CME", "50", "0.25", 5600.0, 0.15),
    ("ndx", "NQ", "NQ", "E-mini NASDAQ 100", "CME", "20", "0.25", 19_700.0, 0.20),
    ("spx", "MES", "MES", "Micro E-Mini S&P 500", "CME", "5", "0.25", 5600.0, 0.15),
    ("ndx", "MNQ", "MNQ", "Micro E-Mini Nasdaq-100", "CME", "2", "0.25", 19_700.0, 0.20),
    ("index", "RTY", "RTY", "E-Mini Russell 2000", "CME", "50", "0.1", 2170.0, 0.22),
    ("index", "YM", "YM", "Mini Sized Dow Jones Industrial", "CBOT", "5", "1", 41_000.0, 0.14),
    ("crude", "CL", "CL", "Light Sweet Crude Oil", "NYMEX", "1000", "0.01", 74.0, 0.34),
    ("crude", "MCL", "MCL", "Micro WTI Crude Oil", "NYMEX", "100", "0.01", 74.0, 0.34),
    ("gas", "NG", "NG", "Henry Hub Natural Gas", "NYMEX", "10000", "0.001", 2.9, 0.55),
    ("metal", "GC", "GC", "Gold", "COMEX", "100", "0.1", 2650.0, 0.15),
    ("metal", "MGC", "MGC", "E-Micro Gold", "COMEX", "10", "0.1", 2650.0, 0.15),
    ("metal", "SI", "SI", "NYMEX Silver Index", "COMEX", "5000", "0.005", 31.0, 0.28),
    ("metal", "SI", "SIL", "Silver (1000 oz)", "COMEX", "1000", "0.005", 31.0, 0.28),
    ("note", "ZN", "ZN", "10 Year US Treasury Note", "CBOT", "1000", "0.015625", 112.0, 0.07),
    ("note", "ZB", "ZB", "30 Year US Treasury Bond", "CBOT", "1000", "0.03125", 121.0, 0.11),
    ("short note", "ZF", "ZF", "5 Year US Treasury Note", "CBOT", "1000", "0.0078125", 108.0, 0.05),
    ("short note", "ZT", "ZT", "2 Year US Treasury Note", "CBOT", "2000", "0.00390625", 103.5, 0.03),
    ("currency", "EUR", "6E", "European Monetary Union Euro", "CME", "125000", "0.00005", 1.085, 0.08),
    ("currency", "GBP", "6B", "British pound", "CME", "62500", "0.0001", 1.275, 0.08),
    ("currency", "JPY", "6J", "Japanese yen", "CME", "12500000", "0.0000005", 0.0066445, 0.09),
    ("currency", "AUD", "6A", "Australian dollar", "CME", "100000", "0.00005", 0.665, 0.09),
    ("vix", "VIX", "VX", "CBOE Volatility Index", "CFE", "1000", "0.05", 17.0, 0.7),
    ("dax", "DAX", "FDAX", "DAX 40 Index (Deutsche Aktien Xchange 40)", "EUREX", "25", "1", 18_700.0, 0.16),
    ("dax", "DAX", "FDXM", "DAX 40 Index (Mini)", "EUREX", "5", "1", 18_700.0, 0.16),
    ("stoxx", "ESTX50", "FESX", "Dow Jones Euro STOXX50", "EUREX", "10", "1", 4900.0, 0.16),
    ("corn", "ZC", "ZC", "Corn Futures", "CBOT", "5000", "0.25", 420.0, 0.25),
    ("soy", "ZS", "ZS", "Soybean Futures", "CBOT", "5000", "0.25", 1000.0, 0.22),
    ("corn", "ZW", "ZW", "Wheat Futures", "CBOT", "5000", "0.25", 560.0, 0.28),
    ("coin", "BRR", "BTC", "CME CF Bitcoin Reference Rate", "CME", "5", "5", 62_000.0, 0.55),
)


def _root(slot: int, row: tuple[str, str, str, str, str, str, str, float, float]) -> Root:
    family, symbol, trading_class, name, exchange, multiplier, tick, price, volatility = row
    fields: dict[str, object] = {
        "slot": slot,
        "symbol": symbol,
        "trading_class": trading_class,
        "long_name": name,
        "exchange": exchange,
        "multiplier": multiplier,
        "tick": Decimal(tick),
        "price": price,
        "volatility": volatility,
        **_FAMILIES[family],
    }
    return Root(**fields)  # type: ignore[arg-type]  # the fields of Root by name


ROOTS: tuple[Root, ...] = tuple(_root(slot, row) for slot, row in enumerate(_ROWS))
