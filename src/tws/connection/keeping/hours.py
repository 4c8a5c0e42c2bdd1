"""Whether a contract's market is open, by the hours that the broker states.

They are in the contract's details, for some days ahead. What nobody has asked for is asked for here, once, in
the background; until it has come the answer is None, "not known". Early closes and holidays are in the hours.
"""

from __future__ import annotations

from collections.abc import Callable

from tws.clock import NS_PER_S
from tws.connection.hearing.replies import Reply
from tws.connection.streaming.streams import Stream
from tws.errors import TWSError
from tws.model.contract import Contract, ContractDetails
from tws.model.session import Session, parse_hours, session_at

__all__ = ["MarketHours"]

_AGAIN_NS = 600 * NS_PER_S
"""What could not be learned is not asked for again before."""

_MOST = 10_000
"""Contracts whose hours are kept: a hundred times the lines of a login; about 2 kB each."""


class MarketHours:
    """Hours by contract. `known` looks into what was told, `ask` sends a request for details."""

    def __init__(
        self,
        known: Callable[[Contract], ContractDetails | None],
        ask: Callable[[Contract], Reply[list[ContractDetails]]],
        now_ns: Callable[[], int],
    ) -> None:
        self._known = known
        self._ask = ask
        self._now_ns = now_ns
        self._sessions: dict[Contract, tuple[Session, ...]] = {}
        self._asked_ns: dict[Contract, int] = {}

    def is_open(self, stream: Stream) -> bool | None:
        """Whether the stream's market is in its liquid hours now; None when that is not known."""
        contract, now_ns = stream.contract, self._now_ns()
        sessions = self._sessions.get(contract)
        if sessions is None or not sessions or sessions[-1].close_ns <= now_ns:
            details = self._known(contract)
            if details is not None and self._learn(contract, details):
                sessions = self._sessions[contract]
        if not sessions or sessions[-1].close_ns <= now_ns:
            self._ask_once(contract, now_ns)
            return None
        session = session_at(sessions, now_ns)
        return session is not None and session.holds(now_ns)

    def _learn(self, contract: Contract, details: ContractDetails) -> bool:
        try:
            sessions = parse_hours(details.liquid_hours, details.time_zone_id)
        except ValueError:
            return False
        if not sessions or sessions[-1].close_ns <= self._now_ns():
            return False
        self._sessions[contract] = sessions
        return True

    def _ask_once(self, contract: Contract, now_ns: int) -> None:
        if now_ns - self._asked_ns.get(contract, -_AGAIN_NS) < _AGAIN_NS:
            return
        if len(self._asked_ns) >= _MOST:
            self._asked_ns.clear()  # at worst each is asked for once more
            self._sessions.clear()
        self._asked_ns[contract] = now_ns
        try:
            reply = self._ask(contract)
        except (TWSError, ValueError):
            return
        reply.add_done_callback(lambda done: self._answered(contract, done))

    def _answered(self, contract: Contract, reply: object) -> None:
        assert isinstance(reply, Reply)
        if not reply.cancelled() and reply.exception() is None and reply.result():
            self._learn(contract, reply.result()[0])
