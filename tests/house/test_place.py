"""Where state lives, for the three platforms, judged from anywhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from tws.platform import doubtful_place, state_folder

HOME = Path("/home/ann").absolute()
ELSEWHERE = Path("/srv/state").absolute()


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("win32", {"LOCALAPPDATA": str(ELSEWHERE)}, ELSEWHERE / "tws"),
        ("win32", {}, HOME / "AppData" / "Local" / "tws"),
        ("darwin", {"XDG_STATE_HOME": str(ELSEWHERE)}, HOME / "Library" / "Application Support" / "tws"),
        ("linux", {"XDG_STATE_HOME": str(ELSEWHERE)}, ELSEWHERE / "tws"),
        ("linux", {}, HOME / ".local" / "state" / "tws"),
        ("linux", {"XDG_STATE_HOME": ""}, HOME / ".local" / "state" / "tws"),
        ("linux", {"XDG_STATE_HOME": "relative/state"}, HOME / ".local" / "state" / "tws"),
        ("freebsd14", {}, HOME / ".local" / "state" / "tws"),
    ],
)
def test_state_folder(platform: str, environ: dict[str, str], folder: Path) -> None:
    assert state_folder(platform, environ, HOME) == folder


@pytest.mark.parametrize(
    ("folder", "word"),
    [
        (PureWindowsPath(r"C:\Users\ann\OneDrive\tws"), "OneDrive"),
        (PureWindowsPath(r"C:\Users\ann\OneDrive - Contoso\tws"), "OneDrive"),
        (PurePosixPath("/Users/ann/Dropbox/tws"), "Dropbox"),
        (PurePosixPath("/Users/ann/Library/Mobile Documents/tws"), "iCloud"),
        (PureWindowsPath(r"\\server\share\tws"), "network"),
    ],
)
def test_a_doubtful_place_is_named(folder: PurePosixPath | PureWindowsPath, word: str) -> None:
    assert word in (doubtful_place(folder) or "")


@pytest.mark.parametrize(
    "folder", [PurePosixPath("/home/ann/.local/state/tws"), PureWindowsPath(r"C:\tws\dropboxes")]
)
def test_an_ordinary_place_raises_no_doubt(folder: PurePosixPath | PureWindowsPath) -> None:
    assert doubtful_place(folder) is None
