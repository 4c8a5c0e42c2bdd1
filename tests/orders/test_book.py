"""The book: what finds an order, and what does not."""

from __future__ import annotations

from decimal import Decimal

from tws.model.contract import Contract
from tws.model.order import Order, Role, Side
from tws.orders import OrderBook, OrderState, OurOrder


def _order(intent_id: str, order_id: int, quantity: int = 100) -> OurOrder:
    return OurOrder(
        intent_id=intent_id,
        group_id=intent_id,
        role=Role.ENTRY,
        contract=Contract(con_id=1),
        order=Order(side=Side.BUY, quantity=Decimal(quantity)),
        order_id=order_id,
    )


def test_the_reference_comes_before_the_permanent_id() -> None:
    book = OrderBook()
    one, two = _order("a-1", 1), _order("a-2", 2)
    book.add(one)
    book.add(two)
    book.bind(two, 77, 2)
    assert book.named("a-1", 77) is one
    assert book.named("", 77) is two
    assert book.named("somebody", 77) is two
    assert book.named("somebody", 78) is None
    assert book.named("", 0) is None


def test_a_reused_order_id_means_the_latest_intent() -> None:
    book = OrderBook()
    old, new = _order("a-1", 5), _order("b-1", 5)
    book.add(old)
    book.add(new)
    assert book.numbered(5) is new
    assert book.numbered(6) is None


def test_the_living_and_those_that_owe_us_executions() -> None:
    book = OrderBook()
    order = _order("a-1", 1)
    book.add(order)
    book.moved(order, OrderState.WORKING)
    assert list(book.living()) == [order]
    order.claimed = Decimal(100)
    book.moved(order, OrderState.FILLED)
    assert list(book.living()) == []
    assert list(book.exposed()) == [order]
    assert order.open_quantity == 100
    order.filled = Decimal(100)
    book.settle(order)
    assert list(book.exposed()) == []
    book.moved(order, OrderState.UNKNOWN)
    assert list(book.living()) == [order]


def test_what_is_open_is_what_is_not_filled_and_never_negative() -> None:
    order = _order("a-1", 1)
    order.state = OrderState.WORKING
    order.filled = Decimal(30)
    assert order.open_quantity == 70
    order.filled = Decimal(130)
    assert order.open_quantity == 0
