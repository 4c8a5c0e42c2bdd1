"""An hour of market data to many clients in virtual time: does memory stay flat, and what does it cost?

    python bench/hour.py [--minutes 60] [--clients 32] [--lines 100] [--server-version 200]

One process: the simulated TWS and counting clients on the in-memory links of `tws.world`, with the load of
`bench/clients.py` (four updates a second per symbol). Nothing waits for a wall clock, so the hour takes
as long as the work does: some ten minutes of one core. Memory is sampled every virtual minute. What may
grow is the tape: 64 bytes for each second of a symbol, ten hours deep; `tape_megabytes` is that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

import psutil

from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits
from tws.simulator.universe import Universe
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import MarketDataRequest, WireContract
from tws.wire.session import Accepted, ClientSession
from tws.world.faults import Faults
from tws.world.loop import Bounds
from tws.world.world import World

CALM = Faults(window=1 << 20)
BOUNDLESS = Bounds(steps=10**12, spin=10**9)
ADDRESS = ("tws", 7497)
ROW_BYTES = 64


class Counter(asyncio.Protocol):
    """A client that subscribes and counts."""

    def __init__(self, client_id: int, contracts: list[WireContract], version: int) -> None:
        self.session = ClientSession(client_id, max_version=version)
        self.contracts = contracts
        self.version = 0
        self.bytes = self.frames = 0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.session.start())

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if self.version:
            self._count(data)
            return
        out, events = self.session.receive(data)
        self.transport.write(out)
        self.version = next((e.server_version for e in events if isinstance(e, Accepted)), 0)
        if self.version:
            self._rest = self.session.release()
            for req_id, contract in enumerate(self.contracts, start=1):
                self.transport.write(
                    frame(codec.encode(MarketDataRequest(req_id, contract, "233"), self.version))
                )

    def _count(self, data: bytes) -> None:
        buffer = self._rest + data
        at, end = 0, len(buffer)
        while end - at >= 4:
            stop = at + 4 + int.from_bytes(buffer[at : at + 4], "big")
            if stop > end:
                break
            self.frames += 1
            at = stop
        self._rest = buffer[at:]


async def play(world: World, args: argparse.Namespace) -> dict[str, object]:
    """Run the minutes, sampling memory."""
    simulator = SimulatedTWS(SimulatorOptions(limits=Limits.off(), updates_per_s=4), world.clock)
    await simulator.start(listen=False)
    world.network.listen(*ADDRESS, simulator.protocol_factory)
    stocks = [s for s in Universe().known if s.sec_type == "STK" and s.currency == "USD"][: args.lines]
    contracts = [WireContract(con_id=s.con_id, exchange="SMART") for s in stocks]
    clients: list[Counter] = []
    for client_id in range(args.clients):
        client = Counter(client_id, contracts, args.server_version)
        clients.append(client)
        await world.network.dial(lambda client=client: client, *ADDRESS)  # type: ignore[misc]
    process, samples, begun = psutil.Process(), [], time.perf_counter()
    for _ in range(args.minutes):
        await asyncio.sleep(60)
        samples.append(round(process.memory_info().rss / 1e6, 1))
    passed = time.perf_counter() - begun
    tapes = [tape for tape in simulator.core.tapes.values() if tape.speaks]
    report = {
        "minutes": args.minutes,
        "lines": args.clients * len(contracts),
        "server_version": clients[0].version,
        "messages": sum(client.frames for client in clients),
        "wall_s": round(passed, 1),
        "messages_per_wall_s": round(sum(client.frames for client in clients) / passed),
        "megabytes": {"first": samples[0], "middle": samples[len(samples) // 2], "last": samples[-1]},
        "tape_megabytes": round(len(tapes) * args.minutes * 60 * ROW_BYTES / 1e6, 1),
        "sessions_left": len(simulator.sessions),
    }
    await simulator.stop()
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--server-version", type=int, default=200)
    args = parser.parse_args()
    world = World(7, faults=CALM, ties=False, bounds=BOUNDLESS)
    print(json.dumps(world.run(play(world, args))))


if __name__ == "__main__":
    main()
