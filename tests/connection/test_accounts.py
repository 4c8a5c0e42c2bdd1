"""What accounts hold and are worth: asked once, or followed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from tests.connection.peers import Recorder, RecorderServer, config_of, unkept, until

from tws.connection import TWSConnection
from tws.errors import NotSentError, RequestError
from tws.model.account import AccountSource, AccountValue, PortfolioItem
from tws.model.contract import Contract, stock
from tws.model.order import Order, OrderType, Side
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.wire import codec
from tws.wire.messages import (
    AccountDataEnd,
    AccountDataRequest,
    AccountSummaryEnd,
    AccountSummaryRequest,
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPnL,
    CancelPnLSingle,
    CancelPositionsMulti,
    ErrorMessage,
)

FIRST, SECOND = "DU1234567", "DU7654321"


@pytest.fixture(params=[176, 200, 225])
async def market(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedTWS]:
    """Two accounts."""
    options = SimulatorOptions(
        paused=True, symbols=("SPY",), accounts=(FIRST, SECOND), server_version=request.param, limits=Limits()
    )
    made = SimulatedTWS(options)
    made.address = await made.start()  # type: ignore[attr-defined]
    yield made
    await made.stop()


@pytest.fixture
async def connection(market: SimulatedTWS) -> AsyncIterator[TWSConnection]:
    port = int(market.address[1])  # type: ignore[attr-defined]
    async with TWSConnection(config_of(port), guard="off") as made:
        yield made


async def buy(market: SimulatedTWS, connection: TWSConnection, shares: int, account: str = FIRST) -> Contract:
    contract = (await connection.request_contract(stock("SPY"))).contract
    market.quote("SPY", bid=100.00, ask=100.02)
    order = Order(
        side=Side.BUY,
        quantity=Decimal(shares),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("100.02"),
        account=account,
    )
    await connection.place_order(contract, order)
    await connection.request_current_time()
    return contract


async def test_values_and_portfolio_once(market: SimulatedTWS, connection: TWSConnection) -> None:
    await buy(market, connection, 10)
    values, portfolio = connection.request_account_values(), connection.request_portfolio()
    worth = {(row.key, row.currency): row for row in await values}["NetLiquidation", "USD"]
    assert worth.amount and worth.amount > 900_000 and worth.source is AccountSource.UPDATES
    assert worth.time_ns > 0 and 0 <= worth.age_s(worth.time_ns + 2 * 10**9) == 2
    (held,) = await portfolio
    assert (held.contract.symbol, held.quantity, held.source) == ("SPY", 10, AccountSource.UPDATES)
    assert held.market_value == Decimal(repr(held.market_price)) * 10
    assert isinstance(held.average_cost, Decimal) and isinstance(held.unrealized_pnl, Decimal)
    assert await connection.request_portfolio(SECOND) == []
    kind = {row.key: row for row in await connection.request_account_values(SECOND)}["AccountCode"]
    assert (kind.value, kind.amount) == (SECOND, None)


async def test_a_followed_account(market: SimulatedTWS, connection: TWSConnection) -> None:
    stream = connection.stream_account(FIRST)
    await stream.complete()
    cash = stream.values["TotalCashValue", "USD"].amount
    contract = await buy(market, connection, 10)
    await until(lambda: stream.portfolio.get(contract.con_id))
    await until(lambda: stream.values["TotalCashValue", "USD"].amount != cash)
    assert stream.portfolio[contract.con_id].quantity == 10
    # asked for beside it: the same account is served, and its stream goes on
    assert await connection.request_portfolio(FIRST) == list(stream.portfolio.values())
    await buy(market, connection, 5)
    await until(lambda: stream.portfolio[contract.con_id].quantity == 15)
    with pytest.raises(NotSentError, match="one account at a time"):
        connection.stream_account(SECOND)
    with pytest.raises(NotSentError, match="one account at a time"):
        connection.request_account_values(SECOND)
    seen: list[AccountValue | PortfolioItem] = []
    stream.on_tick(seen.append)
    stream.close()
    await connection.request_current_time()
    await buy(market, connection, 1)
    assert seen == []
    async with connection.stream_account(SECOND) as other:
        await other.complete()
        assert other.account == SECOND and other.portfolio == {}


async def test_an_unknown_account(connection: TWSConnection) -> None:
    with pytest.raises(RequestError, match="account code"):
        await connection.request_account_values("DU999")
    stream = connection.stream_account("DU999")
    with pytest.raises(RequestError, match="account code"):
        await stream.complete()
    with pytest.raises(RequestError, match="account code"):
        await anext(stream)
    assert await connection.request_account_values(FIRST)


@pytest.mark.parametrize("code", [2100, 2101])
async def test_a_feed_that_another_has_taken_over(recorder: RecorderServer, code: int) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        stream = connection.stream_account()
        recorder.clients[0].say(AccountDataEnd("DU1234567"))
        await stream.complete()
        recorder.clients[0].say(ErrorMessage(-1, 0, code, "unsubscribed from account data"))
        with pytest.raises(RequestError) as caught:
            await anext(stream)
        assert caught.value.code == code


async def test_an_account_is_given_back_once(recorder: RecorderServer) -> None:
    def heard(client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, 200)
        if isinstance(asked, AccountDataRequest) and asked.subscribe:
            client.say(AccountDataEnd(asked.acct_code))

    recorder.heard = heard
    async with unkept(config_of(recorder.port)) as connection:
        assert await connection.request_account_values() == []
        stream = connection.stream_account()
        await stream.complete()
        assert await connection.request_portfolio() == []
        stream.close()
        await recorder.caught_up(connection)
        asked = [codec.decode_request(payload, 200) for payload in recorder.payloads]
        assert [one.subscribe for one in asked if isinstance(one, AccountDataRequest)] == [
            True, False, True, True, False,
        ]  # fmt: skip


async def test_summary(market: SimulatedTWS, connection: TWSConnection) -> None:
    rows = await connection.request_account_summary(["NetLiquidation", "AccountType"])
    assert {(row.account, row.key) for row in rows} == {
        (account, key) for account in (FIRST, SECOND) for key in ("NetLiquidation", "AccountType")
    }
    assert all(row.source is AccountSource.SUMMARY and row.time_ns for row in rows)
    for _ in range(3):  # two at a time are allowed, and one that was answered is over
        ledger = await connection.request_account_summary([], currency="USD")
    assert {row.currency for row in ledger} == {"USD"}
    assert "CashBalance" in {row.key for row in ledger}
    async with connection.stream_account_summary(["TotalCashValue"]) as stream:
        await stream.complete()
        before = stream.values[FIRST, "TotalCashValue", "USD"].amount
        await buy(market, connection, 10)
        await market.set_clock(market.now_ns() + 181 * 10**9)
        await until(lambda: stream.values[FIRST, "TotalCashValue", "USD"].amount != before)
        second = connection.request_account_summary()
        with pytest.raises(NotSentError, match="322"):
            connection.request_account_summary()
        assert await second


async def test_positions_and_values_of_one_account(market: SimulatedTWS, connection: TWSConnection) -> None:
    await buy(market, connection, 10)
    await buy(market, connection, 7, SECOND)
    (held,) = await connection.request_positions_of(SECOND)
    assert (held.account, held.quantity, held.source) == (SECOND, 7, AccountSource.MULTI)
    assert {row.account for row in await connection.request_positions_of()} == {FIRST, SECOND}
    assert {row.source for row in await connection.request_positions()} == {AccountSource.POSITIONS}
    values = await connection.request_account_values_of(SECOND)
    assert {row.account for row in values} == {SECOND} and {row.source for row in values} == {
        AccountSource.MULTI
    }
    for refused in (connection.request_positions_of("DU999"), connection.request_account_values_of("DU999")):
        with pytest.raises(RequestError, match="account code"):
            await refused


async def test_profit_and_loss(market: SimulatedTWS, connection: TWSConnection) -> None:
    contract = await buy(market, connection, 10)
    whole, single = connection.stream_pnl(), connection.stream_pnl_of(FIRST, contract.con_id)
    first = await anext(whole)
    assert (first.account, first.source) == (FIRST, AccountSource.PNL) and isinstance(first.daily, Decimal)
    held = await anext(single)
    assert (held.quantity, held.con_id) == (10, contract.con_id) and held.value and held.value > 0
    market.quote("SPY", bid=110.00, ask=110.02)
    market.trade("SPY", 110.0)
    await market.set_clock(market.now_ns() + 2 * 10**9)
    await until(lambda: single.last is not None and single.last.unrealized != held.unrealized)
    assert single.last is not None and single.last.time_ns > held.time_ns
    nothing = connection.stream_pnl_of(FIRST, 1)
    await connection.request_current_time()
    assert nothing.last is None
    with pytest.raises(RequestError, match="account code"):
        await anext(connection.stream_pnl("DU999"))


async def test_what_was_asked_once_is_cancelled(recorder: RecorderServer) -> None:
    def heard(client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, 200)
        if isinstance(asked, AccountSummaryRequest):
            client.say(AccountSummaryEnd(asked.req_id))

    recorder.heard = heard
    async with unkept(config_of(recorder.port)) as connection:
        assert await connection.request_account_summary() == []
        connection.request_positions_of().cancel()
        connection.request_account_values_of().cancel()
        connection.stream_pnl().close()
        connection.stream_pnl_of("", 1).close()
        await recorder.caught_up(connection)
        kinds = {type(codec.decode_request(payload, 200)) for payload in recorder.payloads}
        assert kinds >= {
            CancelAccountSummary,
            CancelPositionsMulti,
            CancelAccountUpdatesMulti,
            CancelPnL,
            CancelPnLSingle,
        }
