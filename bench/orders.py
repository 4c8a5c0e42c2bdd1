"""A long session: so many orders over one real loopback connection, how fast, and in how much memory.

    python bench/orders.py [--orders 200000] [--window 64] [--rest 10] [--pings 2000]

The simulator runs in a process of its own. This process first places `pings` market orders one by one and
times each from its placeOrder to its execDetails; then it places `orders` by text frames built from one
template, `window` of them in flight, most of them market orders that fill at once, one in `rest` a resting
limit that is cancelled later; at last it asks for all executions and completed orders and counts the rows.
Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import sys
import time
from decimal import Decimal
from multiprocessing.connection import Connection

import psutil

from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits
from tws.simulator.market.base import ManualMarket
from tws.simulator.universe import Universe
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import (
    CancelOrderRequest,
    CompletedOrdersRequest,
    ExecutionRequest,
    PlaceOrderRequest,
    WireContract,
    WireOrder,
)
from tws.wire.session import Accepted, ClientSession

STATUS, ERROR, EXECUTION, REPORT, EXECUTIONS_END = b"3", b"4", b"11", b"59", b"55"
COMPLETED, COMPLETED_END = b"101", b"102"
MARK = 987_654_321
"""Stands in the template for the order id."""


def serve(door: Connection) -> None:
    """The simulator's process: SPY at 100.00 / 100.01 with size enough for everybody."""

    async def run() -> None:
        universe = Universe()
        spy = universe.symbol("SPY")
        assert spy is not None
        options = SimulatorOptions(
            market=ManualMarket([spy], time.time_ns()), cash=Decimal(10**13),
            limits=Limits(messages_per_s=None), server_version=200,
        )  # fmt: skip
        simulator = SimulatedTWS(options)
        _, port = await simulator.start()
        simulator.quote("SPY", bid=100, ask=100.01, bid_size=10**12, ask_size=10**12)
        door.send(port)
        await asyncio.to_thread(door.recv)
        await simulator.stop()

    asyncio.run(run())


class Link:
    """A raw client: handshake by `tws.wire`, then frames by their first field."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version, self.pending = 0, bytearray()
        session = ClientSession(1)
        self.socket.sendall(session.start())
        while not self.version:
            out, events = session.receive(self.socket.recv(65536))
            self.version = next((e.server_version for e in events if isinstance(e, Accepted)), 0)
            self.socket.sendall(out)
        self.pending += session.release()

    def frames(self) -> list[bytes]:
        """The payloads of what came, at least one."""
        found: list[bytes] = []
        while not found:
            data = self.socket.recv(1 << 20)
            if not data:
                raise SystemExit("the simulator closed the session")
            buffer = self.pending
            buffer += data
            at, end = 0, len(buffer)
            while end - at >= 4:
                stop = at + 4 + int.from_bytes(buffer[at : at + 4], "big")
                if stop > end:
                    break
                found.append(bytes(buffer[at + 4 : stop]))
                at = stop
            del buffer[:at]
        return found


class Template:
    """One placeOrder frame with a hole for the id."""

    def __init__(self, order: WireOrder, version: int) -> None:
        contract = WireContract(con_id=756733, symbol="SPY", sec_type="STK", exchange="SMART", currency="USD")
        payload = codec.encode(PlaceOrderRequest(MARK, contract, order), version)
        self._head, self._tail = payload.split(str(MARK).encode(), 1)

    def of(self, order_id: int) -> bytes:
        return frame(b"%b%d%b" % (self._head, order_id, self._tail))


def ping(link: Link, market: Template, first: int, count: int) -> list[float]:
    """Milliseconds from placeOrder to execDetails, one order at a time."""
    took = []
    for order_id in range(first, first + count):
        begun = time.perf_counter()
        link.socket.sendall(market.of(order_id))
        done = filled = False
        while not done:
            for payload in link.frames():
                kind = payload.split(b"\0", 1)[0]
                if kind == EXECUTION and not filled:
                    took.append((time.perf_counter() - begun) * 1000)
                    filled = True
                done = done or kind == REPORT
    return took


def flood(
    link: Link, templates: tuple[Template, Template], args: argparse.Namespace, server: psutil.Process
) -> None:
    """All the orders, `window` in flight; a line of figures every tenth."""
    market, limit = templates
    first, last = args.pings + 1, args.pings + args.orders
    sent, ended, next_id, resting = 0, 0, first, []
    begun = lap = time.perf_counter()
    step = max(1, args.orders // 10)
    while ended < args.orders:
        out = []
        while sent - ended < args.window and next_id <= last:
            rests = args.rest and next_id % args.rest == 0
            out.append((limit if rests else market).of(next_id))
            if rests:
                resting.append(next_id)
            next_id += 1
            sent += 1
        while len(resting) > 3 or (resting and next_id > last):
            out.append(frame(codec.encode(CancelOrderRequest(resting.pop(0)), link.version)))
        if out:
            link.socket.sendall(b"".join(out))
        for payload in link.frames():
            kind, rest = payload.split(b"\0", 1)
            if kind == REPORT or (kind == ERROR and b"\x00202\x00" in rest):
                ended += 1
                if ended % step == 0:
                    now = time.perf_counter()
                    print(json.dumps({
                        "orders": ended, "orders_per_s": round(step / (now - lap)),
                        "rss_mb": round(server.memory_info().rss / 1e6),
                    }), flush=True)  # fmt: skip
                    lap = now
            elif kind == ERROR and not rest.startswith(b"-1"):
                print("error:", rest[:120])
    print(
        json.dumps({"orders_per_s_overall": round(args.orders / (time.perf_counter() - begun))}), flush=True
    )


def ask(link: Link, what: bytes, row: bytes, end: bytes) -> tuple[int, float]:
    """How many rows an answer has, and its seconds."""
    begun, rows = time.perf_counter(), 0
    link.socket.sendall(what)
    while True:
        for payload in link.frames():
            kind = payload.split(b"\0", 1)[0]
            rows += kind == row
            if kind == end:
                return rows, time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--rest", type=int, default=10)
    parser.add_argument("--pings", type=int, default=2000)
    args = parser.parse_args()
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    process.start()
    try:
        link = Link(here.recv())
        server = psutil.Process(process.pid)
        size = Decimal(100)
        market = Template(
            WireOrder(action="BUY", total_quantity=size, order_type="MKT", tif="DAY"), link.version
        )
        limit = Template(
            WireOrder(action="BUY", total_quantity=size, order_type="LMT", lmt_price=50.0, tif="DAY"),
            link.version,
        )
        took = sorted(ping(link, market, 1, args.pings))
        print(json.dumps({
            "order_to_fill_ms_p50": round(took[len(took) // 2], 3),
            "p99": round(took[len(took) * 99 // 100], 3), "rss_mb": round(server.memory_info().rss / 1e6),
            "cores": os.cpu_count(), "python": sys.version.split()[0],
        }), flush=True)  # fmt: skip
        flood(link, (market, limit), args, server)
        for name, what, row, end in (
            ("executions", ExecutionRequest(9), EXECUTION, EXECUTIONS_END),
            ("completed", CompletedOrdersRequest(False), COMPLETED, COMPLETED_END),
        ):
            rows, seconds = ask(link, frame(codec.encode(what, link.version)), row, end)
            print(json.dumps({
                name: rows, "seconds": round(seconds, 1), "rss_mb": round(server.memory_info().rss / 1e6),
            }), flush=True)  # fmt: skip
        here.send("end")
        process.join(10)
    finally:
        if process.is_alive():
            process.terminate()
            process.join()


if __name__ == "__main__":
    main()
