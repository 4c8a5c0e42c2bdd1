"""Bars of recorded days: from ticks, and from seconds merged, against a plain grouping of the same rows."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from tests.indicators.series import RECORDED, prints, recorded, recorded_ticks

from tws.bars import MergedBars, TimeBars
from tws.clock import NS_PER_S
from tws.model.session import parse_hours

TICKS = [each for each in RECORDED if each[0] in ("IBM", "BAC")]


@pytest.mark.data
@pytest.mark.parametrize(("symbol", "day"), TICKS)
@pytest.mark.parametrize("seconds", [5, 10, 60])
def test_bars_of_ticks(data_folder: Path, symbol: str, day: str, seconds: int) -> None:
    span = seconds * NS_PER_S
    wanted = []
    for begin, group in groupby(prints(data_folder, symbol, day), key=lambda row: row[0] // span * span):
        rows = list(group)
        values = [price for _, price, _ in rows]
        volume = sum(size for *_, size in rows)
        wanted.append((begin, values[0], max(values), min(values), values[-1], volume, len(rows)))
    found = recorded_ticks(data_folder, symbol, day, seconds)
    fields = ("time_ns", "open", "high", "low", "close", "volume", "count")
    assert [tuple(getattr(bar, name) for name in fields) for bar in found] == wanted


@pytest.mark.data
@pytest.mark.parametrize(("symbol", "day"), RECORDED)
def test_recorded_seconds_merged(data_folder: Path, symbol: str, day: str) -> None:
    builder = MergedBars(10, 1)
    found = [bar for part in recorded(data_folder, symbol, day, 1) for bar in builder.part(part)]
    last = builder.flush()
    found += [last] if last is not None else []
    wanted = recorded(data_folder, symbol, day, 10)
    fields = ("time_ns", "open", "high", "low", "close", "volume")
    assert [[getattr(bar, name) for name in fields] for bar in found] == [
        [getattr(bar, name) for name in fields] for bar in wanted
    ]
    assert builder.late == builder.rejected == 0


@pytest.mark.data
@pytest.mark.parametrize(("symbol", "day"), TICKS)
def test_a_recorded_session_in_bars_of_an_hour(data_folder: Path, symbol: str, day: str) -> None:
    """They begin at 9:30, the last one ends at 16:00, and nothing of the hours around is in them."""
    date = day.replace("-", "")
    (session,) = parse_hours(f"{date}:0930-{date}:1600", "America/New_York")
    builder, rows = TimeBars(3600), prints(data_folder, symbol, day)
    builder.on_session(session)
    done = [builder.trade(*row) for row in rows]
    bars = [bar for bar in [*done, builder.advance(session.close_ns)] if bar is not None]
    assert [bar.time_ns for bar in bars] == [session.open_ns + hour * 3600 * NS_PER_S for hour in range(7)]
    inside = [row for row in rows if session.holds(row[0])]
    assert builder.outside == len(rows) - len(inside)
    assert sum(bar.count for bar in bars) == len(inside)
    assert sum(bar.volume for bar in bars) == sum(size for *_, size in inside)
    assert all(bar.is_whole and bar.gap == 0 for bar in bars)
