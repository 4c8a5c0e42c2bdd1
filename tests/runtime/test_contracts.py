"""Contracts other than a US stock in a run: named in the file or by a strategy's class, sized by their
multiplier, held to the gate's word on short sales.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.runtime.scene import MarketClock, Scene, until

from tws.clock import to_datetime
from tws.config import load_settings
from tws.errors import ConfigError
from tws.model import expiry
from tws.model.contract import Contract, contract_named, future, option, stock
from tws.runtime.parts import TraderParts
from tws.runtime.plan import RunPlan, plan_run
from tws.runtime.report import RunReport
from tws.runtime.run import Run
from tws.runtime.status import status_of
from tws.simulator.universe import Security
from tws.simulator.universe.book import Wanted

FILE = """
[connection]
port = {port}
[risk]
stale_quote_s = 3600
max_order_notional = 1_000_000
max_position_notional = 1_000_000
max_symbol_notional = 1_000_000
{risk}
[contracts]
{contracts}
[[signals]]
kind = "file"
file = "signals.jsonl"
symbols = ["{symbol}"]
close_margin_s = 0
{section}
"""


def listed(scene: Scene, **fields: str) -> Security:
    """The nearest contract of the simulator that fits."""
    found = scene.sim.core.universe.find(Wanted(**fields))  # type: ignore[arg-type]
    return min(found, key=lambda each: (each.last_trade_date, abs((each.strike or 0.0) - 560)))


class Played:
    """One run on one contract."""

    def __init__(self, scene: Scene, folder: Path, security: Security, **said: str) -> None:
        self.scene, self.security, self.symbol = scene, security, security.symbol
        self.signals = folder / "signals.jsonl"
        self.signals.touch()
        path = folder / "tws.toml"
        said = {"contracts": "", "risk": "", "section": ""} | said
        path.write_text(FILE.format(port=scene.port, symbol=self.symbol, **said), "utf-8")
        self.plan: RunPlan = plan_run(load_settings(path), path, folder / "state")
        self.run = Run(self.plan, parts=TraderParts(clock=MarketClock(scene.sim)))
        self.report: RunReport | None = None

    @asynccontextmanager
    async def going(self, bid: float, ask: float) -> AsyncIterator[None]:
        ready = asyncio.Event()
        task = asyncio.create_task(self.run.go(on_ready=lambda trader: ready.set()))
        await until(lambda: ready.is_set() or task.done(), "ready")
        self.scene.sim.quote(self.security.con_id, bid=bid, ask=ask)
        pilot = self.run.pilot
        assert pilot is not None
        await until(lambda: pilot.markets.quote(self.symbol) is not None, "a quote")
        yield
        self.run.end("the test ends", "flatten")
        self.report = await task

    def say(self, wish: str) -> None:
        at = to_datetime(self.scene.sim.now_ns()).isoformat()
        row = {"id": wish, "symbol": self.symbol, "wish": wish, "confidence": 0.9, "time": at}
        self.signals.write_text(json.dumps(row) + "\n", "utf-8")

    def held(self) -> int:
        """By the broker."""
        rows = self.scene.sim.exchange.positions()
        return int(sum(row.quantity for row in rows if row.con_id == self.security.con_id))


async def test_a_future_is_sized_by_its_multiplier(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "ROLL_DAYS", 366)  # it is told of as one that ends soon
    es = listed(scene, symbol="ES", sec_type="FUT", exchange="CME")
    played = Played(
        scene, tmp_path, es, contracts=f'ES = "FUT {es.last_trade_date[:6]} CME"',
        section="risk_fraction = 0.01\nstop_fraction = 0.01\ntarget_fraction = 0.01",
    )
    assert f"contract  ES is FUT {es.last_trade_date[:6]} CME USD" in played.plan.lines()
    async with played.going(bid=5999.75, ask=6000.0):
        played.say("BUY")
        # A stop 60 points away loses 3,000 dollars a contract; the account's one percent are 10,000.
        await until(lambda: played.held() == 3, "three contracts")
        (line,) = status_of(played.run)["ending"]
        assert line.startswith(f"{es.local_symbol}: its last trading day ") and "nothing rolls" in line
        scene.sim.quote(es.con_id, bid=6010.0, ask=6010.25)
    report = played.report
    assert report is not None and report.good and played.held() == 0
    assert 10 * 50 * 3 - 20 < report.realized < 10 * 50 * 3, "ten points of three contracts, less fees"


@pytest.mark.parametrize("permitted", [True, False])
async def test_an_option_sold_short_is_the_gates_to_judge(
    scene: Scene, tmp_path: Path, permitted: bool
) -> None:
    call = listed(scene, symbol="AAPL", sec_type="OPT", exchange="SMART", right="C")
    played = Played(
        scene, tmp_path, call, contracts=f'AAPL = "OPT {call.last_trade_date} {call.strike:g} C"',
        section="shares = 2\nstop_fraction = 0.89\ntarget_fraction = 0.502",
        risk="" if permitted else "short_sales = false",
    )
    async with played.going(bid=4.0, ask=4.05):
        played.say("SHORT")
        pilot = played.run.pilot
        assert pilot is not None
        if permitted:
            await until(lambda: played.held() == -2, "two calls short")
            await until(lambda: len(scene.open_refs()) == 2, "stop and target at the broker")
            tickets = [view.ticket for view in scene.sim.exchange.open_orders()]
            (stop,) = (each.stop_price for each in tickets if each.order_type == "STP")
            (target,) = (each.limit_price for each in tickets if each.order_type == "LMT")
            assert (float(stop or 0), float(target or 0)) == (7.6, 1.99), "nickels from 3 dollars on"
        else:
            await until(lambda: pilot.denied["short_sales"] == 1, "the denial")
    assert played.report is not None and played.report.good and played.held() == 0


def test_a_class_names_its_contracts(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text(
        "from tws import Strategy, future\n"
        "class Trend(Strategy):\n"
        "    symbols = ('ES', 'SPY')\n"
        "    contracts = {'ES': future('ES', '203012', 'CME')}\n",
        "utf-8",
    )
    path = tmp_path / "tws.toml"
    section = '[[strategies]]\nkind = "python"\nfile = "my.py"\nclass = "Trend"\n'

    def plan(more: str = "") -> RunPlan:
        path.write_text(section + more, "utf-8")
        return plan_run(load_settings(path), path, tmp_path / "state")

    assert plan().contract("ES") == future("ES", "203012", "CME")
    assert plan().contract("SPY") == stock("SPY")
    assert plan('[contracts]\nES = "FUT 203103 CME"\n').contract("ES").last_trade_date == "203103"
    text = (tmp_path / "my.py").read_text("utf-8")
    (tmp_path / "my.py").write_text(text.replace("future('ES'", "future('NQ'"), "utf-8")
    with pytest.raises(ConfigError, match="contract of NQ"):
        plan()


@pytest.mark.parametrize(
    ("text", "contract"),
    [
        ("STK", stock("X")),
        ("STK SMART EUR IBIS", stock("X", "SMART", "EUR", "IBIS")),
        ("FUT 202612 CME", future("X", "202612", "CME")),
        ("FUT 20261218 EUREX EUR", future("X", "20261218", "EUREX", "EUR")),
        ("OPT 20261218 560 C", option("X", "20261218", 560, "C")),
        ("OPT 20261218 2.5 P SMART CAD", option("X", "20261218", 2.5, "P", "SMART", "CAD")),
    ],
)
def test_what_a_file_may_write(text: str, contract: Contract) -> None:
    assert contract_named("X", text) == contract


@pytest.mark.parametrize(
    "text", ["FUT", "FUT CME", "FUT 2026 CME", "FUT 202612", "OPT 202612 560 C", "CASH", "fut 202612 CME"]
)
def test_what_it_may_not(text: str, scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Played(scene, tmp_path, listed(scene, symbol="SPY", sec_type="STK"), contracts=f'ES = "{text}"')
    said = str(caught.value)
    assert said.startswith(f"contracts.ES = '{text}': no contract") and "FUT 202612 CME" in said
