"""What a trader is built from when the defaults will not do: clocks, links and stores for tests and demos."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tws.clock import Clock
from tws.connection.facade import Dial
from tws.desk import Timing
from tws.journal import Store
from tws.safety import SafetyFile

if TYPE_CHECKING:
    import httpx

__all__ = ["TraderParts"]


class TraderParts(Struct, frozen=True, kw_only=True):
    """Each None means the live default.

    clock     market time; the system's
    dial      how a link is made; TCP
    store     the journal's store, open; SQLite at `journal`. The trader closes it
    journal   the journal's file; one per port, account and client id in the user's state folder
    timing    the desk's waits
    prefix    starts every intent id of a new journal; drawn by chance, then kept with the journal
    rng       jitter of the back-off
    timers    whether a second of market time is a second of the loop's; False: the caller calls `tick`
    reconnect whether a lost link is dialled again
    configuration  the fingerprint of what it is configured by, for the journal; that of its limits
    safety    the file of latch, lease and unlocks, open: the trader takes and releases its lease, and leaves
              the file open. None: no lease, no latch, live stays locked
    """

    clock: Clock | None = None
    dial: Dial | None = None
    store: Store | None = None
    journal: Path | None = None
    timing: Timing | None = None
    prefix: str = ""
    rng: random.Random | None = None
    timers: bool = True
    reconnect: bool = True
    configuration: str = ""
    safety: SafetyFile | None = None
    transport: httpx.AsyncBaseTransport | None = None
