"""Layouts about accounts. Source: TWS-BEHAVIOUR.md D, F4, F6; the official client and decoder."""

from __future__ import annotations

from tws.wire.kinds import BOOL, DECIMAL, INT, INT0, OPT_FLOAT, STR, TEXT
from tws.wire.layout import Const, Field, Layout, fields
from tws.wire.layouts.contract import REQ_ID, SHORT, STRIKES
from tws.wire.messages import (
    AccountDataEnd,
    AccountDataRequest,
    AccountSummary,
    AccountSummaryEnd,
    AccountSummaryRequest,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdatesMultiRequest,
    AccountUpdateTime,
    AccountValue,
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPnL,
    CancelPnLSingle,
    CancelPositions,
    CancelPositionsMulti,
    PnL,
    PnLRequest,
    PnLSingle,
    PnLSingleRequest,
    PortfolioValue,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
    PositionsMultiRequest,
    PositionsRequest,
)

V1 = Const("1")

REQUESTS = (
    Layout(6, AccountDataRequest, (Const("2"), Field("subscribe", BOOL), Field("acct_code", STR))),
    Layout(61, PositionsRequest, (V1,)),
    Layout(64, CancelPositions, (V1,)),
    Layout(62, AccountSummaryRequest, (V1, REQ_ID, *fields("", STR, "group tags"))),
    Layout(63, CancelAccountSummary, (V1, REQ_ID)),
    Layout(74, PositionsMultiRequest, (V1, REQ_ID, *fields("", STR, "account model_code"))),
    Layout(75, CancelPositionsMulti, (V1, REQ_ID)),
    Layout(76, AccountUpdatesMultiRequest, (
        V1, REQ_ID, *fields("", STR, "account model_code"), Field("ledger_and_nlv", BOOL))),
    Layout(77, CancelAccountUpdatesMulti, (V1, REQ_ID)),
    Layout(92, PnLRequest, (REQ_ID, *fields("", STR, "account model_code"))),
    Layout(93, CancelPnL, (REQ_ID,)),
    Layout(94, PnLSingleRequest, (REQ_ID, *fields("", STR, "account model_code"), Field("con_id", INT))),
    Layout(95, CancelPnLSingle, (REQ_ID,)),
)

ANSWERS = (
    Layout(6, AccountValue, (Const("2"), *fields("", TEXT, "key value currency account_name"))),
    Layout(7, PortfolioValue, (
        Const("8"),
        Field("contract.con_id", INT0),
        *fields("contract.", STR, "symbol sec_type last_trade_date_or_contract_month"),
        *STRIKES,
        *fields("contract.", STR, "right multiplier primary_exch currency local_symbol trading_class"),
        Field("position", DECIMAL),
        *fields("", OPT_FLOAT, "market_price market_value average_cost unrealized_pnl realized_pnl"),
        Field("account_name", STR),
    )),
    Layout(8, AccountUpdateTime, (V1, Field("time_stamp", TEXT))),
    Layout(54, AccountDataEnd, (V1, Field("account_name", TEXT))),
    Layout(61, Position, (
        Const("3"), Field("account", STR), *SHORT, Field("position", DECIMAL), Field("avg_cost", OPT_FLOAT))),
    Layout(62, PositionEnd, (V1,)),
    Layout(63, AccountSummary, (V1, REQ_ID, *fields("", TEXT, "account tag value currency"))),
    Layout(64, AccountSummaryEnd, (V1, REQ_ID)),
    Layout(71, PositionMulti, (
        V1,
        REQ_ID,
        Field("account", STR),
        *SHORT,
        Field("position", DECIMAL),
        Field("avg_cost", OPT_FLOAT),
        Field("model_code", STR),
    )),
    Layout(72, PositionMultiEnd, (V1, REQ_ID)),
    Layout(73, AccountUpdateMulti, (V1, REQ_ID, *fields("", TEXT, "account model_code key value currency"))),
    Layout(74, AccountUpdateMultiEnd, (V1, REQ_ID)),
    Layout(94, PnL, (REQ_ID, *fields("", OPT_FLOAT, "daily_pnl unrealized_pnl realized_pnl"))),
    Layout(95, PnLSingle, (
        REQ_ID,
        Field("position", DECIMAL),
        *fields("", OPT_FLOAT, "daily_pnl unrealized_pnl realized_pnl value"),
    )),
)
