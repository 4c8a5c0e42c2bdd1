"""Who listens on this machine: the operating system's own table of sockets, read without a connection.

Linux and Windows show all listening sockets to everybody (the owning process sometimes only to its user);
macOS shows other users' sockets to root alone, so that the table as a whole can't be read. An absence
proves something only where the table is whole and TWS must be in it: not for another host, nor inside
WSL, where a TWS on the Windows side is reached but not listed.
"""

from __future__ import annotations

import ipaddress
import platform
from collections.abc import Iterable

import psutil
from msgspec import Struct

from tws.monitor.doctor.report import ListenerSeen
from tws.monitor.doctor.wsl import inside_wsl

__all__ = [
    "LinkSeen",
    "SocketTable",
    "accepting",
    "half_closed",
    "holders",
    "is_local",
    "read_table",
    "served",
]


class LinkSeen(Struct, frozen=True, kw_only=True):
    """One end of a TCP connection, by its ports. `ended`: the peer closed, the owner has not (CLOSE_WAIT)."""

    port: int
    remote_port: int
    ended: bool = False
    process: str = ""
    pid: int | None = None


class SocketTable(Struct, frozen=True):
    """All listening TCP sockets, and the connections. `whole` False: an absence proves nothing, for `why`."""

    whole: bool
    why: str = ""
    listeners: tuple[ListenerSeen, ...] = ()
    links: tuple[LinkSeen, ...] = ()


def read_table() -> SocketTable:
    """The table now. Blocking (it walks the processes); never raises."""
    try:
        rows = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError, NotImplementedError) as wrong:
        return SocketTable(False, f"this system does not show it ({type(wrong).__name__})")
    names = _names()
    unique = {
        (row.laddr.ip, row.laddr.port, row.pid): None
        for row in rows
        if row.status == psutil.CONN_LISTEN and row.laddr
    }
    listeners = tuple(
        ListenerSeen(address=ip, port=port, process=names.get(pid, ""), pid=pid) for ip, port, pid in unique
    )
    links = tuple(
        LinkSeen(
            port=row.laddr.port,
            remote_port=row.raddr.port,
            ended=row.status == psutil.CONN_CLOSE_WAIT,
            process=names.get(row.pid, ""),
            pid=row.pid,
        )
        for row in rows
        if row.status in (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT) and row.laddr and row.raddr
    )
    if inside_wsl(platform.release()):
        return SocketTable(False, "inside WSL a TWS on the Windows side is not listed", listeners, links)
    return SocketTable(True, "", listeners, links)


def served(table: SocketTable, port: int) -> int:
    """How many living connections this machine serves on `port`."""
    return sum(link.port == port and not link.ended for link in table.links)


def half_closed(table: SocketTable, port: int) -> int:
    """How many connections on `port` have ended for the client and not for the server."""
    return sum(link.port == port and link.ended for link in table.links)


def holders(table: SocketTable, port: int) -> tuple[str, ...]:
    """The programs of this machine that are connected to `port`, each once."""
    found = {
        f"{link.process or 'a process'}, pid {link.pid}": None
        for link in table.links
        if link.remote_port == port and not link.ended and link.pid is not None
    }
    return tuple(found)


def accepting(table: SocketTable, addresses: Iterable[str], port: int) -> tuple[ListenerSeen, ...]:
    """The listeners that would take a connection to `port` at one of `addresses`."""
    wanted = {_plain(address) for address in addresses}
    return tuple(
        listener
        for listener in table.listeners
        if listener.port == port and (_is_wildcard(listener.address) or _plain(listener.address) in wanted)
    )


def is_local(addresses: Iterable[str]) -> bool:
    """Whether one of the addresses is this machine's own."""
    plain = {_plain(address) for address in addresses}
    if any(ipaddress.ip_address(address).is_loopback for address in plain):
        return True
    own = {_plain(entry.address) for entries in psutil.net_if_addrs().values() for entry in entries}
    return bool(plain & own)


def _is_wildcard(address: str) -> bool:
    """0.0.0.0 and [::] take connections to any address; TWS listens on the latter for both families."""
    try:
        return ipaddress.ip_address(_plain(address)).is_unspecified
    except ValueError:
        return False


def _plain(address: str) -> str:
    """An address without scope and without the IPv6 coat of an IPv4 one; other text (a MAC) as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _names() -> dict[int | None, str]:
    """Names alone: a command line may hold a password."""
    return {process.pid: str(process.info["name"] or "") for process in psutil.process_iter(["name"])}
