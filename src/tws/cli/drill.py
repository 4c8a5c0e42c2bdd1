"""`tws drill kill`: the rehearsal of the emergency stop. What is played stands in `tws.drill`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, State

if TYPE_CHECKING:
    from tws.drill import Played

__all__ = ["app"]

app = typer.Typer(
    name="drill",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Rehearse on the simulator what must work on the worst day.",
)


@app.callback()
def _drill() -> None:
    """Rehearse on the simulator what must work on the worst day."""


@app.command()
def kill(
    moments: Annotated[
        list[str] | None, typer.Argument(help="Which moments, by name; all ten unless given.")
    ] = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Play the emergency stop in ten awkward moments, each on a simulated TWS over a real socket.

    No account, no network, nothing of yours is touched. In some moments the right answer is NOT FLAT: in a
    closed market and on a halted symbol the stops stay, and the close is armed. That all ten pass is noted
    for `tws unlock`.

    Exit codes: 0 all that was played passed; 1 a moment failed; 2 there is no such moment.
    """
    import asyncio
    import logging

    import msgspec

    from tws.clock import SystemClock
    from tws.drill import run_drill
    from tws.log import log_to
    from tws.runtime.evidence import note_drill
    from tws.runtime.place import state_root

    log_to(sys.stderr, logging.CRITICAL)  # alarms are part of the play
    report = asyncio.run(run_drill(tuple(moments or ()), (lambda played: None) if json else _show))
    if report.complete:
        note_drill(state_root(state), report.passed, SystemClock().now_ns())
    good = all(each.passed for each in report.moments)
    if json:
        print_json({"passed": report.passed, **msgspec.to_builtins(report)})
    else:
        count = sum(each.passed for each in report.moments)
        rest = "" if report.complete else ", not all were played"
        typer.echo(f"{count} of {len(report.moments)} passed{rest}")
    raise typer.Exit(0 if good else 1)


def _show(played: Played) -> None:
    word = "pass" if played.passed else "FAIL"
    typer.echo(f"{word}  {played.name} ({played.seconds:.1f} s): {played.about}")
    for line in played.answers:
        typer.echo(f"      {line}")
    for line in played.complaints:
        typer.echo(f"      WRONG: {line}")
