"""What TWS feeds until it is cancelled: the connection owns it, over lost links too.

Each subscription is a stream of the user's and the two requests that begin and end it. A request id serves
one session of one subscription: a renewal takes a new one, so that what comes late for the old one finds
nobody. When the link goes the streams that the connection keeps are interrupted, not ended; `renew_all`
opens them again on the next session. A stream that TWS refuses ends with its error, unless it has lived
before: then it is tried again later (`refused`), since a TWS that has just come back refuses much. One that
was opened before a gap and has never brought anything is tried again a few times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tws.connection.ids import RequestIds
from tws.connection.streaming.streams import QuoteStream, Stamp, Stream, lost
from tws.errors import NotSentError, PacingError, RequestError, TWSError
from tws.log import get_logger

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Quotes

__all__ = ["Subscription", "Subscriptions"]

log = get_logger("tws.connection")

REFUSALS_MOST = 5
"""So often in a row may a stream be refused that has never brought anything: then it ends. A TWS that has
just come back refuses what it will serve a moment later; these are 10, 20, 40 and 80 s apart.
"""


class Subscription:
    """One stream and how it is asked for."""

    __slots__ = ("cancel", "lived", "refusals", "send", "sent", "stream")

    def __init__(
        self, stream: Stream, send: Callable[[int], object], cancel: Callable[[int], object]
    ) -> None:
        self.stream = stream
        self.send = send
        self.cancel = cancel
        self.sent = False
        """Whether TWS has been asked in this session and has not refused."""
        self.lived = False
        """Whether it was once open at TWS without being refused until the link went or data came."""
        self.refusals = 0
        """How often it was refused in a row after it had lived."""


class Subscriptions:
    """All subscriptions of a connection. On the loop's thread."""

    def __init__(self, ids: RequestIds, quotes: Quotes, stamp: Stamp) -> None:
        self.ids = ids
        self._quotes = quotes
        self._stamp = stamp
        self._open: dict[int, Subscription] = {}
        self.streams: dict[int, Stream] = {}
        """By the request id of the present session."""
        self.ready: Callable[[], bool] = lambda: False
        """Whether a session is ready; set by the engine."""
        self.keeping: Callable[[], bool] = lambda: False
        """Whether a lost link will be dialled again; set by the engine."""
        self.resuming: Callable[[], bool] = lambda: False
        """Whether a session is being synchronised, after which streams are renewed; set by the engine."""
        self.on_refused: Callable[[Subscription, RequestError], None] = lambda subscription, error: None
        """Told of a renewal that TWS refused."""

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def open(self, stream: Stream, send: Callable[[int], object], cancel: Callable[[int], object]) -> None:
        """Subscribe. While a kept link is down it is sent at the next session, and while streams of before
        wait for their renewal it waits with them: it must not take the place of one that has lived.

        Raises NotSentError when there is neither, or what the sending raises; nothing is left then.
        """
        if not self.ready() and not self.keeping():
            raise NotSentError(504, "Not connected")
        subscription = Subscription(stream, send, cancel)
        stream.attach(lambda: self._close(stream))
        waits = not self.ready() or (self.resuming() and any(not other.sent for other in self))
        self._register(subscription)
        if waits:
            stream.interrupt("opened while the link is down", self._stamp.now_ns)
            return
        try:
            self._send(subscription)
        except BaseException:
            self._drop(stream.request_id)
            raise

    def error(self, number: int, code: int, text: str, refusal: RequestError | None) -> None:
        """TWS said this about a request id; `refusal` when it ends the stream."""
        subscription = self._open.get(number)
        if subscription is None:
            return
        subscription.stream.note(code, text)
        if refusal is None:
            return
        subscription.sent = False
        subscription.refusals += 1
        may_return = subscription.lived and subscription.refusals < REFUSALS_MOST
        if self.keeping() and (may_return or subscription.stream.count):
            subscription.lived = True
            subscription.stream.interrupt(f"TWS error {code}: {text}", self._stamp.now_ns)
            self.on_refused(subscription, refusal)
        else:
            self._drop(number)
            subscription.stream.fail(refusal)

    def interrupted(self, cause: str) -> None:
        """The session is over, and another one will come."""
        for subscription in self:
            subscription.lived = subscription.lived or subscription.sent
            subscription.sent = False
            subscription.stream.interrupt(cause, self._stamp.now_ns)

    def interrupted_by_broker(self, cause: str) -> None:
        """TWS has lost IB (1100): nothing is fed, and nobody knows yet whether it will go on by itself."""
        for subscription in self:
            subscription.stream.interrupt(cause, self._stamp.now_ns)

    def lost_by_broker(self) -> None:
        """TWS says that it has forgotten the market data that it fed (1101, A6). What it never fed it may
        have kept, to serve it now, and of accounts nobody says that it has forgotten them: so each is
        cancelled all the same. For what is forgotten TWS answers 300 or 366; the stream has another id by
        then, so that this is not taken for a refusal of it.
        """
        for subscription in self:
            stream = subscription.stream
            subscription.lived = subscription.lived or subscription.sent
            if subscription.sent:
                old, subscription.sent = stream.request_id, False
                self._drop(old)
                self._register(subscription)
                self._cancel(subscription, old)
            stream.interrupt("restored, data lost (1101)", self._stamp.now_ns)

    def renew_all(self, *, only_unsent: bool = False) -> None:
        """Open every subscription anew; `only_unsent`: those that TWS does not feed."""
        for subscription in self:
            if not (only_unsent and subscription.sent):
                self.renew(subscription)

    def renew(self, subscription: Subscription) -> bool:
        """Ask TWS anew, under a new request id; what it still feeds under the old one is cancelled.

        False when it could not be sent; it stays, for the next try.
        """
        stream = subscription.stream
        if stream.closed or not self.ready():
            return False
        stream.interrupt("renewed", self._stamp.now_ns)
        stream.reset()
        if stream.closed:
            return False  # by whom these two called
        old, fed = stream.request_id, subscription.sent
        self._drop(old)
        self._register(subscription)
        try:
            if fed:
                subscription.sent = False
                subscription.cancel(old)
            self._send(subscription)
        except TWSError as error:
            lived = subscription.lived or stream.count
            if isinstance(error, PacingError) and (not lived or subscription.refusals + 1 >= REFUSALS_MOST):
                # Others have its place: it was opened while the link was down, or they came first when it was
                # back. No waiting makes room, so its user has to hear of it.
                self._drop(stream.request_id)
                stream.fail(error)
                return False
            subscription.refusals += 1
            log.warning("stream not renewed", symbol=stream.contract.symbol, reason=str(error))
            return False
        return True

    def fail_all(self, error: Callable[[], TWSError]) -> None:
        """The connection ends: so do its streams."""
        for subscription in self:
            self._drop(subscription.stream.request_id)
            subscription.stream.fail(error())

    def forget_all(self) -> None:
        """The loop of all readers has closed: nobody can be woken, but who looks later is told."""
        for subscription in self:
            stream = subscription.stream
            self._drop(stream.request_id)
            stream.failure, stream.closed = lost("its event loop has closed"), True

    def _register(self, subscription: Subscription) -> None:
        stream = subscription.stream
        number = stream.request_id = self.ids.take()
        self._open[number] = subscription
        self.streams[number] = stream
        if isinstance(stream, QuoteStream):
            self._quotes.add(number, stream)

    def _send(self, subscription: Subscription) -> None:
        subscription.send(subscription.stream.request_id)
        subscription.sent = True

    def _cancel(self, subscription: Subscription, number: int) -> None:
        try:
            subscription.cancel(number)
        except TWSError as error:
            log.warning("subscription not cancelled", request_id=number, reason=str(error))

    def _drop(self, number: int) -> Subscription | None:
        self.streams.pop(number, None)
        self._quotes.drop(number)
        return self._open.pop(number, None)

    def _close(self, stream: Stream) -> None:
        subscription = self._drop(stream.request_id)
        if subscription is not None and subscription.sent and self.ready():
            subscription.cancel(stream.request_id)
