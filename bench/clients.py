"""How late market data come when many clients listen to many lines.

    python bench/clients.py [--seconds 300] [--clients 32] [--lines 100] [--server-version 200]

A `tws sim` in a process of its own gives four updates a second per symbol in real time; this process
holds all the sessions and stamps every read. Prints carry market time (RTVolume, generic 233), which
says when within a quarter of a second each symbol speaks; from that every other message's lateness
follows too. Zero is the earliest message of the warm-up: what both clocks differ by. `late_ms` is of all
messages (a delay beyond 245 ms would look short there), `print_late_ms` of the prints alone, without
that limit.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter

from tws.simulator.universe import Universe
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import MarketDataRequest, Request, WireContract
from tws.wire.session import Accepted, ClientSession

STEP_NS = 250_000_000
BIN_NS = 100_000
EARLY_NS = 5_000_000
"""By so much a message may come before the earliest of the warm-up."""
WARM_S = 8.0
RT_VOLUME = 48


class Client:
    """One session: handshake by `tws.wire`, then frames are looked at, not decoded."""

    def __init__(self, port: int, client_id: int, version: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = ClientSession(client_id, max_version=version)
        self.socket.sendall(session.start())
        self.version = 0
        while not self.version:
            out, events = session.receive(self.socket.recv(65536))
            self.version = next((e.server_version for e in events if isinstance(e, Accepted)), 0)
            self.socket.sendall(out)
        self.buffer = bytearray(session.release())
        self.bytes = 0

    def send(self, request: Request) -> None:
        self.socket.sendall(frame(codec.encode(request, self.version)))

    def read(self) -> list[tuple[int, int, bytes]]:
        """(request, tick type, the rest) of the ticks that arrived."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise SystemExit("the simulator closed a session")
        self.bytes += len(data)
        buffer = self.buffer
        buffer += data
        found, at, end = [], 0, len(buffer)
        while end - at >= 4:
            stop = at + 4 + int.from_bytes(buffer[at : at + 4], "big")
            if stop > end:
                break
            tick = _binary(buffer[at + 4 : stop]) if self.version >= 206 else _text(buffer[at + 4 : stop])
            if tick is not None:
                found.append(tick)
            at = stop
        del buffer[:at]
        return found


def _text(payload: bytearray) -> tuple[int, int, bytes] | None:
    fields = payload.split(b"\0", 4)
    if fields[0] not in (b"1", b"2", b"45", b"46") or len(fields) < 5:
        return None
    return int(fields[2]), int(fields[3]), bytes(fields[4])


def _binary(payload: bytearray) -> tuple[int, int, bytes] | None:
    """Requests here are below 128, so each of the first two fields is two bytes."""
    if int.from_bytes(payload[:4], "big") not in (201, 202, 245, 246):
        return None
    return payload[5], payload[7], bytes(payload[10:])


class Meter:
    """What arrived when. Market time less wall time is taken from the earliest print of the warm-up."""

    def __init__(self) -> None:
        self.phases: dict[int, int] = {}
        self.zero_ns: int | None = None
        self.warm = True
        self.messages = 0
        self.all: Counter[int] = Counter()
        self.prints: Counter[int] = Counter()

    def take(self, ticks: list[tuple[int, int, bytes]], now_ns: int) -> None:
        for req_id, kind, rest in ticks:
            if kind == RT_VOLUME:
                stamp_ns = int(rest.split(b";")[2]) * 1_000_000
                if self.warm:
                    self.phases[req_id] = stamp_ns % STEP_NS
                    self.zero_ns = min(now_ns - stamp_ns, self.zero_ns or now_ns - stamp_ns)
                elif self.zero_ns is not None:
                    self.prints[(now_ns - stamp_ns - self.zero_ns) // BIN_NS] += 1
            if not self.warm and self.zero_ns is not None and req_id in self.phases:
                self.messages += 1
                late_ns = now_ns - self.zero_ns - self.phases[req_id] + EARLY_NS
                self.all[(late_ns % STEP_NS - EARLY_NS) // BIN_NS] += 1


def percentiles(counts: Counter[int]) -> dict[str, float]:
    """p50, p99, p99.9 and the worst, in milliseconds."""
    total, passed, found = sum(counts.values()), 0, {}
    wanted = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)]
    for bin_, count in sorted(counts.items()):
        passed += count
        while wanted and passed >= wanted[0][1] * total:
            found[wanted.pop(0)[0]] = round(bin_ * BIN_NS / 1e6, 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--lines", type=int, default=100, help="per client, at most 120")
    parser.add_argument("--server-version", type=int, default=200)
    args = parser.parse_args()
    command = [sys.executable, "-c", "from tws.cli.app import main; main()", "sim"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--pacing", "off", "--updates-per-s", "4"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        report = measure(port, args)
        report |= {"server": _cost(process.pid), "cores": os.cpu_count()}
        print(json.dumps(report))
    finally:
        process.terminate()
        process.wait()


def measure(port: int, args: argparse.Namespace) -> dict[str, object]:
    """Subscribe everything, warm up, then stamp every read for so many seconds."""
    stocks = [s for s in Universe().known if s.sec_type == "STK" and s.currency == "USD"][: args.lines]
    clients = [Client(port, number, args.server_version) for number in range(args.clients)]
    selector, meter = selectors.DefaultSelector(), Meter()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        for req_id, security in enumerate(stocks, start=1):
            contract = WireContract(con_id=security.con_id, exchange="SMART")
            client.send(MarketDataRequest(req_id, contract, "233"))
    _pump(selector, meter, WARM_S)
    meter.warm, began, bytes_before = False, time.perf_counter(), sum(client.bytes for client in clients)
    _pump(selector, meter, args.seconds)
    passed = time.perf_counter() - began
    return {
        "clients": len(clients),
        "lines": len(clients) * len(stocks),
        "server_version": clients[0].version,
        "seconds": round(passed, 1),
        "messages_per_s": round(meter.messages / passed),
        "kilobytes_per_s": round((sum(client.bytes for client in clients) - bytes_before) / passed / 1000),
        "late_ms": percentiles(meter.all),
        "print_late_ms": percentiles(meter.prints),
    }


def _pump(selector: selectors.BaseSelector, meter: Meter, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        for key, _ in selector.select(left):
            now_ns = time.time_ns()
            meter.take(key.data.read(), now_ns)


def _cost(pid: int) -> dict[str, float]:
    import psutil

    process = psutil.Process(pid)
    times = process.cpu_times()
    return {
        "cpu_s": round(times.user + times.system, 1),
        "megabytes": round(process.memory_info().rss / 1e6, 1),
    }


if __name__ == "__main__":
    main()
