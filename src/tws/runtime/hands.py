"""What the desk wants done, done: orders and cancels to the writer, questions to the broker, alarms out.

An effect that the link or the last gate refuses never raises into the pump. What became of an order's bytes
goes back to the desk as a report: written, withdrawn, or not written. A question that fails (the link
went) is not repeated here: the desk asks again when the link is back, or its answer is overdue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import assert_never

from tws.connection import Sending, SendState, TWSConnection
from tws.desk import (
    Alert,
    Ask,
    AskCash,
    Cancel,
    CancelEverything,
    CashStated,
    Effect,
    Event,
    NotWritten,
    Place,
    Withdrawn,
    Written,
)
from tws.errors import TWSError
from tws.log import get_logger
from tws.model.facts import AnswerKind

__all__ = ["Hands"]


log = get_logger("tws.runtime")


class Hands:
    """Performs effects on one connection; `post` takes reports back to the desk, `alert` alarms out."""

    def __init__(
        self, connection: TWSConnection, post: Callable[[Event], None], alert: Callable[[Alert], None]
    ) -> None:
        self._connection = connection
        self._post = post
        self._tell = alert
        self._questions: set[asyncio.Task[None]] = set()
        # By frame, not by order id: a change may be queued while the order's first frame still waits.
        self._placed: set[Sending] = set()
        connection.outbound.on_sent(self._sent)

    def perform(self, effect: Effect) -> None:
        """Do it now; nothing here waits."""
        match effect:
            case Place():
                self._place(effect)
            case Cancel():
                self._cancel(effect)
            case CancelEverything():
                self._cancel_everything()
            case Ask():
                self._question(self._answer(effect), f"ask {effect.kind}")
            case AskCash():
                self._question(self._cash(), "ask cash")
            case Alert():
                self._tell(effect)
            case _:
                assert_never(effect)

    @property
    def waiting(self) -> int:
        """Questions without an answer."""
        return len(self._questions)

    async def close(self) -> None:
        """End the questions that still wait."""
        for task in tuple(self._questions):
            task.cancel()
        await asyncio.gather(*self._questions, return_exceptions=True)

    def _place(self, effect: Place) -> None:
        try:
            sending = self._connection.outbound.place(
                effect.order_id,
                effect.contract,
                effect.order,
                effect.permit,
                urgent=effect.urgent,
            )
        except TWSError as error:
            self._post(NotWritten(order_id=effect.order_id, reason=str(error)))
            return
        self._placed.add(sending)
        if sending.state is not SendState.QUEUED:  # decided before we could remember it
            self._sent(sending)

    def _cancel(self, effect: Cancel) -> None:
        try:
            self._connection.outbound.cancel(effect.order_id)
        except TWSError as error:  # the link went: the order becomes unknown, and the wish is kept
            log.warning("cancel not sent", order_id=effect.order_id, reason=str(error))

    def _cancel_everything(self) -> None:
        try:
            self._connection.outbound.global_cancel()
        except TWSError as error:  # the desk asks again while an order is open
            log.warning("global cancel not sent", reason=str(error))

    def _sent(self, sending: Sending) -> None:
        if sending not in self._placed or sending.state is SendState.QUEUED:
            return  # a cancel's, or somebody else's
        self._placed.discard(sending)
        if sending.state is SendState.WRITTEN:
            self._post(Written(order_id=sending.order_id))
        elif sending.state is SendState.WITHDRAWN:
            self._post(Withdrawn(order_id=sending.order_id))
        else:
            self._post(NotWritten(order_id=sending.order_id, reason=str(sending.failure)))

    def _question(self, asking: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(asking, name=name)
        self._questions.add(task)
        task.add_done_callback(self._questions.discard)

    async def _cash(self) -> None:
        """The cash ledger of all accounts. It is a report: no fact of the lane carries it."""
        try:
            rows = await self._connection.request_account_summary((), currency="ALL")
        except TWSError as error:
            log.warning("question unanswered", kind="cash", reason=str(error))
        except Exception:  # as in `_answer`
            log.exception("question failed", kind="cash")
        else:
            self._post(CashStated(rows=tuple(row for row in rows if row.key == "CashBalance")))

    async def _answer(self, ask: Ask) -> None:
        """See that the question ends. Its answer is a fact in its place among the others (`Answer`)."""
        connection, kind = self._connection, ask.kind
        try:
            match kind:
                case AnswerKind.OPEN_ORDERS:
                    await connection.request_open_orders(urgent=ask.urgent)
                case AnswerKind.COMPLETED_ORDERS:
                    await connection.request_completed_orders()
                case AnswerKind.EXECUTIONS:
                    await connection.request_executions()
                case AnswerKind.POSITIONS:
                    await connection.request_positions(urgent=ask.urgent)
        except TWSError as error:
            log.warning("question unanswered", kind=str(kind), reason=str(error))
        except Exception:  # a bug of ours: the desk will ask again, but it must not be silent
            log.exception("question failed", kind=str(kind))
