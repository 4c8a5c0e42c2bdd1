"""A market that closes for a minute and opens again within a run: hours as the broker states them, shortened.

The texts of TWS have no seconds (TWS-BEHAVIOUR.md E), so the pause lasts a whole minute, from 9:31 to 9:32 in
New York; a run with it begins half a minute before. The faults stop while it is shut.
"""

from __future__ import annotations

from msgspec.structs import replace
from tests.world.mix import SYMBOLS

from tws.clock import NS_PER_S
from tws.simulator.hours import TEMPLATES, ZONE_ID, Template
from tws.simulator.market.synthetic import SyntheticMarket
from tws.simulator.universe import Universe

__all__ = ["CLOSES_S", "OPENS_S", "START_NS", "paused_market"]

START_NS = 1_760_103_030 * NS_PER_S
"""Friday 2025-10-10 13:30:30 UTC: 9:30:30 in New York."""
CLOSES_S, OPENS_S = 30.0, 90.0
NAME = "WORLD_PAUSE"
_HOURS = ((9.5, 9.5 + 1 / 60), (9.5 + 2 / 60, 16.0))

TEMPLATES[NAME] = Template(ZONE_ID, _HOURS, _HOURS)


def paused_market(seed: int) -> SyntheticMarket:
    """Our symbols, in these hours."""
    universe = Universe()
    listed = [replace(universe.add(symbol), hours=NAME) for symbol in SYMBOLS]
    return SyntheticMarket(listed, seed=seed, start_ns=START_NS - NS_PER_S, mode="exchange", more=False)
