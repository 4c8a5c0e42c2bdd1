"""Each example is played as its reader plays it: the commands at its top, against a `tws sim` of its own."""

from __future__ import annotations

import re

from tests.examples.stage import Process, Stage


def test_connect(stage: Stage) -> None:
    said = stage.play("01_connect.py").end()
    assert re.search(r"TWS time +\d{4}-\d\d-\d\d", said)
    assert re.search(r"accounts +DU1234567\nnext order +\d+$", said.strip())


def test_market_data(stage: Stage) -> None:
    said = stage.play("02_market_data.py").end()
    assert re.search(r"^SPY [\d.]+ to [\d.]+, live data$", said, re.MULTILINE)
    assert [said.count(f"\n{kind} ") for kind in ("quote", "past", "live")] == [3, 3, 1]


def test_one_order(stage: Stage) -> None:
    said = stage.play("03_one_order.py").end()
    assert "500 shares: max_order_quantity: too many shares in one order (asked 500, bound 200)" in said
    assert re.search(r"^100 shares: filled 100 at [\d.]+$", said, re.MULTILINE)
    assert re.search(r"^at the broker: SELL 100 LMT [\d.]+ Submitted$", said, re.MULTILINE)
    assert re.search(r"^at the broker: SELL 100 STP [\d.]+ PreSubmitted$", said, re.MULTILINE)
    assert said.endswith("flat: True\n")


def test_opening_range_breakout(stage: Stage) -> None:
    trader = stage.play("06_opening_range_breakout.py")
    symbol = trader.until(r"^(\w+) closed at [\d.]+, beyond [\d.]+ to [\d.]+: (BUY|SHORT)$")[1]
    trader.until(rf"^{symbol} entry: [+-]\d+ at [\d.]+$")
    flat(trader)


def flat(trader: Process) -> str:
    """Ctrl-C ends a run orderly: all that is ours is closed, and the report says so."""
    trader.press_ctrl_c()
    said = trader.end()
    assert "left        nothing: flat" in said
    assert "reconciled  our books and the broker's agree" in said
    return said
