"""The memory: an append-only journal on disk. An order's intent is committed before a byte of it leaves.

store    the contract: append, commit, read, close
sqlite   the store of a real trader, one writer thread on SQLite
file     the database file: layout, lock, hash chain, errors
"""

from __future__ import annotations

from tws.journal.file import Head, read_journal
from tws.journal.sqlite import SQLiteStore
from tws.journal.store import Store

__all__ = ["Head", "SQLiteStore", "Store", "read_journal"]
