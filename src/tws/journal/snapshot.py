"""The desk's state at one row of the journal, in a file beside it (`<name>-snapshot`), for a quick start.

A snapshot is a convenience and never a memory: whatever is odd about it, it is left aside and the
journal is replayed from its first row, which gives the same state. It is believed when all of this holds:

* its own checksum is right (a torn or scribbled file);
* it was written by the very code that reads it (a hash over the sources that make state out of records):
  another version may put more, or other things, into the state;
* the journal's row that it names bears the link that it names (another journal, a chain computed anew, a
  journal put back from an older copy).

Written under another name and then renamed, so that a crash leaves the old one or the new one.

    tws snapshot 1 <row>:<link> <code> <SHA-256 of the rest>\\n     then the state as MessagePack
"""

from __future__ import annotations

import os
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import msgspec

from tws.desk import DeskState
from tws.journal.chain import Head

__all__ = ["Snapshot", "read_snapshot", "snapshot_path", "write_snapshot"]

_MARK = b"tws snapshot 1"
_CODE = ("tws.model", "tws.orders", "tws.positions", "tws.risk", "tws.desk")
"""The packages whose code makes a state out of records."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(DeskState)


class Snapshot(NamedTuple):
    """The state that the journal makes up to and with the row of `head`."""

    head: Head
    state: DeskState


def snapshot_path(journal: Path) -> Path:
    """Where the snapshot of a journal lies."""
    return journal.with_name(f"{journal.name}-snapshot")


def write_snapshot(path: Path, head: Head, state: DeskState) -> None:
    """Put it on the disk in place of the one before. Raises OSError; the old one is then still there."""
    body = _encoder.encode(state)
    first = b"%s %s %s %s\n" % (_MARK, str(head).encode(), code_mark().encode(), _digest(body))
    unfinished = path.with_name(f"{path.name}.tmp")
    with unfinished.open("wb") as file:
        file.write(first)
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read_snapshot(path: Path) -> Snapshot | str | None:
    """The snapshot in a file, None when there is none, or in words why it is left aside."""
    try:
        first, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"it can't be read ({error.strerror})"
    words = first[len(_MARK) :].split()
    if not first.startswith(_MARK + b" ") or len(words) != 3:
        return "it is no snapshot of ours"
    head, code, digest = words
    if digest != _digest(body):
        return "it is not what was written"
    if code.decode() != code_mark():
        return "it was written by another version of this program"
    try:
        return Snapshot(Head.parse(head.decode()), _joined(_decoder.decode(body)))
    except (ValueError, KeyError, msgspec.MsgspecError) as error:
        return f"it can't be understood ({error})"


def _joined(state: DeskState) -> DeskState:
    """What two ways led to was written twice; make it one again."""
    for book in (state.ours, state.account_book):
        for holding in book.holdings.values():
            holding.rejoin()
    return state


def _digest(body: bytes) -> bytes:
    return sha256(body).hexdigest().encode()


@cache
def code_mark() -> str:
    """A hash over the sources of the code that makes states; `none` where only compiled code is installed,
    and then differs from every mark, since nobody could say what wrote a snapshot."""
    total = sha256()
    seen = 0
    for package in _CODE:
        for source in sorted(files(package).iterdir(), key=lambda each: each.name):
            if source.name.endswith(".py"):
                seen += 1
                total.update(source.name.encode())
                total.update(source.read_bytes())
    return total.hexdigest()[:32] if seen else f"none-{os.getpid()}"
