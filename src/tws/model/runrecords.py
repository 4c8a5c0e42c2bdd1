"""What the journal keeps of runs: one began, on which code and configuration, which it read anew; its link
moved.

Part of `tws.model.records`, where all kinds are listed and where they are written and read.
"""

from __future__ import annotations

from tws.model.facts import LinkState
from tws.model.record import JournalRecord

__all__ = ["Began", "FloorRaised", "LinkMoved", "Reloaded", "Stamped"]


class Began(JournalRecord, frozen=True, kw_only=True):
    """A run of the trader began. `prefix` makes its intent ids unique; orders not ended become unknown."""

    prefix: str
    client_id: int
    account: str
    port: int
    version: str = ""


class Stamped(JournalRecord, frozen=True, kw_only=True):
    """What the run that began trades by: fingerprints of the code and of the configuration, 16 hexadecimal
    digits each (`tws.runtime.fingerprint`), and the version of the program as it calls itself.

    Not in journals before it.
    """

    code: str
    configuration: str
    program: str = ""


class Reloaded(JournalRecord, frozen=True, kw_only=True):
    """The run took its configuration up anew, and trades by this fingerprint from now on.

    `changes` says in words what differs in it, limits and rules; limits have a record of their own besides.
    Not in journals before it.
    """

    operator: str
    reason: str
    configuration: str
    changes: tuple[str, ...] = ()


class LinkMoved(JournalRecord, frozen=True, kw_only=True):
    """The link changed."""

    state: LinkState
    session: int
    cause: str = ""
    accounts: tuple[str, ...] = ()


class FloorRaised(JournalRecord, frozen=True, kw_only=True):
    """The next order id is at least this (INCIDENTS.md 1)."""

    next_order_id: int
