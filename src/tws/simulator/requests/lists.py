"""Lists that a TWS keeps: exchanges with depth (82), exchanges behind SMART (83), families (80), tiers (79).

Accounts belong to no family and there are no soft-dollar tiers unless `SimulatorOptions` says so, as with
most users. TWS-BEHAVIOUR.md F4, F6; the official client and documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.simulator.requests.depth import MAKERS, WITHOUT
from tws.simulator.session import Session
from tws.simulator.universe import EXCHANGES
from tws.simulator.universe.options import US_OPTION_EXCHANGES
from tws.simulator.words import AGGREGATION
from tws.wire.messages import (
    DepthMarketDataDescription,
    FamilyCode,
    FamilyCodes,
    FamilyCodesRequest,
    MarketDepthExchanges,
    MarketDepthExchangesRequest,
    SmartComponent,
    SmartComponents,
    SmartComponentsRequest,
    SoftDollarTier,
    SoftDollarTiers,
    SoftDollarTiersRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Lists"]

DEEP, DEEP_MAKERS = "Deep", "Deep2"
SMART_DEPTH = ("CMDTY",)
"""Types of which SMART itself is a row (reported)."""
BEHIND_SMART = {"9c": EXCHANGES, "b5": US_OPTION_EXCHANGES}
"""Who stands behind SMART, by the first letters of a stream's key; another key has nobody (assumed)."""
_LETTERS = {
    "NYSE": "N", "NASDAQ": "T", "ARCA": "P", "BATS": "Z", "ISLAND": "Q", "IEX": "V", "AMEX": "A", "BOX": "B",
    "CBOE": "C", "ISE": "I", "MIAX": "M", "PHLX": "X", "PEARL": "R", "EMERALD": "E", "GEMINI": "H",
}  # fmt: skip
"""The consolidated tape's where it has one (public); others get the first letter that is free."""


class Lists:
    """Answers at once, and remembers nothing."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            MarketDepthExchangesRequest: self._depth_exchanges,
            SmartComponentsRequest: self._components,
            FamilyCodesRequest: self._families,
            SoftDollarTiersRequest: self._tiers,
        }

    def _depth_exchanges(self, session: Session, request: MarketDepthExchangesRequest) -> None:
        universe = self._core.universe
        futures = [universe.contract(root) for root in universe.roots]
        chains = (*universe.chains, *universe.chains_of("FOP"))
        traded = [s for s in universe.known if s.sec_type not in WITHOUT and not s.ineligible]
        found: dict[tuple[str, str], str] = {}
        kinds = [(one.sec_type, one.exchanges) for one in (*traded, *futures)]
        kinds += [(chain.sec_type, chain.exchanges) for chain in chains]
        for kind, places in kinds:
            for place in places:
                if place != "SMART" or kind in SMART_DEPTH:
                    found.setdefault((place, kind), "" if place == "SMART" else place)
        rows = tuple(
            DepthMarketDataDescription(
                place, kind, listing, DEEP_MAKERS if place in MAKERS else DEEP, AGGREGATION.get(kind)
            )
            for (place, kind), listing in found.items()
        )
        session.send(MarketDepthExchanges(rows))

    def _components(self, session: Session, request: SmartComponentsRequest) -> None:
        """A letter and a bit for each exchange; the order of the bits is this simulator's own."""
        places = [place for place in BEHIND_SMART.get(request.bbo_exchange[:2], ()) if place != "SMART"]
        free = iter("DFGJKLOSUWYabcdefghij")
        rows = tuple(
            SmartComponent(bit, place, _LETTERS.get(place) or next(free)) for bit, place in enumerate(places)
        )
        session.send(SmartComponents(request.req_id, rows))

    def _families(self, session: Session, request: FamilyCodesRequest) -> None:
        options = self._core.options
        rows = (FamilyCode(account, options.families.get(account, "")) for account in options.accounts)
        session.send(FamilyCodes(tuple(rows)))

    def _tiers(self, session: Session, request: SoftDollarTiersRequest) -> None:
        tiers = self._core.options.soft_dollar_tiers
        rows = tuple(SoftDollarTier(tier.name, tier.value, tier.display_name) for tier in tiers)
        session.send(SoftDollarTiers(request.req_id, rows))
