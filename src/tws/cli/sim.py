"""`tws sim`: the simulated TWS on a port, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import typer

from tws.cli import sim_ctl
from tws.cli import sim_options as given
from tws.log import log_to

if TYPE_CHECKING:
    import asyncio

    from tws.simulator.options import SimulatorOptions
    from tws.simulator.server import SimulatedTWS

__all__ = ["app", "sim"]

DEFAULT_PORT = 7400
"""Never one of TWS's own (7496, 7497, 4001, 4002), so that nobody takes one for the other."""


app = typer.Typer(
    name="sim",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(sim_ctl.app, name="ctl")


@app.callback()
def sim(
    ctx: typer.Context,
    host: given.Host = "127.0.0.1",
    port: given.Port = DEFAULT_PORT,
    server_version: given.ServerVersion = 225,
    account: given.Account = None,
    seed: given.Seed = 7,
    data: given.Data = None,
    universe: given.Universe = None,
    symbol: given.Symbol = None,
    speed: given.SpeedText = "1",
    hours: given.Hours = "always",
    faults: given.Faults = None,
    control: given.Control = True,
    read_only: given.ReadOnly = False,
    lines: given.Lines = 100,
    pacing: given.Pacing = "reject",
    clock: given.Clock = None,
    updates_per_s: given.UpdatesPerS = 4,
    unsubscribed: given.Unsubscribed = None,
    subscribed: given.Subscribed = None,
    zone: given.Zone = "America/New_York",
    gateway: given.Gateway = False,
    advisor: given.Advisor = False,
    trusted: given.Trusted = None,
    dialog: given.Dialog = False,
    any_host: given.AnyHost = False,
    verbose: given.Verbose = False,
) -> None:
    """Run a simulated TWS that any TWS client can connect to; prints `listening on HOST:PORT` once ready."""
    if ctx.invoked_subcommand is not None:
        return
    import asyncio
    import logging

    options = given.read(ctx.params)
    log_to(sys.stderr, logging.INFO if verbose else logging.WARNING)
    asyncio.run(_serve(options, faults or [], control))


async def _serve(options: SimulatorOptions, faults: list[str], with_control: bool) -> None:
    """Run until somebody ends it. Raises the DataError that ended a replay."""
    import asyncio
    from contextlib import AsyncExitStack

    from tws.errors import ConfigError
    from tws.platform import install_stop_signals
    from tws.simulator.server import SimulatedTWS

    ended = asyncio.Event()
    undo = install_stop_signals(asyncio.get_running_loop(), ended.set)
    simulator = SimulatedTWS(options)
    stack = AsyncExitStack()
    try:
        try:
            host, port = await simulator.start()
        except OSError as error:
            raise ConfigError(
                "port",
                options.port,
                f"can't be listened on: {error.strerror or error}",
                "Give another --port, or 0 for any free one",
            ) from error
        for name in faults:
            simulator.faults.load(name)
        if with_control:
            await stack.enter_async_context(_controlled(simulator, port, ended))
        typer.echo(f"listening on {host}:{port}")
        typer.get_text_stream("stdout").flush()
        await _wait(simulator, ended)
    finally:
        await stack.aclose()
        await simulator.stop()
        undo()


@asynccontextmanager
async def _controlled(simulator: SimulatedTWS, port: int, ended: asyncio.Event) -> AsyncIterator[None]:
    """The control channel, and the note by which `tws sim ctl` finds it."""
    import os
    import secrets

    from tws.cli.sim_note import Note, leave
    from tws.platform import state_folder
    from tws.simulator.control import Control

    token = secrets.token_hex(32)
    control = Control(simulator, token, ended.set)
    note = Note(pid=os.getpid(), api_port=port, port=await control.start(), token=token)
    try:
        path = leave(state_folder() / "sim", note)
    except OSError as error:  # a home that can't be written to: the simulator serves without its channel
        typer.echo(f"no control channel: {error}", err=True)
        path = None
    try:
        yield
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
        await control.stop()


async def _wait(simulator: SimulatedTWS, ended: asyncio.Event) -> None:
    """Until the end is asked for; a replay that can't be read ends it too, with its reason."""
    import asyncio

    waits = [asyncio.ensure_future(ended.wait()), asyncio.ensure_future(simulator.over.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if simulator.failure is not None:
            raise simulator.failure
        if simulator.over.is_set() and not ended.is_set():
            typer.echo("the market is over; still answering", err=True)
            await ended.wait()
    finally:
        for wait in waits:
            wait.cancel()
