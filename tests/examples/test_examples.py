"""Each example is played as its reader plays it: the commands at its top, against a `tws sim` of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.examples.reading import EXAMPLES, read
from tests.examples.stage import Process, Stage, free_port

from tws.preflight.file import check_file
from tws.preflight.line import Weight


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


def test_first_bot(stage: Stage) -> None:
    trader = stage.play("04_first_bot.py")
    stage.filled()
    assert re.search(r"^signals +1: 1 traded", flat(trader), re.MULTILINE)


def test_signals_of_a_polled_api(stage: Stage) -> None:
    stage.environ["API_KEY"] = "demo"
    trader = stage.play("05_signals.toml", speed="60")
    stage.filled()
    said = flat(trader)
    assert re.search(r"^signals +\d+: [1-9]\d* traded", said, re.MULTILINE)
    assert re.search(r"^ +api \(http\) running: \d+ signals", said, re.MULTILINE)


def test_opening_range_breakout(stage: Stage) -> None:
    trader = stage.play("06_opening_range_breakout.py", speed="60")
    symbol = trader.until(r"^(\w+) closed at [\d.]+, beyond [\d.]+ to [\d.]+: (BUY|SHORT)$")[1]
    trader.until(rf"^{symbol} entry: [+-]\d+ at [\d.]+$")
    flat(trader)


def test_a_pair_has_both_legs(stage: Stage) -> None:
    trader = stage.play("07_mean_reversion_pair.py", speed="60")
    dear, cheap = trader.until(r"^z [+-][\d.]+: sell (\w+), buy (\w+)$").groups()
    trader.until(rf"^{dear} entry: -\d+ at ")
    trader.until(rf"^{cheap} entry: \+\d+ at ")
    flat(trader)


def test_a_leg_whose_other_one_is_denied_is_closed(stage: Stage) -> None:
    config = stage.examples / "07_mean_reversion_pair.toml"
    config.write_text(config.read_text("utf-8").replace("# short_sales", "short_sales"), "utf-8")
    trader = stage.play("07_mean_reversion_pair.py", speed="60")
    cheap = trader.until(r"^z [+-][\d.]+: sell \w+, buy (\w+)$")[1]
    trader.until(rf"^{cheap} entry: \+\d+ at ")
    trader.until(rf"^{cheap} stands alone: its other leg was denied, or stopped out$")
    trader.until(rf"^{cheap} close: -\d+ at ")
    assert re.search(r"^signals .* [1-9]\d* short_sales", flat(trader), re.MULTILINE)


def test_covered_call(stage: Stage) -> None:
    said = stage.play("08_covered_call.py").end()
    price, strike = map(float, re.search(r"^SPY at (\S+); the call of \d{8} at (\S+)$", said, re.M).groups())
    assert price * 1.02 <= strike < price * 1.05
    assert re.search(r"^shares bought at [\d.]+\ncall sold at [\d.]+ a share\nheld\nflat: True$", said, re.M)


def test_an_assignment_of_the_call_is_told(stage: Stage) -> None:
    sim, own = read(EXAMPLES / "08_covered_call.py").arguments()
    stage.serve(sim)
    stage.start(["tws", "sim", "ctl", "play", "assignment", "every=300ms", "times=0"]).end()
    program = stage.start(own)
    program.until(r"^call sold at ")
    program.until(r"^differs: SPY .*C\d+: ours -1, the broker's 0")
    program.until(r"^differs: SPY: ours 100, the broker's 0")


def test_futures_trend(stage: Stage) -> None:
    trader = stage.play("09_futures_trend.py")
    trader.until(r"^front month ESZ6, last day 20261218, to be left by 2026-12-10$")
    trader.until(r"^one point of one contract is 50 USD, the tick 0.25$")
    count, price = trader.until(r"^ES entry: [+-](\d+) at ([\d.]+)$").groups()
    assert 1 <= int(count) <= 1_000_000 * 0.01 / (float(price) * 0.005 * 50) < 10, "sized by the multiplier"
    flat(trader)


def test_rules_in_text(stage: Stage) -> None:
    trader = stage.play("10_rules.toml")
    trader.until("^trading$")
    stage.start(["tws", "sim", "ctl", "play", "market-move", "percent=-1", "every=1m"]).end()
    stage.filled()
    assert re.search(r"^ +rule (follow|buy_the_dip): fired [1-9]", flat(trader), re.MULTILINE)


def test_rules_in_python(stage: Stage) -> None:
    trader = stage.play("11_rules.py")
    trader.until(r'^name = "oversold"$')
    trader.until(r"^(SPY|QQQ) entry: \+\d+ at [\d.]+$")
    said = flat(trader)
    assert re.search(r"^ +rule (enter|oversold): fired [1-9]", said, re.MULTILINE)


def test_full_desk(stage: Stage) -> None:
    stage.environ["WEBHOOK_TOKEN"] = "sixteen-signs-or-more"
    sim, run, post, _, kill = read(EXAMPLES / "12_full_desk.py").arguments()
    stage.serve(sim)
    stage.say("8765", free_port())
    trader = stage.start(run)
    trader.until("^trading$")
    assert stage.start(post).end().startswith("202 ")
    stage.filled()
    assert "FLAT" in stage.start(kill).end()
    trader.press_ctrl_c()
    said = trader.end(1)  # what was latched wants a human
    assert "latched     flattening on all: tws kill" in said and "left        nothing: flat" in said


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_nothing_is_wrong_in_a_configuration(path: Path, stage: Stage) -> None:
    (stage.examples / "04_signals.jsonl").touch()
    secrets = {"API_KEY": "demo", "WEBHOOK_TOKEN": "sixteen-signs-or-more"}
    checked = check_file(stage.examples / path.name, environ=secrets)
    assert checked.plan is not None
    wrong = [each for each in checked.lines if each.weight in (Weight.BLOCKER, Weight.WARNING)]
    assert not wrong


def flat(trader: Process) -> str:
    """Ctrl-C ends a run orderly: all that is ours is closed, and the report says so."""
    trader.press_ctrl_c()
    said = trader.end()
    assert "left        nothing: flat" in said
    assert "reconciled  our books and the broker's agree" in said
    return said
