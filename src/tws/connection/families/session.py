"""The session: TWS's clock, the next order id, the accounts of the login."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers, first
from tws.connection.replies import Reply
from tws.model.facts import NextOrderId
from tws.wire.messages import CurrentTime, ManagedAccounts, NextValidId

if TYPE_CHECKING:
    from tws.connection.answers import Answers

__all__ = ["SessionQuestions", "hear"]

TIME, ACCOUNTS, IDS = "time", "accounts", "ids"


class SessionQuestions(Asking):
    """What the session itself can be asked."""

    def request_next_order_id(self, n: int = 1) -> Reply[int]:
        """Ask TWS for its next id, then reserve n consecutive ids; the answer is the first.

        Raises ValueError for n below 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}: at least one id")

        def finish(rows: list[int]) -> int:
            number = self._engine.order_ids.take(n)
            assert number is not None  # TWS has just named one
            return number

        return self._question(IDS, "next order id", finish, lambda: self._engine.official.reqIds(1))

    def request_current_time(self) -> Reply[datetime]:
        """TWS's clock, UTC, whole seconds."""
        return self._question(TIME, "current time", first, self._engine.official.reqCurrentTime)

    def request_managed_accounts(self) -> Reply[tuple[str, ...]]:
        """The accounts of this login."""
        return self._question(ACCOUNTS, "managed accounts", first, self._engine.official.reqManagedAccts)


def hear(answers: Answers) -> Handlers:
    """Answers 9, 15 and 49."""
    questions = answers.questions

    def next_valid_id(message: NextValidId) -> None:
        answers.ids.learn(message.order_id)
        answers.tell(NextOrderId(order_id=message.order_id))
        questions.row(IDS, message.order_id)
        questions.end(IDS)
        answers.owner.on_next_id(message.order_id)

    def managed_accounts(message: ManagedAccounts) -> None:
        names = (name.strip() for name in message.accounts_list.split(","))
        accounts = tuple(filter(None, names))
        questions.row(ACCOUNTS, accounts)
        questions.end(ACCOUNTS)
        answers.owner.on_accounts(accounts)

    def current_time(message: CurrentTime) -> None:
        answers.owner.on_time()
        questions.row(TIME, datetime.fromtimestamp(message.current_time, UTC))
        questions.end(TIME)

    return {NextValidId: next_valid_id, ManagedAccounts: managed_accounts, CurrentTime: current_time}
