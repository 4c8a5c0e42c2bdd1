"""What a journal's store is: four methods, so that a model can stand in for the disk.

`SQLiteStore` is the store of a real trader; `tws.world` has a model of one that loses and tears
what was not yet durable. Both keep the contract below, and the runtime knows nothing else of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from typing import Protocol

__all__ = ["Store"]


class Store(Protocol):
    """An append-only sequence of byte records that survives the death of its process.

    After a crash the store holds a prefix of what was appended, in its order: all that a commit
    acknowledged, perhaps more, and of each single `append` either every record or none.
    """

    def append(self, records: Sequence[bytes]) -> None:
        """Take records in memory, as one indivisible group. Does not wait; nothing is durable yet.

        Raises JournalError: backlog (too much appended and not committed), closed, or the failure
        that stopped an earlier commit.
        """
        ...

    def commit(self) -> Awaitable[None]:
        """Durable when it completes: everything appended before this call, by whomever.

        The write begins with the call, not with the awaiting of it. Raises JournalError (full, disk,
        closed), and then so does every later call: what is on disk is unknown until it is opened again.
        """
        ...

    def read(self) -> Iterator[bytes]:
        """Every durable record in order. Raises JournalError (corrupt) at the first row that is not
        what was written, with its sequence."""
        ...

    def close(self) -> None:
        """Commit what was appended, wait for it, release the lock. Safe twice.

        Raises JournalError when what was appended could not be made durable.
        """
        ...
