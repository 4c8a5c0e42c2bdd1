"""The price that a strategy may reckon with: how old it is, what kind of data it is, and why not to use it.

The middle of bid and ask where both are known and do not cross; else the last trade; else nothing. The
close of the day before is no price of today and is not taken. TWS tells changes alone: a market that does not
move grows old without being wrong, which is why the bound is the user's (`Freshness`).
"""

from __future__ import annotations

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.model.market import MarketDataType, Quote

__all__ = ["Freshness", "Price", "priced"]


class Freshness(Struct, frozen=True, kw_only=True):
    """What counts as fresh: no older than `max_age_s`, of one of these kinds of data.

    Ten seconds: a liquid stock is quoted many times a second, one bar of the usual length may pass.
    """

    max_age_s: float = 10.0
    kinds: tuple[MarketDataType, ...] = (MarketDataType.LIVE,)


class Price(Struct, frozen=True, kw_only=True):
    """`price` in currency, None where there is none; `source`: "mid", "last" or "".

    `age_s` is that of what the price is made of, `quote_age_s` that of bid and ask, `trade_age_s` that of the
    last trade, `silent_s` the time since anything came; None for what never came. `stale` says why the price
    should not be used, "" when it may.
    """

    con_id: int
    symbol: str
    price: float | None
    source: str
    quote: Quote
    kind: MarketDataType
    age_s: float | None
    quote_age_s: float | None
    trade_age_s: float | None
    silent_s: float | None
    stale: str

    @property
    def is_fresh(self) -> bool:
        return not self.stale


def priced(
    quote: Quote, times_ns: tuple[int, int, int], interrupted: str, now_ns: int, rules: Freshness
) -> Price:
    """`times_ns`: when anything, a quote, a trade was last heard (0: never); `interrupted`: why it is not
    fed, "" while it is.
    """
    silent_s, quote_age_s, trade_age_s = (
        (now_ns - time_ns) / NS_PER_S if time_ns else None for time_ns in times_ns
    )
    price, source, age_s = quote.mid, "mid", quote_age_s
    if price is None or (quote.bid or 0.0) > (quote.ask or 0.0):
        price, source, age_s = quote.last, "last", trade_age_s
    if price is None:
        source, age_s = "", None
    return Price(
        con_id=quote.con_id,
        symbol=quote.symbol,
        price=price,
        source=source,
        quote=quote,
        kind=quote.kind,
        age_s=age_s,
        quote_age_s=quote_age_s,
        trade_age_s=trade_age_s,
        silent_s=silent_s,
        stale=_flaw(quote, price, age_s, interrupted, rules),
    )


def _flaw(quote: Quote, price: float | None, age_s: float | None, interrupted: str, rules: Freshness) -> str:
    if interrupted:
        return f"interrupted: {interrupted}"
    if price is None or age_s is None:
        return "no price yet"
    if quote.kind not in rules.kinds:
        return f"{quote.kind.name.lower().replace('_', '-')} data"
    if quote.halted:
        return "trading is halted"
    if age_s > rules.max_age_s:
        return f"{age_s:.1f} s old, more than {rules.max_age_s:g} s"
    if age_s < -rules.max_age_s:
        return f"{-age_s:.1f} s in the future: two clocks disagree"
    return ""
