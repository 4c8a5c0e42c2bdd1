"""From a wish to its bytes: a bracket through gate, journal and socket, beside the disk's own fsync.

    python bench/decision.py [--brackets 500] [--journal FOLDER]

A real `Trader` with its journal on disk enters brackets and single orders that rest, one by one, on a
simulator in a process of its own. Two times are taken: from the wish, and from the desk's decision, until the
intents and approvals are committed and the frames handed to the socket. Beside them stands what one fsync of
4 KiB takes in the same folder, asked in between, because no commit can be faster. Numbers belong here, never
into a test.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path

from tws import Limits, TWSConfig
from tws.desk import SubmitOrder
from tws.desk.commands import Event
from tws.model.contract import stock
from tws.model.order import OrderType, Side, bracket
from tws.model.records import Approved, Record
from tws.runtime import Trader, TraderParts
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market.base import ManualMarket
from tws.simulator.universe import Universe

WARM_UP = 20
BETWEEN_S = 0.02
"""A strategy's wishes come apart; TWS's answers to the last bracket are read by then."""


def serve(door: Connection) -> None:
    """The simulator's process: SPY at 99.99 to 100.01."""

    async def run() -> None:
        universe = Universe()
        market = ManualMarket([universe.add("SPY")], time.time_ns())
        simulator = SimulatedTWS(SimulatorOptions(market=market, limits=SimLimits.off()))
        _, port = await simulator.start()
        simulator.quote("SPY", bid=99.99, ask=100.01)
        door.send(port)
        await asyncio.to_thread(door.recv)
        await simulator.stop()

    asyncio.run(run())


class Watch:
    """When the desk last approved anything."""

    def __init__(self, trader: Trader) -> None:
        self.at = 0.0
        step = trader.desk.step

        def noting(event: Event, now_ns: int) -> list[Record]:
            records = step(event, now_ns)
            if any(type(record) is Approved for record in records):
                self.at = time.perf_counter()
            return records

        trader.desk.step = noting  # type: ignore[method-assign]


async def play(port: int, brackets: int, folder: Path) -> dict[str, list[float]]:
    """Seconds by what was timed."""
    limits = Limits(stale_quote_s=3600, max_entries=None, max_messages_per_s=1000, duplicate_window_s=0.001)
    parts = TraderParts(journal=folder / "journal.sqlite3")
    found: dict[str, list[float]] = {}
    probe = os.open(folder / "probe", os.O_RDWR | os.O_CREAT)
    try:
        async with Trader(TWSConfig(port=port, client_id=1), limits=limits, parts=parts) as trader:
            await trader.quote(stock("SPY"))
            watch = Watch(trader)
            single = SubmitOrder(instrument=await trader.instrument(stock("SPY")), side=Side.BUY,
                                 quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(98))
            for number in range(brackets + WARM_UP):
                began = time.perf_counter()
                os.pwrite(probe, b"x" * 4096, 4096 * number)
                os.fsync(probe)
                synced = time.perf_counter()
                trade = await trader.submit(bracket(stock("SPY"), "BUY", 1, limit=98, stop=95, target=103))
                done, decided = time.perf_counter(), watch.at
                assert trade.denial is None, trade.denial
                await asyncio.sleep(BETWEEN_S)
                alone = time.perf_counter()
                records = await trader.ask(single)
                sent = time.perf_counter()
                assert any(isinstance(record, Approved) for record in records), records
                if number >= WARM_UP:
                    for name, seconds in (
                        ("one order, wish to bytes", sent - alone),
                        ("one order, decision to bytes", sent - watch.at),
                        ("a bracket, wish to bytes", done - synced),
                        ("a bracket, decision to bytes", done - decided),
                        ("one fsync of 4 KiB beside them", synced - began),
                    ):
                        found.setdefault(name, []).append(seconds)
                await trader.cancel_all()
                await asyncio.sleep(BETWEEN_S)
    finally:
        os.close(probe)
    return found


def told(name: str, seconds: list[float]) -> str:
    """Median and 99th percentile in milliseconds."""
    ranked = sorted(seconds)
    return (f"{name:<42} p50 {ranked[len(ranked) // 2] * 1e3:6.3f} ms"
            f"   p99 {ranked[int(len(ranked) * 0.99)] * 1e3:6.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brackets", type=int, default=500)
    parser.add_argument("--journal", type=Path, default=None, help="where the journal is written")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        with tempfile.TemporaryDirectory(dir=options.journal) as folder:
            found = asyncio.run(play(here.recv(), options.brackets, Path(folder)))
        here.send("stop")
    finally:
        process.join(10)
    for name, seconds in found.items():
        print(told(name, seconds))


if __name__ == "__main__":
    main()
