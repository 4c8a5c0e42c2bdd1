"""A command channel over loopback: one line of JSON a request, one a reply, for those who know the token.

    {"token": "...", "do": "status", ...}
    {"ok": true, "result": ...}
    {"ok": false, "error": {"kind": "ConfigError", "text": "..."}}

`Channel` listens on a free port of 127.0.0.1 and never beyond. A line has a bound, so has the number of
callers and the time of each command, and a caller that says nothing is shown out. `ask` is the other end,
without a loop. The token belongs into a file that its owner alone can read (`tws.platform.write_private`).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tws.errors import TWSError
from tws.log import get_logger

__all__ = ["HOST", "MAX_LINE", "Channel", "ChannelSilentError", "Command", "RefusedError", "ask"]

log = get_logger("tws.channel")

HOST = "127.0.0.1"
MAX_LINE = 65536
"""The longest line in bytes; a longer one is an error and the end of that caller."""
MAX_CALLERS = 16
PATIENCE_S = 30.0
"""How long a caller may be silent, and how long a command may take."""

Command = Callable[[dict[str, Any]], Awaitable[object]]
"""Takes what stood beside "do", answers what JSON can say. A TWSError becomes a refusal."""


class ChannelSilentError(TWSError):
    """Nobody answers there: the other side hangs, or is gone."""


class RefusedError(TWSError):
    """The other side answered no; `kind` is its own word for why."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Channel:
    """The listening side. `commands` by the word behind "do"."""

    def __init__(self, token: str, commands: Mapping[str, Command]) -> None:
        self._token = token
        self._commands = commands
        self._server: asyncio.Server | None = None
        self._callers: dict[asyncio.Task[None], None] = {}

    async def start(self) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, HOST, 0, limit=MAX_LINE)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close; safe twice. A command that is being carried out is cut short, but for our own."""
        if self._server is not None:
            self._server.close()
            self._server = None
        callers = [each for each in self._callers if each is not asyncio.current_task()]
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers[task] = None
        try:
            if len(self._callers) > MAX_CALLERS:
                await _say(writer, _wrong("Busy", f"more than {MAX_CALLERS} callers at once"))
                return
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.CancelledError):
            pass  # the caller left, or we end
        finally:
            del self._callers[task]
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One line and its answer; False when this caller is done."""
        try:
            line = await asyncio.wait_for(reader.readline(), PATIENCE_S)
        except TimeoutError:
            return False
        except ValueError:  # no end of line within the limit
            await _say(writer, _wrong("TooLong", f"a line has at most {MAX_LINE} bytes"))
            return False
        if not line:
            return False
        answer, goes_on = await self.answer(line)
        await _say(writer, answer)
        return goes_on

    async def answer(self, line: bytes) -> tuple[dict[str, Any], bool]:
        """What is said to one line, and whether the caller may go on."""
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            return _wrong("BadJSON", f"the line is no JSON: {error}"), False
        if not isinstance(request, dict):
            return _wrong("BadJSON", "the line is no JSON object"), False
        token = str(request.pop("token", "")).encode(errors="replace")
        if not hmac.compare_digest(token, self._token.encode()):
            log.warning("channel: wrong token")
            return _wrong("Denied", "the token is wrong"), False
        do = request.pop("do", None)
        command = self._commands.get(do) if isinstance(do, str) else None
        if command is None:
            return _wrong("Unknown", f"{do!r} is no command: use {', '.join(self._commands)}"), True
        try:
            async with asyncio.timeout(PATIENCE_S):
                return {"ok": True, "result": await command(request)}, True
        except TWSError as error:
            return _wrong(type(error).__name__, str(error)), True
        except TimeoutError:
            return _wrong("Timeout", f"{do} was not done within {PATIENCE_S:.0f} s"), True
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return _wrong("BadRequest", f"{do} can't be done: {type(error).__name__} {error}"), True
        except Exception as error:
            log.exception("channel: a bug", command=do)
            return _wrong("Bug", f"{type(error).__name__}: {error}"), True


def ask(port: int, token: str, do: str, *, timeout_s: float = 10.0, **values: Any) -> Any:
    """Say one thing to a `Channel`, and wait for its answer.

    Raises ChannelSilentError when none comes within `timeout_s`, RefusedError with the other side's word.
    """
    until = time.monotonic() + timeout_s
    line = json.dumps({"token": token, "do": do, **values}).encode() + b"\n"
    answer = b""
    try:
        with socket.create_connection((HOST, port), timeout_s) as channel:
            channel.sendall(line)
            while not answer.endswith(b"\n"):
                channel.settimeout(max(0.001, until - time.monotonic()))
                part = channel.recv(MAX_LINE)
                if not part:
                    break
                answer += part
        said = json.loads(answer)
        if said["ok"]:
            return said["result"]
        kind, text = str(said["error"]["kind"]), str(said["error"]["text"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChannelSilentError(f"nobody answers on port {port} within {timeout_s:g} s ({error})") from error
    raise RefusedError(kind, text)


def _wrong(kind: str, text: str) -> dict[str, Any]:
    return {"ok": False, "error": {"kind": kind, "text": text}}


async def _say(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()
