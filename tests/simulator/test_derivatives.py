"""Futures and options that rules make: their expiries, their names, and conIds that lead back to them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.simulator.universe import DERIVED_FROM, SYNTHETIC_FROM, Root, Security, Universe, Wanted
from tws.simulator.universe.expiry import EXPIRIES, friday_expiry, last_trade_date
from tws.simulator.universe.futures import month_of
from tws.simulator.universe.options import STRIKES, option_id, parse_id

UNIVERSE = Universe()
CHAINS = UNIVERSE.chains


def root(trading_class: str) -> Root:
    return next(r for r in UNIVERSE.roots if r.trading_class == trading_class)


def find(universe: Universe = UNIVERSE, **fields: object) -> list[Security]:
    return list(universe.find(Wanted(**fields)))  # type: ignore[arg-type]


# -- expiries: as the exchanges published them -----------------------------------------------------


@pytest.mark.parametrize(
    ("trading_class", "month", "expires"),
    [
        ("ES", (2025, 9), "20250919"),
        ("ES", (2026, 6), "20260618"),  # the 19th is a holiday
        ("NQ", (2026, 12), "20261218"),
        ("CL", (2025, 1), "20241219"),
        ("CL", (2025, 12), "20251120"),
        ("CL", (2024, 6), "20240521"),  # the 25th of May is a Saturday
        ("GC", (2025, 12), "20251229"),
        ("NG", (2025, 1), "20241227"),
        ("ZN", (2025, 12), "20251219"),
        ("ZF", (2025, 12), "20251231"),
        ("6E", (2025, 12), "20251215"),
        ("VX", (2025, 11), "20251119"),
        ("VX", (2026, 5), "20260519"),  # the June Friday is a holiday, so a Tuesday
        ("FDAX", (2025, 12), "20251219"),
        ("ZC", (2025, 12), "20251212"),
    ],
)
def test_a_contract_month_expires_on_the_published_day(
    trading_class: str, month: tuple[int, int], expires: str
) -> None:
    assert f"{root(trading_class).expires(*month):%Y%m%d}" == expires


@given(st.sampled_from(sorted(EXPIRIES)), st.integers(2010, 2040), st.integers(1, 12))
def test_every_rule_gives_a_weekday_near_its_month(rule: str, year: int, month: int) -> None:
    day = last_trade_date(rule, year, month)
    assert day.weekday() < 5
    assert -45 < (day - date(year, month, 1)).days < 32


def test_the_list_rolls_with_the_date() -> None:
    universe = Universe()
    universe.today = date(2026, 12, 18)
    front = find(universe, symbol="ES", sec_type="FUT")
    assert (front[0].local_symbol, front[0].con_id) == ("ESZ6", 515416632)  # its last day is still its own
    universe.today = date(2026, 12, 19)
    later = find(universe, symbol="ES", sec_type="FUT")
    assert [s.local_symbol for s in later[:2]] == ["ESH7", "ESM7"]
    assert len(later) == len(front)
    assert find(universe, local_symbol="ESZ6", sec_type="FUT") == []
    again = find(universe, local_symbol="ESZ6", sec_type="FUT", include_expired=True)
    assert [s.con_id for s in again] == [515416632]
    assert universe.get(515416632) is not None  # positions in what expired keep their contract


def test_names_months_and_multipliers() -> None:
    euro = find(symbol="EUR", sec_type="FUT")[0]
    assert (euro.trading_class, euro.local_symbol, euro.multiplier) == ("6E", "6EZ6", "125000")
    dax = find(symbol="DAX", sec_type="FUT", trading_class="FDAX")[0]
    assert (dax.local_symbol, dax.currency, dax.multiplier) == ("FDAX 20261218 M", "EUR", "25")
    assert find(symbol="DAX", sec_type="FUT", multiplier="5.0", expiry="202612")[0].trading_class == "FDXM"
    oil = find(symbol="CL", sec_type="FUT", expiry="202701")
    assert [(s.local_symbol, s.last_trade_date, s.contract_month) for s in oil] == [
        ("CLF7", "20261221", "202701")
    ]
    assert find(local_symbol="6EZ6", sec_type="FUT", exchange="CME") == [euro]
    assert find(local_symbol="FDAX 20261218 M", sec_type="FUT") == [dax]


def test_the_continuous_future_is_the_front_one() -> None:
    (continuous,) = find(symbol="ES", sec_type="CONTFUT", exchange="CME")
    (front, *_) = find(symbol="ES", sec_type="FUT", exchange="CME")
    assert (continuous.con_id, continuous.sec_type) == (front.con_id, "CONTFUT")


# -- conIds ----------------------------------------------------------------------------------------


@given(st.sampled_from(UNIVERSE.roots), st.integers(1995, 2060), st.integers(1, 12))
def test_a_future_is_found_again_by_its_con_id(family: Root, year: int, month: int) -> None:
    made = family.make(year, month, UNIVERSE.today)
    assert month_of(made.con_id) == (family.slot, year, month)
    if month in family.months:
        assert UNIVERSE.get(made.con_id) == made


@given(
    st.sampled_from(CHAINS),
    st.dates(date(2010, 1, 4), date(2039, 12, 30)).filter(lambda day: day.weekday() < 5),
    st.integers(0, STRIKES - 1),
    st.sampled_from("CP"),
)
def test_an_option_id_leads_back_to_its_option(chain: object, expiry: date, place: int, right: str) -> None:
    assert chain in CHAINS
    known = CHAINS[CHAINS.index(chain)]  # type: ignore[arg-type]
    strike = known.base + place * known.step
    con_id = option_id(known, expiry, strike, right)
    assert DERIVED_FROM <= con_id < SYNTHETIC_FROM
    assert parse_id(con_id) == (known.slot, expiry, place, right)


def test_no_two_contracts_share_a_con_id() -> None:
    fixed = [s.con_id for s in UNIVERSE.known]
    futures = [
        r.make(y, m, UNIVERSE.today).con_id for r in UNIVERSE.roots for y, m in r.listed(UNIVERSE.today)
    ]
    expiries = {chain.trading_class: chain.dates(UNIVERSE.today)[:3] for chain in CHAINS}
    options = [
        option.con_id
        for chain in CHAINS
        for expiry in expiries[chain.trading_class]
        for option in chain.ladder(expiry, UNIVERSE.today)
    ]
    every = fixed + futures + options
    assert len(set(every)) == len(every)
    assert len({r.slot for r in UNIVERSE.roots}) == len(UNIVERSE.roots)


def test_a_con_id_needs_no_list_and_no_date() -> None:
    (option,) = find(symbol="SPY", sec_type="OPT", expiry="20261218", strike=560.0, right="C")
    other = Universe()
    other.today = date(2026, 12, 1)
    known = other.get(option.con_id)
    assert known is not None
    assert (known.local_symbol, known.under_con_id) == (option.local_symbol, 756733)
    assert Universe().get(option.con_id + 2 * STRIKES) is not None  # the next weekday's
    assert Universe().get(SYNTHETIC_FROM - 1) is None


# -- chains ----------------------------------------------------------------------------------------


def test_a_chain_has_weekly_monthly_and_far_expiries() -> None:
    (chain,) = [c for c in CHAINS if c.trading_class == "AAPL"]
    days = chain.dates(date(2026, 11, 23))
    assert days[0] == date(2026, 11, 27) and date(2026, 12, 18) in days
    assert date(2026, 12, 24) in days and date(2026, 12, 25) not in days  # the Friday is Christmas
    assert friday_expiry(2028, 1) in days
    assert all(day.weekday() < 5 for day in days) and days == sorted(set(days))
    daily = next(c for c in CHAINS if c.trading_class == "SPY").dates(date(2026, 11, 23))
    assert date(2026, 11, 24) in daily and date(2026, 11, 26) not in daily


def test_strikes_surround_the_price() -> None:
    for chain in CHAINS:
        strikes = chain.strikes()
        price = chain.under.price
        assert strikes == sorted(set(strikes)) and min(strikes) < 0.7 * price < 1.3 * price < max(strikes)
        assert len([s for s in strikes if abs(s - price) < 0.1 * price]) >= 5


def test_an_option_states_all_of_itself() -> None:
    (put,) = find(symbol="AAPL", sec_type="OPT", expiry="20261218", strike=225, right="PUT", exchange="SMART")
    assert put.local_symbol == "AAPL  261218P00225000"
    assert (put.right, put.strike, put.multiplier, put.contract_month) == ("P", 225.0, "100", "202612")
    assert (put.under_con_id, put.under_symbol, put.under_sec_type) == (265598, "AAPL", "STK")
    assert find(local_symbol=put.local_symbol, sec_type="OPT") == [put]
    assert 0 < put.price < 20
    assert find(symbol="AAPL", sec_type="OPT", expiry="20261218", strike=226, right="P") == []
    assert find(symbol="AAPL", sec_type="OPT", expiry="20261217", strike=225, right="P") == []
    assert find(symbol="AAPL", sec_type="OPT", expiry="20261218", strike=225, right="X") == []


def test_the_index_has_two_classes_on_its_third_friday() -> None:
    both = find(symbol="SPX", sec_type="OPT", expiry="20261218", strike=5600, right="C")
    assert {s.trading_class for s in both} == {"SPX", "SPXW"}
    assert len({s.con_id for s in both}) == 2
    weekly = find(symbol="SPX", sec_type="OPT", expiry="20261204", strike=5600, right="C")
    assert [s.trading_class for s in weekly] == ["SPXW"]


def test_options_on_a_future_expire_with_it() -> None:
    (option,) = find(symbol="ES", sec_type="FOP", expiry="20261218", strike=5600, right="C", exchange="CME")
    assert (option.under_con_id, option.under_sec_type, option.multiplier) == (515416632, "FUT", "50")
    assert UNIVERSE.get(option.con_id) == option
    assert find(symbol="ES", sec_type="FOP", expiry="202701") == []
