"""News of a simulated TWS: providers, headlines of the past and of now, articles, bulletins."""

from __future__ import annotations

import pytest
from tests.simulator.client import Client, Connect, Start, stock
from tests.simulator.scene import SPY, T0, ready, scene, settled

from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.simulator import SimulatedTWS, Subscriptions
from tws.wire.messages import (
    CancelMarketData,
    CancelNewsBulletins,
    ErrorMessage,
    HistoricalNews,
    HistoricalNewsEnd,
    HistoricalNewsRequest,
    MarketDataRequest,
    NewsArticle,
    NewsArticleRequest,
    NewsBulletin,
    NewsBulletinsRequest,
    NewsProviders,
    NewsProvidersRequest,
    TickNews,
    TickPrice,
    WireContract,
)

DAY_NS = 86_400 * NS_PER_S


async def history(client: Client, req_id: int, providers: str, **bounds: str | int) -> list[HistoricalNews]:
    asked = {"start_date_time": "", "end_date_time": "", "total_results": 10} | bounds
    client.send(HistoricalNewsRequest(req_id, SPY, providers, **asked))  # type: ignore[arg-type]
    await client.expect(HistoricalNewsEnd, lambda m: m.req_id == req_id)
    return [row for row in client.all(HistoricalNews) if row.req_id == req_id]


async def following(start: Start, connect: Connect, generics: str) -> tuple[SimulatedTWS, Client]:
    simulator, client = await scene(start, connect, paused=True)
    client.send(MarketDataRequest(1, stock("SPY"), generics))
    await settled(client)
    return simulator, client


async def test_providers_are_the_free_ones_and_those_that_are_paid_for(
    start: Start, connect: Connect
) -> None:
    for subscriptions, codes in (
        (Subscriptions(), ["BRFG", "BRFUPDN", "DJNL"]),
        (Subscriptions.beside(("BZ",)), ["BRFG", "BRFUPDN", "DJNL", "BZ"]),
    ):
        _, client = await scene(start, connect, subscriptions=subscriptions)
        client.send(NewsProvidersRequest())
        found = (await client.expect(NewsProviders)).news_providers
        assert [one.provider_code for one in found] == codes and all(one.provider_name for one in found)
    with pytest.raises(ConfigError, match="subscribed"):
        Subscriptions.beside(("NOSUCH",))


async def test_history_runs_backwards_and_repeats(start: Start, connect: Connect) -> None:
    _, client = await scene(start, connect, paused=True)
    rows = await history(client, 1, "BRFG+BRFUPDN+DJNL")
    assert len(rows) == 10
    times = [row.time for row in rows]
    assert times == sorted(times, reverse=True) and times[0] < "2026-01-05 14:30:00.0"
    assert {row.provider_code for row in rows} <= {"BRFG", "BRFUPDN", "DJNL"}
    assert all(row.headline.startswith("{A:800015:L:en") for row in rows)
    between = await history(client, 2, "BRFG+BRFUPDN+DJNL", start_date_time=times[6], end_date_time=times[2])
    assert [row.article_id for row in between] == [row.article_id for row in rows[2:6]]
    _, again = await scene(start, connect, paused=True)
    assert await history(again, 1, "BRFG+BRFUPDN+DJNL") == rows
    _, other = await scene(start, connect, paused=True, seed=8)
    assert await history(other, 1, "BRFG+BRFUPDN+DJNL") != rows


async def test_an_article_is_found_by_the_id_that_a_headline_named(start: Start, connect: Connect) -> None:
    _, client = await scene(start, connect, paused=True)
    (row,) = await history(client, 1, "BRFG", total_results=1)
    client.send(NewsArticleRequest(2, "BRFG", row.article_id))
    article = await client.expect(NewsArticle)
    assert article.article_type == 0
    assert row.headline.partition("}")[2] in article.article_text
    names = ("BRFG$nothing", "BRFG$00000000", "DJNL" + row.article_id[4:], "BRFG$" + "0" * 13 + "10")
    for req_id, name in enumerate((*names, "BRFG$" + "f" * 15), start=3):
        client.send(NewsArticleRequest(req_id, "BRFG", name))
        refused = await client.expect(ErrorMessage, lambda m, number=req_id: m.id == number)
        assert refused.error_code == 10172


@pytest.mark.parametrize(
    ("bounds", "code"),
    [
        ({"start_date_time": "soon"}, 321),
        ({"end_date_time": "2026-13-01 00:00:00.0"}, 321),
        ({"start_date_time": "0001-01-01 00:00:00.0"}, 0),
        ({"end_date_time": "0001-01-01 00:00:00.0"}, 0),
        ({"end_date_time": "9999-12-31 23:59:59.0"}, 0),
        ({"start_date_time": "20251231-00:00:00", "end_date_time": "20260103 00:00:00"}, 0),
        ({"total_results": -3}, 0),
    ],
)
async def test_bounds_of_any_kind(
    start: Start, connect: Connect, bounds: dict[str, str | int], code: int
) -> None:
    _, client = await scene(start, connect, paused=True)
    if not code:
        assert len(await history(client, 1, "BRFG", **bounds)) <= 300
        return
    asked = {"start_date_time": "", "end_date_time": "", "total_results": 10} | bounds
    client.send(HistoricalNewsRequest(1, SPY, "BRFG", **asked))  # type: ignore[arg-type]
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == code


