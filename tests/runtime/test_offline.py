"""What a human writes while no trader runs: on the journal as a trader's start would leave it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.runtime.scene import Scene, at_market, until
from tests.runtime.test_failure import Disk

from tws.clock import SystemClock
from tws.errors import ConfigError, JournalError, SafetyError
from tws.journal import read_journal, recovery
from tws.journal.snapshot import snapshot_path
from tws.model.records import Adjusted, Alarmed, KillMoved, decode_records
from tws.model.stop import KillState
from tws.runtime.adjusting import AdjustWish
from tws.runtime.offline import adjust_offline, free_lease, reset_offline
from tws.runtime.place import Place
from tws.safety import Process, SafetyFile, this_process

CLOCK = SystemClock()
WISH = AdjustWish(symbol="SPY", quantity="5", price="100", operator="ann", reason="a transfer")
ELSEWHERE = Process(host="old-laptop", pid=4711, started="long ago")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path / "7497-1")
    found.folder.mkdir()
    return found


def records(journal: Path, kind: type) -> list[object]:
    return [each for each in decode_records(read_journal(journal)) if isinstance(each, kind)]


async def held(scene: Scene) -> None:
    """Ten shares of ours in the journal, and no trader."""
    trader = await scene.started()
    await (await trader.submit(at_market(10))).entry_filled()
    await trader.stop()


async def test_an_adjustment_goes_on_from_the_snapshot(
    scene: Scene, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "SNAPSHOT_ROWS", 10)
    await held(scene)
    assert snapshot_path(scene.journal).exists()
    replayed: list[int] = []
    found = recovery.recover_file

    def watched(*given: object, **named: object) -> recovery.Recovered:
        replayed.append((said := found(*given, **named)).replayed)  # type: ignore[arg-type]
        return said

    monkeypatch.setattr(recovery, "recover_file", watched)
    await asyncio.to_thread(adjust_offline, place, scene.journal, WISH, CLOCK)
    assert replayed == [0], "a start replays what is behind the snapshot, and so does this"
    assert len(records(scene.journal, Adjusted)) == 1
    again = await scene.started()  # what it wrote is read by the next trader
    assert again.position("SPY") == 10


async def test_records_of_an_emergency_come_before_what_is_written_now(scene: Scene, place: Place) -> None:
    """A trader died on a full disk after a stop: its last records wait in the safety file."""
    with SafetyFile(place.safety) as safety:
        disk = Disk(scene.journal)
        trader = await scene.started(store=disk, safety=safety)
        await (await trader.submit(at_market(10))).entry_filled()
        disk.full = True
        assert (await trader.kill(reason="odd", operator="ann", flatten=True)).flat
        await trader.stop()
        assert safety.emergency_read()
    await until(lambda: scene.broker_position() == 0)
    said = await asyncio.to_thread(reset_offline, place, scene.journal, "ann", "seen", False, CLOCK)
    assert said == ["latched on all"]
    moves = [each.state for each in records(scene.journal, KillMoved)]  # type: ignore[attr-defined]
    assert moves[-2:] == [KillState.LATCHED, KillState.ACTIVE], "in the order in which they happened"
    with SafetyFile(place.safety) as safety:
        assert safety.emergency_read() == [] and not safety.latched
    assert (await scene.started()).flat()


def test_an_adjustment_without_a_journal_makes_none(place: Place) -> None:
    with pytest.raises(JournalError, match="there is none"):
        adjust_offline(place, place.journal, WISH, CLOCK)
    assert not place.journal.exists()


async def test_a_machine_that_is_off_loses_its_lease_by_a_named_human_alone(
    scene: Scene, place: Place
) -> None:
    await held(scene)
    with SafetyFile(place.safety, me=ELSEWHERE) as other, SafetyFile(place.safety) as safety:
        other.take_lease(client_id=1, at_ns=10**18)
        with pytest.raises(SafetyError) as refused:
            await scene.started(safety=safety)
        for word in ("process 4711", "old-laptop", "since 2001-09-09", "tws reset --lease old-laptop"):
            assert word in str(refused.value)

        def free(host: str, operator: str = "ann", reason: str = "sold it") -> str:
            return free_lease(place, scene.journal, host, operator, reason, CLOCK)

        for given in (("new-laptop",), ("old-laptop", " "), ("old-laptop", "ann", "")):
            with pytest.raises(ConfigError):
                await asyncio.to_thread(free, *given)
        assert other.fenced == ""
        said = await asyncio.to_thread(free, "old-laptop")
        for word in ("ann", "process 4711", "old-laptop", "since 2001-09-09", "sold it"):
            assert word in said
        assert [each.text for each in records(scene.journal, Alarmed)][-1] == said  # type: ignore[attr-defined]
        assert "epoch" in other.fenced, "it was not off after all: it sends nothing more"
        assert safety.state.lease is None
        trader = await scene.started(safety=safety)
        assert trader.position("SPY") == 10
        await trader.stop()


@pytest.mark.parametrize("holder", [None, this_process()])
def test_only_a_lease_of_another_machine_is_freed(place: Place, holder: Process | None) -> None:
    with SafetyFile(place.safety) as safety:
        if holder is not None:
            safety.take_lease(client_id=1, at_ns=1)
        epoch = safety.epoch
        with pytest.raises(ConfigError):
            free_lease(place, place.journal, this_process().host, "ann", "a test", CLOCK)
        assert safety.epoch == epoch
