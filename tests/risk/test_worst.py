"""What a guard without a desk judges in the stead of an order with attributes, and what it never lets out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.ordertypes.built import LIMIT, SPY, every_order

from tws import ordertypes as ot
from tws.model.fullorder import FullOrder
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType
from tws.risk import Denial, fitting, worst_of

GRID = Instrument(contract=SPY)
WORST: dict[str, tuple[FullOrder, OrderType, str | None, str | None]] = {
    "a limit": (LIMIT, OrderType.LIMIT, "90", None),
    "with discretion, bought": (ot.discretionary(LIMIT, 2), OrderType.LIMIT, "92", None),
    "with discretion, sold": (ot.discretionary(ot.limit("SELL", 1, 120), 2), OrderType.LIMIT, "118", None),
    "a touch at the market": (ot.market_if_touched("BUY", 1, 80), OrderType.MARKET, None, None),
    "a touch at a limit": (ot.limit_if_touched("BUY", 1, 80, 81), OrderType.LIMIT, "81", None),
    "a stop": (ot.stop_with_protection("SELL", 1, 80), OrderType.STOP, None, "80"),
    "a stop at a limit": (ot.stop_limit("SELL", 1, 80, 79), OrderType.STOP_LIMIT, "79", "80"),
    "a trail at a limit": (ot.trailing_stop_limit("SELL", 1, amount=5, stop_price=90, limit_offset=1),
                           OrderType.TRAIL, None, "90"),
    "a peg with a cap": (ot.pegged_to_market("BUY", 1, offset=1, cap=95), OrderType.LIMIT, "95", None),
    "a peg without": (ot.pegged_to_market("BUY", 1, offset=1), OrderType.MARKET, None, None),
    "in the closing auction": (ot.market_on_close("BUY", 1), OrderType.MARKET, None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", WORST)
def test_the_worst_of_an_order(name: str) -> None:
    order, kind, limit, stop = WORST[name]
    found = worst_of(order)
    assert isinstance(found, Order)
    assert (found.order_type, found.limit_price, found.stop_price) == (
        kind, limit and Decimal(limit), stop and Decimal(stop))  # fmt: skip
    assert (found.side, found.quantity) == (order.side, order.quantity)


def test_what_sends_orders_of_its_own_has_none() -> None:
    unjudged = {name for name, order in every_order() if isinstance(worst_of(order), str)}
    assert unjudged == {"attach_presets", "hedged_beta", "hedged_delta", "hedged_fx", "hedged_pair", "scaled",
                        "volatility"}  # fmt: skip  # one of the two VOL hedges its delta
    assert isinstance(worst_of(ot.for_cash(LIMIT, 100)), str)


@pytest.mark.parametrize(("order", "mended"), [
    (ot.limit("BUY", 1, "90.001"), {"limit_price": "90.00"}),
    (ot.limit("SELL", 1, "90.001"), {"limit_price": "90.01"}),
    (ot.market_if_touched("BUY", 1, "80.001"), {"aux_price": "80.01"}),
    (ot.trailing_stop("SELL", 1, amount="1.001", stop_price="90.001"),
     {"aux_price": "1.01", "trail_stop_price": "90.00"}),
])  # fmt: skip
def test_prices_are_held_to_the_grid(order: FullOrder, mended: dict[str, str]) -> None:
    assert isinstance(fitting(GRID, order), Denial)
    found = fitting(GRID, order, "round")
    assert isinstance(found, FullOrder)
    assert {name: str(getattr(found, name)) for name in mended} == mended


def test_offsets_and_money_are_the_broker_s_to_judge() -> None:
    for order in (ot.relative("BUY", 1, offset="0.0001"), ot.for_cash(LIMIT, 100), ot.midprice("BUY", 1)):
        assert fitting(GRID, order) is order
    assert isinstance(fitting(GRID, ot.limit("BUY", Decimal("0.5"), 90)), Denial)
