"""Where a trader's state lies, and how commands find it: one folder for each port and client id.

    safety            latch, lease, epoch, unlocks (`tws.safety`)
    journal.sqlite3   unless the configuration names another
    note.json         what a command needs to speak to the trader, or to act in its place; its owner's alone
    sessions.jsonl    one line for each session that ended: the evidence of `tws unlock`
    drill.json        what the last `tws drill` found
    rules.json        what the rules remember (`tws.runtime.rulefile`)

The note stays when the trader dies: whoever takes over has to know the session and the journal.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from msgspec import Struct

from tws.config import TWSConfig
from tws.errors import ConfigError, DataError
from tws.platform import state_folder, write_private

__all__ = ["Note", "Place", "find_place", "places", "state_root"]


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


def find_place(root: Path, name: str | None) -> Place:
    """The place of this name, or the only one. Raises ConfigError when it is not clear which."""
    found = [place for place in places(root) if name in (None, place.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(place.name for place in places(root)) or "none"
    if name is not None:
        raise ConfigError("trader", name, f"no trader has state under {root}", f"Known: {known}")
    if not found:
        raise ConfigError("state", str(root), "no trader has state there", "Start one: tws run CONFIG.toml")
    reason = f"several traders have state under {root}: {known}"
    raise ConfigError("trader", None, reason, "Say which: --trader")
