"""The table of order states, drawn: a Mermaid state diagram and a list of every arc with its reason.

docs/design/orders.md holds what this module writes between its two markers; a test keeps them equal.
"""

from __future__ import annotations

from tws.model.records import OrderState
from tws.orders.table import ARCS, ENDED

__all__ = ["arcs_table", "mermaid"]


def _name(state: OrderState) -> str:
    return state.name.lower()


def mermaid() -> str:
    """The states and the arcs between two different ones, as Mermaid; arcs that stay are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {_name(OrderState.INTENDED)}"]
    joined: dict[tuple[str, str], list[str]] = {}
    for arc in ARCS:
        if arc.state is not arc.to:
            joined.setdefault((_name(arc.state), _name(arc.to)), []).append(arc.event.value)
    lines += [f"    {start} --> {end}: {', '.join(events)}" for (start, end), events in joined.items()]
    lines += [f"    {_name(state)} --> [*]" for state in OrderState if state in ENDED]
    return "\n".join(lines)


def arcs_table() -> str:
    """Every arc as a row of a Markdown table; `!` marks the ones that raise a warning."""
    rows = ["| from | event | to | why |", "|---|---|---|---|"]
    for arc in ARCS:
        mark = " !" if arc.loud else ""
        rows.append(f"| {arc.state} | {arc.event}{mark} | {arc.to} | {arc.why} |")
    return "\n".join(rows)
