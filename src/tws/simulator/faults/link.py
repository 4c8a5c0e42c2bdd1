"""Faults between TWS and IB: connectivity lost and restored, farms that flap, the nightly reset, restarts.

While TWS has no connection, market data stops, orders and questions to the server wait inside TWS, and
what happens at the broker is not told. TWS-BEHAVIOUR.md A6, INCIDENTS.md 1, 4, 5, 12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from tws.simulator.faults.base import Effect, Fault, Span, fault, span_ns
from tws.wire import messages as m

if TYPE_CHECKING:
    from tws.exchange import Event
    from tws.simulator.faults.engine import Faults
    from tws.simulator.session import Session

__all__ = ["ConnectivityLost", "FarmFlap", "FarmIdle", "IdsRolledBack", "NightlyReset", "Notice", "Restart"]

LOST = "Connectivity between IBKR and Trader Workstation has been lost."
LOST_OLD = "Connectivity between IB and Trader Workstation has been lost."
DATA_LOST = "Connectivity between IBKR and Trader Workstation has been restored - data lost."
MAINTAINED = (
    "Connectivity between IBKR and Trader Workstation has been restored - data maintained. "
    "All data farms are connected: usfarm; ushmds; secdefil."
)
LOCAL = (
    m.AccountDataRequest,
    m.AllOpenOrdersRequest,
    m.AutoOpenOrdersRequest,
    m.CompletedOrdersRequest,
    m.CurrentTimeInMillisRequest,
    m.CurrentTimeRequest,
    m.IdsRequest,
    m.ManagedAccountsRequest,
    m.MarketDataRequest,
    m.MarketDataTypeRequest,
    m.OpenOrdersRequest,
    m.PositionsRequest,
    m.SetServerLogLevelRequest,
    m.StartApiRequest,
)
"""What TWS answers out of its own memory (assumed), and all cancels of subscriptions."""


@fault("connectivity-lost", "official codes and texts, reported (A6); what waits is assumed", 4)
class ConnectivityLost(Fault, frozen=True, kw_only=True):
    """1100, then 1101 or 1102: no market data meanwhile, orders and questions wait, nothing is acknowledged.

    lasts     until restored; "" is until cleared
    restored  "maintained" is 1102; "lost" is 1101, and every subscription is dead until it is made anew
    fills     what happened at the broker meanwhile is told "late", or "never": then only questions bring it
    repeat    1100 is said again so often
    old_text  the words of older builds
    """

    lasts: Span = "30s"
    restored: Literal["maintained", "lost"] = "maintained"
    fills: Literal["late", "never"] = "late"
    repeat: Span = ""
    old_text: bool = False

    def begin(self, faults: Faults) -> Effect:
        effect = _Offline(faults, self)
        effect.say()
        return effect


class _Offline(Effect):
    def __init__(self, faults: Faults, plan: ConnectivityLost) -> None:
        self._faults, self._plan = faults, plan
        self._requests: list[tuple[Session, object]] = []
        self._events: list[Event] = []
        self._over = False
        self._data_lost = plan.restored == "lost"
        self._repeat_ns = span_ns(plan.repeat)

    def take_over(self, other: _Offline) -> None:
        """Another such fault ends while this one lasts: what waited there waits here."""
        self._requests[:0] = other._requests
        self._data_lost = self._data_lost or other._data_lost
        if other._plan.fills == "late":
            self._events[:0] = other._events

    def say(self) -> None:
        """1100, and again."""
        if not self._over:
            self._faults.say(1100, LOST_OLD if self._plan.old_text else LOST)
            if self._repeat_ns:
                self._faults.after(self._repeat_ns, self.say)

    def started(self, session: Session) -> None:
        session.error(-1, 1100, LOST)

    def request(self, session: Session, request: object) -> object | None:
        if isinstance(request, LOCAL):
            return request
        if type(request).__name__.startswith("Cancel") and not _is_order(request):
            return None if _withdraw(self._requests, session, request) else request
        self._requests.append((session, request))
        return None

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        self._events += events
        return ()

    def hides(self, con_id: int) -> bool:
        return True

    def end(self) -> None:
        self._over = True
        core = self._faults.core
        others = [one.effect for one in self._faults.running if isinstance(one.effect, _Offline)]
        if others:
            others[0].take_over(self)
            return
        if self._data_lost:
            drop_subscriptions(self._faults)
            self._faults.say(1101, DATA_LOST)
        else:
            self._faults.say(1102, MAINTAINED)
            resend(self._faults, lambda con_id: True)
        if self._plan.fills == "late":
            core.tell(self._events)
        for session, request in self._requests:
            if _is_order(request) or not session.closing:  # an order is TWS's by now, whoever sent it
                core.handle(session, request)


def _withdraw(waiting: list[tuple[Session, object]], session: Session, cancel: object) -> bool:
    """Take what this cancel is meant for out of what waits; whether it was there."""
    number = getattr(cancel, "req_id", None)
    mine = [row for row in waiting if row[0] is session and getattr(row[1], "req_id", None) == number]
    if number is None or not mine:
        return False
    waiting.remove(mine[-1])
    return True


def _is_order(request: object) -> bool:
    return type(request).__name__ in ("PlaceOrderRequest", "CancelOrderRequest", "GlobalCancelRequest")


def drop_subscriptions(faults: Faults) -> None:
    """Every live subscription of every client is dead, without a word."""
    for session in faults.sessions():
        faults.core.desk.streams.drop(session)
        faults.core.desk.history.drop(session)


def resend(faults: Faults, wanted: Callable[[int], bool]) -> None:
    """Subscriptions that were kept speak again: the present state first."""
    core = faults.core
    for con_id in list(core.lines):
        if wanted(con_id) and not core.faults.hides(con_id):
            core.refresh_lines(con_id)


FARMS = {"market": (2103, 2104, "Market data farm connection is {}:{}"),
         "hmds": (2105, 2106, "HMDS data farm connection is {}:{}"),
         "secdef": (2157, 2158, "Sec-def data farm connection is {}:{}")}  # fmt: skip
FARM_TYPES = {
    "usfarm": ("STK", "ETF", "IND"),
    "usopt": ("OPT", "FOP"),
    "usfuture": ("FUT",),
    "cashfarm": ("CASH",),
    "cryptofarm": ("CRYPTO",),
}
SERVED = {
    "hmds": (
        "HistoricalDataRequest",
        "HistoricalTicksRequest",
        "HeadTimestampRequest",
        "HistogramDataRequest",
    ),
    "secdef": ("ContractDataRequest", "MatchingSymbolsRequest", "SecDefOptParamsRequest"),
}


@fault("farm-flap", "official codes, reported order (A6); whose data stops is assumed")
class FarmFlap(Fault, frozen=True, kw_only=True):
    """A farm breaks and comes back, its data waits: 2103, 2119 and 2104; 2105 and 2106; or 2157 and 2158.

    kind   "market", "hmds" (history) or "secdef" (definitions)
    farm   its name; "" is usfarm, ushmds or secdefil. Of market farms, usfarm, usopt, usfuture, cashfarm
           and cryptofarm have the instruments of those types, any other name has all
    lasts  how long it is broken
    """

    kind: Literal["market", "hmds", "secdef"] = "market"
    farm: str = ""
    lasts: Span = "5s"

    def begin(self, faults: Faults) -> Effect:
        name = self.farm or {"market": "usfarm", "hmds": "ushmds", "secdef": "secdefil"}[self.kind]
        return _Farm(faults, self.kind, name)


class _Farm(Effect):
    def __init__(self, faults: Faults, kind: str, farm: str) -> None:
        self._faults, self._kind, self._farm = faults, kind, farm
        self._waiting: list[tuple[Session, object]] = []
        self._broken, _, text = FARMS[kind]
        self._word = text.format("broken", farm)
        faults.say(self._broken, self._word)

    def started(self, session: Session) -> None:
        session.error(-1, self._broken, self._word)

    def hides(self, con_id: int) -> bool:
        if self._kind != "market":
            return False
        types = FARM_TYPES.get(self._farm)
        return types is None or self._faults.core.security(con_id).sec_type in types

    def request(self, session: Session, request: object) -> object | None:
        name = type(request).__name__
        if name in SERVED.get(self._kind, ()):
            self._waiting.append((session, request))
            return None
        if name.startswith("Cancel") and _withdraw(self._waiting, session, request):
            return None
        return request

    def end(self) -> None:
        _, fine, text = FARMS[self._kind]
        if self._kind == "market":
            self._faults.say(2119, f"Market data farm is connecting:{self._farm}")
        self._faults.say(fine, text.format("OK", self._farm))
        resend(self._faults, self.hides)
        for session, request in self._waiting:
            if not session.closing:
                self._faults.core.handle(session, request)


@fault("farm-idle", "official (A2, A6)")
class FarmIdle(Fault, frozen=True, kw_only=True):
    """2107 or 2108: a farm is inactive but available upon demand. A notice alone, everything goes on.

    kind  "market" or "hmds"
    farm  its name
    """

    kind: Literal["market", "hmds"] = "market"
    farm: str = "usopt"

    def begin(self, faults: Faults) -> None:
        code, what = (2108, "Market data") if self.kind == "market" else (2107, "HMDS data")
        text = f"{what} farm connection is inactive but should be available upon demand.{self.farm}"
        faults.say(code, text)


@fault("notice", "official form of message 4 (F6)")
class Notice(Fault, frozen=True, kw_only=True):
    """Message 4 with any code and text, such as 2110.

    code, text  what is said
    id          the request or order it is about; -1 is the link
    client      to this client id alone
    """

    code: int = 2110
    text: str = "Connectivity between TWS and server is broken. It will be restored automatically."
    id: int = -1
    client: int | None = None

    def begin(self, faults: Faults) -> None:
        faults.say(self.code, self.text, self.client, self.id)


@fault("restart", "reported (A6, LEAN#242, C2); no fill is lost is assumed", 1, 5)
class Restart(Fault, frozen=True, kw_only=True):
    """TWS ends and comes back: sockets reset, dials refused, untransmitted orders gone, others live.

    lasts     how long dials are refused
    rollback  nextValidId of every client goes back by so many, as when the last ids never reached the server
    """

    lasts: Span = "60s"
    rollback: int = 0

    def begin(self, faults: Faults) -> None:
        faults.play("cut")
        faults.core.exchange.restart(faults.core.now_ns())
        if self.rollback:
            faults.play("ids-rolled-back", by=self.rollback)
        faults.play("refuse-dials", lasts=self.lasts)


@fault("ids-rolled-back", "reported (LEAN#242: 38103 to 38099)", 1, 2)
class IdsRolledBack(Fault, frozen=True, kw_only=True):
    """nextValidId goes back: ids are given again that older orders have, and callbacks hit both.

    by      how far
    client  this client id alone
    """

    by: int = 4
    client: int | None = None

    def begin(self, faults: Faults) -> None:
        exchange = faults.core.exchange
        for client, following in exchange.order_ids().items():
            if self.client in (None, client):
                exchange.set_next_order_id(client, max(1, following - self.by))


@fault("nightly-reset", "reported (A6: IBC#143, Lean#3297)", 12)
class NightlyReset(Fault, frozen=True, kw_only=True):
    """The night: 1100 again and again, farms break, 1102; then a restart, sockets reset, dials refused.

    outage    how long connectivity is lost
    restart   so long after 1102 the sockets are reset; "" is never
    refused   how long dials are refused then
    rollback  how far nextValidId goes back
    """

    outage: Span = "4m"
    restart: Span = "30s"
    refused: Span = "60s"
    rollback: int = 0

    def begin(self, faults: Faults) -> None:
        outage = span_ns(self.outage)
        faults.play("connectivity-lost", lasts=self.outage, repeat=outage / 4e9)
        for farm in FARMS:
            faults.play("farm-flap", kind=farm, lasts=outage / 2e9, at=outage / 4e9)
        if self.restart != "":
            at = (outage + span_ns(self.restart)) / 1e9
            faults.play("restart", lasts=self.refused, rollback=self.rollback, at=at)
