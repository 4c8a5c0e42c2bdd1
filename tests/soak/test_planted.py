"""The checkers can see: each of these broken connections is caught within some seeds, the whole one is not.

Every variant breaks one line of production code in the way its name says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.soak.scene import Scene
from tests.soak.storm import Play

from tws.connection import PacingOptions, TWSConnection
from tws.connection.dialling.link import Link
from tws.connection.engine import Engine
from tws.connection.hearing.answers import Answers
from tws.connection.hearing.replies import Requests
from tws.connection.keeping import broker
from tws.connection.keeping.broker import BrokerBook
from tws.connection.keeping.keeper import Keeper
from tws.connection.keeping.resume import Resume
from tws.connection.keeping.vitals import Beat, Vitals
from tws.connection.keeping.watch import StreamWatch
from tws.connection.ordering.outbound import Outbound
from tws.connection.pacing.ledger import Ledger
from tws.connection.streaming.subscriptions import Subscription, Subscriptions
from tws.model.execution import Execution
from tws.wire.session import ClientSession

SEEDS = range(200)
"""Enough for each of these to be met; most are seen within three."""
FEW = range(3)
Plant = Callable[[pytest.MonkeyPatch], None]


def streams_stay_dead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Subscriptions, "renew", lambda self, subscription: False)


def nothing_is_asked_after_a_gap(patch: pytest.MonkeyPatch) -> None:
    async def ask(self: Resume) -> list[str]:
        return []

    patch.setattr(Resume, "ask", ask)


def a_mute_tws_is_believed_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Vitals, "look", lambda self, now_s, heard_s, paused: Beat.FINE)


def no_pace_is_kept(patch: pytest.MonkeyPatch) -> None:
    class Hasty(TWSConnection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options, pacing=PacingOptions.off())

    patch.setattr(Scene, "connection_class", Hasty)


def neither_a_loss_nor_time_ends_a_request(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answers, "fail_all", lambda self, error: None)
    patch.setattr(Requests, "_late", lambda self, request_id: None)


def the_look_goes_on_after_the_end(patch: pytest.MonkeyPatch) -> None:
    end = Keeper._end

    def ended(self: Keeper, cause: str) -> None:
        timer, self._timer = self._timer, None
        end(self, cause)
        self._timer = timer

    patch.setattr(Keeper, "_end", ended)


def a_fill_is_dropped(patch: pytest.MonkeyPatch) -> None:
    take = BrokerBook._execution

    def taken(self: BrokerBook, fact: Execution) -> None:
        if ".0000000" not in fact.exec_id or not fact.exec_id.split(".")[1].endswith("2"):
            take(self, fact)

    patch.setattr(BrokerBook, "_execution", taken)


def a_correction_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(broker, "_later", lambda exec_id, than: False)


def another_client_id_is_dialled(patch: pytest.MonkeyPatch) -> None:
    def open_link(self: Engine) -> Link:
        link = self.wire.link = self._last_link = Link(self, ClientSession(self.client_id + self.session))
        return link

    patch.setattr(Engine, "_open_link", open_link)


def a_silent_stream_is_left_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StreamWatch, "look", lambda self, now_s: None)


def an_order_leaves_twice(patch: pytest.MonkeyPatch) -> None:
    write = Outbound._write_one

    def twice(self: Outbound, sending: Any, failure: Any) -> None:
        frame = sending.frame
        write(self, sending, failure)
        if sending.failure is None and sending.order_id % 3 == 0:
            self._wire.write(frame)

    patch.setattr(Outbound, "_write_one", twice)


def data_lost_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    code = Keeper.code

    def deaf(self: Keeper, number: int, text: str) -> None:
        code(self, 1102 if number == 1101 else number, text)

    patch.setattr(Keeper, "code", deaf)
    patch.setattr(StreamWatch, "verify", lambda self, *, renew: None)
    patch.setattr(StreamWatch, "look", lambda self, now_s: None)


def a_refused_renewal_is_final(patch: pytest.MonkeyPatch) -> None:
    error = Subscriptions.error

    def final(self: Subscriptions, number: int, code: int, text: str, refusal: Any) -> None:
        subscription: Subscription | None = self._open.get(number)
        if refusal is not None and subscription is not None:
            subscription.stream.closed = True  # and nobody is told
        error(self, number, code, text, refusal)

    patch.setattr(Subscriptions, "error", final)


def another_request_is_cancelled(patch: pytest.MonkeyPatch) -> None:
    close = Subscriptions._close

    def closed(self: Subscriptions, stream: Any) -> None:
        subscription = self._open.get(stream.request_id)
        if subscription is not None:
            cancel = subscription.cancel
            subscription.cancel = lambda number: cancel(number + 1000)
        close(self, stream)

    patch.setattr(Subscriptions, "_close", closed)


def a_task_goes_on_after_the_end(patch: pytest.MonkeyPatch) -> None:
    end = Keeper._end

    def ended(self: Keeper, cause: str) -> None:
        end(self, cause)
        _LEFT.append(asyncio.get_running_loop().create_task(asyncio.sleep(3600.0)))

    patch.setattr(Keeper, "_end", ended)


def a_fill_that_comes_twice_counts_twice(patch: pytest.MonkeyPatch) -> None:
    """As a book does that takes the whole id for a fill's identity: a correction is one fill more."""
    patch.setattr(Execution, "base_id", property(lambda self: self.exec_id))


