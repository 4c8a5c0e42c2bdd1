"""The life of a connection: it dials, shakes hands, routes what comes, and ends, again and again.

The engine owns one `Link` at a time and everything that outlives it: the books of waiting requests and of
subscriptions, the id allocators, the fact lanes, the official client that encodes. `Keeper` decides when to
dial again and what to ask then. All of it runs on one event loop, the one on which `connect` was called;
`disconnect` may come from anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, tzinfo
from typing import Any

from msgspec import Struct

from tws.clock import Clock, Rng
from tws.config import TWSConfig
from tws.connection.callbacks import Callbacks, call_safely
from tws.connection.dialling import stages
from tws.connection.dialling.attempt import Dialling
from tws.connection.dialling.link import Link
from tws.connection.dialling.stages import Stage
from tws.connection.dialling.wire import Wire
from tws.connection.encoding.official import OfficialClient, OfficialEncoder, Pipe, decode_for
from tws.connection.hearing.answers import Answers
from tws.connection.hearing.router import Router
from tws.connection.hearing.tws_time import login_zone
from tws.connection.ids import OFFICIAL_FIRST, OURS_FIRST, OrderIds, RequestIds
from tws.connection.keeping.events import ConnectionEvent, ConnectionState, EventKind, Events, Severity
from tws.connection.keeping.keeper import Keep, Keeper, Tools
from tws.connection.keeping.watch import Market, StreamWatch
from tws.connection.lane import FactLanes
from tws.connection.ordering.outbound import Gates, Outbound
from tws.connection.pacing import PacingOptions, Waiting
from tws.connection.streaming.streams import lost
from tws.connection.streaming.subscriptions import Subscription, Subscriptions
from tws.errors import ConnectError, FrameError, RequestError
from tws.log import get_logger
from tws.model.facts import Link as LinkFact
from tws.model.facts import LinkState
from tws.wire.codes import Catalogue, Context, Effect
from tws.wire.session import ClientSession

__all__ = ["Engine", "EngineParts"]

log = get_logger("tws.connection")

_ACCOUNTS_WAIT_S = 1.0  # how long a session waits for account names that TWS did not send with the next id
_EARLY_MOST = 100  # TWS has a dozen farms, and says of each how it is
_PACE_CODES = (0, 100, 101, 309, 322, 162)
"""What may state a limit of TWS in its text (B)."""
_LINE_CODES = (1100, 1101, 1102)
"""TWS has lost its line to IB, or has it again (A6)."""


class EngineParts(Struct, frozen=True, kw_only=True):
    """What an engine is made of: how it dials (None: TCP), its clocks, chance, and how it keeps its link.

    `wall_ns` is the machine's clock, None where market time is a simulation's.
    """

    clock: Clock
    rng: Rng
    keep: Keep
    pacing: PacingOptions
    catalogue: Catalogue
    dial: Callable[..., Any] | None = None
    wall_ns: Callable[[], int] | None = None


class Engine:
    """See the module. It is the owner of `Link` and of `Answers`, and what `Keeper` keeps."""

    def __init__(self, config: TWSConfig, parts: EngineParts) -> None:
        self.config = config
        self.client_id = config.client_id
        self.clock = parts.clock
        self.failure: ConnectError | None = None
        self.accounts: tuple[str, ...] = ()
        self.server_version = 0
        self.connection_time = ""
        self.session = 0
        self.ready = False
        self.heard_s = 0.0
        self.zone: tzinfo = UTC
        self.callbacks = Callbacks()
        self.order_ids = OrderIds()
        self.request_ids = RequestIds(OURS_FIRST)
        self.official_ids = RequestIds(OFFICIAL_FIRST)
        self.lanes = FactLanes(call_safely, self._relieved)
        self.events = Events(call_safely)
        self.answers = Answers(
            self, self.lanes, self.order_ids, self.request_ids, config.request_timeout, parts.catalogue
        )
        self.router = Router(self.answers, lambda: self.lanes.full)
        self.wire = Wire(parts.pacing, lambda: self.ready or self._greeting, lambda: self.outbound.kick())
        self.answers.requests.on_wire(self.wire)
        self.keeper: Keeper
        self.outbound: Outbound
        self.official: OfficialClient
        self._parts = parts
        self._last_link: Link | None = None
        self._dialling = Dialling(config, parts.dial, self._open_link, self._given_up)
        self._has_next_id = False
        self._early: list[tuple[int, str]] = []  # what TWS said of its lines before the session was ready
        self._greeting = False  # while we ask for accounts, before the session is ready
        self._past_received = self._past_sent = 0
        self._strange: set[int] = set()  # codes that are not listed, each told once

    def furnish(self, gates: Gates, market: Market, synchronise: Callable[[], Awaitable[list[str]]]) -> None:
        """Build what encodes and what keeps. Apart from `__init__`, because the gates look at the engine."""
        keep, subscriptions = self._parts.keep, self.answers.subscriptions
        watch = StreamWatch(subscriptions, market, self._stale, stale_s=keep.stale_s, verify_s=keep.verify_s)
        watch.waits = self.wire.waits
        self.synchronise = synchronise
        tools = Tools(events=self.events, watch=watch, rng=self._parts.rng, wall_ns=self._parts.wall_ns)
        self.keeper = Keeper(self, keep, tools)
        self.lanes.add(self.keeper.book.hear, bound=1)
        subscriptions.ready = lambda: self.ready
        subscriptions.keeping = lambda: self.keeper.keeping
        subscriptions.resuming = lambda: self.ready and self.keeper.state is not ConnectionState.READY
        subscriptions.on_refused = self._refused
        self.official = OfficialClient(Pipe(self.wire.send, self.wire.is_open, self.disconnect))
        self.encoder = OfficialEncoder(self.official)
        self.outbound = Outbound(self.wire, self.encoder, gates, self.answers, call_safely)
        self.official.sink = self.outbound

    # -- connecting

    async def connect(self) -> None:
        """Open a session, or raise ConnectError within `connection_timeout` + 0.5 s. A session that is open
        stays; one that is being dialled again is waited for.
        """
        if self.is_ready_here():
            return
        try:
            await self._connect(asyncio.get_running_loop())
        except ConnectError as failure:
            self.failure = failure
            raise

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._lives_elsewhere(loop):
            raise stages.elsewhere()
        if self.wire.loop is loop and self.keeper.keeping:
            await self._until_kept()
            return
        if self.wire.loop is loop:
            await self._dialling.given_up()
        if self._dialling.under_way:
            raise stages.under_way()
        self._adopt(loop)
        self._dialling.stopped = False
        self.keeper.dials()
        try:
            await self._dial()
        except BaseException as error:
            failure = error if isinstance(error, ConnectError) else stages.switched_off(Stage.DIAL)
            self.keeper.failed(failure)
            raise

    async def redial(self) -> None:
        """For the keeper: one more session, after one was lost."""
        await self._dial()

    def is_ready_here(self) -> bool:
        """Whether a session is ready on the running loop."""
        return self.ready and self.wire.loop is asyncio.get_running_loop()

    async def _dial(self) -> None:
        try:
            await self._dialling.run()
        except ConnectError as failure:
            self.failure = failure
            raise
        self.failure = None

    async def _until_kept(self) -> None:
        """The keeper dials already: its next session is ours."""
        up = (ConnectionState.SYNCHRONISING, ConnectionState.READY, ConnectionState.CLOSED)
        try:
            async with asyncio.timeout(self.config.connection_timeout):
                await self.keeper.until(*up)
        except TimeoutError:
            pass
        if not self.ready:
            raise self.failure or stages.silent_in(Stage.DIAL, self._where, self.config.connection_timeout)

    def _lives_elsewhere(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether what we would take is in use: its readers would wait for ever."""
        theirs = self.wire.loop
        if theirs is None or theirs is loop or not theirs.is_running():
            return False
        idle = self.wire.link is None and self.keeper.state is ConnectionState.CLOSED
        return not idle or self._dialling.under_way

    def _adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.wire.loop is not loop:
            self._drop_dead_link()
        self.wire.adopt(loop)

    def _drop_dead_link(self) -> None:
        """The loop changed (a second asyncio.run): the old link died with the old loop."""
        link, self.wire.link = self.wire.link, None
        if link is not None:
            link.close_without_loop()
            self._past(link)
        self.ready = False
        self.keeper.forget()
        self.wire.forget()
        self.answers.forget_all()
        self.outbound.forget_all()

    def _open_link(self) -> Link:
        link = self.wire.link = self._last_link = Link(self, ClientSession(self.client_id))
        return link

    def _given_up(self, link: Link) -> None:
        if self.wire.link is link:
            self.wire.link = None
            self._past(link)

    @property
    def _where(self) -> str:
        return f"{self.config.host}:{self.config.port}"

    # -- what the link tells

    def on_dialled(self, link: Link) -> None:
        self._dialling.in_stage(Stage.HANDSHAKE)

    def on_accepted(self, link: Link, server_version: int, connection_time: str) -> None:
        self._dialling.in_stage(Stage.START)
        self.session += 1
        self.server_version = server_version
        self.connection_time = connection_time
        self.zone = login_zone(connection_time)
        self.accounts = ()
        self._has_next_id = False
        self._early.clear()
        self.router.begin(server_version)
        self.wire.begin(server_version)
        self.official.begin(server_version, connection_time, self.client_id)

    def on_refused(self, link: Link, reason: str) -> None:
        self._dialling.settle(stages.not_a_tws(reason, self._where))
        link.close()

    def on_payload(self, link: Link, payload: bytes) -> None:
        self.answers.stamp.now_ns = self.clock.now_ns()
        self.router.take_or_hold(payload)
        if self.lanes.full:
            link.pause_reading()

    def on_bytes(self, link: Link, data: bytes) -> None:
        self.answers.stamp.now_ns = self.clock.now_ns()
        self.heard_s = link.loop.time()
        try:
            if not self.router.feed(data):
                link.pause_reading()
        except FrameError as error:
            log.error("the stream of TWS lost its step, closing", reason=str(error))
            self.drop(f"the stream lost its step: {error}")

    def on_full(self, link: Link, full: bool) -> None:
        if not full and link is self.wire.link:
            self.outbound.kick()

    def on_end(self, link: Link, error: Exception | None) -> None:
        if link is not self.wire.link:
            return  # given up before
        attempt = self._dialling.attempt
        if attempt is not None and not attempt.settled:
            attempt.settle(stages.closed_in(attempt.stage, self._where))
            return
        self._finish(link, "closed by us" if link.closing else str(error or "closed by TWS"))

    def _finish(self, link: Link, cause: str) -> None:
        """A session is over: what waits for an answer fails, and everybody hears of it, once."""
        self.wire.link = None
        self._past(link)
        was_ready, self.ready = self.ready, False
        self.official.end()
        self.wire.end()
        self.router.go_on(to_the_end=True)
        self.router.end()
        self.answers.fail_all(lambda: lost("not answered"))
        if self.keeper.keeping:
            self.answers.subscriptions.interrupted(cause)
        else:
            self.answers.subscriptions.fail_all(lambda: lost("ended"))
        self.outbound.link_lost()
        if was_ready:
            log.info("disconnected", where=self._where, client_id=self.client_id, cause=cause)
            self.lanes.tell(LinkFact(state=LinkState.DOWN, session=self.session, cause=cause))
            self.keeper.lost(cause)
            call_safely(self.callbacks.on_disconnected)

    # -- what the answers tell

    def on_accounts(self, accounts: tuple[str, ...]) -> None:
        self.accounts = accounts
        self._maybe_ready()

    def on_next_id(self, order_id: int) -> None:
        self._has_next_id = True
        if not self.ready and not self.accounts and self.wire.loop is not None:
            # 15 comes before 9 as a rule, not by promise (A2): ask, and go on without after a moment.
            self.wire.loop.call_later(_ACCOUNTS_WAIT_S, self._maybe_ready, True)
            self._greeting = True
            call_safely(self.official.reqManagedAccts)
            self._greeting = False
        self._maybe_ready()

    def _maybe_ready(self, without_accounts: bool = False) -> None:
        link, attempt = self.wire.link, self._dialling.attempt
        if self.ready or link is None or not link.open or attempt is None or attempt.settled:
            return
        if self._has_next_id and (self.accounts or without_accounts):
            attempt.stage, self.ready = Stage.READY, True
            attempt.settle(None)
            self.heard_s = link.loop.time()
            self.wire.accepted()
            self.lanes.tell(LinkFact(state=LinkState.CONNECTED, session=self.session, accounts=self.accounts))
            self.keeper.opened()
            early, self._early = self._early, []
            for code, text in early:
                self.keeper.code(code, text)
            call_safely(self.callbacks.on_connected)

    def on_time(self) -> None:
        self.wire.echoed()

    def on_error_message(self, request_id: int, code: int, text: str) -> None:
        if code in _PACE_CODES and self.wire.pacer.learn(text, request_id):
            self._tell(EventKind.PACING, f"TWS states its limits: {text}", Severity.WARNING, code)
        if code in _LINE_CODES and request_id == -1:
            self.wire.line(down=code == 1100, forgotten=code == 1101)
        if code == 326 and not self.ready:
            self._dialling.settle(stages.in_use(self.client_id, text))
        elif request_id == -1 and self.ready:
            self.keeper.code(code, text)
        elif request_id == -1 and len(self._early) < _EARLY_MOST:
            self._early.append((code, text))
        if not self.answers.catalogue.lookup(code).known and code not in self._strange:
            self._strange.add(code)
            self._tell(
                EventKind.CODE, f"TWS says {code}, which nobody has listed: {text}", Severity.WARNING, code
            )
        call_safely(self.callbacks.on_error, request_id, code, text)

    def on_unreadable(self, name: str) -> None:
        self.keeper.misread(name)

    # -- what the keeper asks

    @property
    def subscriptions(self) -> Subscriptions:
        return self.answers.subscriptions

    @property
    def reading_paused(self) -> bool:
        """Whether we do not read because somebody is slow."""
        link = self.wire.link
        return link is not None and link.reading_paused

    def now_ns(self) -> int:
        return self.clock.now_ns()

    def effect(self, code: int, context: Context) -> Effect:
        return self.answers.catalogue.effect(code, context)

    def waiting_requests(self) -> tuple[Waiting, ...]:
        return self.wire.waiting()

    def ask_time(self) -> None:
        """A heartbeat: whatever comes back shows that TWS lives."""
        if self.wire.is_open():
            call_safely(self.official.reqCurrentTime)

    def drop(self, cause: str) -> None:
        """The link is dead, whatever the socket says."""
        link = self.wire.link
        if link is not None:
            link.abort()
            if not self._dialling.under_way:
                self._finish(link, cause)

    def _refused(self, subscription: Subscription, error: RequestError) -> None:
        self.keeper.stream_refused(error, subscription.stream.contract.symbol)

    def _stale(self, subscription: Subscription, silent_s: float) -> None:
        where = "and TWS has not answered" if subscription.stream.owed else "in an open market"
        text = f"a stream is stale: nothing for {silent_s:.0f} s {where}; it is opened anew"
        self._tell(EventKind.STREAM, text, Severity.WARNING, symbol=subscription.stream.contract.symbol)

    def _tell(self, kind: EventKind, text: str, severity: Severity, code: int = 0, symbol: str = "") -> None:
        event = ConnectionEvent(
            kind=kind,
            text=text,
            at_ns=self.now_ns(),
            severity=severity,
            session=self.session,
            code=code,
            symbol=symbol,
        )
        self.events.tell(event)

    # -- others who listen

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
        self._dialling.stopped = True
        link, loop = self.wire.link, self.wire.loop
        if loop is None:
            return
        if loop.is_closed() or not loop.is_running():
            self._close_without_loop(link)
        elif self.wire.on_loop():
            self._close_here()
        else:
            try:
                loop.call_soon_threadsafe(self._close_here)
            except RuntimeError:  # the loop closed in this very moment
                self._close_without_loop(link)

    def _close_here(self) -> None:
        link = self.wire.link
        self._dialling.settle(stages.switched_off(self._dialling.stage))
        waits = self.keeper.keeping and not self.ready
        self.keeper.ended("closed by us")
        if waits:  # no session will end any more that could tell the streams
            self.answers.subscriptions.fail_all(lambda: lost("ended"))
        if link is not None:
            link.close()
            if not self._dialling.under_way:
                # The socket's end comes with a later turn of the loop; for the caller it is over now.
                self._finish(link, "closed by us")

    def _close_without_loop(self, link: Link | None) -> None:
        loop = self.wire.loop
        may_go_on = loop is not None and not loop.is_closed()  # else nobody can wait for an answer
        if may_go_on:
            self.keeper.abandoned("closed by us")
        else:
            self.keeper.forget()
        if link is not None:
            link.close_without_loop()
            self.wire.link, self.ready = None, False
            self._past(link)
            self.official.end()
        if may_go_on:
            self.answers.fail_all(lambda: lost("not answered"))
            self.answers.subscriptions.fail_all(lambda: lost("ended"))
            self.outbound.link_lost()

    def _past(self, link: Link) -> None:
        self._past_received += link.bytes_received
        self._past_sent += link.bytes_sent

    @property
    def bytes_received(self) -> int:
        """Bytes of all sessions that were read and acted upon."""
        link = self.wire.link
        return self._past_received + (link.bytes_received - self.router.pending if link is not None else 0)

    @property
    def bytes_sent(self) -> int:
        link = self.wire.link
        return self._past_sent + (link.bytes_sent if link is not None else 0)

    def _relieved(self) -> None:
        link = self.wire.link
        if link is not None and self.wire.on_loop() and self.router.go_on():
            link.resume_reading()
