"""Drives ib_insync 0.9.86 and ib_async 2.1.0, two libraries of one family, as their users do: by the methods and
events of `IB`, never by what lies beneath.

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

from neutral import (  # noqa: E402
    contract_row,
    details_row,
    emit,
    execution_row,
    number,
    order_row,
    state_row,
)

LIBRARY = importlib.import_module(sys.argv[1])
FIELDS = (
    "bid bidSize ask askSize last lastSize high low open close volume avVolume histVolatility impliedVolatility "
    "callOpenInterest putOpenInterest callVolume putVolume markPrice halted tradeCount shortable shortableShares"
).split()
GREEKS = {"bid": "bidGreeks", "ask": "askGreeks", "last": "lastGreeks", "model": "modelGreeks"}
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


class Stream:
    """What of a ticker was said already, so that each change is one event."""

    def __init__(self, session: Session, key: int) -> None:
        self.session, self.key = session, key
        self.said: dict[str, Any] = {}

    def __call__(self, ticker: Any) -> None:
        session = self.session
        if self.new("kind", ticker.marketDataType):
            session.say("data_type", req=self.key, kind=ticker.marketDataType)
        if ticker.bboExchange and self.new("bbo", ticker.bboExchange):
            session.say("tick_params", req=self.key, min_tick=ticker.minTick, bbo=ticker.bboExchange)
        for name in FIELDS:
            value = number(getattr(ticker, name, None))
            if value is not None and self.new(name, value):
                session.say("quote", req=self.key, field=name, value=value)
        for of, name in GREEKS.items():
            greeks = getattr(ticker, name)
            if greeks is not None and self.new(name, greeks):
                session.say(
                    "greeks", req=self.key, of=of, iv=greeks.impliedVol, delta=greeks.delta,
                    price=greeks.optPrice, gamma=greeks.gamma, vega=greeks.vega, theta=greeks.theta,
                    under=greeks.undPrice,
                )  # fmt: skip
        for tick in ticker.ticks:
            if tick.tickType == 48:
                fields = {"price": tick.price, "size": tick.size, "total": ticker.rtVolume}
                session.say("trade_volume", req=self.key, **fields)
        for tick in ticker.tickByTicks:
            session.say("print", req=self.key, **print_row(tick))
        for tick in ticker.domTicks:
            session.say(
                "depth", req=self.key, position=tick.position, operation=tick.operation, side=tick.side,
                price=tick.price, size=tick.size,
            )  # fmt: skip

    def new(self, name: str, value: Any) -> bool:
        before, self.said[name] = self.said.get(name), value
        return before != value


def print_row(tick: Any) -> dict[str, Any]:
    if hasattr(tick, "midPoint"):
        return {"kind": "MidPoint", "price": tick.midPoint}
    if hasattr(tick, "bidPrice"):
        row = {"bid": tick.bidPrice, "ask": tick.askPrice, "bid_size": tick.bidSize, "ask_size": tick.askSize}
        return {"kind": "BidAsk", **row}
    return {"kind": {1: "Last", 2: "AllLast"}[tick.tickType], "price": tick.price, "size": tick.size}


class Session:
    """One `IB`, and what the runner's numbers stand for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ib = LIBRARY.IB()
        self.keys: dict[int, int] = {}
        self.kept: dict[int, Any] = {}
        ib = self.ib
        ib.errorEvent += self.on_error
        ib.disconnectedEvent += lambda: self.say("closed")
        ib.openOrderEvent += self.on_open_order
        ib.orderStatusEvent += self.on_status
        ib.execDetailsEvent += lambda trade, fill: self.on_fill(-1, fill)
        ib.commissionReportEvent += lambda trade, fill, report: self.on_commission(report)
        ib.positionEvent += self.on_position
        ib.updatePortfolioEvent += self.on_portfolio
        ib.accountValueEvent += self.on_value
        ib.pnlEvent += self.on_pnl
        ib.pnlSingleEvent += self.on_pnl_single

    def say(self, event: str, **fields: Any) -> None:
        emit(self.name, event, **fields)

    def number(self, key: int) -> None:
        """The request that comes next is the runner's `key`."""
        self.keys[self.ib.client.getReqId() + 1] = key

    # -- events -----------------------------------------------------------------------------------

    def on_error(self, req: int, code: int, text: str, contract: Any) -> None:
        self.say("error", req=self.keys.get(req, req), code=code, text=text)

    def on_open_order(self, trade: Any) -> None:
        row = {"contract": contract_row(trade.contract), "order": order_row(trade.order)}
        self.say(
            "open_order", order_id=trade.order.orderId, **row, state={"status": trade.orderStatus.status}
        )

    def on_status(self, trade: Any) -> None:
        status = trade.orderStatus
        self.say(
            "status", order_id=trade.order.orderId, status=status.status, filled=status.filled,
            remaining=status.remaining, average=status.avgFillPrice, perm_id=status.permId, client_id=status.clientId,
        )  # fmt: skip

    def on_fill(self, req: int, fill: Any) -> None:
        self.say("execution", req=req, **execution_row(fill.contract, fill.execution))

    def on_commission(self, report: Any) -> None:
        fields = {"execId": report.execId, "amount": report.commission, "currency": report.currency}
        self.say("commission", **fields, realized=report.realizedPNL)

    def on_position(self, row: Any) -> None:
        self.say(
            "position", account=row.account, conId=row.contract.conId, position=row.position, cost=row.avgCost
        )

    def on_portfolio(self, row: Any) -> None:
        self.say(
            "portfolio", conId=row.contract.conId, position=row.position, price=row.marketPrice,
            value=row.marketValue, cost=row.averageCost, unrealized=row.unrealizedPNL, realized=row.realizedPNL,
            account=row.account,
        )  # fmt: skip

    def on_value(self, row: Any) -> None:
        self.say("value", key=row.tag, value=row.value, currency=row.currency, account=row.account)

    def on_pnl(self, row: Any) -> None:
        key = self.kept.get(("pnl", row.account), -1)
        self.say("pnl", req=key, daily=row.dailyPnL, unrealized=row.unrealizedPnL, realized=row.realizedPnL)

    def on_pnl_single(self, row: Any) -> None:
        key = self.kept.get(("pnl", row.account, row.conId), -1)
        self.say(
            "pnl_single", req=key, position=row.position, daily=row.dailyPnL, unrealized=row.unrealizedPnL,
            realized=row.realizedPnL, value=row.value,
        )  # fmt: skip


