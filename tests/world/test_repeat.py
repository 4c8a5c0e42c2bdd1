"""Same seed, same run: to the byte, in a fresh process, whatever Python's hash seed is."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tws.world import Domain, World


def run(seed: int) -> str:
    """A run with every part of a world in it; its hash."""
    world = World(seed)
    disk = world.disk()
    names = {f"order {number}" for number in range(50)}  # a set, whose order must not matter to the world

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)

    async def trader() -> None:
        store = disk.open()
        while True:
            try:
                transport, _ = await world.network.dial(asyncio.Protocol, "tws", 7497)
            except OSError:
                await asyncio.sleep(1)
                continue
            for name in sorted(names):
                store.append([name.encode()])
                await store.commit()
                transport.write(name.encode())
            await asyncio.sleep(10)
            transport.close()

    async def main() -> None:
        world.network.listen("tws", 7497, Echo)
        for life in range(3):
            domain = Domain(f"trader {life}")
            world.spawn(domain, trader())
            await asyncio.sleep(world.rng(f"life {life}").uniform(5, 60))
            world.crash(domain)
        world.heal()
        await asyncio.sleep(100)

    world.run(main())
    return world.trace.digest


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_repeats_in_one_process(seed: int) -> None:
    assert run(seed) == run(seed) != run(seed + 100)


def test_a_seed_repeats_in_other_processes_with_other_hash_seeds() -> None:
    digests = set()
    for hash_seed in ("0", "1", "4242"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        answer = subprocess.run([sys.executable, __file__], env=environ, capture_output=True, check=True)
        digests.add(answer.stdout.decode().strip())
    assert digests == {run(1)}


if __name__ == "__main__":
    print(run(1))
