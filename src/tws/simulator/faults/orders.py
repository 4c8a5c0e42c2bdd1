"""Faults of requests and orders on their way through TWS.

Most are armed: they concern the next orders that come, `count` of them. TWS-BEHAVIOUR.md C; INCIDENTS.md 3,
9, 10, 11, 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from tws.errors import ConfigError
from tws.exchange import (
    CommissionCharged,
    Event,
    Executed,
    Notice,
    OrderOpened,
    StatusChanged,
    WhatIfAnswered,
)
from tws.simulator.faults.base import Effect, Fault, Span, fault
from tws.wire.messages import PlaceOrderRequest

if TYPE_CHECKING:
    from tws.simulator.faults.engine import Faults
    from tws.simulator.session import Session

__all__ = ["Key", "key_of"]

Key = tuple[int, int]
"""Client id and order id."""


def key_of(event: Event) -> Key | None:
    """The order that an event is about, as far as it names one."""
    if isinstance(event, StatusChanged | OrderOpened | WhatIfAnswered):
        return event.order.client_id, event.order.order_id
    if isinstance(event, Executed | Notice):
        return event.client_id, event.order_id
    return None


class Armed(Effect):
    """Looks at the next orders that a client places; `take` says what becomes of each."""

    def __init__(self, faults: Faults, count: int, client: int | None = None) -> None:
        self.faults, self.left, self.client = faults, count, client

    def request(self, session: Session, request: object) -> object | None:
        if not isinstance(request, PlaceOrderRequest) or request.order.what_if or self.left <= 0:
            return request
        if self.client not in (None, session.client_id) or not self.fits(session, request):
            return request
        self.left -= 1
        taken = self.take(session, request)
        if self.left <= 0 and self.is_spent():
            self.faults.finish(self)
        return taken

    def fits(self, session: Session, request: PlaceOrderRequest) -> bool:
        return True

    def take(self, session: Session, request: PlaceOrderRequest) -> PlaceOrderRequest | None:
        return request

    def is_spent(self) -> bool:
        """Whether nothing is left to do when the last order was taken."""
        return True

    def is_known(self, session: Session, request: PlaceOrderRequest) -> bool:
        living = self.faults.core.exchange.open_orders(session.client_id)
        return any(view.order_id == request.order_id for view in living)


# -- nothing is said ------------------------------------------------------------------------------


@fault("silent-order", "reported (LEAN-IB#93)", 9)
class SilentOrder(Fault, frozen=True, kw_only=True):
    """The next orders work at the exchange, and nothing is said of them, fills included, until `release`.

    count   how many orders
    client  of this client id alone
    lasts   "" is until released or cleared; then all is said in its order
    """

    count: int = 1
    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Silent(faults, self.count, self.client)


class _Silent(Armed):
    def __init__(self, faults: Faults, count: int, client: int | None) -> None:
        super().__init__(faults, count, client)
        self._silent: dict[Key, None] = {}
        self._fills: dict[str, None] = {}
        self._held: list[Event] = []

    def take(self, session: Session, request: PlaceOrderRequest) -> PlaceOrderRequest:
        assert session.client_id is not None
        self._silent[session.client_id, request.order_id] = None
        return request

    def is_spent(self) -> bool:
        return False

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        if not self._silent:
            return events
        said: list[Event] = []
        for event in events:
            (self._held if self._is_silent(event) else said).append(event)
        return said

    def _is_silent(self, event: Event) -> bool:
        if isinstance(event, CommissionCharged):
            return event.exec_id in self._fills
        if key_of(event) not in self._silent:
            return False
        if isinstance(event, Executed):
            self._fills[event.exec_id] = None
        return True

    def release(self) -> bool:
        return True

    def end(self) -> None:
        self.faults.core.tell(self._held)


@fault("swallow", "reported (LEAN-IB#93, pain 19)", 9)
class Swallow(Fault, frozen=True, kw_only=True):
    """The next requests of a kind are lost inside TWS: they have no effect and no answer.

    request  the class of the request
    count    how many
    client   of this client id alone
    """

    request: str = "PlaceOrderRequest"
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        return _Answers(faults, self.request, self.count, self.client, None)


@fault("answer-error", "official codes (A8, C3); which request meets which is the player's choice", 11)
class AnswerError(Fault, frozen=True, kw_only=True):
    """The next requests of a kind are answered with an error alone, such as 200, 460 or 10147.

    request  the class of the request
    code     of the error
    text     of the error; "{id}" stands for the id of the request or order
    count    how many
    client   of this client id alone
    """

    request: str = "PlaceOrderRequest"
    code: int = 460
    text: str = "No trading permissions."
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        return _Answers(faults, self.request, self.count, self.client, (self.code, self.text))


class _Answers(Effect):
    def __init__(
        self, faults: Faults, kind: str, count: int, client: int | None, answer: tuple[int, str] | None
    ) -> None:
        if kind not in faults.request_names:
            raise ConfigError(
                "request", kind, "is no request", f"Use one of {', '.join(faults.request_names)}"
            )
        self._faults, self._kind, self._left = faults, kind, count
        self._client, self._error = client, answer

    def request(self, session: Session, request: object) -> object | None:
        if type(request).__name__ != self._kind or self._client not in (None, session.client_id):
            return request
        self._left -= 1
        if self._left <= 0:
            self._faults.finish(self)
        if self._error is not None:
            name = next((name for name in ("order_id", "req_id") if hasattr(request, name)), "")
            number = getattr(request, name, -1)
            code, text = self._error
            session.error(number, code, text.replace("{id}", str(number)))
        return None


@fault("refuse-orders", "official code, reported sequence (C2: INS#554)")
class RefuseOrders(Fault, frozen=True, kw_only=True):
    """New orders are rejected: 201 with this reason, then Inactive.

    symbol  of this symbol alone; "" is all
    reason  behind "Order rejected - reason:"
    lasts   "" is until cleared
    """

    symbol: str = ""
    reason: str = "The exchange is closed."
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Refusing(faults, faults.con_ids(self.symbol), self.reason)


class _Refusing(Effect):
    def __init__(self, faults: Faults, con_ids: list[int], reason: str) -> None:
        self._faults, self._con_ids = faults, con_ids
        for con_id in con_ids:
            faults.core.exchange.refuse(con_id, reason)

    def end(self) -> None:
        for con_id in self._con_ids:
            self._faults.core.exchange.refuse(con_id, None)


# -- TWS itself steps in --------------------------------------------------------------------------


@fault("preset-change", "reported (pysystemtrade#1580, ib_async#191)", 10)
class PresetChange(Fault, frozen=True, kw_only=True):
    """A preset changes the time in force of the next orders; 10349 says so, and the order lives.

    tif    what the preset sets
    count  how many orders
    """

    tif: str = "DAY"
    count: int = 1

    def begin(self, faults: Faults) -> Effect:
        return _Preset(faults, self.count, self.tif)


class _Preset(Armed):
    def __init__(self, faults: Faults, count: int, tif: str) -> None:
        super().__init__(faults, count)
        self._tif = tif
        self._to_say: dict[Key, None] = {}

    def take(self, session: Session, request: PlaceOrderRequest) -> PlaceOrderRequest:
        assert session.client_id is not None
        self._to_say[session.client_id, request.order_id] = None
        return replace(request, order=replace(request.order, tif=self._tif))

    def is_spent(self) -> bool:
        return False

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        said: list[Event] = []
        for event in events:
            said.append(event)
            key = key_of(event)
            if isinstance(event, StatusChanged) and key in self._to_say:
                del self._to_say[key]
                text = f"Order TIF was set to {self._tif} based on order preset."
                said.append(Notice(client_id=key[0], order_id=key[1], code=10349, text=text))
        if self.left <= 0 and not self._to_say:
            self.faults.after(0, lambda: self.faults.finish(self))
        return said


@fault("popup", "reported (H: precautions, INCIDENTS 9)", 9)
class Popup(Fault, frozen=True, kw_only=True):
    """A dialog of TWS holds the next orders: no callback, not at the exchange, until somebody answers it.

    count   how many orders
    client  of this client id alone
    lasts   then the dialog goes as if answered with yes; "" is never
    """

    count: int = 1
    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Popup(faults, self.count, self.client)


class _Popup(Armed):
    def __init__(self, faults: Faults, count: int, client: int | None) -> None:
        super().__init__(faults, count, client)
        self._waiting: dict[Key, None] = {}

    def fits(self, session: Session, request: PlaceOrderRequest) -> bool:
        return not self.is_known(session, request)

    def take(self, session: Session, request: PlaceOrderRequest) -> PlaceOrderRequest:
        assert session.client_id is not None
        core = self.faults.core
        self._waiting[session.client_id, request.order_id] = None
        core.tell(core.exchange.mishaps.hold(session.client_id, request.order_id, core.now_ns()))
        return request

    def is_spent(self) -> bool:
        return False

    def answer(self, accept: bool) -> bool:
        core, was = self.faults.core, bool(self._waiting)
        if not accept:
            waiting, self._waiting = self._waiting, {}
            for client_id, order_id in waiting:
                core.tell(core.exchange.cancel(client_id, order_id, core.now_ns()))
        self.faults.finish(self)
        return was

    def release(self) -> bool:
        return True

    def end(self) -> None:
        core = self.faults.core
        for client_id, order_id in self._waiting:
            core.tell(core.exchange.mishaps.release(client_id, order_id, core.now_ns()))
        self._waiting = {}


# -- brackets and changes -------------------------------------------------------------------------


@fault("half-bracket", "official for what transmit means (C2); the loss is reported", 14)
class HalfBracket(Fault, frozen=True, kw_only=True):
    """A child of the next bracket is lost on its way. Without the last one, the rest stays in TWS, silent.

    lost   "last": the child that transmits; "first": a child before it, the rest goes its way
    count  how many children
    """

    lost: Literal["last", "first"] = "last"
    count: int = 1

    def begin(self, faults: Faults) -> Effect:
        return _HalfBracket(faults, self.count, self.lost)


class _HalfBracket(Armed):
    def __init__(self, faults: Faults, count: int, lost: str) -> None:
        super().__init__(faults, count)
        self._transmits = lost == "last"

    def fits(self, session: Session, request: PlaceOrderRequest) -> bool:
        return bool(request.order.parent_id) and request.order.transmit == self._transmits

    def take(self, session: Session, request: PlaceOrderRequest) -> None:
        return None


@fault("modify-forks", "reported (nautilus#4564)", 3)
class ModifyForks(Fault, frozen=True, kw_only=True):
    """The next changes become orders of their own with a second permId; the old ones work on, out of reach.

    count   how many changes
    client  of this client id alone
    """

    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        return _Forks(faults, self.count, self.client)


class _Forks(Armed):
    def fits(self, session: Session, request: PlaceOrderRequest) -> bool:
        return self.is_known(session, request)

    def take(self, session: Session, request: PlaceOrderRequest) -> PlaceOrderRequest:
        assert session.client_id is not None
        self.faults.core.exchange.mishaps.drift_modify(session.client_id, request.order_id)
        return request
