"""What options are worth, for the exchange's orders that follow it: the simulator's own pricing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.simulator import pricing
from tws.simulator.market.derived import Derived, smile

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["SimulatedMath"]

OPTIONS = ("OPT", "FOP")


class SimulatedMath:
    """An `OptionMath` of the options that the universe knows."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[int, Derived | None] = {}

    def underlying(self, con_id: int) -> int | None:
        derived = self._derived(con_id)
        return None if derived is None else derived.under.con_id

    def price(self, con_id: int, volatility: float, under_price: float, now_ns: int) -> float | None:
        derived = self._derived(con_id)
        if derived is None or under_price <= 0:
            return None
        return pricing.fair_price(derived.terms(under_price, now_ns), volatility)

    def delta(self, con_id: int, under_price: float, now_ns: int) -> float | None:
        derived = self._derived(con_id)
        if derived is None or under_price <= 0:
            return None
        terms = derived.terms(under_price, now_ns)
        return pricing.greeks(terms, smile(derived.under, terms)).delta

    def _derived(self, con_id: int) -> Derived | None:
        if con_id not in self._known:
            security = self._core.universe.get(con_id)
            under = None
            if security is not None and security.sec_type in OPTIONS and security.under_con_id:
                under = self._core.universe.get(security.under_con_id)
            tape = None if under is None else self._core.listed(under)
            self._known[con_id] = (
                None if security is None or under is None or tape is None else Derived(security, under, tape)
            )
        return self._known[con_id]