def a_late_word_is_believed(patch: pytest.MonkeyPatch) -> None:
    def hear(self: broker.SeenOrder, status: str) -> None:
        self.status, self.doubt, self.gone = status, "", False

    patch.setattr(broker.SeenOrder, "hear", hear)


def what_could_not_be_read_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Keeper, "misread", lambda self, name: None)


def the_pacer_trusts_the_clock(patch: pytest.MonkeyPatch) -> None:
    """As one does that counts from when it writes."""
    count = Ledger.count

    def counted(self: Ledger, now_s: float) -> Any:
        sent = count(self, now_s)
        self.prove(sent.number, now_s)
        return sent

    patch.setattr(Ledger, "count", counted)


_LEFT: list[asyncio.Task[None]] = []  # a task that nobody holds might be collected
PLANTS = (
    (streams_stay_dead, 0),
    (nothing_is_asked_after_a_gap, 0),
    (a_mute_tws_is_believed_in, 21),
    (no_pace_is_kept, 4),
    (neither_a_loss_nor_time_ends_a_request, 0),
    (the_look_goes_on_after_the_end, 0),
    (a_fill_is_dropped, 1),
    (a_correction_is_ignored, 4),
    (another_client_id_is_dialled, 1),
    (an_order_leaves_twice, 1),
    (data_lost_is_not_heard, 18),
    (a_refused_renewal_is_final, 3),
    (another_request_is_cancelled, 0),
    (a_task_goes_on_after_the_end, 0),
    (a_fill_that_comes_twice_counts_twice, 0),
    (the_pacer_trusts_the_clock, 29),
)
"""Each with a seed that saw it once: it is played first, since the same code sees it there again."""


STORMS = (
    (
        a_silent_stream_is_left_alone,
        [Play(20.0, "swallow", {"request": "MarketDataRequest", "count": 3}), Play(21.0, "cut", {})],
        12,
    ),
    (
        what_could_not_be_read_is_forgotten,
        [Play(20.0, "malformed-frame", {"kind": "bad-number", "message": 11, "count": 5})],
        12,
    ),
    (
        a_late_word_is_believed,
        [Play(5.0, "late-status", {"status": "Submitted", "delay": "30s", "count": 20})],
        7,
    ),
)
"""By lot the one moment that shows these is seldom met: here it is."""


def named(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize(("plant", "storm", "first"), STORMS, ids=named)
def test_a_broken_connection_is_seen_in_its_weather(
    plant: Plant, storm: list[Play], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = (first, *FEW)
    assert not any(Scene(seed, storm=storm).run().complaints for seed in seeds), "seen without it"
    plant(monkeypatch)
    seeds = (first, *SEEDS)
    assert any(Scene(seed, storm=storm).run().complaints for seed in seeds), "no checker complained"


@pytest.mark.parametrize(("plant", "first"), PLANTS, ids=named)
def test_a_broken_connection_is_seen(plant: Plant, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert any(Scene(seed).run().complaints for seed in (first, *SEEDS)), "no checker complained"
