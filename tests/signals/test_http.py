"""The polled API over real sockets: what it says, and wrongly. How often it is asked: virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from tws.clock import NS_PER_S, Clock, SystemClock, to_ns
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.signals import Sources
from tws.signals.demo_api import DemoApi, FiledPredictions, Reply, SeededPredictions
from tws.signals.demo_server import DemoServer, DemoTransport
from tws.signals.http import MAX_BODY, HttpRules, HttpSource
from tws.signals.pace import MOST_REST_S, Pace, reset_after_s
from tws.signals.secret import Key
from tws.strategy import Reason, Refusal
from tws.strategy.prediction import PredictionShape
from tws.world import VirtualLoop, WorldClock

SECRET = "s3cret-key-of-the-user"
KEY = Key(SECRET, "API_KEY")
EIGHT = ("CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV")
CLOCK = SystemClock()


class NoRest(random.Random):
    """No chance, no back-off: a test over real sockets waits for nothing that it need not."""

    def random(self) -> float:
        return -1.0


def demo(**settings: Any) -> DemoApi:
    given = {"key": SECRET, "per_minute": 1_000_000}
    return DemoApi(SeededPredictions(7, window_s=3600), CLOCK, random.Random(7), **(given | settings))


@asynccontextmanager
async def polled(
    url: str, tickers: tuple[str, ...] = ("SPY",), *, key: Key = KEY, **rules: Any
) -> AsyncIterator[tuple[HttpSource, Sources]]:
    source = HttpSource(
        "api", tickers, HttpRules(base_url=url, **rules), key,
        pace=Pace(60_000, CLOCK), clock=CLOCK, rng=NoRest(),
    )  # fmt: skip
    async with Sources([source]) as sources:
        yield source, sources


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - what is waited for happens on the server's threads
        await asyncio.sleep(0.005)


def values(sources: Sources) -> list[Signal | Refusal]:
    return [taken.value for taken in sources.take(CLOCK.now_ns())]


async def test_each_ticker_is_asked_in_turn_and_a_prediction_is_given_out_once() -> None:
    api = demo()
    with DemoServer(api) as server:
        async with polled(server.url, EIGHT) as (source, sources):
            await until(lambda: source.health().same >= 2 * len(EIGHT))
            found = values(sources)
            health = source.health()
    assert [each.symbol for each in found] == list(EIGHT)
    assert all(isinstance(each, Signal) for each in found)
    asked = [ticker for _, ticker in api.requests]
    assert asked[: 3 * len(EIGHT)] == 3 * list(EIGHT)
    assert (health.state, health.errors, health.refusals) == ("running", 0, 0)
    assert health.last_answer_ns is not None


async def test_the_documented_answer_has_no_time_and_is_one_prediction_until_it_changes() -> None:
    predictions = SeededPredictions(7, dated=False, window_s=3600)
    api = DemoApi(predictions, CLOCK, random.Random(7), key=SECRET, per_minute=10**6)
    with DemoServer(api) as server:
        async with polled(server.url) as (source, sources):
            await until(lambda: source.health().same >= 3)
            (first,) = values(sources)
            api._predictions = SeededPredictions(8, dated=False, window_s=3600)
            await until(lambda: source.health().signals == 2)
            (second,) = values(sources)
    assert isinstance(first, Signal) and isinstance(second, Signal)
    assert first.signal_id != second.signal_id and second.time_ns > first.time_ns


@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ("html", Reason.HTML, "Bad gateway"),
        ("half-json", Reason.NOT_JSON, "not all of it"),
        ("cut", Reason.CUT, "cut short"),
        ("empty", Reason.EMPTY, "empty"),
        ("huge", Reason.TOO_LARGE, str(MAX_BODY)),
        ("429", Reason.RATE_LIMIT, "wait 1 s"),
        ("500", Reason.STATUS, "500"),
        ("401", Reason.KEY, "variable API_KEY"),
        ("404", Reason.UNKNOWN_TICKER, "SPY"),
        ("redirect", Reason.REDIRECT, "not followed"),
        ("slow", Reason.TIMEOUT, "0.5 s"),
        ("missing", Reason.DRIFT, "prediction.confidence is missing"),
        ("renamed", Reason.DRIFT, "prediction.score is not known here, and prediction.confidence is missing"),
        ("extra", Reason.DRIFT, "prediction.horizon is not known here"),
        ("wrong-type", Reason.DRIFT, "prediction.confidence is text"),
        ("too-sure", Reason.SCHEMA, "confidence is 1.7"),
        ("nan", Reason.NOT_JSON, "NaN is no JSON"),
        ("naive-time", Reason.SCHEMA, "with its zone"),
        ("other-ticker", Reason.OTHER_TICKER, "'ZZZZ', asked was SPY"),
    ],
)
async def test_a_fault_of_the_api_is_named_counted_and_not_the_end(
    fault: str, reason: Reason, words: str
) -> None:
    api = demo()
    api.play(fault)
    with DemoServer(api) as server:
        async with polled(server.url, ("SPY", "IBM"), timeout_s=0.5) as (source, sources):
            await until(lambda: source.health().refusals == 1)
            refusal = values(sources)[0]
            assert isinstance(refusal, Refusal)
            assert refusal.reason is reason and words in refusal.text and refusal.symbol == "SPY"
            assert refusal.text.startswith("api, SPY: ")
            assert source.health().counts == {reason: 1}
            assert source.health().state in ("running", "resting")
            if not source.health().resting_s:
                await until(lambda: source.health().signals > 0)


async def test_a_prediction_dated_ahead_is_the_gates_to_refuse() -> None:
    api = demo()
    api.play("future")
    with DemoServer(api) as server:
        async with polled(server.url) as (source, sources):
            await until(lambda: source.health().signals > 0)
            signal = values(sources)[0]
    assert isinstance(signal, Signal) and signal.time_ns > CLOCK.now_ns()


async def test_a_wrong_key_is_named_by_its_variable_and_the_key_is_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with DemoServer(demo(key="another")) as server:
        async with polled(server.url) as (source, sources):
            await until(lambda: source.health().refusals == 1)
            (refusal,) = values(sources)
            health = source.health()
    assert isinstance(refusal, Refusal) and refusal.reason is Reason.KEY and "API_KEY" in refusal.text
    assert SECRET not in f"{refusal}{health}{caplog.text}{KEY!r}{source._rules}"
    assert health.state == "resting" and health.resting_s > 50


class Scripted:
    """A server in the test's hand: bytes for bytes, for what no HTTP server would write."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.heard = b""

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += await reader.read(65_536)
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        await writer.drain()
        writer.close()


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(f"the key {SECRET} is wrong".encode(), status="400 Bad"), Reason.STATUS),
        (http(f"<p>{SECRET}".encode()), Reason.HTML),
        (http(json.dumps({"status": "error", "message": f"bad {SECRET}"}).encode()), Reason.STATUS),
        (http(json.dumps({SECRET: 1, "status": "success", "data": {}}).encode()), Reason.DRIFT),
        (http(b"", f"location: http://127.0.0.1/?{SECRET}", status="301 Moved"), Reason.REDIRECT),
        (b"nonsense\r\n\r\n", Reason.CUT),
        (b"", Reason.CUT),
        (http(b"[1, 2"), Reason.NOT_JSON),
        (http(b"[" * 30_000), Reason.NOT_JSON),
        (http(b"\xff\xfe"), Reason.NOT_JSON),
        (http(b"null"), Reason.DRIFT),
        (http(b"\x1f\x8b" + bytes(50), "content-encoding: gzip"), Reason.NOT_JSON),
    ],
)  # fmt: skip
async def test_whatever_comes_is_refused_and_a_key_that_is_sent_back_is_not_shown(
    answer: bytes, reason: Reason
) -> None:
    scripted = Scripted(answer)
    async with scripted as url, polled(url) as (source, sources):
        await until(lambda: source.health().refusals > 0)
        refusal = values(sources)[0]
    assert isinstance(refusal, Refusal) and refusal.reason is reason
    assert SECRET not in str(refusal) and SECRET not in source.health().line()
    assert f"X-API-Key: {SECRET}".encode() in scripted.heard
    assert b"GET /prediction/latest?ticker=SPY HTTP/1.1" in scripted.heard


