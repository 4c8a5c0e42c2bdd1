"""What a frame asks of the budgets, read from the frame itself.

Most requests cost a message of the second and nothing else; they are told by their message id alone. A frame
that TWS limits further is decoded once, and `claims` says which windows it falls into and with what weight,
`place` which kind of slot it takes. Where TWS's notion of "the same" isn't known exactly ours is the wider
one: a request may wait that could have gone, not the other way round.
"""

from __future__ import annotations

from typing import NamedTuple

from tws.errors import DecodeError
from tws.wire.codec import Unknown, decode_request
from tws.wire.messages import (
    AccountSummaryRequest,
    HeadTimestampRequest,
    HistoricalDataRequest,
    HistoricalTicksRequest,
    MarketDataRequest,
    MarketDepthRequest,
    MatchingSymbolsRequest,
    RealTimeBarsRequest,
    Request,
    ScannerSubscriptionRequest,
    TickByTickRequest,
    WireContract,
)

__all__ = [
    "ANSWERED",
    "BURST",
    "CANCELS",
    "CLAIMING",
    "DEPTH",
    "HEAD",
    "HISTORY",
    "IDENTICAL",
    "LINES",
    "NO_ID",
    "ORDER_CANCELS",
    "PRINTS",
    "PRINTS_GAP",
    "REAL_TIME",
    "SCANNERS",
    "SEARCHES",
    "SUMMARIES",
    "TEN_MINUTES",
    "TIME",
    "Claim",
    "Place",
    "claims",
    "lane",
    "place",
    "read",
    "request_id",
]

NO_ID = -1
TIME = 49
"""reqCurrentTime: its answers come in the order of asking, so each proves what was read before."""
ORDER_CANCELS = frozenset({4, 58})
CANCELS = {
    2: 1, 11: 10, 13: 12, 23: 22, 25: 20, 51: 50, 53: 52, 56: 54, 57: 55, 63: 62, 64: 61, 70: 68, 75: 74,
    77: 76, 89: 88, 90: 87, 93: 92, 95: 94, 98: 97, 101: 100, 103: 102, 106: 9, 107: 96,
}  # fmt: skip
"""Cancels of requests and subscriptions: message id, and the id of what it ends (F4)."""
MARKET_DATA, MARKET_DATA_TYPE = 1, 59
HEAD = 87
"""reqHeadTimestamp: it feeds nothing that could be lost, and is cancelled when it is answered."""
ANSWERED = frozenset({20, 96})
"""Requests for history: each has an answer with an end, or an error."""
CLAIMING = frozenset({MARKET_DATA, 10, 20, 22, 50, 62, 81, HEAD, 96, 97})
"""Requests with a budget of their own."""

# Windows: how many in a time.
IDENTICAL, BURST, TEN_MINUTES = "identical", "burst", "ten minutes"
REAL_TIME, PRINTS_GAP, SEARCHES = "real-time bars", "tick-by-tick gap", "searches"
# Slots: how many at once.
LINES, HISTORY, PRINTS = "market data lines", "historical requests", "tick-by-tick subscriptions"
DEPTH, SCANNERS, SUMMARIES = "market depths", "scanner subscriptions", "account summaries"

_PRINTS_AS = {"Last": "TRADES", "AllLast": "TRADES", "BidAsk": "BID_ASK", "MidPoint": "MIDPOINT"}


class Claim(NamedTuple):
    """A share of a window: which rule, whose window of that rule, how much."""

    rule: str
    key: object = None
    weight: int = 1


class Place(NamedTuple):
    """A slot. `lasting`: it is taken until a cancel or an error; else the answer's end frees it. `waits`:
    the request is held back until a slot is free; a snapshot takes none itself, but crowds the lines.
    """

    slots: str
    lasting: bool
    waits: bool = True


