"""The two families of messages: what a client asks and what a TWS answers.

Every message is a frozen value without behaviour. Its place on the wire is described beside it
in `tws.wire.layouts`; nothing here knows bytes, versions or sentinels. Unset is None wherever the
wire has a form for it (an empty field, 2147483647, 1.7976931348623157E308).
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Answer", "Message", "Request", "Tag"]


class Message(Struct, frozen=True):
    """The root of all messages of the wire."""


class Request(Message, frozen=True):
    """What a client sends and a server reads."""


class Answer(Message, frozen=True):
    """What a server sends and a client reads."""


Tag = tuple[str, str]
"""A pair of name and value, as algorithms, routing and miscellaneous options use them."""
