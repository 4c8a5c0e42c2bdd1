"""Layouts of TWS's own settings. They are younger than the text: a layout here names id and version, and what
travels is the protobuf form. Source: TWS-BEHAVIOUR.md F2, F7.
"""

from __future__ import annotations

from tws.wire.kinds import INT
from tws.wire.layout import Field, Layout
from tws.wire.messages import ConfigRequest, ConfigResponse

REQUESTS = (Layout(108, ConfigRequest, (Field("req_id", INT),), since=219),)

ANSWERS = (Layout(110, ConfigResponse, (Field("req_id", INT),), since=219),)
