"""Drives ib_insync 0.9.86 and ib_async 2.1.0, two libraries of one family, as their users do: by the methods
and events of `IB`, never by what lies beneath.

    python insync.py ib_async

The libraries number requests themselves; the runner's own number is found again through `Session.keys`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

asyncio.set_event_loop(asyncio.new_event_loop())  # eventkit asks for one while it is imported

from insync_session import Session, Stream  # noqa: E402
from neutral import contract_row, details_row, emit, number, order_row, state_row  # noqa: E402

LIBRARY = importlib.import_module(sys.argv[1])
CONDITIONS = {"percentchange": "PercentChangeCondition"}


def contract_of(fields: dict[str, Any]) -> Any:
    legs = [
        LIBRARY.ComboLeg(conId=con_id, ratio=ratio, action=action, exchange=exchange)
        for con_id, ratio, action, exchange in fields.get("legs", [])
    ]
    return LIBRARY.Contract(
        **{name: value for name, value in fields.items() if name != "legs"}, comboLegs=legs
    )


def order_of(fields: dict[str, Any]) -> Any:
    order = LIBRARY.Order()
    for name, value in fields.items():
        if name not in ("conditions", "algoParams"):
            setattr(order, name, value)
    order.conditions = [condition_of(**one) for one in fields.get("conditions", [])]
    order.algoParams = [LIBRARY.TagValue(tag, value) for tag, value in fields.get("algoParams", [])]
    return order


def condition_of(kind: str, conjunction: str = "a", **fields: Any) -> Any:
    name = CONDITIONS.get(kind, kind.capitalize() + "Condition")
    fields = {{"exchange": "exch"}.get(key, key): value for key, value in fields.items()}
    return getattr(LIBRARY, name)(conjunction=conjunction, **fields)


def bar_row(bar: Any) -> list[Any]:
    return [bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume]


FIELDS = {
    "NewsProvider": "code name",
    "NewsArticle": "articleType articleText",
    "HistoricalNews": "providerCode articleId headline",
    "DepthMktDataDescription": "exchange secType",
    "SmartComponent": "bitNumber exchange exchangeLetter",
    "HistogramData": "price count",
}


def rows_of(answer: Any) -> list[Any]:
    """What of an answer is compared, as rows."""
    if answer is None:
        return []
    if isinstance(answer, str):
        return [[answer]]
    found = answer if isinstance(answer, list) else [answer]
    return [row_of(one) for one in found]


def row_of(one: Any) -> list[Any]:
    if type(one).__name__ == "ScanData":
        contract = one.contractDetails.contract
        return [one.rank, contract.conId, contract.symbol]
    return [getattr(one, name) for name in FIELDS[type(one).__name__].split()]


class Driver:
    """Commands to calls. A command that waits for its answer runs as a task of its own."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def perform(self, name: str, op: str, arguments: dict[str, Any]) -> None:
        session = self.sessions.get(name)
        if op == "connect":
            session = self.sessions[name] = Session(name, LIBRARY.IB())
        handler: Callable[[Any, Any], Awaitable[None] | None] = getattr(self, op)
        given = SimpleNamespace(**arguments)
        if arguments.get("req") is not None and not op.startswith("cancel"):
            session.number(given.req)
        waiting = handler(session, given)
        if waiting is not None:
            task = asyncio.ensure_future(self.guard(name, op, waiting))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def guard(self, name: str, op: str, waiting: Awaitable[None]) -> None:
        try:
            await waiting
        except Exception as error:
            event = "closed" if op == "connect" else "failed"
            emit(name, event, op=op, text=f"{error!r}\n{traceback.format_exc()}")

    # -- the link ---------------------------------------------------------------------------------

    async def connect(self, s, a):
        readonly = getattr(a, "readonly", False)
        await s.ib.connectAsync(a.host, a.port, a.client_id, readonly=readonly)
        s.say("accounts", accounts=s.ib.managedAccounts())
        s.say("ready", version=s.ib.client.serverVersion(), time=None)

    def disconnect(self, s, a):
        s.ib.disconnect()

    def order_id(self, s, a):
        s.say("order_id", order_id=s.ib.client.getReqId())

    def next_id(self, s, a):
        raise NotImplementedError("hands out ids itself")

    async def time(self, s, a):
        s.say("time", epoch=await s.ib.reqCurrentTimeAsync())

    async def call(self, s, a):
        arguments = [
            LIBRARY.ScannerSubscription()
            if one == "scanner"
            else contract_of(one)
            if isinstance(one, dict)
            else one
            for one in a.arguments
        ]
        method = getattr(s.ib, a.method + "Async", None) or getattr(s.ib, a.method, None)
        if method is None:
            s.say("unsupported", op="call", text=f"has no {a.method}")
            return
        answer = method(*arguments)
        if asyncio.iscoroutine(answer) or asyncio.isfuture(answer):
            s.say("answer", kind=a.method, rows=rows_of(await answer))  # an error was said before
        elif isinstance(answer, list):  # a subscription, as the scanner's: told each time that it is whole
            answer.updateEvent += lambda rows: s.say("answer", kind=a.method, rows=rows_of(rows))

    # -- contracts --------------------------------------------------------------------------------

    async def details(self, s, a):
        for row in await s.ib.reqContractDetailsAsync(contract_of(a.contract)):
            terms = {"coupon": row.coupon, "maturity": row.maturity}
            s.say("details", req=a.req, **details_row(row), **(terms if row.maturity else {}))
        s.say("details_end", req=a.req)

    async def symbols(self, s, a):
        found = await s.ib.reqMatchingSymbolsAsync(a.pattern)
        rows = [
            [row.contract.conId, row.contract.symbol, row.contract.secType, row.contract.currency]
            for row in found
        ]
        s.say("symbols", req=a.req, rows=rows)

    async def chain(self, s, a):
        for row in await s.ib.reqSecDefOptParamsAsync(a.symbol, a.exchange, a.secType, a.conId):
            s.say(
                "chain",
                req=a.req,
                exchange=row.exchange,
                conId=number(row.underlyingConId),
                tradingClass=row.tradingClass,
                multiplier=number(row.multiplier),
                expirations=set(row.expirations),
                strikes=set(row.strikes),
            )
        s.say("chain_end", req=a.req)

    async def rule(self, s, a):
        rows = await s.ib.reqMarketRuleAsync(a.rule)
        s.say("rule", rule=a.rule, rows=[[row.lowEdge, row.increment] for row in rows])

    # -- live data --------------------------------------------------------------------------------

    def data_type(self, s, a):
        s.ib.reqMarketDataType(a.kind)

    def market_data(self, s, a):
        contract = contract_of(a.contract)
        if a.snapshot:
            return self.snapshot(s, a, contract)
        ticker = s.ib.reqMktData(contract, a.ticks, False, False)
        s.kept[a.req] = contract
        self.stream(s, a, ticker)
        return None

    def stream(self, s, a, ticker):
        ticker.updateEvent.clear()  # the library keeps one ticker for a contract, whoever asked for it
        stream = s.kept["stream", a.req] = Stream(s, a.req)  # an event holds its listeners weakly
        ticker.updateEvent += stream

    async def snapshot(self, s, a, contract):
        for ticker in await s.ib.reqTickersAsync(contract):
            Stream(s, a.req)(ticker)
        s.say("snapshot_end", req=a.req)

    def kept(self, s, a):
        if a.req not in s.kept:
            raise NotImplementedError("keeps its own books and sends no cancel of what it does not know")
        return s.kept.pop(a.req)

    def cancel_market_data(self, s, a):
        s.ib.cancelMktData(self.kept(s, a))

    def tick_by_tick(self, s, a):
        contract = contract_of(a.contract)
        s.kept[a.req] = (contract, a.kind)
        self.stream(s, a, s.ib.reqTickByTickData(contract, a.kind, 0, False))

    def cancel_tick_by_tick(self, s, a):
        s.ib.cancelTickByTickData(*self.kept(s, a))

    def depth(self, s, a):
        contract = s.kept[a.req] = contract_of(a.contract)
        self.stream(s, a, s.ib.reqMktDepth(contract, a.rows, a.smart))

    def cancel_depth(self, s, a):
        s.ib.cancelMktDepth(self.kept(s, a), a.smart)

    def live_bars(self, s, a):
        bars = s.kept[a.req] = s.ib.reqRealTimeBars(contract_of(a.contract), 5, a.what, False)

        def heard(rows: Any, _: bool) -> None:
            bar = rows[-1]
            s.say("live_bar", req=a.req, row=[bar.time, bar.open_, bar.high, bar.low, bar.close, bar.volume])

        bars.updateEvent += heard

    def cancel_live_bars(self, s, a):
        s.ib.cancelRealTimeBars(self.kept(s, a))

    # -- the past ---------------------------------------------------------------------------------

    async def history(self, s, a):
        if a.what == "SCHEDULE":
            days = int(a.duration.split()[0])
            found = await s.ib.reqHistoricalScheduleAsync(contract_of(a.contract), days, a.end, a.rth)
            rows = [[row.refDate, row.startDateTime, row.endDateTime] for row in found.sessions]
            s.say("schedule", req=a.req, zone=found.timeZone, rows=rows)
            return
        bars = await s.ib.reqHistoricalDataAsync(
            contract_of(a.contract), a.end, a.duration, a.size, a.what, a.rth, a.format, a.keep
        )
        s.kept[a.req] = bars
        bars.updateEvent += lambda rows, _: s.say("bar_update", req=a.req, row=bar_row(rows[-1]))
        s.say("bars", req=a.req, rows=[bar_row(bar) for bar in bars])

    def cancel_history(self, s, a):
        s.ib.cancelHistoricalData(self.kept(s, a))

    async def head(self, s, a):
        s.say(
            "head",
            req=a.req,
            time=await s.ib.reqHeadTimeStampAsync(contract_of(a.contract), a.what, True, a.format),
        )

    async def past_ticks(self, s, a):
        found = await s.ib.reqHistoricalTicksAsync(
            contract_of(a.contract), a.start, a.end, a.count, a.what, True
        )
        names = {"TRADES": ("price", "size"), "BID_ASK": ("priceBid", "priceAsk")}.get(a.what, ("price",))
        s.say("past_ticks", req=a.req, rows=[[t.time, *(getattr(t, name) for name in names)] for t in found])

    async def histogram(self, s, a):
        found = await s.ib.reqHistogramDataAsync(contract_of(a.contract), a.rth, f"{a.days} days")
        s.say("answer", kind="histogramData", rows=rows_of(found))

    def bulletins(self, s, a):
        if a.on:
            s.ib.reqNewsBulletins(True)
        else:
            s.ib.cancelNewsBulletins()

    def scan(self, s, a):
        wanted = LIBRARY.ScannerSubscription(
            instrument="STK", locationCode="STK.US.MAJOR", scanCode=a.code, numberOfRows=a.rows
        )
        found = s.kept[a.req] = s.ib.reqScannerSubscription(wanted)
        found.updateEvent += lambda rows: s.say("answer", kind="scannerData", rows=rows_of(rows))

    def cancel_scan(self, s, a):
        s.ib.cancelScannerSubscription(self.kept(s, a))

    async def calendar(self, s, a):
        s.say("answer", kind="wshMetaData", rows=[[await s.ib.getWshMetaDataAsync()]])

    # -- accounts ---------------------------------------------------------------------------------

    async def values(self, s, a):
        await s.ib.reqAccountUpdatesAsync(a.account)
        s.say("values_end", account=a.account)

    def stop_values(self, s, a):
        raise NotImplementedError("has no call that ends the subscription")

    async def multi_values(self, s, a):
        await s.ib.reqAccountUpdatesMultiAsync(a.account, "")
        for row in s.ib.accountValues(a.account):
            fields = {"key": row.tag, "value": row.value, "currency": row.currency, "account": row.account}
            s.say("multi_value", req=a.req, **fields)
        s.say("multi_values_end", req=a.req)

    async def summary(self, s, a):
        for row in await s.ib.accountSummaryAsync():
            fields = {"account": row.account, "tag": row.tag, "value": row.value, "currency": row.currency}
            s.say("summary", req=a.req, **fields)
        s.say("summary_end", req=a.req)

    def cancel_summary(self, s, a):
        pass  # the library keeps its one summary to itself

    async def positions(self, s, a):
        await s.ib.reqPositionsAsync()
        s.say("positions_end")

    def multi_positions(self, s, a):
        raise NotImplementedError("has no positions by account")

    def pnl(self, s, a):
        s.kept["pnl", a.account] = a.req
        s.ib.reqPnL(a.account)
        s.kept[a.req] = (a.account,)

    def cancel_pnl(self, s, a):
        s.ib.cancelPnL(*self.kept(s, a))

    def pnl_single(self, s, a):
        s.kept["pnl", a.account, a.conId] = a.req
        s.ib.reqPnLSingle(a.account, "", a.conId)
        s.kept[a.req] = (a.account, "", a.conId)

    def cancel_pnl_single(self, s, a):
        s.ib.cancelPnLSingle(*self.kept(s, a))

    # -- orders -----------------------------------------------------------------------------------

    def place(self, s, a):
        order = order_of(a.order)
        order.orderId = a.order_id
        s.keys.pop(a.order_id, None)  # the library counts orders and requests in one sequence
        s.ib.placeOrder(contract_of(a.contract), order)

    async def what_if(self, s, a):
        s.number(a.order_id)
        state = await s.ib.whatIfOrderAsync(contract_of(a.contract), order_of(a.order))
        if state:
            s.say("what_if", order_id=a.order_id, state=state_row(state))

    def exercise(self, s, a):
        s.ib.exerciseOptions(contract_of(a.contract), a.action, a.quantity, a.account, a.override)

    def cancel(self, s, a):
        mine = [trade.order for trade in s.ib.trades() if trade.order.orderId == a.order_id]
        s.ib.cancelOrder(mine[-1] if mine else LIBRARY.Order(orderId=a.order_id))

    def global_cancel(self, s, a):
        s.ib.reqGlobalCancel()

    async def open_orders(self, s, a):
        for trade in await s.ib.reqOpenOrdersAsync():
            s.on_open_order(trade)
        s.say("open_orders_end")

    async def all_open_orders(self, s, a):
        for trade in await s.ib.reqAllOpenOrdersAsync():
            s.on_open_order(trade)
        s.say("open_orders_end")

    def auto_bind(self, s, a):
        s.ib.reqAutoOpenOrders(a.bind)

    async def completed(self, s, a):
        for trade in await s.ib.reqCompletedOrdersAsync(a.api_only):
            state = {"status": trade.orderStatus.status, "completedStatus": None}
            s.say(
                "completed", contract=contract_row(trade.contract), order=order_row(trade.order), state=state
            )
        s.say("completed_end")

    async def executions(self, s, a):
        for fill in await s.ib.reqExecutionsAsync(LIBRARY.ExecutionFilter(**a.filter)):
            s.on_fill(a.req, fill)
            s.on_commission(fill.commissionReport)
        s.say("executions_end", req=a.req)


async def main() -> None:
    driver = Driver()
    reader = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        command = json.loads(line)
        name = command.get("session", "main")
        try:
            driver.perform(name, command["op"], command.get("arguments", {}))
        except NotImplementedError as lacking:
            emit(name, "unsupported", op=command["op"], text=str(lacking))
        except Exception:
            emit(name, "failed", op=command["op"], text=traceback.format_exc())


if __name__ == "__main__":
    asyncio.get_event_loop().run_until_complete(main())
