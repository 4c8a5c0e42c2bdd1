"""A connection whose dial failed has no socket whose end could be waited for."""

from __future__ import annotations

import socket

from tws import TWSConfig, TWSConnection


async def test_wait_closed_returns_after_a_failed_dial() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: a dial is refused at once
        connection = TWSConnection(TWSConfig(port=free.getsockname()[1], connection_timeout=10))
        assert not await connection.connect()
        connection.disconnect()
        await connection.wait_closed()
