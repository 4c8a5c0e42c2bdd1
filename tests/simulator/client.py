"""A small client over a real socket, speaking by `tws.wire`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import Answer, Request, WireContract
from tws.wire.session import ClientSession

M = TypeVar("M", bound=Answer)


class Client:
    """Hears everything in order; `expect` looks through all that came and waits for more."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client_id: int,
        version: int = codec.MAX_VERSION,
    ) -> None:
        self.reader, self.writer = reader, writer
        self.session = ClientSession(client_id, max_version=version)
        self.heard: list[Any] = []
        self.closed = False

    async def pump(self) -> None:
        """Read once."""
        data = await self.reader.read(65536)
        if not data:
            self.closed = True
            return
        out, events = self.session.receive(data)
        self.writer.write(out)
        for event in events:
            if isinstance(event, bytes):
                self.heard.append(codec.decode_answer(event, self.session.server_version))

    def send(self, *requests: Request) -> None:
        for request in requests:
            self.writer.write(frame(codec.encode(request, self.session.server_version)))

    async def expect(self, kind: type[M], fits: Callable[[M], bool] = lambda _: True) -> M:
        """The first message of this kind that fits."""
        seen = 0
        while True:
            for message in self.heard[seen:]:
                if isinstance(message, kind) and fits(message):
                    return message
            seen = len(self.heard)
            if self.closed:
                raise AssertionError(f"closed before a {kind.__name__} came; heard {self.heard[-5:]}")
            await self.pump()

    def all(self, kind: type[M]) -> list[M]:
        return [message for message in self.heard if isinstance(message, kind)]


def stock(symbol: str, **fields: Any) -> WireContract:
    return WireContract(symbol=symbol, sec_type="STK", exchange="SMART", currency="USD", **fields)


Start = Callable[..., Awaitable[SimulatedTWS]]
Connect = Callable[..., Awaitable[Client]]
