"""Accounts: their positions, and the values and the portfolio of one of them.

TWS feeds one account's values at a time, under no request id (answers 6, 7, 8, 54). So every `stream_account`
that is open is of the same account; they and questions about it share the feed, and one about another
account is refused here instead of ending them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tws.connection.families.base import Asking, Handlers
from tws.connection.hearing.reading import contract_of, money_of, position_of
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.statestreams import AccountStream
from tws.errors import NotSentError, RequestError
from tws.model.account import AccountSource, AccountValue, PortfolioItem, Position
from tws.model.facts import Answer, AnswerKind
from tws.wire.messages import AccountDataEnd, PortfolioValue, PositionEnd
from tws.wire.messages import AccountValue as WireAccountValue
from tws.wire.messages import Position as WirePosition

if TYPE_CHECKING:
    from tws.connection.hearing.answers import Answers

__all__ = ["POSITIONS", "VALUES", "AccountQuestions", "hear"]

POSITIONS, VALUES = "positions", "account values"


class AccountQuestions(Asking):
    """Questions about accounts."""

    def request_positions(self, *, urgent: bool = False) -> Reply[list[Position]]:
        """All positions of all accounts. Changes follow as facts until the session ends. `urgent`: an exit
        waits for the answer, so it may use the places that the pacing keeps free for exits.
        """
        send = self._engine.official.reqPositions
        return self._question(
            POSITIONS, "positions", latest_positions, self._urgently(send) if urgent else send
        )

    def request_account_values(self, account: str = "", *, keep: bool = False) -> Reply[list[AccountValue]]:
        """One account's values, "" the configured or first one. `keep`: go on hearing of changes as facts.

        TWS serves one account at a time (TWS-BEHAVIOUR.md D): raises NotSentError while `stream_account` is
        open for another one; `request_account_values_of` has no such bound.
        """
        name = self._account_named(account)
        return self._ask_account(
            name, keep, lambda rows: [row for row in rows if isinstance(row, AccountValue)]
        )

    def request_portfolio(self, account: str = "") -> Reply[list[PortfolioItem]]:
        """One account's holdings with their prices, values and profit, "" the configured or first one.

        Bounds and errors are those of `request_account_values`, whose answer has the other half.
        """
        name = self._account_named(account)

        def latest(rows: list[Any]) -> list[PortfolioItem]:
            held = {row.contract.con_id: row for row in rows if isinstance(row, PortfolioItem)}
            return list(held.values())

        return self._ask_account(name, False, latest)

    def stream_account(self, account: str = "") -> AccountStream:
        """One account's values and portfolio from now on, "" the configured or first one.

        TWS tells of each change of a position, and of all else every three minutes (TWS-BEHAVIOUR.md D).
        Raises NotSentError without a session, or while a stream of another account is open. RequestError ends
        it for an account that TWS does not know, or when another client has taken the feed over (2100, 2101).
        """
        engine = self._engine
        name = self._account_named(account)
        stream = AccountStream(name, engine.lanes.isolate)

        def send(number: int) -> None:
            stream.account = self._account_or_first(account)
            engine.official.reqAccountUpdates(True, stream.account)

        def cancel(number: int) -> None:
            if not self._others(stream):
                engine.official.reqAccountUpdates(False, stream.account)

        self._subscribe(stream, send, cancel)
        return stream

    def _account_named(self, account: str) -> str:
        """The account that is meant. Raises NotSentError when the feed serves another one."""
        name = self._account_or_first(account)
        if any(stream.account not in ("", name) for stream in account_streams(self._engine.answers)):
            raise NotSentError(
                512,
                "TWS serves one account at a time: close stream_account, or use request_account_values_of",
            )
        return name

    def _others(self, stream: AccountStream) -> bool:
        """Whether somebody else lives on the same feed."""
        answers = self._engine.answers
        others = any(other is not stream for other in account_streams(answers))
        return others or answers.questions.waits(VALUES)

    def _ask_account(self, name: str, keep: bool, pick: Any) -> Reply[Any]:
        engine = self._engine

        def finish(rows: list[Any]) -> list[Any]:
            if not keep and engine.ready and not account_streams(engine.answers):
                engine.official.reqAccountUpdates(False, name)
            return list(pick([row for row in rows if row.account == name or not name]))

        return self._question(
            VALUES, "account values", finish, lambda: engine.official.reqAccountUpdates(True, name)
        )


def account_streams(answers: Answers) -> list[AccountStream]:
    """The open streams of the one account that is fed."""
    return [one for one in answers.subscriptions.streams.values() if isinstance(one, AccountStream)]


def latest_positions(rows: list[Position]) -> list[Position]:
    """The last word on each holding: an update may have come between the rows of an answer."""
    return list({(row.account, row.contract): row for row in rows}.values())


def hear(answers: Answers) -> Handlers:
    """Answers 6, 7, 54, 61 and 62; what TWS says without an id of account updates."""
    questions, stamp = answers.questions, answers.stamp

    def position(message: WirePosition) -> None:
        fact = position_of(message, stamp.now_ns)
        answers.tell(fact)
        questions.row(POSITIONS, fact)

    def position_end(message: PositionEnd) -> None:
        rows = questions.end(POSITIONS)
        if rows is not None:
            held = tuple(latest_positions(rows))
            answers.tell(Answer(kind=AnswerKind.POSITIONS, session=answers.owner.session, positions=held))

    def row(fact: AccountValue | PortfolioItem) -> None:
        questions.row(VALUES, fact)
        for stream in account_streams(answers):
            stream.account = stream.account or fact.account  # TWS never named the login's
            if fact.account == stream.account:
                stream.put(fact, stamp.now_ns)

    def account_value(message: WireAccountValue) -> None:
        fact = AccountValue(
            account=message.account_name,
            key=message.key,
            value=message.value,
            currency=message.currency,
            time_ns=stamp.now_ns,
            source=AccountSource.UPDATES,
        )
        answers.tell(fact)
        row(fact)

    def account_end(message: AccountDataEnd) -> None:
        questions.end(VALUES)
        for stream in account_streams(answers):
            if message.account_name in ("", stream.account):
                stream.completed(stamp.now_ns)

    def refused(code: int, text: str) -> bool:
        """The feed was taken over (2100, 2101), or the account is unknown."""
        if code not in (2100, 2101) and not (code == 321 and "account code" in text.lower()):
            return False
        ended = [one for one in account_streams(answers) if code != 321 or not one.is_complete]
        for stream in ended:
            answers.subscriptions.error(stream.request_id, code, text, RequestError(code, text))
        if ended:
            return True
        return code != 2100 and questions.fail(VALUES, RequestError(code, text))

    answers.unaddressed.append(refused)
    return {
        WirePosition: position,
        PositionEnd: position_end,
        WireAccountValue: account_value,
        PortfolioValue: lambda message: row(_portfolio_of(message, stamp.now_ns)),
        AccountDataEnd: account_end,
    }


def _portfolio_of(message: PortfolioValue, now_ns: int) -> PortfolioItem:
    return PortfolioItem(
        account=message.account_name,
        contract=contract_of(message.contract),
        quantity=message.position,
        market_price=message.market_price,
        market_value=money_of(message.market_value),
        average_cost=money_of(message.average_cost),
        unrealized_pnl=money_of(message.unrealized_pnl),
        realized_pnl=money_of(message.realized_pnl),
        time_ns=now_ns,
        source=AccountSource.UPDATES,
    )
