"""The states of a connection: the table, its page, every arc of it walked; and who hears events.

Run this file (`python -m tests.connection.test_events`) to draw the page anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.connection.kept import House
from tests.drawn import Drawn

from tws.connection.callbacks import call_safely
from tws.connection.keeping import keeper
from tws.connection.keeping.diagram import mermaid
from tws.connection.keeping.events import (
    KEPT,
    STATES,
    ConnectionEvent,
    ConnectionState,
    EventKind,
    Events,
    Happening,
    Severity,
)

S, H = ConnectionState, Happening
PAGE = Drawn("keeping.md", {"states": mermaid()})


@pytest.mark.parametrize("name", PAGE.parts)
def test_the_page_holds_what_the_table_draws(name: str) -> None:
    PAGE.check(name)


# -- the table


def reached_from(state: ConnectionState) -> set[ConnectionState]:
    seen, new = {state}, [state]
    while new:
        here = new.pop()
        for (start, _), to in STATES.items():
            if start is here and to not in seen:
                seen.add(to)
                new.append(to)
    return seen


@pytest.mark.parametrize("state", S)
def test_no_state_is_a_dead_end_and_all_are_reached(state: ConnectionState) -> None:
    assert reached_from(state) == set(S)


@pytest.mark.parametrize("state", [state for state in S if state is not S.CLOSED])
def test_every_state_but_closed_can_be_ended(state: ConnectionState) -> None:
    assert STATES[state, H.ENDS] is S.CLOSED


@pytest.mark.parametrize("state", [S.SYNCHRONISING, S.READY, S.BROKER_LOST])
def test_every_session_can_be_lost_and_dialled_again(state: ConnectionState) -> None:
    assert STATES[state, H.LOST] is S.WAITING


# -- every arc of it is walked by a connection


async def to_synchronising(house: House) -> None:
    house.sim.faults.play("swallow", request="ExecutionRequest", count=100)
    house.sim.faults.play("cut")
    await house.until(lambda: house.connection.session == 2)
    assert house.connection.state is S.SYNCHRONISING


async def to_broker_lost(house: House) -> None:
    house.sim.faults.play("connectivity-lost", lasts="300s")
    await house.until(lambda: house.connection.state is S.BROKER_LOST)


async def to_waiting(house: House) -> None:
    house.sim.faults.play("refuse-dials")
    house.sim.faults.play("cut")
    await house.until(lambda: house.connection.state is S.WAITING)


async def to_redialling(house: House) -> None:
    house.sim.faults.play("accept-dialog")
    house.sim.faults.play("cut")
    await house.until(lambda: house.connection.state is S.REDIALLING)


async def to_connecting(house: House) -> None:
    house.sim.faults.play("accept-dialog")
    house.connection.disconnect()
    dialling = asyncio.create_task(house.connection.connect())
    await house.until(lambda: house.connection.state is S.CONNECTING)
    house.connection.disconnect()
    assert not await dialling


async def stay(house: House) -> None:
    return


async def lose_broker_while_synchronising(house: House) -> None:
    await to_synchronising(house)
    await to_broker_lost(house)


async def a_night(house: House) -> None:
    house.sim.faults.play("nightly-reset", outage="2m", restart="20s", refused="60s")
    await house.until_session(2)


async def back_without_its_loss(house: House) -> None:
    house.sim.faults.play("notice", code=1102, text="restored - data maintained")
    await house.until_state(S.READY, 2)


async def lose_the_link_while_the_broker_is_lost(house: House) -> None:
    await to_broker_lost(house)
    house.sim.faults.play("cut")
    await house.until_state(S.WAITING)


async def lose_the_link_while_synchronising(house: House) -> None:
    await to_synchronising(house)
    house.sim.faults.play("cut")
    await house.until_state(S.WAITING, 2)


async def fail_to_connect(house: House) -> None:
    house.sim.faults.play("refuse-dials")
    house.connection.disconnect()
    assert not await house.connection.connect()


WALKS: tuple[Callable[[House], Awaitable[None]], ...] = (
    stay,
    a_night,
    back_without_its_loss,
    fail_to_connect,
    lose_broker_while_synchronising,
    lose_the_link_while_synchronising,
    lose_the_link_while_the_broker_is_lost,
    to_broker_lost,
    to_connecting,
    to_redialling,
    to_synchronising,
    to_waiting,
)


def test_every_arc_is_walked_and_no_walk_leaves_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: set[tuple[ConnectionState, Happening]] = set()
    strays: set[tuple[ConnectionState, Happening]] = set()

    class Watched(dict[tuple[ConnectionState, Happening], ConnectionState]):
        def get(self, arc, default=None):  # type: ignore[no-untyped-def, override]
            (walked if arc in self else strays).add(arc)
            return super().get(arc, default)

    monkeypatch.setattr(keeper, "STATES", Watched(STATES))
    for walk in WALKS:
        House().run(walk)  # which ends each by `disconnect`, from the state that it came to
    assert set(STATES) - walked == set()
    # 1100 is repeated all night, a synchronisation may end while the broker is lost, and an end comes twice
    assert strays <= {
        (S.BROKER_LOST, H.BROKER_LOST),
        (S.BROKER_LOST, H.SYNCHRONISED),
        (S.CLOSED, H.ENDS),
        (S.CLOSED, H.FAILS),
    }


# -- who hears of it


def event(text: str, severity: Severity = Severity.INFO) -> ConnectionEvent:
    return ConnectionEvent(kind=EventKind.STATE, text=text, at_ns=0, severity=severity)


def test_a_listener_that_raises_keeps_no_other_from_hearing() -> None:
    events, heard = Events(call_safely), list[str]()

    def raising(told: ConnectionEvent) -> None:
        raise RuntimeError("mine")

    events.listen(raising)
    stop = events.listen(lambda told: heard.append(told.text))
    events.tell(event("one"))
    stop()
    events.tell(event("two"))
    assert heard == ["one"]


def test_the_last_events_are_kept_and_repetitions_are_not_among_them() -> None:
    events = Events(call_safely)
    for number in range(2 * KEPT):
        events.tell(event(str(number)))
        events.tell(event("again", Severity.DEBUG))
    assert [told.text for told in events.recent] == [str(number) for number in range(KEPT, 2 * KEPT)]


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.DEBUG, 10), (Severity.INFO, 20), (Severity.WARNING, 30), (Severity.ALARM, 40)],
)
def test_each_event_is_one_line_at_its_level(
    severity: Severity, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="tws.connection")
    Events(call_safely).tell(event("what happened", severity))
    (record,) = caplog.records
    assert record.levelno == level
    assert record.getMessage().startswith("what happened kind='state'")


if __name__ == "__main__":
    PAGE.draw()
