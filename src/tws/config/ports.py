"""What a port and an account id tell about paper and live.

TWS listens on 7496 (live) or 7497 (paper), IB Gateway on 4001 or 4002, unless its user chose other
numbers (TWS-BEHAVIOUR.md H). Ids of paper accounts begin with D (DU, DF, DI). Both are conventions, not
proof: a live TWS can be told to listen on 7497. So a live sign locks, and a paper sign alone never unlocks.
"""

from __future__ import annotations

__all__ = ["LIVE_PORTS", "PAPER_PORTS", "is_live_port", "is_paper_account", "is_paper_port"]

LIVE_PORTS = frozenset({7496, 4001})
"""Where TWS and IB Gateway listen for live trading unless told otherwise."""

PAPER_PORTS = frozenset({7497, 4002})
"""Where TWS and IB Gateway listen for paper trading unless told otherwise."""


def is_live_port(port: int) -> bool:
    """Whether TWS or IB Gateway listens there for live trading by default."""
    return port in LIVE_PORTS


def is_paper_port(port: int) -> bool:
    """Whether TWS or IB Gateway listens there for paper trading by default."""
    return port in PAPER_PORTS


def is_paper_account(account_id: str) -> bool:
    """Whether the id is one of a paper account: it begins with D. An empty id is unknown, so it is not."""
    return account_id.startswith("D")
