"""`tws reset`: a named human takes the latches away."""

from __future__ import annotations

from typing import Annotated

import typer

from tws.cli.console import print_json
from tws.cli.journals import JournalOption, find_target
from tws.cli.traders import Json, Operator, Reason, State, Trader, tell

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
    journal: JournalOption = None,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Let a latched trader trade again. What is ours must be flat, or accepted.

    With --lease the latches stay, and a lease that another machine left behind is ended.

    \b
    tws reset --operator ann --reason "looked at it, the feed was wrong"
    tws reset --operator ann --reason "holds SPY on purpose" --accept-positions

    Exit codes: 0 reset; 2 refused: not flat, no name, the trader is silent, or the lease is not that
    machine's.
    """
    from tws.clock import SystemClock
    from tws.errors import ConfigError
    from tws.runtime.offline import free_lease, reset_offline

    place, path = find_target(journal, trader, state)
    if place is None:
        raise ConfigError("journal", str(path), "is no trader's of this folder", "Name the folder: --state")
    clock = SystemClock()
    if lease:
        gone = [free_lease(place, path, lease, operator, reason, clock)]
    else:
        wish = {"operator": operator, "reason": reason, "accept": accept}
        gone = tell(place, "reset", wish, lambda: reset_offline(place, path, operator, reason, accept, clock))
    if json:
        print_json({"reset": gone})
    else:
        typer.echo("\n".join(f"reset: {each}" for each in gone) or "nothing was latched")