async def test_what_is_not_subscribed_is_refused(start: Start, connect: Connect) -> None:
    _, client = await scene(start, connect, paused=True)
    client.send(
        HistoricalNewsRequest(1, SPY, "BRFG+BZ", "", "", 10),
        NewsArticleRequest(2, "BZ", "BZ$00000001"),
        MarketDataRequest(3, stock("SPY"), "mdoff,292:BZ"),
        MarketDataRequest(4, WireContract(symbol="BZ:BZ_ALL", sec_type="NEWS", exchange="BZ"), "mdoff,292"),
    )
    for req_id in (1, 2, 3, 4):
        refused = await client.expect(ErrorMessage, lambda m, number=req_id: m.id == number)
        assert (refused.error_code, refused.error_msg) == (10276, "News feed is not allowed.")


async def test_headlines_come_in_their_time(start: Start, connect: Connect) -> None:
    """What a day brought on the stream is what history says of it afterwards."""
    simulator, client = await following(start, connect, "mdoff,292:BRFG+DJNL")
    await simulator.set_clock(T0 + 2 * DAY_NS)
    await settled(client)
    told = client.all(TickNews)
    past = await history(client, 9, "BRFG+DJNL", start_date_time="2026-01-05 14:30:00.0", total_results=100)
    assert told and not client.all(TickPrice)
    assert [one.article_id for one in told] == [row.article_id for row in reversed(past)]
    assert [one.headline for one in told] == [row.headline.partition("}")[2] for row in reversed(past)]
    assert all(one.extra_data.startswith("A:800015:L:en") for one in told)
    assert [one.timestamp for one in told] == sorted(one.timestamp for one in told)


async def test_headlines_beside_market_data(start: Start, connect: Connect) -> None:
    simulator, client = await following(start, connect, "233,292")
    assert client.all(TickPrice)
    name = simulator.publish_news("SPY is quoted", "SPY", provider="DJNL")
    simulator.publish_news("AAPL is not followed", "AAPL")
    simulator.publish_news("nobody reads this here", "SPY", provider="FLY")
    await settled(client)
    assert [(one.article_id, one.headline) for one in client.all(TickNews)] == [(name, "SPY is quoted")]
    client.send(CancelMarketData(1))
    await settled(client)
    simulator.publish_news("too late", "SPY")
    await settled(client)
    assert len(client.all(TickNews)) == 1
    assert [row.headline for row in await history(client, 2, "DJNL", total_results=1)] == [
        "{A:800015:L:en}SPY is quoted"
    ]


async def test_the_broad_tape_of_a_provider(start: Start, connect: Connect) -> None:
    simulator, client = await scene(start, connect, paused=True)
    tape = WireContract(symbol="BRFG:BRFG_ALL", sec_type="NEWS", exchange="BRFG")
    client.send(MarketDataRequest(1, tape, "mdoff,292"), MarketDataRequest(1, tape, "mdoff,292"))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 1)).error_code == 102
    client.send(MarketDataRequest(2, WireContract(symbol="X", sec_type="NEWS", exchange="X"), "mdoff,292"))
    assert (await client.expect(ErrorMessage, lambda m: m.id == 2)).error_code == 200
    simulator.publish_news("about no one")
    simulator.publish_news("about one", "AAPL")
    simulator.publish_news("of another", "AAPL", provider="DJNL")
    await settled(client)
    assert [one.headline for one in client.all(TickNews)] == ["about no one", "about one"]
    client.send(CancelMarketData(1))
    await settled(client)
    simulator.publish_news("too late")
    await settled(client)
    assert len(client.all(TickNews)) == 2 and len(simulator.core.desk.streams.market_data) == 0


async def test_who_follows_later_takes_no_headline_from_others(start: Start, connect: Connect) -> None:
    """Market time has run past a headline that no step has told yet, when a second stream begins."""
    simulator, client = await following(start, connect, "mdoff,292:BRFG+BRFUPDN+DJNL")
    core = simulator.core
    ahead = next(item for item in core.desk.news._ahead if item.provider in core.options.subscriptions.news)
    core.clock = lambda: ahead.time_ns + 1
    client.send(MarketDataRequest(2, stock("SPY"), "mdoff,292"))
    await settled(client)
    assert {one.req_id for one in client.all(TickNews)} == {1}
    assert client.all(TickNews)[-1].article_id == ahead.article_id


async def test_bulletins_of_today_and_new_ones(start: Start, connect: Connect) -> None:
    simulator, client = await scene(start, connect, paused=True)
    await simulator.set_clock(T0 + 3 * DAY_NS)
    simulator.post_bulletin("CBOE is closed", exchange="CBOE", kind=2)
    client.send(NewsBulletinsRequest(all_messages=True))
    await settled(client)
    assert client.all(NewsBulletin)[-1] == NewsBulletin(1, 2, "CBOE is closed", "CBOE")
    late = await ready(connect, simulator, 2)
    late.send(NewsBulletinsRequest(all_messages=False))
    await settled(late)
    assert late.all(NewsBulletin) == []
    before = len(client.all(NewsBulletin))
    await simulator.set_clock(T0 + 9 * DAY_NS)
    await settled(late)
    await settled(client)
    new = late.all(NewsBulletin)
    assert new and new == client.all(NewsBulletin)[before:]
    assert all(one.news_msg_type == 1 and one.originating_exch for one in new)
    late.send(CancelNewsBulletins())
    await settled(late)
    simulator.post_bulletin("unheard")
    await settled(late)
    assert late.all(NewsBulletin) == new
    with pytest.raises(ConfigError, match="kind"):
        simulator.post_bulletin("?", kind=4)
