"""Ten days of a run in virtual time: does its memory stay flat?

    python bench/days.py [--days 10] [--every 90] [--top 12]

One process: the simulated TWS and a run (pilot, trader, connection, its journal on disk) on the in-memory
link of `tws.world`, from Monday's opening on, nights and a weekend included. Eight stocks in exchange hours:
four with signals of a file that grows (each about every `--every` seconds, of all wishes), four with the
crossover of averages; rules enter, reverse and move stops to break even; at each close all is flattened.
Nothing waits for a wall clock, so ten days take as long as their work: 20 to 40 s of one core a day.

What is compressed, and what that changes: each stock moves and trades every `MOVES_S` seconds, where TWS
tells up to four moves a second. Nothing is kept of a quote but the last, which `bench/hour.py` shows at full
speed; here the days are to be long in orders, fills, bars and signals: 1,300 signals, 350 trades, 700 fills
each. What time alone brings is looked at every `OPEN_S` seconds while the market is open and every `SHUT_S`
while it is not, instead of every 0.2; the file of signals every `MOVES_S`.

After each session, an hour after the close and after a collection: RSS, and what can be reached from the run
and from the simulator, in MB; then the attributes of the run that grew most (`--top`). The exchange in the
simulator keeps books of its own, so RSS grows with those too: the run's figure is the one that counts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import psutil

from tws.clock import NS_PER_S, to_datetime
from tws.config import load_settings
from tws.journal.chain import read_journal
from tws.journal.file import JournalFile
from tws.runtime import Trader
from tws.runtime import run as running
from tws.runtime.opening import Opening
from tws.runtime.parts import TraderParts
from tws.runtime.pilot import Pilot
from tws.runtime.plan import plan_run
from tws.runtime.run import Run
from tws.signals import FileSource
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market.base import ManualMarket
from tws.simulator.universe import Universe
from tws.world.faults import Faults
from tws.world.loop import Bounds
from tws.world.world import World

START_NS = int(datetime(2026, 1, 5, 14, 25, tzinfo=UTC).timestamp()) * NS_PER_S
"""Monday, five minutes before the opening in New York."""
MOVES_S, OPEN_S, SHUT_S = 5.0, 1.0, 30.0
ADDRESS = ("tws", 7497)
HEARD, BUILT = ("SPY", "QQQ", "AAPL", "MSFT"), ("IWM", "IBM", "GLD", "NVDA")
CALM = Faults(window=1 << 20)
BOUNDLESS = Bounds(steps=10**12, spin=10**9, time_s=1e9)

CONFIG = f"""
[connection]
host = "{ADDRESS[0]}"
port = {ADDRESS[1]}
[risk]
max_entries = 1000
stale_quote_s = 30
[run]
flatten_before_close_s = 60
[[signals]]
name = "file"
file = "signals.jsonl"
symbols = {json.dumps(HEARD)}
shares = 10
cooldown_s = 60
stop_fraction = 0.004
target_fraction = 0.003
[[strategies]]
kind = "crossover"
symbols = {json.dumps(BUILT)}
shares = 10
cooldown_s = 0
[[rules]]
name = "enter"
when = "event == signal and signal.wish in (BUY, SHORT) and position.side == flat"
then = "enter signal"
[[rules]]
name = "turn"
when = "event == signal and signal.wish == SHORT and position.side == long"
then = "reverse"
[[rules]]
name = "out"
when = "event == signal and signal.wish == SELL and position.side == long"
then = "exit"
[[rules]]
name = "even"
when = "event == bar and position.profit_percent >= 0.2"
then = "break even"
cooldown_s = 300
"""


class FileStore:
    """The journal's file without its thread, of which the virtual loop has none."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, JournalFile(path)
        self._pending: list[bytes] = []

    def append(self, records: Sequence[bytes]) -> None:
        self._pending += [bytes(record) for record in records]

    def commit(self) -> asyncio.Future[None]:
        records, self._pending = self._pending, []
        if records:
            self._file.write(records)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def read(self) -> Iterator[bytes]:
        return read_journal(self._path)

    def close(self) -> None:
        self._file.close()


