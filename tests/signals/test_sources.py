"""Sources under the one interface: none stops another, whatever it does; every queue has its end."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tws.clock import NS_PER_S, SystemClock
from tws.errors import ConfigError
from tws.model.market import Bar
from tws.model.signal import Signal, Wish
from tws.signals import FileSource, FunctionSource, Health, Heard, Source, Sources, follow
from tws.signals.function import MAX_BARS
from tws.signals.hub import SHARE
from tws.signals.source import Kept, Outbox, backoff_s
from tws.signals.worker import Worker
from tws.strategy import Reason, Refusal

CLOCK, RNG = SystemClock(), random.Random(7)
T0 = 1_800_000_000
NOW = T0 * NS_PER_S
BAR = Bar(time_ns=0, seconds=10, open=1, high=1, low=1, close=1)


def signal(name: str, time_ns: int = NOW) -> Signal:
    return Signal(signal_id=name, symbol="SPY", wish=Wish.BUY, time_ns=time_ns)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come; the test's own bound is what says that it never did."""
    while not true():  # noqa: ASYNC110 - what is waited for happens on other threads, or in a source
        await asyncio.sleep(0.005)


class Held:
    """A source in the test's hand."""

    def __init__(self, name: str) -> None:
        self.name, self.running = name, False
        self.outbox = Outbox(name, "held")
        self.wrong: Exception | None = None

    async def start(self) -> None:
        if self.wrong:
            raise self.wrong
        self.running = True

    async def stop(self) -> None:
        self.running = False
        if self.wrong:
            raise self.wrong

    def on_news(self, ring: Callable[[], object]) -> None:
        self.outbox.ring = ring

    def take(self, now_ns: int, most: int) -> Sequence[Heard]:
        if self.wrong:
            raise self.wrong
        return self.outbox.take(now_ns, most)

    def health(self) -> Health:
        return self.outbox.health("running" if self.running else "stopped")

    def on_session(self, symbol: str, session: object) -> None:
        raise ValueError("no session")

    def on_bar(self, symbol: str, bar: Bar) -> None:
        raise ValueError("no bar")


def names(sources: Sources, now_ns: int = NOW) -> list[str]:
    return [taken.value.signal_id or taken.value.reason for taken in sources.take(now_ns)]  # type: ignore[union-attr]


async def test_a_source_that_raises_stops_no_other_and_is_told_once_a_row() -> None:
    bad, good = Held("bad"), Held("good")
    async with Sources([bad, good]) as sources:
        bad.wrong = ZeroDivisionError("oh")
        good.outbox.put(signal("a"))
        assert names(sources) == [Reason.FAILED, "a"]
        good.outbox.put(signal("b"))
        assert names(sources) == ["b"]
        health = {each.name: each for each in sources.health()}
        assert (health["bad"].state, health["bad"].errors) == ("failed", 2)
        assert "ZeroDivisionError: oh" in health["bad"].line()
        assert (health["good"].state, health["good"].signals, health["good"].errors) == ("running", 2, 0)
        bad.wrong = None
        bad.outbox.put(signal("c"))
        assert names(sources) == ["c"]
        assert sources.health()[0].state == "running"
        sources.on_bar("SPY", BAR)  # both raise, nobody hears of it
        bad.wrong = OSError("no end")
    assert not good.running


async def test_a_source_that_can_t_start_is_shown_and_tried_again_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tws.signals.hub.AGAIN_S", 0.05)
    bad, good = Held("bad"), Held("good")
    bad.wrong = OSError("no such port")
    async with Sources([bad, good]) as sources:
        assert good.running
        good.outbox.put(signal("a"))
        assert names(sources) == ["a"], "what has not begun is not asked"
        shown = sources.health()
        assert [each.state for each in shown] == ["not begun, tried again", "running"]
        assert "no such port" in shown[0].line()
        await until(lambda: sources.health()[0].errors >= 3)
        bad.wrong = None
        await until(lambda: bad.running)
        bad.outbox.put(signal("b"))
        assert names(sources) == ["b"] and sources.health()[0].state == "running"
    assert not bad.running


