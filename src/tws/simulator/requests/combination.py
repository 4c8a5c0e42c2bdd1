"""The quote of a combination (BAG): what one unit of it costs at its legs' quotes.

Its bid is what selling brings, its ask what buying costs, its size what the thinnest leg allows, per unit
of the largest multiplier, as the exchange trades it (`tws.exchange.combos`). It is quoted and never printed.
"""

from __future__ import annotations

from decimal import Decimal
from math import floor
from typing import TYPE_CHECKING

from tws.simulator import combos
from tws.simulator.grid import CENT, grid_of
from tws.simulator.market.base import MarketUpdate
from tws.simulator.tape import Tape
from tws.simulator.universe import Security
from tws.wire.messages import WireContract

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Combination"]


class Combination:
    """One combination, with a tape of its own. `security` describes it, `legs` what it is made of."""

    def __init__(self, core: Core, contract: WireContract) -> None:
        """Raises ValueError for less than two legs, or one that nobody knows."""
        asked = combos.legs_of(contract)
        known = [core.universe.get(leg.con_id) for leg in asked]
        self.legs = [security for security in known if security is not None]
        if len(asked) < 2 or len(self.legs) < len(asked):
            raise ValueError("a combination has two legs or more, all of them known")
        tick = min(Decimal("0.01"), *(security.tick for security in self.legs))
        self.security = Security(
            con_id=combos.BAG_CON_ID, symbol=contract.symbol, long_name="", sec_type="BAG", tick=tick,
            currency=self.legs[0].currency,
        )  # fmt: skip
        self.tape = Tape(combos.BAG_CON_ID, None, grid_of(tick, CENT.lot))
        multipliers = [float(security.multiplier or 1) for security in self.legs]
        self._parts = [
            (core.listed(security), leg.ratio * leg.side.sign, multiplier / max(multipliers))
            for security, leg, multiplier in zip(self.legs, asked, multipliers, strict=True)
        ]

    def update(self, now_ns: int) -> MarketUpdate:
        """Its present quote; a side is empty while one of its legs is."""
        bid = ask = 0.0
        bid_size = ask_size = float("inf")
        for tape, ratio, weight in self._parts:
            sides = (tape.bid, tape.bid_size), (tape.ask, tape.ask_size)
            got, paid = sides if ratio > 0 else sides[::-1]
            bid += ratio * weight * tape.grid.price(got[0])
            ask += ratio * weight * tape.grid.price(paid[0])
            units = float(tape.grid.lot) / abs(ratio)
            bid_size, ask_size = min(bid_size, got[1] * units), min(ask_size, paid[1] * units)
        grid, buyers, sellers = self.tape.grid, floor(bid_size), floor(ask_size)
        return MarketUpdate(
            now_ns, self.security.con_id,
            grid.ticks(bid) if buyers else 0, buyers, grid.ticks(ask) if sellers else 0, sellers,
        )  # fmt: skip
