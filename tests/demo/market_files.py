"""Short generated days in the two forms of recorded data, and what reads them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from tws.clock import NS_PER_S
from tws.simulator.hours import day_of
from tws.simulator.market import write_csv
from tws.simulator.universe import Universe

MONDAY = date(2026, 1, 5)


def write_day(
    folder: Path, symbol: str, *, minutes: int = 30, day: date = MONDAY, kind: Literal["1s", "ticks"] = "1s",
    seed: int = 5, to_close: bool = True,
) -> Path:
    """The last `minutes` of a day and ten seconds more, or (`to_close` False) its first ones."""
    hours = day_of(day) or day_of(MONDAY)
    assert hours is not None
    shift = (day - hours.date).days * 86_400 * NS_PER_S
    begin = hours.close_ns - minutes * 60 * NS_PER_S if to_close else hours.open_ns
    suffix = "csv.gz" if kind == "ticks" else "csv"
    return write_csv(folder / f"{symbol}-{day}-{kind}.{suffix}", Universe().add(symbol), kind=kind,
                     start_ns=begin + shift, seconds=minutes * 60 + 10 * to_close, seed=seed)
