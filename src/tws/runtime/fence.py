"""The last look before bytes leave: is this still the trader, is it latched, is this live account unlocked?

`Fence.judge` is the brake of a trader's connection: `Outbound` calls it directly before each frame that moves
money. It reads the safety file, in which another process may have written an instant ago. What it holds back:

* everything, cancels too, once another process has the lease (a new epoch): whoever wakes from sleep
  or a debugger would cancel what the other one placed under the same ids. Of a file that can't be read nobody
  knows whose the lease is: then cancels pass, since an emergency stop needs them;
* entries, under a latch that covers them; an order of ours that is no entry reduces what we hold, as the gate
  has proven, and passes, since no safety device may trap a position;
* entries of a live account whose unlock has expired.

A child whose parent's bytes have not left counts as an entry: alone it would open what it was to close.
"""

from __future__ import annotations

from collections.abc import Callable

from tws.clock import Clock
from tws.config import TWSConfig, is_live_port, is_paper_account
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.desk import DeskState
from tws.model.stop import KillState
from tws.orders import OurOrder
from tws.risk import Denial
from tws.safety import SafetyFile

__all__ = ["Fence"]


class Fence:
    """Judges frames by one safety file; `clock` is the market's, by which an unlock expires."""

    def __init__(
        self, safety: SafetyFile, config: TWSConfig, state: Callable[[], DeskState], clock: Clock
    ) -> None:
        self._safety = safety
        self._config = config
        self._state = state
        self._clock = clock

    def judge(self, call: MoneyCall) -> Denial | None:
        """None when the frame may leave."""
        fenced = self._safety.fenced
        if fenced and (call.kind is not MoneyKind.CANCEL or self._safety.state.readable):
            return Denial(limit="lease", figure="an order", bound="the newest epoch", reason=fenced)
        if call.kind in (MoneyKind.WHAT_IF, MoneyKind.CANCEL) or self._is_exit(call):
            return None
        order = self._order(call)
        symbol = call.contract.symbol if call.contract is not None else ""
        latch = self._safety.state.latch_on(symbol, self._strategy(order))
        if latch.state is not KillState.ACTIVE:
            reason = f"latched by {latch.operator or 'nobody named'}: {latch.reason}"
            return Denial(
                limit="latch", figure="an entry", bound=f"{latch.state} on {latch.scope.key}", reason=reason
            )
        return self._live(call.account or self._state().account)

    def was_unlocked(self, account: str) -> bool:
        """Whether a human has ever unlocked this account: its exits pass although that has expired."""
        return any(each.account == account for each in self._safety.state.unlocks)

    def unlocked_until(self, account: str) -> int | None:
        """When the latest unlock of this account expires, past or not; None when there was none.

        One that was given in the future is none: the clock went back, so nobody knows its age.
        """
        now_ns = self._clock.now_ns()
        known = [each.until_ns for each in self._safety.state.unlocks
                 if each.account == account and each.at_ns <= now_ns]
        return max(known, default=None)

    def _live(self, account: str) -> Denial | None:
        config = self._config
        paper = is_paper_account(account) and config.trading_mode == "paper" and not is_live_port(config.port)
        if paper or self._safety.state.unlocked(account, self._clock.now_ns()) is not None:
            return None
        return Denial(
            limit="live_lock",
            figure="an entry",
            bound="an unlock that has not expired",
            reason="the unlock of this live account is over: tws unlock",
        )

    def _is_exit(self, call: MoneyCall) -> bool:
        order = self._order(call)
        if order is None or order.role.opens:
            return False
        parent = order.order.parent_id
        if not parent:
            return True
        entry = self._state().book.numbered(parent)
        return entry is not None and entry.written

    def _order(self, call: MoneyCall) -> OurOrder | None:
        book = self._state().book
        if call.kind is MoneyKind.EXERCISE:  # its name travels in no orderRef
            return book.numbered(call.order_id)
        return book.get(call.order.order_ref) if call.order is not None else None

    def _strategy(self, order: OurOrder | None) -> str:
        return self._state().strategy_of(order) if order is not None else ""
