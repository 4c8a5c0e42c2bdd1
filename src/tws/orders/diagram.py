"""The table of order states, drawn: a Mermaid state diagram and a list of every arc with its reason.

docs/design/orders.md holds what this module writes between its two markers; a test keeps them equal.
"""

from __future__ import annotations

from collections.abc import Iterable

from tws.model.records import OrderState
from tws.orders.sources import source_of
from tws.orders.table import ARCS, ENDED

__all__ = ["arcs_table", "mermaid", "state_diagram"]


def state_diagram(first: str, arcs: Iterable[tuple[str, str, str]], last: Iterable[str] = ()) -> str:
    """A Mermaid diagram, fenced for Markdown, of arcs (from, what happens, to) between different states;
    `first` is where it begins, `last` are the states in which it ends.
    """
    lines = ["stateDiagram-v2", f"    [*] --> {_word(first)}"]
    joined: dict[tuple[str, str], list[str]] = {}
    for start, event, end in arcs:
        if start != end:
            joined.setdefault((_word(start), _word(end)), []).append(event)
    lines += [f"    {start} --> {end}: {', '.join(events)}" for (start, end), events in joined.items()]
    lines += [f"    {_word(state)} --> [*]" for state in last]
    return "\n".join(["```mermaid", *lines, "```"])


def _word(state: str) -> str:
    return state.lower().replace(" ", "_")  # Mermaid takes no blank in a state's name


def mermaid() -> str:
    """The states and the arcs between two different ones."""
    arcs = ((arc.state.name, arc.event.value, arc.to.name) for arc in ARCS)
    return state_diagram(
        OrderState.INTENDED.name, arcs, (state.name for state in OrderState if state in ENDED)
    )


def arcs_table() -> str:
    """Every arc as a row of a Markdown table; `!` marks the ones that raise an alarm."""
    rows = ["| from | event | to | why | source |", "|---|---|---|---|---|"]
    for arc in ARCS:
        mark = " !" if arc.loud else ""
        rows.append(f"| {arc.state} | {arc.event}{mark} | {arc.to} | {arc.why} | {source_of(arc)} |")
    return "\n".join(rows)
