"""The webhook as a source: `Receiver` (webhook.py) on uvicorn, its socket opened before anything runs.

uvicorn is the one package that this needs beyond the base install (h11, which reads HTTP, comes with httpx):
no framework, since two paths want no routing, and no HTTP reader of our own, since others have broken and
mended theirs. It is told to leave signals, logging and the process alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import Clock, Rng
from tws.errors import ConfigError, MissingExtraError
from tws.model.market import Bar
from tws.model.session import Session
from tws.signals.secret import Key
from tws.signals.source import Health, Heard, Kept, Outbox
from tws.signals.webhook import Receiver, WebhookRules

__all__ = ["Listening", "WebhookSource", "check_listening"]

MAX_CALLERS = 32
"""Connections at once that are heard; one more is answered 503, and those before it are heard all the same.
A sender has one."""
SILENCE_S = 10.0
"""How long a connection may last without a request, so that idle ones do not fill the house."""
END_S = 3.0  # for answers that are under way when we end


class Listening(Struct, frozen=True, kw_only=True):
    """Where to listen. `cert_file` and `key_file`: with TLS."""

    host: str = "127.0.0.1"
    port: int = 8765
    cert_file: Path | None = None
    key_file: Path | None = None


def check_listening(where: Listening) -> None:
    """Whether one could listen there now. Raises ConfigError for a port that is taken or a host that is not
    this machine, MissingExtraError without uvicorn.
    """
    _uvicorn()
    _bound(where).close()


def _bound(where: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    try:
        return socket.create_server((where.host, where.port), family=family, backlog=MAX_CALLERS)
    except OSError as wrong:
        place = f"{where.host}:{where.port}"
        cure = "Give another host or port; 127.0.0.1 is this machine"
        raise ConfigError("signals.port", place, wrong.strerror or str(wrong), cure) from wrong


class WebhookSource:
    """`port` is the one that is listened on, once it has started; `token` is what a caller must know."""

    def __init__(
        self, name: str, token: Key, *, clock: Clock, rng: Rng, where: Listening | None = None,
        rules: WebhookRules | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._where = where or Listening()
        self.port = self._where.port
        self._outbox = Outbox(name, "webhook")
        self._receiver = Receiver(rules or WebhookRules(), token, self._outbox, clock)
        self._kept = Kept(self._outbox, clock, rng, self._serve)
        self._socket: socket.socket | None = None
        self._server: Any = None
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Listen. Raises ConfigError for a port that is taken, MissingExtraError without uvicorn."""
        _uvicorn()
        self._socket = self._bind()
        self._kept.start()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), END_S)
        await self._kept.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def on_news(self, ring: Callable[[], object]) -> None:
        self._outbox.ring = ring

    def take(self, now_ns: int, most: int) -> Sequence[Heard]:
        return self._outbox.take(now_ns, most)

    def health(self) -> Health:
        return self._outbox.health(self._kept.state)

    def on_session(self, symbol: str, session: Session) -> None:
        """Whoever posts knows the hours himself."""

    def on_bar(self, symbol: str, bar: Bar) -> None:
        """A receiver hears no bars."""

    def _bind(self) -> socket.socket:
        found = _bound(replace(self._where, port=self.port))
        self.port = int(found.getsockname()[1])
        return found

    async def _serve(self) -> None:
        uvicorn = _uvicorn()
        sock, self._socket = self._socket or self._bind(), None
        config = uvicorn.Config(
            self._receiver, http=_protocol(), ws="none", lifespan="off", log_config=None, log_level="error",
            access_log=False, server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=1, h11_max_incomplete_event_size=16_384,
            ssl_certfile=self._where.cert_file, ssl_keyfile=self._where.key_file,
        )  # fmt: skip
        self._ended.clear()
        self._server = _quiet(uvicorn.Server)(config)
        try:
            await self._server.serve(sockets=[sock])
        finally:
            self._server = None
            self._ended.set()
            sock.close()


def _uvicorn() -> Any:
    try:
        import uvicorn
    except ImportError:
        raise MissingExtraError("the webhook receiver", "webhook") from None
    return uvicorn


def _quiet(server: Any) -> Any:
    """A server that leaves Ctrl-C to the program it runs in."""

    class Quiet(server):  # type: ignore[misc]  # known at run time alone
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Quiet


def _protocol() -> Any:
    """uvicorn's HTTP on h11 with two bounds: who says nothing is shown out, for which it has none, and so is
    who is one too many, where its own shows out all that are there then.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.limit_concurrency = None if len(self.connections) <= MAX_CALLERS else 0
            asyncio.get_running_loop().call_later(SILENCE_S, self._look)

        def _look(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.close()

    return Patient
