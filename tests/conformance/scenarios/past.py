"""Historical bars, ticks, head time stamps, schedules. TWS-BEHAVIOUR.md E, A8.

The past is invented before the market begins, alike for every client: so what one saw, all must have seen.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.conformance.scenarios.base import between, check, close, scenario, stock
from tests.conformance.stage import START, Stage
from tests.conformance.witness import Mismatch, Witness

END = "20260105-14:55:00"
END_S = datetime.strptime(f"{END} +0000", "%Y%m%d-%H:%M:%S %z").timestamp()
TIME, OPEN, HIGH, LOW, CLOSE, VOLUME = range(6)


async def bars(
    c: Witness, contract: dict[str, Any], duration: str, size: str, **more: Any
) -> list[list[Any]]:
    """Bars up to END, times in epoch seconds; days as yyyyMMdd."""
    key = c.key()
    asked = {"end": END, "what": "TRADES", "rth": True, "format": 2, "keep": False} | more
    await c.do("history", req=key, contract=contract, duration=duration, size=size, **asked)
    row = await c.wait("bars", req=key)
    rows = [[moment(bar[TIME]), *bar[1:]] for bar in row["rows"]]
    if not rows:
        raise Mismatch(f"no bars; saw {c.recent()}")
    return rows


def moment(value: Any) -> Any:
    """A bar's time: epoch seconds, or the day as text; a time with its zone's name becomes epoch seconds."""
    if isinstance(value, int | float):
        return value
    text = " ".join(str(value).split())
    if text.isdigit():
        return text if len(text) == 8 else int(text)
    day, clock, *zone = text.split(" ")
    at = datetime.strptime(f"{day} {clock}", "%Y%m%d %H:%M:%S").replace(
        tzinfo=ZoneInfo(zone[0] if zone else "US/Eastern")
    )
    return at.timestamp()


def consistent(rows: list[list[Any]], step_s: int) -> None:
    """Ascending, on the grid, each bar's low and high around its open and close."""
    times = [row[TIME] for row in rows]
    check("ascending", times, sorted(set(times)))
    for row in rows:
        if not row[LOW] <= min(row[OPEN], row[CLOSE]) <= max(row[OPEN], row[CLOSE]) <= row[HIGH]:
            raise Mismatch(f"a bar contradicts itself: {row}")
        if step_s:
            check("on the grid", row[TIME] % step_s, 0)
    if step_s:
        check("before the end", times[-1] <= END_S, True)


@scenario("history", "one-minute bars build the five-minute bars")
async def minutes(c: Witness, t: Stage) -> None:
    fine = await bars(c, stock(t, "SPY"), "1 D", "1 min")
    coarse = await bars(c, stock(t, "SPY"), "1 D", "5 mins")
    consistent(fine, 60)
    consistent(coarse, 300)
    for bar in coarse[:-1]:
        parts = [row for row in fine if bar[TIME] <= row[TIME] < bar[TIME] + 300]
        if len(parts) == 5:
            close("high", bar[HIGH], max(row[HIGH] for row in parts))
            close("low", bar[LOW], min(row[LOW] for row in parts))
            close("volume", bar[VOLUME], sum(row[VOLUME] for row in parts))
            check("open, close", (bar[OPEN], bar[CLOSE]), (parts[0][OPEN], parts[-1][CLOSE]))
    c.note(fine=fine[-20:], coarse=coarse[-20:])


@scenario("history", "bars of seconds")
async def seconds(c: Witness, t: Stage) -> None:
    rows = await bars(c, stock(t, "QQQ"), "600 S", "5 secs")
    consistent(rows, 5)
    c.note(rows=rows[-20:])


@scenario("history", "hourly bars over weeks")
async def hourly(c: Witness, t: Stage) -> None:
    rows = await bars(c, stock(t, "AAPL"), "2 W", "1 hour")
    consistent(rows, 0)
    check("enough of them", len(rows) > 40, True)
    c.note(rows=rows[-20:])


@scenario("history", "daily bars are dated yyyyMMdd")
async def daily(c: Witness, t: Stage) -> None:
    rows = await bars(c, stock(t, "AAPL"), "1 M", "1 day", format=1)
    consistent(rows, 0)
    check("dated by day", all(isinstance(row[TIME], str) and len(row[TIME]) == 8 for row in rows), True)
    between("days of a month", len(rows), 15, 31)
    c.note(rows=rows)


@scenario("history", "weekly and monthly bars")
async def weekly(c: Witness, t: Stage) -> None:
    weeks = await bars(c, stock(t, "MSFT"), "3 M", "1 week")
    months = await bars(c, stock(t, "MSFT"), "1 Y", "1 month")
    between("weeks of a quarter", len(weeks), 12, 15)
    between("months of a year", len(months), 11, 13)
    c.note(weeks=weeks, months=months)


