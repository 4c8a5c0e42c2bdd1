"""The way to a TWS as this machine sees it, before a byte is sent: addresses, the table of sockets, WSL.

`look` fills the stage "listener" and gives what later stages use to name a failed dial. A process of TWS is
looked for only when nothing listens, for then it tells a TWS without its API from no TWS at all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tws.config import LIVE_PORTS, PAPER_PORTS, TWSConfig
from tws.monitor.doctor.listeners import SocketTable, accepting, half_closed, is_local, served
from tws.monitor.doctor.machine import program_of
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import ListenerSeen, Outcome, ProcessSeen, WSLSeen
from tws.monitor.doctor.tools import Tools
from tws.monitor.doctor.wsl import own_address

__all__ = ["Place", "look", "owner_of"]


@dataclass(frozen=True)
class Place:
    """What is known of the way.

    absent       the table is whole, and nobody in it would take our connection
    elsewhere    listeners on TWS's other well-known ports, or of a TWS process, by their ports
    own          the address under which TWS sees us
    """

    local: bool
    own: str
    table: SocketTable = field(default_factory=lambda: SocketTable(False))
    listeners: tuple[ListenerSeen, ...] = ()
    absent: bool = False
    elsewhere: tuple[ListenerSeen, ...] = ()
    processes: tuple[ProcessSeen, ...] = ()
    wsl: WSLSeen | None = None
    half_closed: int = 0
    served: int = 0

    @property
    def owner(self) -> str:
        """Who has the port, as an addition to a sentence."""
        return next((f" (it is {owner_of(one)})" for one in self.listeners if owner_of(one)), "")


async def look(config: TWSConfig, tools: Tools, notes: Notes) -> Place | None:
    """Everything that can be seen; None when the host has no address, which is noted."""
    try:
        addresses = await asyncio.wait_for(tools.resolve(config.host), config.connection_timeout)
    except (OSError, TimeoutError, UnicodeError) as wrong:  # the last: no name at all, such as a..b
        detail = getattr(wrong, "strerror", None) or getattr(wrong, "reason", None) or "no answer"
        notes.found("name_unknown", "listener", host=config.host, detail=detail)
        return None
    wsl = await asyncio.to_thread(tools.wsl)
    if wsl is not None:
        side = (
            "shares its addresses with Windows"
            if wsl.mirrored
            else f"Windows is at {wsl.windows or 'an unknown address'}"
        )
        notes.step(
            "wsl", Outcome.OK, f"inside WSL, which {side}; this side is {wsl.own or 'without an address'}"
        )
    if not await asyncio.to_thread(is_local, addresses):
        own = own_address(addresses, await asyncio.to_thread(tools.networks))
        notes.step("listener", Outcome.SKIPPED, f"{config.host} is another machine: its table can't be read")
        return Place(local=False, own=own or "this machine's address", wsl=wsl)
    table = await asyncio.to_thread(tools.table)
    place = Place(
        local=True,
        own="127.0.0.1",
        table=table,
        listeners=accepting(table, addresses, config.port),
        wsl=wsl,
        half_closed=half_closed(table, config.port),
        served=served(table, config.port),
    )
    return await _judge(place, config, tools, notes)


async def _judge(place: Place, config: TWSConfig, tools: Tools, notes: Notes) -> Place:
    """The stage's step; where nobody listens, also who listens elsewhere, and whether a TWS runs."""
    table = place.table
    if place.listeners:
        notes.step("listener", Outcome.OK, "; ".join(_line(one) for one in place.listeners))
        return place
    if table.whole:
        notes.step("listener", Outcome.NOTE, f"the table of sockets shows none on port {config.port}")
    else:
        notes.step("listener", Outcome.SKIPPED, table.why)
    processes = await asyncio.to_thread(tools.processes)
    if processes:
        notes.step("process", Outcome.OK, "; ".join(process_line(one) for one in processes))
    elsewhere = _elsewhere(table, config.port, processes)
    return Place(**{**vars(place), "absent": table.whole, "elsewhere": elsewhere, "processes": processes})


def _elsewhere(table: SocketTable, port: int, processes: tuple[ProcessSeen, ...]) -> tuple[ListenerSeen, ...]:
    """The usual slip is the right TWS on another port: those that it is known for, or that a TWS has."""
    pids = {process.pid for process in processes}
    found = {
        one.port: one
        for one in table.listeners
        if one.port != port
        and (one.port in LIVE_PORTS | PAPER_PORTS or one.pid in pids or program_of(one.process))
    }
    return tuple(found[number] for number in sorted(found))


def owner_of(listener: ListenerSeen) -> str:
    """Process and pid of a listener; "" where the system does not tell."""
    if listener.pid is None:
        return ""
    return f"{listener.process or 'a process'}, pid {listener.pid}"


def process_line(process: ProcessSeen) -> str:
    """A TWS that runs, in a few words."""
    return f"{process.program} runs ({process.process}, pid {process.pid})"


def _line(listener: ListenerSeen) -> str:
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    owner = owner_of(listener) or "a process that the system does not name"
    return f"{owner} listens on {address}:{listener.port}"
