"""What the official client says back, as events in the words of `neutral`: every callback of EWrapper, at any
version from 9.81 on (TWS-BEHAVIOUR.md C6).
"""

from __future__ import annotations

from typing import Any

from ibapi.client import EClient
from ibapi.wrapper import EWrapper
from neutral import (
    GREEKS,
    contract_row,
    details_row,
    emit,
    execution_row,
    number,
    order_row,
    state_row,
    tick_name,
)

KINDS = {1: "Last", 2: "AllLast"}


class Session(EWrapper, EClient):
    """One connection. Callbacks become events; bars are gathered until their end comes."""

    def __init__(self, name: str) -> None:
        EClient.__init__(self, self)
        self.name = name
        self.next_id = 0
        self.bars: dict[int, list[Any]] = {}
        self.rows: dict[int, list[Any]] = {}

    def say(self, event: str, **fields: Any) -> None:
        emit(self.name, event, **fields)

    # -- the link ---------------------------------------------------------------------------------

    def error(self, reqId, *rest):
        """(code, text), (code, text, json), or since 10.33 (time, code, text, json)."""
        code, text = rest[1:3] if isinstance(rest[1], int) else rest[:2]
        self.say("error", req=reqId, code=code, text=text)

    def nextValidId(self, orderId):
        first, self.next_id = not self.next_id, max(self.next_id, orderId)
        if first:
            self.say("ready", version=self.serverVersion(), time=text_of(self.twsConnectionTime()))
        self.say("next_id", order_id=orderId)

    def managedAccounts(self, accountsList):
        self.say("accounts", accounts=[one for one in accountsList.split(",") if one])

    def connectionClosed(self):
        self.say("closed")

    def currentTime(self, time):
        self.say("time", epoch=time)

    # -- contracts --------------------------------------------------------------------------------

    def contractDetails(self, reqId, contractDetails):
        self.say("details", req=reqId, **details_row(contractDetails))

    def contractDetailsEnd(self, reqId):
        self.say("details_end", req=reqId)

    def symbolSamples(self, reqId, contractDescriptions):
        rows = [
            [row.contract.conId, row.contract.symbol, row.contract.secType, row.contract.currency]
            for row in contractDescriptions
        ]
        self.say("symbols", req=reqId, rows=rows)

    def securityDefinitionOptionParameter(
        self, reqId, exchange, underlyingConId, tradingClass, multiplier, expirations, strikes
    ):
        self.say(
            "chain",
            req=reqId,
            exchange=exchange,
            conId=underlyingConId,
            tradingClass=tradingClass,
            multiplier=number(multiplier),
            expirations=expirations,
            strikes=strikes,
        )

    def securityDefinitionOptionParameterEnd(self, reqId):
        self.say("chain_end", req=reqId)

    def marketRule(self, marketRuleId, priceIncrements):
        self.say("rule", rule=marketRuleId, rows=[[row.lowEdge, row.increment] for row in priceIncrements])

    def bondContractDetails(self, reqId, contractDetails):
        terms = {"coupon": contractDetails.coupon, "maturity": contractDetails.maturity}
        self.say("details", req=reqId, **details_row(contractDetails), **terms)

    # -- what is told beside the market -----------------------------------------------------------

    def historicalNews(self, requestId, time, providerCode, articleId, headline):
        self.rows.setdefault(requestId, []).append([providerCode, articleId, headline])

    def historicalNewsEnd(self, requestId, hasMore):
        self.say("answer", kind="historicalNews", rows=self.rows.pop(requestId, []), more=hasMore)

    def scannerData(self, reqId, rank, contractDetails, *rest):
        found = contractDetails.contract
        self.rows.setdefault(reqId, []).append([rank, found.conId, found.symbol])

    def scannerDataEnd(self, reqId):
        self.say("answer", kind="scannerData", rows=self.rows.pop(reqId, []))

    # -- live data --------------------------------------------------------------------------------

    def tickPrice(self, reqId, tickType, price, attrib):
        self.say("quote", req=reqId, field=tick_name(tickType), value=price)

    def tickSize(self, reqId, tickType, size):
        self.say("quote", req=reqId, field=tick_name(tickType), value=size)

    def tickString(self, reqId, tickType, value):
        field = tick_name(tickType)
        if field == "rtVolume":
            price, size, _, total, *_ = value.split(";")
            self.say("trade_volume", req=reqId, price=number(price), size=number(size), total=number(total))
        else:
            self.say("quote", req=reqId, field=field, value=number(value) if field == "lastTime" else value)

    def tickGeneric(self, reqId, tickType, value):
        self.say("quote", req=reqId, field=tick_name(tickType), value=value)

    def tickOptionComputation(self, reqId, tickType, *rest):
        iv, delta, price, _, gamma, vega, theta, under = rest[-8:]
        self.say(
            "greeks",
            req=reqId,
            of=GREEKS.get(tickType),
            iv=iv,
            delta=delta,
            price=price,
            gamma=gamma,
            vega=vega,
            theta=theta,
            under=under,
        )

    def tickReqParams(self, tickerId, minTick, bboExchange, snapshotPermissions):
        self.say("tick_params", req=tickerId, min_tick=minTick, bbo=bboExchange)

    def marketDataType(self, reqId, marketDataType):
        self.say("data_type", req=reqId, kind=marketDataType)

    def tickSnapshotEnd(self, reqId):
        self.say("snapshot_end", req=reqId)

    def tickByTickAllLast(self, reqId, tickType, time, price, size, *rest):
        self.say("print", req=reqId, kind=KINDS[tickType], price=price, size=size)

    def tickByTickBidAsk(self, reqId, time, bidPrice, askPrice, bidSize, askSize, *rest):
        self.say(
            "print", req=reqId, kind="BidAsk", bid=bidPrice, ask=askPrice, bid_size=bidSize, ask_size=askSize
        )

    def tickByTickMidPoint(self, reqId, time, midPoint):
        self.say("print", req=reqId, kind="MidPoint", price=midPoint)

    def updateMktDepth(self, reqId, position, operation, side, price, size):
        self.say(
            "depth", req=reqId, position=position, operation=operation, side=side, price=price, size=size
        )

    def updateMktDepthL2(self, reqId, position, marketMaker, operation, side, price, size, *rest):
        self.say(
            "depth", req=reqId, position=position, operation=operation, side=side, price=price, size=size
        )

    def realtimeBar(self, reqId, time, open_, high, low, close, volume, wap, count):
        self.say("live_bar", req=reqId, row=[time, open_, high, low, close, volume])

    # -- the past ---------------------------------------------------------------------------------

    def historicalData(self, reqId, bar):
        self.bars.setdefault(reqId, []).append(bar_row(bar))

    def historicalDataEnd(self, reqId, start, end):
        self.say("bars", req=reqId, rows=self.bars.pop(reqId, []))

    def historicalDataUpdate(self, reqId, bar):
        self.say("bar_update", req=reqId, row=bar_row(bar))

    def historicalSchedule(self, reqId, startDateTime, endDateTime, timeZone, sessions):
        rows = [[one.refDate, one.startDateTime, one.endDateTime] for one in sessions]
        self.say("schedule", req=reqId, zone=timeZone, rows=rows)

    def headTimestamp(self, reqId, headTimestamp):
        self.say("head", req=reqId, time=headTimestamp)

    def historicalTicks(self, reqId, ticks, done):
        self.say("past_ticks", req=reqId, rows=[[tick.time, tick.price] for tick in ticks])

    def historicalTicksBidAsk(self, reqId, ticks, done):
        self.say("past_ticks", req=reqId, rows=[[tick.time, tick.priceBid, tick.priceAsk] for tick in ticks])

    def historicalTicksLast(self, reqId, ticks, done):
        self.say("past_ticks", req=reqId, rows=[[tick.time, tick.price, tick.size] for tick in ticks])

    # -- accounts ---------------------------------------------------------------------------------

    def updateAccountValue(self, key, val, currency, accountName):
        self.say("value", key=key, value=val, currency=currency, account=accountName)

    def updatePortfolio(self, contract, position, price, value, cost, unrealized, realized, accountName):
        self.say(
            "portfolio",
            conId=contract.conId,
            position=position,
            price=price,
            value=value,
            cost=cost,
            unrealized=unrealized,
            realized=realized,
            account=accountName,
        )

    def accountDownloadEnd(self, accountName):
        self.say("values_end", account=accountName)

    def accountUpdateMulti(self, reqId, account, modelCode, key, value, currency):
        self.say("multi_value", req=reqId, key=key, value=value, currency=currency, account=account)

    def accountUpdateMultiEnd(self, reqId):
        self.say("multi_values_end", req=reqId)

    def accountSummary(self, reqId, account, tag, value, currency):
        self.say("summary", req=reqId, account=account, tag=tag, value=value, currency=currency)

    def accountSummaryEnd(self, reqId):
        self.say("summary_end", req=reqId)

    def position(self, account, contract, position, avgCost):
        self.say("position", account=account, conId=contract.conId, position=position, cost=avgCost)

    def positionEnd(self):
        self.say("positions_end")

    def positionMulti(self, reqId, account, modelCode, contract, pos, avgCost):
        self.say(
            "multi_position", req=reqId, account=account, conId=contract.conId, position=pos, cost=avgCost
        )

    def positionMultiEnd(self, reqId):
        self.say("multi_positions_end", req=reqId)

    def pnl(self, reqId, dailyPnL, unrealizedPnL, realizedPnL):
        self.say("pnl", req=reqId, daily=dailyPnL, unrealized=unrealizedPnL, realized=realizedPnL)

    def pnlSingle(self, reqId, pos, dailyPnL, unrealizedPnL, realizedPnL, value):
        self.say(
            "pnl_single",
            req=reqId,
            position=pos,
            daily=dailyPnL,
            unrealized=unrealizedPnL,
            realized=realizedPnL,
            value=value,
        )

    # -- orders -----------------------------------------------------------------------------------

    def openOrder(self, orderId, contract, order, orderState):
        event = "what_if" if order.whatIf else "open_order"
        self.say(
            event,
            order_id=orderId,
            contract=contract_row(contract),
            order=order_row(order),
            state=state_row(orderState),
        )

    def openOrderEnd(self):
        self.say("open_orders_end")

    def orderStatus(
        self, orderId, status, filled, remaining, avg, permId, parentId, last, clientId, whyHeld, *rest
    ):
        self.say(
            "status",
            order_id=orderId,
            status=status,
            filled=number(filled),
            remaining=number(remaining),
            average=avg,
            perm_id=permId,
            client_id=clientId,
        )

    def execDetails(self, reqId, contract, execution):
        self.say("execution", req=reqId, **execution_row(contract, execution))

    def execDetailsEnd(self, reqId):
        self.say("executions_end", req=reqId)

    def commissionReport(self, report):
        self.say(
            "commission",
            execId=report.execId,
            amount=report.commission,
            currency=report.currency,
            realized=report.realizedPNL,
        )

    def commissionAndFeesReport(self, report):
        self.say(
            "commission",
            execId=report.execId,
            amount=report.commissionAndFees,
            currency=report.currency,
            realized=report.realizedPNL,
        )

    def completedOrder(self, contract, order, orderState):
        self.say(
            "completed", contract=contract_row(contract), order=order_row(order), state=state_row(orderState)
        )

    def completedOrdersEnd(self):
        self.say("completed_end")

    def orderBound(self, permId, clientId, orderId):
        self.say("bound", perm_id=permId, client_id=clientId, order_id=orderId)


