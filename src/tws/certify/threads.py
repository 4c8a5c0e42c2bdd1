"""A recording as conversations: for each scenario, each request and each order, what TWS said in its order.

What the client sent while a scenario ran belongs to it, and so does every answer to that, whenever it came:
by request id, by order id, a fee by its fill, and what bears no id (the time, positions, open orders) from
its request to its end. All else, such as positions told because something was filled, is nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from tws.certify.normal import CHATTER, ROWS, STREAMS, Item, item_of, shape
from tws.errors import TWSError
from tws.recording import Frame, Recording
from tws.wire import codec
from tws.wire import messages as m
from tws.wire.messages import Answer, Request

__all__ = ["UNREAD", "Span", "Thread", "threads_of"]


class Span(Struct, frozen=True):
    """Which frames of a recording, counted from 1, passed while a scenario ran."""

    scenario: str
    first: int
    last: int


class Thread(Struct):
    """One request or one order of a scenario: its name and what was said."""

    scenario: str
    name: str
    items: list[Item]


UNREAD = "what could not be read"
"""The thread of messages that are none; it is there only when some came."""

WITHOUT_ID: dict[type[Request], tuple[type[Answer], ...]] = {
    m.StartApiRequest: (m.ManagedAccounts, m.NextValidId),
    m.CurrentTimeRequest: (m.CurrentTime,),
    m.CurrentTimeInMillisRequest: (m.CurrentTimeInMillis,),
    m.ManagedAccountsRequest: (m.ManagedAccounts,),
    m.IdsRequest: (m.NextValidId,),
    m.PositionsRequest: (m.Position, m.PositionEnd),
    m.OpenOrdersRequest: (m.OpenOrder, m.OrderStatus, m.OpenOrdersEnd),
    m.AllOpenOrdersRequest: (m.OpenOrder, m.OrderStatus, m.OpenOrdersEnd),
    m.CompletedOrdersRequest: (m.CompletedOrder, m.CompletedOrdersEnd),
    m.AccountDataRequest: (m.AccountValue, m.PortfolioValue, m.AccountUpdateTime, m.AccountDataEnd),
    m.MarketRuleRequest: (m.MarketRule,),
    m.MarketDepthExchangesRequest: (m.MarketDepthExchanges,),
    m.FamilyCodesRequest: (m.FamilyCodes,),
    m.NewsProvidersRequest: (m.NewsProviders,),
    m.ScannerParametersRequest: (m.ScannerParameters,),
    m.FARequest: (m.ReceiveFA,),
    m.AutoOpenOrdersRequest: (),
}
"""Requests without an id, and the answers to them; the last one is the end."""

OURS = (m.Position, m.PositionMulti, m.PortfolioValue, m.OpenOrder, m.CompletedOrder, m.ExecutionDetails)
"""Of these lists only the rows about the share are looked at: the rest is the account's own business."""


def threads_of(recording: Recording, spans: Sequence[Span], con_id: int) -> dict[str, list[Thread]]:
    """The threads of each scenario. `con_id` is the share's."""
    reader = _Reader(spans, con_id)
    frames = [entry for entry in recording.entries if isinstance(entry, Frame)]
    for number, frame in enumerate(frames, start=1):
        reader.read(number, frame)
    found: dict[str, list[Thread]] = {span.scenario: [] for span in spans}
    for thread in reader.threads:
        thread.items = collapsed(thread.items)
        found[thread.scenario].append(thread)
    return found


class _Session:
    """What is open in one connection."""

    def __init__(self) -> None:
        self.version = 0
        self.greeting = ""
        self.requests: dict[int, Thread] = {}
        self.orders: dict[int, Thread] = {}
        self.listings: list[tuple[Thread, tuple[type[Answer], ...]]] = []
        self.last: Thread | None = None


