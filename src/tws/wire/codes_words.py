"""The words of the catalogue: what a code can be about, and what it can do to that.

Their values are what a configuration writes: `[codes.4711] stream = "notice"`.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FITS", "Context", "Effect"]


class Context(StrEnum):
    """What the id of the message belongs to, as its receiver knows it."""

    ORDER = "order"
    """An order that was placed and not yet acknowledged, or works and is not being changed."""
    CHANGE = "change"
    """A modification or cancellation of a live order that awaits its answer."""
    REQUEST = "request"
    """A question that ends with its answer."""
    STREAM = "stream"
    """A subscription."""
    LINK = "link"
    """Nothing: id -1 (or 2147483647)."""


class Effect(StrEnum):
    """What the code does to it."""

    NOTICE = "notice"
    """Nothing ends."""
    ENDS_REQUEST = "ends request"
    """There will be no (further) answer."""
    ENDS_STREAM = "ends stream"
    """The subscription is dead and must be renewed to come back."""
    REJECTS_ORDER = "rejects order"
    """The order never worked or works no more."""
    CANCELS_ORDER = "cancels order"
    """The order is cancelled; the status Cancelled usually came before (C2)."""
    REFUSES_CHANGE = "refuses change"
    """The modification or cancellation failed; the order is as it was before."""
    LINK = "link"
    """The session or TWS's own line to the broker changed."""
    QUESTION = "question"
    """Nobody knows: warn, and ask the broker."""


FITS: dict[Context, tuple[Effect, ...]] = {
    Context.ORDER: (Effect.NOTICE, Effect.QUESTION, Effect.REJECTS_ORDER, Effect.CANCELS_ORDER),
    Context.CHANGE: (Effect.NOTICE, Effect.QUESTION, Effect.REFUSES_CHANGE, Effect.CANCELS_ORDER),
    Context.REQUEST: (Effect.NOTICE, Effect.QUESTION, Effect.ENDS_REQUEST),
    Context.STREAM: (Effect.NOTICE, Effect.QUESTION, Effect.ENDS_STREAM),
    Context.LINK: (Effect.NOTICE, Effect.QUESTION, Effect.LINK, Effect.ENDS_REQUEST),
}
"""Which effects a code may have on what. A request without an id is told of under the link's."""
