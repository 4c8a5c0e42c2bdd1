"""A client that speaks by `tws.wire` and keeps every payload."""

from __future__ import annotations

import asyncio
from typing import Any

from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import NextValidId, Request
from tws.wire.session import ClientSession

ACCOUNTS = ("DU7654321", "U1112223")


class Peer:
    """Sends requests, keeps every payload that came."""

    def __init__(self, port: int, client_id: int = 5, version: int = 200) -> None:
        self._port = port
        self.session = ClientSession(client_id, max_version=version)
        self.payloads: list[bytes] = []
        self.closed = False

    async def open(self) -> Peer:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(self.session.start())
        await self.until(NextValidId)
        return self

    async def until(self, kind: type) -> Any:
        """Read until a message of this kind is among those not looked at yet."""
        while True:
            for payload in self.payloads[getattr(self, "_seen", 0) :]:
                self._seen = getattr(self, "_seen", 0) + 1
                message = codec.decode_answer(payload, self.session.server_version)
                if isinstance(message, kind):
                    return message
            try:
                data = await self._reader.read(65536)
            except ConnectionResetError:  # closed with bytes of ours unread
                data = b""
            if not data:
                self.closed = True
                raise AssertionError(f"closed before {kind.__name__}")
            out, events = self.session.receive(data)
            self._writer.write(out)
            self.payloads += [event for event in events if isinstance(event, bytes)]

    def send(self, request: Request) -> None:
        self._writer.write(frame(codec.encode(request, self.session.server_version)))

    async def at_end(self) -> bytes:
        """What still comes until the server closes."""
        return await self._reader.read(-1)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()
