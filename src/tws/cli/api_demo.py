"""`tws api-demo`: a prediction API on this machine, to try the polled source out without an account anywhere.

It speaks as the real one does (`tws.signals.demo_api`): seeded predictions, or those of a file; its rate
limit; faults on demand. By the clock of a running `tws sim` its predictions belong to the day that is played.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

LOOK_S = 0.5  # between two looks for Ctrl-C, which on Windows interrupts no longer wait


@app.command("api-demo")
def api_demo(
    port: Annotated[int, typer.Option(help="Listen here on 127.0.0.1; 0 takes a free one.")] = 8700,
    key: Annotated[str, typer.Option(help="The key that a request must bring as X-API-Key.")] = "demo",
    seed: Annotated[int, typer.Option(help="The same seed predicts the same.")] = 7,
    symbol: Annotated[list[str] | None, typer.Option(help="A ticker it knows; repeat. Any, if none.")] = None,
    file: Annotated[Path | None, typer.Option(help="Signals (.jsonl, .csv) instead of drawn ones.")] = None,
    window: Annotated[float, typer.Option(help="Seconds that a drawn prediction holds.", min=1)] = 60.0,
    bare: Annotated[bool, typer.Option("--bare", help="Leave out id and time, as documented.")] = False,
    per_minute: Annotated[int, typer.Option(help="Requests a minute before 429.", min=1)] = 30,
    fault: Annotated[list[str] | None, typer.Option(help="NAME=RATE, such as html=0.05; repeat.")] = None,
    sim: Annotated[int | None, typer.Option(help="Go by the clock of the tws sim on this port.")] = None,
) -> None:
    """Serve predictions at http://127.0.0.1:PORT/prediction/latest?ticker=... until Ctrl-C."""
    import random

    from tws.cli.sim_clock import SimClock
    from tws.cli.sim_note import find
    from tws.clock import Clock, SystemClock
    from tws.platform import state_folder
    from tws.signals import read_signals
    from tws.signals.demo_api import DemoApi, FiledPredictions, SeededPredictions
    from tws.signals.demo_server import DemoServer

    clock: Clock = SystemClock() if sim is None else SimClock(find(state_folder() / "sim", sim))
    predictions = (
        SeededPredictions(seed, symbol or None, window_s=window, dated=not bare)
        if file is None
        else FiledPredictions(read_signals(file))
    )
    rates = _rates(fault or [])
    api = DemoApi(predictions, clock, random.Random(seed), key=key, per_minute=per_minute, rates=rates)
    with DemoServer(api, port) as server:
        typer.echo(f"listening on {server.url} (X-API-Key: {key})")
        typer.get_text_stream("stdout").flush()
        ended = threading.Event()
        while not ended.wait(LOOK_S):
            pass


def _rates(given: list[str]) -> dict[str, float]:
    from tws.errors import ConfigError

    rates = {}
    for each in given:
        name, _, text = each.partition("=")
        try:
            rates[name] = float(text)
        except ValueError:
            rates[name] = -1.0
        if not 0 <= rates[name] <= 1:
            raise ConfigError("--fault", each, "is no NAME=RATE with a rate of 0 to 1", "Such as html=0.05")
    return rates
