"""A run over a real socket: signals by file, API and webhook into linked orders; each with its fate."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.runtime.flight import OPENING_CASH, Flight
from tests.runtime.scene import Scene, records_of, until
from tests.runtime.test_linked import story

from tws.clock import SystemClock, to_datetime
from tws.model.contract import stock
from tws.model.order import Role
from tws.model.signal import Signal, Wish
from tws.model.signalrecords import SignalJudged
from tws.runtime import engine
from tws.runtime.stances import Stances
from tws.signals.demo_api import DemoApi
from tws.signals.demo_server import DemoServer

Fly = Callable[..., Any]


class Said:
    """The prediction that an API has: the last one that was told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._body: dict[str, Any] | None = None

    def tell(self, signal_id: str, signal: str, now_ns: int, confidence: float = 0.9) -> None:
        with self._lock:
            self._body = {
                "ticker": "SPY", "signal": signal, "numeric": 1, "confidence": confidence, "id": signal_id,
                "timestamp": to_datetime(now_ns).isoformat(),
            }  # fmt: skip

    def latest(self, ticker: str, now_ns: int) -> dict[str, Any] | None:
        with self._lock:
            return self._body


async def test_from_an_api_to_flat_at_the_end(
    scene: Scene, tmp_path: Path, fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP, gate, bracket filled, opposite signal, reversed, flat at the end; the money is the broker's."""
    monkeypatch.delenv("PILOT_KEY", raising=False)
    (tmp_path / ".env").write_text("PILOT_KEY=secret-of-the-test\n", encoding="utf-8")
    said, clock = Said(), SystemClock()  # the server has a thread of its own
    said.tell("first", "NEUTRAL", scene.sim.now_ns())
    api = DemoApi(said, clock, random.Random(1), key="secret-of-the-test", per_minute=100_000)
    with DemoServer(api) as server:
        source = f'kind = "http"\nsymbols = ["SPY"]\nbase_url = "{server.url}"\nkey_env = "PILOT_KEY"'
        flight = await fly(source=f"{source}\nper_minute = 3000")
        assert await flight.outcome("SPY:first") == ("refused", "neutral")
        said.tell("doubtful", "BUY", scene.sim.now_ns(), 0.2)
        assert await flight.outcome("SPY:doubtful") == ("refused", "threshold")
        api.play("html")
        said.tell("up", "BUY", scene.sim.now_ns())
        assert await flight.outcome("SPY:up") == ("traded", "")
        await flight.held(10)
        said.tell("up again", "BUY", scene.sim.now_ns())
        assert await flight.outcome("SPY:up again") == ("refused", "in position")
        said.tell("down", "SHORT", scene.sim.now_ns())
        assert await flight.outcome("SPY:down") == ("traded", "")
        await flight.held(-10)
        assert story(flight.trader) == [
            "BUY entry 10", "SELL target 10", "SELL stop 10",
            "cancel SELL target 10", "SELL close 10",
            "SELL entry 10", "BUY target 10", "BUY stop 10",
        ]  # fmt: skip
        await until(lambda: flight.guarded() == 10, "the short has its stop")
        report = await flight.end()
    assert report.good and report.flat and scene.broker_position() == 0, report
    assert report.signals == 5 == sum(
        report.fates[name] for name in ("refused", "passed", "traded", "closed", "denied")
    )
    assert report.fates["traded"] == 2 == report.traded and report.fates["refused"] == 3
    assert report.fates["passed"] == 0, "each has an end"
    assert report.fates["trouble"].get("HTML instead of JSON", 0) <= 1
    assert "secret-of-the-test" not in str(report)
    assert abs(flight.cash() - OPENING_CASH - report.realized) <= 0.01 != report.realized
    judged = [record for record in records_of(flight.trader) if isinstance(record, SignalJudged)]
    assert [(each.signal_id, each.passed) for each in judged] == [
        ("SPY:first", False), ("SPY:doubtful", False), ("SPY:up", True),
        ("SPY:up again", True), ("SPY:down", True),
    ]  # fmt: skip


async def test_a_sell_closes_and_opens_nothing(scene: Scene, fly: Fly) -> None:
    flight = await fly()
    assert await flight.outcome(flight.say("SELL")) == ("refused", "no entry")
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(10)
    assert await flight.outcome(flight.say("SELL")) == ("closed", "")
    await flight.held(0)
    report = await flight.end()
    assert report.good and (report.traded, report.closed) == (1, 1)


async def test_a_close_waits_for_no_quote(scene: Scene, fly: Fly) -> None:
    """A market that shows neither bid nor ask, as in a halt, keeps nobody in."""
    flight = await fly()
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(10)
    flight.requote(-1, -1)  # as TWS says it
    await until(lambda: flight.pilot.markets.quote("SPY").bid is None, "no quote")
    assert await flight.outcome(flight.say("CLOSE")) == ("closed", "")
    flight.requote()
    await flight.held(0)


async def test_what_a_program_s_source_gives_that_is_no_signal_is_refused_and_the_next_one_trades(
    fly: Fly,
) -> None:
    flight = await fly()
    (source,) = flight.pilot.sources._sources
    sound = Signal(signal_id="sound", symbol="SPY", wish=Wish.BUY, time_ns=flight.scene.sim.now_ns())
    for wrong in ({"symbol": ["SPY"]}, {"wish": "BUY"}, {"wish": None}, {}):
        source._outbox.put(replace(sound, **{"signal_id": str(wrong)} | wrong) if wrong else sound)
    assert await flight.outcome("sound") == ("traded", "")
    assert flight.pilot.book.reasons == {"schema": 3}


async def test_of_fills_that_come_together_each_says_what_it_left(fly: Fly) -> None:
    flight = await fly()
    stances = Stances(flight.trader)
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    await until(lambda: len(flight.rests()) == 2, "stop and target work")
    flight.requote(96, 96.02)
    flight.scene.sim.trade("SPY", 96)
    await flight.held(0)
    await until(lambda: flight.trader.flat(), "all is over")
    flight.requote()
    await flight.outcome(flight.say("SHORT"))
    await flight.held(-10)
    assert [(each.role, each.left) for each in stances.fills()] == [("entry", 10), ("stop", 0), ("entry", 10)]


@pytest.mark.parametrize(
    ("opposite", "fate"), [("close", ("closed", "")), ("ignore", ("refused", "in position"))]
)
async def test_an_opposite_signal_does_what_is_configured(
    fly: Fly, opposite: str, fate: tuple[str, str]
) -> None:
    flight = await fly(f'opposite = "{opposite}"')
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    assert await flight.outcome(flight.say("SHORT")) == fate
    await flight.held(0 if opposite == "close" else 10)
    assert (await flight.end()).good


async def test_scaling_in_once_when_in_profit(fly: Fly) -> None:
    flight = await fly('scale_in_profit = "0.5%"')
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    assert await flight.outcome(flight.say("BUY")) == ("refused", "in position")
    flight.requote(100.99, 101.01)
    await until(lambda: flight.pilot.markets.quote("SPY").bid > 100.9, "the market has risen")
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(20)
    await until(lambda: flight.guarded() == 20, "one level protects all of it")
    assert await flight.outcome(flight.say("BUY")) == ("refused", "in position")
    assert (await flight.end()).good


async def test_a_double_down_that_a_human_cancels_does_not_come_back(scene: Scene, fly: Fly) -> None:
    flight = await fly("double_down = true")
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    waiting = ("BUY", 10, 98.5)
    await until(lambda: waiting in flight.limits(), "half way from 100.01 to 97.00")
    views = scene.sim.exchange.open_orders()
    order = next(view for view in views if view.ticket.limit_price == Decimal("98.5"))
    scene.sim.faults.play("manual-cancel", client=1, order=order.order_id)
    await until(lambda: waiting not in flight.limits(), "cancelled")
    state = flight.trader.desk.state
    await until(lambda: len(state.open_groups) == 1, "told")
    wished = story(flight.trader)
    assert await flight.outcome(flight.say("BUY")) == ("refused", "in position")  # looks have passed
    assert story(flight.trader) == wished and waiting not in flight.limits()
    assert (await flight.end()).good


@pytest.mark.parametrize(("price", "fate"), [(96.5, ("traded", "")), (103.5, ("refused", "cooldown"))])
async def test_a_stop_out_ends_the_pause_and_a_target_does_not(
    scene: Scene, fly: Fly, price: float, fate: tuple[str, str]
) -> None:
    flight = await fly(pause_s=60)
    await flight.outcome(flight.say("BUY"))
    await flight.held(10)
    await until(lambda: len(scene.sim.exchange.open_orders()) == 2, "stop and target work")
    flight.requote(price, round(price + 0.02, 2))
    scene.sim.trade("SPY", price)
    await flight.held(0)
    await until(lambda: flight.trader.flat(), "all is over")
    assert await flight.outcome(flight.say("BUY")) == fate
    assert (await flight.end()).good


async def test_a_webhook_trades(
    scene: Scene, tmp_path: Path, fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("uvicorn")
    monkeypatch.delenv("PILOT_TOKEN", raising=False)
    token = "a-token-of-the-test-1"
    (tmp_path / ".env").write_text(f"PILOT_TOKEN={token}\n", encoding="utf-8")
    flight = await fly(source='kind = "webhook"\nsymbols = ["SPY"]\nport = 0\ntoken_env = "PILOT_TOKEN"')
    (source,) = flight.pilot.sources._sources
    body = {
        "signal_id": "w1", "symbol": "SPY", "wish": "BUY",
        "time": to_datetime(scene.sim.now_ns()).isoformat(), "confidence": 0.8,
    }  # fmt: skip
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{source.port}/signal"
        answer = await client.post(url, json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 202
        assert (await client.post(url, json=body)).status_code == 401
    assert await flight.outcome("w1") == ("traded", "")
    await flight.held(10)
    assert (await flight.end()).good


async def test_what_a_line_does_wrong_is_its_own(fly: Fly) -> None:
    flight = await fly()
    with flight.file.open("a", encoding="utf-8") as file:
        file.write('{"signal_id": "x1", "symbol": "SPY"\n')
    for sure in (0.9, 0.1):
        flight.say("BUY", sure)
    assert await flight.outcome("s2") == ("refused", "threshold")
    assert await flight.outcome("s1") == ("traded", "")
    flight.say("BUY", signal_id="s1")
    await until(lambda: flight.pilot.book.reasons["duplicate"] == 1, "the same id again")
    assert await flight.outcome(flight.say("BUY", symbol="QQQ")) == ("refused", "symbol")
    flight.say("BUY", 1.7)
    await until(lambda: flight.pilot.book.reasons["schema"] == 2, "a confidence of 1.7, and half a JSON")
    report = await flight.end()
    assert report.good and report.signals == 6 and report.fates["traded"] == 1


RULES = """
[[rules]]
name = "enter"
when = "signal.confidence >= 0.5 and signal.wish in (BUY, SHORT) and position.side == flat"
then = "enter signal shares 5"

[[rules]]
name = "turn"
when = "signal.wish == SHORT and position.side == long"
then = "reverse shares 7"

[[rules]]
name = "even"
when = "event == timer and position.side == long and position.profit_percent >= 1"
then = "break even"
cooldown_s = 60

[[rules]]
name = "never"
when = "price >= 100000"
then = 'alert "dear"'
"""


async def test_rules_decide_what_a_signal_does(scene: Scene, fly: Fly) -> None:
    flight = await fly(more=RULES)
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(5)
    assert await flight.outcome(flight.say("BUY")) == ("refused", "no rule fired")
    flight.requote(101.5, 101.52)
    stops = lambda: [  # noqa: E731 - a question, asked until it is so
        float(view.ticket.stop_price or 0)
        for view in scene.sim.exchange.open_orders()
        if view.ticket.order_type == "STP"
    ]
    await until(lambda: stops() == [100.01], "the stop goes to the entry")
    assert await flight.outcome(flight.say("SHORT")) == ("traded", "")
    await flight.held(-7)
    report = await flight.end()
    assert report.good
    by_name = {each.rule: each for each in report.rules}
    assert (by_name["enter"].fired, by_name["turn"].fired, by_name["even"].fired) == (1, 1, 1)
    assert by_name["never"].fired == 0 and "price" in by_name["never"].last
    assert any("rule never: fired 0" in line for line in report.fate_lines)
    assert (flight.folder / "state").exists()


async def test_a_double_down_by_rule(fly: Fly) -> None:
    rules = """
[[rules]]
name = "enter"
when = "signal.wish == BUY and position.side == flat"
then = "enter signal"
[[rules]]
name = "more"
when = "event == fill and fill.role == entry and not position.entering and not position.doubled"
then = "double down at 50%"
"""
    flight = await fly(more=rules)
    await flight.outcome(flight.say("BUY"))
    await until(lambda: ("BUY", 10, 98.5) in flight.limits(), "half way from 100.01 to 97.00")
    roles = [order.role for group in flight.trader.desk.state.open_groups
             for order in flight.trader.desk.state.orders_of(group)]  # fmt: skip
    assert roles.count(Role.ENTRY) == 2
    assert (await flight.end()).good


async def test_what_goes_wrong_with_one_signal_leaves_the_next_one_its_fate(
    scene: Scene, fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both come in one look, while the desk takes no command."""
    rules = """
[[rules]]
name = "away"
when = "event == signal"
then = "cancel entries"
"""
    flight = await fly(more=rules)
    monkeypatch.setattr(engine, "MAX_COMMANDS", 0)
    first, second = flight.say("BUY"), flight.say("SHORT")
    assert await flight.outcome(first) == ("denied", "not sent")
    assert await flight.outcome(second) == ("denied", "not sent")
    monkeypatch.undo()
    report = await flight.end()
    assert report.good and report.fates["denied"] == 2 == report.signals


async def test_a_restart_goes_on_from_what_the_rules_remember(scene: Scene, fly: Fly) -> None:
    rules = """
[[rules]]
name = "once"
when = "signal.wish == BUY and position.side == flat"
then = "enter signal"
per_day = 1
"""
    flight = await fly(more=rules)
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.end()
    await until(lambda: scene.broker_position() == 0, "flat")
    flight.file.write_text("", encoding="utf-8")
    again = await fly(more=rules)
    again._said = 10
    assert await again.outcome(again.say("BUY")) == ("refused", "no rule fired")
    report = await again.end()
    assert report.rules[0].held == 1 and "executions per day" in report.rules[0].last


async def test_a_restart_knows_the_signals_and_the_pause_of_the_run_before(scene: Scene, fly: Fly) -> None:
    """The same file is read again from its beginning: nothing in it acts twice, and the pause goes on."""
    flight = await fly(pause_s=60)
    assert await flight.outcome(flight.say("BUY")) == ("traded", "")
    await flight.held(10)
    assert await flight.outcome(flight.say("SELL")) == ("closed", "")
    await until(lambda: scene.broker_position() == 0, "flat")
    await flight.end("protected")
    again = await fly(pause_s=60)
    again._said = 10
    await until(lambda: again.pilot.book.reasons["duplicate"] == 2, "both are known")
    assert await again.outcome(again.say("BUY")) == ("refused", "cooldown")
    assert (await again.end()).good


async def test_risk_of_the_equity(scene: Scene, fly: Fly) -> None:
    """A hundredth of a percent of a million is 100 dollars: thirty-three shares that may lose three each."""
    source = 'file = "signals.jsonl"\nsymbols = ["SPY"]\nrisk_fraction = 0.0001'
    flight = Flight(scene, scene.folder, source=source)
    text = flight.path.read_text(encoding="utf-8").replace("shares = 10\n", "")
    flight.path.write_text(text, encoding="utf-8")
    try:
        await flight.up()
        assert await flight.outcome(flight.say("BUY")) == ("traded", "")
        await flight.held(33)
        assert (await flight.end()).good
    finally:
        await flight.close()


async def test_money_becomes_whole_shares(scene: Scene) -> None:
    """Also where TWS states parts of a share as the least size: it takes none over the API."""
    source = 'file = "signals.jsonl"\nsymbols = ["SPY"]\nallocation = 1234'
    flight = Flight(scene, scene.folder, source=source)
    text = flight.path.read_text(encoding="utf-8").replace("shares = 10\n", "")
    flight.path.write_text(text, encoding="utf-8")
    try:
        await flight.up()
        details = await flight.trader.details(stock("SPY"))
        assert details.min_size == details.size_increment == 0.0001
        assert await flight.outcome(flight.say("BUY")) == ("traded", "")
        await flight.held(12)
    finally:
        await flight.close()


async def test_the_end_leaves_no_source_running(fly: Fly) -> None:
    before = {task for task in asyncio.all_tasks() if task.get_name().startswith("signals")}
    flight = await fly()
    await flight.end("protected")
    after = {task for task in asyncio.all_tasks() if task.get_name().startswith("signals")}
    assert after <= before
