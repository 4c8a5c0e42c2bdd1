"""What the simulated TWS knows, and when it trades."""

from __future__ import annotations

import itertools
from datetime import date

from tws.clock import to_ns
from tws.model.session import parse_hours
from tws.simulator.hours import NEW_YORK, ZONE_ID, day_of, hours_text, spans
from tws.simulator.universe import DERIVED_FROM, UNIVERSE, Universe, Wanted


def test_con_ids_are_apart_and_the_public_ones_are_public() -> None:
    assert len({s.con_id for s in UNIVERSE}) == len({s.symbol for s in UNIVERSE}) == len(UNIVERSE)
    known = {s.symbol: s.con_id for s in UNIVERSE}
    assert (known["AAPL"], known["SPY"], known["GLD"]) == (265598, 756733, 51529211)
    assert all(s.synthetic_id == (s.con_id >= DERIVED_FROM) for s in UNIVERSE)
    assert {"CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV"} <= known.keys()


def test_a_description_finds_what_it_does_not_contradict() -> None:
    universe = Universe()
    spy = universe.get(756733)
    assert spy is not None
    assert universe.find(Wanted(con_id=756733, symbol="OTHER")) == (spy,)
    assert universe.find(Wanted(symbol="spy", sec_type="STK", exchange="SMART", currency="USD")) == (spy,)
    assert universe.find(Wanted(symbol="SPY", sec_type="STK", currency="EUR")) == ()
    assert universe.find(Wanted(symbol="SPY", sec_type="OPT", currency="EUR")) == ()
    assert universe.find(Wanted(symbol="SPY", sec_type="STK", exchange="XETRA")) == ()
    assert universe.find(Wanted(symbol="SPY", sec_type="STK", primary="NASDAQ")) == ()
    assert universe.find(Wanted(symbol="MSFT", sec_type="STK", primary="ISLAND"))[0].symbol == "MSFT"
    assert universe.find(Wanted(sec_type="STK")) == ()


def test_an_unknown_symbol_of_a_file_gets_an_invented_id() -> None:
    universe = Universe()
    one, two = universe.add("ZZZA"), universe.add("ZZZB")
    assert one.synthetic_id and two.synthetic_id and one.con_id != two.con_id
    assert universe.add("ZZZA") is one
    assert [s.symbol for s in universe.matching("ZZZ")] == ["ZZZA", "ZZZB"]


def at(day: date, hour: int, minute: int = 0) -> int:
    from datetime import datetime

    return to_ns(datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK))


def test_the_calendar_of_2026() -> None:
    closed = [date(2026, 1, 1), date(2026, 4, 3), date(2026, 6, 19), date(2026, 7, 3), date(2026, 11, 26)]
    assert all(day_of(day) is None for day in [*closed, date(2026, 1, 3)])
    short = day_of(date(2026, 11, 27))
    assert short is not None and short.close_ns == at(short.date, 13)
    full = day_of(date(2026, 11, 25))
    assert full is not None and (full.open_ns, full.close_ns) == (at(full.date, 9, 30), at(full.date, 16))
    assert day_of(date(2010, 12, 31)) is not None  # a New Year on a Saturday has no substitute


def test_the_hours_text_reads_back_as_the_sessions_it_states() -> None:
    now = at(date(2026, 11, 25), 12)
    text = hours_text(now, "exchange", liquid=True)
    assert text.startswith("20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-20261127:1300")
    regular, _ = spans(date(2026, 11, 25), 6)
    assert [(s.open_ns, s.close_ns) for s in parse_hours(text, ZONE_ID)] == list(regular)
    always = parse_hours(hours_text(now, "always", liquid=True), ZONE_ID)
    assert all(one.close_ns == two.open_ns for one, two in itertools.pairwise(always))
