"""`tws sim ctl`: commands to a simulator that runs, over its control channel (`tws.simulator.control`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tws.cli.console import print_json

__all__ = ["app"]

app = typer.Typer(
    help="Command a running simulated TWS: play faults, move its market, see its orders.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Port = Annotated[int | None, typer.Option(help="The port of the simulator that is meant, if several run.")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]


def _ask(port: int | None, do: str, **values: Any) -> Any:
    """Find the running simulator and say one thing to it."""
    from tws.cli.sim_note import ask, find
    from tws.platform import state_folder

    return ask(find(state_folder() / "sim", port), do, **values)


def _tell(answer: Any, as_json: bool, text: str = "done") -> None:
    if as_json:
        print_json(answer)
    else:
        typer.echo(text)


@app.command("list")
def list_(json: Json = False) -> None:
    """All faults and scenarios that can be played; no simulator need run."""
    from tws.simulator.control import catalogue

    answer = catalogue()
    lines = [f"{name}\n    {row['does']}\n    {row['fields']}" for name, row in answer["faults"].items()]
    named = [f"{name}\n    {what}" for name, what in answer["scenarios"].items()]
    _tell(answer, json, "\n".join(["Faults", *lines, "", "Scenarios", *named]))


@app.command()
def play(
    name: Annotated[str, typer.Argument(help="A fault, a scenario, or the path of a scenario file.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="key=value: fields of the fault, and at, every, on and so on.")
    ] = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """Play a fault, a scenario or a file."""
    from tws.errors import ConfigError

    values = {}
    for text in arguments or []:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ConfigError("arguments", text, "is no pair", "Write key=value, such as lasts=30s")
        values[key] = value
    path = Path(name)
    if not values and path.suffix == ".toml":
        name = str(path.resolve())  # the simulator runs in a folder of its own
    answer = _ask(port, "play", name=name, args=values)
    _tell(answer, json, _rows(answer))


@app.command()
def clear(
    name: Annotated[str | None, typer.Argument(help="End this fault alone.")] = None,
    port: Port = None,
    json: Json = False,
) -> None:
    """End all faults that run, wait or are planned."""
    _tell(_ask(port, "clear", name=name), json)


@app.command()
def status(port: Port = None, json: Json = False) -> None:
    """Its time, sessions and faults."""
    answer = _ask(port, "status")
    state = "listens" if answer["listening"] else "refuses dials"
    lines = [f"port {answer['port']} {state}, pid {answer['pid']}, market time {answer['time']}"]
    lines += [
        f"client {one['client_id']}, version {one['version']}, {one['peer']}" for one in answer["sessions"]
    ]
    _tell(answer, json, "\n".join([*lines, _rows(answer["faults"])]))


def _rows(faults: list[dict[str, str]]) -> str:
    rows = [f"{row['name']}: {row['state']} {row['fields']}".rstrip() for row in faults]
    return "\n".join(rows) or "no fault runs"


@app.command()
def market(
    kind: Annotated[str, typer.Argument(help="quote or trade.")],
    symbol: Annotated[str, typer.Argument(help="Such as SPY.")],
    numbers: Annotated[list[float], typer.Argument(help="quote: BID ASK; trade: PRICE [SIZE].")],
    port: Port = None,
    json: Json = False,
) -> None:
    """Set a quote or print a trade by hand: market quote SPY 100 100.02."""
    from tws.errors import ConfigError

    if kind == "quote" and len(numbers) == 2:
        answer = _ask(port, "quote", symbol=symbol, bid=numbers[0], ask=numbers[1])
    elif kind == "trade" and len(numbers) in (1, 2):
        size = int(numbers[1]) if len(numbers) == 2 else 100
        answer = _ask(port, "trade", symbol=symbol, price=numbers[0], size=size)
    else:
        raise ConfigError("market", kind, "can't be done so", "Write quote SPY 100 100.02, or trade SPY 100")
    _tell(answer, json)


@app.command()
def news(
    headline: Annotated[str, typer.Argument(help="What it says.")],
    symbol: Annotated[str, typer.Option(help="About this instrument; none: about no one.")] = "",
    provider: Annotated[str, typer.Option(help="Code of the provider.")] = "BRFG",
    body: Annotated[str, typer.Option(help="The article; the headline unless given.")] = "",
    port: Port = None,
    json: Json = False,
) -> None:
    """Publish a headline: news "Example opens a plant" --symbol AAPL."""
    answer = _ask(port, "news", headline=headline, symbol=symbol, provider=provider, body=body)
    _tell(answer, json, str(answer))


@app.command()
def bulletin(
    text: Annotated[str, typer.Argument(help="What it says.")],
    exchange: Annotated[str, typer.Option(help="Who says it.")] = "NYSE",
    kind: Annotated[int, typer.Option(help="1 news, 2 not available, 3 available again.")] = 1,
    port: Port = None,
    json: Json = False,
) -> None:
    """Post a bulletin of an exchange."""
    _tell(_ask(port, "bulletin", text=text, exchange=exchange, kind=kind), json)


@app.command()
def orders(port: Port = None, json: Json = False) -> None:
    """The orders that live at its exchange."""
    answer = _ask(port, "orders")
    lines = [
        f"client {row['client_id']} order {row['order_id']} {row['side']} {row['symbol']} {row['type']} "
        f"{row['status']} filled {row['filled']} of {float(row['filled']) + float(row['remaining']):g}"
        for row in answer
    ]
    _tell(answer, json, "\n".join(lines) or "no order lives")


@app.command()
def release(port: Port = None, json: Json = False) -> None:
    """Let go what faults hold back of orders."""
    answer = _ask(port, "release")
    _tell(answer, json, f"{answer} released")


@app.command("answer-dialog")
def answer_dialog(
    reject: Annotated[bool, typer.Option("--reject", help="Answer with no.")] = False,
    port: Port = None,
    json: Json = False,
) -> None:
    """Answer the dialogs that are open on its screen."""
    answer = _ask(port, "answer", accept=not reject)
    _tell(answer, json, f"{answer} answered")


@app.command()
def clock(
    do: Annotated[str, typer.Argument(help="show, pause, resume, or set MOMENT.")] = "show",
    moment: Annotated[
        str, typer.Argument(help='Such as "2026-11-23 09:29:00 America/New_York"; only forward.')
    ] = "",
    port: Port = None,
    json: Json = False,
) -> None:
    """Its market time; hold it, let it run, or move it forward."""
    from tws.cli.sim_options import parse_clock
    from tws.errors import ConfigError

    if do not in ("show", "pause", "resume", "set") or (do == "set") != bool(moment):
        raise ConfigError("clock", do, "is unknown", "Use show, pause, resume, or set MOMENT")
    to_ns = parse_clock(moment, "America/New_York") if moment else None
    answer = _ask(port, "clock", run={"pause": False, "resume": True}.get(do), to_ns=to_ns)
    _tell(answer, json, str(answer))


@app.command()
def stop(port: Port = None, json: Json = False) -> None:
    """End it."""
    _tell(_ask(port, "stop"), json)
