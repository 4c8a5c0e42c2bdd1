"""`tws rules`: how each rule of a running trader stands, a switch while it trades, why one did not fire."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, Operator, Reason, State, Trader, ask_trader, running

__all__ = ["app", "rule_lines"]

app = typer.Typer(
    name="rules",
    help="The rules of a running trader: list them, switch one, tell why one did not fire.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rule, as the file names it.")]


@app.command("list")
def list_(trader: Trader = None, state: State = None, json: Json = False) -> None:
    """How each rule stands, those of the highest priority first.

    Enabled or why not, how often it fired, was held back or raised in this run, when it fired last, what is
    left of its own cooldown, executions in the trading day beside their bound, and why it did not fire on the
    newest event: the first part of its condition that was not true.

    \b
    tws rules list
    tws rules list --json           with each symbol's own figures

    Exit codes: 0 shown; 2 no trader runs, or it is silent.
    """
    answer = _ask(trader, state, "list")
    if json:
        print_json(answer)
    else:
        typer.echo("\n".join(rule_lines(answer)))


@app.command()
def enable(
    rule: Name,
    operator: Operator,
    reason: Reason,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Enable a rule, from the next event on; how often it raised is forgotten.

    It stays so over a restart and a reload, as long as the rule is written as it is now. The journal keeps
    who did it and why.

    \b
    tws rules enable enter --operator ann --reason "the feed is back"

    Exit codes: 0 done; 2 no such rule, no trader runs, or it is silent.
    """
    _tell_switch(_ask(trader, state, "enable", rule=rule, operator=operator, reason=reason), json)


@app.command()
def disable(
    rule: Name,
    operator: Operator,
    reason: Reason,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Disable a rule, from the next event on. What it did stays: orders, stops, cooldowns.

    It stays so over a restart and a reload, as long as the rule is written as it is now. The journal keeps
    who did it and why.

    \b
    tws rules disable enter --operator ann --reason "too many losses"

    Exit codes: 0 done; 2 no such rule, no trader runs, or it is silent.
    """
    _tell_switch(_ask(trader, state, "disable", rule=rule, operator=operator, reason=reason), json)


@app.command()
def explain(
    rule: Name,
    symbol: Annotated[str, typer.Option("--symbol", help="The newest event of this symbol.")] = "",
    event: Annotated[
        str, typer.Option("--event", help="The newest of this kind: signal, fill, bar, quote or timer.")
    ] = "",
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Tell why a rule did or did not fire on its last event, part by part, with the figures it saw then.

    \b
    tws rules explain enter
    tws rules explain enter --symbol SPY --event signal

    Exit codes: 0 told; 2 no such rule, no trader runs, or it is silent.
    """
    answer = _ask(trader, state, "explain", rule=rule, symbol=symbol, event=event)
    if json:
        print_json(answer)
    else:
        typer.echo(answer["text"])


def rule_lines(answer: dict[str, Any]) -> list[str]:
    """What a trader said of its rules, for a human."""
    import msgspec

    from tws.runtime.report import RuleTally

    lines = [str(msgspec.convert(row, RuleTally)) for row in answer["rules"]] or ["the run has no rules"]
    lines += [f"and {answer['more']} more"] if answer["more"] else []
    left = answer["cooldowns"].items()
    return lines + [f"cooldown of {symbol}: {seconds:.0f} s left" for symbol, seconds in left]


def _tell_switch(answer: dict[str, Any], json: bool) -> None:
    if json:
        print_json(answer)
        return
    kept = "" if answer["kept"] else "; it could NOT be kept on the disk, so a restart would not know it"
    typer.echo(f"{answer['rule']} is {'enabled' if answer['enabled'] else 'disabled'}{kept}")


def _ask(trader: str | None, state: Path | None, what: str, **more: str) -> Any:
    cure = "Start it with: tws run; until then a rule is switched in its file: enabled = false"
    place = running(state, trader, cure)
    return ask_trader(place, "rules", timeout_s=10.0, what=what, **more)
