"""Options exercised through a trader, over sockets: the broker's books and ours, and a crash at each step."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.scene import SPY, Scene, records_of, until
from tests.runtime.test_failure import Disk
from tests.runtime.test_link import settled

from tws.clock import NS_PER_S
from tws.desk import SubmitOrder, Timing
from tws.desk.standing import discrepancies
from tws.errors import JournalError
from tws.journal import SQLiteStore
from tws.model.contract import Contract
from tws.model.exercise import Exercise
from tws.model.order import OrderType, Side
from tws.model.records import Exercised, Intended, OrderState, Record, encode_record
from tws.model.stop import KillState
from tws.orders import OurOrder
from tws.risk import Limits
from tws.runtime import Trader
from tws.safety import SafetyFile
from tws.simulator import SimulatedTWS, SimulatorOptions, ToldSettings
from tws.simulator.limits import Limits as SimLimits
from tws.wire.messages import ExerciseOptionsRequest

FRIDAY_NS = int(datetime(2026, 1, 9, 15, tzinfo=UTC).timestamp()) * NS_PER_S
ONE, TWO = Exercise(quantity=1), Exercise(quantity=2)
SOON = Timing(absence_ns=NS_PER_S // 5, differs_ns=NS_PER_S // 5)
WIDE = Limits(stale_quote_s=86_400, max_order_quantity=1000, max_position=1000, max_order_notional=200_000,
              max_position_notional=300_000, max_symbol_notional=None, max_net_notional=None,
              max_gross_notional=None)  # fmt: skip


class Options(Scene):
    """SPY, and calls on it that lie in the money; what an exercise request is, is an argument."""

    def __init__(self, folder: Path, exercise: Any = "final", **more: Any) -> None:
        super().__init__(folder)
        told = ToldSettings(exercise=exercise)
        options = {"market": self.market()} | more
        self.sim = SimulatedTWS(SimulatorOptions(limits=SimLimits.off(), settings=told, **options))

    async def open(self) -> None:
        """Strikes lie about the price that the universe has for it."""
        _, self.port = await self.sim.start()
        price = self.sim.security("SPY").price
        self.sim.quote("SPY", bid=price, ask=price + 0.02)
        self.sim.trade("SPY", price)

    async def trading(self, **parts: Any) -> Trader:
        return await self.started(limits=WIDE, timing=SOON, **parts)

    async def call(self, trader: Trader, beyond: float = -10.0) -> Contract:
        """The call of the first expiry whose strike lies so far above the price."""
        price = (await trader.quote(SPY)).bid or 0.0
        chains = await trader.connection.request_option_chain(SPY)
        (chain,) = [each for each in chains if each.exchange == "SMART"]
        strike = min(chain.strikes, key=lambda each: abs(each - price - beyond))
        wish = Contract(symbol="SPY", sec_type="OPT", last_trade_date=min(chain.expirations), strike=strike,
                        right="C", exchange="SMART", currency="USD")  # fmt: skip
        return (await trader.details(wish)).contract

    async def held(self, trader: Trader, beyond: float = -10.0, quantity: int = 3) -> Contract:
        """Such a call, bought by the desk without a stop."""
        contract = await self.call(trader, beyond)
        self.sim.quote(contract.con_id, bid=10.0, ask=10.02)
        await trader.quote(contract)
        await until(lambda: _market(trader, contract) == (10.0, 10.02), "the quote that was set by hand")
        instrument = await trader.instrument(contract)
        order = SubmitOrder(instrument=instrument, side=Side.BUY, quantity=Decimal(quantity),
                            order_type=OrderType.LIMIT, limit_price=Decimal("10.02"))  # fmt: skip
        records = await trader.ask(order)
        assert any(isinstance(record, Intended) for record in records), records
        key = trader.desk.state.ours.key("DU1234567", contract.con_id)
        await until(lambda: key in trader.desk.state.stated and not trader.desk.state.differs, "the options")
        assert trader.desk.state.net(contract) == quantity
        return contract

    def broker(self, contract: Contract) -> tuple[int, int]:
        """What the broker has of the options and of the shares."""
        rows = {row.con_id: int(row.quantity) for row in self.sim.exchange.positions()}
        return rows.get(contract.con_id, 0), rows.get(self.sim.con_id("SPY"), 0)

    def ours(self, trader: Trader, contract: Contract) -> tuple[int, int]:
        state = trader.desk.state
        return int(state.net(contract)), int(state.ours.quantity(state.account, self.sim.con_id("SPY")))


def _market(trader: Trader, contract: Contract) -> tuple[float | None, float | None]:
    """Bid and ask as the desk knows them: TWS tells them one by one."""
    quote = trader.desk.quotes.get(contract.con_id)
    return (None, None) if quote is None else (quote.bid, quote.ask)


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Options]:
    made = Options(tmp_path)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def editable(tmp_path: Path) -> AsyncIterator[Options]:
    """An exercise stands there as an order until the clearing."""
    made = Options(tmp_path, "editable")
    await made.open()
    yield made
    await made.close()


def order_of(trader: Trader) -> OurOrder:
    (order,) = [each for each in trader.desk.state.book.orders.values() if each.exercise is not None]
    return order


def agrees(scene: Options, trader: Trader, contract: Contract) -> bool:
    """Our books are the broker's, nothing of it is open, and all of it is on disk."""
    state = trader.desk.state
    same = scene.broker(contract) == scene.ours(trader, contract)
    known = settled(trader) and not state.differs and not state.book.owing
    return same and known and trader.engine.idle


