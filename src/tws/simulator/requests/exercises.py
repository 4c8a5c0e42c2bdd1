"""What the holder of options tells TWS to do with them (21): exercise, or let lapse. TWS-BEHAVIOUR.md F4.

Recorded from a paper Gateway: an exercise out of the money is refused with 322, and one that is taken shows
as an order of the request's id (LMT at 0.0, no reference, PreSubmitted); a global cancel ends it with 322,
Cancelled and 202. TWS's setting "option exercise requests" acts: `final`, and the shares are there at once,
or `editable`, and the order stands until the clearing, which here is the change of day at 20:30 in New York.
A lapse always waits for it. No execution tells of either (assumed); the order then says Filled (assumed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from tws.exchange import Event, Notice, OrderOpened, OrderTicket, OrderView, StatusChanged
from tws.model.order import Side
from tws.simulator.hours import local_date
from tws.simulator.requests.contracts import resolve
from tws.simulator.requests.greeks import OPTIONS
from tws.simulator.session import Session
from tws.simulator.tickets import Refused
from tws.simulator.universe import Security
from tws.wire.messages import ExerciseOptionsRequest

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Exercises"]

EXERCISE, LAPSE = 1, 2
TIF_NOTICE = (10349, "Order TIF was set to DAY based on order preset.")
FAILED = (322, "Error processing request.Exercise/Lapse failed due to server rejection.")
CANCELED = (202, "Order Canceled - reason:")


class Working(Struct, frozen=True, kw_only=True):
    """An instruction that TWS took and shows as an order."""

    view: OrderView
    security: Security
    action: int
    count: Decimal

    @property
    def account(self) -> str:
        return self.view.ticket.account


class Exercises:
    """Instructions about options, those that wait by client and id."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._working: dict[tuple[int, int], Working] = {}

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {ExerciseOptionsRequest: self._take}

    def views(self, client_id: int | None) -> Iterator[OrderView]:
        """Those that wait, of one client or of all, as orders."""
        for (owner, _), one in self._working.items():
            if client_id in (None, owner):
                yield one.view

    # -- taking ------------------------------------------------------------------------------------

    def _take(self, session: Session, request: ExerciseOptionsRequest) -> None:
        core = self._core
        security = resolve(core, session, request.order_id, request.contract)
        if security is None:
            return
        refused = self._invalid(request, security) or self._against(request, security)
        if refused is not None:
            session.error(request.order_id, refused.code, refused.text)
            return
        assert session.client_id is not None
        ticket = OrderTicket(
            client_id=session.client_id, order_id=request.order_id, account=self._account(request),
            con_id=security.con_id, side=Side.BUY, quantity=Decimal(request.exercise_quantity),
            limit_price=Decimal(0),
        )  # fmt: skip
        view = OrderView(
            ticket=ticket, perm_id=core.exchange.next_perm_id(), status="PreSubmitted", total=ticket.quantity,
            filled=Decimal(0), remaining=ticket.quantity,
        )  # fmt: skip
        one = Working(view=view, security=security, action=request.exercise_action, count=ticket.quantity)
        notice = [_notice(view, TIF_NOTICE)] if core.options.preset_notice else []
        core.tell([*notice, OrderOpened(view), StatusChanged(view)])
        if one.action == EXERCISE and core.options.settings.exercise == "final":
            self._carry_out(one)
        else:
            self._working[session.client_id, request.order_id] = one

    def _account(self, request: ExerciseOptionsRequest) -> str:
        return request.account or self._core.options.accounts[0]

    def _invalid(self, request: ExerciseOptionsRequest, security: Security) -> Refused | None:
        """What is wrong with the request itself (321, assumed), and what is not held (201, assumed)."""
        accounts, wrong = self._core.options.accounts, ""
        if security.sec_type not in OPTIONS:
            wrong = "Only options can be exercised"
        elif request.exercise_action not in (EXERCISE, LAPSE):
            wrong = f"Invalid exercise action {request.exercise_action}"
        elif request.exercise_quantity <= 0:
            wrong = f"Invalid exercise quantity {request.exercise_quantity}"
        elif request.account and request.account not in accounts:
            wrong = f"Invalid account code '{request.account[:40]}'."
        elif not request.account and len(accounts) > 1:
            wrong = "You must specify an account."
        if wrong:
            return Refused(321, f"Error validating request.-'bW' : cause - {wrong}")
        if self._free(self._account(request), security) < request.exercise_quantity:
            said = f"Order rejected - reason:No such long position of {security.local_symbol} to exercise"
            return Refused(201, said)
        return None

    def _free(self, account: str, security: Security) -> Decimal:
        """What is held long, less what other instructions have taken."""
        row = self._core.exchange.position(account, security.con_id)
        taken = (one.count for one in self._working.values()
                 if (one.account, one.security.con_id) == (account, security.con_id))  # fmt: skip
        return (Decimal(0) if row is None else row.quantity) - sum(taken)

    def _against(self, request: ExerciseOptionsRequest, security: Security) -> Refused | None:
        """What is against the natural action, unless it is overridden (official); a lapse before the last day
        (reported for TWS's own window).
        """
        lapses, is_inside = request.exercise_action == LAPSE, self._in_the_money(security)
        if lapses and security.last_trade_date != f"{local_date(self._core.now_ns()):%Y%m%d}":
            return _unprocessed("Lapse ignored because it is not the last trading day.")
        if request.override or is_inside is not lapses:
            return None
        if lapses:
            return _unprocessed("Lapse ignored because option is in-the-money.")
        return _unprocessed("Exercise ignored because option is not in-the-money.")

    def _in_the_money(self, security: Security) -> bool:
        """By the underlying's last price, or the middle of its quote; without either it is not."""
        under = self._core.universe.get(security.under_con_id)
        if under is None or security.strike is None:
            return False
        tape = self._core.listed(under)
        quoted = tape.bid_size and tape.ask_size
        spot = tape.last or (tape.grid.price(tape.bid + tape.ask) / 2 if quoted else 0.0)
        return bool(spot) and (spot > security.strike if security.right == "C" else spot < security.strike)

    # -- ends --------------------------------------------------------------------------------------

    def clear(self) -> None:
        """The clearing house's hour: what waits is carried out."""
        working, self._working = list(self._working.values()), {}
        for one in working:
            self._carry_out(one)

    def _carry_out(self, one: Working) -> None:
        core, con_id = self._core, one.security.con_id
        under = core.universe.get(one.security.under_con_id)
        assert under is not None  # an option that can be held follows its underlying
        core.listed(under)
        corporate, now_ns = core.exchange.corporate, core.now_ns()
        if one.action == LAPSE:
            core.tell(corporate.lapse(one.account, con_id, one.count, now_ns))
        else:
            core.tell(corporate.exercise(one.account, con_id, one.count, under.con_id, now_ns))
        done = replace(one.view, status="Filled", filled=one.count, remaining=Decimal(0))
        core.tell([OrderOpened(done), StatusChanged(done)])

    def cancel(self, client_id: int, order_id: int) -> bool:
        """Whether an instruction of this client waited under the id; it ends."""
        one = self._working.pop((client_id, order_id), None)
        if one is not None:
            self._core.tell(_cancelled(one))
        return one is not None

    def cancel_all(self) -> None:
        """The global cancel ends them too (recorded)."""
        for client_id, order_id in list(self._working):
            self.cancel(client_id, order_id)


def _unprocessed(cause: str) -> Refused:
    return Refused(322, f"Error processing request.{cause}")


def _notice(view: OrderView, said: tuple[int, str]) -> Notice:
    return Notice(client_id=view.client_id, order_id=view.order_id, code=said[0], text=said[1])


def _cancelled(one: Working) -> Sequence[Event]:
    ended = replace(one.view, status="Cancelled")
    return _notice(ended, FAILED), StatusChanged(ended), _notice(ended, CANCELED)
