"""News: providers (85), articles (84), headlines of the past (86), bulletins (12, 13), headlines on streams
of market data (generic tick 292, contracts of type NEWS).

The texts are `tws.simulator.content.news`; which providers may be read says `Subscriptions`. Sources:
official documentation and client; forms of times, ids and tags are recorded; what a refusal of historical
news says is assumed to be what that of a stream says (reported).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime
from tws.simulator.content.news import OLDEST, Bulletin, bulletins, days_back, news_of, place_of
from tws.simulator.content.news import News as Item
from tws.simulator.hours import local_date, midnight_ns
from tws.simulator.instants import instant
from tws.simulator.session import Session
from tws.simulator.subscriptions import PROVIDERS
from tws.wire.messages import (
    CancelNewsBulletins,
    HistoricalNews,
    HistoricalNewsEnd,
    HistoricalNewsRequest,
    NewsArticle,
    NewsArticleRequest,
    NewsBulletin,
    NewsBulletinsRequest,
    NewsProvider,
    NewsProviders,
    NewsProvidersRequest,
    TickNews,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["NOT_ALLOWED", "News"]

NOT_ALLOWED = (10276, "News feed is not allowed.")
"""Reported."""
NO_ARTICLE = (10172, "Failed to request news article:No data available")
"""Reported."""
MOST = 300
"""Headlines in one answer (official documentation)."""
BY_HAND = 1000
"""Items that were published by hand and are remembered."""
BY_HAND_TAGS = "A:800015:L:en"
_MS = 1_000_000


class _Follower(Struct):
    """A stream that carries headlines: of one instrument, or (`con_ids` None) of all."""

    session: Session
    req_id: int
    con_ids: frozenset[int] | None
    providers: frozenset[str]

    def wants(self, item: Item) -> bool:
        return item.provider in self.providers and (self.con_ids is None or item.con_id in self.con_ids)


class News:
    """Everything that tells news. Time runs by `elapse`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._followers: dict[tuple[Session, int], _Follower] = {}
        self._readers: dict[Session, None] = {}
        self._by_hand: deque[Item] = deque(maxlen=BY_HAND)
        self._published = 0
        self._pinned: deque[Bulletin] = deque(maxlen=BY_HAND)
        self._ahead: list[Item] = []
        self._ahead_until_ns = 0
        self._board: list[Bulletin] = []
        self._board_until_ns = 0

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            NewsProvidersRequest: self._providers,
            NewsArticleRequest: self._article,
            HistoricalNewsRequest: self._history,
            NewsBulletinsRequest: self._subscribe_bulletins,
            CancelNewsBulletins: lambda session, request: self._readers.pop(session, None),
        }

    def drop(self, session: Session) -> None:
        """The session ended."""
        self._readers.pop(session, None)
        for key in [key for key in self._followers if key[0] is session]:
            self.leave(key)

    # -- streams ----------------------------------------------------------------------------------

    def refuses(self, session: Session, req_id: int, providers: Iterable[str]) -> bool:
        """Whether one of these providers may not be read; that was said then."""
        if all(one in self._core.options.subscriptions.news for one in providers):
            return False
        session.error(req_id, *NOT_ALLOWED)
        return True

    def follow(
        self, session: Session, req_id: int, con_id: int | None, providers: Iterable[str] = ()
    ) -> None:
        """Tell this stream the headlines of an instrument (None: all) from now on; without providers those of
        all that are subscribed.
        """
        self.elapse(self._core.now_ns())  # what is due goes to whoever was there
        named = frozenset(providers) or frozenset(self._core.options.subscriptions.news)
        con_ids = None if con_id is None else frozenset((con_id,))
        self._followers[session, req_id] = _Follower(session, req_id, con_ids, named)
        self._look_ahead(self._core.now_ns())

    def leave(self, key: tuple[Session, int]) -> bool:
        """The stream ended; whether it carried headlines."""
        return self._followers.pop(key, None) is not None

    def elapse(self, now_ns: int) -> None:
        """Tell what has happened until now."""
        if self._followers:
            while self._ahead and self._ahead[0].time_ns <= now_ns:
                self._tell(self._ahead.pop(0))
            if now_ns >= self._ahead_until_ns:
                self._look_ahead(now_ns)
        if self._readers:
            while self._board and self._board[0].time_ns <= now_ns:
                self._post(self._board.pop(0))
            if now_ns >= self._board_until_ns:
                self._look_at_board(now_ns)

    def publish(self, con_id: int, provider: str, headline: str, body: str) -> Item:
        """An item by hand: told at once, and kept for history and article."""
        self._published += 1
        name = f"{provider}${self._published:08x}"
        item = Item(self._core.now_ns(), provider, name, headline, BY_HAND_TAGS, body or headline, con_id)
        self._by_hand.append(item)
        self._tell(item)
        return item

    def post(self, text: str, exchange: str, kind: int) -> None:
        """A bulletin by hand."""
        self._published += 1
        bulletin = Bulletin(self._core.now_ns(), self._published, text, exchange, kind)
        self._pinned.append(bulletin)
        self._post(bulletin)

    def _look_ahead(self, now_ns: int) -> None:
        """The rest of the day's headlines of all that is followed."""
        day = local_date(now_ns)
        wanted = {one for follower in self._followers.values() for one in follower.con_ids or ()}
        everything = any(follower.con_ids is None for follower in self._followers.values())
        universe, seed = self._core.universe, self._core.options.seed
        if everything:
            wanted |= self._core.trading
        found = [item for con_id in wanted for item in news_of(seed, universe.get(con_id), day)]
        if everything:
            found += news_of(seed, None, day)
        self._ahead = sorted(
            (item for item in found if item.time_ns > now_ns),
            key=lambda item: (item.time_ns, item.article_id),
        )
        self._ahead_until_ns = midnight_ns(day + timedelta(days=1))

    def _tell(self, item: Item) -> None:
        for follower in self._followers.values():
            if follower.wants(item):
                follower.session.send(
                    TickNews(
                        follower.req_id, item.time_ns // _MS, item.provider, item.article_id, item.headline,
                        item.tags,
                    )
                )  # fmt: skip

    # -- bulletins --------------------------------------------------------------------------------

    def _subscribe_bulletins(self, session: Session, request: NewsBulletinsRequest) -> None:
        now_ns = self._core.now_ns()
        self.elapse(now_ns)  # what is due goes to whoever was there
        self._readers[session] = None
        self._look_at_board(now_ns)
        if request.all_messages:
            for bulletin in self._of_today(now_ns):
                session.send(_said(bulletin))

    def _of_today(self, now_ns: int) -> list[Bulletin]:
        day = local_date(now_ns)
        drawn = [one for one in bulletins(self._core.options.seed, day) if one.time_ns <= now_ns]
        pinned = [one for one in self._pinned if local_date(one.time_ns) == day]
        return sorted((*drawn, *pinned), key=lambda one: one.time_ns)

    def _look_at_board(self, now_ns: int) -> None:
        day = local_date(now_ns)
        drawn = bulletins(self._core.options.seed, day)
        self._board = [one for one in drawn if one.time_ns > now_ns]
        self._board_until_ns = midnight_ns(day + timedelta(days=1))

    def _post(self, bulletin: Bulletin) -> None:
        for session in self._readers:
            session.send(_said(bulletin))

    # -- questions --------------------------------------------------------------------------------

    def _providers(self, session: Session, request: NewsProvidersRequest) -> None:
        codes = self._core.options.subscriptions.news
        session.send(NewsProviders(tuple(NewsProvider(code, PROVIDERS[code]) for code in codes)))

    def _article(self, session: Session, request: NewsArticleRequest) -> None:
        if self.refuses(session, request.req_id, (request.provider_code,)):
            return
        item = self._find(request.article_id)
        if item is None or item.provider != request.provider_code:
            session.error(request.req_id, *NO_ARTICLE)
            return
        session.send(NewsArticle(request.req_id, 0, item.body))

    def _find(self, article_id: str) -> Item | None:
        for item in self._by_hand:
            if item.article_id == article_id:
                return item
        place = place_of(article_id)
        if place is None:
            return None
        con_id, day, _ = place
        security = self._core.universe.get(con_id)
        if (con_id and security is None) or not OLDEST <= day <= local_date(self._core.now_ns()):
            return None
        told = news_of(self._core.options.seed, security, day)
        now_ns = self._core.now_ns()
        return next((one for one in told if one.article_id == article_id and one.time_ns <= now_ns), None)

    def _history(self, session: Session, request: HistoricalNewsRequest) -> None:
        core, req_id, now_ns = self._core, request.req_id, self._core.now_ns()
        providers = [code for code in request.provider_codes.split("+") if code]
        if not providers or self.refuses(session, req_id, providers):
            if not providers:
                session.error(req_id, 321, "Error validating request.-'bP' : cause - Provider is not set")
            return
        try:
            first_ns = max(0, _when(request.start_date_time, now_ns))
            last_ns = max(0, min(now_ns, _when(request.end_date_time, now_ns) or now_ns))
        except (ValueError, OverflowError) as error:
            session.error(req_id, 321, f"Error validating request.-'bP' : cause - {error}")
            return
        security = core.universe.get(request.con_id)
        found: list[Item] = []
        has_more = False
        if security is not None:

            def told(day: date) -> list[Item]:
                drawn = news_of(core.options.seed, security, day)
                own = [one for one in self._by_hand if one.con_id == request.con_id]
                own = [one for one in own if local_date(one.time_ns) == day]
                return [item for item in (*drawn, *own) if item.provider in providers]

            most = min(MOST, request.total_results) if request.total_results > 0 else MOST
            found, has_more = days_back(told, first_ns, last_ns, most)
        for item in found:
            time = to_datetime(item.time_ns).strftime("%Y-%m-%d %H:%M:%S.0")
            headline = f"{{{item.tags}}}{item.headline}"
            session.send(HistoricalNews(req_id, time, item.provider, item.article_id, headline))
        session.send(HistoricalNewsEnd(req_id, has_more))


def _said(bulletin: Bulletin) -> NewsBulletin:
    return NewsBulletin(bulletin.number, bulletin.kind, bulletin.text, bulletin.exchange)


def _when(text: str, now_ns: int) -> int:
    """A bound of historical news, in UTC: `2026-01-05 14:30:00.0`, or one of TWS's other forms."""
    text = text.strip()
    if len(text) > 4 and text[4] == "-":
        whole = text.partition(".")[0]
        return int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()) * NS_PER_S
    return instant(text, UTC, now_ns)
