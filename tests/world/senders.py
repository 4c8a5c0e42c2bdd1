"""Who speaks to an automated run from without, each in its own bad way, and what it has said.

The API is the demo API, reached through httpx without a network; a file grows line by line; a function is
called with bars. What was said whole and well is noted (`Said`), so that a check can ask what became of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from tests.world.automix import TICKERS, AutoMix

from tws.clock import NS_PER_S, to_datetime
from tws.model.market import Bar
from tws.model.signal import Signal, Wish
from tws.signals.demo_api import DemoApi, Reply, SeededPredictions
from tws.world import Domain, World, current_domain

__all__ = ["KEY", "ApiSender", "Called", "FileSender", "Said"]

KEY = "secret-of-this-world"
WINDOW_S = 10.0
"""How long a prediction of the API holds."""
FOREIGN = "ZZZZ"


class Said(Struct, frozen=True):
    """A signal that was said whole and well; `to` whom, where somebody had asked."""

    at_s: float
    symbol: str
    signal_id: str
    to: Domain | None = None


class ApiSender(DemoApi):
    """The API, with the faults of a mix until the weather is calm."""

    def __init__(self, world: World, mix: AutoMix) -> None:
        dated = "undated" not in mix.traits
        predictions = SeededPredictions(
            world.rng("predictions").randint(1, 2**31), window_s=WINDOW_S, dated=dated
        )
        rng = world.rng("api")
        super().__init__(predictions, world.clock, rng, key=KEY, per_minute=10_000, rates=mix.api)
        self.said: list[Said] = []
        self.met: dict[str, int] = {}
        self._dated = dated
        self._fault: str | None = None

    def calm_down(self) -> None:
        self._rates.clear()

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        self._fault = None
        reply = super().answer(method, target, headers)
        if reply.status == 200 and self._fault is None and self._dated:
            prediction = json.loads(reply.body)["data"]["prediction"]
            ticker = prediction["ticker"]
            name = f"{ticker}:{prediction['id']}"
            self.said.append(Said(self._clock.monotonic(), ticker, name, current_domain()))
        return reply

    def _drawn(self) -> str | None:
        self._fault = super()._drawn()
        if self._fault is not None:
            self.met[self._fault] = self.met.get(self._fault, 0) + 1
        return self._fault


LINES = (
    *("well",) * 10,
    *("again",) * 3,
    "half",
    "not JSON",
    "a list",
    "late",
    "early",
    "too sure",
    "foreign",
    "NEUTRAL",
    "bare",
)
"""What is written: a signal; one that was written before; one in two pieces; and what is none, or not now."""


class FileSender:
    """Writes signals for its ticker to the end of a file, whether anybody reads them or not."""

    def __init__(self, world: World, path: Path, symbol: str) -> None:
        self.path, self.symbol = path, symbol
        self.said: list[Said] = []
        self._world, self._rng = world, world.rng("file")
        self._count = 0
        path.touch()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._rng.uniform(0.3, 4.0))
            await self._line(self._rng.choice(LINES))

    async def _line(self, kind: str) -> None:
        rng, now_ns = self._rng, self._world.clock.now_ns()
        self._count += 1
        name = f"f{self._count}" if kind != "again" else f"f{rng.randint(1, self._count)}"
        wish = rng.choice((Wish.BUY, Wish.BUY, Wish.SHORT, Wish.SHORT, Wish.SELL))
        shift_s = {"late": -300, "early": 30}.get(kind, 0)
        row: dict[str, Any] = {
            "signal_id": name,
            "symbol": FOREIGN if kind == "foreign" else self.symbol,
            "wish": "NEUTRAL" if kind == "NEUTRAL" else wish,
            "time": to_datetime(now_ns + shift_s * NS_PER_S).isoformat(),
            "confidence": 1.7 if kind == "too sure" else round(rng.uniform(0.4, 1.0), 2),
        }
        if kind == "bare":
            del row["wish"]
        text = json.dumps(row)
        match kind:
            case "half":
                self._write(text[:20])
                await asyncio.sleep(rng.uniform(0.1, 2.0))
                text = text[20:]
            case "not JSON":
                text = text[:30]
            case "a list":
                text = f"[{text}]"
        self._write(text + "\n")
        if kind in ("well", "half", "foreign", "NEUTRAL", "late"):
            self.said.append(Said(self._world.loop.time(), row["symbol"], name))

    def _write(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)


class Called:
    """The function: it answers by the bar's time, and now and then fails in one of the ways of functions."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last: Signal | None = None

    def __call__(self, symbol: str, bar: Bar) -> Any:
        rng = Random(f"{self._world.seed}/function/{bar.time_ns}")
        good = Signal(
            signal_id=f"bar-{bar.time_ns // NS_PER_S}",
            symbol=symbol,
            wish=rng.choice((Wish.BUY, Wish.SHORT, Wish.SELL)),
            time_ns=self._world.clock.now_ns(),
            confidence=round(rng.uniform(0.4, 1.0), 2),
        )
        match rng.randint(0, 60):
            case 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8:
                self._last = good
                return good
            case 9 if self._last is not None:
                return replace(self._last, wish=good.wish)
            case 10:
                raise KeyError("no such bar")
            case 11:
                return "BUY"
            case 12:
                return replace(good, confidence=1.7)
            case 13:
                return replace(good, price=float("nan"))
            case 14:
                return replace(good, time_ns=good.time_ns + 3600 * NS_PER_S)
            case 15 | 16 | 17:
                return replace(good, symbol=rng.choice((FOREIGN, *TICKERS)))
            case 18:
                self._world.loop.block(rng.choice((2.0, 7.0)))
                return good
        return None
