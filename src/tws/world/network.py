"""A network in memory: `listen` and `dial` with the signatures of the real ones, and weather by a seed.

Each link is two pipes, one a direction (`tws.world.link`). `faults` may be set at any time: faults
that stop are setting it to `CALM`; links that live go on in the new weather.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from contextvars import Context, copy_context

from tws.clock import Rng
from tws.world.domain import Domain, domain_of
from tws.world.faults import CALM, Faults
from tws.world.link import End, Weather, join
from tws.world.trace import Trace

__all__ = ["Listener", "Network"]

Factory = Callable[[], asyncio.BaseProtocol]
_FIRST_PORT = 40_000  # what port 0 is answered with, counting up


class Listener:
    """A listening port. `close` refuses further dials; links that stand stay."""

    def __init__(self, network: Network, host: str, port: int, factory: Factory) -> None:
        self._network = network
        self.host = host
        self.port = port
        self.factory = factory
        self.context: Context = copy_context()

    @property
    def is_open(self) -> bool:
        """Whether a dial would be answered: neither closed nor dead with its process."""
        return self._network.listener(self.host, self.port) is self

    def close(self) -> None:
        """Stop listening. Safe twice."""
        self._network.forget(self)


class Network:
    """Links between the parts of one simulated world."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rng: Rng, faults: Faults = CALM, trace: Trace | None = None
    ) -> None:
        self._weather = Weather(loop, rng, faults, trace or Trace(loop.time))
        self._loop = loop
        self._rng = rng
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._ends: list[End] = []
        self._ports = _FIRST_PORT
        self._dials = 0
        self._links = 0

    @property
    def faults(self) -> Faults:
        """The weather now."""
        return self._weather.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._weather.faults = faults

    def watch(self, on_write: Callable[[Domain | None, bytes], None]) -> None:
        """Tell `on_write` of all that is written from now on, and by whom."""
        self._weather.on_write = lambda end, data: on_write(end.domain, data)

    @property
    def links(self) -> int:
        """How many links came about so far."""
        return self._links

    @property
    def ends(self) -> list[End]:
        """Both ends of every link that still lives, oldest first."""
        self._ends = [end for end in self._ends if not end.is_lost]
        return list(self._ends)

    def listen(self, host: str, port: int, factory: Factory) -> Listener:
        """Answer dials to (`host`, `port`) with protocols of `factory`; port 0 picks one.

        Protocols run in the context (and the domain) of whoever calls this. Raises OSError (EADDRINUSE).
        """
        if port == 0:
            self._ports += 1
            port = self._ports
        if (host, port) in self._listeners:
            raise OSError(errno.EADDRINUSE, f"{host}:{port} is listened on already")
        listener = Listener(self, host, port, factory)
        self._listeners[host, port] = listener
        return listener

    def listener(self, host: str, port: int) -> Listener | None:
        """Who listens there."""
        return self._listeners.get((host, port))

    def forget(self, listener: Listener) -> None:
        """What `Listener.close` does."""
        if self._listeners.get((listener.host, listener.port)) is listener:
            del self._listeners[listener.host, listener.port]

    async def dial(
        self, factory: Factory, host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """A link to (`host`, `port`), as `loop.create_connection` makes one.

        Raises ConnectionRefusedError when nothing listens or the weather says so, TimeoutError after a
        silence. May be cancelled at any time: no link comes about then.
        """
        self._dials += 1
        number, faults, trace = self._dials, self.faults, self._weather.trace
        if self._rng.random() < faults.hang_rate:
            trace.note(f"dial {number} to {host}:{port} hangs")
            await asyncio.sleep(self._rng.uniform(0.0, faults.hang_s))
            raise TimeoutError(errno.ETIMEDOUT, f"no answer from {host}:{port}")
        await asyncio.sleep(self._weather.delay())
        listener = self._listeners.get((host, port))
        if listener is None or self._rng.random() < faults.refuse_rate:
            trace.note(f"dial {number} to {host}:{port} refused")
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{host}:{port} refused the connection")
        near, far = join(self._weather, number, (host, port), copy_context(), listener.context)
        self._ends += (near, far)
        self._links += 1
        trace.note(f"dial {number} to {host}:{port} accepted")
        self._loop.call_soon(lambda: far.start(listener.factory()), context=listener.context)
        protocol = factory()
        near.start(protocol)
        return near, protocol

    def cut_all(self) -> None:
        """Lose every link, now."""
        for end in self.ends:
            end.cut()

    def cut(self, domain: Domain) -> None:
        """Lose every link of a domain."""
        for end in self.ends:
            if end.domain is domain:
                end.cut()

    def on_their_way(self, domain: Domain) -> int:
        """Bytes that a domain wrote and nobody was handed yet."""
        return sum(end.outgoing.size for end in self.ends if end.domain is domain)

    def kill(self, domain: Domain) -> None:
        """Make the links of a dying process inert: it writes and hears no more; its peers notice in time."""
        for end in self.ends:
            if end.domain is domain:
                end.die()
        for key, listener in list(self._listeners.items()):
            if domain_of(listener.context) is domain:
                del self._listeners[key]
