"""One dial through all stages: what it waits for, how it is decided, and that nothing is left of a failed
one.

The engine hears what the link tells and moves the attempt's `stage`; `settle` decides it. `run` ends with a
session that is ready, or raises the ConnectError that names stage, cause and cure, in bounded time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tws.config import TWSConfig
from tws.connection import stages
from tws.connection.link import Link
from tws.connection.stages import Stage
from tws.errors import ConnectError

__all__ = ["Attempt"]


class Attempt:
    """See the module. Make it on the loop that dials."""

    def __init__(self, config: TWSConfig, link: Link, dial: Callable[..., Any] | None) -> None:
        self.link = link
        self.stage = Stage.DIAL
        self.settled = False
        self._config = config
        self._dial = dial
        self._verdict: ConnectError | None = None
        self._step: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def where(self) -> str:
        return f"{self._config.host}:{self._config.port}"

    def settle(self, verdict: ConnectError | None) -> None:
        """It is decided: a session, or why there is none. The first word counts."""
        if not self.settled:
            self.settled, self._verdict = True, verdict
            if not self._step.done():
                self._step.set_result(None)

    async def run(self, until: float) -> None:
        """Dial and wait for the decision until the loop's time `until`."""
        dialling = asyncio.ensure_future(self._dial_out())
        try:
            await self._until_ready(dialling, until)
        except BaseException:
            self.link.close()
            if not dialling.done():
                dialling.cancel()
            raise
        finally:
            self.settled = True

    async def _until_ready(self, dialling: asyncio.Future[None], until: float) -> None:
        left = max(0.0, until - asyncio.get_running_loop().time())
        await asyncio.wait({dialling, self._step}, timeout=left, return_when=asyncio.FIRST_EXCEPTION)
        if dialling.done() and not dialling.cancelled():
            error = dialling.exception()
            if isinstance(error, OSError):
                raise stages.cannot_dial(error, self.where) from error
            if error is not None:
                raise error
        if not self._step.done():
            raise stages.silent_in(self.stage, self.where, self._config.connection_timeout)
        if self._verdict is not None:
            raise self._verdict

    async def _dial_out(self) -> None:
        host, port = self._config.host, self._config.port
        dial = self._dial or asyncio.get_running_loop().create_connection
        await dial(lambda: self.link, host, port)
