"""The session itself: start, ids, accounts, clocks, errors. Source: TWS-BEHAVIOUR.md A, F4, F6."""

from __future__ import annotations

from tws.wire.messages.base import Answer, Request

__all__ = [
    "CurrentTime",
    "CurrentTimeInMillis",
    "CurrentTimeInMillisRequest",
    "CurrentTimeRequest",
    "ErrorMessage",
    "IdsRequest",
    "ManagedAccounts",
    "ManagedAccountsRequest",
    "NextValidId",
    "SetServerLogLevelRequest",
    "StartApiRequest",
    "UserInfo",
    "UserInfoRequest",
    "VerifyAndAuthCompleted",
    "VerifyAndAuthMessageApi",
    "VerifyAndAuthMessageRequest",
    "VerifyAndAuthRequest",
    "VerifyCompleted",
    "VerifyMessageApi",
    "VerifyMessageRequest",
    "VerifyRequest",
]


class StartApiRequest(Request, frozen=True):
    """Request 71: the first message after the handshake."""

    client_id: int
    optional_capabilities: str = ""


class IdsRequest(Request, frozen=True):
    """Request 8; TWS ignores `num_ids` and answers NextValidId."""

    num_ids: int = 1


class NextValidId(Answer, frozen=True):
    """Answer 9."""

    order_id: int


class ManagedAccountsRequest(Request, frozen=True):
    """Request 17."""


class ManagedAccounts(Answer, frozen=True):
    """Answer 15: separated by commas, maybe with one at the end."""

    accounts_list: str


class CurrentTimeRequest(Request, frozen=True):
    """Request 49."""


class CurrentTime(Answer, frozen=True):
    """Answer 49: seconds since 1970."""

    current_time: int


class CurrentTimeInMillisRequest(Request, frozen=True):
    """Request 105, from server version 197."""


class CurrentTimeInMillis(Answer, frozen=True):
    """Answer 109: milliseconds since 1970."""

    current_time_in_millis: int


class SetServerLogLevelRequest(Request, frozen=True):
    """Request 14: 1 system, 2 error, 3 warning, 4 information, 5 detail."""

    log_level: int


class UserInfoRequest(Request, frozen=True):
    """Request 104."""

    req_id: int


class UserInfo(Answer, frozen=True):
    """Answer 107."""

    req_id: int
    white_branding_id: str


class VerifyRequest(Request, frozen=True):
    """Request 65: a program that IB certified asks to prove what it is."""

    api_name: str
    api_version: str


class VerifyMessageRequest(Request, frozen=True):
    """Request 66: its answer to the challenge."""

    api_data: str


class VerifyAndAuthRequest(Request, frozen=True):
    """Request 72: the same with a key that proves the login too; text at every version."""

    api_name: str
    api_version: str
    opaque_isv_key: str


class VerifyAndAuthMessageRequest(Request, frozen=True):
    """Request 73: its answers to the two challenges."""

    api_data: str
    xyz_response: str


class VerifyMessageApi(Answer, frozen=True):
    """Answer 65: a challenge to programs that IB certified."""

    api_data: str


class VerifyCompleted(Answer, frozen=True):
    """Answer 66: the verdict."""

    is_successful: bool
    error_text: str


class VerifyAndAuthMessageApi(Answer, frozen=True):
    """Answer 69: two challenges."""

    api_data: str
    xyz_challenge: str


class VerifyAndAuthCompleted(Answer, frozen=True):
    """Answer 70: the verdict."""

    is_successful: bool
    error_text: str


class ErrorMessage(Answer, frozen=True):
    """Answer 4: a code and a text about a request, an order or (`id` -1) the link; `tws.wire.codes` says
    what it means.

    `error_time` in milliseconds since 1970 is stated from server version 194, `advanced_order_reject_json`
    from 166.
    """

    id: int
    error_time: int
    error_code: int
    error_msg: str
    advanced_order_reject_json: str = ""
