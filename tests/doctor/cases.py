"""Each cause of the doctor, played on real sockets: by a simulated TWS that misbehaves, or a rude listener.

A case is a coroutine function that answers the report; `@case(key)` says what the report has to name, `also`
which other causes the same trouble brings along. Those of the machine, the dial and the session stand in
modules of their own, which enter them when they are imported.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from tws.monitor.doctor import Report

__all__ = ["CASES", "Case", "Play", "case"]

Play = Callable[[Path], Awaitable[Report]]
"""Plays it in a folder of its own."""


class Case(NamedTuple):
    """One way to meet a cause."""

    key: str
    play: Play
    also: frozenset[str]


CASES: list[Case] = []


def case(key: str, *, also: tuple[str, ...] = ()) -> Callable[[Play], Play]:
    """Enter a way to meet the cause `key`."""

    def enter(play: Play) -> Play:
        CASES.append(Case(key, play, frozenset(also)))
        return play

    return enter
