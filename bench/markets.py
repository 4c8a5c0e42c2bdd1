"""What the markets of a run cost: 500 symbols, 10-second bars, ten indicators each, as a part of one core.

    python bench/markets.py [--symbols 500] [--seconds 60] [--profile] [--json]

A simulated TWS in a process of its own quotes each symbol once and trades it once a second: four ticks and
more. Against it, each in a process of its own and over a real socket:

  wire       a connection with a stream for each symbol and nobody who listens: what reading costs
  rules      `tws run` with a rule that asks ten indicators of each symbol at each of its bars
  strategy   `tws run` with a strategy in Python that has ten studies of each symbol

Figures are processor seconds per second, after the start. What a run costs more than the wire is ours: ticks
into quotes and bars, indicators, bar events, rules or the strategy's thread, and the desk's look at each
quote. The bound is a tenth of a core. Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEN = ("sma(20)", "ema(20)", "wma(20)", "rsi(14)", "macd(12, 26, 9)", "bollinger(20, 2)", "atr(14)",
       "adx(14)", "vwap", "supertrend(10, 3)")  # fmt: skip
STRATEGY = f"""
from tws import Strategy

class Ten(Strategy):
    studies = {TEN!r}

    def on_bar(self, symbol, bar):
        if self.indicator(symbol, "rsi(14)") == -1:
            print("never")
"""
BATCHES = 50
"""Of a second's ticks: as in a market, not all at once."""


def names(symbols: int) -> list[str]:
    return [f"S{number:03d}" for number in range(symbols)]


