"""This machine: a TWS that runs on it, its memory, its time zone.

Of a process its name is told and, for Java, where its program lies is looked at. A command line may hold a
password (start scripts of TWS pass one): none is asked for or told here. (psutil itself looks at the first
word of one to complete a long name.) TWS is a Java program: on Windows and macOS its launcher bears its
name, on Linux it is `java` in a folder of the installation, or with that as its working folder.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tws.clock import NS_PER_S
from tws.monitor.doctor.report import ProcessSeen

__all__ = ["find_processes", "free_memory_mb", "own_offset_s", "program_of", "wsl_processes"]

_GATEWAY = re.compile(r"ib\s?gateway", re.IGNORECASE)
_TWS = re.compile(r"(^|[\\/])(tws(\.exe)?|jts|trader workstation[^\\/]*)([\\/]|$)", re.IGNORECASE)
_JAVA = ("java", "java.exe", "javaw.exe", "javaapplicationstub")
_WSL = ("wslhost.exe", "wslrelay.exe", "vmmemwsl", "vmmemwsl.exe", "vmmem")
"""Processes of Windows that show that WSL runs (reported; in old builds vmmem is any virtual machine)."""


def program_of(name: str, *paths: str) -> str:
    """TWS or IB Gateway, by a process's name and, for Java, by where it lies or works; "" for any other."""
    java = name.lower() in _JAVA
    for text in (name, *paths) if java else (name,):
        if _GATEWAY.search(text):
            return "IB Gateway"
    for text in (name, *paths) if java else (name,):
        if _TWS.search(text):
            return "TWS"
    return ""


def find_processes() -> tuple[ProcessSeen, ...]:
    """Every TWS and IB Gateway that runs here, as far as the system shows it. Blocking; never raises."""
    found = []
    for process in psutil.process_iter(["name"]):
        name = str(process.info["name"] or "")
        paths = _paths(process) if name.lower() in _JAVA else ()
        program = program_of(name, *paths)
        if program and not _is_ours(process):
            found.append(
                ProcessSeen(program=program, process=name, pid=process.pid, memory_mb=_memory_mb(process))
            )
    return tuple(found)


def _is_ours(process: psutil.Process) -> bool:
    """Whether it is our own command, which bears the name of TWS too: a Python, or a script's launcher."""
    try:
        program = Path(process.exe())
    except (psutil.Error, OSError):
        return False
    return program.stem.lower().startswith("python") or program.parent.name.lower() == "scripts"


def wsl_processes() -> tuple[str, ...]:
    """On Windows: the names of the processes that say that WSL runs. Blocking; never raises."""
    names = {str(process.info["name"] or "") for process in psutil.process_iter(["name"])}
    return tuple(sorted(name for name in names if name.lower() in _WSL))


def free_memory_mb() -> int:
    """Memory that a program could have without swapping."""
    return int(psutil.virtual_memory().available) // 2**20


def own_offset_s(now_ns: int) -> int:
    """Seconds by which this machine's local time is ahead of UTC at that moment."""
    offset = datetime.fromtimestamp(now_ns // NS_PER_S, UTC).astimezone().utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _paths(process: psutil.Process) -> tuple[str, ...]:
    paths = []
    for read in (process.exe, process.cwd):
        try:
            paths.append(str(read()))
        except (psutil.Error, OSError):
            continue
    return tuple(paths)


def _memory_mb(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss) // 2**20
    except (psutil.Error, OSError):
        return None