class Sender:
    """Writes the file of signals while the market is open."""

    def __init__(self, path: Path, world: World, every_s: float) -> None:
        self._path, self._world, self._every_s = path, world, every_s
        self.said = 0

    async def run(self) -> None:
        chance = random.Random(5)
        while True:
            await asyncio.sleep(self._every_s / len(HEARD))
            now_ns = self._world.clock.now_ns()
            if not is_open(now_ns):
                continue
            self.said += 1
            row = {
                "signal_id": f"s{self.said}", "symbol": HEARD[self.said % len(HEARD)], "model": "m",
                "wish": chance.choice(("BUY", "SHORT", "SELL", "NEUTRAL")),
                "confidence": round(chance.random(), 2), "time": to_datetime(now_ns).isoformat(),
            }  # fmt: skip
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


async def move(simulator: SimulatedTWS, world: World) -> None:
    """The market: prices that wander, while it is open."""
    chance = random.Random(11)
    prices = dict.fromkeys((*HEARD, *BUILT), 100.0)
    while True:
        if not is_open(world.clock.now_ns()):
            await asyncio.sleep(MOVES_S)
            continue
        for name, price in prices.items():
            await asyncio.sleep(MOVES_S / len(prices))
            price = prices[name] = round(min(max(price + chance.gauss(0, 0.04), 50), 200), 2)
            simulator.quote(name, bid=price - 0.01, ask=price + 0.01)
            simulator.trade(name, price)


def is_open(now_ns: int) -> bool:
    """Whether New York trades; January has no change of clocks and one holiday, which has no session."""
    at = to_datetime(now_ns)
    return at.weekday() < 5 and 14 * 60 + 30 <= at.hour * 60 + at.minute < 21 * 60 and at.day != 19


async def play(world: World, days: int, folder: Path, options: argparse.Namespace) -> None:
    """All days; a line after each."""
    gc.enable()  # the world collects at the end of a run alone, and this one is long
    gc.unfreeze()
    universe = Universe()
    market = ManualMarket([universe.add(name) for name in (*HEARD, *BUILT)], START_NS)
    simulator = SimulatedTWS(
        SimulatorOptions(market=market, limits=SimLimits.off(), hours="exchange"), world.clock
    )
    await simulator.start(listen=False)
    world.network.listen(*ADDRESS, simulator.protocol_factory)
    path = folder / "days.toml"
    path.write_text(CONFIG, encoding="utf-8")
    (folder / "signals.jsonl").touch()
    plan = plan_run(load_settings(path), path, folder / "state", folder / "journal.sqlite3")
    parts = TraderParts(
        clock=world.clock, dial=world.network.dial, store=FileStore(plan.journal), prefix="d",
        rng=world.rng("trader"),
    )  # fmt: skip
    run = Run(plan, parts=parts)
    run.trader = trader = Trader(plan.config, limits=plan.limits, parts=parts)
    await trader.start()
    run.pilot = pilot = Pilot(trader, plan, world.rng("pilot"))
    await pilot.open()
    sender = Sender(folder / "signals.jsonl", world, options.every)
    tasks = [asyncio.create_task(each) for each in (
        run._trade(pilot, Opening(pilot.sessions, None, lambda countdown: None), None),
        sender.run(),
        move(simulator, world),
    )]  # fmt: skip
    census = Census(run, simulator, options.top)
    for day in range(days):
        await until_shut(world, tasks[0])
        census.look(day + 1)
    run.end("the days are over", "flatten")
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait(tasks)
    tasks[0].result()
    print(f"{sender.said} signals: {', '.join(pilot.book.lines(0))}")
    print(f"fills {sum(held.counted for held in trader.desk.state.ours.holdings.values())}, "
          f"journal {plan.journal.stat().st_size / 1e6:.0f} MB, steps {world.loop.steps}")
    await pilot.close()
    await trader.stop()
    await simulator.stop()


