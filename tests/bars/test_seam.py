"""The past and the present in one row: whenever a builder begins, no bar twice and none missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.bars import Seam, TimeBars
from tws.bars import seam as module
from tws.clock import NS_PER_S
from tws.model.market import Bar

S = NS_PER_S
T0 = 1_700_000_000 * S
SPAN = 10


def bars_of(prints: list[int], since: int, until: int) -> list[Bar]:
    """The bars of prints at these seconds, as a builder gives them that listens from `since` on."""
    builder = TimeBars(SPAN, since_ns=T0 + since * S)
    found = [builder.trade(T0 + at * S, 100.0 + at % 7, 1 + at % 3) for at in prints if since <= at < until]
    found.append(builder.advance(T0 + until * S))
    return [bar for bar in found if bar is not None]


@given(
    st.sets(st.integers(0, 200), max_size=80).map(sorted),
    st.integers(0, 120),
    st.integers(0, 60),
    st.integers(0, 40),
)
def test_no_bar_twice_and_none_missing(prints: list[int], since: int, later: int, extra: int) -> None:
    everything = bars_of(prints, 0, 300)
    live = bars_of(prints, since, 300)
    seam = Seam(SPAN, T0 + since * S)
    joined_ns = seam.first_ns + later * S
    until_ns = seam.first_ns + extra * S  # the past may reach further than it must
    past = [bar for bar in everything if bar.time_ns + SPAN * S <= max(until_ns, joined_ns)]
    until_ns = max(until_ns, joined_ns) // (SPAN * S) * (SPAN * S)
    found: list[Bar] = []
    for bar in live:
        if not seam.joined and bar.time_ns + SPAN * S > joined_ns:
            assert seam.lacking(past) == []
            found += seam.past(past, until_ns)
        found += seam.live(bar)
    if not seam.joined:
        found += seam.past(past, until_ns)
    assert [bar.time_ns for bar in found] == [bar.time_ns for bar in everything]
    plain = [replace(bar, gap=0, is_whole=True) for bar in found]
    assert plain == [replace(bar, gap=0, is_whole=True) for bar in everything]


def test_a_trade_that_the_past_does_not_know_yet_is_lacking() -> None:
    live = bars_of([3, 7, 12, 25], 5, 40)
    seam = Seam(SPAN, T0 + 5 * S)
    for bar in live:
        assert seam.live(bar) == []
    assert [bar.time_ns for bar in seam.lacking([])] == [T0]
    found = seam.past([], seam.first_ns)  # and stays so
    assert [((bar.time_ns - T0) // S, bar.is_whole) for bar in found] == [(0, False), (10, True), (20, True)]


def test_a_past_that_is_too_short_is_refused() -> None:
    seam = Seam(SPAN, T0 + 1)
    with pytest.raises(ValueError, match="before the first whole bar"):
        seam.past([], T0)
    seam.past([], seam.first_ns)
    with pytest.raises(ValueError, match="already"):
        seam.past([], seam.first_ns)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    seam = Seam(SPAN, T0)
    for bar in bars_of([1, 11, 21, 31, 41], 0, 60):
        seam.live(bar)
    assert seam.dropped == 2
    assert len(seam.past([], T0)) == 3
