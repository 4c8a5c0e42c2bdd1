"""A bare recorder that shows what our bytes are, and peers that misbehave in a handshake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tws.config import TWSConfig
from tws.connection import PacingOptions, TWSConnection
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import ManagedAccounts, Message, NextValidId
from tws.wire.session import ServerSession, Started


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the other side of a socket must bring about; pytest's own time-out bounds it."""
    while not condition():  # noqa: ASYNC110  # nothing tells of it but the state itself
        await asyncio.sleep(0.001)


class Recorder(asyncio.Protocol):
    """The least that counts as a TWS: it agrees, names account and next id, and keeps every payload it
    gets.
    """

    def __init__(self, server: RecorderServer) -> None:
        self.server = server
        self.session = ServerSession("20261123 09:30:00 EST", max_version=server.version)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.clients.append(self)

    def data_received(self, data: bytes) -> None:
        out, events = self.session.receive(data)
        self.transport.write(out)
        for event in events:
            if isinstance(event, Started):
                for message in self.server.greeting:
                    self.say(message)
            elif isinstance(event, bytes):
                self.server.payloads.append(event)
                self.server.heard(self, event)

    def say(self, message: Message) -> None:
        self.transport.write(frame(codec.encode(message, self.session.server_version)))

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.gone.set()


class RecorderServer:
    """`payloads` is what came after startApi; `heard(client, payload)` may answer."""

    def __init__(self, version: int = 200, accounts: str = "DU1234567") -> None:
        self.version = version
        self.greeting: list[Message] = [ManagedAccounts(accounts), NextValidId(1)]
        self.clients: list[Recorder] = []
        self.payloads: list[bytes] = []
        self.gone = asyncio.Event()
        self.heard: Callable[[Recorder, bytes], None] = lambda client, payload: None
        self.port = 0

    async def __aenter__(self) -> RecorderServer:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Recorder(self), "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for client in self.clients:
            client.transport.abort()
        await asyncio.sleep(0)

    @property
    def ids(self) -> list[bytes]:
        """The message ids of what came."""
        return [payload.split(b"\0", 1)[0] for payload in self.payloads]

    async def caught_up(self, connection: TWSConnection) -> None:
        """Return when all that the connection has sent so far is here: a mark is sent through the same
        pipe.
        """
        await asyncio.sleep(0)  # what other threads queued on the loop is written first
        connection.official.setServerLogLevel(5)
        await until(lambda: b"14" in self.ids)
        self.payloads.remove(next(payload for payload in self.payloads if payload.startswith(b"14\0")))


class Peer:
    """A listener that does what `serve` says."""

    def __init__(self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> None:
        self.serve = serve
        self.port = 0
        self.dials = 0
        self.ended = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Peer:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.dials += 1
        self.writers.append(writer)
        await self.serve(reader, writer)
        try:
            while await reader.read(4096):
                pass
        except ConnectionError:
            pass
        writer.close()
        self.ended.set()

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def port_of(sim: SimulatedTWS) -> int:
    """Where it listens."""
    return int(sim.address[1])  # type: ignore[attr-defined]  # the fixture notes it there


def unkept(config: TWSConfig, **options: Any) -> TWSConnection:
    """A connection that says nothing by itself: no synchronisation, no second dial, no pace."""
    return TWSConnection(config, **{"keep": False, "pacing": PacingOptions.off()} | options)


def config_of(port: int, **fields: Any) -> TWSConfig:
    return TWSConfig(**({"port": port, "connection_timeout": 60.0, "request_timeout": 60.0} | fields))
