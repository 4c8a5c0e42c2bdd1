"""An order makes exact what it is given, and refuses what can't be made exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.model.order import Order, OrderType, Side, TimeInForce


def test_numbers_and_words_become_exact() -> None:
    given: dict[str, Any] = {"side": "SELL", "quantity": 10, "order_type": "LMT", "limit_price": "100.25"}
    order = Order(**given, tif=TimeInForce.GTC)
    assert order == Order(
        side=Side.SELL,
        quantity=Decimal(10),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("100.25"),
        tif=TimeInForce.GTC,
    )
    assert type(order.quantity) is Decimal
    assert type(order.side) is Side
    fraction: Any = 0.1
    assert Order(side=Side.BUY, quantity=fraction).quantity == Decimal("0.1")


@pytest.mark.parametrize(
    "wrong", [{"quantity": float("nan")}, {"quantity": "ten"}, {"side": "HOLD"}, {"tif": "SOON"}]
)
def test_what_is_no_number_and_no_word_is_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"side": "BUY", "quantity": 1}
    with pytest.raises(ValueError):
        Order(**(given | wrong))
