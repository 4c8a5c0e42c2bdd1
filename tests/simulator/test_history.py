"""Requests for the past over a real socket: by type of instrument, in both encodings, kept up to date."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock

from tws.simulator.limits import Limits
from tws.wire.messages import (
    ErrorMessage,
    HeadTimestamp,
    HeadTimestampRequest,
    HistoricalData,
    HistoricalDataEnd,
    HistoricalDataRequest,
    HistoricalDataUpdate,
    HistoricalSchedule,
    HistoricalTicks,
    HistoricalTicksBidAsk,
    HistoricalTicksLast,
    HistoricalTicksRequest,
    NextValidId,
    WireContract,
)

TEN = int(datetime(2026, 1, 7, 15, 0, tzinfo=UTC).timestamp() * 1e9)  # a Wednesday, 10:00 in New York


@pytest.fixture(params=[176, 200, 225])
async def client(request: pytest.FixtureRequest, start: Start, connect: Connect) -> Client:
    simulator = await start(
        start_ns=TEN, hours="exchange", server_version=request.param, paused=True, limits=Limits.off()
    )
    made = await connect(simulator)
    await made.expect(NextValidId)
    return made


def euro() -> WireContract:
    return WireContract(symbol="EUR", sec_type="CASH", exchange="IDEALPRO", currency="USD")


def index() -> WireContract:
    return WireContract(symbol="SPX", sec_type="IND", exchange="CBOE", currency="USD")


def ask(req_id: int, contract: WireContract, what: str = "TRADES", **fields: Any) -> HistoricalDataRequest:
    given: dict[str, Any] = {"end_date_time": "", "bar_size_setting": "1 hour", "duration": "3 D"}
    return HistoricalDataRequest(
        req_id, contract, **(given | {"use_rth": True, "what_to_show": what, "format_date": 2} | fields)
    )


async def bars(client: Client, request: HistoricalDataRequest) -> HistoricalData:
    client.send(request)
    return await client.expect(HistoricalData, lambda m: m.req_id == request.req_id)


async def refusal(client: Client, request: HistoricalDataRequest) -> tuple[int, str]:
    client.send(request)
    said = await client.expect(ErrorMessage, lambda m: m.id == request.req_id)
    return said.error_code, said.error_msg


async def test_each_type_has_the_past_of_its_kind(client: Client) -> None:
    pair = await bars(client, ask(1, euro(), "MIDPOINT"))
    assert {bar.bar_count for bar in pair.historical_data_bars} == {-1}
    assert all(0.5 < bar.close < 2 for bar in pair.historical_data_bars)
    level = await bars(client, ask(2, index(), "TRADES", bar_size_setting="1 day"))
    assert {bar.volume for bar in level.historical_data_bars} == {Decimal(0)}
    fear = await bars(client, ask(3, stock("SPY"), "OPTION_IMPLIED_VOLATILITY", bar_size_setting="1 day"))
    assert all(0.05 < bar.low <= bar.high < 1 for bar in fear.historical_data_bars)
    code, text = await refusal(client, ask(4, euro(), "TRADES"))
    assert code == 162 and "No historical market data" in text
    assert (await refusal(client, ask(5, index(), "BID")))[0] == 162


async def test_an_option_moves_with_its_underlying(client: Client) -> None:
    spy = await bars(client, ask(1, stock("SPY"), bar_size_setting="1 day", duration="1 M"))
    strike = round(spy.historical_data_bars[-1].close / 10) * 10
    call = WireContract(
        symbol="SPY", sec_type="OPT", exchange="SMART", currency="USD", right="C", strike=float(strike),
        last_trade_date_or_contract_month="20260220", multiplier="100",
    )  # fmt: skip
    option = await bars(client, ask(2, call, bar_size_setting="1 day", duration="1 M"))
    moves = [
        (b.close - a.close, d.close - c.close)
        for a, b, c, d in zip(
            spy.historical_data_bars, spy.historical_data_bars[1:],
            option.historical_data_bars, option.historical_data_bars[1:], strict=False,
        )
    ]  # fmt: skip
    agree = sum(under * derived > 0 for under, derived in moves)
    assert len(moves) > 15
    assert agree > 0.8 * len(moves), "delta is positive"


async def test_bars_end_as_the_version_ends_them(client: Client) -> None:
    found = await bars(client, ask(1, stock("SPY"), format_date=1))
    version = client.session.server_version
    assert found.historical_data_bars[0].date.endswith(" America/New_York")
    if version < 196:
        assert found.start_date_str and not client.all(HistoricalDataEnd)
    else:
        assert (await client.expect(HistoricalDataEnd)).end_date_str == "20260107 10:00:01 America/New_York"


async def test_times_are_those_of_the_login(start: Start, connect: Connect) -> None:
    simulator = await start(
        start_ns=TEN, hours="exchange", paused=True, zone="Europe/Berlin", limits=Limits.off()
    )
    client = await connect(simulator)
    await client.expect(NextValidId)
    found = await bars(client, ask(1, stock("SPY"), format_date=1))
    assert found.historical_data_bars[-1].date == "20260107 15:00:00 Europe/Berlin"


async def test_crypto_is_told_to_ask_for_aggregated_trades(client: Client) -> None:
    coin = WireContract(symbol="BTC", sec_type="CRYPTO", exchange="PAXOS", currency="USD")
    found = await bars(client, ask(1, coin, "TRADES"))
    assert client.all(ErrorMessage)[-1].error_code == 10299
    assert any(bar.volume % 1 for bar in found.historical_data_bars), "coins are traded in fractions"


@pytest.mark.parametrize(
    ("what", "fields", "code"),
    [
        ("ADJUSTED_LAST", {"end_date_time": "20260106-15:00:00"}, 321),
        ("TRADES", {"keep_up_to_date": True, "end_date_time": "20260106-15:00:00"}, 321),
        ("TRADES", {"keep_up_to_date": True, "bar_size_setting": "1 secs"}, 321),
        ("BID_ASK", {"keep_up_to_date": True}, 321),
        ("TRADES", {"bar_size_setting": "1 secs", "duration": "1 M"}, 162),
        ("TRADES", {"duration": "99999999999 D"}, 321),
        ("SCHEDULE", {}, 321),
        ("NONSENSE", {}, 321),
        ("TRADES", {"end_date_time": "19990101-00:00:00"}, 162),
    ],
)
async def test_what_can_not_be_answered_is_refused(
    client: Client, what: str, fields: dict[str, Any], code: int
) -> None:
    assert (await refusal(client, ask(9, stock("SPY"), what, **fields)))[0] == code


async def test_a_schedule_states_sessions_and_no_holiday(client: Client) -> None:
    client.send(ask(1, stock("SPY"), "SCHEDULE", bar_size_setting="1 day", duration="2 W"))
    found = await client.expect(HistoricalSchedule)
    days = [one.ref_date for one in found.historical_sessions]
    assert "20260101" not in days and {"20251231", "20260102", "20260105"} <= set(days)
    assert found.historical_sessions[-1].start_date_time == "20260107-09:30:00"
    assert found.time_zone == "America/New_York"


async def test_head_time_stamps(client: Client) -> None:
    client.send(HeadTimestampRequest(1, stock("SPY"), True, "TRADES", 1))
    client.send(HeadTimestampRequest(2, stock("SPY"), True, "TRADES", 2))
    text = (await client.expect(HeadTimestamp, lambda m: m.req_id == 1)).head_timestamp
    epoch = (await client.expect(HeadTimestamp, lambda m: m.req_id == 2)).head_timestamp
    assert datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp() == int(epoch)
    assert text < "2007"
    client.send(HeadTimestampRequest(3, stock("SPY"), True, "NOPE", 1))
    assert "Invalid what to show" in (await client.expect(ErrorMessage, lambda m: m.id == 3)).error_msg
    client.send(HeadTimestampRequest(4, stock("SPY"), True, "YIELD_BID", 1))
    refused = await client.expect(ErrorMessage, lambda m: m.id == 4)
    assert refused.error_code == 162 and refused.error_msg.endswith("No head time stamp")


async def test_historical_ticks_of_three_kinds_from_both_sides(client: Client) -> None:
    def wish(req_id: int, what: str, start: str, end: str) -> HistoricalTicksRequest:
        return HistoricalTicksRequest(req_id, stock("SPY"), start, end, 50, what, True)

    edge = "20260106 12:00:00 America/New_York"
    client.send(wish(1, "TRADES", edge, ""), wish(2, "BID_ASK", "", edge), wish(3, "MIDPOINT", edge, ""))
    at = int(datetime(2026, 1, 6, 17, tzinfo=UTC).timestamp())
    after = (await client.expect(HistoricalTicksLast)).historical_ticks_last
    before = (await client.expect(HistoricalTicksBidAsk)).historical_ticks_bid_ask
    middles = (await client.expect(HistoricalTicks)).historical_ticks
    for found in (after, before, middles):  # the last second is whole
        assert 50 <= len(found) < 60 and list(found) == sorted(found, key=lambda tick: tick.time)
    assert min(tick.time for tick in after) >= at > max(tick.time for tick in before)
    assert all(tick.price_bid < tick.price_ask for tick in before)
    client.send(HistoricalTicksRequest(4, stock("SPY"), edge, edge, 50, "TRADES", True))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 4)).error_code == 321


async def test_single_ticks_are_what_the_bars_are_made_of(client: Client) -> None:
    """A minute's prints begin, turn and end where its bar did, and sum to its volume."""
    edge = "20260106 11:00:00 America/New_York"
    client.send(
        HistoricalTicksRequest(1, stock("SPY"), edge, "", 1000, "TRADES", True),
        ask(2, stock("SPY"), bar_size_setting="1 min", duration="60 S",
            end_date_time="20260106 11:01:00 America/New_York", format_date=2),
    )  # fmt: skip
    ticks = (await client.expect(HistoricalTicksLast)).historical_ticks_last
    (bar,) = (await client.expect(HistoricalData)).historical_data_bars
    within = [tick for tick in ticks if tick.time < int(bar.date) + 60]
    reported = [tick for tick in within if not tick.attr_mask]
    prices = [tick.price for tick in reported]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (bar.open, bar.high, bar.low, bar.close)
    assert sum(tick.size or 0 for tick in reported) == bar.volume
    assert len(reported) > 12 and len({tick.exchange for tick in reported}) > 3
    assert {tick.special_conditions for tick in reported} <= {"", "I"}
    assert all((tick.size < 100) == (tick.special_conditions == "I") for tick in reported if tick.size)
    averages = [tick for tick in ticks if tick.attr_mask]
    assert {(tick.attr_mask, tick.special_conditions) for tick in averages} == {(2, "W")}


