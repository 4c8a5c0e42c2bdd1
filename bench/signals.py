"""From a signal to its order's bytes: a whole run, by a webhook and by a function, beside the disk's fsync.

    python bench/signals.py [--signals 200] [--journal FOLDER] [--load 0]

A `Run` as `tws run` makes it, with its journal on disk, its risk gate and a real connection, trades eight
stocks on a simulator in a process of its own, which moves each of them four times a second. A client in a
third process posts a BUY to the webhook, then a function answers a bar with one, and so on; each is a bracket
at the market, closed again before the next. The time ends when the last of the bracket's three frames was
written to the socket. It begins, for the function, when it returns (on its thread); for the webhook when the
request's bytes are read, and when the receiver has put the signal down. Beside them stands what one fsync of
4 KiB takes in the same folder, asked in between. `--load` so many more stocks are in the run, and tick.
Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import multiprocessing
import os
import random
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tws.clock import to_datetime
from tws.config import load_settings
from tws.connection import Sending, SendState
from tws.model.market import Bar
from tws.model.signal import Signal, Wish
from tws.runtime.parts import TraderParts
from tws.runtime.plan import plan_run
from tws.runtime.run import Run
from tws.signals import FunctionSource
from tws.signals.source import Heard, Outbox
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market.base import ManualMarket
from tws.simulator.universe import Universe

WARM_UP = 10
TICKS_PER_S = 4
FRAMES = 3
"""Of a bracket: entry, target, stop; TWS begins when the last has come."""
BETWEEN_S = 0.3
"""Signals come apart; TWS's answers to the last one are read by then, and its pace has room
(docs/design/pacing.md): beyond 35 messages a second they would wait for TWS, not for us."""
TOKEN = "a-token-of-the-bench-1"
NAMES = ("SPY", "QQQ", "IWM", "AAPL", "MSFT", "IBM", "GLD", "SLV")
BAR = Bar(time_ns=0, seconds=10, open=1, high=1, low=1, close=1)

CONFIG = """
[connection]
port = {port}
[risk]
stale_quote_s = 60
duplicate_window_s = 0.001
max_entries = 1000
[[signals]]
kind = "webhook"
name = "hook"
symbols = {symbols}
port = 0
per_minute = 6000
token_env = "BENCH_TOKEN"
{trading}
[[signals]]
name = "function"
file = "none.jsonl"
symbols = {others}
{trading}
"""
TRADING = """shares = 10
stop_fraction = 0.03
target_fraction = 0.03
cooldown_s = 0
close_margin_s = 0"""


def serve(door: Connection, names: list[str]) -> None:
    """The simulator's process: all stocks at about 100, moving."""

    async def run() -> None:
        universe = Universe()
        market = ManualMarket([universe.add(name) for name in names], time.time_ns())
        simulator = SimulatedTWS(SimulatorOptions(market=market, limits=SimLimits.off()))
        _, port = await simulator.start()
        for name in names:
            simulator.quote(name, bid=99.99, ask=100.01)
        door.send(port)
        over = asyncio.ensure_future(asyncio.to_thread(door.recv))
        for number, name in enumerate(itertools.cycle(names)):
            await asyncio.sleep(1 / TICKS_PER_S / len(names))
            if over.done():
                break
            cents = number // len(names) % 3 / 100
            simulator.quote(name, bid=99.99 + cents, ask=100.01 + cents)
        await simulator.stop()

    asyncio.run(run())


