"""How much clients may ask: the books by a clock of the test, and each limit once over a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulator.client import Client, Connect, Start, stock
from tests.simulator.test_session import quiet, until, until_closed

from tws.errors import ConfigError
from tws.simulator.limits import Limiter, Limits, Pace, Verdict
from tws.simulator.options import SimulatorOptions
from tws.wire.messages import (
    AccountSummaryRequest,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    HistoricalDataRequest,
    MarketDataRequest,
    NextValidId,
    Request,
)
from tws.wire.session import ClientSession


class Said:
    """A session that keeps what it is told."""

    def __init__(self) -> None:
        self.codes: list[int] = []

    def error(self, request_id: int, code: int, text: str) -> None:
        self.codes.append(code)


class Book:
    """A limiter with a clock in the hand."""

    def __init__(self, **limits: Any) -> None:
        self.now = 1000.0
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.limiter: Any = Limiter(
            Limits(**limits), lambda: self.now, lambda when, call: self.later.append((when, call))
        )
        self.said = Said()

    def ask(self, size: str = "5 secs", what: str = "TRADES", duration: str = "60 S") -> bool:
        request = HistoricalDataRequest(1, stock("SPY"), "", size, duration, False, what, 1, False)
        return bool(self.limiter.history(self.said, request))


def test_fifty_requests_in_a_second_and_no_more() -> None:
    pace = Pace(Limits())
    assert [pace.judge(i / 100) for i in range(50)] == [Verdict.TAKE] * 50
    assert pace.judge(0.9) is Verdict.REFUSE
    assert pace.refusal() == "Max rate of messages per second has been exceeded:max=50 rec=51 (1)"
    assert [pace.judge(0.91), pace.judge(0.92)] == [Verdict.REFUSE, Verdict.CLOSE]


def test_the_window_slides() -> None:
    pace = Pace(Limits(messages_per_s=2))
    assert [pace.judge(t) for t in (0.0, 0.5, 1.0, 1.5, 2.0)] == [Verdict.TAKE] * 5
    assert pace.judge(2.1) is Verdict.REFUSE


def test_a_warning_near_the_rate_once_a_second() -> None:
    pace = Pace(Limits())
    warned = [(pace.judge(0.001 * i), pace.warning(0.001 * i))[1] for i in range(50)]
    assert [text for text in warned if text] == [
        "Warning: Approaching max rate of 50 messages per second (44)"
    ]


@pytest.mark.parametrize("patient", [True, False])
def test_a_patient_pace_waits_instead(patient: bool) -> None:
    pace = Pace(Limits(messages_per_s=1, reject=patient), patient=patient)
    assert pace.judge(5.0) is Verdict.TAKE
    assert pace.judge(5.25) is Verdict.WAIT
    assert pace.wait_s(5.25) == 0.75
    assert pace.judge(6.0) is Verdict.TAKE


def test_the_same_historical_request_within_fifteen_seconds() -> None:
    book = Book()
    assert book.ask() and book.ask(duration="120 S")
    book.now += 14.9
    assert not book.ask() and book.said.codes == [162]
    book.now += 0.2
    assert book.ask()


def test_the_sixth_for_one_contract_within_two_seconds() -> None:
    book = Book()
    assert [book.ask(duration=f"{n} S") for n in range(60, 66)] == [True] * 5 + [False]
    assert book.ask(what="MIDPOINT")
    book.now += 2.1
    assert book.ask(duration="70 S")


@pytest.mark.parametrize(("what", "allowed"), [("TRADES", 60), ("BID_ASK", 30)])
def test_sixty_in_ten_minutes_and_bid_ask_counts_twice(what: str, allowed: int) -> None:
    book = Book(identical_s=None)
    answers = []
    for _ in range(61):
        answers.append(book.ask(what=what))
        book.now += 3.0
    assert answers == [True] * allowed + [False] * (61 - allowed)
    book.now += 600
    assert book.ask(what=what)


def test_bars_of_a_minute_have_no_hard_limit() -> None:
    book = Book()
    assert all(book.ask(size="1 min") for _ in range(200)) and not book.said.codes


def test_real_time_bars_and_tick_by_tick() -> None:
    book = Book(real_time_bars=2)
    assert [book.limiter.bars(book.said, n) for n in range(3)] == [True, True, False]
    assert book.limiter.prints(book.said, 1, 756733, 0)
    assert not book.limiter.prints(book.said, 2, 756733, 1)  # the same instrument, too soon
    assert book.limiter.prints(book.said, 3, 1, 4)
    assert not book.limiter.prints(book.said, 4, 2, 5)  # the sixth of a hundred lines
    book.now += 15
    assert book.limiter.prints(book.said, 5, 756733, 0)
    assert book.said.codes == [420, 10190, 10190]


def test_a_search_for_symbols_waits_for_its_second() -> None:
    book, answered = Book(), []
    for n in range(100):
        book.limiter.matching(lambda n=n: answered.append(n))
    assert answered == [0]
    assert [when for when, _ in book.later] == [1001.0 + n for n in range(60)]  # the rest is never answered


def test_off_means_off() -> None:
    limits = Limits.off()
    assert {name: getattr(limits, name) for name in limits.__struct_fields__ if getattr(limits, name)} == {
        "reject": True,
        "violations": 3,
    }
    assert Pace(limits).judge(0.0) is Verdict.TAKE
    book = Book(**dict.fromkeys(("identical_s", "burst", "per_ten_minutes")))
    assert all(book.ask() for _ in range(200))


def test_what_follows_from_the_lines() -> None:
    assert Limits.of_lines(100) == Limits()
    more = Limits.of_lines(600)
    assert (more.messages_per_s, more.tick_by_tick, more.depth) == (300, 30, 6)
    with pytest.raises(ConfigError, match="lines"):
        Limits.of_lines(0)
    with pytest.raises(ConfigError, match=r"limits\.depth"):
        SimulatorOptions(limits=Limits(depth=-1)).check()


# -- over sockets -------------------------------------------------------------------------------------


async def burst(client: Client, count: int) -> None:
    await client.expect(NextValidId)
    client.send(*[CurrentTimeRequest()] * count)


async def test_too_fast_is_100_and_the_third_time_the_end(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), limits=Limits())
    fast, other = await connect(simulator, 1), await connect(simulator, 2)
    await other.expect(NextValidId)
    await burst(fast, 60)
    await until_closed(fast)
    told = [m for m in fast.all(ErrorMessage) if m.error_code == 100]
    assert [m.error_msg.rpartition("rec=")[2] for m in told] == ["51 (1)", "52 (2)", "53 (3)"]
    assert len(fast.all(CurrentTime)) == 50
    other.send(CurrentTimeRequest())
    await other.expect(CurrentTime)


async def test_delay_instead_of_reject_answers_all_in_time(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), limits=Limits(messages_per_s=20, reject=False))
    client = await connect(simulator)
    await burst(client, 30)
    transport: Any = simulator.core.by_client[1]._transport
    await until(lambda: not transport.is_reading())
    while len(client.all(CurrentTime)) < 30:
        await client.pump()
    assert transport.is_reading()
    assert not [m for m in client.all(ErrorMessage) if m.error_code == 100]


async def test_a_client_may_ask_to_be_paced(start: Start, connect: Connect) -> None:
    simulator = await start(market=quiet(), limits=Limits(messages_per_s=20))
    client = await connect(simulator, handshake=False)
    client.session = ClientSession(1, connect_options="+PACEAPI")
    client.writer.write(client.session.start())
    await burst(client, 30)
    while len(client.all(CurrentTime)) < 30:
        await client.pump()
    assert not client.closed


@pytest.mark.parametrize(
    ("limits", "request_of", "code"),
    [
        (Limits(lines=1), lambda n: MarketDataRequest(n, stock("SPY")), 101),
        (Limits(summaries=1), lambda n: AccountSummaryRequest(n, "All", "NetLiquidation"), 322),
        (
            Limits(),
            lambda n: HistoricalDataRequest(n, stock("SPY"), "", "5 secs", "60 S", False, "TRADES", 1, False),
            162,
        ),
        (
            Limits(open_history=1, identical_s=None),
            lambda n: HistoricalDataRequest(n, stock("SPY"), "", "1 min", "1 D", False, "TRADES", 1, True),
            322,
        ),
    ],
)
async def test_each_limit_in_its_words(
    start: Start, connect: Connect, limits: Limits, request_of: Callable[[int], Request], code: int
) -> None:
    simulator = await start(symbols=("SPY",), start_ns=1_767_630_600_000_000_000, limits=limits)
    client = await connect(simulator)
    await client.expect(NextValidId)
    client.send(request_of(1), request_of(2), CurrentTimeRequest())
    await client.expect(CurrentTime)
    assert [(m.id, m.error_code) for m in client.all(ErrorMessage) if m.id > 0] == [(2, code)]
