"""The data farms of IB, as TWS tells of them: one line for each change, none for what is said again, be it in
the same session or at the start of the next one.

Source: TWS-BEHAVIOUR.md A2 and A6. A farm that is inactive until somebody needs it is no fault (IB Gateway).
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["FARM_CODES", "Farm", "Farms"]

FARM_CODES = {
    2103: ("market data", "broken"),
    2104: ("market data", "ok"),
    2105: ("history", "broken"),
    2106: ("history", "ok"),
    2107: ("history", "on demand"),
    2108: ("market data", "on demand"),
    2119: ("market data", "connecting"),
    2157: ("definitions", "broken"),
    2158: ("definitions", "ok"),
}
"""Code: what the farm serves, and how it is."""


class Farm(Struct, frozen=True):
    """One farm: its name (usfarm), what it serves, how it is (ok, broken, connecting, on demand)."""

    name: str
    serves: str
    condition: str

    @property
    def broken(self) -> bool:
        return self.condition == "broken"


class Farms:
    """All farms of a session, by name."""

    def __init__(self) -> None:
        self.known: dict[str, Farm] = {}
        self._before: dict[str, Farm] = {}

    def hear(self, code: int, text: str) -> Farm | None:
        """A line about a farm; the farm when it has changed, None for a repetition."""
        serves, condition = FARM_CODES[code]
        # the name stands behind the last colon, or behind a full stop ("… upon demand.usopt")
        name = text.rpartition(":")[2] if ":" in text else text.rpartition(".")[2]
        farm = Farm(name.strip() or serves, serves, condition)
        last = self.known.get(farm.name) or self._before.get(farm.name)
        self.known[farm.name] = farm
        return None if last == farm else farm

    def clear(self) -> None:
        """A new session tells all of it again."""
        self._before |= self.known
        self.known.clear()

    @property
    def broken(self) -> tuple[Farm, ...]:
        """Those that do not serve now."""
        return tuple(farm for farm in self.known.values() if farm.broken)
