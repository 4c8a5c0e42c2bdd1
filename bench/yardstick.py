"""Our client's adapter for the yardstick: `yardstick.py PORT TEST ARGUMENT` ends with one JSON object.

    compare.py --ours "python bench/yardstick.py"

runs it beside the official client and ib_async on the same bytes; compare.py's docstring says what each test
is and which keys it wants. The server knows prebuilt streams by request id 1001 alone, so our ids begin
there. The guard is off and TWS's pace is not kept, since the peers have no guard and run without their pace.

Two tests are ours alone: `columns 10000`, the bars as columns, and `guarded 2000`, orders through the
built-in guard with its journal on disk, and how much of the time its commit takes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import psutil

from tws.config import TWSConfig
from tws.connection import Keep, PacingOptions, TWSConnection
from tws.connection.ids import RequestIds
from tws.connection.ordering.guard import SqliteBook
from tws.model.contract import Contract
from tws.model.facts import BrokerOrderStatus, Fact
from tws.model.order import Order, OrderType, Side
from tws.wire.messages import CurrentTime

logging.getLogger("tws").setLevel(logging.CRITICAL)

Result = dict[str, float]
now = time.perf_counter


def contract(symbol: str) -> Contract:
    return Contract(con_id=265598, symbol=symbol)


def part(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def memory_mb() -> float:
    """The most memory that this process has held; where the system does not say, what it holds now."""
    info = psutil.Process().memory_info()
    try:
        import resource
    except ImportError:
        return float(getattr(info, "peak_wset", info.rss)) / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def begin_ids_at(connection: TWSConnection, first: int) -> None:
    engine, ids = connection._engine, RequestIds(first)
    engine.request_ids = engine.answers.request_ids = engine.answers.subscriptions.ids = ids


def new(port: int, journal: Path | None = None) -> TWSConnection:
    """With the guard when it has a journal. Nothing is asked for at the start: the yardstick's server does
    not answer all of it (reqAllOpenOrders; executions in protobuf), and is busy with it while we measure.
    """
    config = TWSConfig(port=port, connection_timeout=5)
    guard: Literal["default", "off"] = "off" if journal is None else "default"
    keep, pacing = Keep(sync=False), PacingOptions.off()
    return TWSConnection(config, guard=guard, journal=journal, keep=keep, pacing=pacing)


async def connected(port: int, journal: Path | None = None) -> TWSConnection:
    connection = new(port, journal)
    begin_ids_at(connection, 1001)
    if not await connection.connect():
        raise SystemExit(str(connection.failure))
    return connection


class EndMark:
    """The server ends a stream with currentTime (49): the clocks are read as it is decoded."""

    def __init__(self, connection: TWSConnection) -> None:
        self.done = asyncio.get_running_loop().create_future()
        connection._engine.answers.handlers[CurrentTime] = self.seen

    def seen(self, _: CurrentTime) -> None:
        self.at, self.cpu = now(), time.process_time()
        if not self.done.done():
            self.done.set_result(None)


async def stream(port: int, symbol: str) -> Result:
    count, seen = int(symbol[1:]), 0
    connection = await connected(port)
    end = EndMark(connection)

    def on_quote(field: int, price: float, size: float) -> None:
        nonlocal seen
        seen += 1

    def on_tick(tick: object) -> None:
        nonlocal seen
        seen += 1

    begin, cpu = now(), time.process_time()
    if symbol[0] == "T":
        connection.stream_ticks(contract(symbol)).on_tick(on_tick)
    else:
        connection.stream_quotes(contract(symbol)).on_tick(on_quote)
    await end.done
    connection.disconnect()
    assert seen == count, f"{seen} of {count} ticks"
    took = end.at - begin
    return {"msgs": count, "secs": took, "rate": count / took, "cpu_per_1m": (end.cpu - cpu) / count * 1e6}


async def paced(port: int, symbol: str) -> Result:
    connection = await connected(port)
    end, late = EndMark(connection), list[float]()
    cpu = time.process_time()
    connection.stream_quotes(contract(symbol)).on_tick(lambda field, price, size: late.append(now() - price))
    await end.done
    connection.disconnect()
    return {
        "msgs": len(late),
        "p50_us": part(late, 0.5) * 1e6,
        "p99_us": part(late, 0.99) * 1e6,
        "max_us": max(late) * 1e6,
        "cpu_per_1m": (end.cpu - cpu) / len(late) * 1e6,
    }


LIMIT = Order(side=Side.BUY, quantity=Decimal(100), order_type=OrderType.LIMIT, limit_price=Decimal(100))


async def orders(port: int, count: int, journal: Path | None = None) -> Result:
    connection = await connected(port, journal)
    done, late, began = asyncio.get_running_loop().create_future(), list[float](), 0.0

    def place() -> None:
        nonlocal began
        began = now()
        connection.place_order(contract("AAPL"), LIMIT)

    def heard(fact: Fact) -> None:
        if isinstance(fact, BrokerOrderStatus) and fact.status == "Submitted":
            late.append(now() - began)
            if len(late) < count:
                place()
            else:
                done.set_result(None)

    connection.facts(heard)
    place()
    await done
    connection.disconnect()
    return {"n": len(late), "p50_us": part(late, 0.5) * 1e6, "p99_us": part(late, 0.99) * 1e6}


async def guarded(port: int, count: int) -> Result:
    commits, commit = list[float](), SqliteBook.commit

    def timed(book: SqliteBook) -> None:
        began = now()
        commit(book)
        commits.append(now() - began)

    SqliteBook.commit = timed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TWS_JOURNALS")) as folder:
        result = await orders(port, count, Path(folder) / "guard.sqlite3")
    result["commit_p50_us"] = part(commits, 0.5) * 1e6
    result["commit_p99_us"] = part(commits, 0.99) * 1e6
    result["commit_share"] = result["commit_p50_us"] / result["p50_us"]
    return result


async def burst(port: int, count: int, size: int = 10) -> Result:
    connection = await connected(port)
    loop, late, left = asyncio.get_running_loop(), list[float](), 0
    done = loop.create_future()

    def heard(fact: Fact) -> None:
        nonlocal left
        if isinstance(fact, BrokerOrderStatus) and fact.status == "Submitted":
            left -= 1
            if left == 0:
                late.append(now() - began)
                done.set_result(None)

    connection.facts(heard)
    for _ in range(count):
        done, left, began = loop.create_future(), size, now()
        for _ in range(size):
            connection.place_order(contract("AAPL"), LIMIT)
        await done
    connection.disconnect()
    return {
        "n": len(late),
        "p50_ms": part(late, 0.5) * 1e3,
        "p99_ms": part(late, 0.99) * 1e3,
        "orders_per_s": count * size / sum(late),
    }


async def req3(port: int, count: int) -> Result:
    connection = await connected(port)
    late = list[float]()
    for _ in range(count):
        await asyncio.sleep(0.005)
        began = now()
        connection.official.cancelMktData(5)
        connection.official.cancelMktData(6)
        await connection.request_current_time()
        late.append(now() - began)
    connection.disconnect()
    return {"n": len(late), "p50_ms": part(late, 0.5) * 1e3, "p99_ms": part(late, 0.99) * 1e3}


async def hist(port: int, count: int) -> Result:
    connection = await connected(port)
    began = now()
    bars = await connection.request_historical_bars(contract(f"H{count}"), duration="1 Y")
    took = now() - began
    connection.disconnect()
    return {"n": len(bars), "ms": took * 1e3, "us_per_bar": took / count * 1e6}


async def columns(port: int, count: int) -> Result:
    connection = await connected(port)
    began = now()
    made = await connection.request_historical_columns(contract(f"H{count}"), duration="1 Y")
    took = now() - began
    connection.disconnect()
    return {"n": len(made), "ms": took * 1e3, "us_per_bar": took / count * 1e6}


async def connects(port: int, count: int) -> Result:
    """Ready is when the session is: the moment at which the peers' adapters look, too. `connect()` itself
    returns a turn of the loop later.
    """
    opened, closed, gone = list[float](), list[float](), list[float]()
    ready = 0.0

    def on_connected() -> None:
        nonlocal ready
        ready = now()

    for _ in range(count):
        connection = new(port)
        connection.set_callbacks(on_connected=on_connected)
        began = now()
        if not await connection.connect():
            raise SystemExit(str(connection.failure))
        opened.append(ready - began)
        began = now()
        connection.disconnect()
        closed.append(now() - began)
        await connection.wait_closed()
        gone.append(now() - began)
    middle = statistics.median
    return {
        "n": count,
        "connect_ms": middle(opened) * 1e3,
        "connect_max_ms": max(opened) * 1e3,
        "disconnect_ms": middle(closed) * 1e3,
        "threads_gone_ms": middle(gone) * 1e3,
    }


async def slow(port: int, symbol: str, seconds: float = 8.0) -> Result:
    connection = await connected(port)
    base, seen, until = memory_mb(), 0, now() + seconds

    def on_quote(field: int, price: float, size: float) -> None:
        nonlocal seen
        time.sleep(0.001)
        seen += 1
        if now() > until:
            print(json.dumps({"base_mb": base, "peak_mb": memory_mb(), "consumed": seen}), flush=True)
            os._exit(0)

    connection.stream_quotes(contract(symbol)).on_tick(on_quote)
    await asyncio.sleep(seconds * 3)
    raise SystemExit("the flood ended before its time")


TESTS: dict[str, tuple[Callable[..., Awaitable[Result]], Callable[[str], Any]]] = {
    "stream": (stream, str),
    "paced": (paced, str),
    "orders": (orders, int),
    "guarded": (guarded, int),
    "burst": (burst, int),
    "req3": (req3, int),
    "hist": (hist, int),
    "columns": (columns, int),
    "connects": (connects, int),
    "slow": (slow, str),
}


async def main() -> None:
    port, test, argument = int(sys.argv[1]), *sys.argv[2:4]
    run, read = TESTS[test]
    print(json.dumps(await run(port, read(argument))))


if __name__ == "__main__":
    asyncio.run(main())
