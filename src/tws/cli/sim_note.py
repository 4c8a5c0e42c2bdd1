"""How `tws sim ctl` finds a running simulator, and how it speaks to it (`tws.simulator.control` listens).

Each running `tws sim` leaves a note with the port and the token of its control channel in the state folder,
readable by its owner alone. Nothing of the simulator is imported here, so that a command answers at once.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tws import channel
from tws.channel import HOST, ChannelSilentError, RefusedError
from tws.errors import ConfigError, SimulationError
from tws.platform import write_private

__all__ = ["Note", "ask", "find", "leave", "notes", "running_on"]


class Note(Struct, frozen=True, kw_only=True):
    """How a running simulator is found: its process, the port for clients, the channel's port and token."""

    pid: int
    api_port: int
    port: int
    token: str


def leave(folder: Path, note: Note) -> Path:
    """Write the note that lets `find` find this simulator; remove the file when it ends."""
    path = folder / f"{note.port}.json"
    write_private(path, json.dumps(msgspec.to_builtins(note)))
    return path


def notes(folder: Path) -> list[Note]:
    """The notes of all simulators that answer; those of dead ones are removed."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            note = msgspec.json.decode(path.read_bytes(), type=Note)
            with socket.create_connection((HOST, note.port), 2.0):
                found.append(note)
        except (OSError, msgspec.MsgspecError):
            with suppress(OSError):
                path.unlink()
    return found


def find(folder: Path, port: int | None = None) -> Note:
    """The one running simulator, or the one whose clients use this port. Raises ConfigError."""
    running = notes(folder)
    if port is not None:
        running = [note for note in running if port in (note.api_port, note.port)]
    if not running:
        raise ConfigError("port", port, "no simulator runs there", "Start one: tws sim")
    if len(running) > 1:
        ports = ", ".join(str(note.api_port) for note in running)
        raise ConfigError("port", port, f"several simulators run: {ports}", "Say which: --port")
    return running[0]


def running_on(folder: Path, port: int) -> Note | None:
    """The simulator that answers and whose clients use this port; no other one is asked anything."""
    for path in sorted(folder.glob("*.json")):
        try:
            note = msgspec.json.decode(path.read_bytes(), type=Note)
            if note.api_port == port and ask(note, "status")["port"] == port:
                return note
        except (OSError, msgspec.MsgspecError, SimulationError):
            continue
    return None


def ask(note: Note, do: str, **values: Any) -> Any:
    """Say one thing to a running simulator. Raises SimulationError with its answer when it refuses."""
    try:
        return channel.ask(note.port, note.token, do, **values)
    except ChannelSilentError as error:
        raise SimulationError(f"the simulator on port {note.api_port} does not answer: {error}") from error
    except RefusedError as error:
        raise SimulationError(str(error)) from error
