"""What the rules of a run remember, on the disk: pauses, executions of the day, cooldowns, switches.

One file in the trader's folder, written beside its place and renamed, so that a process which dies leaves
the one before or the new one whole. It carries a checksum: a file that was damaged is named and refused,
since half a memory would let rules fire again that have fired today. Nothing is guessed: a human puts a copy
back, or removes it and so begins anew.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from tws.errors import DataError
from tws.platform import sync_folder
from tws.rules import Memory

__all__ = ["CURE", "read_memory", "write_memory"]

VERSION = 1
CURE = "put a copy back; or remove it: executions of the day, pauses and switches then begin anew"
"""What a human does about a memory that can't be read."""


class _Kept(Struct, frozen=True):
    version: int
    digest: str
    memory: msgspec.Raw


def read_memory(path: Path) -> Memory | None:
    """What is kept in a file; None when there is none. Raises DataError for what is no whole memory."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        if kept.version != VERSION:
            raise ValueError(f"version {kept.version}, this program writes {VERSION}")
        if sha256(bytes(kept.memory)).hexdigest() != kept.digest:
            raise ValueError("its checksum is wrong, so it is not what was written")
        return msgspec.json.decode(kept.memory, type=Memory)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as wrong:  # what msgspec raises is a ValueError
        reason = f"the memory of the rules can't be read ({wrong}); {CURE}"
        raise DataError(path, 1, reason) from wrong


def write_memory(path: Path, memory: bytes, *, lasting: bool = False) -> None:
    """Put a memory (`Engine.written`) in place of the one before. Raises OSError; then that is still there.

    It outlives the process at once; `lasting` waits for the medium, so that it outlives a power cut too.
    """
    kept = _Kept(VERSION, sha256(memory).hexdigest(), msgspec.Raw(memory))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(kept))
        if lasting:
            file.flush()
            os.fsync(file.fileno())
    unfinished.replace(path)
    if lasting:
        sync_folder(path.parent)
