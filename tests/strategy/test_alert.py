"""Alerts into signals: what a template fills in, what it leaves, and whatever else may be posted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.clock import NS_PER_S
from tws.model.signal import Signal, Wish
from tws.strategy import Reason, Refusal
from tws.strategy.alert import AlertMap, alert_from

NOW = 1_800_000_000 * NS_PER_S
GOOD: dict[str, Any] = {"ticker": "AAPL", "action": "buy", "price": 190.5, "time": "2027-01-15T08:00:00Z"}


def heard(**fields: Any) -> Signal | Refusal:
    return alert_from(GOOD | fields, AlertMap(), NOW)


def test_a_whole_alert() -> None:
    signal = heard()
    assert signal == Signal(
        signal_id="AAPL:buy:2027-01-15T08:00:00Z", symbol="AAPL", wish=Wish.BUY, time_ns=NOW, price=190.5
    )


@pytest.mark.parametrize(
    ("action", "wish"),
    [("buy", Wish.BUY), ("LONG", Wish.BUY), (" Sell ", Wish.SELL), ("short", Wish.SHORT),
     ("exit", Wish.CLOSE), ("flat", Wish.CLOSE), ("hold", Wish.NEUTRAL)],
)  # fmt: skip
def test_the_usual_words(action: str, wish: Wish) -> None:
    signal = heard(action=action)
    assert isinstance(signal, Signal) and signal.wish is wish


@pytest.mark.parametrize("when", [1_800_000_000, "1800000000", 1_800_000_000_000, "1800000000000", 1.8e9])
def test_epochs_in_seconds_and_milliseconds(when: object) -> None:
    signal = heard(time=when)
    assert isinstance(signal, Signal) and signal.time_ns == NOW


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("ticker", None, "symbol is missing"),
        ("ticker", "NASDAQ:", "symbol"),
        ("action", "{{strategy.order.action}}", "wish"),
        ("action", None, "wish"),
        ("action", 1, "wish"),
        ("price", "{{close}}", "price"),
        ("price", "NaN", "price"),
        ("price", "1_0", "price"),
        ("price", [1], "price"),
        ("time", None, "time is missing"),
        ("time", "{{timenow}}", "time"),
        ("time", "2027-01-15T08:00:00", "zone"),
        ("time", True, "time"),
        ("confidence", "1.7", "confidence"),
        ("id", 7, "signal_id"),
    ],
)
def test_what_a_template_left_or_broke_is_named(field: str, value: object, word: str) -> None:
    refusal = heard(**{field: value})
    assert isinstance(refusal, Refusal) and refusal.reason is Reason.SCHEMA and word in refusal.text


junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text("a:{1.ä\n\ud800", max_size=6),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*GOOD, "confidence", "id", "model", "x"]), junk))
def test_nothing_that_is_posted_raises(raw: dict[str, Any]) -> None:
    found = alert_from(GOOD | raw, AlertMap(), NOW)
    if isinstance(found, Refusal):
        assert found.text and found.time_ns == NOW
    else:
        assert 0 <= found.confidence <= 1 and found.symbol
