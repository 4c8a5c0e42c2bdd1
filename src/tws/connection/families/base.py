"""What the families share: how a question is sent, and how rows find the question that they answer.

self._request(name, finish, send)       answered under a request id
self._question(kind, name, finish, send)  answered without one, in the order of asking
self._subscribe(stream, send, cancel)     fed until it is cancelled; the connection owns it
self._task(work)                          several requests behind one answer

hear_rows(answers, rows=…, ends=…, alone=…)   the handlers of answers that are rows, ends, or both in one
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tws.config import TWSConfig
from tws.connection.families.arguments import CALLS, looked_at
from tws.connection.hearing.replies import Reply
from tws.errors import NotSentError, TWSError
from tws.model.contract import Contract
from tws.wire.messages import Answer

if TYPE_CHECKING:
    from tws.connection.engine import Engine
    from tws.connection.hearing.answers import Answers
    from tws.connection.streaming.streams import Stream

__all__ = ["Asking", "Handlers", "first", "hear_rows", "together"]

T = TypeVar("T")
Handlers: TypeAlias = dict[type[object], Callable[[Any], object]]
"""What is done with each message, by its class; some messages come as facts already
(`tws.connection.hearing.recurring`)."""


class Asking:
    """The base of all questions. Every call raises NotSentError without a session, and must come from the
    loop's thread.
    """

    config: TWSConfig
    _engine: Engine

    def __init_subclass__(cls) -> None:
        """The calls of each family look at their arguments first (`arguments`)."""
        for name, method in list(vars(cls).items()):
            if isinstance(method, FunctionType) and name.startswith(CALLS):
                setattr(cls, name, looked_at(method))

    @staticmethod
    def _ib(contract: Contract) -> Any:
        """The contract as the official client takes it. Its import waits until a connection is used."""
        from tws.connection.encoding.translate import ib_contract

        return ib_contract(contract)

    def _must_be_ready(self) -> None:
        if not self._engine.ready:
            raise NotSentError(504, "Not connected")

    def _account_or_first(self, account: str) -> str:
        """The account that is meant: the named, the configured, or the first of the login; "" while none is
        known, as on a link that is being dialled again. So streams ask when they are sent.
        """
        return account or self.config.account_id or next(iter(self._engine.accounts), "")

    def _urgently(self, send: Callable[[], object]) -> Callable[[], object]:
        """The same, with the places of TWS's message rate that are kept free for exits."""

        def sent() -> object:
            with self._engine.wire.urgently():
                return send()

        return sent

    def _question(
        self, kind: str, name: str, finish: Callable[[list[Any]], T], send: Callable[[], object]
    ) -> Reply[T]:
        self._must_be_ready()
        return self._engine.answers.questions.ask(kind, name, finish, send)

    def _request(
        self,
        name: str,
        finish: Callable[[list[Any]], T],
        send: Callable[[int], object],
        withdraw: Callable[[int], object] | None = None,
        *,
        lasting: bool = False,
    ) -> Reply[T]:
        """`withdraw` tells TWS that nobody waits any more; with `lasting`, that the answer is enough: TWS
        would go on with what it takes for a subscription.
        """
        self._must_be_ready()
        engine = self._engine
        number = engine.request_ids.take()
        end = None if withdraw is None else lambda: withdraw(number)
        reply = engine.answers.requests.ask(number, name, finish, lambda: send(number), end)
        if lasting and end is not None:
            session = engine.session

            def answered(done: asyncio.Future[T]) -> None:
                # An answer that we can't read is one all the same; after an error there is nothing to end.
                over = done.cancelled() or isinstance(done.exception(), TWSError)
                if not over and engine.ready and engine.session == session:
                    end()

            reply.add_done_callback(answered)
        return reply

    def _task(self, work: Coroutine[Any, Any, T]) -> Reply[T]:
        """The answer of several requests; cancelling it cancels the one that is under way."""
        reply: Reply[T] = Reply(loop=asyncio.get_running_loop())
        task = asyncio.ensure_future(work)

        def ended(done: asyncio.Future[T]) -> None:
            if reply.done():
                return
            if done.cancelled():
                reply.cancel()
            elif (error := done.exception()) is not None:
                reply.set_exception(error)
            else:
                reply.set_result(done.result())

        task.add_done_callback(ended)  # the loop's timers and requests hold the task; the reply holds it too
        reply.add_done_callback(lambda done: task.cancel() if done.cancelled() else None)
        return reply

    def _subscribe(
        self, stream: Stream, send: Callable[[int], object], cancel: Callable[[int], object]
    ) -> None:
        """Send the request of a stream under a number of its own, now and again after each loss."""
        self._engine.answers.subscriptions.open(stream, send, cancel)


async def together(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them all; the first that fails is raised, and ends the others."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def first(rows: list[T]) -> T:
    """The answer of a question that has one row: the latest, should there be more."""
    return rows[-1]


def hear_rows(
    answers: Answers,
    *,
    rows: Iterable[type[Answer]] = (),
    ends: Iterable[type[Answer]] = (),
    alone: Iterable[type[Answer]] = (),
) -> Handlers:
    """Handlers of messages that carry `req_id`: rows of an answer, its end, or an answer in one message."""
    requests = answers.requests

    def row(message: Any) -> None:
        requests.row(message.req_id, message)

    def end(message: Any) -> None:
        requests.end(message.req_id)

    def only(message: Any) -> None:
        if requests.row(message.req_id, message):
            requests.end(message.req_id)

    return {**dict.fromkeys(rows, row), **dict.fromkeys(ends, end), **dict.fromkeys(alone, only)}
