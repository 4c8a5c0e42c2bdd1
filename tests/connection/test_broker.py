"""The mirror of the broker's books: told twice, late, early or corrected, each order and fill is there once.

With the simulated TWS on virtual time; what no TWS can be made to say soon enough (a bound) is said by hand.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from tests.connection.kept import CLIENT_ID, SPY, House, buy

from tws.connection.keeping.broker import MOST_ORDERS, BrokerBook, SeenOrder
from tws.connection.keeping.events import EventKind, Severity
from tws.model.execution import Commission, Execution
from tws.model.facts import BrokerOrderStatus, Link, LinkState
from tws.model.order import Side
from tws.wire.codes import effect


async def bought(house: House, ref: str = "mine") -> SeenOrder:
    """An order that has filled at 100.02."""
    house.sim.quote("SPY", bid=100.0, ask=100.02)
    await house.connection.place_order(SPY, buy("100.05", ref))
    await house.until(lambda: filled(house, ref) == 10)
    (seen,) = house.connection.broker.of_ref(ref)
    return seen


def filled(house: House, ref: str) -> Decimal:
    return sum((seen.filled for seen in house.connection.broker.of_ref(ref)), Decimal(0))


@pytest.mark.parametrize(
    "fault",
    [
        {"what": "duplicate-execution", "copies": 5, "count": 100},
        {"what": "duplicate-status", "copies": 5, "count": 100},
        {"what": "execution-first", "count": 100},
        {"what": "late-execution", "delay": "5s", "count": 100},
        {"what": "late-status", "delay": "5s", "count": 100},
        {"what": "missing-status", "count": 100},
    ],
    ids=lambda fault: fault["what"],
)
def test_a_fill_stands_there_once_however_it_is_told(fault: dict[str, object]) -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play(str(fault["what"]), **{k: v for k, v in fault.items() if k != "what"})
        seen = await bought(house)
        await asyncio.sleep(10)
        assert house.connection.broker.orders == (seen,)
        (fill,) = house.connection.broker.executions
        (truth,) = house.sim.exchange.executions()
        assert (fill.exec_id, fill.quantity) == (truth.executed.exec_id, 10)
        assert seen.perm_id and seen.client_id == CLIENT_ID
        house.sim.faults.play("cut")
        await house.until_session(2)
        assert house.connection.broker.executions == (fill,), "the answer told nothing new"
        assert not seen.is_open

    house = House().run(scene)
    assert house.events(EventKind.ORDERS) == []


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    async def scene(house: House) -> None:
        seen = await bought(house)
        (first,) = house.connection.broker.executions
        house.sim.faults.play("execution-correction", exec_id=first.exec_id, by=0.01)
        await house.until(lambda: house.connection.broker.executions != (first,))
        (corrected,) = house.connection.broker.executions
        assert corrected.base_id == first.base_id and corrected.price == first.price + Decimal("0.01")
        assert seen.filled == 10
        house.sim.faults.play("cut")
        await house.until_session(2)
        assert house.connection.broker.executions == (corrected,)

    House().run(scene)


def test_a_fee_comes_late_or_with_the_answer() -> None:
    async def scene(house: House) -> None:
        house.sim.faults.play("late-commission", delay="20s", count=1)
        await bought(house)
        (fill,) = house.connection.broker.executions
        assert house.connection.broker.commission(fill.exec_id) is None
        await house.until(lambda: house.connection.broker.commission(fill.exec_id) is not None)

    House().run(scene)


def test_an_order_that_has_two_lives_is_called_out() -> None:
    """INCIDENTS 3: a change that was made while connectivity was lost works beside the first order."""

    async def scene(house: House) -> None:
        house.sim.quote("SPY", bid=100.0, ask=100.02)
        sent = await house.connection.place_order(SPY, buy("99", "mine"))
        await house.until(lambda: house.connection.broker.open_orders)
        house.sim.faults.play("modify-forks")
        await house.connection.place_order(SPY, buy("98", "mine"), sent.order_id)
        await house.until(lambda: len(house.sim.exchange.open_orders()) == 2)
        house.sim.faults.play("cut")
        await house.until_session(2)
        lives = house.connection.broker.of_ref("mine")
        assert len({seen.perm_id for seen in lives if seen.is_open}) == 2

    house = House().run(scene)
    told = house.events(EventKind.ORDERS)
    assert told and all(event.severity is Severity.ALARM for event in told)
    assert "orderRef mine has 2 working orders" in told[0].text


def test_a_position_that_is_closed_stands_there_no_more() -> None:
    async def scene(house: House) -> None:
        await bought(house)
        await house.connection.request_positions()
        (held,) = house.connection.broker.positions
        assert held.quantity == 10
        house.sim.faults.play("transfer", symbol="SPY", shares=-10)
        house.sim.faults.play("cut")
        await house.until_session(2)
        assert house.connection.broker.positions == ()

    House().run(scene)


# -- said by hand


def book(most_orders: int = MOST_ORDERS) -> BrokerBook:
    made = BrokerBook(CLIENT_ID, effect, lambda text, what: None, most_orders)
    made.hear(Link(state=LinkState.CONNECTED, session=1))
    return made


def status(order_id: int, perm_id: int, word: str) -> BrokerOrderStatus:
    return BrokerOrderStatus(
        order_id=order_id,
        perm_id=perm_id,
        client_id=CLIENT_ID,
        status=word,
        filled=Decimal(0),
        remaining=Decimal(1),
    )


def test_an_order_id_that_is_given_again_is_another_order() -> None:
    """INCIDENTS 2: after a restart TWS gives the id of a filled order once more."""
    one = book()
    one.hear(status(5, 1001, "Filled"))
    one.hear(Link(state=LinkState.CONNECTED, session=2))
    one.hear(status(5, 1002, "Submitted"))
    assert [(seen.perm_id, seen.status) for seen in one.orders] == [(1001, "Filled"), (1002, "Submitted")]
    assert one.of_id(5) is one.of_perm(1002)


def test_an_early_order_gets_its_perm_id_when_tws_names_it() -> None:
    one = book()
    one.hear(status(5, 0, "PendingSubmit"))
    (early,) = one.orders
    one.hear(status(5, 1001, "Submitted"))
    assert one.orders == (early,) and one.of_perm(1001) is early and early.status == "Submitted"


def test_what_was_corrected_does_not_come_back() -> None:
    one = book()
    one.hear(fill("e.1.09"))
    one.hear(fill("e.1.10"))
    one.hear(fill("e.1.09"))
    assert [row.exec_id for row in one.executions] == ["e.1.10"]


def test_the_book_is_bounded_and_what_works_stays_longest() -> None:
    one = book(20)
    one.hear(status(1, 1, "Submitted"))
    for number in range(2, 500):
        one.hear(status(number, number, "Filled"))
        one.hear(Commission(exec_id=f"e.{number}.01", amount=Decimal(1), currency="USD"))
    assert one.of_perm(1) in one.open_orders
    assert len(one._orders) <= 40
    assert len(one._commissions) == 100
    assert one.commission("e.499.01") is not None


def test_executions_are_bounded() -> None:
    one = book(4)
    for number in range(100):
        one.hear(fill(f"e.{number}.01"))
    assert [row.exec_id for row in one.executions] == [f"e.{number}.01" for number in range(80, 100)]


def fill(exec_id: str) -> Execution:
    return Execution(
        exec_id=exec_id,
        order_id=1,
        perm_id=1,
        client_id=CLIENT_ID,
        account="DU1",
        contract=SPY,
        side=Side.BUY,
        quantity=Decimal(1),
        price=Decimal(100),
        time_ns=0,
        cumulative=Decimal(1),
        average_price=Decimal(100),
    )
