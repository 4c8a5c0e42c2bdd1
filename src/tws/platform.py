"""The one place that knows on which operating system we run.

Names that only POSIX has, and their twins on Windows, live here and nowhere else (a test holds that), so
that the rest reads the same everywhere. Each function says what it cannot promise on which system.
Windows and macOS are type-checked; what has been run is said in the README.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

__all__ = [
    "doubtful_place",
    "install_stop_signals",
    "lock_handle",
    "reset_on_close",
    "shell_word",
    "state_folder",
    "sync_folder",
    "sync_handle",
    "unlock_handle",
    "write_private",
]


def install_stop_signals(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> Callable[[], None]:
    """Call `callback` in the loop for each Ctrl-C and each orderly request to end; answers the undoing.

    POSIX: SIGINT, SIGTERM, and SIGHUP of a terminal that closes. Windows: Ctrl-C, Ctrl-Break, and the
    console's close, log-off and shutdown events, which leave `CONSOLE_CLOSE_S` until Windows ends the
    process; the undoing says that all is done. Must be called from the main thread.
    """
    watched: tuple[signal.Signals, ...]
    if sys.platform == "win32":
        watched = (signal.SIGINT, signal.SIGBREAK)
    else:
        watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup: it is to outlive its terminal
            watched = watched[:2]
    before = {number: signal.getsignal(number) for number in watched}
    free_console = _watch_console(lambda: loop.call_soon_threadsafe(callback))
    if sys.platform == "win32":
        # The Windows loops have no add_signal_handler; a plain handler has to hand over to the loop.
        for number in watched:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(callback))
    else:
        for number in watched:
            loop.add_signal_handler(number, callback)

    def undo() -> None:
        for number, handler in before.items():
            if sys.platform != "win32":
                loop.remove_signal_handler(number)
            # None: a handler that C code installed; it cannot be set from here, so the default stays.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        free_console()

    return undo


CONSOLE_CLOSE_S = 4.5
"""Windows ends a process 5 s after its console was closed, whatever it does (assumed: SetConsoleCtrlHandler).
"""


def _watch_console(callback: Callable[[], object]) -> Callable[[], None]:
    """Windows: call `callback` when the console closes, its user logs off or the machine shuts down.

    The handler runs on a thread of Windows' own, and the process ends when it returns: so it waits for the
    call that is answered here. Elsewhere nothing is done.
    """
    if sys.platform != "win32":
        return lambda: None
    import ctypes
    import threading

    done = threading.Event()

    def handler(event: int) -> bool:
        if event not in (2, 5, 6):  # CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT
            return False
        callback()
        done.wait(CONSOLE_CLOSE_S)
        return True

    kept = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(handler)
    ctypes.windll.kernel32.SetConsoleCtrlHandler(kept, True)

    def free() -> None:
        done.set()
        ctypes.windll.kernel32.SetConsoleCtrlHandler(kept, False)

    return free


def reset_on_close(sock: Any) -> None:
    """Let the next close of this socket be a reset (RST), as when a process dies. What is no socket of the
    internet is left alone.
    """
    if getattr(sock, "family", None) in (socket.AF_INET, socket.AF_INET6):
        fields = "hh" if sys.platform == "win32" else "ii"
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(fields, 1, 0))


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, in a folder made so.

    On Windows the file has the rights of its folder; the folder for state lies in the user's profile, which
    other users can't read unless an administrator allowed it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def lock_handle(handle: int) -> bool:
    """Take the lock on an open file without waiting; False when another handle has it.

    It goes with the handle: who dies lets go. On a network share it may mean nothing.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def unlock_handle(handle: int) -> None:
    """Let go of the lock of `lock_handle`."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_UN)


def sync_handle(handle: int) -> None:
    """Wait until what was written through `handle` is on the medium; on macOS past the drive's own cache."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
    else:
        os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the medium. Windows keeps them by itself (NTFS: its log)."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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


def shell_word(text: str, platform: str = sys.platform) -> str:
    """`text` as one word of a command that is printed to be typed: for POSIX shells, cmd and PowerShell."""
    if platform == "win32":
        return f'"{text}"' if set(text) & set(" &()^;,'") else text
    return shlex.quote(text)


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
