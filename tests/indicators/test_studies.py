"""The indicators of one instrument: asked for in words, fed one bar at a time, saved and restored."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from msgspec.structs import replace
from tests.indicators.series import bar, bars_of, walk

from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.indicators import KINDS, Ema, Studies
from tws.model.session import Session

EVERYTHING = [f"{name}.{output}" for name, kind in KINDS.items() for output in kind.outputs or ("",)]
EVERYTHING = [text.rstrip(".") for text in EVERYTHING]


def test_each_is_there_once_in_whatever_writing() -> None:
    studies = Studies(["ema", "ema(20)", "EMA( 20 )", "macd.signal", "macd(12,26,9)"])
    assert studies.names == ("ema(20)", "macd(12, 26, 9)")
    assert studies.warm_up == 34 and not studies.ready
    ema, before = Ema(20), None
    for each in bars_of(walk(40)):
        before = ema.value
        ema.update(each.close)
        assert studies.update(each)
    assert studies.value("ema") == studies.value("EMA( 20 )") == ema.value
    assert studies.previous("ema") == before
    assert studies.ready and studies.taken == 40
    with pytest.raises(KeyError):
        studies.value("sma(20)")
    with pytest.raises(ConfigError):
        studies.add("smma(20)")


def test_a_bar_that_is_not_sound_reaches_no_indicator() -> None:
    studies = Studies(EVERYTHING)
    bars = bars_of(walk(60))
    for each in bars[:50]:
        studies.update(each)
    before = msgspec.json.encode(studies.save())
    late = bars[50]
    for reason, wrong in [
        ("twice", bars[49]),
        ("out of order", bars[10]),
        ("still running", replace(late, is_final=False)),
        ("other length", replace(late, seconds=5)),
        ("unsound", replace(late, close=math.nan)),
        ("unsound", replace(late, open=math.inf)),
        ("unsound", replace(late, wap=math.nan)),
        ("unsound", replace(late, volume=-1.0)),
        ("unsound", replace(late, close=late.high + 1)),
        ("unsound", bar(1, -40, -37.63, at=50)),
    ]:
        seen = studies.refused[reason]
        assert not studies.update(wrong)
        assert studies.refused[reason] == seen + 1 and str(wrong.time) in studies.refusal
    assert msgspec.json.encode(studies.save()) == before
    assert studies.update(late) and studies.taken == 51


def test_prices_below_nothing_are_fine_where_no_logarithm_is_taken() -> None:
    studies = Studies(["sma(1)"])
    assert studies.update(bar(1, -40, -37.63))
    assert studies.value("sma(1)") == -37.63


def test_a_session_begins_the_vwap_anew_and_nothing_else() -> None:
    studies = Studies(["vwap", "sma(2)"])
    first, second = Session(0, 100), Session(1000, 1100)
    studies.on_session(first)
    studies.update(bar(10, 10, 10, at=0))
    studies.on_session(first)
    studies.update(bar(20, 20, 20, at=1))
    assert studies.value("vwap") == 15
    studies.on_session(second)
    assert studies.value("vwap") is None
    studies.update(bar(30, 30, 30, at=2))
    assert (studies.value("vwap"), studies.value("sma(2)")) == (30, 25)


def test_bars_of_the_day_before_may_come_after_a_session_was_told() -> None:
    """As when warming up: the VWAP is that of the session alone, a restart in between included."""
    studies = Studies(["vwap"], keep=2)
    studies.on_session(Session(20 * NS_PER_S, 10**12))
    studies.update(bar(10, 10, 10, at=0))
    studies.update(bar(20, 20, 20, at=1))
    again = Studies(["vwap"], keep=2)
    again.restore(json.loads(msgspec.json.encode(studies.save())))
    for each in (studies, again):
        assert each.value("vwap") == 15
        each.update(bar(30, 30, 30, at=2))
        each.update(bar(50, 50, 50, at=3))
        assert each.value("vwap") == 40
        assert [kept.close for back in range(3) if (kept := each.bar(back)) is not None] == [50, 30]


def test_gaps_are_counted() -> None:
    studies = Studies(["sma(1)"])
    studies.update(bar(1, 1, 1, at=0))
    studies.update(replace(bar(1, 1, 1, at=5), gap=4))
    assert studies.gaps == 1


@pytest.mark.parametrize("cut", [0, 1, 20, 47])
def test_a_restart_goes_on_to_the_bit(cut: int) -> None:
    bars = bars_of(walk(100))
    one, other = Studies(EVERYTHING), Studies(EVERYTHING)
    one.on_session(Session(7, 8))
    for each in bars[:cut]:
        one.update(each)
    assert other.restore(json.loads(msgspec.json.encode(one.save()))) == ()
    for each in bars[cut:]:
        for text in EVERYTHING:
            assert other.value(text) == one.value(text)
            assert other.previous(text) == one.previous(text)
        assert other.update(each) and one.update(each)
        other.on_session(Session(7, 8))  # it knows that this one has begun
    assert other.value("vwap") == one.value("vwap")


def test_an_indicator_that_was_not_saved_begins_anew_and_is_named() -> None:
    one = Studies(["ema(3)", "sma(3)"])
    for each in bars_of(walk(10)):
        one.update(each)
    other = Studies(["ema(3)", "rsi(3)"])
    assert other.restore(one.save()) == ("rsi(3)",)
    assert other.value("ema(3)") == one.value("ema(3)") and other.value("rsi(3)") is None
    assert not other.update(bars_of(walk(10))[9])  # known already


NONE_OF_OURS = {"last_ns": 1, "seconds": 2, "session_ns": 3, "is_before": False, "bars": [], "studies": 4}
NO_EMA = {**NONE_OF_OURS, "studies": {"ema(3)": {"state": [], "before": None}}}


@pytest.mark.parametrize("wrong", [{}, {"last_ns": 1}, NONE_OF_OURS, NO_EMA])
def test_what_is_no_state_changes_nothing(wrong: dict[str, object]) -> None:
    studies = Studies(["ema(3)"])
    for each in bars_of(walk(5)):
        studies.update(each)
    before = studies.save()
    with pytest.raises(ValueError, match="state"):
        studies.restore(wrong)
    assert studies.save() == before
