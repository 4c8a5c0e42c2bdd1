"""The command channel: who may speak, how much, and that silence on either side ends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tws.channel import HOST, MAX_LINE, Channel, ChannelSilentError, RefusedError, ask
from tws.errors import ConfigError

TOKEN = "a-token"


async def echo(request: dict[str, Any]) -> object:
    return request


async def refuse(request: dict[str, Any]) -> object:
    raise ConfigError("field", "value", "is wrong", "Mend it")


async def stumble(request: dict[str, Any]) -> object:
    raise ZeroDivisionError("a bug")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    channel = Channel(TOKEN, {"echo": echo, "refuse": refuse, "stumble": stumble})
    yield await channel.start()
    await channel.stop()
    await channel.stop()


async def say(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(data)
    answer = await reader.readline()
    writer.close()
    return answer


async def test_a_command_is_answered_and_a_refusal_is_named(port: int) -> None:
    assert await asyncio.to_thread(ask, port, TOKEN, "echo", word="\u2603") == {"word": "\u2603"}
    for do, kind in (("refuse", "ConfigError"), ("stumble", "Bug"), ("other", "Unknown")):
        with pytest.raises(RefusedError) as error:
            await asyncio.to_thread(ask, port, TOKEN, do)
        assert error.value.kind == kind


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"token": "b-token", "do": "echo"}\n', "Denied"),
        (b'{"do": "echo"}\n', "Denied"),
        (b'{"token": "\\ud800", "do": "echo"}\n', "Denied"),
        (b"[]\n", "BadJSON"),
        (b"no json\n", "BadJSON"),
        (b"[" * 5000 + b"\n", "BadJSON"),
        (b"x" * (MAX_LINE * 2) + b"\n", "TooLong"),
    ],
)
async def test_what_is_no_command_is_refused_and_harms_nobody(port: int, line: bytes, kind: str) -> None:
    assert json.loads(await say(port, line))["error"]["kind"] == kind
    assert await asyncio.to_thread(ask, port, TOKEN, "echo") == {}


async def test_nobody_beyond_this_machine_is_listened_to(port: int) -> None:
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", port), 1.0)


async def test_a_silent_other_side_is_told_in_time() -> None:
    """A process that is frozen still has its port: the kernel takes the dial, and nobody answers."""
    with socket.create_server((HOST, 0)) as silent, pytest.raises(ChannelSilentError):
        number = silent.getsockname()[1]
        await asyncio.to_thread(ask, number, TOKEN, "echo", timeout_s=0.2)
    with pytest.raises(ChannelSilentError):  # and now nobody listens
        await asyncio.to_thread(ask, number, TOKEN, "echo", timeout_s=0.2)
