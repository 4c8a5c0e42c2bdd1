"""What befalls orders and executions at the broker: `exchange.mishaps`, played.

TWS-BEHAVIOUR.md C2, C4; INCIDENTS.md 3, 7, 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from tws.exchange import Event, StatusChanged
from tws.simulator.faults.base import Effect, Fault, Span, fault, span_ns
from tws.simulator.faults.orders import Key

if TYPE_CHECKING:
    from tws.simulator.faults.engine import Faults

__all__: list[str] = []


@fault("order-vanishes", "reported (INCIDENTS 14)", 14)
class OrderVanishes(Fault, frozen=True, kw_only=True):
    """A living order is gone without a word: not open, not completed, and a cancel finds nothing (10147).

    client  of this client id; without one, of all
    order   its order id; 0 is the newest
    """

    client: int | None = None
    order: int = 0

    def begin(self, faults: Faults) -> None:
        core = faults.core
        living = [one for one in core.exchange.open_orders(self.client) if self.order in (0, one.order_id)]
        if living:
            core.exchange.mishaps.lose(living[-1].client_id, living[-1].order_id, core.now_ns())


@fault("fill-after-cancel", "reported (C2)", 3)
class FillAfterCancel(Fault, frozen=True, kw_only=True):
    """The next cancels are confirmed, and then the order fills after all.

    after  so long after Cancelled
    lots   how much of it; 0 is all that was left
    count  how many orders
    """

    after: Span = "100ms"
    lots: int = 0
    count: int = 1

    def begin(self, faults: Faults) -> Effect:
        return _FillsLate(faults, self)


class _FillsLate(Effect):
    def __init__(self, faults: Faults, plan: FillAfterCancel) -> None:
        self._faults, self._plan, self._left = faults, plan, plan.count

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        for event in events:
            if not isinstance(event, StatusChanged) or event.order.status != "Cancelled" or self._left <= 0:
                continue
            self._left -= 1
            key = event.order.client_id, event.order.order_id
            self._faults.after(max(1, span_ns(self._plan.after)), lambda key=key: self._fill(key))  # type: ignore[misc]
        return events

    def _fill(self, key: Key) -> None:
        core = self._faults.core
        core.tell(core.exchange.mishaps.late_fill(*key, self._plan.lots or 2**31, core.now_ns()))
        if self._left <= 0:
            self._faults.finish(self)


@fault("execution-bust", "official that it happens; that nothing is said is assumed")
class ExecutionBust(Fault, frozen=True, kw_only=True):
    """An execution is annulled: position and money go back, no answer names it any more.

    exec_id  which; "" is the latest
    """

    exec_id: str = ""

    def begin(self, faults: Faults) -> None:
        core = faults.core
        exec_id = self.exec_id or _latest(faults)
        if exec_id:
            core.tell(core.exchange.mishaps.bust(exec_id, core.now_ns()))


@fault("execution-correction", "official (C4: the execId's last part rises)", 7)
class ExecutionCorrection(Fault, frozen=True, kw_only=True):
    """An execution's price is corrected: 11 and 59 come again under an execId whose last part is one higher.

    exec_id  which; "" is the latest
    by       how much is added to its price
    """

    exec_id: str = ""
    by: float = 0.01

    def begin(self, faults: Faults) -> None:
        core = faults.core
        exec_id = self.exec_id or _latest(faults)
        for report in core.exchange.executions():
            if report.executed.exec_id == exec_id:
                price = report.executed.price + Decimal(repr(self.by))
                core.tell(core.exchange.mishaps.correct(exec_id, price, core.now_ns()))
                break


def _latest(faults: Faults) -> str:
    reports = faults.core.exchange.executions()
    return reports[-1].executed.exec_id if reports else ""
