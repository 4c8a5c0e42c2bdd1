"""What a TWS tells beside its market: news, scanners, fundamentals, the calendar of corporate events.
docs/design/simulator-research.md; TWS-BEHAVIOUR.md F4, F6.

A login that pays for nothing has free providers of news and scanners; for the rest a TWS of its own is
started, whose login has everything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.conformance.scenarios.base import check, scenario, stock
from tests.conformance.scenarios.link import connect
from tests.conformance.stage import Stage
from tests.conformance.witness import Event, Witness

from tws.simulator import Subscriptions

FREE = ["BRFG", "BRFUPDN", "DJNL"]
RICH = Subscriptions.beside(("fundamentals", "wsh", "BZ"))


@asynccontextmanager
async def rich(c: Witness, client_id: int) -> AsyncIterator[Stage]:
    """A TWS with every subscription, and a session `rich` on it."""
    stage = Stage(subscriptions=RICH)
    await stage.start()
    try:
        await connect(c, stage, "rich", client_id)
        yield stage
        await c.do("disconnect", session="rich")
    finally:
        await stage.stop()


async def told(
    c: Witness, method: str, *arguments: Any, numbered: bool = True, session: str = "main"
) -> Event:
    """The answer to a request."""
    mark = c.mark()
    req = c.key() if numbered else None
    await c.do("call", session=session, req=req, method=method, arguments=list(arguments))
    return await c.wait("answer", session=session, since=mark)


async def read(c: Witness) -> None:
    """Whatever was asked before has been read by the broker."""
    mark = c.mark()
    await c.do("time")
    await c.wait("time", since=mark)


@scenario("news", "providers: the free ones")
async def providers(c: Witness, t: Stage) -> None:
    row = await told(c, "reqNewsProviders", numbered=False)
    check("codes", [code for code, _ in row["rows"]], FREE)
    c.note(rows=row["rows"])


@scenario("news", "headlines of the past, newest first, and an article of them")
async def headlines(c: Witness, t: Stage) -> None:
    con_id = t.security("SPY").con_id
    row = await told(c, "reqHistoricalNews", con_id, "+".join(FREE), "", "", 5, [])
    check("how many", len(row["rows"]), 5)
    c.note(rows=row["rows"])
    provider, article, _ = row["rows"][0]
    found = await told(c, "reqNewsArticle", provider, article, [])
    check("it is a text", (found["rows"][0][0], len(found["rows"][0][1]) > 0), (0, True))
    c.note(article=found["rows"])


@scenario("news", "a provider that is not subscribed: 10276")
async def refused(c: Witness, t: Stage) -> None:
    c.expected.add(10276)
    arguments = ["BZ", "BZ$0000", []]
    await c.do("call", req=c.key(), method="reqNewsArticle", arguments=arguments)
    await c.error(10276)


@scenario("news", "a headline of now on a stream of an instrument")
async def of_now(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("market_data", req=key, contract=stock(t, "AAPL"), ticks="mdoff,292", snapshot=False)
    await read(c)
    article = t.sim.publish_news("Conformance is announced", "AAPL", provider="DJNL")
    row = await c.wait("answer", kind="tickNews")
    check("provider and article", row["rows"][0][:2], ["DJNL", article])
    check("headline", "Conformance is announced" in row["rows"][0][2], True)
    await c.do("cancel_market_data", req=key)


@scenario("news", "bulletins")
async def bulletins(c: Witness, t: Stage) -> None:
    await c.do("bulletins", on=True)
    await read(c)
    t.sim.post_bulletin("The opening is late", exchange="NYSE", kind=2)
    row = await c.wait("answer", kind="updateNewsBulletin")
    check("bulletin", row["rows"][0], [2, "The opening is late", "NYSE"])
    await c.do("bulletins", on=False)


@scenario("scanners", "what can be scanned")
async def parameters(c: Witness, t: Stage) -> None:
    row = await told(c, "reqScannerParameters", numbered=False)
    text = row["rows"][0][0]
    check("names a scan", "TOP_PERC_GAIN" in text, True)
    c.note(length=len(text))


@scenario("scanners", "a scan: what the market did, by rank")
async def scan(c: Witness, t: Stage) -> None:
    for symbol, price in (("AAPL", 225.0), ("MSFT", 420.0), ("SPY", 560.0)):
        t.trade(symbol, price, 100_000)
    key = c.key()
    await c.do("scan", req=key, code="MOST_ACTIVE", rows=3)
    row = await c.wait("answer", kind="scannerData")
    check("ranks", [rank for rank, _, _ in row["rows"]], [0, 1, 2])
    known = {t.security(con_id).symbol for _, con_id, _ in row["rows"]}
    check("symbols", {symbol for _, _, symbol in row["rows"]}, known)
    c.expected |= {162, 165}
    await c.do("cancel_scan", req=key)


@scenario("research", "fundamentals, for who has them")
async def fundamentals(c: Witness, t: Stage) -> None:
    async with rich(c, 51):
        row = await told(c, "reqFundamentalData", stock(t, "AAPL"), "ReportSnapshot", [], session="rich")
        check("is a report", "<ReportSnapshot" in row["rows"][0][0], True)
        c.note(report=row["rows"])


@scenario("research", "fundamentals without a subscription: 430, or 10358")
async def no_fundamentals(c: Witness, t: Stage) -> None:
    c.expected |= {430, 10358}
    given = [stock(t, "AAPL"), "ReportSnapshot", []]
    await c.do("call", req=c.key(), method="reqFundamentalData", arguments=given)
    await c.wait("error", where=lambda row: row["code"] in (430, 10358))


@scenario("research", "the calendar of corporate events: its meta data", since=161)
async def calendar(c: Witness, t: Stage) -> None:
    async with rich(c, 52):
        mark = c.mark()
        await c.do("calendar", session="rich", req=c.key())
        row = await c.wait("answer", session="rich", since=mark)
        check("meta data are JSON", str(row["rows"][0][0]).startswith("{"), True)
        c.note(meta=row["rows"])
