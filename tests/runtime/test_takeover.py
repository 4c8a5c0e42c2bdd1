"""`tws kill` in place of a trader that is gone, over real sockets: order by order, and where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.scene import MarketClock, Scene, at_market, until, working

from tws.model.stop import KillState
from tws.runtime import TraderParts
from tws.runtime.place import Note
from tws.runtime.stopping import StopAnswer, StopWish, carry_on, latch_file
from tws.runtime.takeover import take_over
from tws.safety import SafetyFile
from tws.simulator import SimulatorOptions

FOR_EVER = 10**6
WISH = StopWish(operator="ann", reason="it hangs")
FLATTEN = StopWish(operator="ann", reason="it hangs", flatten=True)


@pytest.fixture
def safety(tmp_path: Path) -> Iterator[SafetyFile]:
    with SafetyFile(tmp_path / "safety") as file:
        yield file


async def left_behind(scene: Scene) -> None:
    """Ten shares behind stop and target, an entry that works, and an order by hand; the trader is gone."""
    trader = await scene.started()
    await (await trader.submit(at_market(10))).entry_filled()
    await trader.submit(working(5))
    await until(lambda: len(scene.open_refs()) == 5, "the orders")
    await trader.stop()
    scene.sim.faults.play("manual-order", symbol="QQQ", quantity=7, price=40.0)
    assert len(scene.open_refs()) == 6


async def act(scene: Scene, safety: SafetyFile, wish: StopWish) -> StopAnswer:
    account = SimulatorOptions().accounts[0]
    note = Note(
        pid=1, host="127.0.0.1", port=scene.port, client_id=1, account=account, trading_mode="paper",
        journal=str(scene.journal),
    )  # fmt: skip
    latch_file(safety, wish, 1)
    answer = await take_over(note, safety, wish, 2.0, TraderParts(clock=MarketClock(scene.sim)))
    assert safety.state.lease is None, "it gives the lease back"
    assert safety.latched or not wish.scope.whole
    return answer


def open_types(scene: Scene) -> list[str]:
    return sorted(view.ticket.order_type for view in scene.sim.exchange.open_orders())


async def test_entries_go_and_stops_stay(scene: Scene, safety: SafetyFile) -> None:
    await left_behind(scene)
    answer = await act(scene, safety, WISH)
    assert answer.settled and not answer.unprotected, answer
    assert open_types(scene) == ["LMT", "LMT", "STP"], "target, the order by hand, the stop"


async def test_a_client_id_that_is_not_to_be_had_means_all_at_once(scene: Scene, safety: SafetyFile) -> None:
    """TWS never notices that the dead trader's socket is gone."""
    await left_behind(scene)
    scene.sim.faults.play("zombie-id", client=1, lasts=FOR_EVER)
    answer = await act(scene, safety, FLATTEN)
    assert not answer.settled and not answer.flat
    text = "\n".join(answer.lines())
    assert "order by order was not possible" in text and "manual ones" in text
    assert "TWS names no open order any more" in text and "By hand" in text
    assert answer.unprotected == ("SPY: 10 held",)
    assert open_types(scene) == [] and scene.broker_position() == 10


async def test_a_journal_that_can_t_be_read_means_all_at_once(scene: Scene, safety: SafetyFile) -> None:
    await left_behind(scene)
    scene.journal.write_bytes(b"no journal" * 1000)
    answer = await act(scene, safety, WISH)
    assert "order by order was not possible" in "\n".join(answer.lines())
    assert open_types(scene) == []


async def test_cancels_that_have_no_effect_mean_all_at_once_and_our_stops_anew(
    scene: Scene, safety: SafetyFile
) -> None:
    await left_behind(scene)
    scene.sim.faults.play("swallow", request="CancelOrderRequest", count=FOR_EVER)
    answer = await act(scene, safety, WISH)
    text = "\n".join(answer.lines())
    assert "not cancelled order by order" in text and "manual ones too" in text
    assert not answer.unprotected, text
    assert open_types(scene) == ["LMT", "STP"], "stop and target are placed anew, all else is gone"
    assert {view.ticket.quantity for view in scene.sim.exchange.open_orders()} == {10}
    assert scene.broker_position() == 10


async def test_a_stop_of_one_symbol_never_reaches_for_the_account(scene: Scene, safety: SafetyFile) -> None:
    await left_behind(scene)
    scene.sim.faults.play("swallow", request="CancelOrderRequest", count=FOR_EVER)
    answer = await act(scene, safety, StopWish(operator="ann", reason="odd", symbol="SPY"))
    assert not answer.settled
    assert len(open_types(scene)) == 6


async def test_a_broken_line_is_no_failure_of_a_cancel(scene: Scene, safety: SafetyFile) -> None:
    """All at once would take the stops once the line is back, when nobody is there to place them anew."""
    await left_behind(scene)
    scene.sim.faults.play("connectivity-lost", lasts=FOR_EVER)
    answer = await act(scene, safety, WISH)
    assert not answer.settled and not answer.flat
    assert "every order of the account" not in "\n".join(answer.lines())
    scene.sim.faults.clear()
    await until(lambda: "STP" in open_types(scene))


async def test_what_tws_does_not_tell_keeps_the_stops_and_not_the_entries(
    scene: Scene, safety: SafetyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To close, all must be known: a flatten that could not go on would leave the shares bare."""
    monkeypatch.setattr("tws.runtime.takeover.COME_UP_S", 1.0)
    await left_behind(scene)
    scene.sim.faults.play("swallow", request="PositionsRequest", count=FOR_EVER)
    answer = await act(scene, safety, FLATTEN)
    assert answer.sentences[0].startswith("NOT FLAT")
    assert "nothing is closed, the stops stay" in answer.sentences[1]
    assert not answer.unprotected
    assert open_types(scene) == ["LMT", "LMT", "STP"]
    assert safety.state.kill is KillState.FLATTENING
    scene.sim.faults.clear()
    trader = await scene.started(safety=safety)
    assert (await carry_on(trader, safety, 5.0))[0].startswith("FLAT"), "the next trader closes"
    assert scene.broker_position() == 0
    assert await carry_on(trader, safety, 5.0) == [], "once"
    await trader.stop()


async def test_a_tws_that_is_not_there_is_said_with_the_way_by_hand(scene: Scene, safety: SafetyFile) -> None:
    await left_behind(scene)
    scene.sim.faults.play("refuse-dials", lasts=FOR_EVER)
    text = "\n".join((await act(scene, safety, WISH)).lines())
    assert text.startswith("NOT FLAT") and "TWS was not reached" in text and "By hand" in text
