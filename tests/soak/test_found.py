"""What the soak has found, each played by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.soak.calm import House, in_calm

from tws.connection.keeping.events import ConnectionState
from tws.errors import DecodeError, PacingError, RequestError
from tws.model.contract import stock
from tws.model.facts import Answer, AnswerKind
from tws.model.order import Order, OrderType, Side

SPY = stock("SPY")


async def _down(house: House) -> None:
    """The link is cut, and the next dial is under way or due: the accounts of the login are not known."""
    house.sim.faults.play("refuse-dials")
    house.world.network.cut_all()
    await house.until(lambda: house.connection.state is ConnectionState.WAITING)
    house.sim.faults.clear()
    house.sim.faults.play("silent-start", lasts="1s")
    await house.until(lambda: not house.connection.accounts)


def test_what_is_opened_while_the_link_is_down_is_about_the_account_of_the_login() -> None:
    async def body(house: House) -> None:
        await _down(house)
        account, pnl = house.connection.stream_account(), house.connection.stream_pnl()
        await house.until(lambda: account.is_complete and pnl.last)
        assert account.account == pnl.account == "DU1234567"

    in_calm(body)


def test_every_stream_of_the_account_hears_it() -> None:
    async def body(house: House) -> None:
        first, second = house.connection.stream_account(), house.connection.stream_account()
        await house.until(lambda: first.is_complete and second.is_complete)
        assert first.values == second.values
        first.close()
        count = second.count
        await house.until(lambda: second.count > count, within_s=200.0)

    in_calm(body)


def test_a_stream_for_which_no_waiting_makes_room_ends_when_the_link_is_back() -> None:
    async def body(house: House) -> None:
        await _down(house)
        streams = [house.connection.stream_account_summary() for _ in range(3)]
        await house.until(lambda: streams[0].is_complete and streams[1].is_complete)
        assert isinstance(streams[2].failure, PacingError)
        with pytest.raises(PacingError, match="322"):
            house.connection.stream_account_summary()

    in_calm(body)


async def _rest(house: House) -> int:
    """An order that rests at the broker."""
    order = Order(side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT, limit_price=Decimal(1))
    order_id = house.connection.place_order(SPY, order).order_id
    await house.until(lambda: house.sim.exchange.open_orders())
    return order_id


def test_a_word_that_comes_late_does_not_bring_an_ended_order_back() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("late-status", status="PreSubmitted", delay="3s")
        house.sim.faults.play("late-status", status="Submitted", delay="3s")
        house.connection.cancel_order(await _rest(house))
        await house.until(lambda: not house.sim.exchange.open_orders())
        await asyncio.sleep(5.0)
        (order,) = house.connection.broker.orders
        assert order.status == "Cancelled" and not order.is_open

    in_calm(body)


def test_a_cancel_meets_its_request_where_the_simulated_tws_keeps_it() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("connectivity-lost", lasts="20s")
        reply = house.connection.request_account_summary()
        await asyncio.sleep(5.0)
        reply.cancel()
        await house.until(lambda: house.connection.state is ConnectionState.READY)
        streams = [house.connection.stream_account_summary() for _ in range(2)]
        await house.until(lambda: all(stream.is_complete for stream in streams))
        assert not house.watching.over_limit

    in_calm(body)


def test_what_a_fault_does_at_an_event_is_told_after_that_event() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("manual-cancel", on="order placed")
        house.sim.faults.play("execution-bust", on="fill")
        house.connection.place_order(SPY, Order(side=Side.BUY, quantity=Decimal(7)))
        await house.until(lambda: house.connection.broker.executions)
        await asyncio.sleep(1.0)
        assert house.connection.broker.positions == ()
        assert [order.is_open for order in house.connection.broker.orders] == [False]

    in_calm(body)


def test_two_outages_of_the_line_to_ib_that_overlap_are_one() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("connectivity-lost", lasts="5s", restored="lost")
        house.sim.faults.play("connectivity-lost", lasts="20s")
        details = house.connection.request_contract_details(SPY)
        await asyncio.sleep(10.0)
        assert house.connection.state is ConnectionState.BROKER_LOST and not details.done()
        await asyncio.sleep(11.0)
        assert house.connection.state is ConnectionState.READY and details.done()
        assert [event.code for event in house.connection.recent_events if event.code in (1101, 1102)] == [
            1101
        ]

    in_calm(body)


def test_the_same_bars_are_asked_for_again_fifteen_seconds_after_their_answer() -> None:
    async def body(house: House) -> None:
        first = house.connection.stream_bars(SPY, "5 secs", duration="600 S")
        second = house.connection.stream_bars(SPY, "5 secs", duration="600 S")
        await house.until(lambda: first.count and second.count, within_s=16.0)
        assert not house.watching.over_limit

    in_calm(body)


def test_a_fill_that_could_not_be_read_is_asked_for() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("malformed-frame", kind="bad-number", message=11)
        house.connection.place_order(SPY, Order(side=Side.BUY, quantity=Decimal(7)))
        await house.until(lambda: house.connection.broker.executions, within_s=5.0)
        assert any("message 11 could not be read" in event.text for event in house.connection.recent_events)

    in_calm(body)


def test_an_answer_with_a_row_that_could_not_be_read_is_not_complete() -> None:
    async def body(house: House) -> None:
        house.connection.place_order(SPY, Order(side=Side.BUY, quantity=Decimal(7)))
        await house.until(lambda: house.connection.broker.positions)
        answers: list[Answer] = []
        house.connection.facts(lambda fact: answers.append(fact) if isinstance(fact, Answer) else None)
        house.sim.faults.play("malformed-frame", kind="bad-number", message=61)
        with pytest.raises(DecodeError, match="positions"):
            await house.connection.request_positions()
        assert answers == [] and house.connection.broker.positions
        house.sim.faults.play("malformed-frame", kind="truncated", message=11)
        with pytest.raises(DecodeError, match="executions"):
            await house.connection.request_executions()
        assert answers == []
        await asyncio.sleep(5.0)  # all is asked for again, and complete
        assert {answer.kind for answer in answers} == set(AnswerKind)

    in_calm(body)


def test_a_message_that_is_never_readable_is_no_flood_of_questions() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("malformed-frame", kind="bad-number", message=59, count=10_000)
        for _ in range(60):
            house.connection.place_order(SPY, Order(side=Side.BUY, quantity=Decimal(1)))
            await asyncio.sleep(10.0)
        assert house.watching.asked["ExecutionRequest"] < 12

    in_calm(body)


def test_a_stream_of_no_market_whose_request_was_lost_is_opened_anew() -> None:
    async def body(house: House) -> None:
        for request in ("AccountSummaryRequest", "AccountDataRequest", "PnLRequest", "HistoricalDataRequest"):
            house.sim.faults.play("swallow", request=request)
        summary, account = house.connection.stream_account_summary(), house.connection.stream_account()
        pnl, bars = house.connection.stream_pnl(), house.connection.stream_bars(SPY, duration="600 S")
        await asyncio.sleep(60.0)
        assert not any((summary.count, account.count, pnl.count, bars.count))
        await house.until(
            lambda: summary.is_complete and account.is_complete and pnl.last and bars.count, within_s=120.0
        )

    in_calm(body)


def test_a_stream_whose_request_waits_for_the_limits_is_not_blamed_for_its_silence() -> None:
    async def body(house: House) -> None:
        for _ in range(60):
            stream = house.connection.stream_realtime_bars(SPY)
            await asyncio.sleep(0.5)
            stream.close()
        late = house.connection.stream_realtime_bars(SPY)
        await house.until(lambda: late.count, within_s=700.0)
        assert not any("stale" in event.text for event in house.connection.recent_events)
        assert not house.watching.over_limit

    in_calm(body)


def test_what_tws_has_forgotten_leaves_its_place_to_the_renewal() -> None:
    async def body(house: House) -> None:
        streams = [house.connection.stream_account_summary() for _ in range(2)]
        await house.until(lambda: all(stream.is_complete for stream in streams))
        house.sim.faults.play("connectivity-lost", lasts="10s", restored="lost")
        await asyncio.sleep(11.0)
        await house.until(lambda: all(stream.is_complete and stream.gap is None for stream in streams), 5.0)
        assert not house.watching.over_limit

    in_calm(body)


def test_what_tws_has_kept_over_a_gap_and_serves_afterwards_is_cancelled() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("connectivity-lost", lasts="10s", restored="lost")
        stream = house.connection.stream_account_summary()
        await asyncio.sleep(12.0)
        assert stream.is_complete
        second = house.connection.stream_account_summary()
        await house.until(lambda: second.is_complete, 5.0)
        assert not house.watching.over_limit

    in_calm(body)


def test_a_stream_that_never_brought_anything_and_is_refused_for_good_ends() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("swallow", request="MarketDepthRequest")
        stream = house.connection.stream_depth(SPY)  # of SMART, which has no depth unless it is asked for
        await asyncio.sleep(1.0)
        house.world.network.cut_all()
        await house.until(lambda: house.connection.session == 2, 5.0)
        await asyncio.sleep(60.0)
        assert not stream.closed
        await house.until(lambda: stream.closed, within_s=200.0)
        assert isinstance(stream.failure, RequestError) and stream.failure.code == 10092

    in_calm(body)


def test_a_request_that_cannot_be_cancelled_leaves_no_timer_behind() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("swallow", request="HistoricalTicksRequest")
        start = datetime(2025, 10, 10, 13, 0, tzinfo=UTC)
        reply = house.connection.request_historical_ticks(SPY, start=start, count=50)
        await asyncio.sleep(1.0)
        reply.cancel()
        await asyncio.sleep(1.0)
        house.connection.disconnect()
        await house.connection.wait_closed()
        left = [timer for *_, timer in house.world.loop._timers if "Wire" in repr(timer._callback)]
        assert not [timer for timer in left if not timer.cancelled()]

    in_calm(body, server_version=200)


def test_a_half_open_session_says_nothing_more_whatever_held_its_bytes_back() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("slow-writer", bytes_per_s=200)
        house.connection.stream_account()  # some kilobytes
        await asyncio.sleep(1.0)
        house.sim.faults.play("half-open")
        received = house.connection.bytes_received
        await asyncio.sleep(5.0)
        assert house.connection.bytes_received - received < 50  # what was on the wire already
        house.sim.faults.clear()
        await house.until(lambda: house.connection.session == 2)

    in_calm(body)


def test_a_new_stream_does_not_take_the_place_of_one_that_is_about_to_be_renewed() -> None:
    async def body(house: House) -> None:
        old = [house.connection.stream_account_summary() for _ in range(2)]
        await house.until(lambda: all(stream.is_complete for stream in old))
        house.sim.faults.play("swallow", request="ExecutionRequest")  # so that the synchronisation takes long
        house.world.network.cut_all()
        await house.until(lambda: house.connection.session == 2 and house.connection.is_connected())
        new = house.connection.stream_account_summary()
        await house.until(lambda: house.connection.state is ConnectionState.READY)
        await asyncio.sleep(1.0)
        assert all(stream.is_complete and stream.gap is None for stream in old)
        assert isinstance(new.failure, PacingError)

    in_calm(body)


def test_a_stream_of_the_account_lives_where_tws_never_named_the_accounts() -> None:
    async def body(house: House) -> None:
        house.sim.faults.play("malformed-frame", kind="unknown-message", message=15, count=3)
        house.world.network.cut_all()
        await house.until(lambda: house.connection.session == 2 and house.connection.is_connected())
        assert house.connection.accounts == ()
        stream = house.connection.stream_account()
        await house.until(lambda: stream.is_complete and stream.values, within_s=5.0)
        assert stream.account == "DU1234567"

    in_calm(body)
