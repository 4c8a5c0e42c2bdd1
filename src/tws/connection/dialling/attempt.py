"""One dial through all stages: what it waits for, how it is decided, and that nothing is left of a failed
one.

The engine hears what the link tells and moves the attempt's `stage`; `settle` decides it. `run` ends with a
session that is ready, or raises the ConnectError that names stage, cause and cure, in bounded time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any

from tws.config import TWSConfig
from tws.connection.dialling import stages
from tws.connection.dialling.link import Link
from tws.connection.dialling.stages import Handshakes, Stage
from tws.errors import ConnectError
from tws.log import get_logger

__all__ = ["Attempt", "Dialling"]

log = get_logger("tws.connection")

HANDSHAKES = Handshakes()
"""One for the process: TWS sees the process, whatever its threads and loops."""

_AGAIN_FIRST_S = 0.5  # waits between dials on a client id in use: TWS frees it in seconds, or minutes
_AGAIN_MOST_S = 4.0


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
        loop = asyncio.get_running_loop()
        waiting: set[asyncio.Future[None]] = {dialling, self._step}
        while not self._step.done() and waiting and (left := until - loop.time()) > 0:
            done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if dialling in done and (dialling.cancelled() or dialling.exception() is not None):
                break
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


class Dialling:
    """The dials of one connection: one handshake at a time for a client id in this process, and again on the
    same id while TWS says that it is in use. `open_link` makes the link of a dial, `given_up` hears of one
    that came to nothing.
    """

    def __init__(
        self,
        config: TWSConfig,
        dial: Callable[..., Any] | None,
        open_link: Callable[[], Link],
        given_up: Callable[[Link], None],
    ) -> None:
        self.attempt: Attempt | None = None
        self.under_way = False
        self.stopped = False
        """Set by `disconnect`: no dial follows."""
        self._over = asyncio.Event()
        self._config = config
        self._dial = dial
        self._open_link = open_link
        self._on_given_up = given_up

    @property
    def stage(self) -> Stage:
        return Stage.DIAL if self.attempt is None else self.attempt.stage

    def in_stage(self, stage: Stage) -> None:
        """The attempt under way has come so far."""
        if self.attempt is not None:
            self.attempt.stage = stage

    def settle(self, verdict: ConnectError | None) -> None:
        """The attempt under way is decided."""
        if self.attempt is not None:
            self.attempt.settle(verdict)

    async def given_up(self) -> None:
        """Return when a dial that `disconnect` has ended is out of the way; at once when there is none."""
        if self.under_way and self.stopped:
            await self._over.wait()

    async def run(self) -> None:
        """A session within `connection_timeout`, or the ConnectError."""
        config, loop = self._config, asyncio.get_running_loop()
        until = loop.time() + config.connection_timeout
        key: Hashable = (self._dial, config.host, config.port, config.client_id)
        self.under_way, self._over = True, asyncio.Event()
        try:
            if not await HANDSHAKES.begin(key, until - loop.time()):
                raise ConnectError(
                    "dial",
                    "another connection of this program is shaking hands with the same client id",
                    "Give each its own client_id, or connect them one after the other",
                )
            try:
                await self._attempts(until)
            finally:
                HANDSHAKES.end(key)
        finally:
            self.under_way = False
            self._over.set()

    async def _attempts(self, until: float) -> None:
        wait = _AGAIN_FIRST_S
        while True:
            if self.stopped:  # by a disconnect while we waited
                raise stages.switched_off(Stage.DIAL)
            try:
                await self._try(until)
                return
            except ConnectError as failure:
                late = asyncio.get_running_loop().time() + wait >= until
                if failure.code != 326 or late or self.stopped:
                    raise
                log.info("client id in use, trying again", client_id=self._config.client_id, wait_s=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _AGAIN_MOST_S)

    async def _try(self, until: float) -> None:
        link = self._open_link()
        self.attempt = Attempt(self._config, link, self._dial)
        try:
            await self.attempt.run(until)
        except BaseException:
            self._on_given_up(link)
            raise
