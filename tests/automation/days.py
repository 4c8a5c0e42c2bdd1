"""The eight-ticker configuration over recorded days: the real `Run` on the real simulator, in one process.

Everything is what a user runs: `examples/05_signals.toml`, TWS's protocol over TCP, the journal on disk,
the demo API over HTTP on 127.0.0.1. Only time leaps (`tests.automation.hurried`), so that three days take
some minutes and a seed repeats. The broker is watched from its own side once a second of the market, and
`tests.automation.judging` holds all that is left against it.

A night is lived through, second by second, or the market's clock is set forward (`Stretch.skips`), as
`tws sim ctl clock` does it: what happens meanwhile happens as fast as it can.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from tests.automation.hurried import BrokerClock, HurriedClock, HurriedLoop, Journal, SlowWire, Wire, is_late
from tests.automation.judging import Played, judge
from tests.automation.oracle import Oracle
from tests.automation.watch import Watch
from tests.world.money import cash_of

from tws.clock import NS_PER_S
from tws.config import load_settings
from tws.connection.dialling import link as linking
from tws.journal import read_journal
from tws.model.records import (
    Began,
    Planned,
    Record,
    ReversalMoved,
    ReversalPhase,
    Stamped,
    decode_records,
    encode_record,
)
from tws.runtime.parts import TraderParts
from tws.runtime.plan import plan_run
from tws.runtime.report import RunReport
from tws.runtime.run import Run
from tws.signals.demo_api import DemoApi
from tws.signals.demo_server import DemoServer
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.hours import day_of

__all__ = ["ADDING", "DAYS", "MAPPED", "Outcome", "Stretch", "configured", "play"]

DAYS = (date(2013, 10, 7), date(2013, 10, 8), date(2013, 10, 9))
MAPPED = {
    "CVNA": "SPY", "UVXY": "IBM", "SOXL": "BAC", "SOXS": "AIG", "TQQQ": "SPY", "SQQQ": "IBM", "GLD": "BAC",
    "SLV": "AIG",
}  # fmt: skip
ADDING = {"double_down": "true", "scale_in_profit": '"0.5 atr"', "scale_in_times": "2"}
"""What makes the configuration add to its trades."""
CONFIGURATION = Path(__file__).resolve().parents[2] / "examples" / "05_signals.toml"
KEY = "demo"
BEFORE_S = 600
"""So long before the open, or before what is played of the day, a day begins."""
AFTER_S = 300
"""So long after the close it ends."""
MOST_READ = 256 * 1024
"""The trader's link reads all that is there, in bites as long as asyncio's own: of a burst it would leave
some, and while some is left the kernel may keep the rest back, for which this loop waits.
"""
TROUBLE = {"html": 0.004, "half-json": 0.004, "cut": 0.004, "429": 0.002, "500": 0.004, "too-sure": 0.004,
           "future": 0.004, "other-ticker": 0.002, "extra": 0.002}  # fmt: skip
"""How often the API answers what it should not."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """What is played."""

    days: tuple[date, ...] = DAYS
    seed: int = 7
    last_minutes: int | None = None
    """So much of each day alone; None: all of it."""
    skips: bool = False
    """Whether the market's clock is set forward from what is played of one day to the next."""
    slow_wire: bool = False
    """Whether the bytes between trader and simulator take their time, as on a busy machine."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """See `configured`."""


@dataclass
class Outcome:
    """What a run came to. `complaints` empty: all that was promised holds."""

    played: Played
    report: RunReport
    complaints: list[str]
    counts: dict[str, Any]
    fingerprint: str
    wall_s: float
    market_s: float


def play(data: Path, folder: Path, stretch: Stretch) -> Outcome:
    """Play it and judge it."""
    with patch.object(linking, "BITE_BYTES", MOST_READ):
        return HurriedLoop.play(lambda loop: _Days(loop, data, folder, stretch).run())


def configured(port: int, url: str, changes: Mapping[str, str]) -> str:
    """The example with these addresses, and what is wanted otherwise, by its key; a new one joins the source.
    """
    lines = CONFIGURATION.read_text(encoding="utf-8").splitlines()
    for key, value in {"port": str(port), "base_url": f'"{url}"', **changes}.items():
        where = next((i for i, line in enumerate(lines) if line.startswith(f"{key} =")), None)
        if where is None:
            lines.insert(lines.index("[risk]") - 1, f"{key} = {value}")
        else:
            lines[where] = f"{key} = {value}"
    return "\n".join(lines) + "\n"


class _Days:
    """One run and all that is around it."""

    def __init__(self, loop: HurriedLoop, data: Path, folder: Path, stretch: Stretch) -> None:
        self._loop, self._folder, self._stretch = loop, folder, stretch
        hours = [day_of(day) for day in stretch.days]
        self.sessions = [(each.open_ns, each.close_ns) for each in hours if each is not None]
        self._spans = [self._span(*each) for each in self.sessions]
        if not stretch.skips:
            self._spans = [(self._spans[0][0], self._spans[-1][1])]
        self._start_ns = self._spans[0][0]
        series = dict.fromkeys(MAPPED.values())
        files = [data / f"{name}-{day}-1s.csv.gz" for day in stretch.days for name in series]
        self._sim = SimulatedTWS(
            SimulatorOptions(
                data=tuple(files), symbol_map=MAPPED, hours="exchange", speed=1.0, start_ns=self._start_ns,
                paused=True, on_step=self._step,
            )
        )  # fmt: skip
        self.watch = Watch(self._sim, tuple(MAPPED), self.sessions)
        self.heard: list[tuple[str, Any]] = []
        self._wire = Wire(self._overhear, self._is_quiet)
        self._run: Run | None = None

    def _span(self, open_ns: int, close_ns: int) -> tuple[int, int]:
        """From when to when a day is played."""
        minutes = self._stretch.last_minutes
        first_ns = open_ns if minutes is None else close_ns - minutes * 60 * NS_PER_S
        return first_ns - BEFORE_S * NS_PER_S, close_ns + AFTER_S * NS_PER_S

    async def run(self) -> Outcome:
        began_s = time.monotonic()
        _, port = await self._sim.start()
        if self._stretch.slow_wire:
            port = SlowWire(port).port
        clock = HurriedClock(self._loop, self._start_ns)
        self._sim.resume()
        oracle = Oracle(self._stretch.seed, tuple(MAPPED))
        chance = random.Random(f"{self._stretch.seed}/api")
        api = DemoApi(oracle, clock, chance, key=KEY, rates=TROUBLE)
        with DemoServer(api) as server:
            path = self._configuration(port, server.url)
            settings = load_settings(path)
            plan = plan_run(settings, path, self._folder / "state", self._folder / "journal.sqlite3")
            store = Journal(plan.journal)
            parts = TraderParts(
                clock=BrokerClock(self._loop, self._sim), store=store, transport=self._wire, prefix="days",
                rng=random.Random(f"{self._stretch.seed}/trader"),
            )  # fmt: skip
            run = self._run = Run(plan, parts=parts)
            cash = cash_of(self._sim.exchange, "DU1234567")
            self._loop.busy |= {
                "the API": lambda: self._wire.asked,
                "the link": lambda: self._on_its_way(run),
            }
            self._loop.late = lambda: self._is_late(run)
            nights = asyncio.create_task(self._skip(clock))
            report = await run.go(sum(end_ns - begin_ns for begin_ns, end_ns in self._spans) / NS_PER_S)
            await nights
        await self._wire.aclose()
        records = list(decode_records(read_journal(plan.journal)))
        played = Played(self._sim, run, report, records, self.heard, self.watch, cash)
        outcome = Outcome(
            played=played, report=report, complaints=judge(played), counts=self._counts(run, records, api),
            fingerprint=_fingerprint(records), wall_s=time.monotonic() - began_s, market_s=self._loop.time(),
        )  # fmt: skip
        await self._sim.stop()
        return outcome

    async def _skip(self, clock: HurriedClock) -> None:
        """From each span to the next at once."""
        for (_, end_ns), (begin_ns, _) in pairwise(self._spans):
            await asyncio.sleep((end_ns - self._sim.now_ns()) / NS_PER_S)
            await self._sim.set_clock(begin_ns)
            clock.set(begin_ns)

    def _on_its_way(self, run: Run) -> bool:
        """Whether one end has written what the other has not read, or knows of a link that the other does not
        yet: a busy machine's kernel opens the door late too.
        """
        trader = getattr(run, "trader", None)
        if trader is None:
            return False
        sim, mine = self._sim, trader.connection
        if not sim.core.sessions:
            link = mine._engine.wire.link
            return link is not None and link.open
        return bool(sim.bytes_sent != mine.bytes_received or mine.bytes_sent != sim.bytes_received)

    def _is_late(self, run: Run) -> bool:
        """Whether the kernel has yet to deliver some of it. There is one session."""
        trader, session = getattr(run, "trader", None), next(iter(self._sim.core.sessions), None)
        link = None if trader is None else trader.connection._engine.wire.link
        if session is None or link is None or session._transport is None or link._transport is None:
            return False
        here, there = link._transport, session._transport
        return is_late(session.out.bytes_sent, link.bytes_received, there, here) or is_late(
            link.bytes_sent, session.bytes_received, here, there
        )

    def _is_quiet(self) -> bool:
        run = self._run
        still = not (self._loop.in_threads or self._loop.late())
        return run is None or (still and run.trader.engine.idle and not self._on_its_way(run))

    async def _step(self) -> None:
        self.watch.look(self._sim.now_ns())

    def _overhear(self, request: httpx.Request, status: int, body: bytes) -> None:
        """What the API said, as it came over the wire."""
        with contextlib.suppress(ValueError):
            said = json.loads(body)
            if status == 200:
                self.heard.append((request.url.params["ticker"], said))

    def _configuration(self, port: int, url: str) -> Path:
        (self._folder / ".env").write_text(f"API_KEY={KEY}\n", encoding="utf-8")
        path = self._folder / "eight_tickers.toml"
        path.write_text(configured(port, url, self._stretch.changes), encoding="utf-8")
        return path

    def _counts(self, run: Run, records: list[Record], api: DemoApi) -> dict[str, Any]:
        return {
            "requests": len(api.requests),
            "entries": sum(isinstance(each, Planned) and not each.joins for each in records),
            "additions": sum(isinstance(each, Planned) and bool(each.joins) for each in records),
            "reversals": sum(
                isinstance(each, ReversalMoved) and each.phase is ReversalPhase.FLAT for each in records
            ),
            "fills": len(self._sim.exchange.executions()),
            "links": run.trader.desk.state.epoch,
            "bare by the broker's books, s": self.watch.longest_s,
            "records": len(records),
        }


def _fingerprint(records: list[Record]) -> str:
    """One number for the whole run. How it began names the port, which is any free one: that stays out."""
    told = (encode_record(each) for each in records if not isinstance(each, Began | Stamped))
    return hashlib.sha256(b"\n".join(told)).hexdigest()
