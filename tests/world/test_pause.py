"""A market that shuts with shares held: the close is armed and the stops stay; at the open it closes."""

from __future__ import annotations

import asyncio

from tests.world.house import House
from tests.world.mix import Mix
from tests.world.pause import CLOSES_S, OPENS_S
from tests.world.scenario import Scenario

from tws.model.order import Role
from tws.model.records import FlattenMoved, FlattenPhase, Intended
from tws.runtime import Trader


class Shut(Scenario):
    """Holds shares when the bell rings, and wants to be flat while the market is shut."""

    def __init__(self) -> None:
        House.__init__(self, 1, Mix(pause=True))

    async def play(self, trader: Trader) -> None:
        await self.enter(trader, reach=1.0)
        await asyncio.sleep(CLOSES_S + 5.0 - self.world.loop.time())
        self.report = await trader.kill(reason="a bad day", operator="ann", flatten=True)
        self.flat = trader.flat()


def test_a_flatten_in_a_shut_market_is_not_flat_until_it_opens() -> None:
    house = Shut()
    outcome = house.run()
    assert outcome.complaints == []
    assert not house.report.flat and not house.flat
    assert "is closed until" in "\n".join(house.report.sentences())
    opens_ns = house.world.clock.now_ns() + round((OPENS_S - house.world.loop.time()) * 1e9)
    records = house.witness.records
    armed = [each for each in records if isinstance(each, FlattenMoved) and each.phase is FlattenPhase.ARMED]
    closes = [each for each in records if isinstance(each, Intended) and each.role is Role.CLOSE]
    assert armed and all(each.at_ns < opens_ns for each in armed)
    assert closes and all(each.at_ns >= opens_ns for each in closes)