def components(found: Any) -> list[Any]:
    """A list of objects in text; from protobuf the client makes a dictionary of pairs."""
    if isinstance(found, dict):
        return [[bit, exchange, letter] for bit, (exchange, letter) in found.items()]
    return [[one.bitNumber, one.exchange, one.exchangeLetter] for one in found]


ANSWERS = {
    "newsProviders": lambda rows: [[one.code, one.name] for one in rows],
    "newsArticle": lambda req, kind, text: [[kind, text]],
    "fundamentalData": lambda req, text: [[text]],
    "scannerParameters": lambda xml: [[xml]],
    "mktDepthExchanges": lambda rows: [[one.exchange, one.secType] for one in rows],
    "smartComponents": lambda req, rows: components(rows),
    "familyCodes": lambda rows: [[one.accountID, one.familyCodeStr] for one in rows],
    "userInfo": lambda req, text: [[text]],
    "histogramData": lambda req, rows: [
        [one.price, number(one.size if hasattr(one, "size") else one.count)] for one in rows
    ],
    "softDollarTiers": lambda req, rows: [[one.name, one.val] for one in rows],
    "receiveFA": lambda kind, xml: [[kind, xml]],
    "displayGroupList": lambda req, text: [[text]],
    "displayGroupUpdated": lambda req, text: [[text]],
    "wshMetaData": lambda req, text: [[text]],
    "wshEventData": lambda req, text: [[text]],
    "updateNewsBulletin": lambda number, kind, text, exchange: [[kind, text, exchange]],
    "replaceFAEnd": lambda req, text: [[text]],
    "tickNews": lambda req, time, provider, article, headline, more: [[provider, article, headline]],
}
"""Answers in one message: what of it is compared, as rows."""


def _answer(name: str, rows: Any):
    def heard(self, *arguments):
        self.say("answer", kind=name, rows=rows(*arguments))

    return heard


for _name, _rows in ANSWERS.items():
    setattr(Session, _name, _answer(_name, _rows))


def text_of(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def bar_row(bar: Any) -> list[Any]:
    return [bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume]
