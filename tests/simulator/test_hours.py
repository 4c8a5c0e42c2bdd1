"""Hours by template: each market's week in its own zone, its holidays, and what the exchange is told."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest

from tws.clock import to_datetime, to_ns
from tws.model.session import parse_hours
from tws.simulator.holidays import holidays
from tws.simulator.hours import TEMPLATES, day_of, hours_text, sessions, spans, trading_days_before

MONDAY = to_ns(datetime(2026, 11, 23, 15, tzinfo=UTC))


def test_a_globex_day_begins_on_the_evening_before() -> None:
    text = hours_text(MONDAY, "exchange", liquid=False, template="GLOBEX")
    assert text.startswith("20261122:1700-20261123:1600;20261123:1700-20261124:1600;")
    assert "20261125:1700-20261126:1200" in text and text.endswith(";20261128:CLOSED")
    liquid = hours_text(MONDAY, "exchange", liquid=True, template="GLOBEX")
    assert liquid.startswith("20261123:0830-20261123:1600;")


def test_noon_in_tokyo_is_a_pause() -> None:
    text = hours_text(to_ns(datetime(2026, 11, 23, 1, tzinfo=UTC)), "exchange", liquid=True, template="TSEJ")
    assert text.startswith("20261123:0900-20261123:1130;20261123:1230-20261123:1530;")
    day = day_of(date(2026, 11, 24), "exchange", "TSEJ")
    assert day is not None and len(day.liquid) == 2
    assert to_datetime(day.open_ns) == datetime(2026, 11, 24, 0, tzinfo=UTC)
    assert to_datetime(day.close_ns) == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)


def test_crypto_never_closes() -> None:
    regular, extended = spans(date(2026, 11, 27), 5, "CRYPTO")
    assert extended == () and len(regular) == 1
    assert regular[0][1] - regular[0][0] == 5 * 86_400 * 10**9
    assert "CLOSED" not in hours_text(MONDAY, "exchange", liquid=False, template="CRYPTO")


def test_currencies_rest_a_quarter_of_an_hour_and_at_the_weekend() -> None:
    found = list(sessions(date(2026, 11, 23), date(2026, 11, 29), template="FX"))
    assert len(found) == 5
    for (_, _, close), (_, opens, _) in itertools.pairwise(found):
        assert opens - close == 15 * 60 * 10**9


@pytest.mark.parametrize(
    ("calendar", "closed", "open_"),
    [
        (
            "LSE",
            [date(2026, 5, 4), date(2026, 8, 31), date(2026, 12, 28), date(2022, 1, 3)],
            date(2026, 5, 1),
        ),
        ("XETRA", [date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 31)], date(2026, 11, 26)),
        ("TSX", [date(2026, 5, 18), date(2026, 7, 1), date(2026, 10, 12)], date(2026, 11, 26)),
        ("GLOBEX", [date(2026, 4, 3), date(2026, 12, 25)], date(2026, 11, 26)),
        ("US", [date(2026, 11, 26), date(2026, 7, 3)], date(2026, 12, 26)),
    ],
)
def test_holidays_are_each_market_s_own(calendar: str, closed: list[date], open_: date) -> None:
    for day in closed:
        assert day in holidays(calendar, day.year)
    assert open_ not in holidays(calendar, open_.year)


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_template_s_text_reads_back_as_its_sessions(template: str) -> None:
    zone = TEMPLATES[template].zone_id
    first = to_datetime(MONDAY).astimezone(TEMPLATES[template].zone).date()
    for liquid in (True, False):
        text = hours_text(MONDAY, "exchange", liquid=liquid, template=template)
        read = [(s.open_ns, s.close_ns) for s in parse_hours(text, zone)]
        stated = sessions(first, first + timedelta(days=5), template=template, liquid=liquid)
        assert read == [(begin, end) for _, begin, end in stated]
    regular, extended = spans(first, 30, template)
    every = sorted(regular + extended)
    assert all(begin < end for begin, end in every)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(every))


def test_always_is_the_zone_s_own_midnight() -> None:
    text = hours_text(MONDAY, "always", liquid=True, template="XETRA")
    assert text.startswith("20261123:0000-20261124:0000;")
    day = day_of(date(2026, 11, 23), "always", "XETRA")
    assert day is not None and to_datetime(day.open_ns) == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_extended_hours_are_what_is_not_regular() -> None:
    regular, extended = spans(date(2026, 11, 27), 1)
    ((begin, end),) = regular
    assert [to_datetime(t).hour for t in (begin, end)] == [14, 18]  # 09:30 to 13:00, an early close
    assert extended[0][1] == begin and extended[1][0] == end
    cboe, night = spans(date(2026, 11, 24), 1, "CBOE_INDEX")
    assert len(cboe) == 1 and len(night) == 1 and night[0][1] < cboe[0][0]


def test_the_days_before_skip_the_market_s_own_holidays() -> None:
    before = trading_days_before(date(2026, 11, 28), 3, "exchange", "XETRA")
    assert [day.date.day for day in before] == [27, 26, 25]
    assert [day.date.day for day in trading_days_before(date(2026, 11, 28), 3, "exchange")] == [27, 25, 24]
