"""The stages of a connect, and for each way to fail the cause with its cure.

    dial        the socket opens
    handshake   versions are agreed
    start       startApi was sent; TWS names accounts and the next order id
    ready

Each stage ends within the time that is left of `connection_timeout`. Sources: TWS-BEHAVIOUR.md A3 to A5, H.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Hashable
from enum import StrEnum

from tws.errors import ConnectError

__all__ = [
    "Handshakes",
    "Stage",
    "cannot_dial",
    "closed_in",
    "elsewhere",
    "in_use",
    "not_a_tws",
    "silent_in",
    "switched_off",
    "under_way",
]


class Stage(StrEnum):
    DIAL = "dial"
    HANDSHAKE = "handshake"
    START = "start"
    READY = "ready"


_API_SETTINGS = "Global Configuration, API, Settings"
_PORTS = "TWS listens on 7497 (paper) or 7496 (live), IB Gateway on 4002 or 4001"


def cannot_dial(error: OSError, where: str) -> ConnectError:
    """The operating system opened no socket (what the official client calls 502)."""
    if isinstance(error, ConnectionRefusedError):
        return ConnectError(
            "dial",
            f"refused: nothing listens on {where}",
            f'Start TWS or IB Gateway and log in; in TWS tick "Enable ActiveX and Socket Clients" '
            f"({_API_SETTINGS}) and compare the port: {_PORTS}. At most 32 clients may be connected",
            502,
        )
    if isinstance(error, socket.gaierror):
        return ConnectError(
            "dial", f"the host name of {where} is unknown", "Write an address, such as 127.0.0.1", 502
        )
    unreachable = (errno.EHOSTUNREACH, errno.ENETUNREACH, getattr(errno, "EHOSTDOWN", -1))
    if isinstance(error, ConnectionResetError):
        return closed_in(Stage.DIAL, where)
    what = (
        "can't be reached" if error.errno in unreachable else f"can't be dialled ({error.strerror or error})"
    )
    return ConnectError(
        "dial", f"{where} {what}", "Check the address and the network between the two machines", 502
    )


def silent_in(stage: Stage, where: str, seconds: float) -> ConnectError:
    """A stage used up the time."""
    if stage is Stage.DIAL:
        return ConnectError(
            "dial",
            f"{where} did not answer within {seconds:g} s",
            "A firewall may swallow the packets, or the machine is off; loopback needs no rule",
        )
    if stage is Stage.HANDSHAKE:
        return ConnectError(
            "handshake",
            f"{where} accepted the connection and said nothing for {seconds:g} s",
            'TWS may be asking "Accept incoming connection?": look for the dialog, answer it, or add '
            f"this machine to the trusted addresses ({_API_SETTINGS}); a TWS that hangs wants a restart",
        )
    return ConnectError(
        "start",
        f"{where} agreed on a version, but did not name accounts and next order id within {seconds:g} s",
        "Look for an open dialog or an unfinished login in TWS; else restart it",
    )


def closed_in(stage: Stage, where: str) -> ConnectError:
    """The peer closed before the session was ready."""
    if stage is Stage.START:
        return ConnectError(
            "start",
            f"{where} closed after startApi: most likely the client id is in use (326)",
            "Take another client_id, or end the program that has this one; TWS may need minutes "
            "to notice that a dead program is gone",
            326,
        )
    return ConnectError(
        stage.value,
        f"{where} accepted the connection and closed it at once",
        f"TWS does not trust this address: add it to the trusted addresses ({_API_SETTINGS}), and untick "
        '"Allow connections from localhost only" when you connect from another machine',
    )


def in_use(client_id: int, text: str) -> ConnectError:
    """Error 326."""
    return ConnectError(
        "start",
        f"client id {client_id} is in use ({text})",
        "Take another client_id, or end the program that has this one; TWS may need minutes to "
        "notice that a dead program is gone",
        326,
    )


def not_a_tws(reason: str, where: str) -> ConnectError:
    """What answered is no TWS, or speaks no version that we speak."""
    if "version" in reason:
        return ConnectError(
            "handshake", f"{where}: {reason}", "Update TWS or IB Gateway to a version of this decade", 503
        )
    return ConnectError(
        "handshake", f"{where} is no TWS: {reason}", f"Another program has this port: {_PORTS}"
    )


def switched_off(stage: Stage) -> ConnectError:
    """`disconnect` was called while we connected."""
    return ConnectError(
        stage.value, "disconnect() was called during connect()", "Call connect() again when you want it"
    )


def under_way() -> ConnectError:
    """`connect` is called while another call of it dials."""
    return ConnectError("dial", "connect() is already under way on this connection", "Await the first call")


def elsewhere() -> ConnectError:
    """`connect` is called on a second loop while the first one lives."""
    return ConnectError(
        "dial",
        "this connection lives on another event loop, which is running",
        "Call disconnect() there first, or make a connection for each loop",
    )


class _Turn:
    """Who shakes hands, and who waits for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, until: float) -> None:
        self.loop = loop
        self.until = until
        self.waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []


class Handshakes:
    """At most one handshake at a time for a key (host, port, client id) in this process, across loops and
    threads.

    Two at once for one client id confuse TWS, which then refuses the id for minutes (TWS-BEHAVIOUR.md A3). A
    turn
    whose loop is closed or whose own bound has passed is dead and is passed on.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[Hashable, _Turn] = {}

    async def begin(self, key: Hashable, timeout_s: float) -> bool:
        """Wait for the turn; False when it did not come within `timeout_s`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while True:
            with self._lock:
                turn = self._turns.get(key)
                if turn is None or _dead(turn, loop):
                    self._turns[key] = _Turn(loop, until)
                    return True
                waiter: asyncio.Future[None] = loop.create_future()
                turn.waiters.append((loop, waiter))
            try:
                await asyncio.wait_for(waiter, max(0.0, until - loop.time()))
            except TimeoutError:
                return False

    def end(self, key: Hashable) -> None:
        """Pass the turn on. Only who began it calls this."""
        with self._lock:
            turn = self._turns.pop(key, None)
        for loop, waiter in turn.waiters if turn is not None else ():
            try:
                loop.call_soon_threadsafe(_wake, waiter)
            except RuntimeError:  # that loop is closed: nobody waits there any more
                continue


def _dead(turn: _Turn, loop: asyncio.AbstractEventLoop) -> bool:
    return turn.loop.is_closed() or (turn.loop is loop and loop.time() > turn.until)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
