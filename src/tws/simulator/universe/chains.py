"""The default option chains: on US stocks and ETFs, on two indexes, and on the quarterly E-mini S&P 500."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from msgspec import Struct

from tws.simulator.universe.futures import ROOTS, Root
from tws.simulator.universe.options import US_OPTION_EXCHANGES, Chain
from tws.simulator.universe.rules import RULES
from tws.simulator.universe.security import Security

__all__ = ["FIRST_FREE_SLOT", "FOP_ROOT", "FOP_SLOT", "default_chains", "future_chain"]

FOP_ROOT: Root = ROOTS[0]
FOP_SLOT = 20
FIRST_FREE_SLOT = 21
"""Chains of a universe file begin here."""


class _Row(Struct, frozen=True):
    """What the default chains differ in."""

    symbol: str
    trading_class: str
    step: float
    base: float = 0.0
    expiries: str = "weekly"
    rule: int = 109
    hours: str = "US_OPTION"
    exchanges: tuple[str, ...] = US_OPTION_EXCHANGES


_INDEX = ("SMART", "CBOE")
_ROWS = (
    _Row("SPY", "SPY", 1, 0, "daily", 32, "US_ETF_OPTION"),
    _Row("QQQ", "QQQ", 1, 0, "daily", 32, "US_ETF_OPTION"),
    _Row("IWM", "IWM", 1, 0, "daily", 32, "US_ETF_OPTION"),
    _Row("AAPL", "AAPL", 2.5),
    _Row("TSLA", "TSLA", 2.5),
    _Row("NVDA", "NVDA", 1),
    _Row("MSFT", "MSFT", 2.5),
    _Row("AMZN", "AMZN", 2.5),
    _Row("META", "META", 5),
    _Row("GOOGL", "GOOGL", 2.5),
    _Row("AMD", "AMD", 2.5),
    _Row("IBM", "IBM", 5),
    _Row("BAC", "BAC", 0.5),
    _Row("GLD", "GLD", 1, 0, "weekly", 32, "US_ETF_OPTION"),
    _Row("TLT", "TLT", 0.5, 0, "weekly", 32, "US_ETF_OPTION"),
    _Row("CVNA", "CVNA", 5),
    _Row("SPX", "SPX", 5, 2500, "monthly", 110, "SPX_OPTION", _INDEX),
    _Row("SPX", "SPXW", 5, 2500, "daily", 110, "SPX_OPTION", _INDEX),
    _Row("NDX", "NDXP", 25, 5000, "daily", 110, "SPX_OPTION", _INDEX),
)
"""The order is the slot: append only, up to `FOP_SLOT`."""


def default_chains(underlying: Callable[[str], Security | None]) -> list[Chain]:
    """The chains whose underlying is known."""
    found = []
    for slot, row in enumerate(_ROWS):
        under = underlying(row.symbol)
        if under is not None:
            found.append(
                Chain(
                    slot=slot,
                    under=under,
                    trading_class=row.trading_class,
                    step=row.step,
                    base=row.base,
                    expiries=row.expiries,
                    exchanges=row.exchanges,
                    rule=row.rule,
                    tick=Decimal(repr(RULES[row.rule][0][1])),
                    hours=row.hours,
                )
            )
    return found


def future_chain(under: Security) -> Chain:
    """The options on a quarterly E-mini future: they expire with it."""
    text = under.last_trade_date
    return Chain(
        slot=FOP_SLOT,
        under=under,
        trading_class="ES",
        step=5,
        base=2500,
        sec_type="FOP",
        multiplier="50",
        exchanges=("CME",),
        rule=9011,
        tick=Decimal("0.05"),
        hours="GLOBEX",
        fixed=(date(int(text[:4]), int(text[4:6]), int(text[6:])),),
    )
