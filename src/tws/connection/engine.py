"""The life of a connection: it dials, shakes hands, routes what comes, and ends, again and again.

The engine owns one `Link` at a time and everything that outlives it: the books of waiting requests, the id
allocators, the fact lanes, the official client that encodes and the one that decodes. All of it runs on
one event loop, the one on which `connect` was called; `disconnect` may come from anywhere.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Hashable
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from tws.clock import Clock
from tws.config import TWSConfig
from tws.connection import stages
from tws.connection.answers import Answers
from tws.connection.ids import OFFICIAL_FIRST, OURS_FIRST, OrderIds, RequestIds
from tws.connection.lane import FactLanes
from tws.connection.link import Link
from tws.connection.official import OfficialClient, OfficialEncoder, Pipe, decode_for
from tws.connection.outbound import Gates, Outbound
from tws.connection.router import Router
from tws.connection.stages import Handshakes, Stage
from tws.connection.streams import lost
from tws.connection.tws_time import login_zone
from tws.errors import ConnectError, FrameError, NotSentError
from tws.log import get_logger
from tws.model.facts import Link as LinkFact
from tws.model.facts import LinkState
from tws.wire.session import ClientSession

__all__ = ["Callbacks", "Engine", "call_safely"]

log = get_logger("tws.connection")

HANDSHAKES = Handshakes()
"""One for the process: TWS sees the process, whatever its threads and loops."""

_ACCOUNTS_WAIT_S = 1.0  # how long a session waits for account names that TWS did not send with the next id
_AGAIN_FIRST_S, _AGAIN_MOST_S = (
    0.5,
    4.0,
)  # waits between dials on a client id in use: TWS frees it in seconds, or minutes
_WRITE_BOUND = 8 * 2**20  # bytes that may wait for a TWS that does not read


class Callbacks(NamedTuple):
    """What `set_callbacks` took."""

    on_connected: Callable[[], object] | None = None
    on_disconnected: Callable[[], object] | None = None
    on_error: Callable[[int, int, str], object] | None = None


class Engine:
    """See the module. It is the owner of `Link`, of `Answers`, and the wire of `Outbound`."""

    def __init__(self, config: TWSConfig, dial: Callable[..., Any] | None, clock: Clock) -> None:
        self.config = config
        self.client_id = config.client_id
        self.clock = clock
        self.failure: ConnectError | None = None
        self.accounts: tuple[str, ...] = ()
        self.server_version = 0
        self.session = 0
        self.ready = False
        self.zone: tzinfo = UTC
        self.callbacks = Callbacks()
        self.order_ids = OrderIds()
        self.request_ids = RequestIds(OURS_FIRST)
        self.official_ids = RequestIds(OFFICIAL_FIRST)
        self.lanes = FactLanes(call_safely, self._relieved)
        self.answers = Answers(self, self.lanes, self.order_ids, self.request_ids, config.request_timeout)
        self.answers.subscriptions.ready = lambda: self.ready
        self.router = Router(self.answers, lambda: self.lanes.full)
        self.outbound: Outbound
        self.official: OfficialClient
        self._dial = dial
        self._link: Link | None = None
        self._last_link: Link | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._connecting = False
        self._stop = False
        self._has_next_id = False
        self._greeting = False  # while we ask for accounts, before the session is ready
        self._stage = Stage.DIAL
        self._step: asyncio.Future[None] | None = None
        self._verdict: ConnectError | None = None
        self._in_use_text = ""
        self._past_received = self._past_sent = 0

    def furnish(self, gates: Gates) -> None:
        """Build the half that encodes. Apart from `__init__`, because the gates look at the engine."""
        self.official = OfficialClient(Pipe(self.send, self.is_open, self.disconnect))
        self.outbound = Outbound(
            self, OfficialEncoder(self.official), gates, self.answers.knows_order, call_safely
        )
        self.official.sink = self.outbound

    # -- connecting

    async def connect(self) -> None:
        """Open a session, or raise ConnectError within `connection_timeout` + 0.5 s. A session that is open
        stays.
        """
        if self.is_ready_here():
            return
        if self._connecting:
            raise ConnectError(
                "dial", "connect() is already under way on this connection", "Await the first call"
            )
        loop = asyncio.get_running_loop()
        self._adopt(loop)
        self._connecting, self._stop = True, False
        until = loop.time() + self.config.connection_timeout
        try:
            await self._turn(until)
        except ConnectError as failure:
            self.failure = failure
            raise
        finally:
            self._connecting = False
        self.failure = None

    def is_ready_here(self) -> bool:
        """Whether a session is ready on the running loop."""
        return self.ready and self._loop is asyncio.get_running_loop()

    def _adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            self._drop_dead_link()
            self._loop = loop
        self._thread = threading.get_ident()

    def _drop_dead_link(self) -> None:
        """The loop changed (a second asyncio.run): the old link died with the old loop."""
        link, self._link = self._link, None
        if link is not None:
            link.close_without_loop()
            self._past(link)
        self.ready = False
        self.answers.forget_all()
        self.outbound.forget_all()

    async def _turn(self, until: float) -> None:
        assert self._loop is not None
        config = self.config
        key: Hashable = (self._dial, config.host, config.port, config.client_id)
        if not await HANDSHAKES.begin(key, until - self._loop.time()):
            raise ConnectError(
                "dial",
                "another connection of this program is shaking hands with the same client id",
                "Give each its own client_id, or connect them one after the other",
            )
        try:
            await self._attempts(until)
        finally:
            HANDSHAKES.end(key)

    async def _attempts(self, until: float) -> None:
        """Dial; while the client id is in use, again and again on the same id, never on another one."""
        assert self._loop is not None
        wait = _AGAIN_FIRST_S
        while True:
            try:
                await self._attempt(until)
                return
            except ConnectError as failure:
                if failure.code != 326 or self._stop or self._loop.time() + wait >= until:
                    raise
                log.info("client id in use, trying again", client_id=self.client_id, wait_s=wait)
            await asyncio.sleep(wait)
            if self._stop:
                raise stages.switched_off(Stage.DIAL)
            wait = min(wait * 2, _AGAIN_MOST_S)

    async def _attempt(self, until: float) -> None:
        """One dial through all stages."""
        loop = asyncio.get_running_loop()
        self._stage, self._verdict, self._in_use_text = Stage.DIAL, None, ""
        self._step = loop.create_future()
        wire = ClientSession(self.client_id)
        link = self._link = self._last_link = Link(self, wire)
        dialling = asyncio.ensure_future(self._dial_out(link))
        try:
            await self._until_ready(dialling, until)
        except BaseException:
            self._give_up(link, dialling)
            raise
        finally:
            self._step = None

    async def _until_ready(self, dialling: asyncio.Future[None], until: float) -> None:
        loop, step, where = asyncio.get_running_loop(), self._step, self._where
        assert step is not None
        left = max(0.0, until - loop.time())
        await asyncio.wait({dialling, step}, timeout=left, return_when=asyncio.FIRST_EXCEPTION)
        if dialling.done() and not dialling.cancelled():
            error = dialling.exception()
            if isinstance(error, OSError):
                raise stages.cannot_dial(error, where) from error
            if error is not None:
                raise error
        if not step.done():
            raise stages.silent_in(self._stage, where, self.config.connection_timeout)
        if self._verdict is not None:
            raise self._verdict

    async def _dial_out(self, link: Link) -> None:
        host, port = self.config.host, self.config.port
        if self._dial is not None:
            await self._dial(lambda: link, host, port)
        else:
            await asyncio.get_running_loop().create_connection(lambda: link, host, port)

    def _give_up(self, link: Link, dialling: asyncio.Future[None]) -> None:
        """Leave nothing behind: no half-open socket, no task."""
        link.close()
        if not dialling.done():
            dialling.cancel()
        if self._link is link:
            self._link = None
            self._past(link)

    @property
    def _where(self) -> str:
        return f"{self.config.host}:{self.config.port}"

    # -- what the link tells

    def on_dialled(self, link: Link) -> None:
        self._stage = Stage.HANDSHAKE

    def on_accepted(self, link: Link, server_version: int, connection_time: str) -> None:
        self._stage = Stage.START
        self.session += 1
        self.server_version = server_version
        self.zone = login_zone(connection_time)
        self.accounts = ()
        self._has_next_id = False
        self.router.begin(server_version)
        self.official.begin(server_version, connection_time, self.client_id)

    def on_refused(self, link: Link, reason: str) -> None:
        self._settle(stages.not_a_tws(reason, self._where))
        link.close()

    def on_payload(self, link: Link, payload: bytes) -> None:
        self.answers.stamp.now_ns = self.clock.now_ns()
        self.router.take_or_hold(payload)
        if self.lanes.full:
            link.pause_reading()

    def on_bytes(self, link: Link, data: bytes) -> None:
        self.answers.stamp.now_ns = self.clock.now_ns()
        try:
            if not self.router.feed(data):
                link.pause_reading()
        except FrameError as error:
            log.error("the stream of TWS lost its step, closing", reason=str(error))
            link.close()

    def on_full(self, link: Link, full: bool) -> None:
        if not full and link is self._link:
            self.outbound.kick()

    def on_end(self, link: Link, error: Exception | None) -> None:
        if link is not self._link:
            return  # given up before
        if self._step is not None and not self._step.done():
            self._settle(stages.closed_in(self._stage, self._where))
            return
        self._finish(link, "closed by us" if link.closing else str(error or "closed by TWS"))

    def _settle(self, verdict: ConnectError | None) -> None:
        """The connect is decided."""
        if self._step is not None and not self._step.done():
            self._verdict = verdict
            self._step.set_result(None)

    def _finish(self, link: Link, cause: str) -> None:
        """A session is over: all that waits fails, and everybody hears of it, once."""
        self._link = None
        self._past(link)
        was_ready, self.ready = self.ready, False
        self.official.end()
        self.router.go_on(to_the_end=True)
        self.router.end()
        self.answers.fail_all(lambda: lost("not answered"))
        self.answers.subscriptions.fail_all(lambda: lost("ended"))
        self.outbound.link_lost()
        if was_ready:
            log.info("disconnected", where=self._where, client_id=self.client_id, cause=cause)
            self.lanes.tell(LinkFact(state=LinkState.DOWN, session=self.session, cause=cause))
            call_safely(self.callbacks.on_disconnected)

    # -- what the answers tell

    def on_accounts(self, accounts: tuple[str, ...]) -> None:
        self.accounts = accounts
        self._maybe_ready()

    def on_next_id(self, order_id: int) -> None:
        self._has_next_id = True
        if not self.ready and not self.accounts and self._loop is not None:
            # 15 comes before 9 as a rule, not by promise (A2): ask, and go on without after a moment.
            self._loop.call_later(_ACCOUNTS_WAIT_S, self._maybe_ready, True)
            self._greeting = True
            call_safely(self.official.reqManagedAccts)
            self._greeting = False
        self._maybe_ready()

    def _maybe_ready(self, without_accounts: bool = False) -> None:
        link = self._link
        if self.ready or link is None or not link.open or self._step is None or self._step.done():
            return
        if self._has_next_id and (self.accounts or without_accounts):
            self._stage, self.ready = Stage.READY, True
            self._settle(None)
            self.lanes.tell(LinkFact(state=LinkState.CONNECTED, session=self.session, accounts=self.accounts))
            call_safely(self.callbacks.on_connected)

    def on_error_message(self, request_id: int, code: int, text: str) -> None:
        if code == 326 and not self.ready:
            self._settle(stages.in_use(self.client_id, text))
        call_safely(self.callbacks.on_error, request_id, code, text)

    # -- the wire below `Outbound` and the official client

    def is_open(self) -> bool:
        link = self._link
        return link is not None and link.open and (self.ready or self._greeting)

    def is_full(self) -> bool:
        link = self._link
        return link is not None and link.write_full

    def on_loop(self) -> bool:
        return threading.get_ident() == self._thread

    def call_on_loop(self, call: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            raise NotSentError(504, "Not connected")
        loop.call_soon_threadsafe(call)

    def write(self, frame: bytes) -> None:
        """For `Outbound`: bytes to the socket, on the loop's thread."""
        link = self._link
        if link is not None and link.open:
            link.write(frame)

    def send(self, frame: bytes) -> None:
        """A request that moves no money, from any thread. Raises NotSentError when TWS has not read for
        long.
        """
        link = self._link
        if link is not None and link.write_full and link.waiting > _WRITE_BOUND:
            raise NotSentError(509, "TWS does not read: what was sent before waits in our buffer")
        if self.on_loop():
            self.write(frame)
        else:
            # Another session may have another version: the frame is for this one or for none.
            self.call_on_loop(lambda: self.write(frame) if self._link is link else None)

    def attach(self, wrapper: Any) -> Callable[[], None]:
        """See `TWSConnection.attach`."""
        decode = decode_for(wrapper)

        def tap(payload: bytes) -> None:
            call_safely(decode, payload, self.server_version)

        self.router.taps = (*self.router.taps, tap)

        def stop() -> None:
            self.router.taps = tuple(other for other in self.router.taps if other is not tap)

        return stop

    # -- ending

    async def wait_closed(self) -> None:
        """Return when the last socket is gone."""
        link = self._last_link
        if link is not None and link.loop is asyncio.get_running_loop():
            await link.ended.wait()

    def disconnect(self) -> None:
        """Close, from any thread, at any time, without waiting for anything."""
        self._stop = True
        link, loop = self._link, self._loop
        if loop is None:
            return
        if loop.is_closed() or not loop.is_running():
            self._close_without_loop(link)
        elif self.on_loop():
            self._close_here(link)
        else:
            try:
                loop.call_soon_threadsafe(self._close_here, link)
            except RuntimeError:  # the loop closed in this very moment
                self._close_without_loop(link)

    def _close_here(self, link: Link | None) -> None:
        self._settle(stages.switched_off(self._stage))
        if link is not None and link is self._link:
            link.close()
            if not self._connecting:
                # The socket's end comes with a later turn of the loop; for the caller it is over now.
                self._finish(link, "closed by us")

    def _close_without_loop(self, link: Link | None) -> None:
        if link is not None:
            link.close_without_loop()
            self._link, self.ready = None, False
            self._past(link)
            self.official.end()
            if self._loop is not None and not self._loop.is_closed():  # else nobody can wait for an answer
                self.answers.fail_all(lambda: lost("not answered"))
                self.answers.subscriptions.fail_all(lambda: lost("ended"))
                self.outbound.link_lost()

    def _past(self, link: Link) -> None:
        self._past_received += link.bytes_received
        self._past_sent += link.bytes_sent

    @property
    def bytes_received(self) -> int:
        """Bytes of all sessions that were read and acted upon."""
        link = self._link
        return self._past_received + (link.bytes_received - self.router.pending if link is not None else 0)

    @property
    def bytes_sent(self) -> int:
        link = self._link
        return self._past_sent + (link.bytes_sent if link is not None else 0)

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        return self._loop

    @property
    def link(self) -> Link | None:
        return self._link

    def _relieved(self) -> None:
        link = self._link
        if link is not None and self.on_loop() and self.router.go_on():
            link.resume_reading()


def call_safely(function: Callable[..., object] | None, *arguments: object) -> None:
    """Call a user's function; its exception is logged and stops nothing. A coroutine is run as a task."""
    if function is None:
        return
    try:
        result = function(*arguments)
        if inspect.iscoroutine(result):
            task = asyncio.get_running_loop().create_task(result)
            _TASKS.add(task)
            task.add_done_callback(_finished)
    except Exception:
        log.exception("a callback failed", callback=getattr(function, "__qualname__", repr(function)))


_TASKS: set[asyncio.Task[Any]] = set()  # asyncio keeps only weak references to tasks


def _finished(task: asyncio.Task[Any]) -> None:
    _TASKS.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.error("a callback failed", callback=task.get_name(), exc_info=task.exception())
