"""All that touches the machine, in one value, so that a test can stand in for the part that it can't have:
another operating system's table, a process of TWS, WSL, the clock.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tws.clock import SystemClock
from tws.config import TWSConfig
from tws.monitor.doctor.listeners import SocketTable, read_table
from tws.monitor.doctor.machine import find_processes, free_memory_mb, own_offset_s, wsl_processes
from tws.monitor.doctor.packages import PackageCheck, check_packages
from tws.monitor.doctor.pauses import Planned, known_pauses
from tws.monitor.doctor.report import ProcessSeen, WSLSeen
from tws.monitor.doctor.session import Session, open_session
from tws.monitor.doctor.wsl import own_networks, read_wsl

__all__ = ["Tools"]


async def _resolve(host: str) -> tuple[str, ...]:
    """The addresses of a host. Raises OSError when there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Tools:
    """What touches the machine. Those that return at once may block; they run in a thread."""

    packages: Callable[[], PackageCheck] = check_packages
    table: Callable[[], SocketTable] = read_table
    resolve: Callable[[str], Awaitable[tuple[str, ...]]] = _resolve
    open_session: Callable[[TWSConfig], Session] = open_session
    now_ns: Callable[[], int] = SystemClock().now_ns
    processes: Callable[[], tuple[ProcessSeen, ...]] = find_processes
    wsl_processes: Callable[[], tuple[str, ...]] = wsl_processes
    wsl: Callable[[], WSLSeen | None] = read_wsl
    networks: Callable[[], dict[str, str]] = own_networks
    free_memory_mb: Callable[[], int] = free_memory_mb
    own_offset_s: Callable[[int], int] = own_offset_s
    pauses: Planned = known_pauses