# -- carried out, refused, taken back


async def test_an_exercise_moves_both_books_as_the_broker_moves_his(market: Options) -> None:
    trader = await market.trading()
    call = await market.held(trader)
    answer = await trader.exercise(call, TWO, strategy="wheel")
    assert answer.denial is None and answer.intent_id
    await until(lambda: market.ours(trader, call) == (1, 200), "the shares")
    assert market.broker(call) == (1, 200)
    order = order_of(trader)
    assert (order.intent_id, order.state, order.filled) == (answer.intent_id, OrderState.FILLED, 2)
    await until(lambda: agrees(market, trader, call), "the agreement")
    records = records_of(trader)
    (booked,) = [each for each in records if isinstance(each, Exercised)]
    assert booked.shares == 200 and booked.strike == Decimal(repr(call.strike))
    row = market.sim.exchange.position("DU1234567", market.sim.con_id("SPY"))
    holding = trader.desk.state.ours.holdings[f"DU1234567/{market.sim.con_id('SPY')}"]
    assert row is not None and math.isclose(row.average_cost, holding.average_cost)
    first = next(at for at, each in enumerate(records) if isinstance(each, Intended) and each.exercise)
    assert first < records.index(booked)
    assert await trader.flatten(), "what came is ours, and is closed with the rest"
    assert market.broker(call) == (0, 0)


async def test_it_is_on_disk_before_its_bytes_leave(market: Options) -> None:
    trader = await market.trading()
    call = await market.held(trader)
    on_disk: list[bool] = []
    desk = market.sim.core.desk
    take = desk._table[ExerciseOptionsRequest]

    def look(session: Any, request: Any) -> None:
        known = [each for each in records_of(trader) if isinstance(each, Intended) and each.exercise]
        on_disk.append([each.order_id for each in known] == [request.order_id])
        take(session, request)

    desk._table[ExerciseOptionsRequest] = look
    await trader.exercise(call, ONE)
    await until(lambda: market.broker(call) == (2, 100), "the exercise")
    assert on_disk == [True]


async def test_against_the_natural_action_by_override_alone(market: Options) -> None:
    trader = await market.trading()
    call = await market.held(trader, beyond=1.0)
    answer = await trader.exercise(call, ONE)
    assert answer.denial is None
    await until(lambda: order_of(trader).state is OrderState.REJECTED, "TWS's refusal")
    assert "322" in order_of(trader).cause and market.broker(call) == (3, 0)
    again = await trader.exercise(call, Exercise(quantity=1, override=True))
    assert again.denial is None
    await until(lambda: market.ours(trader, call) == (2, 100) == market.broker(call), "the shares")


async def test_a_limit_keeps_it_back_and_no_byte_leaves(market: Options) -> None:
    trader = await market.trading()
    call = await market.held(trader)
    await trader.exercise(call, Exercise(quantity=5))  # by now what it is an option on is looked up
    sent = trader.connection.bytes_sent
    answer = await trader.exercise(call, Exercise(quantity=4))
    assert answer.denial is not None and answer.denial.limit == "exercise" and not answer.intent_id
    assert trader.connection.bytes_sent == sent
    await trader.kill(reason="test")
    answer = await trader.exercise(call, ONE)
    assert answer.denial is not None and answer.denial.limit == "entries_blocked"
    assert market.broker(call) == (3, 0)


