"""How long an emergency stop takes from the call to FLAT, proven: positions with two exits each.

    python bench/kill.py [--positions 50] [--rounds 3] [--journal FOLDER]

The simulator runs in a process of its own with TWS's limits on: 50 messages a second, the session ended after
three too many. This process is a real `Trader` on a real socket with its journal on disk. RISK.md bounds the
time by messages divided by the permitted rate, plus one second: two cancels and one close for each position.
Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from tws import Limits, TWSConfig
from tws.model.contract import stock
from tws.model.order import bracket
from tws.runtime import Trader, TraderParts
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market.base import ManualMarket
from tws.simulator.universe import Universe

RATE = 50
PACE_S = 0.15  # three messages each: below the desk's own limit for entries
REST_S = 3.0  # so that the second before the stop is empty, as on an ordinary day


def serve(door: Connection, symbols: list[str]) -> None:
    """The simulator's process: every symbol at 99.99 to 100.01."""

    async def run() -> None:
        universe = Universe()
        market = ManualMarket([universe.add(symbol) for symbol in symbols], time.time_ns())
        simulator = SimulatedTWS(SimulatorOptions(market=market, limits=SimLimits()))
        _, port = await simulator.start()
        for symbol in symbols:
            simulator.quote(symbol, bid=99.99, ask=100.01)
        door.send(port)
        await asyncio.to_thread(door.recv)
        held = sum(1 for row in simulator.exchange.positions() if row.quantity)
        door.send((held, len(simulator.exchange.open_orders())))
        await simulator.stop()

    asyncio.run(run())


async def play(port: int, symbols: list[str], folder: Path) -> tuple[float, str]:
    """Enter everywhere, rest, stop; the seconds to the answer, and the answer."""
    limits = Limits(stale_quote_s=3600, max_gross_notional=None)
    parts = TraderParts(journal=folder / "journal.sqlite3")
    async with Trader(TWSConfig(port=port, client_id=1), limits=limits, parts=parts) as trader:
        for symbol in symbols:
            await trader.quote(stock(symbol))
        for symbol in symbols:
            trade = await trader.submit(bracket(stock(symbol), "BUY", 10, stop=97, target=103))
            assert trade.denial is None, trade.denial
            assert await trade.entry_filled() == 10
            await asyncio.sleep(PACE_S)
        await asyncio.sleep(REST_S)
        began = time.perf_counter()
        report = await trader.kill(reason="bench", operator="bench", flatten=True)
        return time.perf_counter() - began, "\n".join(report.sentences()[:3])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--positions", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--journal", type=Path, default=None, help="where the journals are written")
    options = parser.parse_args()
    symbols = [f"K{number:02d}" for number in range(options.positions)]
    messages = 3 * len(symbols)
    bound_s = messages / RATE + 1
    print(f"{len(symbols)} positions, two exits each: {messages} messages at {RATE}/s, bound {bound_s:.2f} s")
    worst = 0.0
    spawn = multiprocessing.get_context("spawn")
    for number in range(options.rounds):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=serve, args=(theirs, symbols), daemon=True)
        process.start()
        with tempfile.TemporaryDirectory(dir=options.journal) as folder:
            took_s, answer = asyncio.run(play(ours.recv(), symbols, Path(folder)))
        ours.send("end")
        held, working = ours.recv()
        process.join()
        worst = max(worst, took_s)
        print(f"round {number + 1}: {took_s:.3f} s, {answer}; the broker holds {held}, works {working}")
        if held or working:
            return 1
    print(f"worst {worst:.3f} s of {bound_s:.2f} s")
    return 0 if worst <= bound_s else 1


if __name__ == "__main__":
    sys.exit(main())
