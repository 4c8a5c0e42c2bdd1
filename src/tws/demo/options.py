"""What a demo is told. The defaults are a typical user's configuration (docs/design/demo.md)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from tws.risk import Limits
from tws.simulator import Speed

__all__ = ["SYMBOLS", "DemoOptions"]

SYMBOLS = ("CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV")
"""What a synthetic day trades, unless told."""


class DemoOptions(Struct, frozen=True, kw_only=True):
    """One demo.

    data              files to replay instead of a synthetic day
    symbol_map        {"CVNA": "SPY"}: CVNA plays SPY's series too; needs data
    symbols           what is traded; empty: `SYMBOLS`, or with `data` the symbols of the files
    seed              of the synthetic day; the same seed gives the same journal, byte for byte
    last_minutes      of the synthetic day are played; None: all of it
    speed             seconds of market time a second, or "max"
    allocation        money put into each entry, in dollars
    stop_atr, target_atr   exits, as multiples of ATR(14) on 10-second bars
    cooldown_s        market seconds after an entry in which the symbol is left alone
    journal           the journal's file; None: a temporary one, deleted at the end
    """

    data: tuple[Path, ...] = ()
    symbol_map: Mapping[str, str] = {}
    symbols: tuple[str, ...] = ()
    seed: int = 7
    last_minutes: int | None = None
    speed: Speed = "max"
    allocation: Decimal = Decimal(10_000)
    stop_atr: float = 6.0
    target_atr: float = 3.0
    cooldown_s: float = 180.0
    limits: Limits = Limits(max_order_notional=Decimal(25_000), max_gross_notional=Decimal(100_000))
    journal: Path | None = None
