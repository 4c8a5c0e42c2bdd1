"""How long a whole option chain takes: 4,000 contracts with their details, and with TWS's pace kept.

    python bench/chain.py [--contracts 4000] [--runs 3] [--server-version 200] [--peer PYTHON]

A `tws sim` in a process of its own lists the chain of SPY; its first expirations are taken until they hold so
many contracts. One run asks for the chain and for every contract, on a connection of its own. `off`: pacing
switched off on both sides. `on`: the simulator refuses what TWS would (`--pacing reject`), the connection
keeps the pace, and every step of its progress is counted. `--peer` is a Python that has ib_async: the same
chain by the same requests, one for each expiration, without a pace. Times are the fastest and the median, in
seconds;
`simulator_cpu_s` and `client_cpu_s` are those of a run without pace.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

from tws.config import TWSConfig
from tws.connection import PacingOptions, TWSConnection
from tws.model.contract import stock
from tws.model.progress import Progress
from tws.model.reference import OptionChain

logging.getLogger("tws").setLevel(logging.CRITICAL)

PEER = """
import asyncio, json, sys, time
from ib_async import IB, Contract, Stock

async def run(port, dates):
    ib = IB()
    await ib.connectAsync("127.0.0.1", port, clientId=9)
    began = time.perf_counter()
    (stock,) = await ib.qualifyContractsAsync(Stock("SPY", "SMART", "USD"))
    await ib.reqSecDefOptParamsAsync("SPY", "", "STK", stock.conId)
    asked = [Contract(symbol="SPY", secType="OPT", exchange="SMART", currency="USD", tradingClass="SPY",
                      multiplier="100", lastTradeDateOrContractMonth=date) for date in dates]
    found = await asyncio.gather(*map(ib.reqContractDetailsAsync, asked))
    took = time.perf_counter() - began
    ib.disconnect()
    print(json.dumps({"contracts": sum(map(len, found)), "took": took}))

asyncio.run(run(int(sys.argv[1]), sys.argv[2].split(",")))
"""


@contextlib.contextmanager
def simulated(pacing: str, version: int) -> Iterator[tuple[int, psutil.Process]]:
    """The port of a `tws sim`, and its process."""
    command = [sys.executable, "-c", "from tws.cli.app import main; main()", "sim"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--pacing", pacing, "--server-version", str(version), "--speed", "1"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().rsplit(":", 1)[1]), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def listed(port: int, contracts: int) -> tuple[str, ...]:
    """The first expirations that hold so many contracts together."""
    async with opened(port) as connection:
        chain = await at_smart(connection)
        each = len(await connection.request_option_contracts(chain, expirations=chain.expirations[:1]))
        return chain.expirations[: -(-contracts // each)]


def opened(port: int, pacing: PacingOptions | None = None) -> TWSConnection:
    config = TWSConfig(port=port, client_id=5)
    return TWSConnection(config, keep=False, pacing=pacing or PacingOptions.off())


async def at_smart(connection: TWSConnection) -> OptionChain:
    chains = await connection.request_option_chain(stock("SPY"))
    return next(chain for chain in chains if chain.exchange == "SMART")


async def whole(port: int, dates: tuple[str, ...], pacing: PacingOptions) -> tuple[int, float, int]:
    """Contracts, seconds and steps of progress of one run."""
    steps: list[Progress] = []
    async with opened(port, pacing) as connection:
        began = time.perf_counter()
        chain = await at_smart(connection)
        found = await connection.request_option_contracts(
            chain, expirations=dates, on_progress=steps.append
        )
        return len(found), time.perf_counter() - began, len(steps)


def measured(args: argparse.Namespace) -> dict[str, object]:
    report: dict[str, object] = {"server_version": args.server_version}
    with simulated("off", args.server_version) as (port, process):
        dates = asyncio.run(listed(port, args.contracts))
        us, before, own = psutil.Process(), cpu_s(process), cpu_s(psutil.Process())
        runs = [asyncio.run(whole(port, dates, PacingOptions.off())) for _ in range(args.runs)]
        report |= {
            "contracts": runs[0][0], "requests": len(dates) + 2, "off": times([took for _, took, _ in runs]),
            "simulator_cpu_s": round((cpu_s(process) - before) / args.runs, 2),
            "client_cpu_s": round((cpu_s(us) - own) / args.runs, 2),
        }  # fmt: skip
        if args.peer:
            command = [args.peer, "-c", PEER, str(port), ",".join(dates)]
            told = [json.loads(subprocess.check_output(command, text=True)) for _ in range(args.runs)]
            report["ib_async"] = times([one["took"] for one in told]) | {"contracts": told[0]["contracts"]}
    with simulated("reject", args.server_version) as (port, _):
        count, took, steps = asyncio.run(whole(port, dates, PacingOptions()))
        report["on"] = {"contracts": count, "seconds": round(took, 2), "steps": steps}
    return report


def times(seconds: list[float]) -> dict[str, float]:
    return {"fastest": round(min(seconds), 2), "median": round(statistics.median(seconds), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contracts", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--server-version", type=int, default=200)
    parser.add_argument("--peer", help="a Python with ib_async 2.1.0")
    print(json.dumps(measured(parser.parse_args())))


if __name__ == "__main__":
    main()
