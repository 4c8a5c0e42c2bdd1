"""Two images of a file, and where they differ."""

from __future__ import annotations

BLOCK = 4096


def differences(before: bytes, after: bytes) -> list[int]:
    """The places of the bytes that differ."""
    found = []
    for at in range(0, len(after), BLOCK):
        old, new = before[at : at + BLOCK], after[at : at + BLOCK]
        if old != new:
            found += [at + each for each in range(len(new)) if old[each] != new[each]]
    return found
