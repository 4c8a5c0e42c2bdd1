"""What is told beside the market: news, scanners, fundamentals, corporate events. TWS-BEHAVIOUR.md F4, A8."""

from __future__ import annotations

from tws.certify.register import scenario
from tws.certify.scene import NotPlayed, Scene
from tws.model.contract import stock
from tws.model.scanner import Scan
from tws.wire import messages as m

case = scenario("research", "simulator-research.md")


@case("providers of news", "F4 85")
async def providers(s: Scene) -> None:
    s.call("reqNewsProviders")
    await s.hear(m.NewsProviders)


@case("headlines of the past", "F4 86")
async def headlines(s: Scene) -> None:
    await s.ask(m.HistoricalNewsEnd, "reqHistoricalNews", s.stock.con_id, await codes(s), "", "", 5, [])


@case("an article of a headline", "F4 84")
async def article(s: Scene) -> None:
    await s.ask(m.HistoricalNewsEnd, "reqHistoricalNews", s.stock.con_id, await codes(s), "", "", 5, [])
    found = s.ear.messages(m.HistoricalNews)
    if not found:
        raise NotPlayed(f"TWS has no news of {s.stock.symbol}")
    await s.ask(m.NewsArticle, "reqNewsArticle", found[0].provider_code, found[0].article_id, [])


@case("an article that there is not: 10172", "F4 84")
async def no_article(s: Scene) -> None:
    code = (await codes(s)).split("+")[0]
    await s.ask(m.NewsArticle, "reqNewsArticle", code, f"{code}$00000000", [])


@case("what can be scanned", "F4 24")
async def parameters(s: Scene) -> None:
    s.call("reqScannerParameters")
    await s.hear(m.ScannerParameters)


@case("a scan of the most active stocks", "F4 22", market=True)
async def scan(s: Scene) -> None:
    await s.tell(s.connection.request_scan(Scan("MOST_ACTIVE", rows=5)))


@case("a scan that is none", "A8 162")
async def no_scan(s: Scene) -> None:
    await s.tell(s.connection.request_scan(Scan("NO_SUCH_SCAN")))


@case("a report on a company", "F4 52")
async def fundamentals(s: Scene) -> None:
    """Apple, since the share may be a fund's, of which there is none."""
    await s.ask(m.FundamentalsData, "reqFundamentalData", stock("AAPL"), "ReportSnapshot", [])


@case("the calendar of corporate events: its meta data", "F4 100", since=161)
async def calendar(s: Scene) -> None:
    await s.ask(m.WshMetaData, "reqWshMetaData")


async def codes(s: Scene) -> str:
    """The providers of this login, outside of what is compared there."""
    found = await s.tell(s.connection.request_news_providers())
    if not found:
        raise NotPlayed("this login has no provider of news")
    return "+".join(each.code for each in found)
