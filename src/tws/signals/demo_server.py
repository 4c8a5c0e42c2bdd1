"""The demo API (`tws.signals.demo_api`) over HTTP on loopback, and as a transport of httpx without a network.

The server is the standard library's, a thread for each caller: enough for a machine's own use, and no more is
promised of it. It listens on loopback alone.
"""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx

from tws.errors import ConfigError
from tws.signals.demo_api import DemoApi, Reply

__all__ = ["HOST", "DemoServer", "DemoTransport"]

HOST = "127.0.0.1"
IDLE_S = 30.0  # a caller that says nothing for so long is shown out
PIECE = 65_536


class DemoServer:
    """Serves until `close`; `port` 0 takes a free one. Raises ConfigError for a port that is taken."""

    def __init__(self, api: DemoApi, port: int = 0) -> None:
        closing = threading.Event()
        shared = {"api": api, "closing": closing, "one_at_a_time": threading.Lock()}
        handler = type("Handler", (_Handler,), shared)
        try:
            self._server = _Server((HOST, port), handler)
        except OSError as wrong:
            cure = "Give another port, or 0 for a free one"
            raise ConfigError("port", port, wrong.strerror or str(wrong), cure) from wrong
        self._closing = closing
        self.port = int(self._server.server_address[1])
        self.url = f"http://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more; answers that wait are dropped. Safe twice."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that left in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[DemoApi]
    closing: ClassVar[threading.Event]
    one_at_a_time: ClassVar[threading.Lock]  # the API knows of no threads

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name for it
        """Nothing: a request line is no business of a console."""

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.one_at_a_time:
            reply = self.api.answer(self.command, self.path, headers)
        if reply.wait_s and self.closing.wait(reply.wait_s):
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        body = reply.body if reply.cut is None else reply.body[: reply.cut]
        for at in range(0, len(body), PIECE):
            self.wfile.write(body[at : at + PIECE])
        if reply.cut is not None or self.command != "GET":
            self.close_connection = True


class DemoTransport(httpx.AsyncBaseTransport):
    """The same where there is no network: for the simulated world, whose time the waits then follow."""

    def __init__(self, api: DemoApi) -> None:
        self._api = api

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = self._api.answer(request.method, request.url.raw_path.decode(), headers)
        if reply.wait_s:
            await asyncio.sleep(reply.wait_s)
        return httpx.Response(reply.status, headers=reply.headers, stream=_Body(reply))


class _Body(httpx.AsyncByteStream):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> Any:
        body, cut = self._reply.body, self._reply.cut
        for at in range(0, len(body if cut is None else body[:cut]), PIECE):
            yield body[at : min(at + PIECE, len(body) if cut is None else cut)]
        if cut is not None:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
