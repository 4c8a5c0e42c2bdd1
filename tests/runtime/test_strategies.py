"""Strategies in Python within a trader, over a real socket: told, isolated, restored, reckoned apart."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.runtime.scene import MarketClock, Scene, at_market, until

from tws.clock import NS_PER_S
from tws.config import load_settings
from tws.errors import ConfigError, DataError
from tws.model.market import Bar, Quote
from tws.model.order import Role
from tws.model.signal import Signal, Wish
from tws.runtime import Trader, TraderParts
from tws.runtime.fingerprint import settings_fingerprint
from tws.runtime.market import Markets
from tws.runtime.plan import plan_run
from tws.runtime.programs import with_program
from tws.runtime.run import Run
from tws.runtime.stage import StageBounds
from tws.runtime.strategies import WARM_BARS, Hosted, HostRules
from tws.runtime.strategystate import MOST_BYTES, StrategyState, read_state, state_file, write_state
from tws.strategy.base import Fill, Strategy

RULES = HostRules(bar_seconds=1, warm=False)


class Told(Strategy):
    """Notes what it is told; wishes BUY at each bar."""

    symbols = ("SPY",)

    def __init__(self, name: str = "told", symbol: str = "SPY") -> None:
        self.name, self.symbols = name, (symbol,)
        self.seen, self.fills, self.heard = list[Bar](), list[Fill](), list[Signal]()
        self.kept: list[Any] = []

    def on_start(self) -> None:
        self.kept.append(f"start {self.position(self.symbols[0])}")

    def on_bar(self, symbol: str, bar: Bar) -> Signal:
        self.seen.append(bar)
        return self.signal(symbol, Wish.BUY, confidence=0.7)

    def on_signal(self, signal: Signal) -> None:
        self.heard.append(signal)

    def on_fill(self, fill: Fill) -> None:
        self.fills.append(fill)
        self.kept.append(f"{fill.role} {fill.quantity}")

    def on_stop(self) -> None:
        self.kept.append("stop")

    def save(self) -> Any:
        return self.kept

    def restore(self, value: Any) -> None:
        self.kept = list(value)


class Driven:
    """Hosted strategies that are looked at as a run does."""

    def __init__(self, scene: Scene, trader: Trader, *hosted: Hosted) -> None:
        self.scene, self.trader, self.hosted = scene, trader, hosted
        self.signals: list[Signal] = []
        self.markets = Markets(trader, scene.folder / "bars")

    async def _drive(self) -> None:
        price = 100.0
        while True:
            price += 0.01
            self.scene.sim.trade("SPY", price, 1)
            self.scene.sim.trade("QQQ", price / 2, 1)
            now_ns = self.trader.clock.now_ns()
            self.markets.advance(now_ns)
            for each in self.hosted:
                self.signals += each.step(now_ns)
            await asyncio.sleep(0.02)

    async def __aenter__(self) -> Driven:
        for each in self.hosted:
            await each.open(self.trader, self.markets)
        self.markets.warming.start()
        self._task = asyncio.create_task(self._drive())
        await until(lambda: all(each.health().state != "warming up" for each in self.hosted), "the begin")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.markets.close()
        for each in self.hosted:
            await each.close()
            await each.close()


def owned(strategy: str, symbol: str = "SPY", price: float = 100.0) -> Any:
    return replace(at_market(symbol=symbol, price=price), strategy=strategy)


async def test_bars_of_the_market_become_signals(scene: Scene, tmp_path: Path) -> None:
    trader, strategy = await scene.started(), Told()
    async with Driven(scene, trader, Hosted(strategy, RULES, tmp_path)) as driven:
        await until(lambda: len(driven.signals) >= 2, "two signals")
        first = driven.signals[0]
        driven.hosted[0].hear(replace(first, model="another"))
        await until(lambda: strategy.heard, "on_signal")
        assert driven.hosted[0].health().state == "running"
    assert (first.symbol, first.wish, first.model, first.confidence) == ("SPY", Wish.BUY, "told", 0.7)
    assert len({signal.signal_id for signal in driven.signals}) == len(driven.signals)
    assert strategy.seen[0].volume > 0
    assert strategy.kept == ["start 0", "stop"]
    assert driven.hosted[0].health().state == "stopped"


async def test_ticks_come_merged_to_who_wants_them(scene: Scene, tmp_path: Path) -> None:
    class Watching(Told):
        def on_tick(self, symbol: str, quote: Quote) -> None:
            self.kept.append(quote.bid)

    trader, strategy = await scene.started(), Watching()
    async with Driven(scene, trader, Hosted(strategy, RULES, tmp_path)):
        scene.sim.quote("SPY", bid=98.5, ask=101.5)
        await until(lambda: 98.5 in strategy.kept, "the new bid")


async def test_fills_are_told_to_whom_they_belong(scene: Scene, tmp_path: Path) -> None:
    trader = await scene.started()
    spy, qqq = Told("one"), Told("two", "QQQ")
    hosted = Hosted(spy, RULES, tmp_path), Hosted(qqq, RULES, tmp_path)
    async with Driven(scene, trader, *hosted):
        await (await trader.submit(owned("one"))).entry_filled()
        await (await trader.submit(owned("two", "QQQ", 50.0))).entry_filled()
        await until(lambda: spy.fills and qqq.fills, "both fills")
        scene.sim.quote("SPY", bid=101.99, ask=102.01)
        assert await trader.flatten("SPY")
        await until(lambda: len(spy.fills) == 2, "the closing fill")
        book = trader.desk.state.ours
        (held,) = [each for each in book.holdings.values() if each.contract.symbol == "SPY"]
        await until(lambda: all(move.fee for move in held.fills.values()), "the fees")
        one, two = hosted[0].earned(), hosted[1].earned()
    assert [(each.role, each.quantity, each.position) for each in spy.fills] == [
        (Role.ENTRY, Decimal(10), Decimal(10)), (Role.CLOSE, Decimal(-10), Decimal(0)),
    ]  # fmt: skip
    assert [(each.symbol, each.position) for each in qqq.fills] == [("QQQ", Decimal(10))]
    assert [(each.symbol, each.quantity, each.fills) for each in one] == [("SPY", Decimal(0), 2)]
    assert [(each.symbol, each.quantity, each.realized) for each in two] == [("QQQ", Decimal(10), Decimal(0))]
    assert one[0].realized == book.net_pnl(held) > 0
    assert "realised SPY" in hosted[0].line() and "holds 10" in hosted[1].line()


async def test_one_that_raises_leaves_its_trade_protected(scene: Scene, tmp_path: Path) -> None:
    class Wrong(Told):
        def on_bar(self, symbol: str, bar: Bar) -> Signal:
            raise KeyError("nobody")

    trader = await scene.started()
    wrong, right = Wrong("wrong"), Told("right", "QQQ")
    rules = replace(RULES, bounds=StageBounds(max_errors=2))
    hosted = Hosted(wrong, rules, tmp_path), Hosted(right, RULES, tmp_path)
    async with Driven(scene, trader, *hosted) as driven:
        await (await trader.submit(owned("wrong"))).entry_filled()
        await until(lambda: hosted[0].disabled, "its end")
        before = len(driven.signals)
        await until(lambda: len(driven.signals) > before, "a signal of the other one")
        stops = [view for view in scene.sim.exchange.open_orders() if view.ticket.order_type == "STP"]
        assert [int(view.remaining) for view in stops] == [10]
    assert {signal.model for signal in driven.signals} == {"right"}
    assert "KeyError: 'nobody' (test_strategies.py, line " in hosted[0].health().state
    assert "stop" in right.kept and "stop" not in wrong.kept


async def test_what_was_filled_while_it_was_away_is_told_once(scene: Scene, tmp_path: Path) -> None:
    trader, first = await scene.started(), Told()
    async with Driven(scene, trader, Hosted(first, RULES, tmp_path)):
        await (await trader.submit(owned("told"))).entry_filled()
        await until(lambda: first.fills, "the entry")
    assert await trader.flatten("SPY")  # nobody told the strategy
    second = Told()
    async with Driven(scene, trader, Hosted(second, RULES, tmp_path)):
        await until(lambda: second.fills, "the close")
    assert second.kept == ["start 0", "entry 10", "stop", "start 0", "close -10", "stop"]
    assert [each.role for each in second.fills] == [Role.CLOSE]
    third = Told()
    async with Driven(scene, trader, Hosted(third, RULES, tmp_path)):
        pass
    assert third.fills == [] and third.kept[-2:] == ["start 0", "stop"]


async def test_a_first_start_hears_nothing_of_the_past(scene: Scene, tmp_path: Path) -> None:
    trader, strategy = await scene.started(), Told()
    await (await trader.submit(owned("told"))).entry_filled()
    async with Driven(scene, trader, Hosted(strategy, RULES, tmp_path)):
        pass
    assert strategy.kept == ["start 10", "stop"]


async def test_a_state_that_does_not_fit_ends_the_start(scene: Scene, tmp_path: Path) -> None:
    trader = await scene.started()
    path = state_file(tmp_path, "told")
    write_state(path, StrategyState(version=2, strategy="told", saved_ns=0, told=[], value=[]))
    with pytest.raises(DataError, match="version 2, the strategy's is 1; remove it"):
        await Hosted(Told(), RULES, tmp_path).open(trader, Markets(trader, tmp_path))
    path.write_bytes(b'{"version": 1')
    with pytest.raises(DataError, match="no state of a strategy"):
        await Hosted(Told(), RULES, tmp_path).open(trader, Markets(trader, tmp_path))


async def test_one_that_can_not_restore_does_not_trade(scene: Scene, tmp_path: Path) -> None:
    class Fussy(Told):
        def restore(self, value: Any) -> None:
            raise ValueError("another shape")

    trader, strategy = await scene.started(), Fussy()
    state = StrategyState(version=1, strategy="told", saved_ns=1, told=[], value=["old"])
    write_state(state_file(tmp_path, "told"), state)
    async with Driven(scene, trader, Hosted(strategy, RULES, tmp_path)) as driven:
        await until(lambda: driven.hosted[0].disabled, "its end")
    assert strategy.kept == [] and driven.signals == []
    assert read_state(state_file(tmp_path, "told"), 1) == state, "the state is still there"


@pytest.mark.parametrize("value", [object(), "x" * MOST_BYTES, [[]]])
def test_a_state_is_written_whole_or_not_at_all(tmp_path: Path, value: Any) -> None:
    path = state_file(tmp_path, "my strategy/1")
    good = StrategyState(version=1, strategy="a", saved_ns=5, told=["x"], value={"n": 1})
    write_state(path, good)
    with contextlib.suppress(ValueError):
        write_state(path, replace(good, value=value))
    assert read_state(path, 1) == (replace(good, value=value) if value == [[]] else good)
    assert [each.name for each in path.parent.iterdir()] == ["my_strategy_1.json"]


async def test_indicators_know_the_past(scene: Scene, tmp_path: Path) -> None:
    """Whatever of it the simulated TWS has: the bars that were traded before the strategy came."""
    pytest.importorskip("pyarrow")

    class Averaged(Told):
        studies = ("sma(2)",)

        def on_start(self) -> None:
            self.kept.append(len(self.bars("SPY", 100)))
            self.kept.append(self.sma("SPY", 2))

    trader = await scene.started()
    for number in range(WARM_BARS + 20):
        scene.sim.trade("SPY", 100 + number / 1000, 1)
        await scene.sim.set_clock(scene.sim.now_ns() + NS_PER_S)
    strategy = Averaged()
    rules = replace(RULES, warm=True)
    async with Driven(scene, trader, Hosted(strategy, rules, tmp_path)):
        await until(lambda: strategy.kept, "on_start")
    assert strategy.kept[0] >= WARM_BARS and 100 < strategy.kept[1] < 110


# -- in a run, from a file

MINE = """
from tws import Strategy, Wish

