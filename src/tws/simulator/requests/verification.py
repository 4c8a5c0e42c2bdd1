"""Programs that ask to be verified (65, 66, 72, 73), before startApi or after it.

A client that connects with `extraAuth` does not start the API by itself (official: IB's Java client): it asks
to be verified first, and starts when the verdict is there. IB registers programs of vendors for it. This TWS
knows those of `SimulatorOptions.programs`: each gets a challenge, its own name, and is verified if it answers
with what is registered. All others are refused at once. What a TWS says in a challenge is IB's secret, no
session of it is public, and that it lets an unverified program in all the same is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tws.simulator.session import Session
from tws.wire.messages import (
    VerifyAndAuthCompleted,
    VerifyAndAuthMessageApi,
    VerifyAndAuthMessageRequest,
    VerifyAndAuthRequest,
    VerifyCompleted,
    VerifyMessageApi,
    VerifyMessageRequest,
    VerifyRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Verification"]

UNASKED = "No verification is under way"
WRONG = "The answer is not the registered one"


class Verification:
    """Answers the four requests of any session; the wrong answer to a challenge ends that challenge."""

    def __init__(self, core: Core) -> None:
        self._programs = core.options.programs
        self._asked: WeakKeyDictionary[Session, str] = WeakKeyDictionary()
        """Who was challenged, as which program."""

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            VerifyRequest: self._verify,
            VerifyMessageRequest: self._prove,
            VerifyAndAuthRequest: self._verify_and_auth,
            VerifyAndAuthMessageRequest: self._prove_and_auth,
        }

    def _verify(self, session: Session, request: VerifyRequest) -> None:
        if self._challenges(session, request.api_name):
            session.send(VerifyMessageApi(request.api_name))
        else:
            session.send(VerifyCompleted(False, _unknown(request.api_name)))

    def _verify_and_auth(self, session: Session, request: VerifyAndAuthRequest) -> None:
        if self._challenges(session, request.api_name):
            session.send(VerifyAndAuthMessageApi(request.api_name, request.opaque_isv_key))
        else:
            session.send(VerifyAndAuthCompleted(False, _unknown(request.api_name)))

    def _prove(self, session: Session, request: VerifyMessageRequest) -> None:
        fault = self._fault_of(session, request.api_data)
        session.send(VerifyCompleted(not fault, fault))

    def _prove_and_auth(self, session: Session, request: VerifyAndAuthMessageRequest) -> None:
        fault = self._fault_of(session, request.api_data)
        session.send(VerifyAndAuthCompleted(not fault, fault))

    def _challenges(self, session: Session, name: str) -> bool:
        self._asked.pop(session, None)
        if name in self._programs:
            self._asked[session] = name
        return name in self._programs

    def _fault_of(self, session: Session, answer: str) -> str:
        """What is wrong with the answer to a challenge; empty: nothing."""
        name = self._asked.pop(session, None)
        if name is None:
            return UNASKED
        return "" if answer == self._programs[name] else WRONG


def _unknown(name: str) -> str:
    return f"Program '{name[:40]}' is not registered"
