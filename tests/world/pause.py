"""Markets that close within a run and open again a minute later: hours as the broker states them, shortened.

The texts of TWS have no seconds (TWS-BEHAVIOUR.md E), so a pause lasts a whole minute of New York: `PAUSE`
from 9:31 to 9:32, in a run that begins half a minute before and whose faults stop while it is shut; `DAY`
from 19:59 to 20:00, for runs that begin when they like. At 20:00 it is midnight in UTC, so that the run's day
ends there (`tws.runtime.closing`), and another begins.
"""

from __future__ import annotations

from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.simulator.hours import TEMPLATES, ZONE_ID, Template
from tws.simulator.market.synthetic import SyntheticMarket
from tws.simulator.universe import Universe

__all__ = ["CLOSES_S", "DAY", "DAY_CLOSE_NS", "OPENS_S", "PAUSE", "START_NS", "paused_market"]

START_NS = 1_760_103_030 * NS_PER_S
"""Friday 2025-10-10 13:30:30 UTC: 9:30:30 in New York."""
CLOSES_S, OPENS_S = 30.0, 90.0
PAUSE, DAY = "WORLD_PAUSE", "WORLD_DAY"
MINUTE = 1 / 60
DAY_CLOSE_NS = START_NS + round((20 - MINUTE - 9.5) * 3600 - 30) * NS_PER_S


def _hours(close: float, last: float) -> tuple[tuple[float, float], ...]:
    return (9.5, close), (close + MINUTE, last)


for _name, _hours_of in ((PAUSE, _hours(9.5 + MINUTE, 16.0)), (DAY, _hours(20 - MINUTE, 23.5))):
    TEMPLATES[_name] = Template(ZONE_ID, _hours_of, _hours_of)


def paused_market(seed: int, symbols: tuple[str, ...], hours: str, start_ns: int) -> SyntheticMarket:
    """These symbols, in these hours."""
    universe = Universe()
    listed = [replace(universe.add(symbol), hours=hours) for symbol in symbols]
    return SyntheticMarket(listed, seed=seed, start_ns=start_ns - NS_PER_S, mode="exchange", more=False)
