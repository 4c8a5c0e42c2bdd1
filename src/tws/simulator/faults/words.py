"""Faults of what is said: the exchange does right, and TWS tells it twice, late, never or in another order.

No orderStatus is promised for each change, duplicates are normal, and executions are what counts
(TWS-BEHAVIOUR.md C1; INCIDENTS.md 7, 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tws.exchange import CommissionCharged, Event, Executed, OrderOpened, StatusChanged
from tws.simulator.faults.base import Effect, Fault, Span, fault, span_ns
from tws.simulator.faults.orders import Key, key_of

if TYPE_CHECKING:
    from tws.simulator.faults.engine import Faults

__all__: list[str] = []


class _Counted(Effect):
    """Looks at events of some kinds, and is spent after `count` of them."""

    kinds: tuple[type, ...] = (StatusChanged,)

    def __init__(self, faults: Faults, count: int, status: str = "", client: int | None = None) -> None:
        self.faults, self.left, self._status, self._client = faults, count, status, client

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        said: list[Event] = []
        for event in events:
            if self.left > 0 and isinstance(event, self.kinds) and self._fits(event):
                self.left -= 1
                said += self.change(event)
            else:
                said.append(event)
        if self.left <= 0:
            self.faults.after(0, lambda: self.faults.finish(self))
        return said

    def _fits(self, event: Event) -> bool:
        status = event.order.status if isinstance(event, StatusChanged | OrderOpened) else ""
        client = (
            event.order.client_id
            if isinstance(event, StatusChanged | OrderOpened)
            else (event.client_id if isinstance(event, Executed | CommissionCharged) else None)
        )
        return self._status in ("", status) and self._client in (None, client)

    def change(self, event: Event) -> Sequence[Event]:
        return ()


@fault("missing-status", "official: not each change is told (C1)")
class MissingStatus(Fault, frozen=True, kw_only=True):
    """The next orderStatus messages are never sent; openOrder and executions are.

    status  of this status alone; "" is any
    count   how many
    client  of this client id alone
    """

    status: str = ""
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        return _Counted(faults, self.count, self.status, self.client)


@fault("duplicate-status", "official: duplicates are normal (C1)", 7)
class DuplicateStatus(Fault, frozen=True, kw_only=True):
    """The next orderStatus messages come several times.

    status  of this status alone; "" is any
    copies  how often each comes
    count   how many
    client  of this client id alone
    """

    status: str = ""
    copies: int = 2
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        return _Copies(faults, self)


class _Copies(_Counted):
    def __init__(self, faults: Faults, plan: DuplicateStatus) -> None:
        super().__init__(faults, plan.count, plan.status, plan.client)
        self._copies = plan.copies

    def change(self, event: Event) -> Sequence[Event]:
        return [event] * self._copies


@fault("duplicate-execution", "reported (nautilus#3476)", 7)
class DuplicateExecution(Fault, frozen=True, kw_only=True):
    """The next executions come several times, under the same execId.

    copies  how often each comes
    count   how many
    client  of this client id alone
    """

    copies: int = 2
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        effect = _Copies(faults, DuplicateStatus(copies=self.copies, count=self.count, client=self.client))
        effect.kinds = (Executed,)
        return effect


class _Late(_Counted):
    """Says the events so much later; 0: never."""

    def __init__(self, faults: Faults, plan: LateStatus | LateExecution | LateCommission) -> None:
        super().__init__(faults, plan.count, getattr(plan, "status", ""), plan.client)
        self._delay_ns = span_ns(plan.delay)

    def change(self, event: Event) -> Sequence[Event]:
        if self._delay_ns:
            self.faults.after(self._delay_ns, lambda: self.faults.say_events([event]))
        return ()


@fault("late-status", "official: nothing is promised (C1); the delay is assumed")
class LateStatus(Fault, frozen=True, kw_only=True):
    """The next orderStatus messages come late, after whatever happened since; with the numbers of their time.

    status  of this status alone; "" is any
    delay   how late
    count   how many
    client  of this client id alone
    """

    status: str = ""
    delay: Span = "1s"
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        return _Late(faults, self)


@fault("late-execution", "reported (LEAN#249); the delay is assumed", 4)
class LateExecution(Fault, frozen=True, kw_only=True):
    """The next executions come late: Filled is told before the fill is.

    delay   how late; "" is never: only reqExecutions brings them
    count   how many
    client  of this client id alone
    """

    delay: Span = "1s"
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        effect = _Late(faults, self)
        effect.kinds = (Executed,)
        return effect


@fault("late-commission", "recorded that it is last (C2); the delay is assumed")
class LateCommission(Fault, frozen=True, kw_only=True):
    """The next commission reports come late, or never.

    delay   how late; "" is never: only reqExecutions brings them
    count   how many
    client  of this client id alone
    """

    delay: Span = "1s"
    count: int = 1
    client: int | None = None

    def begin(self, faults: Faults) -> Effect:
        effect = _Late(faults, self)
        effect.kinds = (CommissionCharged,)
        return effect


@fault("execution-first", "reported (nautilus#5041)", 13)
class ExecutionFirst(Fault, frozen=True, kw_only=True):
    """The first word about the next orders is their execution: openOrder and orderStatus wait for it.

    count  how many orders
    lasts  then what still waits is told; "" is until cleared
    """

    count: int = 1
    lasts: Span = "60s"

    def begin(self, faults: Faults) -> Effect:
        return _ExecutionFirst(faults, self.count)


class _ExecutionFirst(Effect):
    def __init__(self, faults: Faults, count: int) -> None:
        self._faults, self._left = faults, count
        self._waiting: dict[Key, list[Event]] = {}
        self._known = {(one.client_id, one.order_id) for one in faults.core.exchange.open_orders()}

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        said: list[Event] = []
        for event in events:
            key = key_of(event)
            if (
                isinstance(event, OrderOpened)
                and self._left > 0
                and key is not None
                and key not in self._known
            ):
                self._known.add(key)
                self._waiting[key] = []
                self._left -= 1
            if key is not None and key in self._waiting and isinstance(event, OrderOpened | StatusChanged):
                self._waiting[key].append(event)
                continue
            said.append(event)
            if isinstance(event, Executed) and key in self._waiting:
                said += self._waiting.pop(key)
        if self._left <= 0 and not self._waiting:
            self._faults.after(0, lambda: self._faults.finish(self))
        return said

    def end(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for events in waiting.values():
            self._faults.say_events(events)