async def test_one_that_waits_is_taken_back_by_the_stop(editable: Options) -> None:
    trader = await editable.trading()
    call = await editable.held(trader)
    await trader.exercise(call, TWO)
    await until(lambda: order_of(trader).state is OrderState.ACKNOWLEDGED, "TWS's word")
    assert not trader.flat(), "it may act"
    report = await trader.kill(reason="test")
    assert order_of(trader).state is OrderState.CANCELLED and report.settled
    assert editable.broker(call) == (3, 0)
    editable.sim.core.new_day(editable.sim.now_ns())
    editable.sim.core.flush()
    await until(lambda: agrees(editable, trader, call), "the agreement")
    assert editable.ours(trader, call) == (3, 0)


async def test_a_lapse_waits_for_the_clearing_of_its_last_day(tmp_path: Path) -> None:
    """On a Friday on which options expire; the market stands still, so only TWS's words tell."""
    scene = Options(tmp_path, market=None, paused=True, start_ns=FRIDAY_NS, symbols=("SPY",))
    await scene.open()
    try:
        trader = await scene.trading()
        call = await scene.held(trader, beyond=20.0)
        assert (await trader.lapse(call, Exercise(quantity=3))).denial is None
        await until(lambda: order_of(trader).state is OrderState.ACKNOWLEDGED, "TWS's word")
        assert scene.ours(trader, call) == (3, 0)
        scene.sim.core.new_day(scene.sim.now_ns())
        scene.sim.core.flush()
        await until(lambda: scene.ours(trader, call) == (0, 0) == scene.broker(call), "the end of it")
        assert order_of(trader).state is OrderState.FILLED
    finally:
        await scene.close()


async def test_a_latch_of_another_process_holds_an_exercise_back_and_no_lapse(
    editable: Options, tmp_path: Path
) -> None:
    """Pulled while both wait for the socket, before any desk has heard of it."""
    with SafetyFile(tmp_path / "safety") as safety:
        trader = await editable.trading(safety=safety)
        call = await editable.held(trader)
        trader.connection.outbound.hold()
        exercise = await trader.exercise(call, ONE)
        lapse = await trader.lapse(call, Exercise(quantity=1, override=True))
        with SafetyFile(safety.path) as other:
            other.latch(KillState.HALTED, at_ns=1, reason="odd fills", operator="ann")
        orders = trader.desk.state.book.orders
        trader.connection.outbound.release()
        await until(lambda: not orders[exercise.intent_id].live, "the end of what did not leave")
        assert orders[exercise.intent_id].state is OrderState.DENIED
        assert "odd fills" in orders[exercise.intent_id].cause
        answered = (OrderState.ACKNOWLEDGED, OrderState.REJECTED)  # by the day: is it the option's last?
        await until(lambda: orders[lapse.intent_id].state in answered, "TWS's word on the lapse")
        await trader.stop()


# -- a crash, or a lost link, at each step


async def image(trader: Trader, folder: Path) -> Path:
    """The journal as it is on disk now: what a crash in this instant leaves."""
    return await written(folder, records_of(trader))


async def written(folder: Path, records: list[Record]) -> Path:
    path = folder / "after-the-crash.sqlite3"
    store = SQLiteStore(path)
    store.append([encode_record(record) for record in records])
    await store.commit()
    store.close()
    return path


async def anew(scene: Options, journal: Path) -> Trader:
    """The next run, on that journal."""
    for trader in scene.traders:
        await trader.stop()
    return await scene.trading(journal=journal)


async def test_a_crash_before_the_commit_leaves_nothing(market: Options, tmp_path: Path) -> None:
    store = Disk(market.journal)
    trader = await market.trading(store=store)
    call = await market.held(trader)
    there = records_of(trader)
    store.full = True
    with pytest.raises(JournalError):
        await trader.exercise(call, ONE)
    assert market.broker(call) == (3, 0)
    again = await anew(market, await written(tmp_path, there))
    await until(lambda: agrees(market, again, call), "the agreement")
    assert not [each for each in again.desk.state.book.orders.values() if each.exercise]
    assert (await again.exercise(call, Exercise(quantity=3))).denial is None
    await until(lambda: market.ours(again, call) == (0, 300) == market.broker(call), "the shares")


