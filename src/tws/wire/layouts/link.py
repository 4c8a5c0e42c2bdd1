"""Layouts of the session's own messages. Source: TWS-BEHAVIOUR.md F4, F6; the official client and decoder."""

from __future__ import annotations

from tws.wire.kinds import INT, STR, TEXT, TRUE_FALSE
from tws.wire.layout import Absent, Const, Field, Layout, fields
from tws.wire.messages import (
    CurrentTime,
    CurrentTimeInMillis,
    CurrentTimeInMillisRequest,
    CurrentTimeRequest,
    ErrorMessage,
    IdsRequest,
    ManagedAccounts,
    ManagedAccountsRequest,
    NextValidId,
    SetServerLogLevelRequest,
    StartApiRequest,
    UserInfo,
    UserInfoRequest,
    VerifyAndAuthCompleted,
    VerifyAndAuthMessageApi,
    VerifyAndAuthMessageRequest,
    VerifyAndAuthRequest,
    VerifyCompleted,
    VerifyMessageApi,
    VerifyMessageRequest,
    VerifyRequest,
)

V1 = Const("1")
VERDICT = (Field("is_successful", TRUE_FALSE), Field("error_text", STR))

REQUESTS = (
    Layout(71, StartApiRequest, (Const("2"), Field("client_id", INT), Field("optional_capabilities", STR))),
    Layout(8, IdsRequest, (V1, Field("num_ids", INT))),
    Layout(17, ManagedAccountsRequest, (V1,)),
    Layout(49, CurrentTimeRequest, (V1,)),
    Layout(105, CurrentTimeInMillisRequest, (), since=197),
    Layout(14, SetServerLogLevelRequest, (V1, Field("log_level", INT))),
    Layout(65, VerifyRequest, (V1, *fields("", STR, "api_name api_version"))),
    Layout(66, VerifyMessageRequest, (V1, Field("api_data", STR))),
    Layout(72, VerifyAndAuthRequest, (V1, *fields("", STR, "api_name api_version opaque_isv_key"))),
    Layout(73, VerifyAndAuthMessageRequest, (V1, *fields("", STR, "api_data xyz_response"))),
    Layout(104, UserInfoRequest, (Field("req_id", INT),), since=167),
)

ANSWERS = (
    Layout(9, NextValidId, (V1, Field("order_id", INT))),
    Layout(15, ManagedAccounts, (V1, Field("accounts_list", TEXT))),
    Layout(49, CurrentTime, (V1, Field("current_time", INT))),
    Layout(109, CurrentTimeInMillis, (Field("current_time_in_millis", INT),), since=197),
    Layout(107, UserInfo, (Field("req_id", INT), Field("white_branding_id", STR)), since=167),
    Layout(65, VerifyMessageApi, (V1, Field("api_data", STR))),
    Layout(66, VerifyCompleted, (V1, *VERDICT)),
    Layout(69, VerifyAndAuthMessageApi, (V1, *fields("", STR, "api_data xyz_challenge"))),
    Layout(70, VerifyAndAuthCompleted, (V1, *VERDICT)),
    Layout(4, ErrorMessage, (
        Const("2", until=194),
        Field("id", INT),
        Field("error_code", INT),
        Field("error_msg", TEXT),
        Field("advanced_order_reject_json", TEXT, since=166),
        Field("error_time", INT, since=194),
        Absent("error_time", 0, until=194),
    )),
)
