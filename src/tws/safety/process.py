"""Who we are, and whether a holder still lives: host, pid, and when that process began.

A pid is given out anew after its process died, so the start belongs to the name. On Linux the start is told
by the kernel in ticks since the boot, with the boot's own id: a wall clock that jumps moves neither.
Elsewhere psutil's `create_time` is kept by the kernel as it was at the start (Windows, macOS: assumed from
its documentation).

Nothing is said of a process on another host: it can't be seen from here.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from msgspec import Struct

__all__ = ["Process", "end_process", "is_alive", "started", "this_process"]


class Process(Struct, frozen=True, kw_only=True):
    """One process, by what no other process bears. `started` is a text to be compared, not to be read."""

    host: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def this_process() -> Process:
    """Ourselves."""
    return Process(host=socket.gethostname(), pid=os.getpid(), started=started(os.getpid()) or "")


def started(pid: int) -> str | None:
    """When the process of this pid began; None when there is none, or only its remains (a zombie)."""
    if sys.platform == "linux":
        return _started_linux(pid)
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{process.create_time():.2f}"
    return None


def is_alive(process: Process) -> bool | None:
    """Whether that very process runs; None when it can't be known from this host."""
    if process.host != socket.gethostname():
        return None
    return started(process.pid) == process.started


def end_process(process: Process, timeout_s: float) -> bool:
    """Kill that very process, and wait until it is gone. True when it no longer runs.

    Raises PermissionError when it is another user's. A process of the same pid that began at another time is
    left alone: then ours is gone already.
    """
    if is_alive(process) is None:
        return False
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        found = psutil.Process(process.pid)
        if not is_alive(process):
            return True
        try:
            found.kill()  # psutil asks once more whether the pid is still the process that it saw
        except psutil.AccessDenied as error:
            raise PermissionError(f"{process} belongs to another user") from error
        found.wait(timeout_s)
    return not is_alive(process)


def _started_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    words = stat.rpartition(")")[2].split()  # the name of the program, in brackets, may hold blanks
    return None if words[0] in "ZXx" else f"{boot[:8]}-{words[19]}"
