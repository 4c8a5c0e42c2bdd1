"""What all records of the journal share: an instant, and their kind in the field `is`."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["JournalRecord"]


class JournalRecord(Struct, frozen=True, kw_only=True, tag_field="is", tag=str.lower, omit_defaults=True):
    """`at_ns` is market time, nanoseconds UTC. Fields that hold their default are not written."""

    at_ns: int
