"""A proxy between any client and any TWS: the bytes pass untouched, a redacted copy of them is written.

    client ══▶ Proxy ══▶ TWS          each direction: read, hand on, then cut into frames and write
    client ◀══ Proxy ◀══ TWS

Each client gets a connection to TWS of its own. When one side closes, the other is closed the same way, so
TWS sees what it would have seen without us. What can't be written (a full disk) ends the recording with a
loud word, never the session: somebody may be trading through it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from msgspec import Struct
from msgspec.structs import replace

from tws.errors import ConfigError, FrameError
from tws.log import get_logger
from tws.recording.file import Entry, Frame, Mark, Source, header, line_of
from tws.recording.redact import Redactor
from tws.wire.framing import FrameDecoder

__all__ = ["Proxy", "ProxyOptions"]

log = get_logger("tws.recording")

CHUNK = 64 * 1024
DIAL_S = 10.0
"""How long TWS may take to accept, seconds."""
PREFIX = b"API\0"


class ProxyOptions(Struct, frozen=True, kw_only=True):
    """Where to listen, which TWS to reach, what to write.

    `words` are further texts to redact; `redact` False writes accounts and names as they are.
    """

    path: Path
    tws_host: str = "127.0.0.1"
    tws_port: int = 7497
    host: str = "127.0.0.1"
    port: int = 7500
    redact: bool = True
    words: tuple[str, ...] = ()


class Proxy:
    """One recording. `failure` is set when the file could not be written on.

    `heard` is called with each frame as it passed, unredacted, and with its session's server version.
    """

    def __init__(
        self,
        options: ProxyOptions,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
        heard: Callable[[Frame, int], None] = lambda frame, version: None,
    ):
        self.options = options
        self.heard = heard
        self.failure: OSError | None = None
        self.frames = 0
        self.connections = 0
        self._utc_now = utc_now
        self._redactor = Redactor(options.words) if options.redact else None
        self._file = _create(options.path)
        self._server: asyncio.Server | None = None
        self._begun = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> tuple[str, int]:
        """Listen. Returns host and port. Raises OSError when the port is taken."""
        options = self.options
        self._begun = asyncio.get_running_loop().time()
        self._write_text(header(f"{self._utc_now():%Y-%m-%dT%H:%M:%SZ}", redacted=options.redact))
        self._server = await asyncio.start_server(self._serve, options.host, options.port)
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Close every connection, both sides, and the file. Safe twice."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            self._file.close()
        except OSError as error:
            self._fail(error)

    # -- one connection ---------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        copy = _Copy(self, self.connections)
        try:
            await self._join(copy, reader, writer)
        except asyncio.CancelledError:
            return  # by `stop` alone: whoever started this task would report it as a failure
        finally:
            self._tasks.discard(task)
            await _close(writer)

    async def _join(
        self, copy: _Copy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        options = self.options
        try:
            dialled = asyncio.open_connection(options.tws_host, options.tws_port)
            tws_reader, tws_writer = await asyncio.wait_for(dialled, DIAL_S)
        except (OSError, TimeoutError) as error:
            # the client sees its connection closed, as it would see a TWS that goes away
            log.warning("no TWS", host=options.tws_host, port=options.tws_port, reason=str(error))
            copy.mark("open")
            copy.mark("tws reset")
            return
        copy.mark("open")
        ways = [
            asyncio.create_task(self._pump(copy, "client", reader, tws_writer)),
            asyncio.create_task(self._pump(copy, "tws", tws_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await _close(tws_writer)
            self._flush()

    async def _pump(
        self, copy: _Copy, source: Source, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                writer.write(data)  # first the session, then its copy
                try:
                    copy.take(source, data)
                except Exception:  # a bug of ours must not end a session that may be trading
                    log.exception("the rest of this direction is not recorded", source=source)
                    copy.give_up(source)
                await writer.drain()
            copy.mark(f"{source} closed")
        except OSError:
            copy.mark(f"{source} reset")

    # -- the file ---------------------------------------------------------------------------------

    def elapsed_s(self) -> float:
        """Seconds since the recording began."""
        return asyncio.get_running_loop().time() - self._begun

    def write(self, entry: Entry, version: int) -> None:
        """One line more."""
        if isinstance(entry, Frame):
            self.frames += 1
        self._write_text(line_of(entry, version))

    def redacted(self, source: Source, payload: bytes, version: int) -> bytes:
        """The payload as it may be written."""
        if self._redactor is None:
            return payload
        if source == "tws":
            return self._redactor.answer(payload, version)
        return self._redactor.replace(payload)

    def _write_text(self, text: str) -> None:
        if self.failure is not None or self._file.closed:
            return
        try:
            self._file.write(text)
        except OSError as error:
            self._fail(error)

    def _flush(self) -> None:
        if self.failure is None and not self._file.closed:
            try:
                self._file.flush()
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = error
        log.error("recording stopped, sessions go on", file=str(self.options.path), reason=str(error))


class _Copy:
    """Cuts both directions of one connection into frames, and hands them on redacted."""

    def __init__(self, proxy: Proxy, session: int) -> None:
        self._proxy = proxy
        self._session = session
        self._version = 0
        self._head = bytearray()  # of the client's stream, until the prefix is whole
        self._frames: dict[Source, FrameDecoder | None] = {"client": FrameDecoder(), "tws": FrameDecoder()}
        self._hello = False

    def mark(self, what: str, data: bytes = b"") -> None:
        self._proxy.write(Mark(self._session, self._proxy.elapsed_s(), what, data), self._version)

    def take(self, source: Source, data: bytes) -> None:
        """Bytes of one direction."""
        if source == "client" and not self._hello:
            self._head += data
            if len(self._head) < 4:
                return
            self._hello = True
            data = bytes(self._head)
            if not data.startswith(PREFIX):
                self._lost(source, data)
                return
            data = data[4:]
        self._cut(source, data)

    def give_up(self, source: Source) -> None:
        """Record no more of this direction."""
        self._frames[source] = None

    def _cut(self, source: Source, data: bytes) -> None:
        decoder = self._frames[source]
        if decoder is None:
            return
        try:
            payloads = decoder.feed(data)
            while payloads:
                for payload in payloads:
                    self._one(source, payload)
                payloads = decoder.feed(b"")
        except FrameError:
            self._lost(source, decoder.release())

    def _one(self, source: Source, payload: bytes) -> None:
        proxy, first = self._proxy, self._version == 0
        hello = first and source == "client"
        version = self._version
        if first and source == "tws":
            head = payload.split(b"\0", 1)[0]
            self._version = int(head) if head.isdigit() and len(head) < 6 else 0
        passed = Frame(self._session, proxy.elapsed_s(), source, payload, hello)
        proxy.write(replace(passed, payload=proxy.redacted(source, payload, version)), version)
        proxy.heard(passed, self._version)

    def _lost(self, source: Source, data: bytes) -> None:
        """Not the protocol any more: the rest of this direction passes unrecorded."""
        self.give_up(source)
        self.mark("unframed", self._proxy.redacted(source, data[:1024], 0))


def _create(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="utf-8", newline="\n")
    except FileExistsError:
        raise ConfigError("file", str(path), "exists already", "Give a new name, or remove it") from None
    except OSError as error:
        reason = f"can't be written: {error.strerror or error}"
        raise ConfigError("file", str(path), reason, "Give a file in a folder of yours") from error


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