async def test_quotes_of_the_past_say_what_lies_beyond_the_day(client: Client) -> None:
    def wish(req_id: int, ignore: bool) -> HistoricalTicksRequest:
        edge = "20260106 09:30:00 America/New_York"
        return HistoricalTicksRequest(req_id, stock("SPY"), edge, "", 900, "BID_ASK", True, ignore)

    client.send(wish(1, False), wish(2, True))
    every = (await client.expect(HistoricalTicksBidAsk, lambda m: m.req_id == 1)).historical_ticks_bid_ask
    moved = (await client.expect(HistoricalTicksBidAsk, lambda m: m.req_id == 2)).historical_ticks_bid_ask
    assert {tick.attr_mask for tick in every} >= {0, 1, 2}  # an early quote lies beyond the few first prints
    assert len({tick.size_bid for tick in every}) > 5
    pairs = [(tick.price_bid, tick.price_ask) for tick in moved]
    assert all(one != other for one, other in itertools.pairwise(pairs))
    assert any(one.price_bid == other.price_bid for one, other in itertools.pairwise(every))


async def test_a_kept_bar_grows_until_the_next_begins(start: Start, connect: Connect) -> None:
    simulator = await start(
        start_ns=TEN, hours="exchange", speed=60.0, symbols=("SPY",), limits=Limits.off(), server_version=225
    )
    client = await connect(simulator)
    await client.expect(NextValidId)
    await bars(client, ask(1, stock("SPY"), bar_size_setting="1 min", duration="600 S", keep_up_to_date=True))
    seen: list[Any] = []

    def enough(_: HistoricalDataUpdate) -> bool:
        seen[:] = [m.historical_data_bar for m in client.all(HistoricalDataUpdate)]
        return len({bar.date for bar in seen}) >= 3

    await client.expect(HistoricalDataUpdate, enough)
    by_minute: dict[str, list[Any]] = {}
    for bar in seen:
        by_minute.setdefault(bar.date, []).append(bar)
    whole = list(by_minute.values())[1]
    assert len(whole) >= 10
    assert {bar.open for bar in whole} == {whole[0].open}
    assert [bar.volume for bar in whole] == sorted(bar.volume for bar in whole)
    assert [bar.high for bar in whole] == sorted(bar.high for bar in whole)


async def test_prints_of_a_future_happen_at_its_own_exchange(client: Client) -> None:
    future = WireContract(symbol="ES", sec_type="FUT", exchange="CME", currency="USD", local_symbol="ESH6")
    edge = "20260106 12:00:00 America/New_York"
    client.send(HistoricalTicksRequest(1, future, edge, "", 5, "TRADES", False))
    told = (await client.expect(HistoricalTicksLast)).historical_ticks_last
    assert {tick.exchange for tick in told} == {"CME"}