async def test_an_api_that_is_not_there_is_unreachable_and_found_again() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with polled(f"http://127.0.0.1:{port}") as (source, sources):
        await until(lambda: source.health().errors >= 5)
        assert {each.reason for each in values(sources) if isinstance(each, Refusal)} == {Reason.UNREACHABLE}
        with DemoServer(demo(), port):
            await until(lambda: source.health().signals == 1)


async def test_plain_http_at_a_tls_port_is_named() -> None:
    scripted = Scripted(http(b"{}"))
    async with scripted as url, polled(url.replace("http:", "https:")) as (source, sources):
        await until(lambda: source.health().errors > 0)
        refusal = values(sources)[0]
    assert isinstance(refusal, Refusal) and refusal.reason is Reason.UNREACHABLE and "TLS" in refusal.text


# -- how often: virtual time ------------------------------------------------------------------------


class _Virtual:
    """An hour of polling in no time at all."""

    def __init__(
        self, api: Callable[[Clock], DemoApi], tickers: tuple[str, ...] = EIGHT, **rules: Any
    ) -> None:
        self.loop = VirtualLoop()
        self.clock = WorldClock(self.loop)
        self.api = api(self.clock)
        self.pace = Pace(30, self.clock)
        self.source = HttpSource(
            "api", tickers, HttpRules(base_url="http://127.0.0.1", **rules), KEY, pace=self.pace,
            clock=self.clock, rng=random.Random(1), transport=DemoTransport(self.api),
        )  # fmt: skip

    def run(self, seconds: float, *others: HttpSource) -> list[float]:
        """When requests were made."""

        async def main() -> None:
            async with Sources([self.source, *others]):
                await asyncio.sleep(seconds)

        self.loop.run(main())
        return [at_s for at_s, _ in self.api.requests]


