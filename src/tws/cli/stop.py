"""`tws stop`: the orderly end of a running trader."""

from __future__ import annotations

from typing import Annotated

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, State, Trader

__all__ = ["stop"]

WAIT_S = 40.0
"""A trader ends within 25 s: ten to wind up, ten for the broker's last word, five for its tasks."""


def stop(
    flatten: Annotated[
        bool,
        typer.Option("--flatten/--protected", help="Close all that is ours, or keep it behind its stops."),
    ] = False,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """End a running trader in order, and tell what it left.

    \b
    tws stop                        cancel entries, keep what is held behind its stops
    tws stop --flatten              close all that is ours first
    tws stop --trader 7497-1        one of several

    Exit codes: 0 ended as told; 1 ended, and something is left that wants a human; 2 no trader, or it is
    silent (tws kill).
    """
    from tws.channel import ChannelSilentError
    from tws.cli.traders import ask_trader, running
    from tws.errors import ConfigError

    place = running(state, trader, "Nothing is to be stopped; tws status shows its state")
    try:
        answer = ask_trader(place, "stop", timeout_s=WAIT_S, how="flatten" if flatten else "protected")
    except ChannelSilentError as wrong:
        raise ConfigError("trader", place.name, str(wrong), "If it hangs: tws kill") from wrong
    if json:
        print_json(answer)
    else:
        left = "; ".join(answer["left"])
        typer.echo(f"ended: {'flat' if answer['flat'] else left}")
        for line in (*answer["unprotected"], *filter(None, (answer["differs"], answer["failure"]))):
            typer.echo(f"  {line}")
    raise typer.Exit(0 if answer["good"] else 1)