class Momentum(Strategy):
    symbols = ("SPY",)

    def __init__(self, confidence=0.6):
        self.confidence, self.fills = confidence, 0

    def on_bar(self, symbol, bar):
        if not self.position(symbol):
            yield self.signal(symbol, Wish.BUY, confidence=self.confidence)

    def on_fill(self, fill):
        self.fills += 1

    def save(self):
        return self.fills

    def restore(self, value):
        self.fills = value
"""
SECTION = """
[[strategies]]
kind = "python"
file = "my.py"
class = "Momentum"
bar_seconds = 1
shares = 10
stop_fraction = 0.02
target_fraction = 0.03
close_margin_s = 0
warm_up = false
"""


def configured(scene: Scene, tmp_path: Path, section: str = SECTION, code: str = MINE) -> Path:
    (tmp_path / "my.py").write_text(code, encoding="utf-8")
    path = tmp_path / "tws.toml"
    head = f"[connection]\nport = {scene.port}\n[risk]\nstale_quote_s = 3600\n"
    path.write_text(head + section, encoding="utf-8")
    return path


@contextlib.asynccontextmanager
async def trading(scene: Scene) -> AsyncIterator[None]:
    async def trade() -> None:
        while True:
            scene.sim.trade("SPY", 100.0, 1)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(trade())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_run_trades_a_strategy_of_a_file(scene: Scene, tmp_path: Path) -> None:
    # Without a cooldown: an entry that is denied while the start is not over is wished for again.
    path = configured(scene, tmp_path, SECTION + "cooldown_s = 0\n")
    plan = plan_run(load_settings(path), path, tmp_path / "state")
    assert any("momentum (Momentum of my.py): SPY, 10 shares" in line for line in plan.lines())
    run = Run(plan, parts=TraderParts(clock=MarketClock(scene.sim)))
    async with trading(scene):
        task = asyncio.create_task(run.go())
        await until(lambda: scene.broker_position() == 10, "the position")
        await until(lambda: len(scene.open_refs()) == 2, "its exits")
        run.end("enough")
        report = await task
    assert report.good and report.traded == 1
    (line,) = report.strategies
    assert "momentum stopped" in line and "SPY 0.00 USD, holds 10" in line
    (group,) = run.trader.desk.state.groups.values()
    assert (group.strategy, group.signal_id.split(":")[:2]) == ("momentum", ["momentum", "SPY"])
    state = read_state(state_file(plan.place.folder, "momentum"), 1)
    assert state is not None and state.value == len(state.told) > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("class Momentum(Strategy)", "class Momentum"), "it is no Strategy. Begin it with"),
        (('symbols = ("SPY",)', "symbols = ()"), "names no symbols"),
        (('symbols = ("SPY",)', 'symbols = ("SPY",)\n    studies = ("emma(3)",)'), "Did you mean"),
        (("self.confidence, self.fills = confidence, 0", "raise ValueError('no')"), "my.py, line 8"),
    ],
)
async def test_a_class_that_does_not_fit_is_told_before_the_dial(
    scene: Scene, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = configured(scene, tmp_path, code=MINE.replace(*change))
    with pytest.raises(ConfigError) as caught:
        plan_run(load_settings(path), path, tmp_path / "state")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("options = { confidense = 0.5 }\n", "Did you mean confidence?"),
        (f'sha256 = "{"0" * 64}"\n', "my.py is another file"),
        (SECTION, "two strategies or sources have this name"),
        (SECTION + 'name = "other"\n', "stands in two strategies"),
        (SECTION + 'name = "MOMENTUM"\n', "would keep its state in the file of momentum"),
    ],
)
async def test_a_section_that_does_not_fit(scene: Scene, tmp_path: Path, more: str, said: str) -> None:
    path = configured(scene, tmp_path, SECTION + more)
    with pytest.raises(ConfigError) as caught:
        plan_run(load_settings(path), path, tmp_path / "state")
    assert said in str(caught.value)


async def test_an_unlock_speaks_for_the_very_code(scene: Scene, tmp_path: Path) -> None:
    def fingerprint(code: str, own: Callable[[], Strategy] | None = None) -> str:
        path = configured(scene, tmp_path, code=code)
        settings = load_settings(path)
        if own is not None:
            strategy = own()
            plan = plan_run(with_program(settings, strategy), path, tmp_path / "state", own=strategy)
            assert plan.programs == {"momentum": strategy}
        else:
            plan = plan_run(settings, path, tmp_path / "state")
        return settings_fingerprint(plan.settings)

    class Momentum(Told):
        def __init__(self) -> None:
            super().__init__("")

    first = fingerprint(MINE)
    assert fingerprint(MINE) == first
    assert fingerprint(MINE.replace("BUY", "SHORT")) != first
    assert fingerprint(MINE, Momentum) == first, "a program's own, by the section of its class"


async def test_a_file_that_trades_while_it_is_loaded_is_refused(scene: Scene, tmp_path: Path) -> None:
    code = MINE + '\nfrom tws import run_strategy\nrun_strategy(Momentum(), "tws.toml")\n'
    path = configured(scene, tmp_path, code=code)
    with pytest.raises(ConfigError) as caught:
        plan_run(load_settings(path), path, tmp_path / "state")
    assert "calls run_strategy while it is loaded" in str(caught.value)
    assert "__main__" in str(caught.value)
