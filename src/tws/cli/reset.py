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
    lease: Annotated[
        str,
        typer.Option(
            "--lease", metavar="HOST", help="End the lease of this other machine, which you know to be off."
        ),
    ] = "",
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Let a latched trader trade again. What is ours must be flat, or accepted.

    With --lease the latches stay, and a lease that another machine left behind is ended. Exit codes: 0 reset;
    2 refused: not flat, no name, the trader is silent, or the lease is not that machine's.
    """
    from pathlib import Path

    from tws.cli.traders import ask_trader, find, runs
    from tws.clock import SystemClock
    from tws.runtime.offline import free_lease, reset_offline

    place = find(state, trader)
    journal = Path(place.note().journal) if (place.folder / "note.json").exists() else place.journal
    if lease:
        gone = [free_lease(place, journal, lease, operator, reason, SystemClock())]
    elif runs(place):
        gone = ask_trader(place, "reset", timeout_s=10.0, operator=operator, reason=reason, accept=accept)
    else:
        gone = reset_offline(place, journal, operator, reason, accept, SystemClock())
    if json:
        print_json({"reset": gone})
    else:
        typer.echo("\n".join(f"reset: {each}" for each in gone) or "nothing was latched")
