"""News as the connection tells them: asked for, followed, and through a lost link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.connection.peers import config_of, port_of, until

from tws.clock import NS_PER_S
from tws.connection import PacingOptions, SyncConnection, TWSConnection
from tws.errors import NoContractError, NotSubscribedError, RequestError
from tws.model.contract import Contract, stock
from tws.model.news import BulletinKind, NewsArticle, NewsHeadline
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
SPY = replace(stock("SPY"), con_id=756733)
AAPL = stock("AAPL")
FREE = ("BRFG", "BRFUPDN", "DJNL")


@pytest.fixture(params=[176, 200, 225])
async def tws(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedTWS]:
    """A market that stands still at a moment that its news know."""
    options = SimulatorOptions(
        market=ManualMarket(UNIVERSE, T0), server_version=request.param, paused=True, limits=Limits.off()
    )
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    yield server
    await server.stop()


async def test_providers(client: TWSConnection) -> None:
    first, second = client.request_news_providers(), client.request_news_providers()
    assert tuple(one.code for one in await first) == FREE
    assert await second == await first
    assert all(one.name for one in await first)


async def test_headlines_of_the_past_and_an_article(client: TWSConnection) -> None:
    page = await client.request_historical_news(SPY, FREE, count=5)
    assert page.has_more and len(page.headlines) == 5
    times = [one.time_ns or 0 for one in page.headlines]
    assert times == sorted(times, reverse=True) and times[0] <= T0
    assert {one.provider for one in page.headlines} <= set(FREE)
    newest = page.headlines[0]
    assert newest.language == "en" and "{" not in newest.text
    assert newest.confidence is not None and 0.8 <= newest.confidence <= 1
    article = await client.request_news_article(newest.provider, newest.article_id)
    assert article.kind == 0 and newest.text in article.text and article.pdf is None
    end, start = (datetime.fromtimestamp(times[place] / NS_PER_S, UTC) for place in (1, 3))
    between = await client.request_historical_news(SPY, FREE, start=start, end=end)
    assert between.headlines == page.headlines[1:3] and not between.has_more


async def test_what_cannot_be_asked_of_the_past(client: TWSConnection) -> None:
    for wrong in ({"providers": ()}, {"count": 0}, {"count": 301}, {"start": datetime(2026, 1, 1)}):  # noqa: DTZ001
        with pytest.raises(ValueError):
            client.request_historical_news(SPY, **{"providers": FREE, **wrong})  # type: ignore[arg-type]
    with pytest.raises(NoContractError):
        await client.request_historical_news(stock("NOSUCH"), FREE)
    looked_up = await client.request_historical_news(AAPL, FREE, count=1)
    assert looked_up.headlines
    with pytest.raises(NotSubscribedError) as refused:
        await client.request_historical_news(SPY, ("BZ",))
    assert refused.value.code == 10276
    with pytest.raises(RequestError) as missing:
        await client.request_news_article("BRFG", "BRFG$nothing")
    assert missing.value.code == 10172


async def test_headlines_of_now(tws: SimulatedTWS, client: TWSConnection) -> None:
    async with client.stream_news(SPY, FREE) as about, client.stream_news(providers=("DJNL",)) as broad:
        await client.request_current_time()  # both were read
        name = tws.publish_news("A thing has happened", "SPY", provider="DJNL")
        tws.publish_news("It has nothing to do with SPY", "AAPL", provider="DJNL")
        told = NewsHeadline(
            provider="DJNL",
            article_id=name,
            text="A thing has happened",
            time_ns=T0,
            time=str(T0 // 1_000_000),
            tags="A:800015:L:en",
        )
        assert await anext(about) == told == await anext(broad)
        assert (await anext(broad)).text == "It has nothing to do with SPY"
        assert await client.request_news_article("DJNL", name) == NewsArticle(kind=0, text=told.text)
    await client.request_current_time()
    assert len(tws.core.desk.streams.market_data) == 0
    with pytest.raises(ValueError, match="one provider"):
        client.stream_news(providers=FREE)
    async with client.stream_news(SPY, ("BZ",)) as refused:
        with pytest.raises(NotSubscribedError):
            await anext(refused)


async def test_a_feed_is_a_contract(tws: SimulatedTWS, client: TWSConnection) -> None:
    details = await client.request_contract(Contract(sec_type="NEWS", exchange="DJNL", currency=""))
    assert details.contract.symbol == "DJNL:DJNL_ALL" and details.long_name == "Dow Jones Newsletters"
    feeds = await client.request_contract_details(Contract(sec_type="NEWS", exchange="", currency=""))
    assert {one.contract.exchange for one in feeds} >= {*FREE, "BZ"}
    with pytest.raises(NoContractError):
        await client.request_contract(Contract(sec_type="NEWS", exchange="MOON", currency=""))
    async with client.stream_news(details.contract) as broad:
        await client.request_current_time()
        tws.publish_news("for all", provider="DJNL")
        assert (await anext(broad)).text == "for all"


async def test_bulletins_come_once(tws: SimulatedTWS, client: TWSConnection) -> None:
    tws.post_bulletin("before")
    async with client.stream_news_bulletins() as all_today:
        assert (await anext(all_today)).text == "before"
        async with client.stream_news_bulletins() as another, client.stream_news_bulletins(today=False):
            assert (await anext(another)).text == "before"
            await client.request_current_time()
            tws.post_bulletin("CBOE rests", exchange="CBOE", kind=2)
            shut = await anext(all_today)
            assert (shut.text, shut.exchange, shut.kind) == (
                "CBOE rests",
                "CBOE",
                BulletinKind.EXCHANGE_UNAVAILABLE,
            )
            assert await anext(another) == shut
        tws.post_bulletin("still heard")
        assert (await anext(all_today)).text == "still heard"
        assert all_today.count == 3
    await client.request_current_time()
    assert not tws.core.desk.news._readers


async def test_streams_of_news_outlive_the_link(tws: SimulatedTWS, journal: Path) -> None:
    options = {"journal": journal, "pacing": PacingOptions.off()}
    async with TWSConnection(config_of(port_of(tws)), **options) as client:
        news, board = client.stream_news(SPY, FREE), client.stream_news_bulletins()
        aiter(news), aiter(board)
        await client.request_current_time()
        tws.sessions[0].cut()
        await until(lambda: news.gap is not None)
        await until(lambda: news.gap is None and board.gap is None)
        await client.request_current_time()
        assert len(news.gaps) == len(board.gaps) == 1
        tws.publish_news("after the gap", "SPY")
        tws.post_bulletin("after it too")
        assert (await anext(news)).text == "after the gap"
        assert (await anext(board)).text == "after it too"


def test_a_headline_keeps_what_it_cannot_read() -> None:
    odd = NewsHeadline(provider="X", article_id="X$1", text="t", tags="A:1:K:n/a:C:nan:Z")
    assert (odd.language, odd.sentiment, odd.confidence) == (None, None, None)
    assert NewsArticle(kind=1, text="aGVsbG8=").pdf == b"hello"
    assert NewsArticle(kind=1, text="no base64!").pdf is None
    assert NewsArticle(kind=7, text="aGVsbG8=").pdf is None


@pytest.mark.parametrize("tws", [225], indirect=True)
async def test_the_blocking_twins(tws: SimulatedTWS, journal: Path) -> None:
    import asyncio

    def ask() -> tuple[int, str, str]:
        with SyncConnection(config_of(port_of(tws)), journal=journal) as sync:
            found = sync.request_historical_news(SPY, FREE, count=2)
            with sync.stream_news_bulletins() as board, sync.stream_news(SPY, FREE) as news:
                sync.request_current_time()
                loop.call_soon_threadsafe(tws.post_bulletin, "to all")
                loop.call_soon_threadsafe(tws.publish_news, "to some", "SPY")
                return len(found.headlines), board.next(5).text, news.next(5).text

    loop = asyncio.get_running_loop()
    assert await asyncio.to_thread(ask) == (2, "to all", "to some")
