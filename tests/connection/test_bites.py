"""A long answer is read bite by bite, so that whoever waits for the loop waits for one of them at most."""

from __future__ import annotations

import asyncio

import pytest
from tests.connection.peers import RecorderServer, until

from tws.config import TWSConfig
from tws.connection import TWSConnection
from tws.connection.dialling.link import BITE_BYTES
from tws.wire.messages import ErrorMessage

ROWS = 1000


async def test_the_loop_turns_between_two_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RecorderServer() as server:
        connection = TWSConnection(TWSConfig(port=server.port, client_id=1), guard="off")
        assert await connection.connect()
        router = connection._engine.router
        feed, sizes, turned, turns = router.feed, list[int](), list[int](), list[int]()

        def noting(data: bytes) -> bool:
            sizes.append(len(data))
            turns.append(len(turned))
            asyncio.get_running_loop().call_soon(turned.append, 1)
            return feed(data)

        monkeypatch.setattr(router, "feed", noting)
        heard: list[int] = []
        connection.set_callbacks(on_error=lambda request, code, text: heard.append(code))
        connection._engine.wire.link.pause_reading()  # type: ignore[union-attr]
        for _ in range(ROWS):
            server.clients[0].say(ErrorMessage(7, 0, 99999, "x" * 200))
        await asyncio.sleep(0)
        connection._engine.wire.link.resume_reading()  # type: ignore[union-attr]
        await until(lambda: len(heard) == ROWS)
        assert max(sizes) <= BITE_BYTES < sum(sizes)
        assert turns == list(range(len(sizes))), "whatever waits for the loop has its turn before the next"
        connection.disconnect()
