"""Which journal a command reads: the one that was named, or the only one in the state folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tws.desk import Desk
    from tws.journal import Recovered

__all__ = ["JournalOption", "find_journal", "read_books"]

JournalOption = Annotated[
    Path | None,
    typer.Option("--journal", help="The journal's file; unless told, the only one in the state folder."),
]
"""The option `--journal FILE` of every command that reads one."""


def find_journal(given: Path | None) -> Path:
    """The journal to read. Raises ConfigError when none was named and there is none, or more than one."""
    from tws.errors import ConfigError
    from tws.platform import state_folder

    if given is not None:
        return given
    folder = state_folder()
    found = sorted([*folder.glob("journal-*.sqlite3"), *folder.glob("traders/*/journal.sqlite3")])
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError("journal", str(folder), "holds no journal", "Name one with --journal FILE")
    names = ", ".join(path.relative_to(folder).as_posix() for path in found)
    raise ConfigError(
        "journal", str(folder), f"holds several journals ({names})", "Name one with --journal FILE"
    )


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
