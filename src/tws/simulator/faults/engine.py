"""Plays faults on a running simulator: now, at a time, again and again, at an event, or by chance.

    sim.faults.play("connectivity-lost", lasts="30s", restored="lost")
    sim.faults.play("cut", on="order placed", nth=3)
    sim.faults.load("flaky-link")          # a named scenario, or the path of a file
    sim.faults.clear()

Times are market time (`schedule`). Running effects are asked through lists by hook, so that a simulator
without faults pays for an empty list. Chance is drawn from one stream of the run's seed, so a run repeats.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.exchange import Event, Executed, OrderOpened, StatusChanged
from tws.log import get_logger
from tws.simulator.faults.base import HOOKS, Effect, Fault, When, build, span_ns
from tws.simulator.faults.files import load
from tws.simulator.faults.schedule import Schedule
from tws.simulator.faults.wire import message_id
from tws.wire import messages
from tws.wire.messages import Answer, Request

if TYPE_CHECKING:
    from tws.simulator.core import Core
    from tws.simulator.session import Session

__all__ = ["FaultActions", "Faults", "Running"]

log = get_logger("tws.simulator")

REQUESTS = tuple(
    sorted(
        name
        for name in messages.__all__
        if isinstance(kind := getattr(messages, name), type)
        and issubclass(kind, Request)
        and kind is not Request
    )
)
ENDED = frozenset(("Cancelled", "ApiCancelled"))


class FaultActions(Protocol):
    """What only the server can do."""

    def listen(self, on: bool) -> None: ...
    def move(self, port: int, moved: Callable[[int], None]) -> None: ...
    def trade(self, symbol: str | int, price: float) -> None: ...
    def quote(self, symbol: str | int, *, bid: float, ask: float, bid_size: int, ask_size: int) -> None: ...


class Running(Struct):
    """A fault that lasts. `since_ns` in market time."""

    fault: Fault
    effect: Effect
    since_ns: int


class _Armed(Struct):
    """A fault that waits for an event."""

    fault: Fault
    when: When
    left: int
    skip: int
    from_ns: int


class Faults:
    """The engine of one simulator."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.schedule = Schedule(core)
        self.rng = random.Random(f"{core.options.seed}/faults")
        self.skew_ns = 0
        self.actions: FaultActions | None = None
        self.running: list[Running] = []
        self._armed: list[_Armed] = []
        self._seen_orders: set[tuple[int, int, int]] = set()
        self.hooks: dict[str, list[Any]] = {name: [] for name in HOOKS}
        self.hiding: list[Any] = self.hooks["hides"]
        self.request_names = REQUESTS

    def bind(self, actions: FaultActions) -> None:
        """Called once by the server."""
        self.actions = actions

    # -- playing ----------------------------------------------------------------------------------

    def play(self, what: str | Fault, **values: Any) -> None:
        """Play a fault, by name with its fields or as a value; `When`'s fields say when.

        Raises ConfigError.
        """
        if isinstance(what, Fault):
            when = build(what.name, {**_given(what), **values})[1]
            self.enter(what, when)
        else:
            self.enter(*build(what, values))

    def load(self, source: str | Path) -> None:
        """Enter all faults of a named scenario, or of a TOML file. Raises ConfigError, DataError."""
        for fault, when in load(source, self.check):
            self.enter(fault, when)

    @staticmethod
    def check(when: When) -> None:
        """Raise ConfigError when `when` can't be meant."""
        when.check(REQUESTS)

    def enter(self, fault: Fault, when: When) -> None:
        """Play it at its time."""
        self.check(when)
        now_ns, at_ns = self.core.now_ns(), span_ns(when.at)
        if when.on:
            left = 1 if when.times is None else when.times or 2**62
            self._seen_orders.update(
                (one.client_id, one.order_id, one.perm_id) for one in self.core.exchange.open_orders()
            )
            self._armed.append(_Armed(fault, when, left, when.nth - 1, now_ns + at_ns))
        elif when.every:
            times = when.times or 2**62
            self._again(fault, when, now_ns + at_ns, times)
        elif at_ns:
            self._again(fault, when, now_ns + at_ns, 1)
        else:
            self._draw(fault, when)

    def _again(self, fault: Fault, when: When, due_ns: int, left: int) -> None:
        def strike() -> None:
            self._draw(fault, when)
            if left > 1:
                self._again(fault, when, due_ns + max(1, span_ns(when.every)), left - 1)

        if due_ns <= self.core.now_ns():
            strike()
        else:
            self.schedule.push(due_ns, strike, fault.name)

    def _draw(self, fault: Fault, when: When) -> None:
        if when.chance == 1 or self.rng.random() < when.chance:
            self.begin(fault)

    def begin(self, fault: Fault) -> Effect | None:
        """Play it now."""
        log.info("fault", name=fault.name, fields=str(fault))
        effect = fault.begin(self)
        if effect is not None:
            self.running.append(Running(fault, effect, self.core.now_ns()))
            for name in HOOKS:
                if getattr(type(effect), name) is not getattr(Effect, name):
                    self.hooks[name].append(effect)
            lasts = fault.spans().get("lasts", 0)
            if lasts:
                self.after(lasts, lambda: self.finish(effect))
        self.refresh()
        self.core.flush()
        return effect

    def finish(self, effect: Effect) -> None:
        """End a running fault; safe twice."""
        mine = [running for running in self.running if running.effect is effect]
        if not mine:
            return
        self.running.remove(mine[0])
        for effects in self.hooks.values():
            if effect in effects:
                effects.remove(effect)
        effect.end()
        self.refresh()
        self.core.flush()

    def stop(self, name: str) -> int:
        """End all running faults of this name, and forget the armed ones; how many there were."""
        mine = [running.effect for running in self.running if running.fault.name == name]
        armed = [one for one in self._armed if one.fault.name == name]
        self._armed = [one for one in self._armed if one.fault.name != name]
        for effect in mine:
            self.finish(effect)
        return len(mine) + len(armed)

    def clear(self) -> None:
        """End everything that runs, waits or is planned."""
        self._armed.clear()
        self.schedule.clear()
        for running in list(self.running):
            self.finish(running.effect)

    def release(self) -> int:
        """Let go what faults hold back of orders; how many faults that ended."""
        mine = [one.effect for one in self.running if one.effect.release()]
        for effect in mine:
            self.finish(effect)
        return len(mine)

    def answer_dialog(self, accept: bool = True) -> int:
        """Press the button of every dialog that is open on the TWS's screen; how many there were."""
        return sum(bool(effect.answer(accept)) for effect in list(self.hooks["answer"]))

    def status(self) -> list[dict[str, str]]:
        """What runs, waits for an event, or is planned, in plain words."""
        rows = [
            {"name": one.fault.name, "state": "running", "fields": fields_of(one.fault)}
            for one in self.running
        ]
        rows += [
            {"name": one.fault.name, "state": f"waits for {one.when.on}", "fields": fields_of(one.fault)}
            for one in self._armed
        ]
        now_ns = self.core.now_ns()
        rows += [
            {"name": name, "state": f"in {(due_ns - now_ns) / NS_PER_S:.1f} s", "fields": ""}
            for due_ns, name in self.schedule.plans()
        ]
        return rows

    # -- time -------------------------------------------------------------------------------------

    def after(self, span_ns: int, do: Callable[[], None]) -> None:
        """Call so much market time later."""
        self.schedule.push(self.core.now_ns() + span_ns, do)

    def elapse(self, now_ns: int) -> None:
        """Market time reached `now_ns`: play and end what is due."""
        self.schedule.elapse(now_ns)

    def end_of_time(self) -> None:
        """Market time will not move again."""
        self.schedule.end_of_time()

    def close(self) -> None:
        """The simulator ends."""
        self.schedule.close()

    # -- events -----------------------------------------------------------------------------------

    def _occasion(self, event: str) -> None:
        """This event happened: play what waited for it."""
        now_ns = self.core.now_ns()
        for armed in [one for one in self._armed if one.when.on == event and one.from_ns <= now_ns]:
            if armed.skip:
                armed.skip -= 1
                continue
            after = span_ns(armed.when.after)
            if armed.when.chance < 1 and self.rng.random() >= armed.when.chance:
                continue
            armed.left -= 1
            if not armed.left:
                self._armed.remove(armed)
            if after:
                self.schedule.push(now_ns + after, _later(self.begin, armed.fault), armed.fault.name)
            else:
                self.begin(armed.fault)

    # -- what the simulator asks ------------------------------------------------------------------

    def hears(self, session: Session) -> bool:
        return all(effect.hears(session) for effect in self.hooks["hears"])

    def speaks(self, session: Session) -> bool:
        return all(effect.speaks(session) for effect in self.hooks["speaks"])

    def refresh(self) -> None:
        """Faults came or went: who is read and who is written to may have changed."""
        for session in list(self.core.sessions):
            session.out.mute = not self.speaks(session)
            if self.hears(session):
                session.catch_up()

    def accepted(self, session: Session) -> None:
        """A socket was accepted."""
        session.out.mute = not self.speaks(session)
        for effect in list(self.hooks["accepted"]):
            effect.accepted(session)

    def refuses(self, client_id: int) -> bool:
        return any(effect.refuses(client_id) for effect in self.hooks["refuses"])

    def started(self, session: Session) -> None:
        """A session began."""
        for effect in list(self.hooks["started"]):
            effect.started(session)
        if self._armed:
            self._occasion("connect")

    def lost(self, session: Session) -> None:
        """A socket is gone."""
        for effect in list(self.hooks["lost"]):
            effect.lost(session)

    def request(self, session: Session, request: object) -> object | None:
        """The request to be handled, None when it is not to be."""
        if self._armed:
            self._occasion(f"request:{type(request).__name__}")
            if session.closing:
                return None
        for effect in list(self.hooks["request"]):
            if (wanted := effect.request(session, request)) is None:
                return None
            request = wanted
        return request

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        """What is to be said of the exchange's events."""
        if self._armed:
            for event in events:
                self._happened(event)
        for effect in list(self.hooks["events"]):
            events = effect.events(events)
        return events

    def _happened(self, event: Event) -> None:
        if isinstance(event, Executed):
            self._occasion("fill")
        elif isinstance(event, OrderOpened):
            key = (event.order.client_id, event.order.order_id, event.order.perm_id)
            if key not in self._seen_orders:
                self._seen_orders.add(key)
                self._occasion("order placed")
        elif isinstance(event, StatusChanged) and event.order.status in ENDED:
            self._occasion("cancel")

    def outgoing(self, session: Session, message: Answer) -> Sequence[Answer]:
        """What is sent in place of this message."""
        out: Sequence[Answer] = (message,)
        for effect in list(self.hooks["outgoing"]):
            out = [new for old in out for new in effect.outgoing(session, old)]
        return out

    def framed(self, session: Session, data: bytes) -> bytes:
        """The bytes that leave for a frame."""
        if self._armed:
            self._occasion(f"message:{message_id(data[4:], session.version)}")
        for effect in list(self.hooks["framed"]):
            data = effect.framed(session, data)
        return data

    @property
    def watching(self) -> bool:
        """Whether frames have to pass by here."""
        return bool(self._armed or self.hooks["framed"] or self.hooks["outgoing"])

    def hides(self, con_id: int) -> bool:
        return any(effect.hides(con_id) for effect in self.hiding)

    # -- what faults use --------------------------------------------------------------------------

    def sessions(self, client: int | None = None, *, started: bool = True) -> list[Session]:
        """The open sessions, or the one of a client."""
        return [
            session
            for session in self.core.sessions
            if (client is None or session.client_id == client)
            and (session.client_id is not None or not started)
        ]

    def say(self, code: int, text: str, client: int | None = None, request_id: int = -1) -> None:
        """Message 4 to every started session, or to one client's."""
        for session in self.sessions(client):
            session.error(request_id, code, text)

    def say_events(self, events: Sequence[Event]) -> None:
        """Say the exchange's events to whom they concern, past the faults."""
        self.core.broker.say(events)

    def con_ids(self, symbol: str) -> list[int]:
        """All instruments of this symbol; "" is everything. Raises ConfigError when nothing has it."""
        if not symbol:
            return list(self.core.tapes)
        known = self.core.universe.symbol(symbol)
        found = [con_id for con_id in self.core.tapes if self.core.security(con_id).symbol == symbol]
        found = found or ([known.con_id] if known is not None else [])
        if not found:
            raise ConfigError("symbol", symbol, "is unknown here", "Use a symbol of the universe")
        return found

    # -- shortcuts --------------------------------------------------------------------------------

    def cut(self) -> None:
        """Reset every socket now."""
        self.play("cut")

    @property
    def mute(self) -> bool:
        """Whether nothing is read or answered; set it to begin and end the fault "mute"."""
        return self._switch("mute")

    @mute.setter
    def mute(self, on: bool) -> None:
        self._turn("mute", on)

    @property
    def silent_accept(self) -> bool:
        """Whether new sockets are accepted and never spoken to: the fault "accept-dialog"."""
        return self._switch("accept-dialog")

    @silent_accept.setter
    def silent_accept(self, on: bool) -> None:
        self._turn("accept-dialog", on)

    @property
    def refuse(self) -> bool:
        """Whether dials are refused: the fault "refuse-dials"."""
        return self._switch("refuse-dials")

    @refuse.setter
    def refuse(self, on: bool) -> None:
        self._turn("refuse-dials", on)

    def hold_next_order(self, count: int = 1) -> None:
        """The next `count` orders reach the exchange, and nothing is said of them until `release()`."""
        self.play("silent-order", count=count)

    def _switch(self, name: str) -> bool:
        return any(running.fault.name == name for running in self.running)

    def _turn(self, name: str, on: bool) -> None:
        if on and not self._switch(name):
            self.play(name)
        elif not on:
            self.stop(name)


def fields_of(fault: Fault) -> str:
    """The fields that differ from their defaults, as the command line writes them."""
    return " ".join(f"{name}={value}" for name, value in _given(fault).items())


def _given(fault: Fault) -> dict[str, Any]:
    defaults = type(fault).__struct_fields__, type(fault).__struct_defaults__
    known = dict(zip(reversed(defaults[0]), reversed(defaults[1]), strict=False))
    return {
        name: value
        for name in type(fault).__struct_fields__
        if (value := getattr(fault, name)) != known.get(name, Ellipsis)
    }


def _later(do: Callable[[Fault], object], fault: Fault) -> Callable[[], None]:
    return lambda: (do(fault), None)[1]
