"""The session: TWS's clocks, the next order id, the accounts of the login, its user, TWS's own log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tws.clock import to_datetime
from tws.connection.families.base import Asking, Handlers, first, hear_rows
from tws.connection.hearing.replies import Reply
from tws.model.facts import NextOrderId
from tws.wire.messages import CurrentTime, CurrentTimeInMillis, ManagedAccounts, NextValidId, UserInfo

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["SessionQuestions", "hear"]

TIME, MILLIS, ACCOUNTS, IDS = "time", "time in milliseconds", "accounts", "ids"
MOST_IDS = 1_000_000
"""At one call: more orders than TWS's message rate lets out in hours; there are 2 ** 31 for good."""


class SessionQuestions(Asking):
    """What the session itself can be asked."""

    def request_next_order_id(self, n: int = 1) -> Reply[int]:
        """Ask TWS for its next id, then reserve n consecutive ids; the answer is the first.

        Raises ValueError for n below 1 or above MOST_IDS.
        """
        if not 1 <= n <= MOST_IDS:
            raise ValueError(f"n is {n}: 1 to {MOST_IDS} ids")

        def finish(rows: list[int]) -> int:
            number = self._engine.order_ids.take(int(n))
            assert number is not None  # TWS has just named one
            return number

        return self._question(IDS, "next order id", finish, lambda: self._engine.official.reqIds(1))

    def request_current_time(self) -> Reply[datetime]:
        """TWS's clock, UTC, whole seconds."""
        return self._question(TIME, "current time", first, self._engine.official.reqCurrentTime)

    def request_current_time_millis(self) -> Reply[datetime]:
        """TWS's clock, UTC, to the millisecond. Raises NotSentError (503) below server version 197."""
        return self._question(MILLIS, "current time", first, self._engine.official.reqCurrentTimeInMillis)

    def request_managed_accounts(self) -> Reply[tuple[str, ...]]:
        """The accounts of this login."""
        return self._question(ACCOUNTS, "managed accounts", first, self._engine.official.reqManagedAccts)

    def request_user_info(self) -> Reply[str]:
        """The white branding id of the login's broker, "" for clients of IBKR itself (answer 107)."""
        return self._request(
            "user info",
            lambda rows: str(first(rows).white_branding_id),
            lambda number: self._engine.official.reqUserInfo(number),
        )

    def set_server_log_level(self, level: int) -> None:
        """How much TWS writes into its API log: 1 system, 2 error, 3 warning, 4 information, 5 detail.

        TWS answers nothing. Raises ValueError for another level, NotSentError without a session.
        """
        if not 1 <= level <= 5:
            raise ValueError(f"level is {level}: TWS knows 1 to 5")
        self._must_be_ready()
        self._engine.official.setServerLogLevel(level)


def hear(answers: Answers) -> Handlers:
    """Answers 9, 15, 49, 107 and 109."""
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

    def current_millis(message: CurrentTimeInMillis) -> None:
        questions.row(MILLIS, to_datetime(message.current_time_in_millis * 1_000_000))
        questions.end(MILLIS)

    return {
        NextValidId: next_valid_id,
        ManagedAccounts: managed_accounts,
        CurrentTime: current_time,
        CurrentTimeInMillis: current_millis,
        **hear_rows(answers, alone=(UserInfo,)),
    }
