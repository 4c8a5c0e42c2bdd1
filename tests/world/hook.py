"""The webhook of a run, from its door on: the real `Receiver`, called as uvicorn calls it, without a socket
and without HTTP's own bytes (these are tests/signals').

A sender posts well and badly: signals and alerts, twice, with a wrong token or none, half a body, one that
never ends, too much of it, more of them than may come. It posts to whoever listens then; the work is done
within that process, so it sleeps and dies with it. `check_hook` holds each answer against what was posted,
and what was taken (202) against the fate book: nothing of a stranger is there, and no more than the rate.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from tests.world.senders import FOREIGN, Said

from tws.clock import NS_PER_S, Clock, Rng, to_datetime
from tws.model.signal import Wish
from tws.signals.receiving import WebhookSource
from tws.signals.secret import Key
from tws.signals.webhook import BODY_S, WebhookRules
from tws.world import Domain, World

if TYPE_CHECKING:
    from tests.world.automation import AutoHouse

__all__ = ["BURST", "PER_MINUTE", "TOKEN", "Door", "HookSender", "check_hook"]

TOKEN = "token-of-this-world"
PER_MINUTE, BURST = 30, 5
TAKEN, FULL = 202, 429
ANSWERS: dict[str, tuple[int, ...]] = {
    "signal": (TAKEN, FULL), "alert": (TAKEN, FULL), "again": (TAKEN, FULL), "token in body": (TAKEN, FULL),
    "foreign": (TAKEN, FULL), "late": (TAKEN, FULL), "in pieces": (TAKEN, FULL),
    "too sure": (400, FULL), "no time": (400, FULL), "early": (TAKEN, 400, FULL),
    "no JSON": (400,), "a list": (400,), "cut": (400,), "endless": (408,), "too much": (413,),
    "wrong token": (401, FULL), "no token": (401, FULL), "looked at": (405,), "elsewhere": (404,),
}  # fmt: skip
"""What may be answered to each kind of call."""
SLIPS = ("too sure", "no time", "early")
"""What is read, and is no signal."""
WELL = ("signal", "alert", "token in body", "foreign", "in pieces")
"""What has a fate once it was taken."""
LONG = ("in pieces", "too much", "cut")
"""What comes with a pause."""
LOT = (*("signal",) * 8, *("alert",) * 6, *(kind for kind in ANSWERS if kind not in ("signal", "alert")))


class Door(WebhookSource):
    """The source of one life. What is under way when it stops is cut short."""

    def __init__(self, symbol: str, domain: Domain | None, clock: Clock, rng: Rng) -> None:
        key = Key(TOKEN, "WEBHOOK_TOKEN", least=16)
        rules = WebhookRules(per_minute=PER_MINUTE, burst=BURST)
        super().__init__("hook", key, clock=clock, rng=rng, rules=rules)
        self.symbol, self.domain = symbol, domain
        self.open = False
        self.calls: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self.open = True

    async def stop(self) -> None:
        self.open = False
        for call in tuple(self.calls):
            call.cancel()
        await asyncio.gather(*self.calls, return_exceptions=True)

    @property
    def application(self) -> Callable[..., Awaitable[None]]:
        """What uvicorn calls."""
        return self._receiver


class Called(Struct):
    """A call, and what was answered (0: nothing; whoever listened has died, or was stopped)."""

    at_s: float
    kind: str
    signal_id: str
    door: Door
    began_s: float
    status: int = 0

    @property
    def answers(self) -> tuple[int, ...]:
        """What may be answered: 408 too where the process slept while the body was on its way."""
        slow = self.at_s - self.began_s >= BODY_S
        return (*ANSWERS[self.kind], 408) if slow and self.kind in LONG else ANSWERS[self.kind]


class HookSender:
    """Posts until cancelled, whether anybody listens or not."""

    def __init__(self, world: World) -> None:
        self.said: list[Said] = []
        self.calls: list[Called] = []
        self.door: Door | None = None
        """The one of the present life."""
        self._world, self._rng = world, world.rng("hook")
        self._count = 0

    async def run(self) -> None:
        rng = self._rng
        while True:
            await asyncio.sleep(rng.uniform(0.2, 4.0))
            for _ in range(12 if rng.random() < 0.03 else 1):
                self._post(rng.choice(LOT))

    def _post(self, kind: str) -> None:
        door = self.door
        self._count += 1
        request = _Request(kind, self._count, self._world.clock.now_ns(), self._rng, door)
        if door is None or door.domain is None or not (door.open and door.domain.alive):
            return  # nobody listens: the dial is refused
        call = self._world.spawn(door.domain, self._call(door, request))
        door.calls.add(call)
        call.add_done_callback(door.calls.discard)

    async def _call(self, door: Door, request: _Request) -> None:
        call = Called(self._world.loop.time(), request.kind, request.signal_id, door, self._world.loop.time())
        self.calls.append(call)
        await door.application(request.scope, request.receive, request.send)
        call.at_s, call.status = self._world.loop.time(), request.status
        if call.status == TAKEN and request.kind in WELL:
            self.said.append(Said(call.at_s, request.symbol, request.signal_id, door.domain))


class _Request:
    """One call as ASGI has it."""

    def __init__(self, kind: str, count: int, now_ns: int, rng: Random, door: Door | None) -> None:
        self.kind, self.status = kind, 0
        self.symbol = FOREIGN if kind == "foreign" or door is None else door.symbol
        number = rng.randint(1, count) if kind == "again" else count
        shift_s = {"late": -300, "early": 30}.get(kind, 0)
        when = to_datetime(now_ns + shift_s * NS_PER_S)
        self.signal_id = f"h{number}"
        raw: dict[str, Any] = {
            "signal_id": self.signal_id,
            "symbol": self.symbol,
            "wish": rng.choice((Wish.BUY, Wish.SHORT, Wish.SELL)),
            "time": when.isoformat(),
            "confidence": 1.7 if kind == "too sure" else round(rng.uniform(0.4, 1.0), 2),
        }
        if kind == "no time":
            del raw["time"]
        if kind == "alert":
            action = rng.choice(("buy", "sell", "short"))
            raw = {"ticker": f"ARCA:{self.symbol}", "action": action, "time": str(when.timestamp() * 1000)}
            raw["id"] = self.signal_id
        if kind == "token in body":
            raw["token"] = TOKEN
        token = {"wrong token": b"guessed", "no token": None, "token in body": None}.get(kind, TOKEN.encode())
        self.scope = {
            "type": "http",
            "method": "GET" if kind == "looked at" else "POST",
            "path": {"alert": "/alert", "elsewhere": "/signals"}.get(kind, "/signal"),
            "headers": [] if token is None else [(b"x-webhook-token", token)],
        }
        self._parts = self._pieces(json.dumps(raw).encode(), rng)

    def _pieces(self, body: bytes, rng: Random) -> Iterator[tuple[float, bytes | None]]:
        """What comes after how long; None: the caller has left."""
        half = len(body) // 2
        match self.kind:
            case "no JSON":
                return iter([(0.0, body[:half])])
            case "a list":
                return iter([(0.0, b"[" + body + b"]")])
            case "cut":
                return iter([(0.0, body[:half]), (0.3, None)])
            case "endless":
                return iter([(0.0, body[:half]), (60.0, None)])
            case "too much":
                return iter([(0.0, body), (0.1, b" " * 20_000)])
            case "in pieces":
                return iter([(0.0, body[:half]), (rng.uniform(0.1, 3.0), body[half:])])
        return iter([(0.0, body)])

    async def receive(self) -> dict[str, Any]:
        wait_s, part = next(self._parts, (0.0, None))
        if wait_s:
            await asyncio.sleep(wait_s)
        if part is None:
            return {"type": "http.disconnect"}
        more = self.kind in ("cut", "endless") or (self.kind in ("too much", "in pieces") and wait_s == 0.0)
        return {"type": "http.request", "body": part, "more_body": more}

    async def send(self, said: dict[str, Any]) -> None:
        self.status = said.get("status", self.status)


def check_hook(house: AutoHouse) -> list[str]:
    """Each call has an answer that it may have; what a stranger or nonsense said is in no book; no door takes
    more than its rate.
    """
    calls = [] if house.hook is None else house.hook.calls
    found = [
        f"the hook answered {each.status} to a call with {each.kind!r}"
        for each in calls
        if each.status and each.status not in each.answers
    ]
    known = {row.signal_id for flight in house.flights for row in flight.rows() if row.source == "hook"}
    read = [each for each in calls if each.status in (0, TAKEN) or each.kind in SLIPS]
    foreign = known - {each.signal_id for each in read} - {""}
    found += [f"{name} was never taken, and has a fate" for name in sorted(foreign)]
    for door in dict.fromkeys(each.door for each in read):
        times = [each.at_s for each in read if each.door is door and each.status not in (0, FULL)]
        most = PER_MINUTE + BURST
        if any(last - first < 60.0 for first, last in zip(times, times[most:], strict=False)):
            found.append(f"the hook took more than {most} calls within a minute")
    return found
