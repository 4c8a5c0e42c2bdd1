"""Tapes: what a long run keeps, what begins late; and which hours a synthetic market keeps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tws.clock import NS_PER_S
from tws.simulator.grid import grid_of
from tws.simulator.hours import day_of
from tws.simulator.market import MarketUpdate, SyntheticMarket
from tws.simulator.market.base import Row
from tws.simulator.market.derived import Derived
from tws.simulator.market.weeks import Week
from tws.simulator.tape import AT_ONCE, COARSE_ROWS, FINE_ROWS, Tape
from tws.simulator.universe import UNIVERSE, Security, Universe

DAY = day_of(date(2026, 1, 5))
assert DAY is not None
OPEN = DAY.open_ns
START_S = OPEN // NS_PER_S
HOUR = 3600 * NS_PER_S
KNOWN = Universe()


def security(name: str) -> Security:
    found = KNOWN.symbol(name)
    assert found is not None
    return found


def test_old_seconds_become_minutes_and_lose_nothing() -> None:
    tape = Tape(AT_ONCE, None)  # a conId that shortens nothing
    for second in range(FINE_ROWS + 2):
        price = 100 + (second * 7919 % 601) / 100
        tape.apply(
            MarketUpdate((START_S + second) * NS_PER_S, 1, 9_990, 100, 10_010, 100, price, 1 + second % 3)
        )
    rows = list(tape.rows(0, 2**40))
    assert len(rows) == FINE_ROWS + 2 - AT_ONCE + AT_ONCE // 60
    coarse, fine = rows[: AT_ONCE // 60], rows[AT_ONCE // 60 :]
    assert coarse[0].time_s == START_S and coarse[1].time_s == START_S + 60
    assert fine[0].time_s == START_S + AT_ONCE
    prices = [100 + (second * 7919 % 601) / 100 for second in range(AT_ONCE)]
    for index, row in enumerate(coarse):
        part = prices[index * 60 : index * 60 + 60]
        assert (row.open, row.high, row.low, row.close) == (part[0], max(part), min(part), part[-1])
        assert (row.volume, row.prints, row.bid, row.ask) == (120, 60, 99.9, 100.1)
    assert sum(row.volume for row in rows) == tape.volume
    assert sum(row.value for row in rows) == pytest.approx(tape.value)


def test_quotes_without_prints_stay_so_when_they_become_minutes() -> None:
    tape = Tape(AT_ONCE, None)
    for second in range(FINE_ROWS + 2):
        trade = (50.0, 10) if second == 90 else ()
        tape.apply(MarketUpdate((START_S + second) * NS_PER_S, 1, 9_990, 100, 10_010, 100, *trade))
    first, second_row, third, *_ = tape.rows(0, 2**40)
    assert (first.prints, first.open, first.high, first.low) == (0, 0, 0, 0)
    assert (second_row.open, second_row.high, second_row.low, second_row.close) == (50, 50, 50, 50)
    assert third.prints == 0


def test_minutes_are_dropped_from_a_bound_on() -> None:
    tape = Tape(1, None)
    past = [Row(60 * n, 10.0, 10.0, 10.0, 10.0, 5, 50.0, 1, 9.99, 10.01) for n in range(COARSE_ROWS)]
    tape.begin(past, 60 * (COARSE_ROWS - 2))
    assert tape.first_s == 0 and (tape.volume, tape.prints, tape.open, tape.last) == (10, 2, 10.0, 10.0)
    for second in range(FINE_ROWS + AT_ONCE + 2):
        tape.apply(MarketUpdate((60 * COARSE_ROWS + second) * NS_PER_S, 1, 999, 1, 1001, 1, 10.0, 1))
    assert tape.first_s == 60 * (AT_ONCE // 60)


def test_each_keeps_the_hours_of_its_own_market() -> None:
    names = ("SPY", "ESZ6", "EUR.USD", "BTC", "SPX")
    chosen = [security(name) for name in names]
    market = SyntheticMarket(chosen, seed=7, start_ns=OPEN - HOUR // 4, mode="exchange")
    assert market.listings == tuple(chosen)
    heard: dict[str, set[str]] = {}
    ids = {one.con_id: name for one, name in zip(chosen, names, strict=True)}
    for label, at in (("noon", 2.5), ("evening", 11.5), ("night", 14.5), ("globex pause", 7.6)):
        market = SyntheticMarket(chosen, seed=7, start_ns=OPEN + int(at * HOUR), mode="exchange")
        heard[label] = {ids[u.con_id] for u in market.take(OPEN + int(at * HOUR) + 120 * NS_PER_S)}
    assert heard["noon"] == set(names)
    assert heard["evening"] == heard["night"] == {"ESZ6", "EUR.USD", "BTC"}
    assert heard["globex pause"] == {"SPY", "BTC"}


def test_a_week_skips_to_the_next_open() -> None:
    week = Week("US_STOCK")
    assert week.state(OPEN) is not None and not week.turned
    friday = day_of(date(2026, 1, 9))
    monday = day_of(date(2026, 1, 12))
    assert friday is not None and monday is not None
    assert week.state(friday.post_ns) is None
    assert week.opens_ns(friday.post_ns) == monday.pre_ns
    state = week.state(monday.pre_ns)
    assert state is not None and state.thin and week.turned
    assert week.state(monday.pre_ns + 1) is not None and not week.turned


def test_rates_change_how_often_and_not_how_far() -> None:
    spans = []
    for rate in (1, 4):
        moves = []
        for seed in range(40):
            market = SyntheticMarket([UNIVERSE[0]], seed=seed, start_ns=OPEN, updates_per_s=rate)
            updates = market.take(OPEN + 300 * NS_PER_S)
            assert len(updates) == pytest.approx(300 * rate, abs=4)
            moves.append(abs(updates[-1].bid - updates[0].bid))
        spans.append(sum(moves) / len(moves))
    assert spans[1] == pytest.approx(spans[0], rel=0.5)


def test_currencies_have_quotes_and_coins_fractions() -> None:
    euro, coin = security("EUR.USD"), security("BTC")
    market = SyntheticMarket([euro, coin], seed=7, start_ns=OPEN, updates_per_s=4)
    updates = market.take(OPEN + 60 * NS_PER_S)
    quotes = [u for u in updates if u.con_id == euro.con_id]
    assert len(quotes) == pytest.approx(60 * 8, abs=10) and not any(u.trade for u in quotes)
    assert min(u.bid_size for u in quotes) >= 500_000
    grid = grid_of(coin.tick, coin.lot)
    sizes = [grid.quantity(u.trade_size) for u in updates if u.con_id == coin.con_id and u.trade]
    assert sizes and all(Decimal("0.00000001") <= size < 100 for size in sizes)


def test_a_derived_market_is_the_same_whoever_asks() -> None:
    under = UNIVERSE[0]
    chain = next(chain for chain in KNOWN.chains if chain.trading_class == "SPY")
    option = chain.make(chain.dates(KNOWN.today)[5], 560.0, "C", KNOWN.today)
    tape = Tape(under.con_id, 559.0)
    tape.apply(MarketUpdate(OPEN, under.con_id, 55_999, 100, 56_001, 100))
    one, other = Derived(option, under, tape), Derived(option, under, tape)
    first = one.update(OPEN)
    one.update(OPEN + NS_PER_S)
    assert first is not None and first == other.update(OPEN) and first.ask > first.bid > 0
    assert one.update(OPEN + 400 * 86_400 * NS_PER_S) is None  # expired
    assert (one.close(OPEN) or 0) < grid_of(option.tick, option.lot).price(first.ask)


def test_a_contract_for_difference_is_quoted_as_its_stock() -> None:
    cfd = next(s for s in KNOWN.known if s.sec_type == "CFD" and s.symbol == "AAPL")
    under = KNOWN.get(cfd.under_con_id)
    assert under is not None
    tape = Tape(under.con_id, None)
    derived = Derived(cfd, under, tape)
    assert derived.update(OPEN) is None
    tape.apply(MarketUpdate(OPEN, under.con_id, 22_500, 300, 22_502, 400))
    grid, update = grid_of(cfd.tick, cfd.lot), derived.update(OPEN)
    assert update is not None
    assert (grid.price(update.bid), grid.price(update.ask)) == (225.0, 225.02)
    assert (update.bid_size, update.ask_size) == (300, 400)
