"""What wakes the loop of a run: from whatever thread, once for many, and time alone when nobody rings."""

from __future__ import annotations

import asyncio
import threading
from collections import deque

from tests.runtime.scene import BOUND_S

from tws.runtime.bell import Bell
from tws.world.faults import CALM
from tws.world.world import World

NEVER_S = 3600.0


async def test_a_ring_from_another_thread_wakes_who_waits() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(NEVER_S))
    await asyncio.sleep(0)
    threading.Thread(target=bell.ring).start()
    async with asyncio.timeout(BOUND_S):
        assert await waiting


async def test_many_rings_are_one_look() -> None:
    bell = Bell()
    threads = [threading.Thread(target=bell.ring) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bell.ring()
    async with asyncio.timeout(BOUND_S):
        assert await bell.wait(NEVER_S), "rung before anybody waited"
    assert not await bell.wait(0.0), "all of them were that one"


async def test_time_ends_a_wait_that_nobody_rings_into() -> None:
    bell = Bell()
    assert not await bell.wait(0.001)
    bell.ring()
    assert await bell.wait(0.001)


async def test_nothing_that_was_put_before_a_ring_is_left_lying() -> None:
    """Four threads put and ring while the loop looks; not one look comes from the clock."""
    bell, put, seen = Bell(), deque[int](), list[int]()

    def work(first: int) -> None:
        for number in range(first, 4000, 4):
            put.append(number)
            bell.ring()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    async with asyncio.timeout(BOUND_S):
        while len(seen) < 4000:
            assert await bell.wait(NEVER_S)
            while put:
                seen.append(put.popleft())
    assert sorted(seen) == list(range(4000))


async def test_a_bell_that_never_rests_lets_the_loop_turn() -> None:
    bell, turned = Bell(), False

    def turn() -> None:
        nonlocal turned
        turned = True

    bell.ring()
    asyncio.get_running_loop().call_soon(turn)
    assert await bell.wait(NEVER_S)
    assert turned


async def test_a_wait_that_was_cancelled_leaves_the_bell_whole() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(NEVER_S))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    bell.ring()
    async with asyncio.timeout(BOUND_S):
        assert await bell.wait(NEVER_S)


def test_a_ring_after_the_loop_is_gone_is_nobody_s_trouble() -> None:
    bell = Bell()

    async def go() -> None:
        waiting = asyncio.create_task(bell.wait(NEVER_S))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(go())
    threading.Thread(target=bell.ring).start()
    bell.ring()


def test_in_virtual_time_a_ring_comes_before_the_clock() -> None:
    world = World(1, faults=CALM)
    bell = Bell()

    async def play() -> tuple[bool, float, bool, float]:
        world.loop.call_later(1.5, bell.ring)
        rung, at = await bell.wait(10.0), world.loop.time()
        again, then = await bell.wait(10.0), world.loop.time()
        return rung, at, again, then

    assert world.run(play()) == (True, 1.5, False, 11.5)
