"""Orders as TWS tells them: open and completed ones, statuses, executions and their fees.

Each row is a fact as it comes; a complete answer is a fact once more (`Answer`), so that absence can be
judged.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from tws.connection.families.base import Handlers
from tws.connection.families.exercising import ExerciseCalls
from tws.connection.families.whatif import take_what_if
from tws.connection.hearing import reading
from tws.connection.hearing.replies import Reply
from tws.connection.ordering.sending import Sending
from tws.errors import RequestTimeoutError
from tws.model.execution import Execution
from tws.model.facts import Answer, AnswerKind, BrokerOrder, BrokerOrderStatus
from tws.wire.messages import (
    CommissionAndFeesReport,
    CompletedOrder,
    CompletedOrdersEnd,
    ExecutionDetails,
    ExecutionDetailsEnd,
    OpenOrder,
    OpenOrdersEnd,
    OrderStatus,
)

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers
    from tws.connection.keeping.broker import SeenOrder

__all__ = ["COMPLETED", "EXECUTIONS", "OPEN", "OrderQuestions", "hear"]

OPEN, COMPLETED, EXECUTIONS = "open orders", "completed orders", "executions"


class OrderQuestions(ExerciseCalls):
    """Questions about orders and fills."""

    def request_executions(
        self, *, client_id: int = 0, account: str = "", symbol: str = ""
    ) -> Reply[list[Execution]]:
        """Fills since midnight (TWS: up to seven days). 0 and "" mean any (TWS-BEHAVIOUR.md C4)."""
        from ibapi.execution import ExecutionFilter

        wish = ExecutionFilter()
        wish.clientId, wish.acctCode, wish.symbol = client_id, account, symbol
        all_of_them = not (client_id or account or symbol)

        def finish(rows: list[Execution]) -> list[Execution]:
            if all_of_them:
                _complete(self._engine.answers, AnswerKind.EXECUTIONS, executions=tuple(rows))
            return rows

        return self._request(
            EXECUTIONS, finish, lambda number: self._engine.official.reqExecutions(number, wish)
        )

    async def wait_order(
        self,
        order: Sending | int,
        *,
        until: Literal["acknowledged", "ended"] = "ended",
        timeout_s: float | None = None,
    ) -> SeenOrder:
        """Return what the broker has told of an order (a `Sending`, or its id) when it has been acknowledged,
        or has ended: filled, cancelled, rejected. Lost links in between are waited through.

        Raises RequestTimeoutError after `timeout_s`, which says nothing about the order.
        """
        number, book = order if isinstance(order, int) else order.order_id, self._engine.keeper.book
        try:
            async with asyncio.timeout(timeout_s):
                while (seen := book.of_id(number)) is None or (until == "ended" and seen.is_open):
                    await book.changed()
        except TimeoutError:
            known = book.of_id(number)
            state = "never acknowledged: does TWS show a dialog?" if known is None else known.status
            raise RequestTimeoutError(
                f"order {number} has not {until} within {timeout_s:g} s: {state}"
            ) from None
        return seen

    def request_open_orders(self, *, urgent: bool = False) -> Reply[list[BrokerOrder]]:
        """This client id's open orders; client 0 also binds those placed by hand. `urgent`: an exit waits for
        the answer, so it may use the places that the pacing keeps free for exits.
        """
        send = self._engine.official.reqOpenOrders
        return self._question(OPEN, "open orders", latest_orders, self._urgently(send) if urgent else send)

    def request_all_open_orders(self) -> Reply[list[BrokerOrder]]:
        """The open orders of every client and of TWS itself. Binds nothing."""
        return self._question(OPEN, "all open orders", latest_orders, self._engine.official.reqAllOpenOrders)

    def request_completed_orders(self, api_only: bool = False) -> Reply[list[BrokerOrder]]:
        """Orders of this day that have ended."""
        return self._question(
            COMPLETED,
            "completed orders",
            latest_orders,
            lambda: self._engine.official.reqCompletedOrders(api_only),
        )


def latest_orders(rows: list[BrokerOrder]) -> list[BrokerOrder]:
    """The last word on each order: an update may have come between the rows of an answer."""
    return list({(row.client_id, row.order_id, row.perm_id): row for row in rows}.values())


def hear(answers: Answers) -> Handlers:
    """Answers 3, 5, 11, 53, 55, 59, 101 and 102."""
    questions, requests, owner = answers.questions, answers.requests, answers.owner

    def open_order(message: OpenOrder) -> None:
        if take_what_if(answers, message):
            return
        open_fact(
            reading.broker_order_of(message.order_id, message.contract, message.order, message.order_state)
        )

    def open_fact(fact: BrokerOrder) -> None:
        if fact.client_id == owner.client_id:
            answers.saw_order(fact.order_id, fact.perm_id)
        answers.tell(fact)
        questions.row(OPEN, fact)
        if fact.client_id == owner.client_id and requests.row(fact.order_id, fact):
            requests.end(fact.order_id)  # an exercise that TWS took (`tws.connection.families.exercising`)

    def open_orders_end(message: OpenOrdersEnd) -> None:
        rows = questions.end(OPEN)
        if rows is not None:
            _complete(answers, AnswerKind.OPEN_ORDERS, orders=tuple(latest_orders(rows)))

    def completed_order(message: CompletedOrder) -> None:
        fact = reading.completed_order_of(message.contract, message.order, message.order_state)
        answers.tell(fact)
        questions.row(COMPLETED, fact)

    def completed_orders_end(message: CompletedOrdersEnd) -> None:
        rows = questions.end(COMPLETED)
        if rows is not None:
            _complete(answers, AnswerKind.COMPLETED_ORDERS, orders=tuple(latest_orders(rows)))

    def order_status(message: OrderStatus) -> None:
        status_fact(reading.order_status_of(message))

    def status_fact(fact: BrokerOrderStatus) -> None:
        if fact.client_id == owner.client_id:
            answers.saw_order(fact.order_id, fact.perm_id, raises=False)
        answers.tell(fact)

    def execution(message: ExecutionDetails) -> None:
        fact = reading.execution_of(message, owner.zone)
        answers.tell(fact)
        requests.row(message.req_id, fact)

    def executions_end(message: ExecutionDetailsEnd) -> None:
        requests.end(message.req_id)

    def commission(message: CommissionAndFeesReport) -> None:
        answers.tell(reading.commission_of(message))

    return {
        OpenOrder: open_order,
        BrokerOrder: open_fact,
        OpenOrdersEnd: open_orders_end,
        CompletedOrder: completed_order,
        CompletedOrdersEnd: completed_orders_end,
        OrderStatus: order_status,
        BrokerOrderStatus: status_fact,
        ExecutionDetails: execution,
        ExecutionDetailsEnd: executions_end,
        CommissionAndFeesReport: commission,
    }


def _complete(answers: Answers, kind: AnswerKind, **rows: Any) -> None:
    answers.tell(Answer(kind=kind, session=answers.owner.session, **rows))
