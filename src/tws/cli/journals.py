"""Which journal a command means: the one that was named, a trader's, or the only one in the state folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from tws.desk import Desk
    from tws.journal import Recovered
    from tws.runtime.place import Place

__all__ = ["JournalOption", "Target", "find_journal", "find_target", "read_books"]

JournalOption = Annotated[
    Path | None,
    typer.Option(
        "--journal", metavar="FILE", help="The journal's file; unless told, the trader's, or the only one."
    ),
]
"""The option `--journal FILE` of every command that reads or writes one."""


class Target(NamedTuple):
    """What a command writes to: a journal, and the place of the trader whose it is (None: nobody's)."""

    place: Place | None
    journal: Path


def find_journal(given: Path | None, trader: str | None = None, state: Path | None = None) -> Path:
    """The journal to read. Raises ConfigError when none was named and there is none, or more than one."""
    from tws.errors import ConfigError
    from tws.platform import state_folder
    from tws.runtime.place import find_place, known_places

    if given is not None:
        return given
    if trader is not None or state is not None:
        return find_place(state, trader).journal_file
    folder = state_folder()
    of_traders = [path for place in known_places(None) if (path := place.journal_file).exists()]
    found = [*sorted(folder.glob("journal-*.sqlite3")), *of_traders]
    if len(found) == 1:
        return found[0]
    if not found:
        cure = "Name one with --journal FILE, or a trader's folder with --state"
        raise ConfigError("journal", str(folder), "holds no journal", cure)
    names = ", ".join(str(path) for path in found)
    raise ConfigError(
        "journal", None, f"there are several ({names})", "Name one with --journal FILE, or --state FOLDER"
    )


def find_target(given: Path | None, trader: str | None, state: Path | None) -> Target:
    """Whose journal it is. Raises ConfigError when that is not clear, or there is no such file."""
    from tws.errors import ConfigError
    from tws.runtime.place import find_place, known_places

    if given is None:
        place = find_place(state, trader)
        return Target(place, place.journal_file)
    if not given.exists():
        raise ConfigError("journal", str(given), "there is none", "Name the file of a journal")
    file = given.resolve()
    owner = next((each for each in known_places(state) if each.journal_file.resolve() == file), None)
    if trader is not None and (owner is None or owner.name != trader):
        belongs = "no trader of this folder" if owner is None else f"trader {owner.name}"
        reason = f"belongs to {belongs}, not to {trader}"
        raise ConfigError("journal", str(given), reason, "Leave one of them out")
    return Target(owner, given)


def read_books(path: Path) -> tuple[Desk, Recovered]:
    """A desk as the journal makes it, to look at: no link, no limits of anybody, nothing is written."""
    import logging
    import sys

    from tws.desk import Desk
    from tws.journal import recover_file
    from tws.log import log_to
    from tws.risk import Gate, Limits

    log_to(sys.stderr, logging.WARNING)
    desk = Desk(Gate(Limits()))
    return desk, recover_file(desk, path)
