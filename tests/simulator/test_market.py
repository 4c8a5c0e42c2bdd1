"""Markets: a seed repeats, files replay, bad rows are named."""

from __future__ import annotations

import gzip
import itertools
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tws.clock import NS_PER_S
from tws.errors import ConfigError, DataError
from tws.simulator.hours import day_of
from tws.simulator.market import MarketUpdate, SyntheticMarket, replay, write_csv
from tws.simulator.market.replay import check, read
from tws.simulator.market.synthetic import profile
from tws.simulator.universe import UNIVERSE, Universe

DAY = day_of(date(2026, 1, 5))
assert DAY is not None
OPEN, CLOSE = DAY.open_ns, DAY.close_ns
SPY, MSFT = UNIVERSE[0], next(s for s in UNIVERSE if s.symbol == "MSFT")
SECONDS = "time_utc_ms,open,high,low,close,volume,bid,bid_size,ask,ask_size\n"
TICKS = "time_utc_ms,kind,price,size,exchange\n"


def synthetic(seed: int = 7, *symbols: object, **options: object) -> SyntheticMarket:
    return SyntheticMarket(symbols or [SPY, MSFT], seed=seed, start_ns=OPEN, **options)  # type: ignore[arg-type]


def test_a_seed_repeats_however_it_is_cut() -> None:
    whole = synthetic().take(OPEN + 300 * NS_PER_S)
    market, parts = synthetic(), []
    for step in range(1, 1000):
        parts += market.take(min(OPEN + step * 700_000_001, OPEN + 300 * NS_PER_S))
    assert whole == parts
    assert whole != synthetic(8).take(OPEN + 300 * NS_PER_S)


def test_a_path_does_not_depend_on_who_else_trades() -> None:
    alone = synthetic(7, SPY).take(OPEN + 60 * NS_PER_S)
    together = [u for u in synthetic().take(OPEN + 60 * NS_PER_S) if u.con_id == SPY.con_id]
    assert [(u.bid, u.ask, u.trade) for u in alone] == [(u.bid, u.ask, u.trade) for u in together]


def test_updates_come_in_time_and_make_sense() -> None:
    updates = synthetic().take(OPEN + 600 * NS_PER_S)
    assert all(one.time_ns <= two.time_ns for one, two in itertools.pairwise(updates))
    assert len(updates) == pytest.approx(2 * 600, abs=4)
    for update in updates:
        assert 0 < update.bid < update.ask and update.bid_size > 0 and update.ask_size > 0
        assert not update.trade_size or update.bid <= round(update.trade * 100) <= update.ask


def test_the_day_has_a_u_shape_and_nights_are_silent() -> None:
    assert profile(0) > 2 * profile(0.5) and profile(1) == profile(0)
    average = sum(profile(i / 1000) for i in range(1001)) / 1001
    assert average == pytest.approx(1, abs=0.01)
    market = synthetic(mode="exchange")
    updates = market.take(DAY.post_ns)  # type: ignore[union-attr]
    by_hour = [
        sum(u.trade_size for u in updates if 0 <= u.time_ns - OPEN - hour * 3600 * NS_PER_S < 3600 * NS_PER_S)
        for hour in range(6)
    ]
    assert by_hour[0] > by_hour[3] < by_hour[5]
    later = market.next_ns()
    assert later is not None and later > DAY.post_ns + 7 * 3600 * NS_PER_S  # type: ignore[union-attr]


def test_an_end_is_the_end() -> None:
    market = synthetic(end_ns=OPEN + 10 * NS_PER_S)
    assert market.take(OPEN + 3600 * NS_PER_S)[-1].time_ns < OPEN + 10 * NS_PER_S
    assert market.next_ns() is None and market.take(CLOSE) == []


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("kind", ["1s", "ticks"])
def test_what_is_written_replays(tmp_path: Path, kind: str, suffix: str) -> None:
    path = write_csv(tmp_path / f"SPY-x-{kind}.{suffix}", SPY, kind=kind, start_ns=OPEN, seconds=120)  # type: ignore[arg-type]
    wanted = synthetic(7, SPY).take(OPEN + 119 * NS_PER_S + NS_PER_S - 1)
    market = replay([path], Universe())
    found = market.take(CLOSE)
    assert [s.symbol for s in market.listings] == ["SPY"]
    assert sum(u.trade_size for u in found) == sum(u.trade_size for u in wanted)
    assert (found[-1].bid, found[-1].ask) == (wanted[-1].bid, wanted[-1].ask)
    assert by_second(found) == by_second(wanted)


