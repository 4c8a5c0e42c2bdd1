"""`tws risk`: how far each limit is, and a named human's change of limits or release of one that latched."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tws.cli.console import print_json, short
from tws.cli.journals import JournalOption, find_target, read_books
from tws.cli.traders import Json, State, Trader, tell

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
    journal: JournalOption = None,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Show each limit's distance; --set and --release change what the desk holds to.

    Asked of the trader that runs. Without one the journal says what is in force and has latched, and a
    change is written into it; it knows no prices, so what counts money is shown as unknown. On a live account
    nothing is loosened beyond the configuration: write it there, unlock it, and tws reload.

    \b
    tws risk                                        each limit: part used, figure, bound
    tws risk --set max_position=500 --operator ann --reason "a small day"
    tws risk --set symbols.SPY.max_position=off --operator ann --reason "as agreed"
    tws risk --release max_entries/SPY --operator ann --reason "the signal was right"

    Exit codes: 0 shown or changed; 1 shown, and a limit has latched or is reached; 2 refused.
    """
    import msgspec

    from tws.clock import SystemClock
    from tws.runtime.limiting import LimitWish, shown
    from tws.runtime.offline import limits_offline

    place, path = find_target(journal, trader, state)
    if change or release:
        wish = LimitWish(operator=operator, reason=reason, release=release, changes=_pairs(change or []))
        records = tell(place, "limits", msgspec.to_builtins(wish),
                       lambda: limits_offline(place, path, wish, SystemClock()))
        if json:
            print_json({"records": records})
        else:
            typer.echo(f"done: {', '.join(change or [f'{release} lets entries out again'])}")
        return
    answer = tell(place, "risk", {}, lambda: {**shown(read_books(path)[0], SystemClock().now_ns()),
                                             "journal": str(path)})
    if json:
        print_json(answer)
    else:
        if "journal" in answer:
            typer.echo(f"No trader runs; as its journal has it, without prices ({path}):")
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
        figure, bound = short(row["figure"], "unknown"), short(row["bound"], "off")
        lines.append(f"{row['name']:22} {row['about']:12} {part:>8}  {figure} of {bound}")
    return lines
