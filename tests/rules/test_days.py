"""Executions per day: the trading day is the session's, and rolls over with its last close."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from tests.rules.test_engine import BAR, ZONES, fired, held, rule
from tests.rules.values import NOON

from tws.clock import NS_PER_S, to_ns
from tws.model.session import Session, parse_hours, session_at
from tws.rules import Alert, BarEnded, Barrier, Engine, Given

HOUR = 3600 * NS_PER_S
TODAY = Session(NOON - 5 * HOUR // 2, NOON + 4 * HOUR)  # 09:30 to 16:00 in New York
TOMORROW = Session(TODAY.open_ns + 24 * HOUR, TODAY.close_ns + 24 * HOUR)


def test_executions_are_counted_by_the_session() -> None:
    """What fires after the close counts for the day that comes."""
    engine = Engine([rule("twice", per_day=2)])
    today, after = (Given(zones=ZONES, sessions=dict.fromkeys(ZONES, each)) for each in (TODAY, TOMORROW))
    assert fired(engine.evaluate(BAR, today, NOON)) == ["twice"]
    assert fired(engine.evaluate(BAR, today, NOON + HOUR)) == ["twice"]
    assert held(engine.evaluate(BAR, today, TODAY.close_ns - 1)) == [("twice", Barrier.PER_DAY)]
    assert "executions per day, 2 of 2" in engine.explain("twice").explain()  # type: ignore[union-attr]
    assert fired(engine.evaluate(BarEnded("QQQ"), today, NOON)) == ["twice"], "a count is a symbol's"
    assert fired(engine.evaluate(BAR, after, TODAY.close_ns)) == ["twice"]
    assert fired(engine.evaluate(BAR, after, TOMORROW.open_ns)) == ["twice"]
    assert held(engine.evaluate(BAR, after, TOMORROW.close_ns - 1)) == [("twice", Barrier.PER_DAY)]


HOURS = {
    "over midnight UTC": (
        "20261122:1700-20261123:1600;20261123:1700-20261124:1600", "America/Chicago",
        ["22 17:00", "22 23:59", "23 00:01", "23 15:59", "| 23 16:00", "23 17:00", "24 15:59"],
    ),
    "a break at noon": (
        "20261123:0930-20261123:1200,20261123:1300-20261123:1600;20261124:0930-20261124:1600",
        "Asia/Hong_Kong", ["23 11:00", "23 12:30", "23 15:00", "| 23 16:00", "24 09:30"],
    ),
    "an early close and a holiday": (
        "20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-20261127:1300;20261130:0930-20261130:1600",
        "America/New_York", ["25 15:59", "| 26 12:00", "27 12:59", "| 27 13:00", "28 12:00", "30 10:00"],
    ),
    "around the clock": (
        "20261123:0000-20261124:0000;20261124:0000-20261125:0000", "America/New_York",
        ["23 00:00", "23 23:59", "| 24 00:00", "24 23:59"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOURS)
def test_the_trading_day_rolls_over_with_the_close_of_the_last_session(case: str) -> None:
    """It fires once a day: `|` stands before the first moment of a new one."""
    text, zone, moments = HOURS[case]
    engine, sessions = Engine([rule("once", per_day=1)]), parse_hours(text, zone)
    for number, moment in enumerate(moments):
        at = datetime.strptime(moment.lstrip("| "), "%d %H:%M").replace(2026, 11, tzinfo=ZoneInfo(zone))
        session = session_at(sessions, to_ns(at))
        assert session is not None
        known = Given(zones={"SPY": zone}, sessions={"SPY": session})
        first = number == 0 or moment.startswith("|")
        assert fired(engine.evaluate(BAR, known, to_ns(at))) == ["once"] * first, moment


def test_a_day_that_is_not_known_holds_a_counted_rule_back() -> None:
    engine = Engine([rule("once", per_day=1), rule("free", Alert("x"))])
    for unknown in (Given(), Given(zones=ZONES), Given(sessions={"SPY": TODAY})):
        decisions = engine.evaluate(BAR, unknown, NOON)
        assert (fired(decisions), held(decisions)) == (["free"], [("once", Barrier.NO_DAY)])
    wrong = engine.evaluate(BAR, Given(zones={"SPY": "Mars/Olympus"}, sessions={"SPY": TODAY}), NOON)
    assert [(each.rule, each.count) for each in wrong.failed] == [("once", 1)]
    assert "Mars/Olympus" in wrong.failed[0].reason