def bar_row(bar: Any) -> list[Any]:
    return [bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume]


class Driver:
    """Commands to calls. A command that waits for its answer runs as a task of its own."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def perform(self, name: str, op: str, arguments: dict[str, Any]) -> None:
        session = self.sessions.get(name)
        if op == "connect":
            session = self.sessions[name] = Session(name)
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
            LIBRARY.ScannerSubscription() if one == "scanner" else contract_of(one) if isinstance(one, dict) else one
            for one in a.arguments
        ]  # fmt: skip
        method = getattr(s.ib, a.method + "Async", None) or getattr(s.ib, a.method, None)
        if method is None:
            s.say("unsupported", op="call", text=f"has no {a.method}")
            return
        answer = method(*arguments)
        if asyncio.iscoroutine(answer) or asyncio.isfuture(answer):
            answer = await answer
            if answer:
                s.say("answer", kind=a.method)

    # -- contracts --------------------------------------------------------------------------------

    async def details(self, s, a):
        for row in await s.ib.reqContractDetailsAsync(contract_of(a.contract)):
            s.say("details", req=a.req, **details_row(row))
        s.say("details_end", req=a.req)

    async def symbols(self, s, a):
        found = await s.ib.reqMatchingSymbolsAsync(a.pattern)
        rows = [
            [row.contract.conId, row.contract.symbol, row.contract.secType, row.contract.currency] for row in found
        ]  # fmt: skip
        s.say("symbols", req=a.req, rows=rows)

    async def chain(self, s, a):
        for row in await s.ib.reqSecDefOptParamsAsync(a.symbol, a.exchange, a.secType, a.conId):
            s.say(
                "chain", req=a.req, exchange=row.exchange, conId=number(row.underlyingConId),
                tradingClass=row.tradingClass, multiplier=number(row.multiplier),
                expirations=set(row.expirations), strikes=set(row.strikes),
            )  # fmt: skip
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
        s.ib.placeOrder(contract_of(a.contract), order)

    async def what_if(self, s, a):
        s.number(a.order_id)
        state = await s.ib.whatIfOrderAsync(contract_of(a.contract), order_of(a.order))
        if state:
            s.say("what_if", order_id=a.order_id, state=state_row(state))

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
