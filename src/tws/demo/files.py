"""What a demo asks of its data files before it begins: one day, and one file for each series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tws.errors import ConfigError, DataError
from tws.simulator.hours import local_date
from tws.simulator.market.replay import read, series_symbol

__all__ = ["check_files"]


def check_files(files: Sequence[Path]) -> None:
    """Reads the beginning of each file.

    Raises ConfigError for files of several days (a demo is one day) and for two files of one series (their
    prints would mix), DataError for a file that can't be read or holds nothing.
    """
    days: dict[date, Path] = {}
    series: dict[str, Path] = {}
    for path in files:
        days.setdefault(_day(path), path)
        other = series.setdefault(series_symbol(path), path)
        if other is not path:
            raise ConfigError("data", f"{other.name}, {path.name}", "are both series of one symbol",
                              "Give one file for each symbol")
    if len(days) > 1:
        named = ", ".join(f"{path.name} of {day}" for day, path in sorted(days.items()))
        raise ConfigError("data", named, "are of different days",
                          "Give files of one day, and run one demo for each day")


def _day(path: Path) -> date:
    """The day of a file's first row, in New York."""
    for update in read(path, 1):
        return local_date(update.time_ns)
    raise DataError(path, 1, "holds no row")
