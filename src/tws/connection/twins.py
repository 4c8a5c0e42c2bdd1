"""Blocking twins of what runs on a loop: methods, streams, downloads.

A `Host` has an asynchronous connection on another thread and runs work there (`SyncConnection`). Each helper
makes of a method of `TWSConnection` the one of the same name, parameters and documentation that waits:

    request_quote = asks(TWSConnection.request_quote)        # gives the answer, or raises
    cancel_order = does(TWSConnection.cancel_order)          # gives what the call returns at once
    stream_depth = follows(TWSConnection.stream_depth, DepthChange)   # a SyncStream
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar

from tws.connection.facade import TWSConnection
from tws.connection.families.download import BarDownload
from tws.connection.keeping.events import ConnectionState
from tws.connection.streaming.streams import QuoteStream, Stream
from tws.errors import LinkLostError, NotSentError, RequestTimeoutError
from tws.model.market import Bar, Quote

__all__ = [
    "Host",
    "SyncDownload",
    "SyncQuoteStream",
    "SyncStream",
    "asks",
    "does",
    "follows",
    "follows_quotes",
    "loads",
]

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=Stream)


class Host(Protocol):
    """Whoever runs a connection on another thread."""

    core: TWSConnection

    def is_connected(self) -> bool: ...
    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T: ...


def _like(method: Callable[..., object], twin: Callable[..., T], answer: str = "") -> Callable[..., T]:
    """`twin` with name, documentation and parameters of `method`; help shows `answer` as what it gives."""
    twin = wraps(method)(twin)
    del twin.__wrapped__  # what it returns is not what the method does
    signature = inspect.signature(method)
    given = str(signature.return_annotation)
    if given.startswith("Reply["):
        given = given.removeprefix("Reply[").removesuffix("]")
    twin.__signature__ = signature.replace(return_annotation=answer or given)  # type: ignore[attr-defined]
    return twin


def asks(
    method: Callable[Concatenate[TWSConnection, P], Awaitable[T]],
) -> Callable[Concatenate[Host, P], T]:
    """The twin of a request: the answer itself."""

    def ask(host: Host, *args: P.args, **kwargs: P.kwargs) -> T:
        async def answer() -> T:
            return await method(host.core, *args, **kwargs)

        return host.run(answer())

    return _like(method, ask)


def does(method: Callable[Concatenate[TWSConnection, P], T]) -> Callable[Concatenate[Host, P], T]:
    """The twin of a method that does not wait."""

    def do(host: Host, *args: P.args, **kwargs: P.kwargs) -> T:
        async def done() -> T:
            return method(host.core, *args, **kwargs)

        return host.run(done())

    return _like(method, do)


class SyncStream(Generic[T, S]):
    """A stream seen from another thread: iterate it, or use it in a `with`."""

    def __init__(self, host: Host, stream: S) -> None:
        self._host = host
        self.state = stream
        """The stream inside: its fields may be read from here; its methods are for its own loop (`call`)."""

    def next(self, timeout_s: float | None = None) -> T:
        """The next value as soon as there is one.

        Raises StopIteration at the stream's end, RequestTimeoutError after `timeout_s` without a value, and
        what ended the stream.
        """

        async def following() -> tuple[T] | None:
            stream: Any = self.state
            try:
                return (await asyncio.wait_for(anext(stream), timeout_s),)
            except StopAsyncIteration:
                return None  # it can't cross a future
            except TimeoutError:
                raise RequestTimeoutError(f"no change within {timeout_s:g} s") from None

        found = self._host.run(following(), timeout_s)
        if found is None:
            raise StopIteration
        return found[0]

    def call(self, function: Callable[[S], Awaitable[R]], timeout_s: float | None = None) -> R:
        """Run a coroutine method of the stream where it lives: `account.call(AccountStream.complete)`."""

        async def run() -> R:
            return await function(self.state)

        return self._host.run(run(), timeout_s)

    def on_tick(self, callback: Callable[..., object]) -> Callable[[], None]:
        """As the stream's own `on_tick`; the callback runs on the thread of the loop."""
        stream: Any = self.state
        stop: Callable[[], None] = stream.on_tick(callback)
        return stop

    def close(self) -> None:
        """End the stream. Safe twice, and after the connection's end."""
        if self._host.core.state is ConnectionState.CLOSED:
            return  # the stream has ended with it

        async def close() -> None:
            self.state.close()

        with contextlib.suppress(NotSentError, LinkLostError):  # the link went in this moment, the stream too
            self._host.run(close())

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self.next()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SyncQuoteStream(SyncStream[Quote, QuoteStream]):
    """Merged quotes of one contract."""

    @property
    def quote(self) -> Quote:
        """The last known state."""
        return self.state.quote

    @property
    def merged(self) -> int:
        """Changes that no reader saw on their own."""
        return self.state.merged


def follows(
    method: Callable[Concatenate[TWSConnection, P], S], item: type[T]
) -> Callable[Concatenate[Host, P], SyncStream[T, S]]:
    """The twin of a stream whose values are `item`."""

    def follow(host: Host, *args: P.args, **kwargs: P.kwargs) -> SyncStream[T, S]:
        async def start() -> S:
            stream: Any = method(host.core, *args, **kwargs)
            made: S = aiter(stream)  # from now on what comes waits for us, who are on another thread
            return made

        return SyncStream(host, host.run(start()))

    return _like(method, follow, f"SyncStream[{item.__name__}]")


def follows_quotes(
    method: Callable[Concatenate[TWSConnection, P], QuoteStream],
) -> Callable[Concatenate[Host, P], SyncQuoteStream]:
    """The twin of a stream of quotes."""
    start = does(method)

    def follow(host: Host, *args: P.args, **kwargs: P.kwargs) -> SyncQuoteStream:
        return SyncQuoteStream(host, start(host, *args, **kwargs))

    return _like(method, follow, "SyncQuoteStream")


class SyncDownload:
    """A download as a plain iterator of lists of bars; after an error it can be gone on with."""

    def __init__(self, host: Host, download: BarDownload) -> None:
        self._host = host
        self.state = download
        """The download inside, with its `position` and `rows`."""

    def __iter__(self) -> Iterator[list[Bar]]:
        return self

    def __next__(self) -> list[Bar]:
        async def following() -> list[Bar] | None:
            return await anext(self.state, None)

        found = self._host.run(following())
        if found is None:
            raise StopIteration
        return found


def loads(
    method: Callable[Concatenate[TWSConnection, P], BarDownload],
) -> Callable[Concatenate[Host, P], SyncDownload]:
    """The twin of a download."""
    start = does(method)

    def load(host: Host, *args: P.args, **kwargs: P.kwargs) -> SyncDownload:
        return SyncDownload(host, start(host, *args, **kwargs))

    return _like(method, load, "SyncDownload")