async def until_shut(world: World, trading: asyncio.Task[None]) -> None:
    """Return an hour after the end of the next session."""
    seen = False
    while not trading.done():
        now = is_open(world.clock.now_ns())
        running.LOOK_S = OPEN_S if now else SHUT_S
        if seen and not now:
            await asyncio.sleep(3600)
            return
        seen = seen or now
        await asyncio.sleep(10)


class Census:
    """What can be reached from the run and from the simulator, by where it lies."""

    def __init__(self, run: Run, simulator: SimulatedTWS, top: int) -> None:
        self._run, self._simulator, self._top = run, simulator, top
        self._before: Counter[str] = Counter()
        self._began = time.process_time()

    def look(self, day: int) -> None:
        gc.collect()
        skip = {id(self._simulator), id(self._simulator.core), id(asyncio.get_running_loop())}
        sizes = sized(self._run, skip, beyond="tws.simulator")
        own = sized(self._simulator, {id(self._run), id(asyncio.get_running_loop())})
        rss = psutil.Process().memory_info().rss
        print(f"day {day:2}  RSS {rss / 1e6:7.1f} MB   run {sizes.total() / 1e6:7.2f} MB   "
              f"simulator {own.total() / 1e6:7.2f} MB   {self._run.pilot.book.heard:6} signals   "
              f"{self._run.pilot.traded:5} trades   cpu {time.process_time() - self._began:4.0f} s",
              flush=True)  # fmt: skip
        if self._before and self._top:
            grown = sizes.copy()
            grown.subtract(self._before)
            for name, bytes_ in grown.most_common(self._top):
                if bytes_ > 1024:
                    print(f"        {bytes_ / 1024:9.1f} KiB  {name}")
        self._before = sizes


def sized(root: object, skip: set[int], beyond: str = " ") -> Counter[str]:
    """Bytes of all that can be reached, by the first five attributes on the way; nothing of the package
    `beyond` the link, which in memory leads there.
    """
    found: Counter[str] = Counter()
    seen = {*skip, id(root)}
    todo: deque[tuple[object, str]] = deque([(root, "")])
    while todo:  # breadth first: the shortest way names a thing
        each, name = todo.popleft()
        found[name] += sys.getsizeof(each)
        for part, child in parts_of(each):
            if id(child) in seen or isinstance(child, _CODE) or type(child).__module__.startswith(beyond):
                continue
            seen.add(id(child))
            longer = f"{name}.{part}" if part and name.count(".") < 5 else name
            todo.append((child, longer))
    return found


_CODE = (ModuleType, type, BuiltinFunctionType, logging.Logger)


def parts_of(each: object) -> Iterator[tuple[str, object]]:
    """What an object holds, with the attribute's name where it has one."""
    if isinstance(each, FunctionType | MethodType):
        if isinstance(each, MethodType):
            yield "", each.__self__
        for cell in getattr(each, "__closure__", None) or ():
            yield "", cell
        return
    names: dict[int, str] = {}
    for kind in type(each).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in slots if isinstance(slots, tuple | list) else ():
            if hasattr(each, name):
                names[id(getattr(each, name))] = name
    for name in getattr(each, "__struct_fields__", ()):
        names[id(getattr(each, name))] = name
    if type(getattr(each, "__dict__", None)) is dict:
        names |= {id(value): name for name, value in vars(each).items()}
        for value in vars(each).values():
            yield names[id(value)], value
    for child in gc.get_referents(each):
        yield names.get(id(child), ""), child


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--every", type=float, default=90.0)
    parser.add_argument("--top", type=int, default=12)
    options = parser.parse_args()
    logging.getLogger("tws").setLevel(logging.ERROR)
    world = World(7, faults=CALM, ties=False, bounds=BOUNDLESS, start_ns=START_NS)
    world.loop.on_step = None
    (FileSource.__init__.__kwdefaults__ or {})["look_s"] = MOVES_S
    with tempfile.TemporaryDirectory() as folder:
        world.run(play(world, options.days, Path(folder), options))


if __name__ == "__main__":
    main()
