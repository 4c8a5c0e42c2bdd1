"""One client under test: a process of its own that obeys commands and says what it saw (`clients/`).

A line of JSON goes each way: `{"op": "details", "arguments": {...}}` in, `{"event": "details", ...}` out. A
scenario tells the client what to ask (`do`), then waits for what it must see (`wait`, `until`); all that
was seen stays in `events`, so that a scenario can also hold what must not be there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Lost", "Mismatch", "NotOffered", "Witness"]

PATIENCE_S = 10.0
FIRST_KEY = 9001
Event = dict[str, Any]


class Mismatch(AssertionError):
    """What the client saw is not what it should have seen."""


class NotOffered(Exception):
    """The client has no such request."""


class Lost(Exception):
    """The driver's process ended."""


class Witness:
    """A client process. One scenario at a time."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.events: list[Event] = []
        self.notes: dict[str, Any] = {}
        self.expected: set[int] = set()
        self.version = 0
        self.burst: list[Event] = []
        self.placed: set[int] = set()
        self._command = command
        self._log = log
        self._changed = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._start = 0
        self._key = FIRST_KEY

    # -- life -------------------------------------------------------------------------------------

    async def start(self) -> None:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=2**24,
            )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            with suppress(ValueError):  # a library's own print
                event = json.loads(line)
                if isinstance(event, dict) and "event" in event:
                    self.events.append(event)
                    self._changed.set()
        self.events.append({"session": "", "event": "gone"})
        self._changed.set()

    async def stop(self) -> None:
        """End the process and wait for it."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 3)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reading is not None:
            await self._reading

    def complaints(self) -> str:
        """The end of what the library wrote to stderr."""
        return self._log.read_text("utf-8", errors="replace")[-2000:]

    # -- a scenario's tools -----------------------------------------------------------------------

    def begin(self) -> None:
        """A new scenario: only what comes from now on counts."""
        self._start = len(self.events)
        self.notes = {}
        self.expected = set()

    def keep_burst(self) -> None:
        """What was seen so far came with the start of the main session."""
        self.burst = self.events[self._start :]

    def key(self) -> int:
        """A number for a request."""
        self._key += 1
        return self._key

    def note(self, **values: Any) -> None:
        """What every client must have seen alike; the runner compares."""
        self.notes.update(values)

    async def do(self, op: str, *, session: str = "main", **arguments: Any) -> None:
        """Tell the client to do this."""
        process = self._process
        assert process is not None and process.stdin is not None
        line = json.dumps({"session": session, "op": op, "arguments": arguments})
        process.stdin.write(line.encode() + b"\n")
        with suppress(ConnectionError):  # `wait` says it better
            await process.stdin.drain()

    def mark(self) -> int:
        """A place in the events, for `since`."""
        return len(self.events)

    def seen(self, event: str, *, since: int = 0, session: str = "main", **fields: Any) -> list[Event]:
        """All events of this scenario that fit."""
        rows = self.events[max(since, self._start) :]
        return [row for row in rows if row["event"] == event and _fits(row, session, fields)]

    async def wait(
        self,
        event: str,
        *,
        since: int = 0,
        session: str = "main",
        where: Callable[[Event], Any] = lambda row: True,
        patience_s: float = PATIENCE_S,
        **fields: Any,
    ) -> Event:
        """The first event that fits, seen already or yet to come. Raises Mismatch when none comes."""

        def found() -> Event | None:
            rows = self.seen(event, since=since, session=session, **fields)
            return next((row for row in rows if where(row)), None)

        wanted = f"{event} {fields or ''}".strip()
        return await self.until(found, wanted, patience_s)

    async def until(self, holds: Callable[[], Any], wanted: str, patience_s: float = PATIENCE_S) -> Any:
        """Wait until `holds()` is true, and return that."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience_s
        while True:
            self._changed.clear()
            if result := holds():
                return result
            self._raise_failures()
            left = end - loop.time()
            if left <= 0:
                raise Mismatch(f"expected {wanted}; saw {self.recent()}")
            with suppress(TimeoutError):  # the broker's own truth may change without an event: look again
                await asyncio.wait_for(self._changed.wait(), min(left, 0.1))

    def _raise_failures(self) -> None:
        for row in self.events[self._start :]:
            if row["event"] == "unsupported":
                raise NotOffered(row["text"])
            if row["event"] == "failed":
                raise Mismatch(f"{row['op']} raised in the client: {row['text'][-600:]}")
            if row["event"] == "gone":
                raise Lost(self.complaints())

    def recent(self, count: int = 8) -> str:
        """The last events, in short; ticks are left out where there is better to show."""
        rows = [row for row in self.events[self._start :] if row["event"] not in ("quote", "value")]
        rows = rows or self.events[self._start :]
        return "; ".join(_short(row) for row in rows[-count:]) or "nothing"

    async def error(self, code: int, **fields: Any) -> Event:
        """Wait for an error that belongs to the scenario."""
        self.expected.add(code)
        return await self.wait("error", code=code, **fields)

    def strange_errors(self, codes: frozenset[int]) -> list[Event]:
        """Errors that no scenario may bring unless it asked for them."""
        rows = [row for row in self.events[self._start :] if row["event"] == "error"]
        return [row for row in rows if row["code"] in codes - self.expected]


def _fits(row: Event, session: str, fields: dict[str, Any]) -> bool:
    return row["session"] == session and all(row.get(name) == value for name, value in fields.items())


def _short(row: Event) -> str:
    rest = ", ".join(f"{key}={value}" for key, value in row.items() if key not in ("event", "session"))
    return f"{row['event']}({rest[:300]})"
