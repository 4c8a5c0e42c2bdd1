"""The second, the queue and the sessions of the pacer. That no limit is ever broken: test_pacing_never.py."""

from __future__ import annotations

from typing import Any

import pytest
from tests.connection.paced import (
    WAITS,
    WITHDRAWN,
    WRITE,
    Desk,
    bars,
    details,
    minutes,
    prints,
    stock,
)

from tws.connection.pacing import Pacer, PacingOptions
from tws.errors import ConfigError, PacingError
from tws.wire import codec
from tws.wire.framing import frame, frame_id
from tws.wire.messages import (
    AccountSummaryRequest,
    CancelHistoricalData,
    CancelMarketData,
    CancelMarketDepth,
    CancelOrderRequest,
    CancelPositions,
    ContractDataRequest,
    CurrentTimeRequest,
    GlobalCancelRequest,
    HistoricalDataRequest,
    MarketDataRequest,
    MarketDataTypeRequest,
    MarketDepthRequest,
    PositionsRequest,
    Request,
    TickByTickRequest,
)

# -- the second -----------------------------------------------------------------------------------


def test_requests_get_seven_tenths_of_the_rate_and_the_rest_follows_after_a_second() -> None:
    desk = Desk()
    verdicts = [desk.offer(details(n)) for n in range(40)]
    assert verdicts == [WRITE] * 35 + [WAITS] * 5
    desk.turn()
    assert len(desk.ids(ContractDataRequest)) == 35
    desk.run(0.99)
    assert len(desk.ids(ContractDataRequest)) == 35
    desk.run(0.2)
    assert desk.ids(ContractDataRequest) == list(range(40))


def test_what_is_not_proved_to_be_read_stays_in_the_second() -> None:
    desk = Desk()
    desk.echo = False
    for n in range(36):
        desk.offer(details(n))
    desk.run(30.0)
    assert desk.ids(ContractDataRequest) == list(range(35))
    desk.answer()
    desk.run(1.0)
    assert len(desk.ids(ContractDataRequest)) == 35  # read at the latest a second ago, no sooner
    desk.run(0.1)
    assert len(desk.ids(ContractDataRequest)) == 36


def test_a_steady_client_below_the_rate_never_waits() -> None:
    desk = Desk()
    for n in range(300):
        assert desk.offer(details(n)) is WRITE
        desk.run(0.05)
    times = desk.ids(CurrentTimeRequest)
    assert 30 <= len(times) <= 40  # one in eight of them is what it costs


def test_a_client_that_asks_nothing_is_asked_nothing() -> None:
    desk = Desk()
    desk.offer(details(1))
    desk.run(3600.0)
    assert len(desk.written) == 1


def test_cancels_and_exits_have_places_that_no_request_takes() -> None:
    desk = Desk()
    desk.echo = False
    for n in range(1000):
        desk.offer(details(n))
    desk.run(0.0)  # the question for the time takes one of the cancels' places
    assert [desk.offer(CancelMarketData(n)) for n in range(8)] == [WRITE] * 7 + [WAITS]
    exits: list[Request] = [CancelOrderRequest(n) for n in range(3)]
    assert [desk.offer(one) for one in [*exits, GlobalCancelRequest()]] == [WAITS] * 4
    before = len(desk.written)
    desk.run(0.0)
    assert desk.written[before:] == [*exits, GlobalCancelRequest()]
    assert desk.offer(details(9999), urgent=True) is WAITS
    desk.run(0.0)
    assert desk.written[-1] == details(9999)
    assert len(desk.written) == 48


def test_an_exit_is_written_on_the_spot_though_a_thousand_requests_wait() -> None:
    desk = Desk()
    for n in range(1000):
        desk.offer(details(n))
    assert desk.offer(CancelOrderRequest(7)) is WRITE


def test_orders_are_counted_and_have_the_cancels_places() -> None:
    desk = Desk()
    desk.echo = False
    for n in range(50):
        desk.offer(details(n))
    room = 0
    while desk.pacer.room(desk.now):
        desk.pacer.took(desk.now)
        room += 1
    assert room == 8  # 35 requests and these make 43, one below TWS's warning
    assert desk.pacer.room(desk.now, urgent=True)
    assert not desk.pacer.room(desk.now)
    desk.run(5.0)
    assert not desk.pacer.room(desk.now)
    desk.answer()
    desk.run(1.1)
    assert desk.pacer.room(desk.now)


