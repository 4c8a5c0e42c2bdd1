"""Mappings from outside: good ones become signals, all others a refusal that names the field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tws.clock import NS_PER_S
from tws.model.signal import Signal, Wish
from tws.strategy import Reason, Refusal, signal_from

GOOD: dict[str, Any] = {
    "signal_id": "x1",
    "symbol": "spy",
    "wish": "buy",
    "time_ns": 5,
    "confidence": 0.7,
    "price": 10,
}


def test_a_whole_mapping_becomes_a_signal() -> None:
    expected = Signal(signal_id="x1", symbol="SPY", wish=Wish.BUY, time_ns=5, confidence=0.7, price=10.0)
    assert signal_from({**GOOD, "foreign": [1, 2]}, 0) == expected


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-23T14:30:00Z", 1_795_444_200 * NS_PER_S),
        ("2026-11-23T09:30:00-05:00", 1_795_444_200 * NS_PER_S),
        (1_795_444_200, 1_795_444_200 * NS_PER_S),
        (1_795_444_200.25, 1_795_444_200 * NS_PER_S + 250_000_000),
    ],
)
def test_times_in_the_forms_that_senders_use(time: object, expected: int) -> None:
    raw = {"id": "x", "ticker": "SPY", "signal": "SHORT", "time": time}
    found = signal_from(raw, 0)
    assert isinstance(found, Signal) and found.time_ns == expected and found.wish is Wish.SHORT


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"signal_id": None}, "signal_id"),
        ({"signal_id": " "}, "signal_id"),
        ({"signal_id": 5}, "signal_id"),
        ({"signal_id": "x" * 200}, "signal_id"),
        ({"symbol": "A\nB"}, "symbol"),
        ({"wish": "HODL"}, "wish"),
        ({"time_ns": None}, "time"),
        ({"time_ns": 1.5}, "time_ns"),
        ({"time_ns": True}, "time_ns"),
        ({"time_ns": -1}, "time_ns"),
        ({"time_ns": None, "time": "2026-11-23T14:30:00"}, "zone"),
        ({"time_ns": None, "time": "yesterday"}, "time"),
        ({"time_ns": None, "time": 1e300}, "time"),
        ({"confidence": 1.01}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"confidence": "0.9"}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"price": -1}, "price"),
        ({"price": 10**400}, "price"),
        ({"model": 7}, "model"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], word: str) -> None:
    refusal = signal_from({**GOOD, **change}, 99)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.time_ns) == (Reason.SCHEMA, 99)
    assert word in refusal.text


junk = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from([*GOOD, "time", "model", "id", "ticker", "signal"]), junk))
def test_nothing_that_is_sent_raises(raw: dict[str, Any]) -> None:
    assert isinstance(signal_from(raw, 1), Signal | Refusal)
