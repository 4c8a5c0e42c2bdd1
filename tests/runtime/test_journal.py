"""The trader and its journal: alerts carry its head; an orderly end keeps a snapshot, which a start uses."""

from __future__ import annotations

import pytest
from tests.journal.test_chain import tamper
from tests.runtime.scene import Scene, at_market, until, working

from tws.desk import Alert, CancelIntent, Desk
from tws.errors import JournalError
from tws.journal import Head, SQLiteStore, read_journal, recover_file, recovery, verify_journal
from tws.journal.headfile import head_path
from tws.journal.snapshot import snapshot_path
from tws.model.records import Alarmed, decode_records
from tws.risk import Gate, Limits


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot is worth its writing after ten rows here."""
    monkeypatch.setattr(recovery, "SNAPSHOT_ROWS", 10)


async def test_each_alert_carries_a_head_that_proves_the_journal_later(scene: Scene) -> None:
    trader = await scene.started()
    alerts: list[Alert] = []
    trader.on_alert(alerts.append)
    await trader.ask(CancelIntent(intent_id="nobody's", reason="test"))
    await until(lambda: alerts, "the warning")
    await (await trader.submit(at_market(10))).entry_filled()
    await trader.stop()
    head = Head.parse(alerts[0].head)
    assert verify_journal(scene.journal, str(head)).records > head.seq
    rows = list(decode_records(read_journal(scene.journal)))[: head.seq]
    assert any(isinstance(row, Alarmed) and row.text == alerts[0].text for row in rows), (
        "it covers its own alarm"
    )
    tamper(scene.journal, f"DELETE FROM record WHERE seq >= {head.seq}")
    head_path(scene.journal).unlink()
    with pytest.raises(JournalError, match="cut off"):
        verify_journal(scene.journal, str(head))


async def test_a_restart_goes_on_from_the_snapshot(scene: Scene, short: None) -> None:
    first = await scene.started()
    await (await first.submit(at_market(10))).entry_filled()
    await first.submit(working(5))
    assert not snapshot_path(scene.journal).exists(), "none while it trades"
    await first.stop()
    assert snapshot_path(scene.journal).exists()
    rows = verify_journal(scene.journal).records
    assert whole(scene) == first.desk.state

    second = scene.trader()
    await second.start()
    begun = second._life._recovered
    assert begun is not None
    assert (begun.rows, begun.replayed, begun.doubt) == (rows, 0, "")
    assert second.position("SPY") == 10 == scene.broker_position()
    assert sorted(order.intent_id for order in second.desk.state.book.living()) == scene.open_refs()
    await second.stop()
    assert whole(scene) == second.desk.state


async def test_a_trader_that_failed_keeps_none(scene: Scene, short: None) -> None:
    store = SQLiteStore(scene.journal, page_limit=30)
    trader = await scene.started(store=store)
    with pytest.raises(JournalError, match="full"):
        for _ in range(2000):  # most are denied, which is a record too
            await trader.submit(working(1))
    await trader.stop()
    assert trader.failure is not None
    assert not snapshot_path(scene.journal).exists()


def whole(scene: Scene) -> object:
    """The state that the journal makes without a snapshot."""
    desk = Desk(Gate(Limits()))
    recover_file(desk, scene.journal, use_snapshot=False)
    return desk.state