def test_an_order_that_waits_alone_is_called_for() -> None:
    desk = Desk()
    while desk.pacer.room(desk.now):
        desk.pacer.took(desk.now)
    assert desk.pacer.next_at() == desk.now
    desk.turn()
    assert len(desk.ids(CurrentTimeRequest)) == 1
    at = desk.pacer.next_at()
    assert at is not None and at > desk.now
    desk.now = at
    assert desk.pacer.room(desk.now)


def test_an_exit_and_another_order_that_both_wait_do_not_wake_each_other_for_ever() -> None:
    """Each asks again at each `due`: if that made the other look new, `due` would be due at once."""
    desk = Desk()
    for urgent in (False, True):
        while desk.pacer.room(desk.now, urgent=urgent):
            desk.pacer.took(desk.now)
    for _ in range(3):
        desk.turn()
        assert not desk.pacer.room(desk.now)
        assert not desk.pacer.room(desk.now, urgent=True)
    at = desk.pacer.next_at()
    assert at is not None and at > desk.now


def test_an_order_that_waits_is_not_forgotten_because_an_exit_may_leave() -> None:
    desk = Desk()
    while desk.pacer.room(desk.now):
        desk.pacer.took(desk.now)
    assert desk.pacer.room(desk.now, urgent=True)
    desk.turn()
    at = desk.pacer.next_at()
    assert at is not None and at > desk.now


def test_the_rate_follows_the_lines_and_what_tws_says() -> None:
    pacer = Pacer(PacingOptions(lines=200))
    assert pacer.rate == 100
    pacer.set_lines(100)
    assert pacer.rate == 50
    assert pacer.learn("Warning: Approaching max rate of 70 messages per second (62)")
    assert pacer.rate == 70
    assert pacer.learn("Max rate of messages per second has been exceeded:max=40 rec=41 (1)")
    assert pacer.rate == 40
    assert not pacer.learn("Market data farm connection is OK:usfarm") and pacer.rate == 40
    gentle = Pacer(PacingOptions(messages_per_s=20))
    assert gentle.learn("Warning: Approaching max rate of 70 messages per second (62)")
    assert gentle.rate == 20
    assert Pacer(PacingOptions.off()).rate is None


def test_a_lost_answer_costs_time_and_no_more() -> None:
    desk = Desk()
    desk.echo = False
    for n in range(100):
        desk.offer(details(n))
    desk.turn()
    desk.silent -= 1  # this answer is never given
    desk.echo = True
    desk.run(30.0)
    assert desk.ids(ContractDataRequest) == list(range(100))


def test_a_mute_tws_is_not_waited_for_for_ever() -> None:
    desk = Desk()
    desk.echo = False
    for n in range(36):
        desk.offer(details(n))
    desk.run(119.0)
    assert len(desk.ids(ContractDataRequest)) == 35
    desk.run(3.0)
    assert len(desk.ids(ContractDataRequest)) == 36
    assert len(desk.ids(CurrentTimeRequest)) <= 15


# -- the queue ------------------------------------------------------------------------------------


def test_a_cancel_of_what_waits_withdraws_it() -> None:
    desk = Desk()
    for n in range(50):
        desk.offer(minutes(n))
    desk.offer(minutes(60))
    desk.offer(details(61))
    assert desk.offer(CancelHistoricalData(60)) is WITHDRAWN
    assert desk.pacer.waits(61) and desk.pacer.withdraw(61)
    assert not desk.pacer.waits(61) and not desk.pacer.withdraw(61)
    desk.run(60.0)
    assert 60 not in desk.ids(HistoricalDataRequest) and not desk.ids(CancelHistoricalData)
    assert not desk.ids(ContractDataRequest)


def test_a_cancel_of_both_what_waits_and_what_runs_is_sent() -> None:
    desk = Desk()
    desk.offer(PositionsRequest())
    for n in range(40):
        desk.offer(details(n))
    desk.offer(PositionsRequest())
    assert desk.offer(CancelPositions()) is WRITE
    desk.run(5.0)
    assert len(desk.ids(PositionsRequest)) == 1 and len(desk.ids(CancelPositions)) == 1


