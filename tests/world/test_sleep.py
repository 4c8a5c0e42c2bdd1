"""A process that sleeps: nothing of it runs, what comes waits, and it goes on where it stood.

And what it must not do then (invariant 8), found small: a trader that wakes after another took its lease, or
after a latch.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.world.mix import End
from tests.world.scenario import Scenario

from tws.errors import SafetyError
from tws.model.records import OrderState
from tws.runtime import Trader
from tws.world import CALM, Domain, World


def test_what_comes_due_in_sleep_runs_after_it_in_order() -> None:
    world, ran = World(1, faults=CALM), []

    async def ticks() -> None:
        for number in range(10):
            await asyncio.sleep(1.0)
            ran.append((number, world.loop.time()))

    async def main() -> None:
        domain = Domain("trader")
        world.spawn(domain, ticks())
        await asyncio.sleep(2.5)
        await world.sleep_after(domain, 0)  # when its next callback is due, at 3 s
        await asyncio.sleep(4.0)
        assert len(ran) == 2
        world.wake(domain)
        await asyncio.sleep(20.0)

    world.run(main())
    assert ran[:4] == [(0, 1.0), (1, 2.0), (2, 7.0), (3, 8.0)]
    assert len(ran) == 10


def test_bytes_wait_for_one_who_sleeps_and_its_own_arrive() -> None:
    world = World(1, faults=CALM)
    near, far = _Ear(), _Ear()

    async def main() -> None:
        world.network.listen("tws", 1, lambda: far)
        domain = Domain("trader")
        await world.spawn(domain, world.network.dial(lambda: near, "tws", 1))
        near.transport.write(b"written last")
        domain.asleep = True
        assert world.network.on_their_way(domain) == 12
        await asyncio.sleep(1.0)
        far.transport.write(b"meanwhile")
        await asyncio.sleep(10.0)
        assert (bytes(far.heard), bytes(near.heard)) == (b"written last", b"")
        world.wake(domain)
        await asyncio.sleep(1.0)
        assert bytes(near.heard) == b"meanwhile"
        world.crash(domain)
        await asyncio.sleep(1.0)

    world.run(main())


def test_one_that_sleeps_can_die() -> None:
    world = World(1, faults=CALM)

    async def main() -> None:
        domain = Domain("trader")
        world.spawn(domain, asyncio.sleep(5.0))
        await world.sleep_after(domain, 0)
        world.crash(domain)
        assert not domain.held
        await asyncio.sleep(1.0)

    world.run(main())


def test_a_trader_that_wakes_cancels_nothing_of_the_one_in_its_place() -> None:
    """Found by seeds 20 and 92: cancels passed no brake, and what it cancelled was the other one's, which had
    given the same order id anew. And a client id that is free for a moment stays free for the other one.
    """

    class Woken(Scenario):
        async def play(self, trader: Trader) -> None:
            if self.lives > 1:
                return
            await self.enter(trader, reach=1.0)
            await asyncio.sleep(max(0.0, 16.0 - self.world.loop.time()))  # through the sleep
            self.world.network.cut(self.domain)  # the other one's: its client id is to be had, as may happen
            await asyncio.sleep(5.0)
            self.before = self.working()
            with pytest.raises(SafetyError, match="epoch 3"):
                await trader.cancel_all()
            before = self.world.network.links
            self.world.network.cut(self.domain)
            await asyncio.sleep(20.0)
            self.dials = self.world.network.links - before
            self.after = self.working()

        def working(self) -> list[str]:
            return [view.ticket.order_ref for view in self.simulator.exchange.open_orders()]

    house = Woken(1, End(kind="sleep", at_s=10.0, down_s=1.0, act="takeover", wake_s=4.0))
    outcome = house.run()
    assert outcome.complaints == []
    assert outcome.lives == 2
    assert house.before == house.after == ["w-2", "w-3"]
    assert house.dials == 1, "the one in its place, and nobody else"


def test_what_was_decided_in_ignorance_of_a_latch_does_not_leave() -> None:
    """The stop was pulled in its sleep: its desk knows of none and approves, the fence holds the bytes."""

    class Latched(Scenario):
        async def play(self, trader: Trader) -> None:
            await asyncio.sleep(max(0.0, 16.0 - self.world.loop.time()))
            await self.enter(trader)

    house = Latched(1, End(kind="sleep", at_s=10.0, down_s=1.0, act="latch", wake_s=3.0))
    outcome = house.run()
    assert outcome.complaints == []
    assert (outcome.orders, outcome.fills) == (0, 0)
    assert house.states(OrderState.APPROVED) == 3


class _Ear(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = bytearray()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
