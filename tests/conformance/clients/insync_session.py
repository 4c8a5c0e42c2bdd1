"""A session of ib_insync or ib_async: its events in the words of `neutral`."""

from __future__ import annotations

from typing import Any

from neutral import contract_row, emit, execution_row, number, order_row

FIELDS = (
    "bid bidSize ask askSize last lastSize high low open close volume avVolume histVolatility "
    "impliedVolatility callOpenInterest putOpenInterest callVolume putVolume markPrice halted tradeCount "
    "shortable shortableShares"
).split()
GREEKS = {"bid": "bidGreeks", "ask": "askGreeks", "last": "lastGreeks", "model": "modelGreeks"}


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
                    "greeks",
                    req=self.key,
                    of=of,
                    iv=greeks.impliedVol,
                    delta=greeks.delta,
                    price=greeks.optPrice,
                    gamma=greeks.gamma,
                    vega=greeks.vega,
                    theta=greeks.theta,
                    under=greeks.undPrice,
                )
        for tick in ticker.ticks:
            if tick.tickType == 48:
                fields = {"price": tick.price, "size": tick.size, "total": ticker.rtVolume}
                session.say("trade_volume", req=self.key, **fields)
        for tick in ticker.tickByTicks:
            session.say("print", req=self.key, **print_row(tick))
        for tick in ticker.domTicks:
            session.say(
                "depth",
                req=self.key,
                position=tick.position,
                operation=tick.operation,
                side=tick.side,
                price=tick.price,
                size=tick.size,
            )

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

    def __init__(self, name: str, ib: Any) -> None:
        self.name = name
        self.ib = ib
        self.keys: dict[int, int] = {}
        self.kept: dict[int, Any] = {}
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
        ib.tickNewsEvent += self.on_news
        ib.newsBulletinEvent += self.on_bulletin

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
            "status",
            order_id=trade.order.orderId,
            status=status.status,
            filled=status.filled,
            remaining=status.remaining,
            average=status.avgFillPrice,
            perm_id=status.permId,
            client_id=status.clientId,
        )

    def on_fill(self, req: int, fill: Any) -> None:
        self.say("execution", req=req, **execution_row(fill.contract, fill.execution))

    def on_commission(self, report: Any) -> None:
        fields = {"execId": report.execId, "amount": report.commission, "currency": report.currency}
        self.say("commission", **fields, realized=report.realizedPNL)

    def on_news(self, row: Any) -> None:
        self.say("answer", kind="tickNews", rows=[[row.providerCode, row.articleId, row.headline]])

    def on_bulletin(self, row: Any) -> None:
        self.say("answer", kind="updateNewsBulletin", rows=[[row.msgType, row.message, row.origExchange]])

    def on_position(self, row: Any) -> None:
        self.say(
            "position", account=row.account, conId=row.contract.conId, position=row.position, cost=row.avgCost
        )

    def on_portfolio(self, row: Any) -> None:
        self.say(
            "portfolio",
            conId=row.contract.conId,
            position=row.position,
            price=row.marketPrice,
            value=row.marketValue,
            cost=row.averageCost,
            unrealized=row.unrealizedPNL,
            realized=row.realizedPNL,
            account=row.account,
        )

    def on_value(self, row: Any) -> None:
        self.say("value", key=row.tag, value=row.value, currency=row.currency, account=row.account)

    def on_pnl(self, row: Any) -> None:
        key = self.kept.get(("pnl", row.account), -1)
        self.say("pnl", req=key, daily=row.dailyPnL, unrealized=row.unrealizedPnL, realized=row.realizedPnL)

    def on_pnl_single(self, row: Any) -> None:
        key = self.kept.get(("pnl", row.account, row.conId), -1)
        self.say(
            "pnl_single",
            req=key,
            position=row.position,
            daily=row.dailyPnL,
            unrealized=row.unrealizedPnL,
            realized=row.realizedPnL,
            value=row.value,
        )
