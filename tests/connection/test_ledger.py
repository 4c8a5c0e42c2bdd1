"""The count at the last moment before the socket: an intent's size is not exceeded, whoever asks."""

from __future__ import annotations

from decimal import Decimal

from tws.connection.ordering import ledger as module
from tws.connection.ordering.ledger import Ledger
from tws.model.contract import Contract
from tws.model.order import Order, OrderType, Side
from tws.risk.permit import Mint

SPY = Contract(con_id=756733, symbol="SPY")


class Counter:
    """A ledger, and permits for it."""

    def __init__(self) -> None:
        self.perms: dict[int, int] = {}
        self.ledger = Ledger(lambda order_id: self.perms.get(order_id, 0))
        self.mint = Mint()

    def write(
        self,
        order_id: int,
        quantity: int,
        *,
        cap: int = 100,
        intent: str = "t-1",
        changes: bool = False,
        parent: int = 0,
    ) -> str:
        """Why it may not leave; empty when it left."""
        order = Order(
            side=Side.BUY, quantity=Decimal(quantity), order_type=OrderType.MARKET, parent_id=parent
        )
        permit = self.mint.issue(order_id, SPY, order, intent_id=intent, cap=Decimal(cap), modifies=changes)
        denial = self.ledger.judge(permit, order_id, order)
        if denial is None:
            self.ledger.note(permit, order_id, order)
        return "" if denial is None else f"{denial.limit}: {denial.reason}"


def test_an_intent_leaves_once() -> None:
    counter = Counter()
    assert counter.write(1, 100) == ""
    assert "left already" in counter.write(1, 100)
    assert "more than intent t-1" in counter.write(2, 100), "the retry of a submit"
    assert "more than intent t-1" in counter.write(2, 1)
    assert counter.write(2, 100, intent="t-2") == ""


def test_parts_of_an_intent_add_up_to_its_size() -> None:
    counter = Counter()
    assert counter.write(1, 60) == "" == counter.write(2, 40)
    assert counter.write(3, 1) != ""


def test_a_change_takes_the_place_of_what_it_changes() -> None:
    counter = Counter()
    assert counter.write(1, 100) == ""
    assert counter.write(1, 40, cap=40, changes=True) == ""
    assert counter.write(1, 80, cap=80, changes=True) == ""
    assert "belongs to another intent" in counter.write(1, 80, cap=80, changes=True, intent="t-2")


def test_a_change_of_what_lives_under_two_permanent_ids_counts_twice() -> None:
    """INCIDENTS.md 3."""
    counter = Counter()
    assert counter.write(1, 100) == ""
    counter.perms[1] = 2
    assert "more than intent t-1" in counter.write(1, 80, cap=80, changes=True)
    counter.perms[1] = 1
    assert counter.write(1, 80, cap=80, changes=True) == ""


def test_a_child_follows_its_parent_and_is_no_larger() -> None:
    """INCIDENTS.md 14: half a bracket is no bracket."""
    counter = Counter()
    assert "parent was not sent" in counter.write(2, 100, intent="t-2", parent=1)
    assert counter.write(1, 100) == ""
    assert "more than its parent" in counter.write(2, 101, cap=101, intent="t-2", parent=1)
    assert counter.write(2, 100, intent="t-2", parent=1) == ""


def test_what_is_counted_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    counter = Counter()
    for number in range(1, 10):
        assert counter.write(number, 1, intent=f"t-{number}") == ""
    assert len(counter.ledger._orders) == 3 == len(counter.ledger._intents)
    assert "left already" in counter.write(1, 1, intent="t-1"), "what was placed is known for good"
    assert counter.write(7, 1, intent="t-7", changes=True) == "" == counter.write(10, 1, intent="t-10")
    assert 7 in counter.ledger._orders, "what is written again is not the oldest"