async def test_what_a_human_must_mend_is_raised_and_nothing_is_left_running() -> None:
    good, bad = Held("good"), Held("bad")
    bad.wrong = ConfigError("signals.token_env", "", "no token", "Set it")
    with pytest.raises(ConfigError, match="no token"):
        await Sources([good, bad]).start()
    assert not good.running


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two sources"):
        Sources([Held("a"), Held("a")])


async def test_a_flood_has_its_share_and_no_more() -> None:
    flood, calm = Held("flood"), Held("calm")
    for number in range(3 * SHARE):
        flood.outbox.put(signal(str(number)))
    calm.outbox.put(signal("calm"))
    async with Sources([flood, calm]) as sources:
        found = names(sources)
        assert len(found) == SHARE + 1 and found[-1] == "calm"


def test_an_outbox_that_is_full_refuses_what_is_new_and_says_how_much() -> None:
    outbox = Outbox("x", "test", bound=3)
    assert [outbox.put(signal(str(number))) for number in range(5)] == [True, True, True, False, False]
    found = outbox.take(NOW, 10)
    assert [each.signal_id for each in found[:3] if isinstance(each, Signal)] == ["0", "1", "2"]
    told = found[3]
    assert isinstance(told, Refusal) and told.reason is Reason.OVERLOAD and told.figure == "2"
    assert outbox.take(NOW, 10) == []
    health = outbox.health("running")
    assert (health.signals, health.dropped, health.waiting) == (5, 2, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "signals.jsonl").touch()
    return tmp_path / "signals.jsonl"


def row(name: str, at_s: float = T0) -> bytes:
    return json.dumps({"id": name, "symbol": "SPY", "signal": "BUY", "time": at_s}).encode() + b"\n"


async def test_a_file_that_grows_is_a_source(path: Path) -> None:
    source: Source = FileSource(path, clock=CLOCK, rng=RNG, look_s=0.01)
    async with Sources([source]) as sources:
        path.write_bytes(row("a") + b"nonsense\n" + row("later", T0 + 10))
        await until(lambda: source.health().waiting == 3)
        assert names(sources) == [Reason.SCHEMA, "a"]
        assert names(sources, NOW + 10 * NS_PER_S) == ["later"]
        health = source.health()
        assert (health.state, health.signals, health.refusals, health.waiting) == ("running", 2, 1, 0)
        assert health.last_answer_ns is not None
    assert source.health().state == "stopped"


async def test_a_long_file_is_read_in_pieces_and_whole(path: Path) -> None:
    path.write_bytes(b"".join(row(f"s{number}") for number in range(5000)))
    source = FileSource(path, clock=CLOCK, rng=RNG, look_s=0.01)
    async with Sources([source]) as sources:
        await until(lambda: source.health().waiting == 5000)
        found = [name for _ in range(25) for name in names(sources)]
    assert found == [f"s{number}" for number in range(5000)]


