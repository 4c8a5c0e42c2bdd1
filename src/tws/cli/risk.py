"""`tws risk`: how far each limit is, and a named human's change of limits or release of one that latched."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, State, Trader

__all__ = ["risk"]


def risk(
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="PATH=VALUE, such as max_position=500, symbols.SPY.max_position=off."),
    ] = None,
    release: Annotated[
        str, typer.Option("--release", help="Let entries out again: max_daily_loss, or max_entries/SPY.")
    ] = "",
    operator: Annotated[str, typer.Option("--operator", help="Your name: it is kept with what you do.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept too.")] = "",
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Show each limit's distance in a running trader; --set and --release change what it holds to.

    Exit codes: 0 shown or changed; 1 shown, and a limit has latched or is reached; 2 refused.
    """
    from tws.cli.traders import ask_trader, find, runs
    from tws.errors import ConfigError

    place = find(state, trader)
    if not runs(place):
        raise ConfigError("trader", place.name, "does not run, so it has no distances",
                          "Set limits in its configuration, or start it")
    if change or release:
        wish = {"operator": operator, "reason": reason, "release": release, "changes": _pairs(change or [])}
        records = ask_trader(place, "limits", timeout_s=10.0, **wish)
        if json:
            print_json({"records": records})
        else:
            typer.echo(f"done: {', '.join(records)}")
        return
    answer = ask_trader(place, "risk", timeout_s=10.0)
    if json:
        print_json(answer)
    else:
        typer.echo("\n".join(_lines(answer)))
    reached = any((row["part"] or 0) >= 1 for row in answer["distances"])
    raise typer.Exit(1 if answer["latched"] or reached else 0)


def _pairs(given: list[str]) -> dict[str, str]:
    from tws.errors import ConfigError

    pairs = {}
    for each in given:
        path, sign, value = each.partition("=")
        if not sign or not path:
            raise ConfigError("--set", each, "is no PATH=VALUE", "Such as --set max_position=500")
        pairs[path.strip()] = value.strip()
    return pairs


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = [f"LATCHED {key}: {figure}" for key, figure in answer["latched"].items()]
    for row in answer["distances"]:
        part = "" if row["part"] is None else f"{row['part']:7.1%}"
        figure = "unknown" if row["figure"] is None else row["figure"]
        bound = "off" if row["bound"] is None else row["bound"]
        lines.append(f"{row['name']:22} {row['about']:12} {part:>8}  {figure} of {bound}")
    return lines
