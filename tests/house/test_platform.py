"""The platform module does what it says, on the system where the tests run."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from tws.platform import install_stop_signals

POSIX = sys.platform != "win32"


async def test_a_stop_signal_reaches_the_callback_and_can_be_undone() -> None:
    stopped = asyncio.Event()
    before = signal.getsignal(signal.SIGINT)
    undo = install_stop_signals(asyncio.get_running_loop(), stopped.set)
    try:
        signal.raise_signal(signal.SIGINT)
        await stopped.wait()
    finally:
        undo()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(not POSIX, reason="Windows gives neither")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
async def test_a_request_to_end_is_a_stop_signal_too(name: str) -> None:
    number, before = signal.Signals[name], signal.getsignal(signal.Signals[name])
    stopped = asyncio.Event()
    undo = install_stop_signals(asyncio.get_running_loop(), stopped.set)
    try:
        os.kill(os.getpid(), number)
        await stopped.wait()
    finally:
        undo()
    assert signal.getsignal(number) is before