async def test_a_backlog_is_taken_at_once_and_none_of_it_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of months, read by a run that begins."""
    monkeypatch.setattr(follow, "_MAX_WAITING", 1000)
    path.write_bytes(b"".join(row(f"s{number}", 1_700_000_000) for number in range(3000)))
    source = FileSource(path, clock=CLOCK, rng=RNG, look_s=0.01)
    rung: list[None] = []
    async with Sources([source]) as sources:
        sources.on_news(lambda: rung.append(None))
        await until(lambda: source.health().waiting >= 500)
        await asyncio.sleep(0.05)
        rung.clear()
        found = names(sources)
        assert len(found) == SHARE and rung
        while len(found) < 3000:
            found += names(sources)
            await asyncio.sleep(0)
    assert found == [f"s{number}" for number in range(3000)]


async def test_a_csv_is_a_source(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(f"signal_id,symbol,wish,time_ns\na,SPY,BUY,{NOW}\n", encoding="utf-8")
    async with Sources([FileSource(file, clock=CLOCK, rng=RNG)]) as sources:
        assert names(sources, NOW - 1) == []
        assert names(sources) == ["a"]


async def test_a_drive_that_hangs_makes_nobody_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = FileSource(path, clock=CLOCK, rng=RNG, look_s=0.01)
    hung, free = threading.Event(), threading.Event()
    read = source._feed.read

    def hang(most: int) -> object:
        hung.set()
        free.wait()
        return read(most)

    other = Held("other")
    async with Sources([source, other]) as sources:
        path.write_bytes(row("a"))
        await until(lambda: source.health().waiting == 1)
        monkeypatch.setattr(source._feed, "read", hang)
        await until(hung.is_set)
        other.outbox.put(signal("b"))
        assert names(sources) == ["a", "b"]
    free.set()  # the sources have ended while the drive still hung


async def test_a_function_that_blocks_delays_itself_alone_and_is_named() -> None:
    free = threading.Event()

    def blocks(symbol: str, bar: Bar) -> Signal | None:
        free.wait()
        return signal("late")

    slow = FunctionSource(blocks, ("SPY",), clock=CLOCK, rng=RNG, name="slow", patience_s=0.01)
    quick = FunctionSource(lambda symbol, bar: signal("q"), ("SPY",), clock=CLOCK, rng=RNG, name="quick")
    async with Sources([slow, quick]) as sources:
        sources.on_bar("SPY", BAR)
        sources.on_bar("IBM", BAR)  # not theirs
        await until(lambda: quick.health().waiting == 1 and slow.health().refusals == 1)
        assert names(sources) == [Reason.TIMEOUT, "q"]
        assert slow.health().state.startswith("blocked")
        for _ in range(MAX_BARS + 3):
            slow.on_bar("SPY", BAR)
        assert slow.health().counts[Reason.OVERLOAD] == 3
        free.set()
        await until(lambda: slow.health().signals > 0)
        assert "late" in names(sources)


async def test_a_function_that_raises_or_exits_is_named_and_goes_on() -> None:
    ends: list[BaseException] = [ZeroDivisionError("oh"), SystemExit(3)]

    def broken(symbol: str, bar: Bar) -> Signal | None:
        if ends:
            raise ends.pop(0)
        return signal("a")

    source = FunctionSource(broken, ("SPY",), clock=CLOCK, rng=RNG)
    async with Sources([source]) as sources:
        for _ in range(3):
            sources.on_bar("SPY", BAR)
        await until(lambda: source.health().signals == 1)
        found = sources.take(NOW)
    texts = [each.value.text for each in found if isinstance(each.value, Refusal)]
    assert texts[0] == "broken: ZeroDivisionError: oh" and "SystemExit: 3" in texts[1]
    assert isinstance(found[2].value, Signal)


async def test_a_body_that_fails_is_begun_again() -> None:
    begun: list[int] = []
    outbox = Outbox("x", "test")

    async def body() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise RuntimeError("oh")
        await asyncio.Event().wait()

    class NoWait(random.Random):
        def random(self) -> float:
            return -1.0  # no back-off at all

    kept = Kept(outbox, CLOCK, NoWait(), body)
    kept.start()
    await until(lambda: len(begun) == 3)
    assert (outbox.counts[Reason.FAILED], kept.state) == (2, "running")
    await kept.stop()
    await kept.stop()
    assert kept.state == "stopped"


def test_back_off_doubles_up_to_its_bound_with_half_of_it_drawn() -> None:
    for failures, whole in ((1, 1.0), (2, 2.0), (3, 4.0), (7, 60.0), (10_000, 60.0)):
        drawn = [backoff_s(failures, RNG) for _ in range(200)]
        assert all(whole / 2 <= each <= whole for each in drawn)
        assert max(drawn) - min(drawn) > whole / 4


async def test_a_worker_is_a_daemon_that_nobody_waits_for() -> None:
    worker = Worker("w")
    assert await asyncio.get_running_loop().run_in_executor(worker, lambda: threading.current_thread().daemon)
    worker.shutdown()
