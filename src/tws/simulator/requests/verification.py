"""Programs that ask to be verified (65, 66, 72, 73): this TWS knows none, and says so.

IB registers programs of vendors for it; without a registration there is no challenge and the verdict is no
(assumed: the official client calls all of it for IB's internal purpose, and no session of it is public).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tws.simulator.session import Session
from tws.wire.messages import (
    VerifyAndAuthCompleted,
    VerifyAndAuthMessageRequest,
    VerifyAndAuthRequest,
    VerifyCompleted,
    VerifyMessageRequest,
    VerifyRequest,
)

__all__ = ["HANDLERS"]


def _verify(session: Session, request: VerifyRequest) -> None:
    session.send(VerifyCompleted(False, _unknown(request.api_name)))


def _verify_and_auth(session: Session, request: VerifyAndAuthRequest) -> None:
    session.send(VerifyAndAuthCompleted(False, _unknown(request.api_name)))


def _unknown(name: str) -> str:
    return f"Program '{name[:40]}' is not registered"


UNASKED = "No verification is under way"
HANDLERS: dict[type, Callable[[Session, Any], None]] = {
    VerifyRequest: _verify,
    VerifyAndAuthRequest: _verify_and_auth,
    VerifyMessageRequest: lambda session, _: session.send(VerifyCompleted(False, UNASKED)),
    VerifyAndAuthMessageRequest: lambda session, _: session.send(VerifyAndAuthCompleted(False, UNASKED)),
}
"""What answers each of the four."""
