"""Makes a failing run small: its faults are switched off one by one while it still fails.

What is left is a minimal mix, printed as the lines of a test. A fault that is switched off shifts no other's
lots (each part of a world draws from a stream of its own), though it may shift the moments at which they
strike; so one pass may leave what a second one takes away, and passes go on until one takes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace
from tests.world.mix import Mix

__all__ = ["scenario", "shrink"]


_M = TypeVar("_M", bound=Mix)


def shrink(mix: _M, fails: Callable[[_M], bool]) -> _M:
    """The smallest mix on the way down that still fails. `fails` plays it."""
    taken = True
    while taken:
        taken = False
        for part in reversed(mix.parts()):
            smaller = mix.without(part)
            if fails(smaller):
                mix, taken = smaller, True
    for faulty_s in (10.0, 20.0, 30.0):
        shorter = replace(mix, faulty_s=faulty_s)
        if faulty_s < mix.faulty_s and fails(shorter):
            return shorter
    return mix


def scenario(seed: int | str, mix: Mix) -> str:
    """The call that plays it again."""
    given = [
        f"{name}={value!r}"
        for name in mix.__struct_fields__
        if (value := getattr(mix, name)) != getattr(type(mix)(), name)
    ]
    return f"play({seed!r}, {type(mix).__name__}({', '.join(given)}))"
