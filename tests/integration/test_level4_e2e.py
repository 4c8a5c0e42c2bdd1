"""Level `e2e`: one share is bought while we are away, found, and sold again.

python -m pytest tests/integration -m e2e

On a real TWS only on paper, only with TWS_ENABLE_ORDER_TESTS=true, and only while the market is open.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.integration.levels import Met, open_or_fail
from tests.integration.trading import ONE, Trader, trading

from tws.certify.trader import closed_until, until
from tws.model.execution import Commission, Execution
from tws.model.order import Order, Side

pytestmark = pytest.mark.e2e


@pytest.fixture
async def trader(met: Met) -> AsyncIterator[Trader]:
    async with trading(met) as made:
        details = made.connection.details_of(made.contract)
        assert details is not None
        closed = closed_until(details, await made.connection.request_current_time())
        if closed:
            pytest.skip(f"{made.contract.symbol} is not traded now: its market is {closed}")
        yield made


async def test_a_share_is_bought_over_a_reconnect_and_sold_flat(trader: Trader) -> None:
    connection = trader.connection
    before = await trader.position()

    buy = await trader.marketable(Side.BUY)
    await trader.place(buy)
    connection.disconnect()  # the fill finds nobody at home
    await connection.wait_closed()
    await open_or_fail(connection)
    await filled(trader, buy)
    assert await trader.position() == before + ONE

    sell = await trader.marketable(Side.SELL)
    await trader.place(sell)
    await filled(trader, sell)
    assert await trader.position() == before

    answered = await trader.executions()
    assert {row.exec_id: row for row in answered} == {row.exec_id: row for row in heard(trader)}
    assert sum(row.signed_quantity for row in answered) == 0
    await until(lambda: set(fees(trader)) >= {row.exec_id for row in answered}, "a commission is missing")
    for exec_id, fee in fees(trader).items():
        assert connection.broker.commission(exec_id) == fee
        assert fee.currency == trader.contract.currency


async def filled(trader: Trader, order: Order) -> None:
    await until(
        lambda: (seen := trader.seen(order)) is not None and seen.filled == order.quantity,
        f"{order.side} {order.limit_price} was not filled",
    )


def heard(trader: Trader) -> list[Execution]:
    """The fills of ours that came on the fact lane, whatever asked for them."""
    ours = [fact for fact in trader.facts if isinstance(fact, Execution)]
    return [fact for fact in ours if fact.order_ref.startswith(trader.mark)]


def fees(trader: Trader) -> dict[str, Commission]:
    ids = {fill.exec_id for fill in heard(trader)}
    return {
        fact.exec_id: fact for fact in trader.facts if isinstance(fact, Commission) and fact.exec_id in ids
    }
