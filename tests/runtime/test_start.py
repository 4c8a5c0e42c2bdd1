"""Start: an empty journal, an old one, a foreign one, a held one; and a start that is broken off."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from tests.runtime.scene import SPY, Scene, at_market, records_of, until, working

from tws.errors import ConfigError, ConnectError, JournalError, RequestTimeoutError, TWSError
from tws.journal import SQLiteStore, read_journal
from tws.model.contract import stock
from tws.model.records import Began, OrderState, decode_records
from tws.simulator import SimulatedTWS, SimulatorOptions


async def test_an_empty_journal(scene: Scene) -> None:
    trader = await scene.started(prefix="first")
    assert trader.flat() and trader.position("SPY") == 0
    trade = await trader.submit(at_market(10))
    assert trade.denial is None and trade.intent_id.startswith("first-")
    assert await trade.entry_filled() == 10
    assert trade.average_price is not None and str(trade.average_price) == "100.01"
    assert trader.position("SPY") == 10 == scene.broker_position()
    began = [record for record in records_of(trader) if isinstance(record, Began)]
    assert [(b.prefix, b.client_id, b.account) for b in began] == [("first", 1, "DU1234567")]


async def restart_from(scene: Scene, crashed: bool) -> None:
    """End the first trader while its bracket works, and start the second on the same journal.

    `crashed`: the second one's journal is a copy taken before the first could remember its end.
    """
    first = await scene.started()
    trade = await first.submit(working(10))
    filled = await first.submit(at_market(7))
    await filled.entry_filled()
    if crashed:
        later = scene.journal.with_name("copy.sqlite3")
        for file in scene.folder.glob("journal.sqlite3*"):
            if not file.name.endswith("-lock"):
                shutil.copy(file, later.with_name(file.name.replace("journal", "copy")))
    else:
        later = scene.journal
    before = [trade.intent_id, *scene.all_refs()]
    trade_prefix = trade.intent_id.split("-")[0]
    ids = {o.order_id for o in first.desk.state.book.orders.values()}
    await first.stop()

    second = await scene.started(journal=later)
    floor = second.connection.get_next_order_id()
    assert floor is not None and floor > max(ids)
    book = second.desk.state.book
    assert scene.all_refs() == before[1:], "an order was sent twice (INCIDENTS.md 6)"
    assert sorted(o.intent_id for o in book.living()) == scene.open_refs(), "adopted (INCIDENTS.md 5)"
    assert all(o.state is not OrderState.UNKNOWN for o in book.living())
    assert second.position("SPY") == 7 == scene.broker_position()

    more = await second.submit(working(3))
    assert more.denial is None
    assert not ids & {o.order_id for o in more.orders}, "an order id was issued again (INCIDENTS.md 1)"
    assert more.intent_id.split("-")[0] == trade_prefix, "a journal keeps its prefix"
    after = second.connection.get_next_order_id()
    assert after is not None and after > max(o.order_id for o in more.orders), "one id, two orders"
    assert not set(before) & {o.intent_id for o in more.orders}
    assert await second.flatten()
    assert scene.open_refs() == [] and scene.broker_position() == 0
    assert len(set(scene.all_refs())) == len(scene.all_refs())


async def test_a_restart_adopts_what_works(scene: Scene) -> None:
    await restart_from(scene, crashed=False)


async def test_a_crash_adopts_what_works(scene: Scene) -> None:
    await restart_from(scene, crashed=True)


async def test_a_tws_whose_next_id_rolled_back(scene: Scene) -> None:
    """A gateway restarted with its memory lost names 1 again: the journal knows better (INCIDENTS.md 1)."""
    first = await scene.started()
    trade = await first.submit(working(10))
    used = {order.order_id for order in trade.orders}
    await first.stop()
    await scene.sim.stop()
    scene.sim = SimulatedTWS(SimulatorOptions(market=scene.market()))
    await scene.open()
    second = await scene.started()
    floor = second.connection.get_next_order_id()
    assert floor is not None and floor > max(used)
    await second.quote(stock("QQQ"))
    more = await second.submit(at_market(1, "QQQ", 50.0))
    assert more.denial is None
    assert not used & {order.order_id for order in more.orders}


async def test_fills_while_no_trader_ran_are_booked(scene: Scene) -> None:
    first = await scene.started()
    await first.submit(working(10, limit=99.0))
    await first.stop()
    scene.sim.quote("SPY", bid=98.98, ask=99.0)
    assert scene.broker_position() == 10
    second = await scene.started()
    assert second.position("SPY") == 10
    assert next(o.filled for o in second.desk.state.book.orders.values()) == 10


async def test_two_traders_on_one_journal(scene: Scene) -> None:
    await scene.started()
    other = scene.trader(client_id=2)
    with pytest.raises(JournalError) as refused:
        await other.start()
    assert refused.value.kind == "locked"
    assert len(scene.sim.sessions) == 1, "the second trader dialled before it held its journal"


async def test_a_journal_of_another_account_or_client_id(scene: Scene) -> None:
    await (await scene.started()).stop()
    other = scene.trader(client_id=2)
    with pytest.raises(ConfigError, match="client_id = 2: the journal is that of client id 1"):
        await other.start()
    await other.stop()
    sim = SimulatedTWS(SimulatorOptions(accounts=("DU7654321",)))
    _, port = await sim.start()
    try:
        scene.port = port
        with pytest.raises(ConfigError, match="account_id") as refused:
            await scene.trader().start()
        assert "DU1234567" not in str(refused.value), "an account id in an error goes into reports: mask it"
    finally:
        await sim.stop()
    assert len([r for r in decode_records(read_journal(scene.journal)) if isinstance(r, Began)]) == 1


async def test_an_account_that_the_login_lacks(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="account_id"):
        await scene.trader(account_id="DU9999999").start()


async def test_nothing_listens(scene: Scene) -> None:
    scene.sim.faults.refuse = True
    trader = scene.trader()
    with pytest.raises(ConnectError) as failure:
        await trader.start()
    assert failure.value.stage == "dial" and failure.value.cure
    again = SQLiteStore(scene.journal)  # raises when the failed start kept the lock
    again.close()


async def test_a_broker_that_does_not_answer_ends_the_start(scene: Scene) -> None:
    sim = scene.sim
    trader = scene.trader(timeout_s=0.5)
    connect = trader.connection.connect

    async def connect_then_mute() -> bool:
        done = await connect()
        sim.faults.mute = True
        return done

    trader.connection.connect = connect_then_mute  # type: ignore[method-assign]
    with pytest.raises(RequestTimeoutError, match="orders, fills and positions"):
        await trader.start()
    sim.faults.mute = False


async def test_stop_during_the_start(scene: Scene) -> None:
    """At each point of the start: it ends with an error, at once, and nothing of it lives on."""
    for turns in (0, 1, 2, 3, 5, 8, 12, 20, 40):
        trader = scene.trader()
        starting = asyncio.create_task(trader.start())
        for _ in range(turns):
            await asyncio.sleep(0)
        await trader.stop()
        outcome = (await asyncio.gather(starting, return_exceptions=True))[0]
        assert outcome is None or isinstance(outcome, TWSError), repr(outcome)
        assert not trader.connection.is_connected()
        await until(lambda: not scene.sim.sessions, "the session's end")


async def test_a_cancelled_start_leaves_nothing(scene: Scene) -> None:
    scene.sim.faults.silent_accept = True
    trader = scene.trader()
    starting = asyncio.create_task(trader.start())
    await until(lambda: scene.sim.sessions, "the dial")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    scene.sim.faults.silent_accept = False
    await (await scene.started()).quote(SPY)  # the journal is free again


async def test_a_trader_starts_once(scene: Scene) -> None:
    trader = await scene.started()
    with pytest.raises(TWSError, match="starts once"):
        await trader.start()
    assert trader.connection.is_connected(), "the refusal ended the running trader"
    await trader.stop()
    await trader.stop()
    with pytest.raises(TWSError, match="starts once"):
        await trader.start()


async def test_a_stopped_trader_says_so(scene: Scene) -> None:
    trader = await scene.started()
    trade = await trader.submit(working())
    waiting = asyncio.create_task(trade.entry_filled(timeout_s=600))
    await asyncio.sleep(0)
    await trader.stop()
    for refused in (trader.submit(working()), trader.flatten(), trader.cancel_all()):
        with pytest.raises(TWSError):
            await refused
    with pytest.raises(TWSError, match="stopped"):
        await waiting
    assert trader.failure is None
