"""Layouts of TWS's own settings. They are younger than the text: a layout here names id and version, and what
travels is the protobuf form. Source: TWS-BEHAVIOUR.md F2, F7.
"""

from __future__ import annotations

from tws.wire.kinds import INT
from tws.wire.layout import Field, Layout
from tws.wire.messages import ConfigRequest, ConfigResponse, UpdateConfigRequest, UpdateConfigResponse

REQ_ID = Field("req_id", INT)

REQUESTS = (
    Layout(108, ConfigRequest, (REQ_ID,), since=219),
    Layout(109, UpdateConfigRequest, (REQ_ID,), since=221),
)

ANSWERS = (
    Layout(110, ConfigResponse, (REQ_ID,), since=219),
    Layout(111, UpdateConfigResponse, (REQ_ID,), since=221),
)
