"""The planned absences of TWS and the broker through summer time, and how loud the unplanned are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.clock import NS_PER_S
from tws.config import MaintenanceSection
from tws.connection.keeping.calendar import REGIONS, Calendar, Event, Kind, Maintenance, Severity, describe
from tws.errors import ConfigError

MINUTE = 60 * NS_PER_S
NEW_YORK = "America/New_York"
PLAIN = Calendar(Maintenance())
RESTARTED = Calendar(Maintenance(auto_restart="23:45", auto_restart_zone=NEW_YORK))
INSTANTS = st.integers(1_704_067_200, 1_893_456_000).map(lambda at_s: at_s * NS_PER_S)  # 2024 to 2029
CALENDARS = st.sampled_from(
    [
        PLAIN,
        RESTARTED,
        Calendar(Maintenance(region="europe")),
        Calendar(Maintenance(resets=(), weekend=())),
        Calendar(Maintenance(region="asia", auto_restart="02:30", auto_restart_zone="Europe/Berlin")),
        Calendar(Maintenance(resets=(), weekend=(), auto_restart="01:30", auto_restart_zone=NEW_YORK)),
    ]
)


def ns(local: str, zone: str = NEW_YORK) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp()) * NS_PER_S


def local(at_ns: int, zone: str = NEW_YORK) -> str:
    return f"{datetime.fromtimestamp(at_ns // NS_PER_S, ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"


def walk(calendar: Calendar, begin_ns: int, end_ns: int) -> Iterator[Event]:
    event = calendar.next_event(begin_ns)
    while event is not None and event.begins_ns < end_ns:
        yield event
        event = calendar.next_event(event.begins_ns)


def test_a_week_in_new_york() -> None:
    week = walk(RESTARTED, ns("2026-11-27T12:00"), ns("2026-11-30T12:00"))
    assert [(event.kind, local(event.begins_ns), local(event.ends_ns)) for event in week] == [
        (Kind.WEEKEND, "Fri 2026-11-27 23:00 EST", "Sat 2026-11-28 03:00 EST"),
        (Kind.RESTART, "Fri 2026-11-27 23:45 EST", "Fri 2026-11-27 23:55 EST"),
        (Kind.RESTART, "Sat 2026-11-28 23:45 EST", "Sat 2026-11-28 23:55 EST"),
        (Kind.RESET, "Sun 2026-11-29 00:15 EST", "Sun 2026-11-29 01:45 EST"),
        # Sunday's restart is the first after 01:00: it asks for the login.
        (Kind.LOGIN, "Sun 2026-11-29 23:45 EST", "Mon 2026-11-30 00:15 EST"),
        (Kind.RESET, "Mon 2026-11-30 00:15 EST", "Mon 2026-11-30 01:45 EST"),
    ]


@pytest.mark.parametrize(
    ("restart", "zone", "asked"),
    [
        (None, "", "Sun 2026-11-29 01:00 EST"),
        ("01:00", NEW_YORK, "Sun 2026-11-29 01:00 EST"),
        ("00:59", NEW_YORK, "Mon 2026-11-30 00:59 EST"),
        ("06:30", "Europe/Berlin", "Mon 2026-11-30 00:30 EST"),  # half an hour too early on Sunday
        ("07:00", "Europe/Berlin", "Sun 2026-11-29 01:00 EST"),
    ],
)
def test_the_login_is_asked_for_at_the_first_restart_after_sunday_one_o_clock(
    restart: str | None, zone: str, asked: str
) -> None:
    calendar = Calendar(Maintenance(auto_restart=restart, auto_restart_zone=zone))
    logins = [
        event
        for event in walk(calendar, ns("2026-11-28T00:00"), ns("2026-12-04T00:00"))
        if event.kind is Kind.LOGIN
    ]
    assert [local(event.begins_ns) for event in logins] == [asked]


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("year", [2026, 2027])
def test_the_hours_of_the_clock_stay_through_the_weeks_of_summer_time(region: str, year: int) -> None:
    calendar = Calendar(Maintenance(region=region, weekly_login="never"))
    events = list(walk(calendar, ns(f"{year}-01-01T12:00"), ns(f"{year + 1}-01-01T12:00")))
    resets = [event for event in events if event.kind is Kind.RESET]
    stated = {text.split(" ", 2)[1] for text in REGIONS[region]}
    seen = {
        "-".join(
            f"{datetime.fromtimestamp(at // NS_PER_S, ZoneInfo(event.zone)):%H:%M}"
            for at in (event.begins_ns, event.ends_ns)
        )
        for event in resets
    }
    assert seen == stated
    # 365 days without the Saturdays, each as often as the region has windows.
    assert len(resets) in (len(stated) * 313, len(stated) * 312)
    assert {local(event.begins_ns)[:3] for event in events if event.kind is Kind.WEEKEND} == {"Fri"}
    assert len([event for event in events if event.kind is Kind.WEEKEND]) in (52, 53)


def test_the_night_of_the_longer_hour_lasts_longer_and_that_of_the_shorter_less() -> None:
    lengths = {}
    for day in ("2026-11-01", "2026-11-02", "2027-03-14"):
        event = PLAIN.during(ns(f"{day}T00:30"))
        assert event is not None and event.kind is Kind.RESET
        lengths[day] = (event.ends_ns - event.begins_ns) // MINUTE
    # On November 1 the clocks show 01:45 twice, and the window lasts until the second.
    assert lengths == {"2026-11-01": 150, "2026-11-02": 90, "2027-03-14": 90}


def test_an_hour_that_the_clocks_skip_or_repeat_is_read_both_ways() -> None:
    calendar = Calendar(
        Maintenance(
            resets=("Sun-Sat 02:30-02:45 America/New_York",),
            weekend=(),
            weekly_login="never",
            auto_restart="02:30",
            auto_restart_zone="Europe/Berlin",
        )
    )
    reset = [
        event
        for event in walk(calendar, ns("2027-03-14T00:00"), ns("2027-03-14T12:00"))
        if event.kind is Kind.RESET
    ]
    assert [(local(event.begins_ns), local(event.ends_ns)) for event in reset] == [
        ("Sun 2027-03-14 01:30 EST", "Sun 2027-03-14 03:45 EDT")
    ]
    twice = [
        event
        for event in walk(
            calendar, ns("2026-10-25T00:00", "Europe/Berlin"), ns("2026-10-25T12:00", "Europe/Berlin")
        )
        if event.kind is Kind.RESTART
    ]
    assert [(event.ends_ns - event.begins_ns) // MINUTE for event in twice] == [70]


@given(CALENDARS, INSTANTS)
def test_what_comes_next_comes_later_and_nothing_is_passed_over(calendar: Calendar, now_ns: int) -> None:
    event = calendar.next_event(now_ns)
    assert event is not None and now_ns < event.begins_ns < event.ends_ns
    assert event.begins_ns - now_ns <= timedelta(days=7, hours=1) // timedelta(seconds=1) * NS_PER_S
    # Whatever is on a moment before it begins was on already at `now`.
    on = calendar.during(event.begins_ns - NS_PER_S)
    assert on is None or on.begins_ns <= now_ns
    begun = calendar.during(event.begins_ns)
    assert begun is not None and begun.begins_ns <= event.begins_ns < begun.ends_ns


@given(CALENDARS, INSTANTS, st.lists(st.integers(0, 3 * 24 * 60), min_size=2, max_size=8))
def test_an_outage_only_grows_louder_and_is_never_forgotten(
    calendar: Calendar, began_ns: int, minutes: list[int]
) -> None:
    alarms = [
        (began_ns + each * MINUTE, calendar.alarm_level(began_ns, began_ns + each * MINUTE))
        for each in sorted(minutes)
    ]
    for at_ns, alarm in alarms:
        assert alarm.again_ns > at_ns  # somebody will look again,
        assert alarm.again_ns <= max(alarm.due_ns, at_ns + 15 * MINUTE)  # and soon, once it is late
        assert (alarm.severity is Severity.CRITICAL) is (at_ns >= alarm.due_ns + 15 * MINUTE)
        assert alarm.text
    for (_, sooner), (_, later) in pairwise(alarms):
        assert sooner.severity <= later.severity
        assert sooner.due_ns == later.due_ns


def test_a_reset_is_explained_and_then_it_is_not() -> None:
    began = ns("2026-11-25T00:20")
    said = [PLAIN.alarm_level(began, began + minutes * MINUTE) for minutes in (0, 84, 85, 87, 100)]
    assert [alarm.severity.name for alarm in said] == ["EXPECTED", "EXPECTED", "WARNING", "ALARM", "CRITICAL"]
    assert said[0].text == "expected until 01:45 New York: nightly reset of the broker's servers"
    assert (
        said[4].text
        == "should be over since 01:45 New York (15 minutes): nightly reset of the broker's servers"
    )
    assert [(alarm.again_ns - began) // MINUTE for alarm in said] == [85, 85, 87, 100, 115]


def test_a_window_that_opens_later_excuses_nothing() -> None:
    began = ns("2026-11-24T23:00")
    during = PLAIN.alarm_level(began, ns("2026-11-25T00:30"))
    assert (during.severity, during.event) == (Severity.CRITICAL, None)
    assert during.text == "no link for 90 minutes, and no planned event explains it"


def test_a_minute_before_its_hour_an_outage_belongs_to_the_window() -> None:
    assert (
        PLAIN.alarm_level(ns("2026-11-25T00:14:30"), ns("2026-11-25T00:14:40")).severity is Severity.EXPECTED
    )
    assert (
        PLAIN.alarm_level(ns("2026-11-25T00:13:30"), ns("2026-11-25T00:13:40")).severity is Severity.WARNING
    )


def test_what_follows_without_a_gap_explains_too() -> None:
    calendar = Calendar(Maintenance(auto_restart="01:40", auto_restart_zone=NEW_YORK))
    alarm = calendar.alarm_level(ns("2026-11-25T01:00"), ns("2026-11-25T01:48"))
    assert alarm.severity is Severity.EXPECTED
    assert alarm.text == (
        "expected until 01:50 New York: nightly reset of the broker's servers, then daily restart of TWS"
    )


def test_a_login_that_nobody_confirms_is_a_warning_at_once_and_critical_within_the_hour() -> None:
    began = ns("2026-11-29T23:45:20")
    said = [
        RESTARTED.alarm_level(began, began + minutes * MINUTE) for minutes in (0, 31, 33, 45, 60, 3 * 24 * 60)
    ]
    # The reset that begins when the half hour is over does not excuse it.
    assert [alarm.severity.name for alarm in said] == [
        "WARNING",
        "WARNING",
        "ALARM",
        "CRITICAL",
        "CRITICAL",
        "CRITICAL",
    ]
    assert all(alarm.event is not None and alarm.event.kind is Kind.LOGIN for alarm in said)
    assert "which somebody must confirm" in said[0].text


def test_an_outage_that_lasts_into_the_login_names_it() -> None:
    alarm = RESTARTED.alarm_level(ns("2026-11-27T23:10"), ns("2026-11-30T09:00"))
    assert alarm.severity is Severity.CRITICAL
    assert alarm.text == (
        "should be over since Sat 03:00 New York (2 days): weekend maintenance of the broker's servers; "
        "since Sun 23:45 New York also: weekly login of TWS, which somebody must confirm"
    )


def test_a_clock_that_was_set_back_is_no_error() -> None:
    began = ns("2026-11-25T14:00")
    assert PLAIN.alarm_level(began, began - 5 * MINUTE).severity is Severity.WARNING


def test_an_event_is_described_before_during_and_after() -> None:
    event = RESTARTED.next_event(ns("2026-11-25T12:00"))
    assert event is not None
    at = event.begins_ns
    assert [describe(event, at + minutes * MINUTE) for minutes in (-15, -1, 0, 20)] == [
        "in 15 minutes, at 23:45 New York: daily restart of TWS",
        "in 1 minute, at 23:45 New York: daily restart of TWS",
        "expected until 23:55 New York: daily restart of TWS",
        "should be over since Wed 23:55 New York (10 minutes): daily restart of TWS",
    ]


def test_all_can_be_switched_off() -> None:
    calendar = Calendar(Maintenance(resets=(), weekend=(), weekly_login="never"))
    now = ns("2026-11-29T00:30")
    assert (calendar.next_event(now), calendar.during(now)) == (None, None)
    assert calendar.alarm_level(now, now + 20 * MINUTE).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("region", {"region": "antarctica"}),
        ("auto_restart", {"auto_restart": "24:00", "auto_restart_zone": NEW_YORK}),
        ("auto_restart", {"auto_restart": "9:5", "auto_restart_zone": NEW_YORK}),
        ("auto_restart_zone", {"auto_restart": "23:45"}),
        ("auto_restart_zone", {"auto_restart": "23:45", "auto_restart_zone": "Mars/Olympus"}),
        ("auto_restart_zone", {"auto_restart": "23:45", "auto_restart_zone": "../etc/passwd"}),
        ("weekly_login", {"weekly_login": "Sunday 01:00"}),
        ("weekly_login", {"weekly_login": "Sun"}),
        ("resets", {"resets": ("daily 23:45-00:45 America/New_York",)}),
        ("resets", {"resets": ("Sun-Fri 23:45-23:45 America/New_York",)}),
        ("resets", {"resets": ("Sun-Fri 23:45-00:60 America/New_York",)}),
        ("weekend", {"weekend": ("Fri 23:00-03:00 New York",)}),
        ("announce_minutes", {"announce_minutes": -1}),
    ],
)
def test_a_wrong_setting_names_field_value_and_cure(field: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        Maintenance(**wrong)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert caught.value.cure


def test_a_configuration_names_the_same_settings() -> None:
    assert set(MaintenanceSection.model_fields) == set(Maintenance.__struct_fields__)
    plain = MaintenanceSection(region="asia", auto_restart="02:30", auto_restart_zone="Asia/Tokyo").chosen()
    assert Maintenance(**plain) == Maintenance(
        region="asia", auto_restart="02:30", auto_restart_zone="Asia/Tokyo"
    )
