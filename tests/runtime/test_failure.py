"""What ends a trader, and that nothing leaves and nobody waits afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.runtime.scene import SPY, Scene, at_market, until, working

from tws.clock import SystemClock
from tws.connection import QuoteStream
from tws.desk import CancelAll, Desk, TimerTick, Timing, Written
from tws.errors import JournalError, OrderDeniedError, TWSError
from tws.journal import SQLiteStore, read_journal
from tws.model.facts import Link, LinkState
from tws.model.market import Quote
from tws.model.order import Order
from tws.model.records import Approved, decode_records
from tws.risk import Gate, Limits
from tws.runtime.engine import MAX_COMMANDS, Engine


class Disk(SQLiteStore):
    """A journal whose disk can fill up, or hang, at any moment."""

    full = False
    hangs = False

    def commit(self) -> asyncio.Future[None]:
        if self.full:
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            failed.set_exception(JournalError(self.path, "full", "the disk is full", "Free space"))
            return failed
        if self.hangs:
            return asyncio.get_running_loop().create_future()
        return super().commit()


async def test_a_full_disk_lets_no_order_out(scene: Scene) -> None:
    """The real store at its real bound: the order whose intent did not fit never reaches the broker."""
    store = SQLiteStore(scene.journal, page_limit=60)
    trader = await scene.started(store=store)
    with pytest.raises(JournalError) as failure:
        while True:
            trade = await trader.submit(at_market(1))
            await trade.entry_filled()
            assert len(scene.all_refs()) < 3000
    assert failure.value.kind == "full"
    assert isinstance(trader.failure, JournalError)
    await asyncio.sleep(0.1)
    remembered = {record.intent_id for record in decode_records(read_journal(scene.journal))
                  if isinstance(record, Approved)}
    assert set(scene.all_refs()) <= remembered, "an order left that the journal does not know"
    assert scene.all_refs(), "nothing was tried"
    arrived = len(scene.all_refs())
    with pytest.raises(JournalError):
        await trader.submit(at_market(1))
    assert len(scene.all_refs()) == arrived


async def test_the_brake_holds_once_the_journal_has_failed(scene: Scene) -> None:
    disk = Disk(scene.journal)
    trader = await scene.started(store=disk)
    instrument = await trader.instrument(SPY)
    waits = await trader.submit(working(5))
    heard: list[str] = []
    trader.on_alert(lambda alert: heard.append(alert.text))
    fill_wait = asyncio.create_task(waits.entry_filled(timeout_s=600))
    disk.full = True
    with pytest.raises(JournalError, match="full"):
        await trader.submit(at_market(1))
    assert isinstance(trader.failure, JournalError), "the brake must have fallen before the caller hears"
    assert len(scene.all_refs()) == 3

    # Even a permit that the gate minted before does not pass the brake.
    order = Order(side=instrument and "BUY", quantity=1, account="DU1234567", order_ref="x-1")  # type: ignore[arg-type]
    trader.gate.approve(("x-1", 0), 99, instrument.contract, order, order.quantity)
    permit = trader.gate.mint(("x-1", 0))
    assert permit is not None
    with pytest.raises(OrderDeniedError, match="brake"):
        trader.connection.outbound.place(99, instrument.contract, order, permit)
    with pytest.raises(TWSError):  # who waited hears of it, not of a timeout in ten minutes
        await fill_wait
    for refused in (trader.flatten(), trader.cancel_all(), trader.submit(at_market(1))):
        with pytest.raises(JournalError):
            await refused
    await until(lambda: any("failed" in text for text in heard), "an alarm")
    assert len(scene.open_refs()) == 3, "what works at the broker stays as it is"

    # TWS is still read: a trader that failed must not clog it.
    scene.sim.quote("SPY", bid=99.5, ask=99.52)
    stream = await trader.stream(SPY)
    await until(lambda: stream.quote.ask == 99.52, "ticks after the failure")
    scene.sim.quote("SPY", bid=98.0, ask=98.02)
    await until(lambda: stream.quote.ask == 98.02, "facts of a fill that nobody books")
    assert not len(trader.engine._lane or ())


async def test_leaving_a_failed_trader_raises_and_does_not_hang(scene: Scene) -> None:
    disk = Disk(scene.journal)
    with pytest.raises(JournalError, match="full"):
        async with scene.trader(store=disk) as trader:
            await trader.quote(SPY)
            disk.full = True
            trader.tick()
            scene.sim.faults.cut()  # a fact that has to be remembered
            await until(lambda: trader.failure is not None, "the failure")


async def test_leaving_with_another_error_keeps_that_error(scene: Scene) -> None:
    disk = Disk(scene.journal)
    with pytest.raises(ZeroDivisionError):
        async with scene.trader(store=disk) as trader:
            disk.full = True
            scene.sim.faults.cut()
            await until(lambda: trader.failure is not None, "the failure")
            raise ZeroDivisionError


async def test_a_hung_disk_is_left_behind_in_bounded_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tws.runtime.life.END_S", 0.2)
    disk = Disk(scene.journal)
    trader = await scene.started(store=disk)
    disk.hangs = True
    asking = asyncio.create_task(trader.submit(at_market(1)))
    await until(lambda: trader.engine.busy, "the hanging turn")
    assert await trader.flatten(timeout_s=0.1) is False, "the bound holds though nothing moves"
    await trader.stop()
    with pytest.raises(TWSError):
        await asking
    assert scene.all_refs() == []


async def test_a_bug_in_the_desk_ends_the_trading_loudly(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    trader = await scene.started()
    trade = await trader.submit(working(5))

    def step(event: object, now_ns: int) -> list[object]:
        raise KeyError("a bug")

    monkeypatch.setattr(trader.desk, "step", step)
    with pytest.raises(TWSError, match="a bug"):
        await trader.submit(at_market(1))
    with pytest.raises(TWSError, match="a bug"):
        await trade.closed(timeout_s=600)
    assert isinstance(trader.failure, KeyError)


async def test_a_failure_during_the_start_is_the_error_of_the_start(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(scene.journal)
    trader = scene.trader(store=disk)
    begin = trader.engine.begin

    async def begin_then_fill_up(event: object) -> None:
        await begin(event)  # type: ignore[arg-type]
        disk.full = True

    monkeypatch.setattr(trader.engine, "begin", begin_then_fill_up)
    with pytest.raises(JournalError, match="full"):
        await trader.start()


async def test_a_task_that_dies_ends_the_trading(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    trader = await scene.started()

    def tick() -> None:
        raise RuntimeError("a bug in the timer")

    monkeypatch.setattr(trader.engine, "tick", tick)
    await until(lambda: trader.failure is not None, "the failure")
    with pytest.raises(TWSError, match="a bug in the timer"):
        await trader.submit(at_market(1))


async def test_the_last_turn_remembers_what_left(scene: Scene) -> None:
    """A stop directly after a submit: the report that the bytes left is in the journal."""
    trader = await scene.started()
    trade = await trader.submit(working(5))
    await trader.stop()
    again = Desk(Gate(Limits()))
    again.recover(decode_records(read_journal(scene.journal)))
    assert [again.state.book.orders[o.intent_id].written for o in trade.orders] == [True] * 3


async def test_a_stop_whose_caller_is_cancelled_still_comes_to_its_end(scene: Scene) -> None:
    trader = await scene.started()
    stopping = asyncio.create_task(trader.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await until(lambda: not scene.sim.sessions, "the session's end")
    await trader.stop()
    SQLiteStore(scene.journal).close()


# -- the engine alone


class Memory:
    """A store in memory whose commits complete when the test says so."""

    def __init__(self) -> None:
        self.groups: list[Sequence[bytes]] = []
        self.commits: list[asyncio.Future[None]] = []
        self.open = True

    def append(self, records: Sequence[bytes]) -> None:
        self.groups.append(records)

    def commit(self) -> asyncio.Future[None]:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.open:
            waiter.set_result(None)
        self.commits.append(waiter)
        return waiter


class Lane:
    """A lane on which comes what the test says."""

    def __init__(self) -> None:
        self.closed = False
        self.facts: list[object] = []

    def drain(self) -> list[object]:
        facts, self.facts = self.facts, []
        return facts

    def __len__(self) -> int:
        return len(self.facts)

    def close(self) -> None:
        self.closed = True


def engine() -> tuple[Engine, Lane]:
    made = Engine(Desk(Gate(Limits()), timing=Timing()), SystemClock(), lambda effect: None)
    lane = Lane()
    made.furnish(Memory(), lane)  # type: ignore[arg-type]
    return made, lane


async def test_time_that_passes_while_a_commit_hangs_does_not_pile_up() -> None:
    made, _ = engine()
    steps: list[object] = []
    made.desk.step = lambda event, now_ns: steps.append(event) or []  # type: ignore[method-assign, func-returns-value]
    for _ in range(MAX_COMMANDS + 5):
        made.tick()
    await made.turn()
    assert [type(event) for event in steps] == [TimerTick]


async def test_a_wish_is_judged_by_the_quote_that_its_maker_saw() -> None:
    """A fact first, then the quotes, then the wishes: whoever saw a quote and acts in the same turn is heard
    after it, or a first order would be denied for want of a quote."""
    made, lane = engine()
    steps: list[object] = []
    made.desk.step = lambda event, now_ns: steps.append(event) or []  # type: ignore[method-assign, func-returns-value]
    stream = QuoteStream(SPY, lambda call, *arguments: call(*arguments))
    fact = Link(state=LinkState.CONNECTED, session=1)
    lane.facts.append(fact)
    asking = asyncio.create_task(made.ask(CancelAll(reason="a wish")))
    await asyncio.sleep(0)
    made.dirty(stream)
    await made.turn()
    await asking
    assert [type(event) for event in steps] == [Link, Quote, CancelAll]


async def test_the_last_turn_takes_reports_and_refuses_wishes() -> None:
    made, _ = engine()
    steps: list[object] = []
    made.desk.step = lambda event, now_ns: steps.append(event) or []  # type: ignore[method-assign, func-returns-value]
    running = asyncio.create_task(made.run())
    asking = asyncio.create_task(made.ask(CancelAll(reason="a wish")))
    await asyncio.sleep(0)
    steps.clear()
    asking_late = made.ask(CancelAll(reason="too late"))
    made.post(Written(order_id=7))
    made.close()
    await running
    assert Written(order_id=7) in steps, "what left would be forgotten"
    with pytest.raises(TWSError, match="stopped"):
        await asking_late
    await asyncio.gather(asking, return_exceptions=True)


async def test_who_asks_without_waiting_is_told() -> None:
    made, _ = engine()
    asking = [asyncio.create_task(made.ask(TimerTick())) for _ in range(MAX_COMMANDS + 1)]
    await asyncio.sleep(0)
    with pytest.raises(TWSError, match="await each"):
        await asking[-1]
    made.post(TimerTick())  # a report of what left is never refused
    await made.turn()
    await asyncio.gather(*asking[:-1])


@pytest.mark.parametrize("how", ["closed", "cancelled", "failed"])
async def test_whoever_waits_for_an_engine_that_ends_hears_of_it(how: str) -> None:
    made, lane = engine()
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0)
    asking = asyncio.create_task(made.ask(TimerTick()))
    turning = asyncio.create_task(made.turned())
    if how == "failed":
        made.desk.step = lambda event, now_ns: 1 / 0  # type: ignore[method-assign, return-value, assignment]
        await asyncio.sleep(0)
    else:
        await asyncio.sleep(0) if how == "closed" else None
        made.close() if how == "closed" else running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    outcomes = await asyncio.gather(asking, turning, return_exceptions=True)
    assert how == "closed" or isinstance(outcomes[0], TWSError), outcomes
    assert not running.cancelled() or how == "cancelled"
    with pytest.raises(TWSError):
        await made.ask(TimerTick())
    with pytest.raises(TWSError):
        await made.turned()
    made.post(TimerTick())
    made.tick()
    assert not made._commands and lane.closed
    assert (made.failure is not None) is (how == "failed")
