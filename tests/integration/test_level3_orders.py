"""Level `orders`: one share, ten percent under the market, placed, acknowledged and cancelled at once.

python -m pytest tests/integration -m orders

On a real TWS only on paper and only with TWS_ENABLE_ORDER_TESTS=true. What a test placed is cancelled however
it ends, and TWS is asked whether it is gone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from tests.integration.levels import Met
from tests.integration.trading import Trader, trading

from tws.certify.trader import until

pytestmark = pytest.mark.orders


@pytest.fixture
async def trader(met: Met) -> AsyncIterator[Trader]:
    """The paper account, with the built-in guard before each order."""
    async with trading(met) as made:
        yield made


async def test_a_far_buy_is_acknowledged_and_cancelled(trader: Trader) -> None:
    before = await trader.position()
    order = await trader.far_buy()
    order_id = await trader.place(order)
    seen = await trader.acknowledged(order, order_id)
    assert seen.perm_id
    assert [row.order_ref for row in await trader.working()] == [order.order_ref]

    await trader.cancel(order, order_id)
    assert await trader.working() == []
    assert await trader.executions() == []
    assert await trader.position() == before


async def test_an_order_is_changed_and_stays_the_same_order(trader: Trader) -> None:
    order = await trader.far_buy()
    order_id = await trader.place(order)
    first = (await trader.acknowledged(order, order_id)).perm_id
    assert order.limit_price is not None
    lower = replace(order, limit_price=trader.grid.snap(order.limit_price - 1))

    await trader.place(lower, order_id)
    await until(
        lambda: (told := trader.told(order)) is not None and told.limit_price == lower.limit_price,
        f"the change of order {order_id} was not told: {trader.refusals(order_id)}",
    )
    assert [(row.perm_id, row.limit_price) for row in await trader.working()] == [(first, lower.limit_price)]
    await trader.cancel(order, order_id)


async def test_a_what_if_answers_with_margin_and_places_nothing(trader: Trader) -> None:
    asked = await trader.connection.request_what_if(trader.contract, await trader.far_buy())
    assert asked.initial.after is not None and asked.initial.after >= 0
    assert await trader.working() == []