def read(frame: bytes, server_version: int) -> Request | None:
    """The request in a frame; None for one that our codec can't read, which TWS then judges by itself."""
    try:
        request = decode_request(frame[4:], server_version, lenient=True)
    except DecodeError:
        return None
    return None if isinstance(request, Unknown) else request


def request_id(request: Request | None) -> int:
    """The request or order id, NO_ID where there is none."""
    found = getattr(request, "req_id", None)
    return found if isinstance(found, int) else getattr(request, "order_id", NO_ID)


def claims(request: Request | None) -> tuple[Claim, ...]:
    """The windows that a request falls into (B)."""
    match request:
        case HistoricalDataRequest() if "sec" in request.bar_size_setting.lower():
            what, span = request.what_to_show, (request.end_date_time, request.duration)
            return _past(request.contract, what, (*span, request.bar_size_setting, request.use_rth))
        case HistoricalTicksRequest():
            what, span = request.what_to_show, (request.start_date_time, request.end_date_time)
            return _past(request.contract, what, (*span, request.number_of_ticks, request.use_rth))
        case RealTimeBarsRequest():
            return (Claim(REAL_TIME),)
        case TickByTickRequest():
            gap = Claim(PRINTS_GAP, _instrument(request.contract))
            if request.number_of_ticks <= 0:
                return (gap,)
            what = _PRINTS_AS.get(request.tick_type, request.tick_type)
            return (gap, *_past(request.contract, what, ("tick by tick",)))
        case MatchingSymbolsRequest():
            return (Claim(SEARCHES),)
    return ()


def _past(contract: WireContract, what: str, span: tuple[object, ...]) -> tuple[Claim, ...]:
    what = what.strip().upper()
    exact = (contract.con_id, contract.exchange) if contract.con_id else contract
    if contract.con_id:
        about: object = contract.con_id
    else:  # as coarse as the words in which a person names it: an expiry or a strike makes no other kind
        about = (contract.symbol, contract.local_symbol)
    return (
        Claim(IDENTICAL, (exact, what, span)),
        Claim(BURST, (about, contract.exchange.strip().upper(), what)),
        Claim(TEN_MINUTES, None, 2 if what == "BID_ASK" else 1),
    )


def _instrument(contract: WireContract) -> object:
    """The instrument whatever the exchange."""
    if contract.con_id:
        return contract.con_id
    expiry = contract.last_trade_date_or_contract_month
    names = (contract.symbol, contract.local_symbol, contract.sec_type)
    return (*names, expiry, contract.strike, contract.right)


def place(request: Request | None) -> Place | None:
    """The slot that a request takes (B)."""
    match request:
        case MarketDataRequest():
            once = request.snapshot or request.regulatory_snapshot
            return Place(LINES, lasting=not once, waits=not once)
        case RealTimeBarsRequest():
            return Place(LINES, lasting=True)
        case HistoricalDataRequest():
            return Place(HISTORY, lasting=request.keep_up_to_date)
        case HistoricalTicksRequest():
            return Place(HISTORY, lasting=False)
        case HeadTimestampRequest():
            return Place(HISTORY, lasting=True)  # open until it is cancelled, answered or not
        case TickByTickRequest():
            return Place(PRINTS, lasting=True)
        case MarketDepthRequest():
            return Place(DEPTH, lasting=True)
        case ScannerSubscriptionRequest():
            return Place(SCANNERS, lasting=True)
        case AccountSummaryRequest():
            return Place(SUMMARIES, lasting=True)
    return None


def lane(ask: int | None, found: tuple[Claim, ...]) -> object:
    """What keeps its order: requests of one lane leave as they came. All that has no budget shares one."""
    if ask == MARKET_DATA_TYPE:
        return MARKET_DATA  # it changes what the market data requests behind it mean
    if ask not in CLAIMING:
        return None
    keys = [claim.key for claim in found if claim.rule in (BURST, PRINTS_GAP)]
    return (ask, keys[0]) if keys else ask
