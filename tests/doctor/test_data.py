"""Market data permissions: which codes mean what, and how the doctor asks."""

from __future__ import annotations

import pytest
from tests.doctor.scene import config, keys, simulated, warned
from tests.simulator.scene import until

from tws.errors import ConfigError
from tws.model.contract import Contract, stock
from tws.monitor.doctor.data import contract_of, data_key, parse_symbols
from tws.monitor.doctor.examine import diagnose
from tws.wire.messages import CancelMarketData, MarketDataRequest


@pytest.mark.parametrize(
    ("code", "text", "key"),
    [
        (354, "Requested market data is not subscribed.", "data_not_subscribed"),
        (10168, "Requested market data is not subscribed.", "data_not_subscribed"),
        (10186, "Requested market data is not subscribed.", "data_not_subscribed"),
        (10089, "Requested market data requires additional subscription for API.", "data_not_for_api"),
        (10090, "Part of requested market data is not subscribed.", "data_partly"),
        (10167, "Displaying delayed market data.", ""),
        (10197, "No market data during competing live session", "competing_session"),
        (10189, "Failed to request tick-by-tick data.different IP address", "other_address"),
        (10189, "Failed to request tick-by-tick data.No permissions", "history_not_permitted"),
        (10187, "Failed to request historical ticks:No market data permissions", "history_not_permitted"),
        (162, "Historical data request pacing violation", "history_paced"),
        (420, "Invalid Real-time Query:Historical data request pacing violation", "history_paced"),
        (162, "HMDS query returned no data: SPY@ARCA Trades", ""),
        (200, "No security definition has been found for the request", "symbol_unknown"),
        (101, "Max number of tickers has been reached", "data_lines_used"),
        (10999, "Something new", "data_refused"),
    ],
)
def test_which_cause_a_code_is(code: int, text: str, key: str) -> None:
    assert data_key(code, text) == key


def test_what_symbols_may_look_like() -> None:
    assert parse_symbols("spy, EUR.USD,,SPY, brk b") == ("SPY", "EUR.USD", "BRK B")
    assert parse_symbols("") == ()
    for wrong in ("SPY;QQQ", "$SPX", ",".join(f"S{number}" for number in range(11))):
        with pytest.raises(ConfigError):
            parse_symbols(wrong)
    assert contract_of("SPY") == stock("SPY")
    assert contract_of("EUR.USD") == Contract(
        symbol="EUR", sec_type="CASH", exchange="IDEALPRO", currency="USD"
    )
    assert contract_of("BRK.B") == stock("BRK.B")


async def test_what_one_stock_lacks_is_a_warning_unless_it_was_asked_for() -> None:
    async with simulated(unsubscribed=("SPY",)) as (_, port):
        unasked = await diagnose(config(port))
        assert keys(unasked) == [] and "data_not_subscribed" in warned(unasked)
        assert keys(await diagnose(config(port), symbols=("SPY",))) == ["data_not_subscribed"]


async def test_each_symbol_is_told_by_itself() -> None:
    async with simulated(unsubscribed=("QQQ=10089",)) as (_, port):
        report = await diagnose(config(port), symbols=("SPY", "NOSUCH"))
    assert [(seen.symbol, seen.kind, seen.code) for seen in report.data] == [
        ("SPY", "live", None),
        ("NOSUCH", "none", 200),
    ]


async def test_a_closed_market_is_frozen_and_no_cause() -> None:
    from datetime import UTC, datetime

    sunday = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 10**9
    async with simulated(hours="exchange", start_ns=sunday) as (_, port):
        report = await diagnose(config(port), symbols=("SPY",))
    assert keys(report) == []
    assert report.data[0].kind in ("live", "frozen")  # a last price is data of a closed market as well


async def test_every_line_is_cancelled_and_each_asked_for_at_most_twice() -> None:
    async with simulated(unsubscribed=("SPY",)) as (simulator, port):
        asked, cancelled = [], []
        handle = simulator.core.handle

        def noted(session: object, request: object) -> None:
            if isinstance(request, MarketDataRequest):
                asked.append(request.req_id)
            if isinstance(request, CancelMarketData):
                cancelled.append(request.req_id)
            handle(session, request)  # type: ignore[arg-type]

        simulator.core.handle = noted  # type: ignore[method-assign]
        await diagnose(config(port), symbols=("SPY",))
        await until(lambda: not simulator.sessions)
        assert not any(simulator.core.lines.values())
    assert len(asked) == 2 and cancelled[-1:] == asked[-1:]  # what TWS refused it has forgotten already
