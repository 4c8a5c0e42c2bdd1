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

__all__ = ["SocketTable", "accepting", "is_local", "read_table"]


class SocketTable(Struct, frozen=True):
    """All listening TCP sockets. `whole` False: an absence proves nothing, for the reason `why`."""

    whole: bool
    why: str = ""
    listeners: tuple[ListenerSeen, ...] = ()


def read_table() -> SocketTable:
    """The table now. Blocking (it walks the processes); never raises."""
    try:
        rows = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError, NotImplementedError) as wrong:
        return SocketTable(False, f"this system does not show it ({type(wrong).__name__})")
    unique = {
        (row.laddr.ip, row.laddr.port, row.pid): None
        for row in rows
        if row.status == psutil.CONN_LISTEN and row.laddr
    }
    listeners = tuple(
        ListenerSeen(address=ip, port=port, process=_process_name(pid), pid=pid) for ip, port, pid in unique
    )
    if "microsoft" in platform.release().lower():
        return SocketTable(False, "inside WSL a TWS on the Windows side is not listed", listeners)
    return SocketTable(True, "", listeners)


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


def _process_name(pid: int | None) -> str:
    """The name alone: a command line may hold a password (start scripts of TWS pass one)."""
    if pid is None:
        return ""
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return ""
