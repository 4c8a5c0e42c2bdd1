"""The watch over streams: each that TWS feeds must be fed while its market is open.

A look each second compares how much has come. A stream that is silent for `stale_s` is asked after: is its
market open, by the hours that the broker states for the contract? Then it is stale, and opened anew, with
growing patience. So is a stream whose first answer TWS still owes, whatever its market does; one whose
request waits for TWS's limits is not blamed. Hours that nobody knows are asked for once. After 1102 (nothing
lost, says TWS) the first silence allowed is `verify_s`; after 1101 everything is opened anew at once. A
stream that TWS refused after it had lived is tried again, later each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tws.connection.streaming.streams import Stream
from tws.connection.streaming.subscriptions import Subscription, Subscriptions

__all__ = ["Market", "StreamWatch"]

PATIENCE_MOST_S = 900.0
"""A market can be open and quiet; a line that is renewed for nothing costs two requests in a quarter hour."""
REFUSED_FIRST_S, REFUSED_MOST_S = 5.0, 300.0
"""Waits before a stream that was refused is tried again."""


class Market(Protocol):
    """What the watch asks about a contract."""

    def is_open(self, stream: Stream) -> bool | None:
        """Whether its market is open now; None when the hours are not known (yet: they were asked for)."""
        ...


class _Watched:
    """What the watch knows of one subscription."""

    __slots__ = ("count", "patience_s", "since_s")

    def __init__(self, count: int, since_s: float, patience_s: float) -> None:
        self.count = count
        self.since_s = since_s
        self.patience_s = patience_s


class StreamWatch:
    """See the module. `stale(subscription, seconds)` is told of each stream found stale."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        market: Market,
        stale: Callable[[Subscription, float], None],
        *,
        stale_s: float,
        verify_s: float,
    ) -> None:
        self._subscriptions = subscriptions
        self._market = market
        self._stale = stale
        self._stale_s = stale_s
        self._verify_s = verify_s
        self._watched: dict[Subscription, _Watched] = {}
        self.waits: Callable[[int], bool] = lambda request_id: False
        """Whether TWS's limits keep this request back; set by the engine."""

    def begin(self) -> None:
        """A session is ready: nobody can blame a stream for its silence before it."""
        for watched in self._watched.values():
            watched.since_s = -1.0  # counted from the next look

    def verify(self, *, renew: bool) -> None:
        """TWS is back: with `renew` it has lost all subscriptions (1101), else it says that it has none."""
        if renew:
            self._subscriptions.lost_by_broker()
        for subscription in self._subscriptions:
            subscription.stream.restored()
            known = self._watched.get(subscription)
            patience_s = self._verify_s if known is None else min(known.patience_s, self._verify_s)
            # what came before the gap shows nothing; silence is counted from the next look
            self._watched[subscription] = _Watched(subscription.stream.count, -1.0, patience_s)

    def look(self, now_s: float) -> None:
        """Once a second while a session is there."""
        living = list(self._subscriptions)
        for subscription in living:
            self._look_at(subscription, now_s)
        if len(self._watched) > len(living):
            here = set(living)
            self._watched = {key: value for key, value in self._watched.items() if key in here}

    def _look_at(self, subscription: Subscription, now_s: float) -> None:
        stream, watched = subscription.stream, self._watched.get(subscription)
        if watched is None:
            watched = self._watched[subscription] = _Watched(stream.count, now_s, self._stale_s)
        if stream.count != watched.count:
            watched.count, watched.since_s, watched.patience_s = stream.count, now_s, self._stale_s
            subscription.refusals = 0
            return
        if watched.since_s < 0:
            watched.since_s = now_s
        silent_s = now_s - watched.since_s
        if not subscription.sent:
            wait_s = min(REFUSED_FIRST_S * 2 ** min(subscription.refusals, 10), REFUSED_MOST_S)
            if silent_s >= wait_s:
                watched.since_s = now_s
                self._subscriptions.renew(subscription)
            return
        if silent_s < watched.patience_s or not (stream.steady or stream.owed):
            return
        if self.waits(stream.request_id):
            watched.since_s = now_s  # it has not left yet
        elif stream.owed or self._market.is_open(stream):
            watched.since_s, watched.patience_s = now_s, min(watched.patience_s * 2, PATIENCE_MOST_S)
            self._stale(subscription, silent_s)
            self._subscriptions.renew(subscription)
