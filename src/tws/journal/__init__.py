"""The memory: an append-only journal on disk. An order's intent is committed before a byte of it leaves.

store     the contract: append, commit, read, close
sqlite    the store of a real trader, one writer thread on SQLite
file      the database file open for writing: lock, settings, the next rows
layout    its tables in every layout that there was, and the way from each to the next
chain     the hash chain: heads, and reading with proof
headfile  the newest head in a second file
verify    is it whole
snapshot  the desk's state at one row, in a file beside it
recovery  a desk brought to what the journal remembers
parquet   all of it as tables, for analysis
faults    what goes wrong, in words
"""

from __future__ import annotations

from tws.journal.chain import Head, read_journal
from tws.journal.recovery import Recovered, keep_at_end, recover, recover_file
from tws.journal.sqlite import SQLiteStore
from tws.journal.store import Store
from tws.journal.verify import Proof, verify_journal

__all__ = [
    "Head",
    "Proof",
    "Recovered",
    "SQLiteStore",
    "Store",
    "keep_at_end",
    "read_journal",
    "recover",
    "recover_file",
    "verify_journal",
]