async def simulate(symbols: int) -> None:
    """The market, until the process is ended; the port on stdout."""
    from tws.clock import SystemClock
    from tws.simulator import SimulatedTWS, SimulatorOptions
    from tws.simulator.limits import Limits
    from tws.simulator.market import ManualMarket
    from tws.simulator.universe import Universe

    universe, listed = Universe(), names(symbols)
    market = ManualMarket([universe.add(symbol) for symbol in listed], SystemClock().now_ns())
    sim = SimulatedTWS(SimulatorOptions(market=market, limits=Limits.off()))
    _, port = await sim.start()
    print(port, flush=True)
    loop, turn = asyncio.get_running_loop(), 0
    begun = loop.time()
    while True:
        for number in range(turn % BATCHES, symbols, BATCHES):
            price = 100 + (turn // BATCHES * 7 + number) % 40 / 100
            sim.quote(listed[number], bid=price - 0.01, ask=price + 0.01)
            sim.trade(listed[number], price, 100)
        turn += 1
        await asyncio.sleep(max(0.0, begun + turn / BATCHES - loop.time()))


async def read_only(port: int, symbols: int, measured: Measured) -> None:
    """A connection and its streams."""
    from tws import TWSConfig
    from tws.connection import PacingOptions, TWSConnection
    from tws.model.contract import stock

    with tempfile.TemporaryDirectory() as folder:
        more = {"pacing": PacingOptions.off(), "journal": Path(folder, "guard.sqlite3")}
        async with TWSConnection(TWSConfig(port=port, client_id=7), **more) as connection:
            streams = [connection.stream_quotes(stock(symbol)) for symbol in names(symbols)]
            for stream in streams:
                await anext(stream)
            await measured.take(lambda: sum(stream.count for stream in streams))


async def run(port: int, symbols: int, how: str, measured: Measured) -> None:
    """A whole run."""
    from tws.config import load_settings
    from tws.runtime.plan import plan_run
    from tws.runtime.run import Run

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        file = folder / "tws.toml"
        file.write_text(configured(port, symbols, how), encoding="utf-8")
        (folder / "ten.py").write_text(STRATEGY, encoding="utf-8")
        (folder / "signals.jsonl").touch()
        whole, ready = Run(plan_run(load_settings(file), file, folder / "state")), asyncio.Event()
        going = asyncio.create_task(whole.go(on_ready=lambda trader: ready.set()))
        await asyncio.wait((going, asyncio.create_task(ready.wait())), return_when=asyncio.FIRST_COMPLETED)
        if not going.done():
            assert whole.pilot is not None
            markets = whole.pilot.markets
            await measured.take(lambda: sum(markets.ticks(symbol) for symbol in names(symbols)))
            whole.end("measured")
        report = await going
        measured.more = [*report.strategies[:1], *report.markets[:1], *(str(each) for each in report.rules)]


def configured(port: int, symbols: int, how: str) -> str:
    head = f"[connection]\nport = {port}\nclient_id = 8\npacing = {{ paced = false }}\n"
    section, kind = "signals", 'file = "signals.jsonl"'
    if how == "strategy":
        section, kind = "strategies", 'kind = "python"\nfile = "ten.py"\nclass = "Ten"'
    text = f"{head}[[{section}]]\n{kind}\nsymbols = {json.dumps(names(symbols))}\nwarm_up = false\n"
    if how == "rules":
        asked = " or ".join(f"{each} < -1" for each in TEN)
        text += f'[[rules]]\nname = "ten"\nwhen = "event == bar and ({asked})"\nthen = \'alert "never"\'\n'
    return text


class Measured:
    """Processor seconds of a stretch of time."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.seconds, self.settle_s, self.profiled = options.seconds, options.settle, options.profile
        self.core_s_per_s = self.ticks_per_s = 0.0
        self.more: list[str] = []

    async def take(self, ticks) -> None:  # type: ignore[no-untyped-def]
        await asyncio.sleep(self.settle_s)
        profile = cProfile.Profile()
        if self.profiled:
            profile.enable()
        begun, spent, count = time.perf_counter(), time.process_time(), ticks()
        await asyncio.sleep(self.seconds)
        passed = time.perf_counter() - begun
        self.core_s_per_s = (time.process_time() - spent) / passed
        self.ticks_per_s = (ticks() - count) / passed
        if self.profiled:
            profile.disable()
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)


def measure(port: int, options: argparse.Namespace, role: str) -> dict[str, object]:
    command = [sys.executable, __file__, "--role", role, "--port", str(port)]
    command += ["--symbols", str(options.symbols), "--seconds", str(options.seconds),
                "--settle", str(options.settle)]
    command += ["--profile"] if options.profile else []
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, object] = json.loads(answer.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=5.0,
                        help="Seconds before it is measured; 360 and every indicator has its value.")
    parser.add_argument("--profile", action="store_true", help="Where it goes, on stderr; it costs, too.")
    parser.add_argument("--only", choices=("wire", "rules", "strategy"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role == "sim":
        asyncio.run(simulate(options.symbols))
    if options.role:
        measured = Measured(options)
        wire = options.role == "wire"
        asyncio.run(
            read_only(options.port, options.symbols, measured) if wire
            else run(options.port, options.symbols, options.role, measured)
        )
        figures = {"core_s_per_s": measured.core_s_per_s, "ticks_per_s": measured.ticks_per_s}
        print(json.dumps({**figures, "told": measured.more}))
        return
    simulator = subprocess.Popen(
        [sys.executable, __file__, "--role", "sim", "--symbols", str(options.symbols)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert simulator.stdout is not None
    try:
        port = int(simulator.stdout.readline())
        roles = [options.only] if options.only else ["wire", "rules", "strategy"]
        rows = {role: measure(port, options, role) for role in roles}
    finally:
        simulator.kill()
    if options.json:
        print(json.dumps({"symbols": options.symbols, "indicators_each": len(TEN), **rows}))
        return
    wire_s = rows.get("wire", {}).get("core_s_per_s", 0.0)
    for role, row in rows.items():
        cost, ticks = row["core_s_per_s"], row["ticks_per_s"]
        assert isinstance(cost, float) and isinstance(wire_s, float)
        own = f", of that ours {cost - wire_s:.4f}" if role != "wire" else ""
        print(f"{role:9} {cost:.4f} core seconds per second at {ticks:.0f} ticks per second{own}")
        for line in row["told"]:  # type: ignore[attr-defined]
            print(f"{'':9} {line}")


if __name__ == "__main__":
    main()
