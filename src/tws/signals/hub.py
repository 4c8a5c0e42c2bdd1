"""All sources of a trader as one: started together, taken from in turn, none able to stop another.

    async with Sources(open_sources(...)) as sources:
        for taken in sources.take(now_ns):
            ...taken.source, taken.value

A look takes at most `SHARE` values of each source, so one that floods delays its own and nobody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

from msgspec import Struct

from tws.errors import ConfigError, MissingExtraError
from tws.log import get_logger
from tws.model.market import Bar
from tws.model.session import Session
from tws.signals.source import Health, Heard, Source
from tws.strategy import Reason, Refusal

__all__ = ["Sources", "Taken"]

log = get_logger("tws.signals")

SHARE = 200
"""Values of one source a look: some milliseconds of judging."""
STOP_S = 5.0
"""How long a source may take to end before it is left behind."""
START_S = 10.0
"""And to begin: none has more to do than to open a file or a socket of its own."""
AGAIN_S = 1.0
"""A source that could not begin is tried again after so long, then after twice as long each time,"""
AGAIN_MOST_S = 60.0
"""at most after this: what keeps a file or a socket away is over in minutes, or a human's business."""


class Taken(Struct, frozen=True):
    """One value, and the name of the source that it came from."""

    source: str
    value: Heard


class Sources:
    """Raises ConfigError when two sources have one name: nobody could tell their signals apart."""

    def __init__(self, sources: Sequence[Source]) -> None:
        names = [source.name for source in sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError("signals.name", twice[0], "two sources have this name", "Give one another name")
        self._sources = list(sources)
        self._failed: dict[str, str] = {}  # a source that is out of order, and why
        self._failures: dict[str, int] = {}
        self._later: dict[str, asyncio.Task[None]] = {}  # sources that have not begun, and are tried again
        self._ring: Callable[[], object] = lambda: None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start each. Raises ConfigError or MissingExtraError, with none left running: a human mends that.

        Any other failure is the source's own: it is shown in its health and tried again, and the others run.
        """
        for source in self._sources:
            try:
                async with asyncio.timeout(START_S):
                    await source.start()
            except (ConfigError, MissingExtraError):
                await self.stop()
                raise
            except Exception as wrong:
                self._fail(source, wrong)
                self._later[source.name] = asyncio.create_task(self._try_again(source))

    async def _try_again(self, source: Source) -> None:
        """Until it begins. What a human has to mend is no more than told here: the others trade by now."""
        again_s = AGAIN_S
        while True:
            await asyncio.sleep(again_s)
            again_s = min(2 * again_s, AGAIN_MOST_S)
            try:
                async with asyncio.timeout(START_S):
                    await source.start()
            except Exception as wrong:
                self._fail(source, wrong)
            else:
                del self._later[source.name]
                self._failed.pop(source.name, None)
                log.info("a source has begun at last", source=source.name)
                return

    async def stop(self) -> None:
        """Stop each, whatever another does; safe twice."""
        later = list(self._later.values())
        for task in later:
            task.cancel()
        await asyncio.gather(*later, return_exceptions=True)
        for source in self._sources:
            try:
                async with asyncio.timeout(STOP_S):
                    await source.stop()
            except Exception as wrong:
                self._fail(source, wrong)

    def on_news(self, ring: Callable[[], object]) -> None:
        """Call `ring` whenever one has something new to take, from whatever thread, or more may be left."""
        self._ring = ring
        for source in self._sources:
            try:
                source.on_news(ring)
            except Exception as wrong:
                self._fail(source, wrong)

    def take(self, now_ns: int) -> list[Taken]:
        """What all have by now, source by source; each source's own in its order."""
        found: list[Taken] = []
        for source in self._sources:
            if source.name in self._later:
                continue
            try:
                values = source.take(now_ns, SHARE)
                found += [Taken(source.name, value) for value in values]
                if len(values) >= SHARE:
                    self._ring()  # what is left of a backlog must not grow old until time alone brings a look
                self._failed.pop(source.name, None)
            except Exception as wrong:
                if self._fail(source, wrong):  # the first of a row: a look comes several times a second
                    text = f"{source.name}: {self._failed[source.name]}"
                    refusal = Refusal(reason=Reason.FAILED, text=text, time_ns=now_ns)
                    found.append(Taken(source.name, refusal))
        return found

    def on_session(self, symbol: str, session: Session) -> None:
        """Tell all of a session."""
        for source in self._sources:
            try:
                source.on_session(symbol, session)
            except Exception as wrong:
                self._fail(source, wrong)

    def on_bar(self, symbol: str, bar: Bar) -> None:
        """Tell all of a bar."""
        for source in self._sources:
            try:
                source.on_bar(symbol, bar)
            except Exception as wrong:
                self._fail(source, wrong)

    def health(self) -> list[Health]:
        """How each does."""
        return [self._health(source) for source in self._sources]

    def _health(self, source: Source) -> Health:
        why, failures = self._failed.get(source.name, ""), self._failures.get(source.name, 0)
        try:
            found = source.health()
        except Exception as wrong:
            return Health(name=source.name, kind="?", state="failed", errors=failures, last_error=repr(wrong))
        if not failures:
            return found
        state = "failed" if why else found.state
        if source.name in self._later:
            state = "not begun, tried again"
        return Health(
            **{name: getattr(found, name) for name in found.__struct_fields__}
            | {"errors": found.errors + failures, "state": state}
            | ({"last_error": why} if why else {})
        )

    def _fail(self, source: Source, wrong: BaseException) -> bool:
        """Whether it had not failed in this way already."""
        text = f"{type(wrong).__name__}: {wrong}"
        news = self._failed.get(source.name) != text
        self._failed[source.name] = text
        self._failures[source.name] = self._failures.get(source.name, 0) + 1
        if news:
            log.warning("a source failed", source=source.name, reason=text)
        return news
