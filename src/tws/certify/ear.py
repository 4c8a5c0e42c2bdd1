"""What passes between us and a TWS, heard at the recorder while a scenario runs.

The recorder hands each frame over before our own connection has read it. The ear keeps TWS's frames of the
scenario that runs and decodes them when somebody waits for one, so that ticks nobody waits for cost nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from tws.errors import RequestTimeoutError, TWSError
from tws.recording import Frame
from tws.wire import codec
from tws.wire.messages import Answer

__all__ = ["Ear"]

A = TypeVar("A", bound=Answer)

MOST_FRAMES = 20_000
"""Of one scenario: an option chain's contracts are some thousands. Older ones are forgotten."""


class Ear:
    """TWS's messages since `begin`. Give `heard` to the recorder."""

    def __init__(self) -> None:
        self._frames: deque[tuple[Frame, int]] = deque(maxlen=MOST_FRAMES)
        self._messages: deque[Answer] = deque(maxlen=MOST_FRAMES)
        self._news = asyncio.Event()

    def heard(self, frame: Frame, version: int) -> None:
        """A frame has passed."""
        if frame.source == "tws" and version:
            self._frames.append((frame, version))
            self._news.set()

    def begin(self) -> None:
        """A scenario begins: what came before is no answer to it."""
        self._frames.clear()
        self._messages.clear()

    def messages(self, kind: type[A], where: Callable[[A], object] = lambda message: True) -> list[A]:
        """All messages of this kind that fit, oldest first."""
        self._decode()
        return [one for one in self._messages if isinstance(one, kind) and where(one)]

    async def wait(
        self, kind: type[A], where: Callable[[A], object] = lambda message: True, wait_s: float = 10.0
    ) -> A:
        """The first message of this kind that fits. Raises RequestTimeoutError."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + wait_s
        while True:
            self._news.clear()
            if found := self.messages(kind, where):
                return found[0]
            try:
                async with asyncio.timeout_at(end_s):
                    await self._news.wait()
            except TimeoutError:
                raise RequestTimeoutError(f"no {kind.__name__} within {wait_s:g} s") from None

    def _decode(self) -> None:
        while self._frames:
            frame, version = self._frames.popleft()
            try:
                message = codec.decode_answer(frame.payload, version, lenient=True)
            except TWSError:
                continue  # the comparison names it
            if isinstance(message, Answer):
                self._messages.append(message)
