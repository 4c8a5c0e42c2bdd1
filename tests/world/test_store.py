"""The model of the store keeps the contract of `tws.journal.store.Store`, and the real one keeps the same."""

from __future__ import annotations

import asyncio
import random
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.errors import JournalError
from tws.journal import SQLiteStore, Store
from tws.world import Disk, DiskFaults, Domain, VirtualLoop, World


def test_a_crash_keeps_what_was_acknowledged_and_perhaps_a_prefix_of_the_rest() -> None:
    survived = set()
    for seed in range(60):
        world = World(seed)
        disk = world.disk()
        acknowledged: list[bytes] = []
        appended: list[bytes] = []

        async def trader(
            disk: Disk = disk, acknowledged: list[bytes] = acknowledged, appended: list[bytes] = appended
        ) -> None:
            store = disk.open()
            for number in range(1000):
                group = [b"%d a" % number, b"%d b" % number]
                store.append(group)
                appended.extend(group)
                if number % 3 == 0:
                    count = len(appended)
                    await store.commit()
                    acknowledged[:] = appended[:count]

        async def main(
            world: World = world,
            disk: Disk = disk,
            acknowledged: list[bytes] = acknowledged,
            appended: list[bytes] = appended,
        ) -> None:
            domain = Domain("trader")
            world.spawn(domain, trader())
            await asyncio.sleep(world.rng("crash").uniform(0.01, 0.05))
            world.crash(domain)
            await asyncio.sleep(1)
            with closing(disk.open()) as store:
                found = list(store.read())
            assert found[: len(acknowledged)] == acknowledged
            assert appended[: len(found)] == found
            assert len(found) % 2 == 0  # an append is whole or absent
            survived.add(len(found) - len(acknowledged))

        world.run(main())
    assert len(survived) > 2 and 0 in survived  # some crashes lose all that was under way, some keep a part


def test_a_dying_process_writes_nothing_and_its_commits_never_answer() -> None:
    world = World(3)
    disk = world.disk()

    async def trader() -> None:
        store = disk.open()
        try:
            await asyncio.Event().wait()
        finally:
            store.append([b"written in a finally"])
            store.commit()
            store.close()

    async def main() -> None:
        domain = Domain("trader")
        world.spawn(domain, trader())
        await asyncio.sleep(1)
        world.crash(domain)
        await asyncio.sleep(1)
        assert disk.records == []
        disk.open().close()

    world.run(main())


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_a_fuse_ends_a_process_between_two_of_its_callbacks(steps: int) -> None:
    world = World(3)
    turns = 0

    async def trader() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.0)

    async def main() -> None:
        domain = Domain("trader")
        dead = world.crash_after(domain, steps)
        world.spawn(domain, trader())
        await dead
        await asyncio.sleep(1.0)

    world.run(main())
    assert turns == steps


def test_a_full_disk_on_which_somebody_made_room_serves_the_next_life() -> None:
    world = World(3)
    disk = world.disk(faults=DiskFaults(full_after=0))
    kept: list[tuple[bytes, ...]] = []
    disk.on_kept = kept.append

    async def main() -> None:
        store = disk.open()
        store.append([b"lost"])
        with pytest.raises(JournalError):
            await store.commit()
        store.close()
        disk.free()
        with closing(disk.open()) as store:
            store.append([b"one", b"two"])
            await store.commit()

    world.run(main())
    assert kept == [(b"one", b"two")] == disk.groups


def test_a_full_disk_fails_the_commit_and_all_later_ones() -> None:
    loop = VirtualLoop()
    disk = Disk(loop, random.Random(1), DiskFaults(full_after=2))

    async def main() -> None:
        store = disk.open()
        for record in (b"one", b"two"):
            store.append([record])
            await store.commit()
        store.append([b"three"])
        for _ in range(2):
            with pytest.raises(JournalError) as caught:
                await store.commit()
            assert caught.value.kind == "full"
        with pytest.raises(JournalError):
            store.append([b"four"])
        assert list(store.read()) == [b"one", b"two"]

    loop.run(main())


def test_one_store_at_a_time() -> None:
    loop = VirtualLoop()
    disk = Disk(loop, random.Random(1))
    store = disk.open()
    with pytest.raises(JournalError) as caught:
        disk.open()
    assert caught.value.kind == "locked"
    store.close()
    disk.open().close()
    loop.close()


actions = st.lists(
    st.one_of(
        st.lists(st.binary(max_size=5), max_size=3),
        st.sampled_from(["commit", "wait", "reopen", "read"]),
    ),
    max_size=20,
)


async def play(script: list[list[bytes] | str], open_store: object) -> list[object]:
    """What a program sees of a store that never fails."""
    assert callable(open_store)
    store: Store = open_store()
    seen: list[object] = []
    waits: list[asyncio.Future[None]] = []
    for action in script:
        if action == "commit":
            waits.append(asyncio.ensure_future(store.commit()))
        elif action == "wait":
            await asyncio.gather(*waits)
            await store.commit()
            seen.append(list(store.read()))
        elif action == "reopen":
            store.close()
            store = open_store()
        elif action == "read":
            await store.commit()
            seen.append(list(store.read()))
        else:
            assert isinstance(action, list)
            store.append(action)
    store.close()
    with pytest.raises(JournalError) as caught:
        store.append([b"late"])
    seen.append(caught.value.kind)
    with pytest.raises(JournalError) as caught:
        await store.commit()
    seen.append(caught.value.kind)
    return seen


@settings(max_examples=25, deadline=None)
@given(script=actions)
def test_the_model_and_the_real_store_look_the_same(
    script: list[list[bytes] | str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.mktemp("store") / "journal.sqlite3"
    real = asyncio.run(play(script, lambda: SQLiteStore(path)))
    loop = VirtualLoop()
    disk = Disk(loop, random.Random(1))
    assert loop.run(play(script, disk.open)) == real