def post(door: Connection, port: int) -> None:
    """The client's process: posts what it is given, one request a connection, as a charting program does."""
    while (body := door.recv()) is not None:
        head = (
            f"POST /signal HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.sendall(head.encode() + body)
            answer = link.recv(4096)
            assert answer.startswith(b"HTTP/1.1 202"), answer


class Watch:
    """When each signal was put down, when a request was last read, when each signal's last frame left."""

    def __init__(self, run: Run) -> None:
        self.read_s = 0.0
        self.put_s: dict[str, float] = {}
        self.sent_s: dict[str, list[float]] = {}
        self._state = run.trader.desk.state
        run.trader.connection.outbound.on_sent(self._sent)

    def _sent(self, sending: Sending) -> None:
        if sending.state is not SendState.WRITTEN:
            return
        order = self._state.book.get(self._state.book.by_order_id.get(sending.order_id, ""))
        group = self._state.groups.get(order.group_id) if order is not None else None
        if group is not None and group.signal_id:
            self.sent_s.setdefault(group.signal_id, []).append(time.perf_counter())

    @contextmanager
    def watching(self) -> Iterator[None]:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        put, read = Outbox.put, H11Protocol.data_received

        def noting(outbox: Outbox, value: Heard) -> bool:
            if isinstance(value, Signal):
                self.put_s[value.signal_id] = time.perf_counter()
            return put(outbox, value)

        def reading(protocol: Any, data: bytes) -> None:
            self.read_s = time.perf_counter()
            read(protocol, data)

        Outbox.put, H11Protocol.data_received = noting, reading  # type: ignore[method-assign]
        try:
            yield
        finally:
            Outbox.put, H11Protocol.data_received = put, read  # type: ignore[method-assign]


class Stage:
    """One run, its two sources, and how a signal is said and undone."""

    def __init__(self, run: Run) -> None:
        self.run, self.watch = run, Watch(run)
        self.symbols = {"webhook": itertools.cycle(NAMES[:4]), "function": itertools.cycle(NAMES[4:])}
        self.returned_s = 0.0
        self._next: Signal | None = None
        assert run.pilot is not None
        self.pilot = run.pilot
        self._sources = self.pilot.sources._sources

    async def open(self) -> None:
        """Put a function in the place of the file."""
        clock = self.run.clock
        source = FunctionSource(
            self._function, NAMES, clock=clock, rng=random.Random(1), name="function"
        )
        source.on_news(self.run.trader.bell.ring)
        await self._sources[1].stop()
        self._sources[1] = self.function = source
        await source.start()

    def _function(self, symbol: str, bar: Bar) -> Signal | None:
        signal, self._next = self._next, None
        self.returned_s = time.perf_counter()
        return signal

    async def say(self, source: str, signal: Signal, door: Connection) -> None:
        """Return when its last frame has left (a bracket has three), or for a SELL when all is flat."""
        if source == "webhook":
            door.send(json.dumps({
                "signal_id": signal.signal_id, "symbol": signal.symbol, "wish": str(signal.wish),
                "time": to_datetime(signal.time_ns).isoformat(), "confidence": 0.9,
            }).encode())  # fmt: skip
        else:
            self._next = signal
            self.function.on_bar(signal.symbol, BAR)
        trader = self.run.trader
        async with asyncio.timeout(10):
            if signal.wish is Wish.SELL:
                await _until(lambda: trader.flat(signal.symbol))
            else:
                await _until(lambda: trader.position(signal.symbol) == Decimal(10))


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - what is waited for sets no event
        await asyncio.sleep(0.01)


async def play(run: Run, signals: int, folder: Path) -> dict[str, list[float]]:
    """Seconds by what was timed."""
    ready = asyncio.Event()
    going = asyncio.create_task(run.go(on_ready=lambda trader: ready.set()))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([going, waiting], return_when=asyncio.FIRST_COMPLETED)
    if going.done():
        going.result()
    stage = Stage(run)
    await stage.open()
    await _until(lambda: all(stage.pilot.markets.quote(name) is not None for name in NAMES))
    here, there = multiprocessing.Pipe()
    port = stage._sources[0].port  # type: ignore[attr-defined]
    client = multiprocessing.get_context("spawn").Process(target=post, args=(there, port), daemon=True)
    client.start()
    found: dict[str, list[float]] = {}
    probe = os.open(folder / "probe", os.O_RDWR | os.O_CREAT)
    try:
        with stage.watch.watching():
            for number in range(signals + WARM_UP):
                for source in ("webhook", "function"):
                    times = await once(stage, source, number, here, probe)
                    for name, seconds in times.items() if number >= WARM_UP else ():
                        found.setdefault(name, []).append(seconds)
    finally:
        here.send(None)
        os.close(probe)
        run.end("the bench ends", "flatten")
        report = await going
        client.join(10)
    assert report.good and report.traded == 2 * (signals + WARM_UP), report
    return found


async def once(stage: Stage, source: str, number: int, door: Connection, probe: int) -> dict[str, float]:
    """One signal there and back."""
    began = time.perf_counter()
    os.pwrite(probe, b"x" * 4096, 4096 * number)
    os.fsync(probe)
    synced = time.perf_counter() - began
    await asyncio.sleep(BETWEEN_S)
    symbol, watch = next(stage.symbols[source]), stage.watch
    up = Signal(signal_id=f"{source}-{number}", symbol=symbol, wish=Wish.BUY, time_ns=time.time_ns())
    await stage.say(source, up, door)
    sent, put = watch.sent_s[up.signal_id][FRAMES - 1], watch.put_s[up.signal_id]
    if source == "webhook":
        times = {"webhook: from the request to the bytes": sent - watch.read_s,
                 "webhook: from the source to the bytes": sent - put}
    else:
        times = {"function: from its return to the bytes": sent - stage.returned_s}
    await asyncio.sleep(BETWEEN_S)
    down = Signal(signal_id=f"{source}-{number}-out", symbol=symbol, wish=Wish.SELL, time_ns=time.time_ns())
    await stage.say(source, down, door)
    return times | {"one fsync of 4 KiB beside them": synced}


def told(name: str, seconds: list[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    ranked = sorted(seconds)
    return (f"{name:<42} p50 {ranked[len(ranked) // 2] * 1e3:6.3f} ms"
            f"   p99 {ranked[int(len(ranked) * 0.99)] * 1e3:6.3f} ms   worst {ranked[-1] * 1e3:6.3f} ms")


def run_of(port: int, load: list[str], folder: Path) -> Run:
    """The run of a configuration file, as `tws run` makes it."""
    text = CONFIG.format(port=port, symbols=json.dumps([*NAMES[:4], *load]), others=json.dumps(NAMES[4:]),
                         trading=TRADING)
    path = folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    (folder / "none.jsonl").touch()
    (folder / ".env").write_text(f"BENCH_TOKEN={TOKEN}\n", encoding="utf-8")
    plan = plan_run(load_settings(path), path, folder / "state", folder / "journal.sqlite3")
    return Run(plan, parts=TraderParts())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--signals", type=int, default=200, help="of each source")
    parser.add_argument("--load", type=int, default=0, help="more stocks that are followed, and tick")
    parser.add_argument("--journal", type=Path, default=None, help="where the journal is written")
    options = parser.parse_args()
    logging.getLogger("tws").setLevel(logging.ERROR)
    load = [f"L{number:03}" for number in range(options.load)]
    here, there = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=serve, args=(there, [*NAMES, *load]), daemon=True)
    process.start()
    try:
        with tempfile.TemporaryDirectory(dir=options.journal) as folder:
            place, port = Path(folder), here.recv()
            found = asyncio.run(play(run_of(port, load, place), options.signals, place))
        here.send("stop")
    finally:
        process.join(10)
    for name, seconds in found.items():
        print(told(name, seconds))


if __name__ == "__main__":
    main()
