"""The virtual loop: what asyncio promises on it, what it refuses, and that a run can be repeated."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import weakref
from collections.abc import AsyncIterator

import pytest

from tws.errors import SimulationError
from tws.world import Bounds, Domain, VirtualLoop, current_domain
from tws.world.handles import SWEEP_RUNS


def test_time_jumps_and_nothing_waits_for_it() -> None:
    loop = VirtualLoop()

    async def main() -> float:
        await asyncio.sleep(3 * 86_400)
        return asyncio.get_running_loop().time()

    assert loop.run(main()) == 3 * 86_400


def test_equal_deadlines_run_in_the_order_they_were_set() -> None:
    order: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in range(100):
            loop.call_at(5.0, order.append, number)
        await asyncio.sleep(6)

    VirtualLoop().run(main())
    assert order == list(range(100))


def test_a_source_of_chance_draws_the_order_of_equal_deadlines() -> None:
    def run(seed: int) -> list[int]:
        order: list[int] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            for number in range(100):
                loop.call_at(5.0, order.append, number)
            await asyncio.sleep(6)

        VirtualLoop(ties=random.Random(seed)).run(main())
        return order

    assert run(1) == run(1) != run(2)
    assert sorted(run(1)) == list(range(100)) != run(1)


def test_ready_callbacks_run_before_time_moves_and_due_timers_are_not_starved() -> None:
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.0, seen.append, "timer")
        for number in range(3):
            seen.append(f"turn {number}")
            await asyncio.sleep(0)

    VirtualLoop().run(main())
    assert seen.index("timer") in (1, 2)


def test_what_asyncio_builds_on_a_loop_works() -> None:
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(1)
            yield number

    async def main() -> list[object]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        found: list[object] = []

        async def fill() -> None:
            async for number in numbers():
                await queue.put(number)

        async with asyncio.TaskGroup() as group:
            group.create_task(fill())
            found += [await queue.get() for _ in range(3)]
        try:
            async with asyncio.timeout(2.5):
                await asyncio.Event().wait()
        except TimeoutError:
            found.append(asyncio.get_running_loop().time())
        try:
            await asyncio.wait_for(asyncio.sleep(10), 1)
        except TimeoutError:
            found.append(asyncio.get_running_loop().time())
        found.append(await asyncio.to_thread(sum, [1, 2]))
        sleepers = [asyncio.ensure_future(asyncio.sleep(seconds)) for seconds in (1, 9)]
        done, pending = await asyncio.wait(sleepers, timeout=2)
        found += [len(done), len(pending)]
        return found

    assert VirtualLoop().run(main()) == [0, 1, 2, 5.5, 6.5, 3, 1, 1]


def test_an_exception_in_a_callback_fails_the_run() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(1, lambda: 1 // 0)
        await asyncio.sleep(2)

    with pytest.raises(SimulationError, match="ZeroDivisionError") as caught:
        VirtualLoop().run(main())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_failed_task_that_nobody_awaits_fails_the_run() -> None:
    async def fail() -> None:
        raise ValueError("nobody looks")

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.sleep(1)
        del task

    with pytest.raises(SimulationError, match="nobody looks"):
        VirtualLoop().run(main())


def test_a_future_in_a_cycle_that_hides_an_exception_fails_its_own_run() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        ring: list[object] = [future]
        ring.append(ring)
        future.set_exception(ValueError("hidden"))

    with pytest.raises(SimulationError, match="hidden"):
        VirtualLoop().run(main())


def test_a_leftover_task_that_fails_when_cancelled_fails_the_run() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            raise ValueError("on the way out")

    async def main() -> None:
        asyncio.create_task(stubborn())  # noqa: RUF006 - the loop holds it
        await asyncio.sleep(1)

    with pytest.raises(SimulationError, match="on the way out"):
        VirtualLoop().run(main())


def test_a_deadlock_names_who_waits() -> None:
    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(SimulationError, match=r"deadlock .* task-1 \(.*wait_for_ever\)"):
        VirtualLoop().run(wait_for_ever())


def test_a_run_is_bounded_in_steps_and_time() -> None:
    async def tick() -> None:
        while True:  # noqa: ASYNC110 - a heartbeat
            await asyncio.sleep(1)

    with pytest.raises(SimulationError, match="more than 1000 steps"):
        VirtualLoop(bounds=Bounds(steps=1000)).run(tick())
    with pytest.raises(SimulationError, match="more than 50 virtual seconds"):
        VirtualLoop(bounds=Bounds(time_s=50.0)).run(tick())


def test_a_poll_that_never_lets_time_move_is_found() -> None:
    async def poll() -> None:
        asyncio.get_running_loop().call_later(1, print, "never")
        while True:  # noqa: ASYNC110 - the mistake itself
            await asyncio.sleep(0)

    with pytest.raises(SimulationError, match=r"10000\d steps at 0\.0"):
        VirtualLoop().run(poll())


def test_the_real_world_is_refused() -> None:
    loop = VirtualLoop()

    async def main() -> None:
        with pytest.raises(SimulationError):
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", 1)
        with pytest.raises(SimulationError):
            await asyncio.open_connection("127.0.0.1", 1)
        with pytest.raises(SimulationError):
            await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        with pytest.raises(NotImplementedError):
            loop.add_signal_handler(2, print)
        errors: list[BaseException] = []

        def intrude() -> None:
            try:
                loop.call_soon_threadsafe(print)
            except SimulationError as error:
                errors.append(error)

        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()
        assert len(errors) == 1

    loop.run(main())


def test_task_names_count_from_the_loop() -> None:
    async def name() -> str:
        task = asyncio.current_task()
        assert task is not None
        return task.get_name()

    async def main() -> list[str]:
        return [await asyncio.create_task(name()) for _ in range(2)]

    assert VirtualLoop().run(main()) == VirtualLoop().run(main()) == ["task-2", "task-3"]


def test_a_dead_domain_never_runs_again_and_what_its_finally_starts_is_dead_too() -> None:
    loop = VirtualLoop()
    seen: list[str] = []

    async def late() -> None:
        seen.append("a task of the dead")

    async def child() -> None:
        try:
            while True:
                await asyncio.sleep(1)
                seen.append("child")
        finally:
            seen.append("finally")
            loop.call_soon(seen.append, "a callback of the dead")
            loop.create_task(late())
            await asyncio.sleep(1)
            seen.append("after the finally slept")

    async def process() -> None:
        domain = current_domain()
        assert domain is not None and domain.name == "trader"
        task = asyncio.create_task(child())
        loop.call_later(2.5, seen.append, "a timer of the dead")
        await task

    async def main() -> None:
        domain = Domain("trader")
        task = loop.create_task(process(), context=domain.context.copy())
        await asyncio.sleep(1.5)
        assert current_domain() is None
        loop.kill(domain)
        seen.append("killed")
        await asyncio.sleep(5)
        assert not task.done()

    loop.run(main())
    assert seen == ["child", "killed", "finally"]


def test_what_a_dead_domain_left_unsaid_fails_no_run() -> None:
    loop = VirtualLoop()
    kept: list[object] = []

    async def process() -> None:
        future = loop.create_future()
        kept.append(future)
        try:
            await asyncio.Event().wait()
        except GeneratorExit as error:
            future.set_exception(ValueError(repr(error)))
            raise

    async def main() -> None:
        domain = Domain("trader")
        loop.create_task(process(), context=domain.context.copy())
        await asyncio.sleep(1)
        loop.kill(domain)
        await asyncio.sleep(1)
        kept.clear()
        await asyncio.sleep(1)

    loop.run(main())


def test_a_loop_is_closed_after_its_run() -> None:
    loop = VirtualLoop()

    async def main() -> None: ...

    loop.run(main())
    assert loop.is_closed()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(print)


def test_worlds_of_the_past_are_collected_though_no_run_collects_in_between() -> None:
    """A thousand seeds in one process would otherwise hold a gigabyte."""
    alive: weakref.WeakSet[VirtualLoop] = weakref.WeakSet()

    def run() -> None:
        loop = VirtualLoop()
        loop.set_exception_handler(lambda *said: loop.stop())  # a cycle, as every house has
        alive.add(loop)
        loop.run(asyncio.sleep(1))

    gc.disable()
    try:
        for _ in range(3 * SWEEP_RUNS):
            run()
        assert len(alive) <= SWEEP_RUNS + 1
    finally:
        gc.enable()


def test_work_that_blocks_is_waited_for_and_nobody_else_waits() -> None:
    loop, seen = VirtualLoop(), list[tuple[float, str]]()

    async def main() -> None:
        def work() -> str:
            loop.block(7.0)
            return "done"

        working = loop.run_in_executor(None, work)
        await asyncio.sleep(1.0)
        seen.append((loop.time(), "others go on"))
        answer = await working
        seen.append((loop.time(), answer))
        seen.append((loop.time(), await asyncio.to_thread(lambda: "at once")))

    loop.run(main())
    assert seen == [(1.0, "others go on"), (7.0, "done"), (7.0, "at once")]
