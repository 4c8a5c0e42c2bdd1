"""The broker's hours text, in the forms that TWS writes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tws.clock import to_ns
from tws.model.session import Session, parse_hours, session_at


def utc(*parts: int) -> int:
    return to_ns(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]


def test_new_form_with_a_closed_day_and_an_early_close() -> None:
    hours = parse_hours("20261126:CLOSED;20261127:0930-20261127:1300", "US/Eastern")
    assert hours == (Session(utc(2026, 11, 27, 14, 30), utc(2026, 11, 27, 18, 0)),)


def test_old_form_without_the_second_date_and_two_spans_a_day() -> None:
    hours = parse_hours("20180323:0400-0930,1000-2000;20180326:0400-2000", "EST")
    assert [s.open_ns for s in hours] == [utc(2018, 3, 23, 8), utc(2018, 3, 23, 14), utc(2018, 3, 26, 8)]


def test_summer_time_is_the_zones_own() -> None:
    (winter,) = parse_hours("20260302:0930-20260302:1600", "America/New_York")
    (summer,) = parse_hours("20260309:0930-20260309:1600", "America/New_York")
    assert winter.open_ns == utc(2026, 3, 2, 14, 30)
    assert summer.open_ns == utc(2026, 3, 9, 13, 30)


@pytest.mark.parametrize(
    "text", ["2026:0930-20261127:1300", "20261127:0930", "20261127:1600-20261127:0930", "x"]
)
def test_unreadable_hours_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        parse_hours(text, "US/Eastern")


def test_unknown_zone_is_named() -> None:
    with pytest.raises(ValueError, match="Mars/Base"):
        parse_hours("20261127:0930-20261127:1300", "Mars/Base")


def test_session_at_gives_the_present_or_the_next() -> None:
    one, two = Session(10, 20), Session(30, 40)
    assert session_at((one, two), 19) is one
    assert session_at((one, two), 20) is two
    assert session_at((one, two), 40) is None
    assert one.holds(10)
    assert not one.holds(20)
