"""A strategy's state on the disk: what it wants to know after a restart, and which fills it was told of.

One JSON file for each strategy in the trader's folder, written beside its place and renamed, so that there is
always a whole one. What can't be read, or is of another version, is put aside by name: a strategy that begins
anew without knowing it is worse than one that says why it does not begin.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tws.errors import DataError
from tws.platform import sync_folder

__all__ = ["MOST_BYTES", "StrategyState", "read_state", "state_file", "write_state"]

MOST_BYTES = 1_000_000
"""A state is written every minute, by every strategy; what is larger is data and wants a file of its own."""


class StrategyState(Struct, frozen=True, kw_only=True):
    """`value` is what the strategy's `save` gave; `told` the fills it had been told of by then."""

    version: int
    strategy: str
    saved_ns: int
    told: list[str]
    value: Any = None


def state_file(folder: Path, strategy: str) -> Path:
    """Where the state of a strategy lies, below the trader's folder."""
    return folder / "strategies" / (re.sub(r"[^A-Za-z0-9_-]+", "_", strategy) + ".json")


def write_state(path: Path, state: StrategyState) -> None:
    """Put it in place of the one before. Raises ValueError for what JSON can't hold or is too large, OSError;
    then the one before is still there.
    """
    try:
        raw = msgspec.json.encode(state)
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as wrong:
        raise ValueError(f"save() gave what JSON can't hold: {wrong}") from wrong
    if len(raw) > MOST_BYTES:
        raise ValueError(f"save() gave {len(raw):,} bytes, {MOST_BYTES:,} is the most: keep data in a file")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    with unfinished.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def read_state(path: Path, version: int) -> StrategyState | None:
    """The state in a file, None when there is none. Raises DataError for what is no state, or is of another
    version.
    """
    try:
        state = msgspec.json.decode(path.read_bytes(), type=StrategyState)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise DataError(path, 0, f"no state of a strategy ({wrong}); remove it to begin anew") from wrong
    if state.version != version:
        reason = f"a state of version {state.version}, the strategy's is {version}; remove it to begin anew"
        raise DataError(path, 0, reason)
    return state
