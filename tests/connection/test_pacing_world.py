"""A paced client against the whole simulated TWS with its default limits, in `tws.world`, in drawn weather.

The client here is nothing but a shell around the pacer: it writes what may be written, sets one timer, and
tells the pacer what TWS answers. Sessions are cut and begun again. TWS must not once say that a limit was
broken, and what was asked in the last session, after the weather has calmed, is all answered.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from tests.connection.paced import stock
from tests.connection.test_pacing_never import ASKS, CANCELS

from tws.connection.pacing import Pacer, PacingOptions, Verdict
from tws.errors import PacingError
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.wire import codec
from tws.wire import messages as m
from tws.wire.framing import frame
from tws.wire.session import Accepted, ClientSession
from tws.world import Faults, World

BROKEN = {100, 101, 309, 322, 420, 10190}
"""What TWS says when a limit was broken (B); 162 says so with the word pacing."""
NOTICES = {0, 2104, 2106, 2158, 10167, 10299}
ENDS = (m.HistoricalDataEnd, m.HistoricalTicksLast, m.HeadTimestamp, m.TickSnapshotEnd)
KINDS = [kind for kind in ASKS if kind != "search"]


class Shell(asyncio.Protocol):
    """One session. What the connection's engine does for a pacer, and no more."""

    def __init__(self, pacer: Pacer, version: int) -> None:
        self.pacer = pacer
        self.session = ClientSession(1, max_version=version)
        self.loop = asyncio.get_running_loop()
        self.ready = asyncio.Event()
        self.over = asyncio.Event()
        self.timer: asyncio.TimerHandle | None = None
        self.errors: list[tuple[int, int, str]] = []
        self.answered: set[int] = set()
        self.link: Any = None

    def connection_made(self, transport: Any) -> None:
        self.link = transport
        transport.write(self.session.start())

    def connection_lost(self, error: Exception | None) -> None:
        self.pacer.end()
        self.over.set()
        self.ready.set()
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        out, events = self.session.receive(data)
        for event in events:
            if isinstance(event, Accepted):
                self.pacer.begin(event.server_version)
            elif isinstance(event, bytes):
                self.hear(codec.decode_answer(event, self.session.server_version))
        self.link.write(out)
        self.pump()

    def hear(self, answer: Any) -> None:
        now = self.loop.time()
        match answer:
            case m.NextValidId():
                self.pacer.accepted(now)
                self.ready.set()
            case m.CurrentTime():
                self.pacer.echoed(now)
            case m.ErrorMessage(id=number, error_code=code, error_msg=text):
                self.errors.append((number, code, text))
                if code not in NOTICES:
                    self.answered.add(number)
                    self.pacer.ended(number, now, failed=True)
                self.pacer.learn(text)
            case _ if isinstance(answer, ENDS):
                self.answered.add(answer.req_id)
                self.pacer.ended(answer.req_id, now)

    def offer(self, request: Any) -> Verdict | None:
        data = frame(codec.encode(request, self.session.server_version))
        try:
            verdict = self.pacer.offer(data, self.loop.time())
        except PacingError:
            return None
        if verdict is Verdict.WRITE:
            self.link.write(data)
        self.pump()
        return verdict

    def pump(self) -> None:
        if self.over.is_set():
            return
        now = self.loop.time()
        while (at := self.pacer.next_at()) is not None and at <= now:
            for data in self.pacer.due(now):
                self.link.write(data)
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None if at is None else self.loop.call_at(at, self.pump)

    def broken(self) -> list[tuple[int, int, str]]:
        return [said for said in self.errors if said[1] in BROKEN or "pacing" in said[2]]


async def ask_about(shell: Shell, rng: random.Random, first: int) -> None:
    """Some dozens of requests and cancels, in bursts and with pauses."""
    opened: list[tuple[str, int]] = []
    number = first
    for _ in range(rng.randint(1, 12)):
        kind = rng.choice(KINDS)
        for pick in range(rng.choice((1, 1, 5, 60))):
            number += 1
            if shell.offer(ASKS[kind](number, pick)) is not None and kind in CANCELS:
                opened.append((kind, number))
        for _ in range(rng.randint(0, len(opened))):
            kind, number_of = opened.pop(rng.randrange(len(opened)))
            shell.offer(CANCELS[kind](number_of))
        await asyncio.wait(
            {asyncio.ensure_future(shell.over.wait())}, timeout=rng.choice((0.0, 0.5, 3.0, 20.0))
        )
        if shell.over.is_set():
            return


async def live(
    world: World, version: int, options: PacingOptions
) -> tuple[list[tuple[int, int, str]], set[int]]:
    """Sessions in bad weather and one in good; what TWS complained of, and what the last left unanswered."""
    rng, said = world.rng("client"), []
    start = SimulatorOptions(symbols=("SPY", "AAPL", "MSFT"), start_ns=world.clock.now_ns(), paused=True)
    sim = SimulatedTWS(start, clock=world.clock)
    await sim.start(listen=False)
    listener = world.network.listen("127.0.0.1", 7400, sim.protocol_factory)
    pacer, asked = Pacer(options), set[int]()
    for turn in range(1000):
        if turn == 4:
            world.network.faults = Faults()
        try:
            _, shell = await world.network.dial(lambda: Shell(pacer, version), "127.0.0.1", 7400)
        except OSError:
            continue
        assert isinstance(shell, Shell)
        await asyncio.wait({asyncio.ensure_future(shell.ready.wait())}, timeout=100.0)
        if shell.ready.is_set() and not shell.over.is_set():
            await ask_about(shell, rng, 10_000 * turn)
            if turn >= 4:
                asked = {10_000 * turn + 9_000 + n for n in range(80)}
                for number in asked:
                    shell.offer(m.MarketDataRequest(number, stock(), snapshot=True))
                await asyncio.sleep(30.0)
        said += shell.broken()
        shell.link.close()
        await shell.over.wait()
        if asked and shell.answered:
            asked -= shell.answered
            break
    listener.close()
    await sim.stop()
    return said, asked


@pytest.mark.parametrize("seed", range(12))
def test_the_simulated_tws_never_complains(seed: int) -> None:
    world = World(seed)
    said, left = world.run(live(world, (178, 200, 225)[seed % 3], PacingOptions()))
    assert not said
    assert not left


def test_it_complains_of_a_client_that_is_not_paced() -> None:
    world = World(3, faults=Faults())
    said, _ = world.run(live(world, 178, PacingOptions.off()))
    assert {code for _, code, _ in said} >= {100, 10190}
