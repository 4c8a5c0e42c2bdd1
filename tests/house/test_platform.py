"""The platform module does what it says, on the system where the tests run."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tws.platform import install_stop_signals, kill_process, make_private

POSIX = sys.platform != "win32"


async def test_a_stop_signal_reaches_the_callback_and_can_be_undone() -> None:
    stopped = asyncio.Event()
    before = signal.getsignal(signal.SIGINT)
    undo = install_stop_signals(asyncio.get_running_loop(), stopped.set)
    try:
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(stopped.wait(), 5)
    finally:
        undo()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(not POSIX, reason="Windows gives no SIGTERM")
async def test_a_request_to_end_is_a_stop_signal_too() -> None:
    stopped = asyncio.Event()
    undo = install_stop_signals(asyncio.get_running_loop(), stopped.set)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stopped.wait(), 5)
    finally:
        undo()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_process_is_killed_only_when_it_is_the_one_that_was_meant() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        started = psutil.Process(child.pid).create_time()
        assert kill_process(child.pid, started - 3600), "another one had this number an hour ago, and is gone"
        assert child.poll() is None, "and its successor was spared"
        assert kill_process(child.pid, started)
        assert not psutil.pid_exists(child.pid)
        assert kill_process(child.pid, started), "a process that has gone is gone"
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(not POSIX, reason="on Windows the profile folder is private already")
def test_private_means_the_user_alone(tmp_path: Path) -> None:
    file, folder = tmp_path / "token", tmp_path / "state"
    file.write_text("x", encoding="utf-8")
    folder.mkdir()
    make_private(file)
    make_private(folder)
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
