"""One slot of the safety file as bytes: a head with its checksum, and the state as JSON.

A slot is whole when its mark, its length and its checksum agree; anything else, a torn write first of all, is
no slot. Of two whole slots the one with the greater number is the newer. Pure: bytes in, values out.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import NamedTuple

import msgspec

from tws.safety.state import SafetyState

__all__ = ["HEAD_SIZE", "SLOT_SIZE", "Slot", "decode_slot", "encode_slot"]

SLOT_SIZE = 128 * 1024
"""Bytes of a slot: as many latches and unlocks as are taken fit in it, with the longest texts of 4-byte
signs.
"""

_MARK = b"TWSslot1"
_HEAD = struct.Struct(">8sQI32s")
HEAD_SIZE = _HEAD.size

_decoder = msgspec.json.Decoder(SafetyState)


class Slot(NamedTuple):
    """A whole slot."""

    number: int
    state: SafetyState


def encode_slot(number: int, state: SafetyState) -> bytes:
    """The bytes of a slot. Raises ValueError for a state that does not fit."""
    body = msgspec.json.encode(state)
    if len(body) > SLOT_SIZE - HEAD_SIZE:
        raise ValueError(f"the state has {len(body)} bytes, a slot holds {SLOT_SIZE - HEAD_SIZE}")
    return _HEAD.pack(_MARK, number, len(body), _sum(number, body)) + body


def decode_slot(data: bytes) -> Slot | None:
    """The slot in `data`, None when it is not whole."""
    if len(data) < HEAD_SIZE:
        return None
    mark, number, length, checksum = _HEAD.unpack_from(data)
    body = data[HEAD_SIZE : HEAD_SIZE + length]
    if mark != _MARK or len(body) != length or _sum(number, body) != checksum:
        return None
    try:
        return Slot(number, _decoder.decode(body))
    except msgspec.MsgspecError:
        return None  # a later version's, which this one must not guess at


def _sum(number: int, body: bytes) -> bytes:
    return sha256(b"%d %d " % (number, len(body)) + body).digest()
