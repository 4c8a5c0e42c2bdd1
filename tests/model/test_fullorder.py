"""An order with everything: what a journal keeps of one is the same when read again; numbers are exact."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.ordertypes.built import ATTRIBUTES, LIMIT, every_order

from tws.model.attributes import Attributes, Clearing, Combo, Scale
from tws.model.fullorder import FullOrder
from tws.model.order import Side


@pytest.mark.parametrize("order", [order for _, order in every_order()])
def test_it_is_the_same_when_it_is_read_again(order: FullOrder) -> None:
    kept = msgspec.json.encode(order)
    assert msgspec.json.decode(kept, type=FullOrder) == order


def test_numbers_are_made_exact() -> None:
    made = FullOrder(side="SELL", quantity=100, limit_price=0.1, attributes=Attributes(  # type: ignore[arg-type]
        scale=Scale(price_increment=0.3), cash_quantity="2.50", combo=Combo(leg_prices=(1, None))))  # type: ignore[arg-type]
    assert (made.side, made.quantity, made.limit_price) == (Side.SELL, 100, Decimal("0.1"))
    scale, combo = made.attributes.scale, made.attributes.combo
    assert scale is not None and combo is not None
    assert (scale.price_increment, combo.leg_prices) == (Decimal("0.3"), (Decimal(1), None))
    with pytest.raises(ValueError, match="limit_price"):
        msgspec.structs.replace(LIMIT, limit_price=float("inf"))
    with pytest.raises(ValueError, match="cash_quantity"):
        Attributes(cash_quantity=float("nan"))  # type: ignore[arg-type]


def test_what_an_empty_word_means_is_kept_empty() -> None:
    assert Clearing(intent="IB") == Clearing()
    assert Attributes(misc_options={"b": "1", "a": "2"}).misc_options == (("a", "2"), ("b", "1"))  # type: ignore[arg-type]
    assert msgspec.json.decode(msgspec.json.encode(ATTRIBUTES), type=Attributes) == ATTRIBUTES
