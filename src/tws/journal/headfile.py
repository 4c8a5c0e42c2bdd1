"""The head of the chain in a second file, `<name>-head`, so that a tail cut off the journal shows.

Two lines of fixed length, written in turn, each with its own checksum: whatever moment a process dies in, one
of them is whole, and the newer whole one counts. The write comes after the commit that it names, so the
file is never ahead of the journal; it is in the hands of the operating system at once and on the disk when
the journal is opened and closed. A power cut may thus leave an older head, which proves less and accuses
nobody.

    <row>:<64 hexadecimal digits of the link> <8 digits of CRC-32>     (blanks to 127, then a line feed)
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import BinaryIO

from tws.journal.chain import Head
from tws.journal.faults import unwritable

__all__ = ["HeadFile", "head_path", "read_head"]

_LINE = 128  # two of them fit in one sector, and every number of a row fits in one


def head_path(journal: Path) -> Path:
    """Where the head of a journal is kept."""
    return journal.with_name(f"{journal.name}-head")


def read_head(path: Path) -> Head | None:
    """The newest whole head in a file; None when there is no file, or no whole line in it."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    lines = (data[start : start + _LINE] for start in (0, _LINE))
    found = [head for line in lines if (head := _read_line(line)) is not None]
    return max(found, key=lambda head: head.seq, default=None)


class HeadFile:
    """The file open for writing. Raises JournalError (unwritable) when it can't be made."""

    def __init__(self, path: Path, head: Head) -> None:
        self.path = path
        self._file = _open(path)
        self._turn = 0
        for _ in range(2):  # both lines: whatever stood there was checked before, and may be of another form
            self.write(head)
        self._file.truncate(2 * _LINE)
        self.sync()

    def write(self, head: Head) -> None:
        """Keep this head. Raises OSError."""
        self._file.seek(self._turn * _LINE)
        self._file.write(_write_line(head))
        self._turn = 1 - self._turn

    def sync(self) -> None:
        """Onto the disk. Raises OSError."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Onto the disk, as far as it takes it, and shut."""
        try:
            self.sync()
        except OSError:
            pass  # the journal is closed in order; its head file proves a little less
        finally:
            self._file.close()


def _open(path: Path) -> BinaryIO:
    try:
        path.touch()
        return path.open("r+b", buffering=0)
    except OSError as error:
        raise unwritable(path, f"the file for the head can't be written ({error.strerror})") from error


def _write_line(head: Head) -> bytes:
    text = str(head).encode()
    return b"%s %08x" % (text, zlib.crc32(text)) + b" " * (_LINE - len(text) - 10) + b"\n"


def _read_line(line: bytes) -> Head | None:
    text, _, checksum = line.rstrip().partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    try:
        return Head.parse(text.decode("ascii"))
    except ValueError:
        return None