class _Reader:
    def __init__(self, spans: Sequence[Span], con_id: int) -> None:
        self.threads: list[Thread] = []
        self._spans = spans
        self._con_id = con_id
        self._sessions: dict[int, _Session] = {}
        self._fills: dict[str, Thread | None] = {}
        self._perms: set[int] = set()

    def read(self, number: int, frame: Frame) -> None:
        session = self._sessions.setdefault(frame.session, _Session())
        if frame.hello:
            return
        if not session.version:
            head = frame.payload.split(b"\0", 1)[0]
            session.version = int(head) if head.isdigit() else 0
            session.greeting = frame.payload.split(b"\0")[1].decode("utf-8", "replace")
            return
        span = next((one for one in self._spans if one.first <= number <= one.last), None)
        if frame.source == "client":
            if span is not None:
                self._asked(session, span.scenario, frame)
            return
        try:
            message = codec.decode_answer(frame.payload, session.version, lenient=True)
        except TWSError as error:
            if span is not None:
                named = codec.name_of(frame.payload, session.version)
                self._new(span.scenario, UNREAD).items.append(Item(f"{named}: {error}"))
            return
        if isinstance(message, Answer):
            self._said(session, message)

    # -- the client

    def _asked(self, session: _Session, scenario: str, frame: Frame) -> None:
        try:
            request = codec.decode_request(frame.payload, session.version, lenient=True)
        except TWSError:
            return
        kind = type(request)
        if isinstance(request, m.PlaceOrderRequest | m.CancelOrderRequest):
            thread = session.orders.get(request.order_id)
            if thread is None or thread.scenario != scenario:
                thread = session.orders[request.order_id] = self._new(scenario, "order")
            thread.items.append(Item(f"> {kind.__name__}"))
        elif kind in WITHOUT_ID:
            session.last = thread = self._new(scenario, _request_name(kind))
            session.listings.append((thread, WITHOUT_ID[kind]))
            if kind is m.StartApiRequest:
                thread.items.append(Item("handshake", (), frozenset({f"time as {shape(session.greeting)}"})))
        elif (number := getattr(request, "req_id", None)) is not None:
            thread = session.requests.get(number)
            if thread is None or thread.scenario != scenario:
                session.requests[number] = self._new(scenario, _request_name(kind))

    def _new(self, scenario: str, name: str) -> Thread:
        count = sum(1 for one in self.threads if one.scenario == scenario and one.name.split(" #")[0] == name)
        thread = Thread(scenario, f"{name} #{count + 1}", [])
        self.threads.append(thread)
        return thread

    # -- TWS

    def _said(self, session: _Session, message: Answer) -> None:
        for thread in self._about(session, message):
            item = item_of(message)
            if item is not None:
                thread.items.append(item)

    def _about(self, session: _Session, message: Any) -> list[Thread]:
        if isinstance(message, m.ErrorMessage):
            return self._of_error(session, message)
        if isinstance(message, m.CommissionAndFeesReport):
            fill = self._fills.get(message.exec_id)
            return [] if fill is None else [fill]
        if isinstance(message, OURS) and message.contract.con_id != self._con_id:
            return []
        if isinstance(message, m.ExecutionDetails):
            asked, number = message.req_id >= 0, message.execution.order_id
            thread = session.requests.get(message.req_id) if asked else session.orders.get(number)
            self._fills[message.execution.exec_id] = thread
            return [] if thread is None else [thread]
        found: list[Thread] = []
        asked_by: int | None = getattr(message, "req_id", None)
        if asked_by is not None:
            return [session.requests[asked_by]] if asked_by in session.requests else []
        if isinstance(message, m.OpenOrder | m.OrderStatus):
            if message.order_id in session.orders:
                found.append(session.orders[message.order_id])
            if isinstance(message, m.OpenOrder):
                self._perms.add(message.order.perm_id)
            elif message.perm_id not in self._perms:  # in a list it belongs to an order of another contract
                return found
        for place, (thread, kinds) in enumerate(session.listings):
            if type(message) in kinds:
                found.append(thread)
                if type(message) is kinds[-1]:
                    del session.listings[place]
                break
        return found

    def _of_error(self, session: _Session, message: m.ErrorMessage) -> list[Thread]:
        if message.error_code in CHATTER:
            return []
        for known in (session.requests, session.orders):
            if message.id in known:
                return [known[message.id]]
        no_id = message.id in (-1, 2**31 - 1)  # either is sent to requests without an id (A3)
        return [session.last] if no_id and session.last is not None else []


def _request_name(kind: type) -> str:
    return kind.__name__.removesuffix("Request")


def collapsed(items: Sequence[Item]) -> list[Item]:
    """Streams and rows as one each, repetitions of a step or of a pair of steps once: TWS says the state of
    an order as often as it likes (C1).
    """
    kept: list[Item] = []
    merging = {kind.__name__ for kind in STREAMS | ROWS} | {"ticks"}
    for item in items:
        place = next((at for at, one in enumerate(kept) if one.name == item.name), None)
        if item.name in merging and place is not None:
            kept[place] = _merged(kept[place], item)
            continue
        kept.append(item)
        for length in (1, 2):
            before, now = kept[-2 * length : -length], kept[-length:]
            if len(before) == length and [_key(one) for one in before] == [_key(one) for one in now]:
                kept[-2 * length :] = [_merged(one, other) for one, other in zip(before, now, strict=True)]
                break
    return kept


def _key(item: Item) -> tuple[Any, ...]:
    return item.name, item.says


def _merged(one: Item, other: Item) -> Item:
    return Item(one.name, one.says, one.given | other.given, one.text or other.text)
