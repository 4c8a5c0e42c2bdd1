"""The stop on emergency records: a safety file that fails, or fills up, in the midst of a flatten."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.scene import Scene, at_market, until
from tests.runtime.test_failure import Disk

from tws.desk import KillReport
from tws.model.contract import stock
from tws.model.order import Role
from tws.model.records import Alarmed, Severity, encode_record
from tws.runtime import Trader
from tws.safety import SafetyFile
from tws.safety.file import fresh
from tws.safety.mapped import Mapped

OUT = {"reason": "odd fills", "operator": "ann"}
SYMBOLS = ("SPY", "QQQ")
FILLER = encode_record(Alarmed(at_ns=1, severity=Severity.INFO, subject="filler", text="an earlier one"))


class Failing(Mapped):
    """The real file on a disk that may refuse from a moment on."""

    refuses = False

    def sync(self, first: int, end: int) -> None:
        if self.refuses:
            raise OSError(errno.EIO, "Input/output error")
        super().sync(first, end)


@pytest.fixture
def pages(tmp_path: Path) -> Failing:
    return Failing(tmp_path / "safety", fresh())


@pytest.fixture
def safety(tmp_path: Path, pages: Failing) -> Iterator[SafetyFile]:
    with SafetyFile(tmp_path / "safety", pages=pages) as file:
        yield file


async def holding(scene: Scene, disk: Disk, safety: SafetyFile) -> Trader:
    """Ten shares of two symbols, each behind its stop and its target."""
    trader = await scene.started(store=disk, safety=safety)
    for symbol, price in zip(SYMBOLS, (100.0, 50.0), strict=True):
        await trader.quote(stock(symbol))
        await (await trader.submit(at_market(10, symbol, price))).entry_filled()
    await until(lambda: len(scene.open_refs()) == 4, "the exits")
    return trader


def stopped(scene: Scene, symbol: str) -> int:
    """Shares of open stops at the broker."""
    con_id = scene.sim.con_id(symbol)
    views = scene.sim.exchange.open_orders()
    return sum(int(view.remaining) for view in views
               if view.con_id == con_id and view.ticket.order_type == "STP")  # fmt: skip


async def test_a_disk_that_refuses_in_the_midst_of_a_flatten_stops_no_exit(
    scene: Scene, safety: SafetyFile, pages: Failing
) -> None:
    """Journal full, and then the safety file's disk gone too: the mapped memory outlives the process."""
    disk = Disk(scene.journal)
    trader = await holding(scene, disk, safety)
    disk.full = True
    scene.sim.faults.hold_next_order()
    killing = asyncio.create_task(trader.kill(**OUT, flatten=True))
    await until(lambda: any(o.role is Role.CLOSE for o in trader.desk.state.book.living()), "the close")
    pages.refuses = True
    scene.sim.faults.release()
    report = await killing
    assert report.flat, report.sentences()
    assert "outlives this process, not this machine" in report.reason
    assert scene.broker_position("SPY") == 0 == scene.broker_position("QQQ") and scene.open_refs() == []
    await trader.stop()
    pages.refuses = False
    with SafetyFile(safety.path) as found:
        assert found.emergency_read(), "another process reads what the disk refused"
    again = await scene.started(safety=safety)
    assert again.flat() and sorted(again.desk.state.book.orders) == scene.all_refs()
    await again.stop()


@pytest.mark.parametrize("room", [1, 30, 46, 52, 58, 64])
async def test_places_that_run_out_leave_no_share_bare(scene: Scene, safety: SafetyFile, room: int) -> None:
    """Wherever they end, what is held keeps its stop, and the answer says what is not closed and why."""
    disk = Disk(scene.journal)
    trader = await holding(scene, disk, safety)
    safety.emergency_append(*[FILLER] * (safety.emergency_room() - room))
    disk.full = True
    report = await trader.kill(**OUT, flatten=True, answer_s=3.0)
    told(scene, report)
    await trader.stop()
    again = await scene.started(safety=safety)  # the journal has room again: nothing was sent unremembered
    state = again.desk.state
    assert set(scene.all_refs()) <= set(state.book.orders)
    await again.stop()


def told(scene: Scene, report: KillReport) -> None:
    held = [symbol for symbol in SYMBOLS if scene.broker_position(symbol)]
    assert held, "the places were enough: nothing was tried"
    for symbol in held:
        assert stopped(scene, symbol) == 10, f"{symbol} is held, and no stop guards it: {report.sentences()}"
    assert not report.flat and {each.symbol for each in report.remainders} >= set(held)
    assert "run short" in report.reason or "nothing more can be remembered" in report.reason


async def test_places_that_are_enough_close_all(scene: Scene, safety: SafetyFile) -> None:
    disk = Disk(scene.journal)
    trader = await holding(scene, disk, safety)
    safety.emergency_append(*[FILLER] * (safety.emergency_room() - 80))
    disk.full = True
    report = await trader.kill(**OUT, flatten=True)
    assert report.flat, report.sentences()
    print(f"{80 - safety.emergency_room()} records for two positions")
    await trader.stop()
