"""Accounts: what they hold and are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tws.connection.families.base import Asking, Handlers
from tws.connection.reading import position_of
from tws.connection.replies import Reply
from tws.model.account import AccountValue, Position
from tws.model.facts import Answer, AnswerKind
from tws.wire.messages import AccountDataEnd, PositionEnd
from tws.wire.messages import AccountValue as WireAccountValue
from tws.wire.messages import Position as WirePosition

if TYPE_CHECKING:
    from tws.connection.answers import Answers

__all__ = ["POSITIONS", "VALUES", "AccountQuestions", "hear"]

POSITIONS, VALUES = "positions", "account values"


class AccountQuestions(Asking):
    """Questions about accounts."""

    def request_positions(self) -> Reply[list[Position]]:
        """All positions of all accounts. Changes follow as facts until the session ends."""
        return self._question(POSITIONS, "positions", latest_positions, self._engine.official.reqPositions)

    def request_account_values(self, account: str = "", *, keep: bool = False) -> Reply[list[AccountValue]]:
        """One account's values, "" the configured or first one. `keep`: go on hearing of changes as facts.

        TWS serves one account at a time (TWS-BEHAVIOUR.md D).
        """
        engine = self._engine
        name = account or self.config.account_id or next(iter(engine.accounts), "")

        def finish(rows: list[AccountValue]) -> list[AccountValue]:
            if not keep and engine.ready:
                engine.official.reqAccountUpdates(False, name)
            return [row for row in rows if row.account == name or not name]

        return self._question(
            VALUES, "account values", finish, lambda: engine.official.reqAccountUpdates(True, name)
        )


def latest_positions(rows: list[Position]) -> list[Position]:
    """The last word on each holding: an update may have come between the rows of an answer."""
    return list({(row.account, row.contract): row for row in rows}.values())


def hear(answers: Answers) -> Handlers:
    """Answers 6, 54, 61 and 62."""
    questions = answers.questions

    def position(message: WirePosition) -> None:
        fact = position_of(message)
        answers.tell(fact)
        questions.row(POSITIONS, fact)

    def position_end(message: PositionEnd) -> None:
        rows = questions.end(POSITIONS)
        if rows is not None:
            held = tuple(latest_positions(rows))
            answers.tell(Answer(kind=AnswerKind.POSITIONS, session=answers.owner.session, positions=held))

    def account_value(message: WireAccountValue) -> None:
        fact = AccountValue(
            account=message.account_name, key=message.key, value=message.value, currency=message.currency
        )
        answers.tell(fact)
        questions.row(VALUES, fact)

    def account_end(message: AccountDataEnd) -> None:
        questions.end(VALUES)

    return {
        WirePosition: position,
        PositionEnd: position_end,
        WireAccountValue: account_value,
        AccountDataEnd: account_end,
    }
