"""Emergency records: fixed places in a preallocated file, for exits that leave while no journal can commit.

Each place holds one record with its number, its checksum, and a mark when it ends a group. A number's place
is the number modulo `PLACES`. Numbers only rise; what is at or below the `merged` of the safety state is in
the journal already. A group counts when all of it is whole and nothing before it is missing: what was
acknowledged is so, what a crash cut short is not. It knows no file, only bytes that can be read and written.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple, Protocol
from zlib import crc32

__all__ = ["MAX_RECORD", "PLACES", "PLACE_SIZE", "Emergency", "Reading"]

PLACE_SIZE = 2048
"""A record of the journal has 200 to 900 bytes."""
PLACES = 1024
"""50 positions with two exits each are flattened with about 600 records."""

_HEAD = struct.Struct(">IQHB")
MAX_RECORD = PLACE_SIZE - _HEAD.size


class Memory(Protocol):
    """What can be read and written by slices: a mapped file, or a bytearray in a test."""

    def __getitem__(self, part: slice, /) -> bytes | bytearray: ...
    def __setitem__(self, part: slice, value: bytes, /) -> None: ...


class Reading(NamedTuple):
    """The records that count, in order, and the highest number that any place bears."""

    records: list[bytes]
    highest: int


class Emergency:
    """The places in `memory` from byte `start` on. Who appends must hold the lease; nobody else may."""

    def __init__(self, memory: Memory, start: int) -> None:
        self._memory = memory
        self._start = start

    def read(self, merged: int) -> Reading:
        """What was appended after number `merged`."""
        found = {number: (record, ends) for number, record, ends in self._whole() if number > merged}
        records: list[bytes] = []
        group: list[bytes] = []
        number = merged + 1
        while number in found:
            record, ends = found[number]
            group.append(record)
            if ends:
                records += group
                group = []
            number += 1
        return Reading(records, max(found, default=merged))

    def write(self, records: Sequence[bytes], merged: int, after: int) -> tuple[int, int]:
        """Put a group behind number `after`; answers the first and last byte that changed.

        Raises ValueError when a record is too long, or places that are not merged would be written over.
        """
        if after + len(records) - merged > PLACES:
            raise ValueError(f"{after - merged} of {PLACES} emergency records wait to be merged already")
        for record in records:
            if len(record) > MAX_RECORD:
                raise ValueError(f"a record of {len(record)} bytes; a place holds {MAX_RECORD}")
        touched = []
        for number, record in enumerate(records, after + 1):
            at = self._start + number % PLACES * PLACE_SIZE
            body = struct.pack(">QHB", number, len(record), number == after + len(records)) + record
            self._memory[at : at + 4 + len(body)] = struct.pack(">I", crc32(body)) + body
            touched.append(at)
        return min(touched), max(touched) + PLACE_SIZE

    def _whole(self) -> list[tuple[int, bytes, bool]]:
        found = []
        for place in range(PLACES):
            at = self._start + place * PLACE_SIZE
            checksum, number, length, ends = _HEAD.unpack(self._memory[at : at + _HEAD.size])
            if number % PLACES != place or not number or length > MAX_RECORD:
                continue
            body = bytes(self._memory[at + 4 : at + _HEAD.size + length])
            if crc32(body) == checksum:
                found.append((number, body[_HEAD.size - 4 :], bool(ends)))
        return found
