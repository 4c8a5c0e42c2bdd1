"""No violation is sent: drawn requests at drawn moments, over drawn weather, past the simulator's own limits.

`lagging` raises as soon as one of them is broken. What was offered leaves in the end, once, and in order.
test_pacing_world.py plays it with the whole simulated TWS, its sessions and its answers.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.connection.lagging import BrokenError, Lagging, Weather
from tests.connection.paced import bars, details, head, minutes, prints, stock

from tws.connection.pacing import PacingOptions, Verdict
from tws.wire import messages as m

SYMBOLS = ("SPY", "AAPL", "MSFT")
ASKS: dict[str, Callable[[int, int], Any]] = {
    "details": lambda n, pick: details(n),
    "bars": lambda n, pick: bars(n, f"{60 + pick % 4} S", contract=stock(SYMBOLS[pick % 3])),
    "dear": lambda n, pick: bars(
        n, f"{60 + pick} S", contract=stock(SYMBOLS[pick % 3]), what_to_show="BID_ASK"
    ),
    "minutes": lambda n, pick: minutes(n),
    "kept": lambda n, pick: minutes(n, keep_up_to_date=True),
    "head": lambda n, pick: head(n),
    "ticks": lambda n, pick: m.HistoricalTicksRequest(
        n, stock(SYMBOLS[pick % 3]), "", f"20251010-14:00:0{pick % 4}", 10, "TRADES", False
    ),
    "quotes": lambda n, pick: m.MarketDataRequest(n, stock()),
    "snapshot": lambda n, pick: m.MarketDataRequest(n, stock(), snapshot=True),
    "live bars": lambda n, pick: m.RealTimeBarsRequest(n, stock(), 5, "TRADES", False),
    "prints": lambda n, pick: prints(n, SYMBOLS[pick % 3], past=pick % 2 * 10),
    "depth": lambda n, pick: m.MarketDepthRequest(n, stock(), 5),
    "summary": lambda n, pick: m.AccountSummaryRequest(n, "All", "Cushion"),
    "search": lambda n, pick: m.MatchingSymbolsRequest(n, "A"),
}
CANCELS: dict[str, Callable[[int], Any]] = {
    "bars": m.CancelHistoricalData,
    "dear": m.CancelHistoricalData,
    "minutes": m.CancelHistoricalData,
    "kept": m.CancelHistoricalData,
    "head": m.CancelHeadTimestamp,
    "quotes": m.CancelMarketData,
    "snapshot": m.CancelMarketData,
    "live bars": m.CancelRealTimeBars,
    "prints": m.CancelTickByTick,
    "depth": lambda n: m.CancelMarketDepth(n, False),
    "summary": m.CancelAccountSummary,
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*ASKS, "cancel", "order", "exit", "order cancel"]),
        st.sampled_from([1, 1, 1, 3, 10, 40, 70]),  # so many of it at once
        st.integers(0, 11),
        st.sampled_from([0.0, 0.0, 0.0, 0.03, 0.5, 1.0, 2.0, 14.0, 16.0, 300.0]),  # and then this pause
    ),
    max_size=30,
)
WEATHER = st.builds(
    Weather,
    latency_s=st.sampled_from([0.0, 0.001, 0.3, 2.0]),
    stall_rate=st.sampled_from([0.0, 0.01, 0.1]),
    loss_rate=st.sampled_from([0.0, 0.0, 0.1]),
    work_s=st.sampled_from([0.0, 1.0, 20.0]),
    drift=st.sampled_from([-0.0005, 0.0, 0.0005]),
    grain_s=st.sampled_from([0.0, 0.0156]),
)


class Play:
    """The steps of a run, and what they left open."""

    def __init__(self, tws: Lagging) -> None:
        self.tws = tws
        self.number = 0
        self.opened: list[tuple[str, int]] = []
        self.placed = 0

    def step(self, what: str, times: int, pick: int, pause: float) -> None:
        for turn in range(times):
            self.once(what, pick + turn)
        self.tws.run(pause)

    def once(self, what: str, pick: int) -> None:
        self.number += 1
        if what in ASKS:
            if self.tws.offer(ASKS[what](self.number, pick)) is not None and what in CANCELS:
                self.opened.append((what, self.number))
        elif what == "cancel":
            if self.opened:
                kind, number = self.opened.pop(pick % len(self.opened))
                self.tws.offer(CANCELS[kind](number))
        elif what == "order cancel":
            self.tws.offer(m.CancelOrderRequest(self.number))
        else:
            self.placed += self.tws.order(urgent=what == "exit")

    def finish(self) -> None:
        """End what lasts, and give what waits the time it needs: the dearest take ten minutes for thirty."""
        for kind, number in self.opened:
            if kind in ("kept", "head"):
                self.tws.offer(CANCELS[kind](number))
        waits = len(self.tws.pacer.waiting(self.tws.now))
        self.tws.run(700.0 * (2 + waits // 30) + 200.0 * waits)


def lane(request: Any) -> object:
    """What keeps its order."""
    if isinstance(request, m.HistoricalDataRequest) and "sec" in request.bar_size_setting:
        return type(request), request.contract.symbol, request.what_to_show
    if isinstance(request, m.HistoricalTicksRequest | m.TickByTickRequest):
        return type(request), request.contract.symbol
    return type(request)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, WEATHER, st.integers(0, 2**32))
def test_no_limit_is_ever_broken(
    steps: list[tuple[str, int, int, float]], weather: Weather, seed: int
) -> None:
    tws = Lagging(seed, weather)
    play = Play(tws)
    for step in steps:
        play.step(*step)
    play.finish()
    assert not tws.pacer.waiting(tws.now)
    assert not tws.unread()
    for group in {lane(one) for one in tws.read}:
        numbers = [getattr(one, "req_id", 0) for one in tws.read if lane(one) == group]
        assert numbers == sorted(numbers) or "Cancel" in str(group), group


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_over_a_link_that_stands_still(seed: int) -> None:
    """What a count of what was written, with any fixed margin, breaks: a stall longer than the margin."""
    tws = Lagging(seed, Weather(stall_rate=0.05))
    for number in range(900):
        tws.offer(details(number))
        tws.run(random.Random(number).uniform(0.0, 0.2))
    tws.run(3600.0)
    assert len(tws.read) == 900 and not tws.warnings


def test_the_judge_sees_a_violation() -> None:
    tws = Lagging(1, Weather(), PacingOptions.off())
    for number in range(60):
        tws.offer(details(number))
    with pytest.raises(BrokenError, match="Max rate"):
        tws.run(1.0)


@pytest.mark.parametrize(
    "what", ["bars", "dear", "prints", "live bars", "search", "depth", "summary", "kept", "quotes"]
)
def test_the_judge_sees_each_of_them(what: str) -> None:
    tws = Lagging(1, Weather(), PacingOptions.off())
    with pytest.raises(BrokenError):
        for number in range(120):
            tws.offer(ASKS[what](number, number % 12))
            tws.run(0.05)


def test_exits_leave_at_once_whatever_waits() -> None:
    tws = Lagging(1, Weather(latency_s=0.001))
    for number in range(900):
        tws.offer(details(number))
    tws.run(7.0)
    for number in range(12):
        assert tws.offer(m.CancelOrderRequest(number)) is not None
        assert tws.order(urgent=True)
        tws.run(0.5)
        assert m.CancelOrderRequest(number) in tws.read
    assert tws.pacer.waiting(tws.now)


def test_the_sustained_rate() -> None:
    """Over a link of a millisecond, a long queue drains at nine tenths of the requests' share and more."""
    tws = Lagging(1, Weather(latency_s=0.001), PacingOptions())
    for number in range(1000):
        assert tws.offer(details(number)) in (Verdict.WRITE, Verdict.WAITS)
    tws.run(1000 / 35 / 0.9)
    assert len(tws.read) == 1000 and not tws.warnings
