"""`tws reload`: a running trader takes limits and rules of its configuration up anew, without a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, State, Trader, ask_trader, running

if TYPE_CHECKING:
    from tws.preflight.file import FileCheck
    from tws.preflight.line import Line
    from tws.runtime.place import Place

__all__ = ["reload"]

ANSWER_S = 30.0
"""A command's own bound: symbols that new rules look at are followed first, which asks TWS."""


def reload(
    dry: Annotated[bool, typer.Option("--dry", help="Show what would change, change nothing.")] = False,
    operator: Annotated[str, typer.Option("--operator", help="Your name: it is kept with what you do.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept too.")] = "",
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Take limits ([risk]) and rules ([[rules]]) of the trader's own file up while it runs.

    The file is checked first, as tws check does: while it is not one to run by, nothing changes. What else is
    changed in it (connection, account, symbols, sources, strategies and their files) wants a restart: it is
    named, and nothing changes. All of it holds at once, or none of it. On a live account what tightens holds
    at once; what loosens, or changes a rule, needs an unlock for just this configuration (tws unlock).

    \b
    tws reload --dry        what would change: each limit and each rule, from what to what
    tws reload              change it; the journal keeps what and who

    Exit codes: 0 changed, or nothing to change; 2 refused, with what is in the way: nothing has changed.
    """
    place = running(state, trader, "Start it, and it reads the file whole: tws run CONFIG.toml")
    checked = _checked(place)
    own = "signals.port"  # the trader itself listens there
    blockers = [line for line in checked.lines if line.weight == "blocker" and line.about != own]
    if checked.plan is None:
        _refuse(place, blockers, json)
        raise typer.Exit(2)
    for line in blockers:  # such as an entry that the new limit denies, which may be just what is meant
        typer.echo(f"{line.place()}: {line.text}", err=True)
    answer = ask_trader(place, "reload", timeout_s=ANSWER_S, operator=operator, reason=reason, dry=dry)
    if json:
        print_json(answer)
    else:
        typer.echo("\n".join(_lines(answer, dry)))


def _checked(place: Place) -> FileCheck:
    """The trader's file, judged whole in this process: what is wrong in it harms no trader."""
    from pathlib import Path

    from tws.preflight.file import check_text

    return check_text(Path(place.note().config), place.folder.parent)


def _refuse(place: Place, blockers: list[Line], json: bool) -> None:
    import msgspec

    file = place.note().config
    if json:
        lines = [msgspec.to_builtins(line) for line in blockers]
        print_json({"changed": False, "file": file, "lines": lines})
        return
    typer.echo(f"{file}: nothing was changed", err=True)
    for line in blockers:
        typer.echo(f"{line.place()}: {line.text}\n    {line.cure}", err=True)


def _lines(answer: dict[str, Any], dry: bool) -> list[str]:
    changes = [*answer["limits"], *answer["rules"]]
    would = "would change" if dry else "changed"
    lines = [
        f"{each['name']}: {each['old'] or '(none)'} -> {each['new'] or '(none)'}"
        + (" (lets more pass)" if each.get("loosens") else "")
        for each in changes
    ]
    if lines:
        lines.append(f"{would}; configuration {answer['configuration']}")
    else:
        lines.append("nothing to change: limits and rules are those of the file")
    if answer["stays"]:
        lines.append(f"as it was loaded, until a restart: {', '.join(answer['stays'])}")
    return lines + ([answer["note"]] if answer["note"] else [])
