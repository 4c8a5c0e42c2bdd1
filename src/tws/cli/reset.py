"""`tws reset`: a named human takes the latches away."""

from __future__ import annotations

from typing import Annotated

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, Operator, Reason, State, Trader

__all__ = ["reset"]


def reset(
    operator: Operator,
    reason: Reason,
    accept: Annotated[
        bool, typer.Option("--accept-positions", help="What is left is known, and accepted as it is.")
    ] = False,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Let a latched trader trade again. What is ours must be flat, or accepted.

    Exit codes: 0 reset; 2 refused: not flat, no name, or the trader is silent.
    """
    from tws.cli.traders import ask_trader, find, runs
    from tws.clock import SystemClock

    place = find(state, trader)
    if runs(place):
        gone = ask_trader(place, "reset", timeout_s=10.0, operator=operator, reason=reason, accept=accept)
    else:
        from pathlib import Path

        from tws.runtime.offline import reset_offline

        journal = Path(place.note().journal) if (place.folder / "note.json").exists() else place.journal
        gone = reset_offline(place, journal, operator, reason, accept, SystemClock())
    if json:
        print_json({"reset": gone})
    else:
        typer.echo("\n".join(f"reset: {each}" for each in gone) or "nothing was latched")
