"""Each kind of stream over a socket that is cut, or a TWS that lost its data: fed again, nothing missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.connection.peers import config_of, until
from tests.connection.test_live_bars import Market, check

from tws.connection import Keep, TWSConnection
from tws.connection.keeping.events import ConnectionState
from tws.model.contract import stock
from tws.model.depth import DepthOperation
from tws.model.market import Bar
from tws.model.order import Order, OrderType, Side

SPY = stock("SPY")


@pytest.fixture(params=[176, 225])
async def market(request: pytest.FixtureRequest) -> AsyncIterator[Market]:
    made = Market(request.param)
    _, made.port = await made.tws.start()  # type: ignore[attr-defined]
    yield made
    await made.tws.stop()


@pytest.fixture
async def connection(market: Market, journal: Path) -> AsyncIterator[TWSConnection]:
    keep = Keep(backoff_s=(0.01, 0.05))
    async with TWSConnection(config_of(market.port), keep=keep, guard="off") as made:  # type: ignore[attr-defined]
        await made.wait_ready()
        yield made


async def interrupt(market: Market, connection: TWSConnection, how: str, seconds: int) -> None:
    """The link goes, or TWS loses IB; so many seconds of trading pass; all is well again."""
    if how == "cut":
        market.tws.faults.cut()
        await until(lambda: not connection.is_connected())
        market.tws.faults.refuse = True
        await market.trade_for(seconds)
        market.tws.faults.refuse = False
    else:
        market.tws.faults.say(1100, "Connectivity between IBKR and Trader Workstation has been lost.")
        market.tws.core.flush()
        for session in market.tws.sessions:
            market.tws.core.desk.drop(session)
        await until(lambda: connection.state is ConnectionState.BROKER_LOST)
        await market.trade_for(seconds)
        market.tws.faults.say(
            1101, "Connectivity between IBKR and Trader Workstation has been restored - data lost."
        )
        market.tws.core.flush()
    await until(lambda: connection.state is ConnectionState.READY)
    await connection.request_current_time()


HOW = pytest.mark.parametrize("how", ["cut", "1101"])


@HOW
async def test_bars(market: Market, connection: TWSConnection, how: str) -> None:
    await market.trade_for(130)
    bars, live = (
        connection.stream_bars(SPY, use_rth=False),
        connection.stream_realtime_bars(SPY, use_rth=False),
    )
    minutes: list[Bar] = []
    fives: list[Bar] = []
    bars.on_tick(lambda bar: minutes.append(bar) if bar.is_final else None)
    live.on_tick(fives.append)
    await until(lambda: bars.running)
    await market.trade_for(20)
    await until(lambda: len(fives) >= 3)
    await interrupt(market, connection, how, 310)
    await until(lambda: bars.running and bars.gap is None)
    await market.trade_for(120)
    await until(lambda: len(minutes) >= 8 and len(fives) >= 80)
    check(minutes[1:], 60)  # the first began within its minute, where the duration did
    check(fives, 5)
    assert len(bars.gaps) == len(live.gaps) == 1
    assert not bars.unfilled and not live.unfilled


@HOW
async def test_all_the_others(market: Market, connection: TWSConnection, how: str) -> None:
    contract = (await connection.request_contract(SPY)).contract
    market.tws.quote("SPY", bid=100.0, ask=100.02)
    order = Order(
        side=Side.BUY, quantity=Decimal(3), order_type=OrderType.LIMIT, limit_price=Decimal("100.02")
    )
    await connection.place_order(contract, order)
    account, summary = connection.stream_account(), connection.stream_account_summary(["NetLiquidation"])
    book = connection.stream_depth(SPY, smart=True)
    steps: list[DepthOperation] = []
    book.on_tick(lambda change: steps.append(change.operation))
    profit, of_position = connection.stream_pnl(), connection.stream_pnl_of("", contract.con_id)
    quotes, group = connection.stream_quotes(SPY), connection.stream_display_group(1)
    await account.complete()
    await summary.complete()
    await until(
        lambda: len(book.asks) == 5 and profit.last and of_position.last and group.last and quotes.count
    )
    await interrupt(market, connection, how, 5)
    market.tws.quote("SPY", bid=200.0, ask=200.02)
    await account.complete()
    await summary.complete()
    assert account.portfolio[contract.con_id].quantity == 3
    assert summary.values and all(stream.gaps for stream in (account, summary, book))
    await until(lambda: book.asks and book.asks[0].price == 200.02 and quotes.quote.bid == 200.0)
    assert DepthOperation.RESET in steps and len(book.asks) == len(book.bids) == 5 and not book.misplaced
    await until(lambda: profit.last and of_position.last and group.last)
    every = (account, summary, book, profit, of_position, quotes, group)
    assert all(stream.gap is None and stream.failure is None for stream in every)
