"""Each budget of the pacer once: what waits, what is refused, and what makes room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.connection.paced import (
    VERSIONS,
    WAITS,
    WRITE,
    Desk,
    bars,
    details,
    head,
    minutes,
    prints,
    stock,
)

from tws.connection.pacing.budgets import Sent, Window
from tws.errors import NotSentError, PacingError
from tws.wire.messages import (
    AccountSummaryRequest,
    CancelHeadTimestamp,
    CancelHistoricalData,
    CancelMarketData,
    CancelMarketDepth,
    ContractDataRequest,
    HistoricalDataRequest,
    HistoricalTicksRequest,
    MarketDataRequest,
    MarketDepthRequest,
    MatchingSymbolsRequest,
    RealTimeBarsRequest,
    Request,
    ScannerSubscription,
    ScannerSubscriptionRequest,
    TickByTickRequest,
)

# -- the past -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_question_about_the_past_waits_fifteen_seconds(version: int) -> None:
    desk = Desk(version)
    desk.replies = True
    assert [desk.offer(bars(1)), desk.offer(bars(2))] == [WRITE, WAITS]
    assert desk.offer(bars(3, "120 S")) is WAITS  # the same contract and kind: it keeps its order
    desk.turn()
    desk.run(14.9)
    assert desk.ids(HistoricalDataRequest) == [1]
    desk.run(0.2)
    assert desk.ids(HistoricalDataRequest) == [1, 2, 3]


def test_fifteen_seconds_begin_when_tws_has_read_the_first() -> None:
    desk = Desk()
    desk.echo = False
    desk.offer(bars(1))
    desk.offer(bars(2))
    desk.run(20.0)
    assert desk.ids(HistoricalDataRequest) == [1]
    desk.pacer.ended(1, desk.now)
    desk.run(14.9)
    assert desk.ids(HistoricalDataRequest) == [1]
    desk.run(0.2)
    assert desk.ids(HistoricalDataRequest) == [1, 2]


def test_fifteen_seconds_begin_with_the_answer_for_tws_may_keep_a_request() -> None:
    desk = Desk()
    desk.offer(bars(1))
    desk.offer(bars(2))
    desk.run(30.0)  # it answers the question for the time all along
    assert desk.ids(HistoricalDataRequest) == [1]
    desk.pacer.ended(1, desk.now)
    desk.run(14.9)
    assert desk.ids(HistoricalDataRequest) == [1]
    desk.run(0.2)
    assert desk.ids(HistoricalDataRequest) == [1, 2]


def test_after_a_cancel_they_begin_when_it_was_read() -> None:
    desk = Desk()
    desk.offer(bars(1))
    desk.run(5.0)
    desk.offer(CancelHistoricalData(1))
    desk.offer(bars(2))
    desk.run(14.9)
    assert desk.ids(HistoricalDataRequest) == [1]
    desk.run(0.2)
    assert desk.ids(HistoricalDataRequest) == [1, 2]


def test_while_tws_has_lost_ib_no_answer_to_the_time_proves_what_the_servers_count() -> None:
    desk = Desk()
    desk.pacer.line(True, desk.now)
    desk.offer(prints(1))
    desk.offer(prints(2))
    desk.run(300.0)
    assert desk.ids(TickByTickRequest) == [1]
    desk.pacer.line(False, desk.now)
    desk.run(14.9)
    assert desk.ids(TickByTickRequest) == [1]
    desk.run(0.2)
    assert desk.ids(TickByTickRequest) == [1, 2]


def test_five_for_one_contract_in_two_seconds_and_other_contracts_go_on() -> None:
    desk = Desk()
    desk.replies = True
    assert [desk.offer(bars(n, f"{n} S")) for n in range(1, 7)] == [WRITE] * 5 + [WAITS]
    assert desk.offer(bars(7, what_to_show="MIDPOINT")) is WAITS  # something waits: `due` says it may go
    desk.offer(bars(8, contract=stock("AAPL")))
    desk.offer(details(9))
    desk.turn()
    assert desk.ids(HistoricalDataRequest) == [1, 2, 3, 4, 5, 7, 8]
    assert desk.ids(ContractDataRequest) == [9]
    assert desk.waits() == [("HistoricalDataRequest", 6)]
    (waiting,) = desk.pacer.waiting(desk.now)
    assert waiting.why == "burst: 5 in 2 s"
    assert waiting.expected_s is not None and 1002.0 < waiting.expected_s < 1002.1
    desk.run(2.1)
    assert desk.ids(HistoricalDataRequest)[-1] == 6 and not desk.waits()


@pytest.mark.parametrize(("what", "allowed"), [("TRADES", 60), ("BID_ASK", 30)])
def test_sixty_in_ten_minutes_and_bid_ask_counts_twice(what: str, allowed: int) -> None:
    desk = Desk()
    for n in range(70):
        desk.offer(bars(n, f"{n + 1} S", what_to_show=what, contract=stock(f"S{n}")))
    desk.run(60.0)
    assert len(desk.ids(HistoricalDataRequest)) == 0 + min(allowed, 50)
    for n in range(70):
        desk.pacer.ended(n, desk.now)
    desk.run(60.0)
    assert len(desk.ids(HistoricalDataRequest)) == allowed
    for n in range(70):
        desk.pacer.ended(n, desk.now)
    desk.run(601.0)
    assert len(desk.ids(HistoricalDataRequest)) == min(70, 2 * allowed)


def test_ticks_of_the_past_share_the_ten_minutes() -> None:
    desk = Desk(per_ten_minutes=2)
    desk.offer(bars(1))
    assert desk.offer(prints(2, "AAPL", past=10)) is WRITE  # the ticks before the stream are of the past
    ticks = HistoricalTicksRequest(3, stock("MSFT"), "", "20251010-14:00:00", 10, "TRADES", False)
    assert desk.offer(ticks) is WAITS
    assert desk.offer(minutes(4)) is WAITS
    desk.turn()
    assert desk.ids(HistoricalDataRequest) == [1, 4]  # bars of a minute have no such limit


def test_a_dear_request_is_not_overtaken_by_cheap_ones() -> None:
    desk = Desk(per_ten_minutes=3)
    desk.replies = True
    desk.offer(bars(1))
    desk.run(100.0)
    desk.offer(bars(2, contract=stock("B")))
    desk.run(100.0)
    desk.offer(bars(3, contract=stock("C"), what_to_show="BID_ASK"))
    desk.offer(bars(4, contract=stock("D")))
    desk.run(450.0)
    assert desk.ids(HistoricalDataRequest) == [1, 2, 3]
    assert [one.why for one in desk.pacer.waiting(desk.now)] == ["ten minutes: 3 in 600 s"]


def test_fifty_open_questions_about_the_past() -> None:
    desk = Desk()
    for n in range(52):
        desk.offer(minutes(n))
    desk.run(5.0)
    assert desk.ids(HistoricalDataRequest) == list(range(50))
    assert [one.expected_s for one in desk.pacer.waiting(desk.now)] == [None, None]
    desk.pacer.ended(17, desk.now)
    desk.offer(CancelHistoricalData(18))
    desk.run(0.0)
    assert desk.ids(HistoricalDataRequest) == list(range(52))


def test_head_time_stamps_are_open_until_they_are_cancelled() -> None:
    desk = Desk(open_history=2)
    assert [desk.offer(head(1)), desk.offer(minutes(2, keep_up_to_date=True))] == [WRITE, WRITE]
    desk.pacer.ended(1, desk.now)
    desk.pacer.ended(2, desk.now)  # its bars are complete, it goes on
    with pytest.raises(PacingError) as refused:
        desk.offer(minutes(3))
    assert (refused.value.code, refused.value.figure, refused.value.bound) == (322, 2, 2)
    assert desk.offer(CancelHeadTimestamp(1)) is WRITE
    assert desk.offer(minutes(3)) is WRITE
    desk.pacer.ended(2, desk.now, failed=True)
    assert desk.offer(minutes(4)) is WRITE


# -- at once --------------------------------------------------------------------------------------

SUBSCRIPTIONS: list[tuple[int, int, Callable[[int], Request], dict[str, Any]]] = [
    (101, 3, lambda n: MarketDataRequest(n, stock()), {"lines": 8, "messages_per_s": 50}),
    (
        101,
        3,
        lambda n: RealTimeBarsRequest(n, stock(), 5, "TRADES", False),
        {"lines": 8, "messages_per_s": 50},
    ),
    (10190, 5, lambda n: prints(n, f"S{n}"), {}),
    (309, 3, lambda n: MarketDepthRequest(n, stock(), 5), {}),
    (322, 10, lambda n: ScannerSubscriptionRequest(n, ScannerSubscription(number_of_rows=10)), {}),
    (322, 2, lambda n: AccountSummaryRequest(n, "All", "NetLiquidation"), {}),
]


@pytest.mark.parametrize(("code", "allowed", "ask", "options"), SUBSCRIPTIONS)
@pytest.mark.parametrize("version", [178, 225])
def test_what_would_wait_for_ever_is_refused_at_once(
    code: int, allowed: int, ask: Callable[[int], Request], options: dict[str, Any], version: int
) -> None:
    allowed = options.get("lines", allowed)
    desk = Desk(version, **options)
    assert [desk.offer(ask(n)) for n in range(allowed)] == [WRITE] * allowed
    with pytest.raises(PacingError) as refused:
        desk.offer(ask(99))
    assert (refused.value.code, refused.value.figure, refused.value.bound) == (code, allowed, allowed)
    assert refused.value.cure in str(refused.value) and isinstance(refused.value, NotSentError)
    desk.pacer.ended(0, desk.now)  # a stream is not over because something of it is complete
    with pytest.raises(PacingError):
        desk.offer(ask(99))
    desk.pacer.ended(0, desk.now, failed=True)
    assert desk.offer(ask(100)) is WRITE


def test_a_cancel_makes_room_at_once_even_while_it_waits() -> None:
    desk = Desk()
    desk.echo = False
    for n in range(3):
        desk.offer(MarketDepthRequest(n, stock(), 5))
    for n in range(1000, 1050):
        desk.offer(CancelMarketData(n))
    assert desk.offer(CancelMarketDepth(1, False)) is WAITS
    assert desk.offer(MarketDepthRequest(7, stock(), 5)) is WAITS
    desk.echo = True
    desk.run(3.0)
    assert desk.ids(MarketDepthRequest) == [0, 1, 2, 7] and desk.ids(CancelMarketDepth) == [1]
    with pytest.raises(PacingError):
        desk.offer(MarketDepthRequest(8, stock(), 5))


def test_snapshots_are_never_refused_but_crowd_the_lines() -> None:
    desk = Desk(lines=8, messages_per_s=50)
    for n in range(10):
        assert desk.offer(MarketDataRequest(n, stock(), snapshot=True)) is WRITE
    assert desk.offer(MarketDataRequest(50, stock())) is WAITS
    for n in range(3):
        desk.pacer.ended(n, desk.now)
    desk.run(0.0)
    assert desk.ids(MarketDataRequest)[-1] == 50


def test_an_account_summary_with_other_tags_takes_no_second_place() -> None:
    desk = Desk()
    for tags in ("NetLiquidation", "BuyingPower", "Cushion"):
        assert desk.offer(AccountSummaryRequest(1, "All", tags)) is WRITE
    assert desk.offer(AccountSummaryRequest(2, "All", "Cushion")) is WRITE
    with pytest.raises(PacingError):
        desk.offer(AccountSummaryRequest(3, "All", "Cushion"))


def test_a_second_request_of_one_id_does_not_end_the_first() -> None:
    desk = Desk(lines=8, messages_per_s=50)
    desk.offer(MarketDataRequest(1, stock()))
    desk.offer(MarketDataRequest(1, stock()))  # TWS will say 102
    desk.pacer.ended(1, desk.now, failed=True)
    for n in range(2, 9):
        assert desk.offer(MarketDataRequest(n, stock())) is WRITE
    with pytest.raises(PacingError):
        desk.offer(MarketDataRequest(9, stock()))


def test_one_instrument_tick_by_tick_every_fifteen_seconds() -> None:
    desk = Desk()
    desk.offer(prints(1))
    assert desk.offer(prints(2, kind="BidAsk")) is WAITS
    desk.offer(prints(3, "AAPL"))
    desk.turn()
    assert desk.ids(TickByTickRequest) == [1, 3]
    desk.run(15.1)
    assert desk.ids(TickByTickRequest) == [1, 3, 2]


def test_sixty_subscriptions_of_real_time_bars_in_ten_minutes() -> None:
    desk = Desk(real_time_bars=2)
    for n in range(3):
        desk.offer(RealTimeBarsRequest(n, stock(), 5, "TRADES", False))
    desk.offer(MarketDataRequest(9, stock()))
    desk.run(600.0)
    assert desk.ids(RealTimeBarsRequest) == [0, 1] and desk.ids(MarketDataRequest) == [9]
    desk.run(2.0)
    assert desk.ids(RealTimeBarsRequest) == [0, 1, 2]


def test_one_search_a_second() -> None:
    desk = Desk()
    for n in range(5):
        desk.offer(MatchingSymbolsRequest(n, "A"))
    desk.run(4.0)
    assert desk.ids(MatchingSymbolsRequest) == [0, 1, 2, 3]


@pytest.mark.parametrize("first", ["learn", "ended"])
def test_tws_knows_better_how_many_there_are(first: str) -> None:
    desk = Desk()
    for n in range(10):
        desk.offer(MarketDataRequest(n, stock()))
    for n in (8, 9):
        if first == "ended":
            desk.pacer.ended(n, desk.now, failed=True)
        assert desk.pacer.learn("Max number of tickers has been reached", n)
        if first == "learn":
            desk.pacer.ended(n, desk.now, failed=True)
    with pytest.raises(PacingError) as refused:
        desk.offer(MarketDataRequest(11, stock()))
    assert refused.value.bound == 8
    desk.offer(CancelMarketData(1))
    assert desk.offer(MarketDataRequest(12, stock())) is WRITE
    assert desk.pacer.learn("Max number (1) of market depth requests has been reached. Please cancel …")
    desk.offer(MarketDepthRequest(20, stock(), 5))
    with pytest.raises(PacingError):
        desk.offer(MarketDepthRequest(21, stock(), 5))


def test_answers_in_another_order_than_that_of_asking_free_their_own_places() -> None:
    """The second of three is answered first: it leaves the window first, and nobody waits for the first."""
    window = Window("three in ten seconds", 3, 10.0)
    first, second, third = sent = [Sent(number, 0.0, counted=True, by_answer=True) for number in (1, 2, 3)]
    for one in sent:
        window.add(one, 1)
    second.read_s = 1.0
    assert window.blocker(1, 5.0) is second
    assert window.blocker(1, 1.0 + window.span_s) is None
    first.read_s, third.read_s = 30.0, 20.0
    window.add(Sent(4, 25.0), 1)
    assert window.blocker(1, 26.0) is third