def test_what_was_withdrawn_gives_its_place_back() -> None:
    desk = Desk()
    for n in range(40):
        desk.offer(details(n))
    for n in range(3):
        desk.offer(MarketDepthRequest(n, stock(), 5))
    with pytest.raises(PacingError):
        desk.offer(MarketDepthRequest(3, stock(), 5))
    assert desk.offer(CancelMarketDepth(0, False)) is WITHDRAWN
    assert desk.offer(MarketDepthRequest(4, stock(), 5)) is WAITS


def test_the_type_of_market_data_keeps_its_place_between_requests() -> None:
    desk = Desk(lines=8, messages_per_s=50)
    for n in range(8):
        desk.offer(MarketDataRequest(n, stock(), snapshot=True))
    wanted: list[Request] = [
        MarketDataRequest(20, stock()),
        MarketDataTypeRequest(3),
        MarketDataRequest(21, stock()),
    ]
    for request in wanted:
        desk.offer(request)
    desk.run(1.0)
    assert len(desk.waits()) == 3
    for n in range(8):
        desk.pacer.ended(n, desk.now)
    desk.run(2.0)
    assert [one for one in desk.written if one in wanted] == wanted


def test_the_queue_has_a_bound_and_cancels_one_of_their_own() -> None:
    desk = Desk(queue=5)
    for n in range(40):
        desk.offer(details(n))
    with pytest.raises(PacingError) as full:
        desk.offer(details(41))
    assert (full.value.figure, full.value.bound) == (5, 5)
    for n in range(20):
        try:
            desk.offer(CancelOrderRequest(n))
        except PacingError:
            break
    assert n == 18  # 13 places of the second, 5 of the queue
    desk.run(10.0)
    assert len(desk.ids(CancelOrderRequest)) == 18


def test_a_new_session_begins_empty_and_the_past_is_remembered() -> None:
    desk = Desk()
    desk.echo = False
    for n in range(5):
        desk.offer(bars(n, f"{n + 1} S"))
        desk.offer(AccountSummaryRequest(n, "All", "Cushion")) if n < 2 else None
    for n in range(50):
        desk.offer(details(n))
    assert desk.waits()
    desk.pacer.end()
    assert not desk.waits() and desk.pacer.next_at() is None
    desk.pacer.begin(178)
    desk.pacer.accepted(desk.now)
    assert desk.offer(AccountSummaryRequest(1, "All", "Cushion")) is WRITE
    assert [desk.offer(details(n)) for n in range(30)] == [WRITE] * 30
    assert desk.offer(bars(5, "6 S")) is WAITS  # the sixth for this contract: TWS counts per login
    desk.run(2.1)
    assert desk.ids(HistoricalDataRequest)[-1] == 5


def test_a_handshake_does_not_say_that_the_old_session_is_over() -> None:
    desk = Desk()
    desk.echo = False
    desk.offer(prints(1))
    desk.pacer.end()
    desk.pacer.begin(178)  # and the client id is in use: the old session lives, and reads later
    desk.run(10.0)
    desk.pacer.end()
    desk.pacer.begin(178)
    desk.pacer.accepted(desk.now)
    desk.echo = True
    desk.offer(prints(2))
    desk.run(14.9)
    assert desk.ids(TickByTickRequest) == [1]
    desk.run(0.2)
    assert desk.ids(TickByTickRequest) == [1, 2]


def test_what_cannot_be_read_is_sent_as_it_is() -> None:
    desk = Desk()
    odd = frame(b"20\0nonsense\0")
    assert desk.pacer.offer(odd, desk.now) is WRITE
    assert desk.pacer.offer(frame(b"3000\0"), desk.now) is WRITE


def test_off_means_off() -> None:
    pacer = Pacer(PacingOptions.off())
    pacer.begin(178)
    for _ in range(300):
        data = frame(codec.encode(bars(1), 178))
        assert pacer.offer(data, 0.0) is WRITE and pacer.room(0.0)
        pacer.took(0.0)
        assert frame_id(data) == 20
    assert pacer.next_at() is None and pacer.due(0.0) == [] and not pacer.waiting(0.0)


@pytest.mark.parametrize(
    "wrong",
    [{"lines": 3}, {"messages_per_s": 2}, {"scanners": -1}, {"identical_s": float("nan")}, {"queue": 0}],
)
def test_a_figure_that_cannot_be_meant(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        PacingOptions(**wrong)
