"""What a trader is built from when the defaults will not do: clocks, links and stores for tests and demos."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tws.clock import Clock
from tws.config import Settings
from tws.connection.facade import Dial
from tws.desk import Timing
from tws.journal import Store
from tws.model.contract import Contract
from tws.safety import SafetyFile
from tws.signals.source import Source

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
    settings  a configuration file, for the pace, the calendar and the codes of its connection; what TWS
              itself grants
    configuration  the fingerprint of what it is configured by, for the journal; that of its limits
    contracts what symbols mean; one that is not named is a stock at SMART in USD
    safety    the file of latch, lease and unlocks, open: the trader takes and releases its lease, and leaves
              the file open. None: no lease, no latch, live stays locked
    transport how an API of signals is reached; the network
    environ   the variables that sources are opened with; the process's
    sources   sources that the program made itself, by the name of the section that trades them; none
    blocked   strategies in Python play on the loop's own thread, and this says how many seconds the last
              task of one took (virtual time); None: each on a thread of its own
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
    settings: Settings | None = None
    configuration: str = ""
    contracts: dict[str, Contract] = {}
    safety: SafetyFile | None = None
    transport: httpx.AsyncBaseTransport | None = None
    environ: Mapping[str, str] | None = None
    sources: Mapping[str, Source] = {}
    blocked: Callable[[], float] | None = None
