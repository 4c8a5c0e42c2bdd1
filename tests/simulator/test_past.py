"""The invented past: the same at every asking, and bars of all sizes that agree with one another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.simulator.bars import (
    BAR_SIZES,
    Week,
    bid,
    bid_ask,
    build,
    midpoint,
    parse_duration,
    parse_end,
    trades,
)
from tws.simulator.hours import NEW_YORK
from tws.simulator.past import KEPT_DAYS, Minutes, SyntheticPast
from tws.simulator.tape import Row
from tws.simulator.universe import Security, Universe

START = int(datetime(2026, 1, 5, 15, 0, tzinfo=UTC).timestamp())  # 10:00 in New York, a Monday
FUTURE = Security(
    con_id=2_100_500_000, symbol="XF", long_name="X", sec_type="FUT", tick=Decimal("0.25"), hours="GLOBEX",
    price=6000.0, volume=1_000_000, exchange="CME",
)  # fmt: skip
PAIR = Security(
    con_id=2_100_500_001, symbol="EUR", long_name="E", sec_type="CASH", tick=Decimal("0.00005"), hours="FX",
    price=1.1, exchange="IDEALPRO", spread=2,
)  # fmt: skip


def past(security: Security, seed: int = 7) -> SyntheticPast:
    opening, close = security.price, security.price * 1.01
    return SyntheticPast(security, seed, START * NS_PER_S, opening, close, "exchange")


def spy() -> Security:
    found = Universe().symbol("SPY")
    assert found is not None
    return found


def rows(security: Security, days: int, size_s: int, *, seed: int = 7) -> list[Row]:
    week = Week("exchange", security.hours)
    return list(past(security, seed).rows(parse_duration(f"{days} D", START, week), START, size_s))


@pytest.mark.parametrize("security", [spy(), FUTURE, PAIR], ids=lambda one: one.symbol)
def test_minutes_of_a_day_make_its_day_bar(security: Security) -> None:
    week = Week("exchange", security.hours)
    shown = midpoint if security.sec_type == "CASH" else trades
    days = build(rows(security, 6, 86_400), 86_400, shown, week, rth=False)
    minutes = build(rows(security, 6, 60), 86_400, shown, week, rth=False)
    assert len(days) >= 5
    for whole, summed in zip(days[:-1], minutes[:-1], strict=True):
        assert (whole.key, whole.open, whole.high, whole.low, whole.close) == (
            summed.key, summed.open, summed.high, summed.low, summed.close,
        )  # fmt: skip
        assert whole.volume == summed.volume


def test_seconds_make_their_minute() -> None:
    week = Week()
    end = START
    made = past(spy())
    for size_s in (1, 5):
        fine = build(made.rows(end - 1800, end, size_s), 60, trades, week, rth=False)
        minutes = build(made.rows(end - 1800, end, 60), 60, trades, week, rth=False)
        assert [(b.key, b.open, b.high, b.low, b.close, b.volume) for b in fine] == [
            (b.key, b.open, b.high, b.low, b.close, b.volume) for b in minutes
        ]


def test_it_is_the_same_whoever_asks_first() -> None:
    late = past(spy())
    list(late.rows(START - 20 * 365 * 86_400, START, 86_400))
    assert list(late.rows(START - 7 * 86_400, START, 60)) == rows(spy(), 7, 60)[-len(
        list(late.rows(START - 7 * 86_400, START, 60))
    ) :]
    assert rows(spy(), 3, 60) != rows(spy(), 3, 60, seed=8)


def test_it_joins_the_live_market_without_a_step() -> None:
    last = rows(spy(), 1, 60)[-1]
    assert last.close == pytest.approx(spy().price, abs=0.01)
    assert last.time_s == START - 60


@pytest.mark.parametrize("security", [spy(), FUTURE, PAIR], ids=lambda one: one.symbol)
def test_every_price_is_on_the_grid_and_low_and_high_bound_it(security: Security) -> None:
    for row in rows(security, 3, 60):
        assert row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high
        for price in (row.open, row.high, row.low, row.close, row.bid, row.ask):
            ticks = Decimal(repr(price)) / security.tick
            assert abs(ticks - round(ticks)) < Decimal("1e-6")


def test_a_day_begins_near_where_the_last_one_ended() -> None:
    found = rows(spy(), 500, 86_400)
    gaps = [abs(later.open - day.close) for day, later in pairwise(found)]
    moves = [abs(day.close - day.open) for day in found]
    assert sum(gaps) < 0.5 * sum(moves)


def test_a_wild_market_comes_back_from_far_away() -> None:
    wild = replace(spy(), volatility=1.0)
    for seed in range(6):
        found = rows(wild, 8000, 86_400, seed=seed)
        assert all(wild.price / 300 < row.close < wild.price * 300 for row in found)


def test_bid_ask_bars_average_both_sides_and_bound_them() -> None:
    quotes = [Row(START + i, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0, 10.0 + i, 12.0 + 2 * i) for i in range(3)]
    (bar,) = build(quotes, 60, bid_ask, Week(), rth=False)
    assert (bar.open, bar.close) == (11.0, 14.0)
    assert (bar.low, bar.high) == (10.0, 16.0)


def test_twenty_years_of_days_stay_near_the_present() -> None:
    found = rows(spy(), 8000, 86_400)
    assert len(found) > 4900
    assert all(spy().price / 100 < row.close < spy().price * 100 for row in found)
    assert all(one.time_s < other.time_s for one, other in pairwise(found))


def test_a_pair_has_quotes_and_no_prints() -> None:
    week = Week("exchange", "FX")
    found = rows(PAIR, 2, 60)
    assert not build(found, 60, trades, week, rth=False)
    bars = build(found, 3600, bid, week, rth=False)
    assert any(bar.high > bar.low for bar in bars)
    assert {(bar.volume, bar.count) for bar in bars} == {(-1, -1)}


def test_a_future_counts_the_evening_to_the_next_day() -> None:
    week = Week("exchange", "GLOBEX")
    evening = int(datetime(2026, 1, 6, 23, 30, tzinfo=UTC).timestamp())  # 17:30 in Chicago
    row = Row(evening, 1.0, 1.0, 1.0, 1.0, 1, 1.0, 1, 1.0, 1.25)
    (bar,) = build([row], 86_400, trades, week, rth=False)
    assert str(bar.key) == "2026-01-07"
    assert build([row], 86_400, trades, week, rth=True) == []


def all_sizes() -> Iterator[tuple[str, int]]:
    yield from BAR_SIZES.items()


@pytest.mark.parametrize(("name", "size_s"), list(all_sizes()))
def test_bars_of_every_size_do_not_overlap(name: str, size_s: int) -> None:
    days = 1 if size_s < 60 else 10 if size_s < 86_400 else 200
    bars = build(rows(spy(), days, size_s), size_s, trades, Week(), rth=True)
    assert bars
    keys = [bar.key for bar in bars]
    assert keys == sorted(set(keys))  # type: ignore[type-var]


@pytest.mark.parametrize("text", ["", "5", "D", "0 D", "-1 D", "1 Q", "1.5 D", "9999999 D", "1 D 2"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text, START, Week())


def test_ends_are_read_in_every_form() -> None:
    noon = int(datetime(2026, 1, 5, 17, 0, tzinfo=UTC).timestamp())
    for text in ("20260105-17:00:00", "20260105-17:00:00Z", "20260105 12:00:00", "20260105  12:00:00 EST",
                 "20260105 12:00:00 America/New_York", "20260105 11:00:00 US/Central"):  # fmt: skip
        assert parse_end(text, 0, NEW_YORK) == noon, text
    assert parse_end(" ", 12, NEW_YORK) == 12
    for wrong in ("tomorrow", "20261305 12:00:00", "20260105 12:00:00 Mars/Base"):
        with pytest.raises(ValueError):
            parse_end(wrong, 0, NEW_YORK)


def test_the_volume_of_coins_is_counted_in_lots() -> None:
    coin = Universe().symbol("BTC")
    assert coin is not None and coin.lot < 1
    days = rows(coin, 20, 86_400)
    coins = sum(row.volume for row in days) * coin.lot / 20
    assert coin.volume / 2 < coins < coin.volume * 2
    assert all(row.prints < 2**31 for row in days)


def test_the_minutes_of_all_instruments_together_are_bounded() -> None:
    kept = Minutes()
    pasts = [
        SyntheticPast(one, 7, START * NS_PER_S, one.price, one.price, "exchange", kept)
        for one in (spy(), FUTURE, PAIR)
    ]
    for one in pasts:
        first = list(one.rows(START - 60 * 86_400, START, 60))
        assert list(one.rows(START - 60 * 86_400, START, 60)) == first
    assert len(kept) == KEPT_DAYS