def limited(**settings: Any) -> Callable[[Clock], DemoApi]:
    return lambda clock: DemoApi(
        SeededPredictions(7), clock, random.Random(7), **({"key": SECRET} | settings)
    )


def busiest(times: list[float]) -> int:
    """The most requests within any minute."""
    return max(sum(1 for other in times if at <= other < at + 60) for at in times)


def test_thirty_a_minute_over_all_tickers_spread_evenly_and_none_refused() -> None:
    virtual = _Virtual(limited())
    times = virtual.run(3600)
    assert busiest(times) <= 30
    assert len(times) > 29 * 60 * 0.97
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) - min(gaps) < 0.01
    assert virtual.source.health().errors == 0
    assert virtual.source.health().signals > len(EIGHT) * 50  # a prediction a minute of each


def test_two_sources_with_one_key_share_the_limit() -> None:
    virtual = _Virtual(limited(), ("SPY",))
    other = HttpSource(
        "other", ("IBM",), HttpRules(base_url="http://127.0.0.1"), KEY, pace=virtual.pace,
        clock=virtual.clock, rng=random.Random(2), transport=DemoTransport(virtual.api),
    )  # fmt: skip
    times = virtual.run(1800, other)
    assert busiest(times) <= 30 and other.health().errors == virtual.source.health().errors == 0
    asked = [ticker for _, ticker in virtual.api.requests]
    assert abs(asked.count("SPY") - asked.count("IBM")) <= 1


def test_the_servers_own_reset_is_waited_for() -> None:
    virtual = _Virtual(limited(per_minute=10))
    times = virtual.run(600)
    health = virtual.source.health()
    # One request too many in each of the server's minutes, then silence until the next: never a second.
    assert health.counts == {Reason.RATE_LIMIT: pytest.approx(10, abs=1)}
    assert busiest(times) <= 12


def test_a_reset_that_is_past_already_is_none_and_the_pauses_grow() -> None:
    class Past(DemoApi):
        def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
            return replace(super().answer(method, target, headers), status=429,
                           headers={"x-ratelimit-reset": "0"})  # fmt: skip

    virtual = _Virtual(lambda clock: Past(SeededPredictions(7), clock, random.Random(7), key=SECRET))
    assert 60 <= len(virtual.run(3600)) <= 130


@pytest.mark.parametrize("fault", ["500", "cut", "slow"])
def test_what_fails_is_asked_again_a_bounded_number_of_times_with_growing_pauses(fault: str) -> None:
    virtual = _Virtual(limited(rates={fault: 1.0}), ("SPY", "IBM"), retries=2, timeout_s=5.0)
    times = virtual.run(3600)
    asked = [ticker for _, ticker in virtual.api.requests]
    assert asked[:9] == 3 * ["SPY"] + 3 * ["IBM"] + 3 * ["SPY"]
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps[0] < 8 and all(30 <= gap <= 66 for gap in gaps[8:])
    assert 60 <= len(times) <= 130
    assert virtual.source.health().errors in (len(times), len(times) - 1)


def test_a_key_that_is_refused_is_not_hammered() -> None:
    virtual = _Virtual(limited(key="another"))
    assert len(virtual.run(3600)) == pytest.approx(60, abs=1)


def test_an_unknown_ticker_rests_and_the_others_go_on() -> None:
    api = lambda clock: DemoApi(  # noqa: E731
        SeededPredictions(7, ("SPY",)), clock, random.Random(7), key=SECRET
    )
    virtual = _Virtual(api, ("SPY", "NONE"))
    virtual.run(3600)
    asked = [ticker for _, ticker in virtual.api.requests]
    assert asked.count("NONE") == 6 and asked.count("SPY") > 1600
    assert virtual.source.health().counts == {Reason.UNKNOWN_TICKER: 6}


def test_a_ticker_is_asked_for_no_more_often_than_wanted() -> None:
    times = _Virtual(limited(), ("SPY",), every_s=30.0).run(3600)
    assert len(times) == pytest.approx(120, abs=4)


