"""XML and JSON that TWS sends inside an answer.

XML is read by `tws.wire.markup`, with its bounds. What can't be read is a `DecodeError` on the line of
whoever asked, named in a warning; the session goes on.
"""

from __future__ import annotations

import json
from typing import Any

from tws.errors import DecodeError
from tws.log import get_logger
from tws.model.markup import Markup
from tws.wire.markup import parse

__all__ = ["read_json", "read_xml", "unreadable"]

log = get_logger("tws.connection")

_SHOWN = 4096
"""So much of an unreadable document is kept for a report."""


def read_xml(text: str, what: str) -> Markup:
    """The tree of a document; `what` names it in the error. Raises DecodeError."""
    try:
        return parse(text)
    except ValueError as error:
        raise unreadable(text, what, error) from None


def read_json(text: str, what: str) -> Any:
    """What a JSON text says; `what` names it in the error. Raises DecodeError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unreadable(text, what, error) from None


def unreadable(text: str, what: str, reason: object) -> DecodeError:
    """The error for a document that is not what it should be; the log has its name, the error its text."""
    log.warning("unreadable document, skipped", document=what, chars=len(text), reason=str(reason)[:200])
    return DecodeError(f"{what} can't be read: {reason}", text[:_SHOWN].encode("utf-8", "replace"))
