"""Level `market_data`: contracts, quotes, the past, a chain. It only reads.

python -m pytest tests/integration -m market_data

What this login may not see, or what a closed market does not say, is no failure of ours: the test is skipped
with TWS's own words, or with the hour at which the market opens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.levels import Met

from tws.certify.trader import closed_until
from tws.connection import TWSConnection
from tws.errors import RequestError
from tws.model.contract import Contract, ContractDetails, stock
from tws.model.market import MarketDataType, Quote
from tws.model.session import parse_hours
from tws.monitor.doctor.data import data_key

pytestmark = pytest.mark.market_data

QUOTE_S = 15.0
"""A line speaks at once, but an IB Gateway first connects to a farm (TWS-BEHAVIOUR.md A2)."""

INSTRUMENTS = {
    "SPY": stock("SPY"),
    "EUR.USD": Contract(symbol="EUR", sec_type="CASH", exchange="IDEALPRO", currency="USD"),
    "SPX": Contract(symbol="SPX", sec_type="IND", exchange="CBOE", currency="USD"),
    "ES": Contract(symbol="ES", sec_type="FUT", exchange="CME", currency="USD"),
}
WHAT = {"CASH": "MIDPOINT"}  # currencies have no trades (TWS-BEHAVIOUR.md E)

instruments = pytest.mark.parametrize("name", INSTRUMENTS)


async def found(connection: TWSConnection, name: str) -> ContractDetails:
    """The instrument; of a future the contract that expires next."""
    rows = await connection.request_contract_details(INSTRUMENTS[name])
    return min(rows, key=lambda row: row.contract.last_trade_date)


@contextmanager
def permitted(name: str, what: str) -> Iterator[None]:
    """Skip with TWS's words when it refuses for want of a permission; any other refusal is raised."""
    try:
        yield
    except RequestError as error:
        if data_key(error.code, error.text) in ("", "data_refused", "symbol_unknown"):
            raise
        pytest.skip(f"{name}: no {what} for this login: {error}")


async def first_quote(connection: TWSConnection, contract: Contract) -> tuple[Quote | None, str]:
    """The first quote with a price in it and the notice that came with it; None when the line stays silent.

    Raises RequestError when TWS refuses the line, or says that it lacks a permission and leaves it silent.
    """
    loop = asyncio.get_running_loop()
    until_s = loop.time() + QUOTE_S
    async with connection.stream_quotes(contract) as quotes:
        while loop.time() < until_s:
            quote, notice = quotes.quote, quotes.notice
            if any(price is not None for price in (quote.bid, quote.ask, quote.last, quote.close)):
                return quote, "" if notice is None else f", TWS says {notice[0]}"
            if quotes.failure is not None:
                raise quotes.failure
            if notice is not None and data_key(*notice):
                raise RequestError(*notice)
            await asyncio.sleep(0.02)
    return None, ""


@instruments
async def test_a_contract_is_described(connection: TWSConnection, name: str) -> None:
    details = await found(connection, name)
    assert details.contract.con_id > 0
    assert details.contract.symbol == INSTRUMENTS[name].symbol
    assert details.min_tick > 0
    assert parse_hours(details.liquid_hours, details.time_zone_id), "no session is stated for days ahead"


@instruments
async def test_quotes_are_live_delayed_or_refused_with_a_code(
    met: Met, connection: TWSConnection, name: str
) -> None:
    details = await found(connection, name)
    refusal: RequestError | None = None
    quote = None
    for kind in (MarketDataType.LIVE, MarketDataType.DELAYED_FROZEN):
        connection.request_market_data_type(kind)
        try:
            quote, said = await first_quote(connection, details.contract)
        except RequestError as error:
            refusal = error
            continue
        if quote is not None:
            met.note(f"{name}: {quote.kind.name.lower()}{said}")
            assert quote.kind is not MarketDataType.NONE
            return
    if refusal is not None:
        with permitted(name, "quotes"):
            raise refusal
    closed = closed_until(details, await connection.request_current_time())
    if closed:
        pytest.skip(f"{name}: no quote, its market is {closed}")
    pytest.fail(f"{name}: neither a quote nor a code within {QUOTE_S:g} s, twice, in an open market")


@instruments
async def test_bars_of_the_past(connection: TWSConnection, name: str) -> None:
    contract = (await found(connection, name)).contract
    what = WHAT.get(contract.sec_type, "TRADES")
    with permitted(name, "history"):
        bars = await connection.request_historical_bars(
            contract, duration="1 W", bar_size="1 hour", what=what, use_rth=False
        )
    assert bars, "no bar in a week"
    times = [bar.time_ns for bar in bars]
    assert times == sorted(set(times)), "bars are not in order, or come twice"
    assert all(bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high for bar in bars)


async def test_where_the_history_begins(connection: TWSConnection) -> None:
    contract = (await found(connection, "SPY")).contract
    with permitted("SPY", "history"):
        head = await connection.request_head_timestamp(contract)
    assert datetime(1980, 1, 1, tzinfo=UTC) < head < await connection.request_current_time()


async def test_an_option_chain(connection: TWSConnection) -> None:
    underlying = (await found(connection, "SPY")).contract
    chains = await connection.request_option_chain(underlying)
    assert chains, "TWS knows no options on SPY"
    chain = next((row for row in chains if row.exchange == "SMART"), chains[0])
    assert chain.under_con_id == underlying.con_id
    assert chain.expirations == tuple(sorted(set(chain.expirations)))
    assert chain.strikes == tuple(sorted(set(chain.strikes)))
    last = max(chain.expirations)
    yesterday = await connection.request_current_time() - timedelta(days=1)
    assert last >= f"{yesterday:%Y%m%d}", "every expiration is past"
