"""A house in calm weather whose user does one thing: for what seeds found, made small, and for incidents."""

from __future__ import annotations

import asyncio
from random import Random

from tests.world.house import House
from tests.world.mix import End, Mix

from tws.model.contract import Contract
from tws.model.order import Side, bracket
from tws.model.records import Moved, OrderState
from tws.runtime import Trader

__all__ = ["Scenario"]


class Scenario(House):
    """A house in calm weather whose user does one thing, then waits for the end."""

    def __init__(self, seed: int = 1, *ends: End) -> None:
        super().__init__(seed, Mix(faulty_s=60.0, ends=ends))

    async def _use(self, trader: Trader, rng: Random) -> None:
        await self.play(trader)
        while not (self.healed or self.leaving):  # noqa: ASYNC110 - the world says when
            await asyncio.sleep(1.0)

    async def play(self, trader: Trader) -> None:
        """What happens."""

    async def enter(
        self,
        trader: Trader,
        *,
        reach: float = 0.05,
        symbol: str = "SLV",
        side: Side = Side.BUY,
        quantity: int = 100,
    ) -> None:
        """Enter at the market, stop and target `reach` dollars away."""
        contract = Contract(symbol=symbol)
        quote = await trader.quote(contract)
        assert quote.bid is not None and quote.ask is not None
        middle = round((quote.bid + quote.ask) / 2, 2)
        stop, target = round(middle - side.sign * reach, 2), round(middle + side.sign * reach, 2)
        await trader.submit(bracket(contract, side, quantity, stop=stop, target=target))

    def states(self, state: OrderState) -> int:
        """How many orders came into a state."""
        return sum(isinstance(record, Moved) and record.state is state for record in self.witness.records)
