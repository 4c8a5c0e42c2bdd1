"""When a link is asked, when it is dead, and what the clocks say of this machine; pure, on given times."""

from __future__ import annotations

from tws.clock import NS_PER_S
from tws.connection.keeping.vitals import ASLEEP_S, AWAY_S, LATE_S, Beat, Sleep, Vitals

WALL_NS = 1_760_103_000 * NS_PER_S


def vitals() -> Vitals:
    made = Vitals(10.0, 5.0)
    made.begin(100.0)
    return made


def test_silence_is_asked_about_and_then_fatal() -> None:
    one = vitals()
    assert one.look(109.9, 100.0, False) is Beat.FINE
    assert one.due_s is None
    assert one.look(110.0, 100.0, False) is Beat.ASK
    assert one.due_s == 115.0
    assert one.look(114.9, 100.0, False) is Beat.FINE
    assert one.look(115.0, 100.0, False) is Beat.DEAD


def test_any_byte_is_a_sign_of_life() -> None:
    one = vitals()
    assert one.look(110.0, 100.0, False) is Beat.ASK
    assert one.look(116.0, 114.0, False) is Beat.FINE
    assert one.due_s is None
    assert one.look(124.0, 114.0, False) is Beat.ASK


def test_while_nothing_is_read_silence_proves_nothing() -> None:
    one = vitals()
    assert one.look(110.0, 100.0, False) is Beat.ASK
    for moment in range(111, 400):
        assert one.look(float(moment), 100.0, True) is Beat.FINE
    assert one.look(400.0, 100.0, False) is Beat.FINE, "it is counted from the end of the pause"
    assert one.look(409.0, 100.0, False) is Beat.ASK


def test_a_session_begins_with_a_clean_slate() -> None:
    one = vitals()
    one.look(110.0, 100.0, False)
    one.begin(114.0)
    assert one.due_s is None
    assert one.look(120.0, 114.0, False) is Beat.FINE


def test_a_link_in_doubt_is_due_at_once() -> None:
    one = vitals()
    one.ask_at_once(103.0)
    assert one.look(107.9, 100.0, False) is Beat.FINE
    assert one.look(108.0, 100.0, False) is Beat.DEAD


def clocks(passed_s: float, jump_s: float) -> tuple[Sleep, float]:
    one = vitals()
    assert one.slept(100.0, WALL_NS) == (Sleep.AWAKE, 0.0)
    return one.slept(100.0 + passed_s, WALL_NS + round((passed_s + jump_s) * NS_PER_S))


def test_what_the_clocks_say() -> None:
    assert clocks(1.0, 0.0)[0] is Sleep.AWAKE
    assert clocks(1.0, ASLEEP_S - 0.1)[0] is Sleep.AWAKE, "a time server's step is no sleep"
    assert clocks(1.0, ASLEEP_S) == (Sleep.ASLEEP, ASLEEP_S)
    assert clocks(1.0, -ASLEEP_S) == (Sleep.BACK, ASLEEP_S)
    assert clocks(LATE_S, 0.0) == (Sleep.HELD, LATE_S)
    assert clocks(AWAY_S, 0.0) == (Sleep.AWAY, AWAY_S), "a sleep in which the monotonic clock went on"
    assert clocks(2 * AWAY_S, 3600.0) == (Sleep.ASLEEP, 3600.0)


def test_a_jump_beside_the_begin_of_a_session_is_seen() -> None:
    one = vitals()
    one.slept(100.0, WALL_NS)
    one.begin(100.5)
    assert one.slept(101.0, WALL_NS + 3600 * NS_PER_S)[0] is Sleep.ASLEEP


def test_while_nobody_looks_no_time_is_missed() -> None:
    one = vitals()
    one.slept(100.0, WALL_NS)
    one.rest()
    assert one.slept(9999.0, WALL_NS) == (Sleep.AWAKE, 0.0)