async def test_a_crash_between_commit_and_bytes_sends_nothing_later(market: Options, tmp_path: Path) -> None:
    trader = await market.trading()
    call = await market.held(trader)
    trader.connection.outbound.hold()
    answer = await trader.exercise(call, TWO)
    assert answer.intent_id and market.broker(call) == (3, 0)
    again = await anew(market, await image(trader, tmp_path))
    assert order_of(again).state in (OrderState.UNKNOWN, OrderState.ABSENT)
    await until(lambda: order_of(again).state is OrderState.ABSENT, "the proof of absence")
    assert market.broker(call) == (3, 0) == market.ours(again, call)
    await again.quote(SPY)
    assert (await again.exercise(call, Exercise(quantity=3))).denial is None, "all of it is free again"


async def test_a_crash_after_the_bytes_finds_it_waiting(editable: Options, tmp_path: Path) -> None:
    trader = await editable.trading()
    call = await editable.held(trader)
    await trader.exercise(call, TWO)
    there = await image(trader, tmp_path)  # TWS's word, and even that the bytes left, may not be in it
    await until(lambda: order_of(trader).state is OrderState.ACKNOWLEDGED, "TWS's word")
    again = await anew(editable, there)
    await until(lambda: order_of(again).state is OrderState.ACKNOWLEDGED, "the open order")
    assert not again.desk.state.foreign and editable.ours(again, call) == (3, 0)
    editable.sim.core.new_day(editable.sim.now_ns())
    editable.sim.core.flush()
    await until(lambda: editable.ours(again, call) == (1, 200) == editable.broker(call), "the shares")
    await until(lambda: agrees(editable, again, call), "the agreement")


async def test_a_crash_after_the_bytes_finds_it_carried_out(market: Options, tmp_path: Path) -> None:
    """No answer names it any more: the positions do, and it is booked once."""
    trader = await market.trading()
    call = await market.held(trader)
    await trader.exercise(call, TWO)
    there = await image(trader, tmp_path)
    await until(lambda: market.broker(call) == (1, 200), "the exercise")
    again = await anew(market, there)
    await until(lambda: market.ours(again, call) == (1, 200), "the shares")
    await until(lambda: agrees(market, again, call), "the agreement")
    assert order_of(again).state is OrderState.FILLED
    assert sum(isinstance(each, Exercised) for each in records_of(again)) == 1
    last = await anew(market, there)
    await until(lambda: agrees(market, last, call), "the agreement after one more start")
    assert market.ours(last, call) == (1, 200)


async def test_a_lost_link_behind_the_bytes(market: Options) -> None:
    """Cut with the frame in the socket: carried out or not, our books come to the broker's."""
    trader = await market.trading()
    call = await market.held(trader)
    await trader.exercise(call, TWO)
    market.sim.faults.cut()
    await until(lambda: not trader.desk.state.link_up, "the news of the lost link")
    await until(lambda: agrees(market, trader, call), "the agreement")
    assert order_of(trader).state in (OrderState.FILLED, OrderState.ABSENT)
    taken = market.broker(call) == (1, 200)
    assert taken is (order_of(trader).state is OrderState.FILLED)
    assert len([each for each in records_of(trader) if isinstance(each, Exercised)]) == taken
    assert not [each for each in discrepancies(trader.desk.state, market.sim.now_ns(), SOON) if each.blocks]


async def test_it_is_carried_out_while_nobody_listens(editable: Options) -> None:
    trader = await editable.trading()
    call = await editable.held(trader)
    await trader.exercise(call, TWO)
    await until(lambda: order_of(trader).state is OrderState.ACKNOWLEDGED, "TWS's word")
    editable.sim.faults.refuse = True
    editable.sim.faults.cut()
    await until(lambda: not trader.desk.state.link_up, "the news of the lost link")
    assert order_of(trader).state is OrderState.UNKNOWN
    editable.sim.core.new_day(editable.sim.now_ns())
    editable.sim.core.flush()
    editable.sim.faults.refuse = False
    await until(lambda: editable.ours(trader, call) == (1, 200) == editable.broker(call), "the shares")
    await until(lambda: agrees(editable, trader, call), "the agreement")
    await asyncio.sleep(0)
