"""Each example is played as its reader plays it: the commands at its top, against a `tws sim` of its own."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.examples.reading import EXAMPLES, read
from tests.examples.stage import Process, Stage, free_port

from tws.clock import NS_PER_S, to_ns
from tws.config.strategies import load_class
from tws.model.market import Bar
from tws.model.signal import Wish
from tws.preflight.file import check_file
from tws.preflight.line import Weight
from tws.strategy.playing import BarMade, Began, Player


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


@pytest.mark.parametrize(("day", "held", "wished"), [
    ("20261209", 3, []), ("20261209", 0, [Wish.BUY]), ("20261210", 3, [Wish.CLOSE]), ("20261210", 0, []),
])  # fmt: skip
def test_a_future_is_left_in_time(day: str, held: int, wished: list[Wish]) -> None:
    trend = load_class(EXAMPLES / "09_futures_trend.py", "Trend")("202612", "20261210", fast=1, slow=2)
    player = Player(trend)
    begin_ns = to_ns(datetime.strptime(f"{day} 15:00 +0000", "%Y%m%d %H:%M %z"))
    player.play(Began(begin_ns, {"ES": Decimal(held)}))
    heard = []
    for minute, close in enumerate((6000.0, 6001.0)):
        at_ns = begin_ns + minute * 60 * NS_PER_S
        bar = Bar(time_ns=at_ns, seconds=60, open=close, high=close, low=close, close=close, volume=1)
        heard = player.play(BarMade(at_ns + 60 * NS_PER_S, "ES", bar))
    assert [each.wish for each in heard] == wished


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


def test_every_order(stage: Stage) -> None:
    said = stage.play("14_every_order.py").end()
    assert "BUY 100 LMT PreSubmitted\n  algorithm Adaptive {'adaptivePriority': 'Patient'} when or\n" in said
    assert re.search(r"^BUY 100 LMT (Pre)?Submitted\n  shows 10$", said, re.MULTILINE)
    assert "SELL 100 STP PreSubmitted\n  becomes TRAIL by 2" in said
    assert "refused: display_size: 100 is not below the order's size 100 (TWS would answer 10020)" in said


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
