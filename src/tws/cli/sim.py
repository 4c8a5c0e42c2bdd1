"""`tws sim`: the simulated TWS on a port, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli import sim_ctl
from tws.log import log_to

if TYPE_CHECKING:
    import asyncio

    from tws.simulator.options import SimulatorOptions, Speed
    from tws.simulator.server import SimulatedTWS

__all__ = ["app", "parse_clock", "parse_pairs", "parse_speed", "sim"]

DEFAULT_PORT = 7400
"""Never one of TWS's own (7496, 7497, 4001, 4002), so that nobody takes one for the other."""


app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(sim_ctl.app, name="ctl")


@app.callback()
def sim(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option(help="Where to listen; beyond loopback --any-host is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes any free one.")] = DEFAULT_PORT,
    server_version: Annotated[int, typer.Option(help="Highest server version offered, 157 to 225.")] = 225,
    account: Annotated[
        list[str] | None, typer.Option(help="Account id (repeatable).", show_default="DU1234567")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic market.")] = 7,
    data: Annotated[list[Path] | None, typer.Option(help="CSV file to replay (repeatable).")] = None,
    universe: Annotated[
        Path | None, typer.Option(help="TOML file of instruments beside the known ones.", show_default="none")
    ] = None,
    symbol: Annotated[
        list[str] | None, typer.Option(help="CVNA=SPY: CVNA plays SPY's series (repeatable).")
    ] = None,
    speed: Annotated[str, typer.Option(help="Seconds of market time per second, or max.")] = "1",
    hours: Annotated[str, typer.Option(help="always: 24 hours, no close; exchange: US sessions.")] = "always",
    faults: Annotated[
        list[str] | None,
        typer.Option(help="A fault, a scenario or a file of faults to play (repeatable); see sim ctl list."),
    ] = None,
    control: Annotated[
        bool, typer.Option("--control/--no-control", help="Let tws sim ctl command it.")
    ] = True,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse orders, as TWS does by default.")
    ] = False,
    lines: Annotated[int, typer.Option(help="Market data lines; the request rate is half of them.")] = 100,
    pacing: Annotated[
        str, typer.Option(help="Beyond the rate: reject (error 100), delay, or off for no limits at all.")
    ] = "reject",
    clock: Annotated[
        str | None, typer.Option(help='Market time of the start: "2026-11-23 09:29:00 America/New_York".')
    ] = None,
    updates_per_s: Annotated[
        int, typer.Option(help="How often each symbol of the synthetic market speaks; TWS: 4.")
    ] = 4,
    unsubscribed: Annotated[
        list[str] | None,
        typer.Option(
            help="Symbol or type without live data: AAPL, OPT, SPY=10089 (repeatable).", show_default="none"
        ),
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the login.")] = "America/New_York",
    gateway: Annotated[
        bool, typer.Option("--gateway", help="Farms as an IB Gateway's: connected on demand.")
    ] = False,
    trusted: Annotated[
        list[str] | None, typer.Option(help="Address that may connect (repeatable).", show_default="any")
    ] = None,
    dialog: Annotated[
        bool, typer.Option("--dialog", help="Other addresses wait for an answer instead of being closed.")
    ] = False,
    any_host: Annotated[bool, typer.Option("--any-host", help="Allow a host that others can reach.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every session to stderr.")] = False,
) -> None:
    """Run a simulated TWS that any TWS client can connect to; prints `listening on HOST:PORT` once ready."""
    if ctx.invoked_subcommand is not None:
        return
    import asyncio
    import logging

    from msgspec.structs import replace

    from tws.errors import ConfigError
    from tws.simulator.limits import Limits
    from tws.simulator.options import SimulatorOptions

    if pacing not in ("reject", "delay", "off"):
        raise ConfigError("pacing", pacing, "is unknown", "Use reject, delay or off")
    limits = Limits.of_lines(lines)
    if hours not in ("always", "exchange"):
        raise ConfigError("hours", hours, "is unknown", "Use always or exchange")
    options = SimulatorOptions(
        host=host,
        port=port,
        any_host=any_host,
        server_version=server_version,
        accounts=tuple(account or ("DU1234567",)),
        seed=seed,
        data=tuple(data or ()),
        symbol_map=parse_pairs(symbol or []),
        universe=universe,
        speed=parse_speed(speed),
        hours="always" if hours == "always" else "exchange",
        read_only=read_only,
        updates_per_s=updates_per_s,
        unsubscribed=tuple(unsubscribed or ()),
        limits=Limits.off() if pacing == "off" else replace(limits, reject=pacing == "reject"),
        start_ns=None if clock is None else parse_clock(clock, zone),
        zone=zone,
        gateway=gateway,
        trusted=None if trusted is None else tuple(trusted),
        localhost_only=not dialog,
    )
    log_to(sys.stderr, logging.INFO if verbose else logging.WARNING)
    asyncio.run(_serve(options, faults or [], control))


def parse_speed(text: str) -> Speed:
    """A number of market seconds per second, or "max". Raises ConfigError."""
    from tws.errors import ConfigError

    if text == "max":
        return "max"
    try:
        return float(text)
    except ValueError:
        raise ConfigError("speed", text, "is no number", "Use a number above 0, or max") from None


def parse_clock(text: str, zone: str) -> int:
    """A moment such as "2026-11-23 09:29:00 America/New_York" in ns; without a zone, in `zone`. Raises
    ConfigError.
    """
    from datetime import datetime

    from tws.clock import to_ns
    from tws.errors import ConfigError
    from tws.simulator.options import check_zone

    words = text.split()
    place = check_zone(words.pop() if len(words) == 3 else zone)
    try:
        return to_ns(datetime.fromisoformat(" ".join(words)).replace(tzinfo=place))
    except ValueError:
        raise ConfigError(
            "clock", text, "is no moment", 'Write "2026-11-23 09:29:00 America/New_York"'
        ) from None


def parse_pairs(texts: list[str]) -> dict[str, str]:
    """CVNA=SPY and the like, as a mapping. Raises ConfigError."""
    from tws.errors import ConfigError

    pairs = {}
    for text in texts:
        name, equals, series = text.partition("=")
        if not (name and equals and series):
            raise ConfigError("symbol", text, "is no pair", "Write NAME=SERIES, such as CVNA=SPY")
        pairs[name.strip().upper()] = series.strip().upper()
    return pairs


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

    from tws.platform import state_folder
    from tws.simulator.control import Control, Note, leave

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
