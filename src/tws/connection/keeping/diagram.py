"""The table of connection states, drawn for docs/design/keeping.md; a test keeps the page equal to it."""

from __future__ import annotations

from tws.connection.keeping.events import STATES, ConnectionState
from tws.orders.diagram import state_diagram

__all__ = ["mermaid"]


def mermaid() -> str:
    """The states and what leads from one to another."""
    arcs = ((state.value, happening.value, to.value) for (state, happening), to in STATES.items())
    return state_diagram(ConnectionState.CLOSED.value, arcs)
