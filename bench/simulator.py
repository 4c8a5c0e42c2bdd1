"""How many messages a second the simulated TWS delivers, from its market through its exchange to one
reader.

    python bench/simulator.py [--seconds 5] [--symbols 28] [--orders 0] [--server-version 200]

Ticks are text at server version 200 and protobuf from 206 on. The simulator runs in a process of its own at
speed "max"; this process connects over a real loopback socket, subscribes every symbol, optionally places
resting limit orders, and counts frames without decoding them. Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from decimal import Decimal

from tws.simulator.universe import UNIVERSE
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import MarketDataRequest, PlaceOrderRequest, Request, WireContract, WireOrder
from tws.wire.session import Accepted, ClientSession


class Reader:
    """A raw client: handshake by `tws.wire`, then nothing but counting."""

    def __init__(self, port: int, version: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version = 0
        session = ClientSession(1, max_version=version)
        self.socket.sendall(session.start())
        self.pending = bytearray()
        while not self.version:
            out, events = session.receive(self.socket.recv(65536))
            self.version = next((e.server_version for e in events if isinstance(e, Accepted)), 0)
            self.socket.sendall(out)
        self.pending += session.release()

    def send(self, request: Request) -> None:
        self.socket.sendall(frame(codec.encode(request, self.version)))

    def count(self, seconds: float) -> tuple[int, int, float]:
        """Frames and bytes that arrive within `seconds`, and the seconds it really took."""
        buffer, frames, size = self.pending, 0, 0
        begun = time.perf_counter()
        while (passed := time.perf_counter() - begun) < seconds:
            data = self.socket.recv(1 << 20)
            size += len(data)
            buffer += data
            at, end = 0, len(buffer)
            while end - at >= 4:
                stop = at + 4 + int.from_bytes(buffer[at : at + 4], "big")
                if stop > end:
                    break
                frames += 1
                at = stop
            del buffer[:at]
        return frames, size, passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--symbols", type=int, default=len(UNIVERSE))
    parser.add_argument("--orders", type=int, default=0)
    parser.add_argument("--server-version", type=int, default=200)
    args = parser.parse_args()
    command = [sys.executable, "-m", "tws.cli", "sim"] if _has_main() else [sys.executable, "-c", _RUN, "sim"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--seed", "7", "--speed", "max", "--pacing", "off"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        reader = Reader(port, args.server_version)
        for index, security in enumerate(UNIVERSE[: args.symbols]):
            contract = WireContract(
                con_id=security.con_id,
                symbol=security.symbol,
                sec_type="STK",
                exchange="SMART",
                currency="USD",
            )
            reader.send(MarketDataRequest(1000 + index, contract))
            if index < args.orders:
                order = WireOrder(
                    action="BUY", total_quantity=Decimal(1), order_type="LMT", lmt_price=1.0, tif="GTC"
                )
                reader.send(PlaceOrderRequest(index + 1, contract, order))
        reader.count(1.0)  # warm
        cpu = _cpu(process.pid)
        frames, size, passed = reader.count(args.seconds)
        used = _cpu(process.pid) - cpu
        print(
            json.dumps(
                {
                    "messages_per_s": round(frames / passed),
                    "megabytes_per_s": round(size / passed / 1e6, 1),
                    "server_cpu_s_per_million": round(used / frames * 1e6, 2),
                    "messages": frames,
                    "symbols": args.symbols,
                    "orders": args.orders,
                    "server_version": args.server_version,
                    "cores": os.cpu_count(),
                    "python": sys.version.split()[0],
                }
            )
        )
    finally:
        process.terminate()
        process.wait()


_RUN = "from tws.cli.app import main; main()"


def _has_main() -> bool:
    from importlib.util import find_spec

    return find_spec("tws.cli.__main__") is not None


def _cpu(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
