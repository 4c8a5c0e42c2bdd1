"""An event loop with real sockets and threads whose time leaps: three market days in some minutes.

Nothing in the process is replaced: TCP and HTTP on 127.0.0.1, SQLite on its thread. Only waiting is cut
short. Where asyncio would sleep until its next timer, the loop asks whether anybody is still at work (bytes
on their way, a commit, an HTTP answer, a thread); if so it waits for real, and if not its time leaps to that
timer. Before each turn it waits for the kernel, which may take its time to carry bytes over 127.0.0.1 while
the machine is busy: whoever is ready never overtakes what was written before. So a time-out is as long as
ever for whoever waits in vain, no run depends on the machine's speed, and the same seed gives the same run.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import httpx

from tws.clock import NS_PER_S
from tws.errors import JournalError
from tws.journal import SQLiteStore
from tws.simulator import SimulatedTWS

__all__ = ["BrokerClock", "HurriedClock", "HurriedLoop", "Journal", "SlowWire", "Wire", "is_late"]

STUCK_S = 30.0
"""Real seconds after which whoever is said to be at work is not: no commit or answer here takes one."""
MOST_PEEKED = 65_536
"""What is compared of a longer burst, such as an answer of history: the kernel may hold no more at once."""
QUIET_LOOKS = 3
"""How often all must look quiet in a row: what the loop is about to run shows at a later look."""
NAP_S = 0.001
"""How long one look at the sockets lasts while somebody is at work."""
SLOW_S = 0.002
"""How long a slow wire keeps a piece: the loop has turned some times meanwhile."""
SLOW_DOOR_S = 0.05
"""How long a slow wire leaves whoever was let in alone."""
MOMENT_S = 0.00005
"""Between two looks at what the kernel has yet to deliver: mostly it has by the first."""

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class HurriedLoop(asyncio.SelectorEventLoop):
    """`busy` are asked in turn whether somebody is at work, each with a name for who hangs; `late` says
    whether the kernel has yet to deliver what was written.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._dials = self.in_threads = 0
        self.leaps = 0
        self.busy: dict[str, Callable[[], object]] = {
            "a thread": lambda: self.in_threads,
            "a dial": lambda: self._dials,
        }
        self.late: Callable[[], bool] = lambda: False
        super().__init__(_Leaping(self))

    def time(self) -> float:
        """Seconds since the loop was made, leaps included."""
        return self._now_s

    def leap(self, seconds: float) -> None:
        """Let so much time have passed."""
        self._now_s += seconds
        self.leaps += 1

    def run_in_executor(  # type: ignore[override]  # as asyncio's, which takes any of its own executors
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """The same, and time stands meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self.in_threads += 1
        future.add_done_callback(self._back)
        return future

    def _back(self, future: asyncio.Future[Any]) -> None:
        self.in_threads -= 1

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """The same, and time stands meanwhile."""
        self._dials += 1
        try:
            await super().sock_connect(sock, address)
        finally:
            self._dials -= 1

    @classmethod
    def play(cls, main: Callable[[HurriedLoop], Coroutine[Any, Any, _T]]) -> _T:
        """Run `main` on a new loop."""
        with asyncio.Runner(loop_factory=cls) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, HurriedLoop)
            return runner.run(main(loop))


class _Leaping(selectors.BaseSelector):
    """The system's own selector, which waits only while somebody is at work."""

    def __init__(self, loop: HurriedLoop) -> None:
        self._loop = loop
        self._inner = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began_s = time.monotonic()
        while self._loop.late():
            time.sleep(MOMENT_S)
            if time.monotonic() - began_s > STUCK_S:
                raise RuntimeError(f"the kernel has not delivered for {STUCK_S:g} s")
        found = self._inner.select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        began_s = 0.0
        while who := next((name for name, busy in self._loop.busy.items() if busy()), ""):
            found = self._inner.select(NAP_S)
            if found:
                return found
            began_s = began_s or time.monotonic()
            if time.monotonic() - began_s > STUCK_S:
                raise RuntimeError(f"{who} has been at work for {STUCK_S:g} s, and nothing came of it")
        if timeout is None:  # no timer at all: only the world outside can go on
            return self._inner.select(NAP_S)
        self._loop.leap(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.get_key(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()


def is_late(sent: int, read: int, sender: asyncio.Transport, reader: asyncio.Transport) -> bool:
    """Whether the kernel holds back some of what the sender has given it: it has not come to where the reader
    will find it.
    """
    due = min(sent - sender.get_write_buffer_size() - read, MOST_PEEKED)
    if due <= 0 or reader.is_closing():
        return False
    inner: socket.socket = reader.get_extra_info("socket")._sock  # asyncio's wrapper lets nobody look
    try:
        return len(inner.recv(MOST_PEEKED, socket.MSG_PEEK)) < due
    except BlockingIOError:
        return True
    except OSError:
        return False  # the link went


class SlowWire:
    """A relay before the simulator, on a thread of its own, that takes its time at the door and with each
    piece, as the kernel of a busy machine does.
    """

    def __init__(self, port: int) -> None:
        self._there = ("127.0.0.1", port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._listen, name="slow wire", daemon=True).start()

    def _listen(self) -> None:
        chance = random.Random("slow wire")
        with self._door:
            here, _ = self._door.accept()
        time.sleep(SLOW_DOOR_S)
        with here, socket.create_connection(self._there) as there, selectors.DefaultSelector() as both:
            both.register(here, selectors.EVENT_READ, there)
            both.register(there, selectors.EVENT_READ, here)
            while True:
                for key, _ in both.select():
                    assert isinstance(key.fileobj, socket.socket)
                    piece = key.fileobj.recv(4096)
                    if not piece:
                        return
                    time.sleep(chance.choice((0.0, 0.0, 0.0, SLOW_S)))
                    key.data.sendall(piece)


class HurriedClock:
    """Market time from `start_ns` on, as the loop's time goes; any thread may ask."""

    def __init__(self, loop: HurriedLoop, start_ns: int) -> None:
        self._loop = loop
        self.set(start_ns)

    def set(self, now_ns: int) -> None:
        """It is now so late."""
        self._start_ns, self._since_s = now_ns, self._loop.time()

    def now_ns(self) -> int:
        return self._start_ns + int((self._loop.time() - self._since_s) * NS_PER_S)

    def monotonic(self) -> float:
        return self._loop.time()


class BrokerClock:
    """The simulator's market time beside the loop's: a trader's clock, for its own thread alone."""

    def __init__(self, loop: HurriedLoop, simulator: SimulatedTWS) -> None:
        self._loop, self._simulator = loop, simulator

    def now_ns(self) -> int:
        return self._simulator.now_ns()

    def monotonic(self) -> float:
        return self._loop.time()


class Journal(SQLiteStore):
    """The journal of a real trader, on disk. A commit is answered before the loop looks at any socket again,
    so that how fast the disk is decides nothing.
    """

    def __init__(self, path: Path) -> None:
        self._answered = threading.Event()
        super().__init__(path)

    def commit(self) -> asyncio.Future[None]:
        self._answered.clear()
        waiter = super().commit()
        if not waiter.done() and not self._answered.wait(STUCK_S):
            raise RuntimeError("the journal's thread does not answer")
        return waiter

    def _answer(self, waiters: list[asyncio.Future[None]], failure: JournalError | None) -> None:  # type: ignore[override]  # ours knows itself
        super()._answer(waiters, failure)
        self._answered.set()


class Wire(httpx.AsyncBaseTransport):
    """Real HTTP, overheard: `asked` counts questions under way; `heard` takes each whole answer's body. An
    answer is handed on once all else is `quiet`, so that how fast the server is decides nothing.
    """

    def __init__(
        self, heard: Callable[[httpx.Request, int, bytes], None], quiet: Callable[[], bool]
    ) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._heard, self._quiet = heard, quiet
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        try:
            answer = await self._inner.handle_async_request(request)
            body = b"".join([piece async for piece in answer.stream])  # type: ignore[union-attr]  # async here
            await answer.aclose()
        finally:
            looks = 0
            while looks < QUIET_LOOKS:
                await asyncio.sleep(0)
                looks = looks + 1 if self._quiet() else 0
            self.asked -= 1
        self._heard(request, answer.status_code, body)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))

    async def aclose(self) -> None:
        await self._inner.aclose()
