"""`tws record`: stand between a client and a TWS, and write what they say to a file, redacted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tws.recording import ProxyOptions

__all__ = ["record"]

FAILED = 2


def record(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    port: Annotated[int, typer.Option(help="Where your client connects; 0 takes any free port.")] = 7500,
    tws_host: Annotated[str, typer.Option(help="Host of the TWS to reach.")] = "127.0.0.1",
    tws_port: Annotated[
        int, typer.Option(help="Port of the TWS to reach: 7497 paper TWS, 4002 paper Gateway, 7400 tws sim.")
    ] = 7497,
    redact: Annotated[
        list[str] | None, typer.Option(help="A further text to replace, such as your name (repeatable).")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Keep accounts and names as they are.")] = False,
) -> None:
    """Record a session between any client and any TWS; accounts and names are replaced in the file.

    Start it, let your client connect to its port in place of TWS's, and end it with Ctrl-C. The bytes pass
    untouched. `tws replay FILE` serves the file to a client again.
    """
    import asyncio
    import logging

    from tws.log import log_to
    from tws.recording import ProxyOptions

    log_to(sys.stderr, logging.WARNING)
    options = ProxyOptions(
        path=file, port=port, tws_host=tws_host, tws_port=tws_port, redact=not raw, words=tuple(redact or ())
    )
    asyncio.run(_record(options))


async def _record(options: ProxyOptions) -> None:
    import asyncio

    from tws.errors import ConfigError
    from tws.platform import install_stop_signals
    from tws.recording import Proxy

    ended = asyncio.Event()
    undo = install_stop_signals(asyncio.get_running_loop(), ended.set)
    proxy = Proxy(options)
    try:
        try:
            host, port = await proxy.start()
        except OSError as error:
            await proxy.stop()  # Windows removes no file that is open
            options.path.unlink(missing_ok=True)
            reason = f"can't be listened on: {error.strerror or error}"
            raise ConfigError("port", options.port, reason, "Give another --port, or 0") from error
        typer.echo(f"listening on {host}:{port}, recording {options.tws_host}:{options.tws_port}")
        sys.stdout.flush()
        await ended.wait()
    finally:
        await proxy.stop()
        undo()
    typer.echo(f"{options.path}: {proxy.connections} sessions, {proxy.frames} frames")
    if proxy.failure is not None:
        typer.echo(f"tws: the file is not whole: {proxy.failure}", err=True)
        raise typer.Exit(FAILED)
