"""What may leave: limits, the gate that holds orders to them, and the permits that it alone mints.

    denial.py      a refusal as a value
    limits.py      the bounds
    situation.py   what a limit looks at: the proposal, and where we stand
    checks.py      the limits, one small function each
    grid.py        an order's prices and quantity on the contract's grid: refused, or rounded
    gate.py        Gate judges a proposal and mints; StandaloneGate serves a connection without a desk
    permit.py      Permit, and the mint's memory
"""

from __future__ import annotations

from tws.risk.checks import live_lock, reduces
from tws.risk.denial import Denial
from tws.risk.gate import Gate, StandaloneGate
from tws.risk.grid import OffGrid, conform
from tws.risk.limits import Limits
from tws.risk.permit import Permit, Verifier
from tws.risk.situation import Proposal, Situation

__all__ = ["Denial", "Gate", "Limits", "OffGrid", "Permit", "Proposal", "Situation", "StandaloneGate",
           "Verifier", "conform", "live_lock", "reduces"]
