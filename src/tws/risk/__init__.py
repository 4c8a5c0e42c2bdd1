"""What may leave: limits, the gate that holds orders to them, and the permits that it alone mints.

    denial.py      a refusal as a value
    fields.py      what kind of value each limit is: how it is read, which of two is tighter, its hard bound
    limits.py      the bounds, with overrides for an account, a symbol, a strategy
    situation.py   what a limit looks at: the proposal, and where we stand
    figures.py     the limits that are a figure against a bound
    checks.py      the others, one small function each
    controls.py    THE table of all of them
    distance.py    how far each is
    grid.py        an order's prices and quantity on the contract's grid: refused, or rounded
    worst.py       an order with attributes: the plain one that is judged in its stead, and its grid
    gate.py        Gate judges a proposal and mints; StandaloneGate serves a connection without a desk
    permit.py      Permit, and the mint's memory
"""

from __future__ import annotations

from tws.risk.checks import LIVE_REQUIRES, live_lock, reduces
from tws.risk.controls import CONTROLS, Control, Holds, Reach
from tws.risk.denial import Denial
from tws.risk.distance import Distance, distances
from tws.risk.fields import FIELDS, LimitError
from tws.risk.gate import Gate, StandaloneGate
from tws.risk.grid import OffGrid, conform
from tws.risk.limits import Limits
from tws.risk.permit import Permit, Verifier
from tws.risk.situation import Proposal, Reference, Situation, fingerprint
from tws.risk.worst import fitting, worst_of

__all__ = ["CONTROLS", "FIELDS", "LIVE_REQUIRES", "Control", "Denial", "Distance", "Gate", "Holds",
           "LimitError", "Limits", "OffGrid", "Permit", "Proposal", "Reach", "Reference", "Situation",
           "StandaloneGate", "Verifier", "conform", "distances", "fingerprint", "fitting", "live_lock",
           "reduces", "worst_of"]
