"""`tws replay`: a recorded TWS on a port; tells where the client departs from the recording."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import print_json

if TYPE_CHECKING:
    from tws.recording import Replay

__all__ = ["replay"]

DEPARTED = 1


def replay(
    file: Annotated[Path, typer.Argument(help="A file that tws record wrote.")],
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes any free port.")] = 7400,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Let requests come in another order or with other ids.")
    ] = False,
    speed: Annotated[
        str, typer.Option(help="Recorded seconds per second, or max (no pauses).")
    ] = "max",
    stay: Annotated[
        bool, typer.Option("--stay", help="Listen on after the last session, until Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Serve a recorded session to a client, and tell where the client departs from it.

    Strict unless told otherwise: what the client sends must be what was recorded, byte for byte. Ends when
    the last recorded session was served. Exit code 1 when there was a departure.
    """
    import asyncio
    import logging

    from tws.cli.sim_options import parse_speed
    from tws.log import log_to
    from tws.recording import Replay, ReplayOptions, read

    log_to(sys.stderr, logging.WARNING)
    pace = parse_speed(speed)
    options = ReplayOptions(strict=not lenient, speed=None if pace == "max" else pace, port=port)
    served = Replay(read(file), options)
    asyncio.run(_serve(served, stay, as_json))
    _report(served, as_json)
    if served.departures:
        raise typer.Exit(DEPARTED)


async def _serve(served: Replay, stay: bool, as_json: bool) -> None:
    import asyncio

    from tws.errors import ConfigError
    from tws.platform import install_stop_signals

    ended = asyncio.Event()
    undo = install_stop_signals(asyncio.get_running_loop(), ended.set)
    try:
        try:
            host, port = await served.start()
        except OSError as error:
            reason = f"can't be listened on: {error.strerror or error}"
            raise ConfigError("port", served.options.port, reason, "Give another --port, or 0") from error
        typer.echo(f"listening on {host}:{port}", err=as_json)  # the report alone is on stdout then
        sys.stdout.flush()
        waits = [asyncio.ensure_future(ended.wait())]
        if not stay:
            waits.append(asyncio.ensure_future(served.all_served.wait()))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
    finally:
        await served.stop()
        undo()


def _report(served: Replay, as_json: bool) -> None:
    if as_json:
        rows = [
            {"session": one.session, "line": one.line, "recorded": one.expected, "came": one.came}
            for one in served.departures
        ]
        print_json({"sessions": served.served, "departures": rows})
        return
    for one in served.departures:
        typer.echo(str(one))
    count = len(served.departures) + served.untold
    typer.echo(f"{served.served} sessions served, {count or 'no'} departure{'' if count == 1 else 's'}")
