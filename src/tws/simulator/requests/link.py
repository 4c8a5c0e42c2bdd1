"""Clocks, ids, accounts' names, log level."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tws.simulator.session import Session
from tws.wire.messages import (
    CurrentTime,
    CurrentTimeInMillis,
    CurrentTimeInMillisRequest,
    CurrentTimeRequest,
    IdsRequest,
    ManagedAccounts,
    ManagedAccountsRequest,
    NextValidId,
    SetServerLogLevelRequest,
    StartApiRequest,
    UserInfo,
    UserInfoRequest,
)

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["Link"]


class Link:
    """Questions about the session itself."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def handlers(self) -> dict[type, Callable[[Session, Any], None]]:
        return {
            CurrentTimeRequest: lambda session, _: session.send(CurrentTime(self._core.stated_ns() // 10**9)),
            CurrentTimeInMillisRequest: lambda session, _: session.send(
                CurrentTimeInMillis(self._core.stated_ns() // 10**6)
            ),
            IdsRequest: self._ids,
            ManagedAccountsRequest: lambda session, _: session.send(
                ManagedAccounts(",".join(self._core.options.accounts))
            ),
            SetServerLogLevelRequest: lambda session, _: None,  # TWS answers nothing either
            StartApiRequest: lambda session, _: session.error(
                -1, 322, "Error processing request.-'startApi' : cause - Already started"
            ),
            UserInfoRequest: lambda session, request: session.send(UserInfo(request.req_id, "")),
        }

    def _ids(self, session: Session, request: IdsRequest) -> None:
        session.send(NextValidId(self._core.desk.orders.next_id(session)))