@scenario("history", "bars of bid, ask and midpoint")
async def sides(c: Witness, t: Stage) -> None:
    found = {
        what: await bars(c, stock(t, "IBM"), "1 D", "30 mins", what=what)
        for what in ("BID", "ASK", "MIDPOINT")
    }
    check("equally many", len({len(rows) for rows in found.values()}), 1)
    for bid, mid, ask in zip(found["BID"], found["MIDPOINT"], found["ASK"], strict=True):
        if not bid[CLOSE] <= mid[CLOSE] <= ask[CLOSE]:
            raise Mismatch(f"midpoint {mid} outside {bid} and {ask}")
    c.note(**{what: rows[-5:] for what, rows in found.items()})


@scenario("history", "times with the exchange's zone (format 1)")
async def zoned(c: Witness, t: Stage) -> None:
    epoch = await bars(c, stock(t, "DIS"), "1 D", "15 mins")
    texts = await bars(c, stock(t, "DIS"), "1 D", "15 mins", format=1)
    check("the same instants", [row[TIME] for row in texts], [row[TIME] for row in epoch])


@scenario("history", "bars that are kept up to date")
async def kept(c: Witness, t: Stage) -> None:
    t.quote("BAC", 40.00, 40.02)
    t.trade("BAC", 40.01, 100)
    key = c.key()
    await c.do(
        "history", req=key, contract=stock(t, "BAC"), end="", duration="1 D", size="1 min", what="TRADES",
        rth=False, format=2, keep=True,
    )  # fmt: skip
    await c.wait("bars", req=key)
    for step in range(8):
        t.trade("BAC", 40.02 + step / 100, 100)
        await asyncio.sleep(0.15)
    row = (await c.wait("bar_update", req=key, where=lambda row: row["row"][CLOSE] >= 40.05))["row"]
    check("high", row[HIGH] >= row[CLOSE], True)
    await c.do("cancel_history", req=key)


@scenario("history", "head time stamp")
async def head(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("head", req=key, contract=stock(t, "SPY"), what="TRADES", format=2)
    first = moment((await c.wait("head", req=key))["time"])
    check("before the market began", first < START.timestamp(), True)
    c.note(first=first)


async def ticks(c: Witness, contract: dict[str, Any], what: str, count: int = 50) -> list[list[Any]]:
    key = c.key()
    await c.do("past_ticks", req=key, contract=contract, start="", end=END, count=count, what=what)
    rows = [[moment(row[0]), *row[1:]] for row in (await c.wait("past_ticks", req=key))["rows"]]
    check("some ticks", bool(rows), True)
    times = [row[0] for row in rows]
    check("in order", times, sorted(times))
    check("before the end", times[-1] <= END_S, True)
    return rows


@scenario("history", "historical ticks: TRADES")
async def trades(c: Witness, t: Stage) -> None:
    rows = await ticks(c, stock(t, "AMZN"), "TRADES")
    check("as many as asked", len(rows) >= 50, True)
    c.note(rows=rows)


@scenario("history", "historical ticks: BID_ASK")
async def quotes(c: Witness, t: Stage) -> None:
    rows = await ticks(c, stock(t, "META"), "BID_ASK")
    check("bid below ask", all(bid < ask for _, bid, ask in rows), True)
    c.note(rows=rows)


@scenario("history", "historical ticks: MIDPOINT")
async def midpoints(c: Witness, t: Stage) -> None:
    c.note(rows=await ticks(c, stock(t, "XOM"), "MIDPOINT"))


@scenario("history", "the schedule of sessions", since=165)
async def schedule(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do(
        "history", req=key, contract=stock(t, "WMT"), end=END, duration="5 D", size="1 day", what="SCHEDULE",
        rth=True, format=1, keep=False,
    )  # fmt: skip
    row = await c.wait("schedule", req=key)
    check("some sessions", len(row["rows"]) >= 4, True)
    c.note(zone=row["zone"], rows=row["rows"])


async def refused(c: Witness, code: int, contract: dict[str, Any], **asked: Any) -> dict[str, Any]:
    """A request for bars that TWS refuses."""
    key = c.key()
    request = {
        "end": "", "duration": "1 D", "size": "1 hour", "what": "TRADES", "rth": True, "format": 2,
        "keep": False,
    }  # fmt: skip
    await c.do("history", req=key, contract=contract, **(request | asked))
    return await c.error(code, req=key)


@scenario("history", "no data so long ago: 162")
async def no_data(c: Witness, t: Stage) -> None:
    row = await refused(c, 162, stock(t, "SPY"), end="19900105-15:00:00")
    check("text", "returned no data" in row["text"], True)


@scenario("history", "an impossible bar size: 321")
async def bad_size(c: Witness, t: Stage) -> None:
    await refused(c, 321, stock(t, "SPY"), size="7 mins")


@scenario("history", "bars of an unknown contract: 200")
async def unknown(c: Witness, t: Stage) -> None:
    await refused(c, 200, {"symbol": "NOSUCH", "secType": "STK", "exchange": "SMART", "currency": "USD"})


@scenario("history", "cancel of a query that nobody asked: 366")
async def cancel_unknown(c: Witness, t: Stage) -> None:
    key = c.key()
    await c.do("cancel_history", req=key)
    await c.error(366, req=key)
