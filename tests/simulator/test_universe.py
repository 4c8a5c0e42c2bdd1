"""What the simulated TWS knows, and when it trades."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal

from tws.clock import to_ns
from tws.model.session import parse_hours
from tws.simulator.combos import found
from tws.simulator.hours import NEW_YORK, TEMPLATES, ZONE_ID, day_of, hours_text, spans
from tws.simulator.universe import DERIVED_FROM, RULES, UNIVERSE, Universe, Wanted, step_at
from tws.simulator.universe.rules import rule_of
from tws.wire.messages import WireComboLeg, WireContract


def test_con_ids_are_apart_and_the_public_ones_are_public() -> None:
    assert len({s.con_id for s in UNIVERSE}) == len({s.symbol for s in UNIVERSE}) == len(UNIVERSE)
    known = {s.symbol: s.con_id for s in UNIVERSE}
    assert (known["AAPL"], known["SPY"], known["GLD"]) == (265598, 756733, 51529211)
    assert all(s.synthetic_id == (s.con_id >= DERIVED_FROM) for s in UNIVERSE)
    assert {"CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV"} <= known.keys()


def test_every_known_instrument_is_whole() -> None:
    """Ids are apart, numbers have right check digits, hours and rules exist, prices lie on the grid."""
    known = Universe().known
    assert len({s.con_id for s in known}) == len(known) > 150
    for security in known:
        assert security.hours in TEMPLATES, security.symbol
        assert len(security.market_rules) == len(security.exchanges)
        assert all(rule in RULES for rule in security.market_rules)
        finest = min(step for rule in security.market_rules for _, step in RULES[rule])
        assert Decimal(repr(finest)) == security.tick, security.symbol
        assert security.exchange in security.exchanges
        assert not security.isin or check_digit(security.isin), security.isin
        assert security.under_con_id == 0 or Universe().get(security.under_con_id) is not None


def check_digit(isin: str) -> bool:
    """Luhn's rule over the letters' numbers, as ISO 6166 has it."""
    digits = "".join(str(int(sign, 36)) for sign in isin)
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0


def test_a_listing_abroad_is_its_own() -> None:
    universe = Universe()
    apple = {s.currency: s.con_id for s in universe.find(Wanted(symbol="AAPL", sec_type="STK"))}
    assert apple == {"USD": 265598, "MXN": 38708077, "CHF": 273982664, "CAD": 532640894}
    assert universe.find(Wanted(symbol="AAPL", exchange="SMART", currency="USD", sec_type="STK")) == (
        universe.get(265598),
    )
    assert len(universe.find(Wanted(symbol="KWEB", currency="USD", exchange="SMART", sec_type="STK"))) == 2
    assert universe.find(Wanted(symbol="SAP", exchange="IBIS", sec_type="STK"))[0].con_id == 14204
    assert universe.find(Wanted(symbol="SAP", exchange="NYSE", sec_type="STK"))[0].stock_type == "ADR"


def test_bare_names() -> None:
    universe = Universe()
    names = {name: universe.symbol(name) for name in ("aapl", "EUR.USD", "ESZ6", "SPX", "NOTHING")}
    found = {name: known and known.con_id for name, known in names.items()}
    assert found == {"aapl": 265598, "EUR.USD": 12087792, "ESZ6": 515416632, "SPX": 416904, "NOTHING": None}


def test_rules_step_by_price() -> None:
    assert [step_at(109, price) for price in (0.0, 2.99, 3.0, -4.0)] == [0.01, 0.01, 0.05, 0.05]
    assert rule_of(Decimal("0.25")) == 67 and rule_of(Decimal("0.01")) == 26 and rule_of(Decimal("0.07")) == 0


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


def test_a_combination_is_known_by_its_legs_or_by_its_name() -> None:
    universe = Universe()
    bought = WireComboLeg(con_id=265598, ratio=1, action="BUY")
    legs = (bought, WireComboLeg(con_id=14204, ratio=1, action="SELL"))
    (one,) = found(WireContract(sec_type="BAG", combo_legs=legs), "", universe)
    assert (one.symbol, one.con_id, one.tick) == ("AAPL,SAP", 28812380, Decimal("0.01"))
    (two,) = found(WireContract(sec_type="BAG", symbol="SAP,BMW"), "EUR", universe)
    assert two.con_id == 58666491
    for strange in ("", ",", "SAP,", "SAP," * 9 + "SAP"):
        assert found(WireContract(sec_type="BAG", symbol=strange), "", universe) == ()
    assert found(WireContract(sec_type="BAG", combo_legs=(*legs, WireComboLeg(con_id=1))), "", universe) == ()


def test_a_bond_is_asked_for_by_what_names_it() -> None:
    universe = Universe()
    ibm = universe.find(Wanted(symbol="459200HF1", sec_type="BOND", exchange="SMART", currency="USD"))
    assert [bond.long_name for bond in ibm] == ["INTL BUSINESS MACHINES CORP"]
    assert universe.find(Wanted(symbol="IBM", sec_type="BOND", expiry="20420620")) == ibm
    assert universe.find(Wanted(symbol="IBM", sec_type="BOND", expiry="2043")) == ()
    assert universe.find(Wanted(sec_type="BOND")) == ()
    assert [bond.symbol for bond in universe.issuers("uni")] == ["US-T"]
