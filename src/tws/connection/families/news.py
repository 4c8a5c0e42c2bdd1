"""News: who provides them, headlines of the past and of now, articles, bulletins of exchanges.

Headlines of now are market data without quotes (generic tick 292 behind "mdoff"): each stream takes a line.
Bulletins come under no request id; all streams of them share one subscription, which ends with the last.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tws.clock import NS_PER_S
from tws.connection.families.base import Handlers, first, hear_rows
from tws.connection.families.contracts import ContractQuestions
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.newsstreams import BulletinStream, NewsStream
from tws.connection.streaming.streams import Stream
from tws.model.contract import Contract
from tws.model.news import BulletinKind, NewsArticle, NewsBulletin, NewsHeadline, NewsPage, NewsProvider
from tws.wire.messages import HistoricalNews, HistoricalNewsEnd, NewsProviders, TickNews
from tws.wire.messages import NewsArticle as WireArticle
from tws.wire.messages import NewsBulletin as WireBulletin

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["MOST_HEADLINES", "NewsQuestions", "hear"]

PROVIDERS = "news providers"
MOST_HEADLINES = 300
"""In one answer (official documentation)."""
_NS_PER_MS = 1_000_000


class NewsQuestions(ContractQuestions):
    """Questions about news."""

    def request_news_providers(self) -> Reply[list[NewsProvider]]:
        """Whose news the login may read."""
        return self._question(PROVIDERS, "news providers", first, self._engine.official.reqNewsProviders)

    def request_news_article(self, provider: str, article_id: str) -> Reply[NewsArticle]:
        """The article behind a headline. NotSubscribedError for a provider that the login may not read
        (10276), RequestError 10172 for an article that there is not.
        """
        return self._request(
            "news article",
            lambda rows: NewsArticle(kind=first(rows).article_type, text=first(rows).article_text),
            lambda number: self._engine.official.reqNewsArticle(number, provider, article_id, []),
        )

    def request_historical_news(
        self,
        contract: Contract,
        providers: Iterable[str],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        count: int = 100,
    ) -> Reply[NewsPage]:
        """Headlines about an instrument, the newest first: after `start`, until `end` (aware; None: any,
        now).

        providers  codes of `request_news_providers`
        count      1 to 300

        A contract without `con_id` is looked up first: NoContractError, AmbiguousContractError. Raises
        ValueError without a provider, for a naive time and for a count out of bounds.
        """
        codes = "+".join(providers)
        if not codes:
            raise ValueError("providers is empty: take codes of request_news_providers")
        if not 1 <= count <= MOST_HEADLINES:
            raise ValueError(f"count is {count}: 1 to {MOST_HEADLINES}")
        bounds = ("" if start is None else _utc_text(start), "" if end is None else _utc_text(end))
        self._must_be_ready()
        if contract.con_id:
            return self._ask_past(contract.con_id, codes, bounds, count)
        return self._task(self._look_up_past(contract, codes, bounds, count))

    def stream_news(self, contract: Contract | None = None, providers: Iterable[str] = ()) -> NewsStream:
        """Headlines from now on: about an instrument (from all providers, or these), or without a contract
        all of one provider. A market data line.

        NotSubscribedError (10276) ends it for a provider that the login may not read. Raises ValueError
        without a contract unless one provider is named.
        """
        codes = tuple(providers)
        if contract is None:
            if len(codes) != 1:
                raise ValueError("without a contract name one provider, such as BRFG")
            name = codes[0]
            contract = Contract(symbol=f"{name}:{name}_ALL", sec_type="NEWS", exchange=name, currency="")
            wishes = "mdoff,292"
        else:
            wishes = "mdoff,292" + (f":{'+'.join(codes)}" if codes else "")
        official, asked = self._engine.official, contract
        stream = NewsStream(contract, self._engine.lanes.isolate)

        def send(number: int) -> None:
            official.reqMktData(number, self._ib(asked), wishes, False, False, [])
            self._heard_again(stream)

        self._subscribe(stream, send, official.cancelMktData)
        return stream

    def stream_news_bulletins(self, *, today: bool = True) -> BulletinStream:
        """Bulletins of exchanges from now on; `today`: those of this day as well. Each once."""
        official, answers = self._engine.official, self._engine.answers
        stream = BulletinStream(self._engine.lanes.isolate)

        def send(number: int) -> None:
            official.reqNewsBulletins(today)
            self._heard_again(stream)

        def cancel(number: int) -> None:
            if not any(other is not stream for other in _bulletin_streams(answers)):
                official.cancelNewsBulletins()

        self._subscribe(stream, send, cancel)
        return stream

    def _heard_again(self, stream: Stream) -> None:
        """A stream that may be silent for a day is over its interruption when it is asked for anew."""
        stream.resumed(self._engine.clock.now_ns())

    def _ask_past(self, con_id: int, codes: str, bounds: tuple[str, str], count: int) -> Reply[NewsPage]:
        return self._request(
            "historical news",
            _page_of,
            lambda number: self._engine.official.reqHistoricalNews(number, con_id, codes, *bounds, count, []),
        )

    async def _look_up_past(
        self, contract: Contract, codes: str, bounds: tuple[str, str], count: int
    ) -> NewsPage:
        details = await self.request_contract(contract)
        return await self._ask_past(details.contract.con_id, codes, bounds, count)


def _bulletin_streams(answers: Answers) -> list[BulletinStream]:
    return [one for one in answers.subscriptions.streams.values() if isinstance(one, BulletinStream)]


def hear(answers: Answers) -> Handlers:
    """Answers 14 and 83 to 87."""
    questions, requests = answers.questions, answers.requests
    streams, stamp = answers.subscriptions.streams, answers.stamp

    def providers(message: NewsProviders) -> None:
        rows = [
            NewsProvider(code=one.provider_code, name=one.provider_name) for one in message.news_providers
        ]
        questions.row(PROVIDERS, rows)
        questions.end(PROVIDERS)

    def headline(message: TickNews) -> None:
        stream = streams.get(message.req_id)
        if isinstance(stream, NewsStream):
            stream.put(_headline_of(message), stamp.now_ns)
        elif stream is None:
            answers.unclaimed += 1

    def bulletin(message: WireBulletin) -> None:
        found = NewsBulletin(
            number=message.news_msg_id,
            kind=_kind_of(message.news_msg_type),
            text=message.news_message,
            exchange=message.originating_exch,
            time_ns=stamp.now_ns,
        )
        for stream in _bulletin_streams(answers):
            stream.put(found, stamp.now_ns)

    def page_end(message: HistoricalNewsEnd) -> None:
        requests.row(message.req_id, message)
        requests.end(message.req_id)

    return {
        NewsProviders: providers,
        TickNews: headline,
        WireBulletin: bulletin,
        HistoricalNewsEnd: page_end,
        **hear_rows(answers, rows=(HistoricalNews,), alone=(WireArticle,)),
    }


def _kind_of(number: int) -> BulletinKind | int:
    return BulletinKind(number) if number in BulletinKind._value2member_map_ else number


def _headline_of(message: TickNews) -> NewsHeadline:
    tags, text = _tagged(message.headline)
    return NewsHeadline(
        provider=message.provider_code,
        article_id=message.article_id,
        text=text,
        time_ns=message.timestamp * _NS_PER_MS if message.timestamp > 0 else None,
        time=str(message.timestamp),
        tags=message.extra_data or tags,
    )


def _page_of(rows: list[HistoricalNews | HistoricalNewsEnd]) -> NewsPage:
    told = tuple(_past_headline(row) for row in rows if isinstance(row, HistoricalNews))
    return NewsPage(
        headlines=told,
        has_more=any(row.has_more for row in rows if isinstance(row, HistoricalNewsEnd)),
    )


def _past_headline(row: HistoricalNews) -> NewsHeadline:
    tags, text = _tagged(row.headline)
    return NewsHeadline(
        provider=row.provider_code,
        article_id=row.article_id,
        text=text,
        time_ns=_news_time(row.time),
        time=row.time,
        tags=tags,
    )


def _tagged(headline: str) -> tuple[str, str]:
    """The tags in braces before a headline, and the headline."""
    if headline.startswith("{") and "}" in headline:
        tags, _, text = headline[1:].partition("}")
        return tags, text
    return "", headline


def _news_time(text: str) -> int | None:
    """`2026-07-13 15:39:00.0` (recorded; that it is UTC is reported); None for any other form."""
    try:
        moment = datetime.fromisoformat(text.partition(".")[0]).replace(tzinfo=UTC)
        return int(moment.timestamp()) * NS_PER_S
    except (ValueError, OverflowError):
        return None


def _utc_text(moment: datetime) -> str:
    """A bound in the form of the answers' times. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; use an aware datetime")
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.0")
