"""What the simulated TWS knows of instruments, and how a description finds them.

security   one instrument of any type, as a frozen value
rules      market rules: price steps by price level
stocks     the US stocks and ETFs that trade from the start
america    more US stocks and ETFs
abroad     stocks abroad, indexes, currencies, crypto, CFDs
further    bonds, metals, warrants, funds, an event contract
expiry     when contracts expire, as rules
futures    roots, and the futures that they make
options    chains, and the options that they make
chains     the default chains
book       all of them by conId and by description
file       a universe file (TOML): more of them; imported by whoever is given one
"""

from __future__ import annotations

from tws.simulator.universe.book import SEC_TYPES, Universe, Wanted
from tws.simulator.universe.futures import Root
from tws.simulator.universe.options import Chain
from tws.simulator.universe.rules import RULES, step_at
from tws.simulator.universe.security import (
    CENT_RULE,
    DERIVED_FROM,
    EXCHANGES,
    SYNTHETIC_FROM,
    BondTerms,
    Security,
)
from tws.simulator.universe.stocks import UNIVERSE, unlisted

__all__ = [
    "CENT_RULE",
    "DERIVED_FROM",
    "EXCHANGES",
    "RULES",
    "SEC_TYPES",
    "SYNTHETIC_FROM",
    "UNIVERSE",
    "BondTerms",
    "Chain",
    "Root",
    "Security",
    "Universe",
    "Wanted",
    "step_at",
    "unlisted",
]
