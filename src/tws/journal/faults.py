"""What goes wrong with a journal, in words: every failure of SQLite or of the disk becomes a JournalError.

Each says what is wrong, where (the file, and the row where one is known) and what to do.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tws.errors import JournalError

__all__ = ["BROKEN_LINK", "corrupt", "family", "foreign", "in_words", "unwritable"]

BROKEN_LINK = "its hash does not follow from the row before"


def family(error: sqlite3.Error) -> int:
    """SQLite's primary result code: the low byte of what it gave."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def in_words(path: Path, error: sqlite3.Error, after: int | None = None) -> JournalError:
    """The error that SQLite gave; `after` is the last row that was read well, where rows were read."""
    code = family(error)
    if code == sqlite3.SQLITE_FULL:
        cause = "the disk, or the bound on the file, is full"
        return JournalError(path, "full", cause, "Free space, then start again")
    if code == sqlite3.SQLITE_CORRUPT:
        return corrupt(path, None if after is None else after + 1, str(error))
    if code == sqlite3.SQLITE_ERROR and "no such" in str(error):
        return corrupt(path, None, str(error))  # a table or a column was taken out
    if code == sqlite3.SQLITE_NOTADB:
        return foreign(path, "it is not a database")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return JournalError(path, "locked", "another program holds it", "Close the program that has it open")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return unwritable(path, str(error))
    return JournalError(path, "disk", f"the disk failed ({error})", "Check the disk, then start again")


def unwritable(path: Path, cause: str) -> JournalError:
    """Folder or file can't be made, opened or written."""
    return JournalError(path, "unwritable", cause, "Choose a folder on a local disk that you may write to")


def foreign(path: Path, cause: str) -> JournalError:
    """Not a journal, or one that this program can't read."""
    return JournalError(path, "foreign", cause, "Name another file; this one is left as it is")


def corrupt(path: Path, seq: int | None, cause: str = BROKEN_LINK, cure: str = "") -> JournalError:
    """A row, or where nobody can say which, the file, is not what was written."""
    where = "it" if seq is None else f"row {seq}"
    cure = cure or "Keep the file as evidence, restore the last good copy, reconcile with the broker"
    return JournalError(path, "corrupt", f"{where} is not what was written: {cause}", cure, seq)
