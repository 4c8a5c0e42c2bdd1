"""One instrument of any type, as the simulated TWS knows it. Frozen; the defaults mean a US stock.

What follows from other fields is filled in when one is made: a stock's local symbol is its symbol, its
class that of its exchange, its price steps those of the market rule 26 at every exchange.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import force_setattr

from tws.wire.messages import FundDetails

__all__ = ["CENT_RULE", "DERIVED_FROM", "EXCHANGES", "SYNTHETIC_FROM", "BondTerms", "Security"]

DERIVED_FROM = 1_500_000_000
"""conIds from here to `SYNTHETIC_FROM` are those of option chains: computed, not listed."""

SYNTHETIC_FROM = 2_100_000_000
"""conIds from here to 2**31 - 1 are this simulator's own invention."""

EXCHANGES = ("SMART", "NYSE", "NASDAQ", "ARCA", "BATS", "ISLAND", "IEX", "AMEX")
"""What every US stock states as validExchanges; NASDAQ is also called ISLAND (official samples)."""

CENT_RULE = 26
"""A cent at every price, for every exchange (recorded: `93·26·1·0·0.01·`)."""


class BondTerms(Struct, frozen=True, kw_only=True):
    """What the issuer of a bond owes. `coupon` in percent a year, None for none; dates are yyyyMMdd."""

    coupon: float | None
    maturity: str
    issue_date: str = ""
    ratings: str = ""
    bond_type: str = "CORP"
    coupon_type: str = "FIXED"
    is_convertible: bool = False
    is_callable: bool = False
    is_puttable: bool = False
    next_option_date: str = ""
    next_option_type: str = ""
    next_option_partial: bool = False
    desc_append: str = ""
    notes: str = ""


class Security(Struct, frozen=True, kw_only=True):
    """An instrument. Prices are in the unit of its quotes, `currency` times `price_magnifier`.

    sec_type         STK (ETFs too), IND, FUT, CONTFUT, OPT, FOP, CASH, CRYPTO, CFD, BOND, CMDTY, WAR, FUND
    exchange         where orders go: SMART, or CME, IDEALPRO, PAXOS ... where SMART is not valid
    exchanges        validExchanges; `market_rules` has one rule id for each (empty: 26 for all)
    multiplier       "" or TWS's text, such as "50"
    last_trade_date  yyyyMMdd, `contract_month` yyyyMM; `last_trade_time` such as "08:30 US/Central"
    under_con_id     of options and futures: what they are written on, with its symbol and type
    tick             THE grid of quotes and orders here; `min_tick` is what message 10 states (0: the tick)
    lot              the step of quantities: 1; fractions for crypto
    hours            the name of a template in `tws.simulator.hours`
    price_magnifier  100 where quotes are in pence of a currency in pounds (official documentation)
    price            opens the synthetic market; `volatility` is annual (0.2 = 20 %); `spread` in ticks;
                     `volume` a day in shares, contracts or coins
    issuer_id        TWS's own id of who issued a bond
    bond, fund       what TWS says of these two types alone
    event            an event contract's name and its two descriptions
    ineligible       (id, reason) why this TWS takes no order for it; () for what may be traded
    """

    con_id: int
    symbol: str
    long_name: str
    primary_exchange: str = ""
    stock_type: str = "COMMON"
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    price: float = 50.0
    volatility: float = 0.3
    spread: int = 1
    volume: int = 5_000_000
    sec_type: str = "STK"
    exchange: str = "SMART"
    exchanges: tuple[str, ...] = EXCHANGES
    currency: str = "USD"
    local_symbol: str = ""
    trading_class: str = ""
    multiplier: str = ""
    last_trade_date: str = ""
    last_trade_time: str = ""
    contract_month: str = ""
    strike: float | None = None
    right: str = ""
    under_con_id: int = 0
    under_symbol: str = ""
    under_sec_type: str = ""
    tick: Decimal = Decimal("0.01")
    min_tick: float = 0.0
    market_rules: tuple[int, ...] = ()
    lot: Decimal = Decimal(1)
    suggested_size: Decimal = Decimal(0)
    price_magnifier: int = 1
    hours: str = "US_STOCK"
    isin: str = ""
    cusip: str = ""
    issuer_id: str = ""
    bond: BondTerms | None = None
    fund: FundDetails | None = None
    event: tuple[str, str, str] | None = None
    ineligible: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        fill = {}
        if not self.local_symbol:
            fill["local_symbol"] = self.symbol
        if not self.trading_class:
            fill["trading_class"] = "NMS" if self.primary_exchange == "NASDAQ" else self.symbol
        for name, text in fill.items():
            force_setattr(self, name, text)
        if not self.market_rules:
            force_setattr(self, "market_rules", (CENT_RULE,) * len(self.exchanges))
        if not self.min_tick:
            force_setattr(self, "min_tick", float(self.tick))
        if not self.suggested_size:
            force_setattr(self, "suggested_size", Decimal(100) if self.sec_type == "STK" else self.lot)

    @property
    def lots_a_day(self) -> int:
        """`volume` as the market counts it."""
        return int(self.volume / self.lot)

    @property
    def synthetic_id(self) -> bool:
        """Whether the conId is invented."""
        return self.con_id >= DERIVED_FROM
