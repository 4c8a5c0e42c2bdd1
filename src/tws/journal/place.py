"""Where state lives: the platform's folder for a user's data, and a word of doubt about bad places.

A journal wants a local disk: SQLite's write-ahead log does not work over a network, and a folder
that a cloud service mirrors may be locked, rolled back or duplicated under the trader's feet.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath

__all__ = ["doubtful_place", "state_folder"]

_MIRRORS = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "box sync": "Box",
    "nextcloud": "Nextcloud",
    "icloud drive": "iCloud",
    "iclouddrive": "iCloud",
    "mobile documents": "iCloud",
}


def state_folder(
    platform: str = sys.platform, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> Path:
    r"""The folder for state, named but not created.

    Windows: `%LOCALAPPDATA%\tws`; macOS: `~/Library/Application Support/tws`; elsewhere
    `$XDG_STATE_HOME/tws`, or `~/.local/state/tws` (XDG Base Directory Specification 0.8, which also
    says that a relative `XDG_STATE_HOME` counts as unset).
    """
    environ = os.environ if environ is None else environ
    home = Path.home() if home is None else home
    if platform == "win32":
        local = environ.get("LOCALAPPDATA", "")
        return (Path(local) if local else home / "AppData" / "Local") / "tws"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "tws"
    stated = Path(environ.get("XDG_STATE_HOME", ""))
    return (stated if stated.is_absolute() else home / ".local" / "state") / "tws"


def doubtful_place(folder: PurePath) -> str | None:
    """Why this folder is a bad home for a journal, judged by its name alone; None if nothing shows."""
    if str(folder).startswith(("\\\\", "//")):
        return "a network share: SQLite's write-ahead log needs a local disk"
    for part in folder.parts:
        name = part.casefold()
        for mark, service in _MIRRORS.items():
            if name == mark or name.startswith((f"{mark} -", f"{mark}-")):
                return f"mirrored by {service}, which may lock or roll back the file"
    return None
