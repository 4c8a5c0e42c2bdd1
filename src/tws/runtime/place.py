"""Where a trader's state lies, and how commands find it: one folder for each port and client id.

    safety            latch, lease, epoch, unlocks (`tws.safety`)
    journal.sqlite3   unless the configuration names another
    note.json         what a command needs to speak to the trader, or to act in its place; its owner's alone
    sessions.jsonl    one line for each session that ended: the evidence of `tws unlock`
    drill.json        what the last `tws drill` found
    rules.json        what the rules remember (`tws.runtime.rulefile`)

The note stays when the trader dies: whoever takes over has to know the session and the journal.

A configuration may put its state elsewhere (`[state] folder`). `remember` leaves a word of that in the user's
state folder, so that `tws kill` finds a trader without being told where it lies.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from tws.config import TWSConfig
from tws.errors import ConfigError, DataError
from tws.platform import state_folder, write_private

__all__ = ["Note", "Place", "find_place", "known_places", "places", "remember", "state_root"]


class Note(Struct, frozen=True, kw_only=True):
    """A trader as commands see it. `control` is the port of its channel, 0 when it has none."""

    pid: int
    host: str
    port: int
    client_id: int
    account: str
    trading_mode: str
    journal: str
    config: str = ""
    control: int = 0
    token: str = ""

    def to_config(self) -> TWSConfig:
        """The session that it trades in."""
        return TWSConfig(
            host=self.host,
            port=self.port,
            client_id=self.client_id,
            account_id=self.account,
            trading_mode=self.trading_mode,
        )


class Place(Struct, frozen=True):
    """One trader's folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def safety(self) -> Path:
        return self.folder / "safety"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.sqlite3"

    @property
    def journal_file(self) -> Path:
        """The journal of the last trader here; where it left no note, the place's own."""
        try:
            return Path(self.note().journal)
        except DataError:
            return self.journal

    @property
    def sessions(self) -> Path:
        return self.folder / "sessions.jsonl"

    @property
    def drill(self) -> Path:
        return self.folder / "drill.json"

    @property
    def rules(self) -> Path:
        return self.folder / "rules.json"

    def write_note(self, note: Note) -> None:
        """Readable by its owner alone, since it holds the token."""
        write_private(self.folder / "note.json", json.dumps(msgspec.to_builtins(note), indent=2) + "\n")

    def note(self) -> Note:
        """Raises DataError when there is none that can be read."""
        path = self.folder / "note.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=Note)
        except (OSError, msgspec.MsgspecError) as wrong:
            raise DataError(path, 0, f"no note of a trader: {wrong}") from wrong


def state_root(folder: str | Path | None) -> Path:
    """The folder that holds the places: the one that was given, or the user's state folder."""
    return Path(folder) if folder is not None else state_folder() / "traders"


def places(root: Path) -> list[Place]:
    """Every trader that ever had state there, by name."""
    return [Place(path.parent) for path in sorted(root.glob("*/safety"))]


def remember(place: Place) -> None:
    """Let commands find a trader that lies elsewhere; words of folders that are gone are taken away.

    Raises OSError when the user's state folder can't be written to.
    """
    root = state_root(None)
    folder = place.folder.resolve()
    if folder.parent == root.resolve():
        return
    folder.mkdir(parents=True, exist_ok=True)  # or another start that begins now would call it gone
    for word, told in _elsewhere():
        if not os.access(told.folder, os.F_OK):
            word.unlink(missing_ok=True)
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    write_private(state_folder() / "elsewhere" / f"{name}.path", str(folder))


def known_places(state: str | Path | None) -> list[Place]:
    """The traders of the folder that was named; without one the user's own, and those that lie elsewhere.

    Raises ConfigError when the named folder is none, or nothing was found and something is closed to us.
    """
    root = state_root(state)
    if state is not None and not root.is_dir():
        raise ConfigError("state", str(root), "there is no such folder", "Name the folder of [state]")
    found = places(root)
    if state is None:
        told = (place for _, place in _elsewhere() if os.access(place.safety, os.F_OK))
        found += sorted(told, key=lambda place: place.folder)
    folders = [root, *(each for each in root.glob("*") if each.is_dir())] if root.exists() else []
    closed = [str(each) for each in folders if not os.access(each, os.R_OK | os.X_OK)]
    if closed and not found:  # one that is closed keeps nobody from a stop of the others
        reason = f"can't be looked into: permission denied for {', '.join(closed)}"
        raise ConfigError("state", str(root), reason, "Ask as its owner")
    return found


def _elsewhere() -> Iterator[tuple[Path, Place]]:
    """Each word that `remember` left, and what it says; one that another process takes away is none."""
    for word in (state_folder() / "elsewhere").glob("*.path"):
        with suppress(OSError):
            yield word, Place(Path(word.read_text(encoding="utf-8")))


def find_place(
    state: str | Path | None, name: str | None, runs: Callable[[Place], bool] | None = None
) -> Place:
    """The place of this name (its folder will do), or the only one; among several the one that `runs`, when
    the caller speaks to those alone. Raises ConfigError when it is not clear which.
    """
    known = known_places(state)
    found = [place for place in known if name in (None, place.name, str(place.folder))]
    if len(found) > 1 and runs is not None:
        alive = [place for place in found if runs(place)]
        found = alive if len(alive) == 1 else found
    if len(found) == 1:
        return found[0]
    root = state_root(state)
    if not known:
        cure = "Start one: tws run CONFIG.toml; or name the folder of its [state]: --state FOLDER"
        raise ConfigError("state", str(root), "no trader has state there", cure)
    if not found:
        names = ", ".join(place.name for place in known)
        raise ConfigError("trader", name, f"no trader has state under {root}", f"Known: {names}")
    where = ", ".join(str(place.folder) for place in found)
    cure = "Say which: --trader, by its name or the whole folder"
    raise ConfigError("trader", name, f"several traders have state: {where}", cure)
