"""A run of `tws run` on a scene: its configuration, what is said to it, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
from tests.runtime.scene import BOUND_S, Scene, until

from tws.clock import to_datetime
from tws.config import load_settings
from tws.exchange import OrderView
from tws.rules import Rule
from tws.runtime.plan import plan_run, with_rules
from tws.runtime.report import RunReport
from tws.runtime.run import Run

__all__ = ["OPENING_CASH", "Flight"]

MORTAL = Path(__file__).with_name("mortal_run.py")
OPENING_CASH = Decimal(1_000_000)


class Flight:
    """One run. `section` is what stands in [[signals]] beside the file; `more` follows it; `rules` are those
    of the program that runs it.
    """

    def __init__(
        self, scene: Scene, folder: Path, section: str = "", more: str = "", source: str = "",
        pause_s: float = 0, rules: tuple[Rule, ...] = (),
    ) -> None:  # fmt: skip
        self.scene = scene
        self.file = folder / "signals.jsonl"
        self.file.touch()
        self.path = folder / "trader.toml"
        source = source or 'file = "signals.jsonl"\nsymbols = ["SPY"]'
        self.path.write_text(
            f"""
[connection]
port = {scene.port}
[risk]
stale_quote_s = 3600
[[signals]]
{source}
shares = 10
stop_fraction = 0.03
target_fraction = 0.03
cooldown_s = {pause_s}
close_margin_s = 0
{section}
{more}
""",
            encoding="utf-8",
        )
        self.folder = folder
        self.process: asyncio.subprocess.Process | None = None
        self.rules = rules
        self._said = 0

    async def up(self, symbol: str = "SPY") -> Flight:
        """Trading, with a quote of `symbol`."""
        settings = with_rules(load_settings(self.path), self.rules)
        plan = plan_run(settings, self.path, self.folder / "state", self.scene.journal)
        self.run = Run(plan, parts=self.scene.parts())
        ready = asyncio.Event()
        self.going = asyncio.create_task(self.run.go(on_ready=lambda trader: ready.set()))
        await until(lambda: ready.is_set() or self.going.done(), "ready")
        if self.going.done():
            self.going.result()
        self.trader = self.run.trader
        self.requote()
        pilot = self.run.pilot
        assert pilot is not None
        self.pilot = pilot
        await until(lambda: pilot.markets.quote(symbol) is not None, "a quote")
        return self

    async def up_apart(self) -> None:
        """Trading, in a process of its own, which `kill` ends as kill -9 does."""
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        words = (sys.executable, str(MORTAL), str(self.path), str(self.folder / "state"),
                 str(self.scene.journal))  # fmt: skip
        self.process = await asyncio.create_subprocess_exec(
            *words, env=environ, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(BOUND_S):
            assert (await self.process.stdout.readline()).strip() == b"trading"

    def freeze(self) -> None:
        """The other process does nothing any more."""
        assert self.process is not None
        psutil.Process(self.process.pid).suspend()

    async def kill(self) -> None:
        """The other process is dead, and TWS has heard of it."""
        if self.process is None:
            return
        self.process.kill()
        await self.process.communicate()
        self.process = None
        await until(lambda: not self.scene.sim.sessions, "TWS hears of its death")

    def requote(self, bid: float = 99.99, ask: float = 100.01, **more: Any) -> None:
        self.scene.sim.quote("SPY", bid=bid, ask=ask, **more)

    def say(self, wish: str, confidence: float = 0.9, symbol: str = "SPY", **more: Any) -> str:
        """One more line in the file of signals; its id."""
        self._said += 1
        name = more.pop("signal_id", f"s{self._said}")
        at = to_datetime(self.scene.sim.now_ns()).isoformat()
        row = {"signal_id": name, "symbol": symbol, "wish": wish, "time": at, "confidence": confidence}
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row | more) + "\n")
        return name

    async def outcome(self, signal_id: str) -> tuple[str, str]:
        """What became of a signal, once something did: outcome and reason."""

        def found() -> Any:
            fates = [each for each in self.pilot.book.fates() if each.signal_id == signal_id]
            return next((each for each in fates if each.outcome != "passed"), None)

        await until(found, f"the fate of {signal_id}")
        return str(found().outcome), found().reason

    async def held(self, quantity: int) -> None:
        """We hold so much, and so does the broker."""
        scene, trader = self.scene, self.trader
        await until(
            lambda: scene.broker_position() == quantity == trader.position("SPY"), f"{quantity} held"
        )

    def rests(self) -> list[OrderView]:
        """The orders at the broker."""
        return list(self.scene.sim.exchange.open_orders())

    async def end(self, how: str = "flatten") -> RunReport:
        self.run.end("the test ends", how)
        async with asyncio.timeout(BOUND_S):
            return await self.going

    async def close(self) -> None:
        """For whatever a test left flying."""
        await self.kill()
        if hasattr(self, "going") and not self.going.done():
            self.run.end("the test is over", "protected")
            await asyncio.wait([self.going], timeout=BOUND_S)

    # -- the broker's side

    def cash(self) -> Decimal:
        """The broker's word on the account's cash, in dollars."""
        (account,) = self.scene.sim.exchange.accounts()
        rows = self.scene.sim.exchange.account_values(account)
        return Decimal(next(row.value for row in rows if row.key == "TotalCashValue"))

    def guarded(self) -> Decimal:
        """Shares that stops at the broker cover."""
        views = self.scene.sim.exchange.open_orders()
        return sum((view.remaining for view in views if view.ticket.order_type == "STP"), Decimal(0))

    def limits(self) -> list[tuple[str, Decimal, float]]:
        """Side, remaining shares and price of the limits that work."""
        views = self.scene.sim.exchange.open_orders()
        return sorted(
            (str(view.ticket.side), view.remaining, float(view.ticket.limit_price or 0))
            for view in views
            if view.ticket.order_type == "LMT"
        )