def by_second(updates: list[MarketUpdate]) -> dict[int, tuple[int, int, int, int]]:
    return {u.time_ns // NS_PER_S: (u.bid, u.bid_size, u.ask, u.ask_size) for u in updates}


def test_a_second_becomes_its_prints_then_its_quote(tmp_path: Path) -> None:
    path = tmp_path / "SPY-x-1s.csv"
    path.write_text(
        SECONDS + "1000000,,,,,,9.9,100,10.1,200\n1001000,10,10.3,9.8,10.1,401,10,100,10.2,300\n", "utf-8"
    )
    updates = list(read(path, 1))
    assert [(u.trade, u.trade_size) for u in updates if u.trade_size] == [
        (10, 100),
        (9.8, 100),
        (10.3, 100),
        (10.1, 101),
    ]
    assert all((u.bid, u.ask) == (990, 1010) for u in updates if u.trade_size)  # the quote before, not after
    assert updates[-1] == MarketUpdate(1_001_999_000_000, 1, 1000, 100, 1020, 300)


def test_the_top_of_all_venues(tmp_path: Path) -> None:
    rows = [
        "1000,bid,10.00,100,P",
        "1000,ask,10.02,100,P",
        "1001,bid,10.01,200,Q",
        "1002,bid,10.01,300,Z",  # two venues at the best bid: their sum
        "1003,ask,10.01,100,Q",  # it locks Q's and Z's bids: those were stale
        "1004,ask,10.01,0,Q",  # withdrawn
        "1005,trade,10.015,50,D",
        "1006,bid,10.02,100,Q",  # it locks P's ask
    ]
    path = tmp_path / "SPY-x-ticks.csv"
    path.write_text(TICKS + "\n".join(rows), "utf-8")
    tops = [(u.bid, u.bid_size, u.ask, u.ask_size) for u in read(path, 1)]
    assert tops == [
        (1000, 100, 0, 0),
        (1000, 100, 1002, 100),
        (1001, 200, 1002, 100),
        (1001, 500, 1002, 100),
        (1000, 100, 1001, 100),
        (1000, 100, 1002, 100),
        (1000, 100, 1002, 100),
        (1002, 100, 0, 0),
    ]
    assert list(read(path, 1))[-2].trade == 10.015


BAD = [
    (SECONDS + "1000,1,1,1,1,x,,,,\n", 2, "volume is 'x'"),
    (SECONDS + "2000,,,,,,1,1,1,1\n1000,,,,,,1,1,1,1\n", 3, "runs backwards"),
    (SECONDS + "1000,1,2\n", 2, "fewer columns"),
    (SECONDS + "1000,,,,,,nan,1,2,1\n", 2, "bid is nan"),
    (SECONDS + "1000,1,0.5,1,1,5,,,,\n", 2, "contradict"),
    (SECONDS + "soon,,,,,,1,1,1,1\n", 2, "time_utc_ms is 'soon'"),
    (TICKS + "1000,bid,1,1,P\n1000,offer,1,1,P\n", 3, "kind is 'offer'"),
    (TICKS + "1000,bid,-1,1,P\n", 2, "price is -1"),
    (TICKS + "1000,bid,1,-5,P\n", 2, "size is -5"),
    ("a,b,c\n1,2,3\n", 1, "neither form"),
    ("", 1, "neither form"),
]


@pytest.mark.parametrize(("text", "line", "reason"), BAD)
def test_a_bad_row_is_named(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = tmp_path / "SPY-bad.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError) as caught:
        check(path)
    assert (caught.value.path, caught.value.line) == (str(path), line)
    assert reason in caught.value.reason


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be opened"):
        check(tmp_path / "SPY-none.csv")
    broken = tmp_path / "SPY-broken.csv.gz"
    broken.write_bytes(gzip.compress((SECONDS + "1000,,,,,,1,1,1.1,1\n" * 5000).encode())[:60])
    with pytest.raises(DataError, match="can't be read"):
        check(broken)
    empty = tmp_path / "SPY-empty.csv"
    empty.write_text(SECONDS, "utf-8")
    with pytest.raises(DataError, match="no row"):
        replay([empty], Universe())


def test_files_merge_by_time_and_series_map(tmp_path: Path) -> None:
    spy = write_csv(tmp_path / "SPY-x-1s.csv", SPY, kind="1s", start_ns=OPEN, seconds=60)
    msft = write_csv(tmp_path / "MSFT-x-1s.csv", MSFT, kind="1s", start_ns=OPEN + 30 * NS_PER_S, seconds=60)
    universe = Universe()
    market = replay([spy, msft], universe, {"CVNA": "SPY"})
    updates = market.take(CLOSE)
    assert {s.symbol for s in market.listings} == {"SPY", "MSFT", "CVNA"}
    assert all(one.time_ns <= two.time_ns for one, two in itertools.pairwise(updates))
    cvna = universe.symbol("CVNA")
    assert cvna is not None
    assert [u.bid for u in updates if u.con_id == cvna.con_id] == [
        u.bid for u in updates if u.con_id == SPY.con_id
    ]
    with pytest.raises(ConfigError, match="no data file has the series"):
        replay([spy], Universe(), {"CVNA": "QQQ"})


@pytest.mark.data
@pytest.mark.parametrize("name", ["SPY-2013-10-08-1s", "IBM-2013-10-08-1s", "IBM-2013-10-08-ticks"])
def test_recorded_days_replay(data_folder: Path, name: str) -> None:
    updates = list(read(data_folder / f"{name}.csv.gz", 1))
    assert len(updates) > 20_000
    assert not [u for u in updates if u.bid and u.ask and u.bid > u.ask]


@pytest.mark.parametrize("name", ["BTC", "ESZ6", "EUR.USD", "SPY"])
def test_the_previous_close_is_on_the_grid(name: str) -> None:
    security = Universe().symbol(name)
    assert security is not None
    for seed in range(5):
        close = synthetic(seed, security).previous_close(security.con_id)
        assert close and Decimal(repr(close)) % security.tick == 0
