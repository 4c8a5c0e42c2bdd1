"""What each answer of TWS means: the reply it ends, the fact it is, the stream it feeds.

`Answers` holds the books: requests and questions that wait, subscriptions that live, the lanes that facts go
to. `handlers` names for each message of `tws.wire` what is done with it; the families fill it (each in its
module), errors are read here, since one code may end a request, a stream or nothing at all. All run on the
loop's thread, in the order of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Protocol

from tws.connection.families import FAMILIES, accounts, news, orders, reference, scanners, session
from tws.connection.families.base import Handlers
from tws.connection.hearing.refusals import refusal_of
from tws.connection.hearing.replies import Questions, Requests
from tws.connection.hearing.ticks import Heads
from tws.connection.ids import OFFICIAL_FIRST, OURS_FIRST, IdSet, OrderIds, RequestIds
from tws.connection.lane import FactLanes
from tws.connection.streaming.newsstreams import found_nothing
from tws.connection.streaming.streams import QuoteStream, Stamp
from tws.connection.streaming.subscriptions import Subscriptions
from tws.errors import DecodeError, RequestError
from tws.model.contract import Contract
from tws.model.facts import BrokerReply, Fact, Link, LinkState
from tws.model.market import Quote
from tws.wire.codes import CATALOGUE, Catalogue, Context, Effect
from tws.wire.messages import ErrorMessage

__all__ = ["Answers", "AnswersOwner", "Quotes"]

_LINK_CODES = {1100: LinkState.BROKER_LOST, 1101: LinkState.RESTORED_LOST, 1102: LinkState.RESTORED_KEPT}
_WITHOUT_ID = (-1, 2**31 - 1)  # what an error about a request without id carries (A3)
_ROWS = {
    5: orders.OPEN,
    6: accounts.VALUES,
    7: accounts.VALUES,
    11: orders.EXECUTIONS,
    61: accounts.POSITIONS,
    101: orders.COMPLETED,
}
"""Messages that are rows of an answer, and of which one."""
_ALONE = {
    9: session.IDS,
    15: session.ACCOUNTS,
    19: scanners.PARAMETERS,
    49: session.TIME,
    78: reference.FAMILIES,
    80: reference.DEPTH_EXCHANGES,
    85: news.PROVIDERS,
    109: session.MILLIS,
}
"""Messages that are an answer by themselves under no request id, and of which question."""
_TOLD = frozenset({3, 59})
"""Others that tell of orders and money."""
_MOST_PERMS = 5000
"""Orders whose permanent ids are kept. TWS carries some hundred that live and speaks of each whenever it is
asked for the open ones, which a trader does every 15 minutes."""
_ENDS = (Effect.ENDS_REQUEST, Effect.ENDS_STREAM)


class AnswersOwner(Protocol):
    """The engine, as far as answers concern it."""

    session: int
    client_id: int
    zone: tzinfo

    def on_accounts(self, accounts: tuple[str, ...]) -> None: ...
    def on_next_id(self, order_id: int) -> None: ...
    def on_time(self) -> None: ...
    def on_error_message(self, request_id: int, code: int, text: str) -> None: ...
    def on_unreadable(self, name: str) -> None: ...


class Quotes:
    """Streams of quotes by their request id, and what `tws.connection.hearing.ticks` has learned of all
    streams.
    """

    def __init__(self) -> None:
        self.by_number: dict[int, QuoteStream] = {}
        self.heads: Heads = {}

    def get(self, request_id: int) -> QuoteStream | None:
        return self.by_number.get(request_id)

    def add(self, request_id: int, stream: QuoteStream) -> None:
        self.by_number[request_id] = stream

    def drop(self, request_id: int) -> None:
        """A stream has gone, of quotes or others."""
        self.by_number.pop(request_id, None)
        self.heads.clear()


class Answers:
    """See the module."""

    def __init__(
        self,
        owner: AnswersOwner,
        lanes: FactLanes,
        ids: OrderIds,
        request_ids: RequestIds,
        timeout_s: float,
        catalogue: Catalogue = CATALOGUE,
    ) -> None:
        self.owner = owner
        self.lanes = lanes
        self.ids = ids
        self.request_ids = request_ids
        self.catalogue = catalogue
        self.requests = Requests(timeout_s)
        self.questions = Questions(timeout_s)
        self.stamp = Stamp()
        self.quotes = Quotes()
        self.subscriptions = Subscriptions(request_ids, self.quotes, self.stamp)
        self.unclaimed = 0
        """Ticks that came for a request which nobody has (any more)."""
        self._seen = IdSet()
        self._perms: dict[int, tuple[int, ...]] = {}  # of the orders that were spoken of last
        self.unaddressed: list[Callable[[int, str], bool]] = []
        """Families that know a refusal of theirs by code and text when it carries no id; True: it was theirs.
        """
        self.handlers: Handlers = {ErrorMessage: self._error}
        for family in FAMILIES:
            self.handlers.update(family.hear(self))

    def tell(self, fact: Fact) -> None:
        """A fact for every lane."""
        self.lanes.tell(fact)

    def saw_order(self, order_id: int, perm_id: int = 0, *, raises: bool = True) -> None:
        """TWS has spoken of an order of our client id; `raises`: and ids go on above it."""
        self._seen.add(order_id)
        perms = self._perms.pop(order_id, ())
        if perm_id and perm_id not in perms:
            perms = (*perms, perm_id)
        while len(self._perms) >= _MOST_PERMS:
            del self._perms[next(iter(self._perms))]
        self._perms[order_id] = perms
        if raises:
            self.ids.saw(order_id)

    def knows_order(self, order_id: int) -> bool:
        """Whether TWS has spoken of an order of ours with this id."""
        return order_id in self._seen

    def perms_of(self, order_id: int) -> int:
        """How many permanent ids TWS has named for an order of ours with this id; of one that it has not
        spoken of for long, none.
        """
        return len(self._perms.get(order_id, ()))

    def unreadable(self, name: str, number: int | None, request_id: int | None = None) -> None:
        """A message that could not be read; `number` None: nor its id; `request_id`: whose answer it is. An
        answer that lacks a row is not complete, and what was told may have been a fill. One value of a quote
        that is missing is no more than that.
        """
        kind = _ROWS.get(number or 0)
        if kind == orders.EXECUTIONS:
            self.requests.tear(kind)
        elif kind is not None:
            self.questions.tear(kind)
        elif request_id is not None and self.quotes.get(request_id) is None:
            self.requests.spoil(request_id, DecodeError(f"{name} of the answer could not be read"))
        elif number in _ALONE:
            self.questions.fail(_ALONE[number], DecodeError(f"the answer, {name}, could not be read"))
        if kind is not None or number is None or number in _TOLD:
            self.owner.on_unreadable(name)

    def quote_of(self, contract: Contract) -> Quote | None:
        """The last known quote among the open streams."""
        for stream in self.quotes.by_number.values():
            theirs = stream.contract
            if theirs == contract or (contract.con_id and theirs.con_id == contract.con_id):
                return stream.quote
        return None

    def fail_all(self, error: Callable[[], Any]) -> None:
        """The link went: nothing that waits for an answer will get one."""
        self.requests.fail_all(error)
        self.questions.fail_all(error)

    def forget_all(self) -> None:
        """The loop of all that waits has closed: nobody can be told any more."""
        self.requests.forget_all()
        self.questions.forget_all()
        self.subscriptions.forget_all()

    # -- errors

    def _error(self, message: ErrorMessage) -> None:
        number, code, text = message.id, message.error_code, message.error_msg
        self.owner.on_error_message(number, code, text)
        if self.catalogue.effect(code, Context.STREAM) in _ENDS:
            self.requests.over(number, True)  # a request of the official client's user as well
        if self.request_ids.holds(number):
            self._request_error(number, code, text)
            return
        if number in self.requests:  # a what-if, which has an order's id (`tws.connection.families.whatif`)
            effect = self.catalogue.effect(code, Context.ORDER)
            if effect not in (Effect.NOTICE, Effect.LINK):
                self.requests.fail(number, refusal_of(code, text, number))
            return
        if OFFICIAL_FIRST <= number < OURS_FIRST:
            return  # of a request of the official client's user, who hears it by `attach`
        self.tell(BrokerReply(order_id=number if number not in _WITHOUT_ID else -1, code=code, text=text))
        if code in _LINK_CODES:
            self.tell(Link(state=_LINK_CODES[code], session=self.owner.session, cause=text))
        if number in _WITHOUT_ID and not any(knows(code, text) for knows in self.unaddressed):
            self._refused_without_id(code, text)

    def _request_error(self, number: int, code: int, text: str) -> None:
        if number in self.requests:
            if found_nothing(code, text):
                self.requests.end(number)
                return
            # A code that nobody knows ends a request, which has a caller to tell.
            known = self.catalogue.lookup(code)
            if known.effect(Context.REQUEST) in _ENDS or not known.known:
                self.requests.fail(number, refusal_of(code, text, number))
            return
        ends = self.catalogue.effect(code, Context.STREAM) in _ENDS
        self.subscriptions.error(number, code, text, refusal_of(code, text, number) if ends else None)

    def _refused_without_id(self, code: int, text: str) -> None:
        """TWS refused a request that carries no id and does not say which: the order questions are what
        read-only mode refuses (A3), so the oldest of them is meant."""
        if not 320 <= code <= 323:
            return
        for kind in (orders.OPEN, orders.COMPLETED, accounts.POSITIONS, accounts.VALUES):
            if self.questions.fail(kind, RequestError(code, text)):
                return