def test_only_while_the_session_is_open_if_so_wanted() -> None:
    virtual = _Virtual(limited(), ("SPY", "IBM"), in_session=True, lead_s=60.0)
    start = virtual.clock.now_ns()
    virtual.source.on_session("SPY", Session(start + 600 * NS_PER_S, start + 1200 * NS_PER_S))
    times = virtual.run(3600)
    assert {ticker for _, ticker in virtual.api.requests} == {"SPY"}  # nobody stated IBM's
    assert 540 <= times[0] <= 545 and 1190 <= times[-1] <= 1200
    assert virtual.source.health().signals > 0


def test_faults_by_chance_lose_no_prediction_and_the_same_seed_is_the_same_run() -> None:
    rates = {"html": 0.1, "half-json": 0.05, "cut": 0.05, "500": 0.05, "extra": 0.02, "empty": 0.02}

    def play() -> tuple[list[float], dict[str, int], int]:
        virtual = _Virtual(limited(rates=rates))
        times = virtual.run(1800)
        health = virtual.source.health()
        return times, health.counts, health.signals

    times, counts, signals = play()
    assert (times, counts, signals) == play()
    named = {Reason.HTML, Reason.NOT_JSON, Reason.CUT, Reason.STATUS, Reason.DRIFT, Reason.EMPTY}
    assert set(counts) == named
    assert busiest(times) <= 30 and signals > 100


def test_a_replayed_day_by_the_clock_that_is_given() -> None:
    """The demo API serves a file by the simulator's clock: each prediction from its time on, none before."""
    loop = VirtualLoop()
    opening = to_ns(datetime.fromisoformat("2013-10-07T09:30:00-04:00"))
    clock = WorldClock(loop, opening)
    signals = [
        Signal(signal_id=f"s{number}", symbol="SPY", wish=Wish.BUY, confidence=0.7,
               time_ns=opening + number * 100 * NS_PER_S)
        for number in range(1, 6)
    ]  # fmt: skip
    api = DemoApi(FiledPredictions(signals), clock, random.Random(7), key=SECRET)
    source = HttpSource("api", ("SPY",), HttpRules(base_url="http://127.0.0.1"), KEY, pace=Pace(30, clock),
                        clock=clock, rng=random.Random(1), transport=DemoTransport(api))  # fmt: skip
    heard: list[tuple[int, Signal]] = []

    async def main() -> None:
        async with Sources([source]) as sources:
            for _ in range(600):
                await asyncio.sleep(1)
                heard.extend(
                    (clock.now_ns(), taken.value)
                    for taken in sources.take(clock.now_ns())
                    if isinstance(taken.value, Signal)
                )

    loop.run(main())
    assert [signal.wish for _, signal in heard] == [Wish.NEUTRAL] + 5 * [Wish.BUY]
    assert [signal.signal_id for _, signal in heard[1:]] == [f"SPY:s{number}" for number in range(1, 6)]
    assert all(0 <= at - signal.time_ns <= 4 * NS_PER_S for at, signal in heard)


# -- headers ---------------------------------------------------------------------------------------

NOW_S = 1_800_000_000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": "12.5"}, 12.5),
        ({"x-ratelimit-reset": str(NOW_S + 30)}, 30),
        ({"x-ratelimit-reset": str(NOW_S - 30)}, 0),
        ({"x-ratelimit-reset": str(NOW_S + 30), "date": "Fri, 15 Jan 2027 08:00:10 GMT"}, 20),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-reset": "-1"}, None),
        ({"x-ratelimit-reset": "nan"}, None),
        ({"x-ratelimit-reset": "1e300"}, None),
        ({"x-ratelimit-reset": "1800000030000", "retry-after": "7"}, 7),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "Fri, 15 Jan 2027 08:01:00 GMT"}, 60),
        ({"retry-after": "whenever"}, None),
        ({}, None),
    ],
)
def test_how_long_a_429_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert reset_after_s(headers, NOW_S * NS_PER_S) == seconds


def test_no_header_silences_a_source_for_a_day() -> None:
    pace = Pace(30, CLOCK)
    pace.rest(1e9)
    assert MOST_REST_S - 10 < pace.resting_s <= MOST_REST_S


def test_words_of_an_api_may_be_mapped() -> None:
    shape = PredictionShape(words={"SELL": "SHORT", "HOLD": "NEUTRAL"}, allow=("horizon",), model="lstm")
    api = limited()
    virtual = _Virtual(api, ("SPY",), shape=shape)
    virtual.api.play("extra")
    virtual.run(10)
    assert virtual.source.health().refusals == 0
    (signal,) = virtual.source.take(0, 10)
    assert isinstance(signal, Signal) and signal.model == "lstm"
