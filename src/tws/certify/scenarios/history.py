"""The past: bars, ticks, schedules, where it begins, and what is refused. TWS-BEHAVIOUR.md E, A8, B."""

from __future__ import annotations

from tws.certify.register import scenario
from tws.certify.scenarios.contracts import NOWHERE
from tws.certify.scene import Scene
from tws.wire import messages as m

case = scenario("history", "simulator-market.md")


def bars(
    s: Scene, what: str = "TRADES", *, end: str = "", size: str = "1 hour", text: int = 2
) -> tuple[object, ...]:
    """The arguments of reqHistoricalData."""
    return (s.stock, end, "2 D", size, what, 1, text, False, [])


@case("bars of an hour, as epochs", "E historical")
async def hours(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", *bars(s))


@case("bars of an hour, as texts", "E historical")
async def texts(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", *bars(s, text=1))


@case("bars of a day", "E historical")
async def days(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", s.stock, "", "1 W", "1 day", "TRADES", 1, 2, False, [])


@case("bars of bid and ask", "E historical")
async def quotes(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", *bars(s, "BID_ASK"))


@case("bars up to a moment", "E historical")
async def until_then(s: Scene) -> None:
    now = await s.connection.request_current_time()
    end = f"{now:%Y%m%d-%H:%M:%S}"
    await s.ask(bars_end(s), "reqHistoricalData", *bars(s, end=end))


@case("bars that are kept up to date", "E keepUpToDate")
async def kept(s: Scene) -> None:
    number = s.send("reqHistoricalData", s.stock, "", "3600 S", "1 min", "MIDPOINT", 0, 2, True, [])
    if await s.answer(bars_end(s), number) is not None:
        await s.fed(number, m.HistoricalDataUpdate)
    s.call("cancelHistoricalData", number)


@case("no data at that time: 162", "A8 162")
async def nothing(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", *bars(s, end="19500103-16:00:00"))


@case("a bar size that is none", "A8 321")
async def no_size(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", *bars(s, size="7 fortnights"))


@case("a duration that is none", "A8 321")
async def no_duration(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", s.stock, "", "9 X", "1 hour", "TRADES", 1, 2, False, [])


@case("a kind of data that is none", "A8 321")
async def no_kind(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", *bars(s, "GOSSIP"))


@case("bars of an unknown contract: 200", "A8 200")
async def unknown(s: Scene) -> None:
    await s.ask(bars_end(s), "reqHistoricalData", NOWHERE, "", "2 D", "1 hour", "TRADES", 1, 2, False, [])


@case("cancel of history that nobody asked for: 366", "A8 366")
async def cancel_unknown(s: Scene) -> None:
    await s.error(s.send("cancelHistoricalData"), 366)


@case("where the history begins", "F6 88")
async def head(s: Scene) -> None:
    number = s.send("reqHeadTimeStamp", s.stock, "TRADES", 1, 2)
    await s.answer(m.HeadTimestamp, number)
    s.call("cancelHeadTimeStamp", number)


@case("where the history of an unknown contract begins", "A8 200")
async def no_head(s: Scene) -> None:
    await s.ask(m.HeadTimestamp, "reqHeadTimeStamp", NOWHERE, "TRADES", 1, 2)


@case("ticks of the past: trades", "F6 98")
async def trades(s: Scene) -> None:
    await s.ask(m.HistoricalTicksLast, "reqHistoricalTicks", *await ticks(s, "TRADES"))


@case("ticks of the past: bid and ask", "F6 97")
async def bid_ask(s: Scene) -> None:
    await s.ask(m.HistoricalTicksBidAsk, "reqHistoricalTicks", *await ticks(s, "BID_ASK"))


@case("ticks of the past: midpoints", "F6 96")
async def midpoints(s: Scene) -> None:
    await s.ask(m.HistoricalTicks, "reqHistoricalTicks", *await ticks(s, "MIDPOINT"))


@case("volume by price", "F6 89")
async def histogram(s: Scene) -> None:
    await s.ask(m.HistogramData, "reqHistogramData", s.stock, True, "3 days")


@case("the sessions that were", "E SCHEDULE")
async def schedule(s: Scene) -> None:
    span = ("1 W", "1 day", "SCHEDULE")
    await s.ask(m.HistoricalSchedule, "reqHistoricalData", s.stock, "", *span, 1, 2, False, [])


def bars_end(s: Scene) -> type[m.HistoricalData] | type[m.HistoricalDataEnd]:
    """What ends an answer with bars: since server version 196 a message of its own (E)."""
    return m.HistoricalDataEnd if s.connection.server_version >= 196 else m.HistoricalData


async def ticks(s: Scene, what: str) -> tuple[object, ...]:
    now = await s.connection.request_current_time()
    return (s.stock, "", f"{now:%Y%m%d-%H:%M:%S}", 20, what, 0, False, [])
