"""`tws status`: what each trader is doing, or what the state of one says that does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, State, Trader

if TYPE_CHECKING:
    from tws.runtime.place import Place

__all__ = ["status"]

WAIT_S = 5.0
"""RISK.md calls a trader silent that says nothing for 5 s."""


def status(trader: Trader = None, state: State = None, json: Json = False) -> None:
    """Show lease, latch, unlocks, positions and alarms of every trader of this user.

    Exit codes: 0 shown, all well; 1 shown, and something wants a human (a latch, a failure, a bare share,
    silence).
    """
    from tws.cli.traders import find
    from tws.runtime.place import places, state_root

    found = [find(state, trader)] if trader is not None else places(state_root(state))
    answers = {place.name: _one(place) for place in found}
    if json:
        print_json(answers)
    elif not answers:
        typer.echo("no trader has state here")
    for name, answer in answers.items():
        if not json:
            typer.echo("\n".join([name, *_lines(answer)]))
    raise typer.Exit(1 if any(_wants_human(answer) for answer in answers.values()) else 0)


def _one(place: Place) -> dict[str, Any]:
    from tws.channel import ChannelSilentError, RefusedError
    from tws.cli.traders import ask_trader, runs
    from tws.errors import DataError, SafetyError

    try:
        if runs(place):
            return {"runs": True, **ask_trader(place, "status", timeout_s=WAIT_S)}
        return {"runs": False, **_at_rest(place)}
    except ChannelSilentError as wrong:
        return {"runs": True, "silent": str(wrong), **_at_rest(place)}
    except (RefusedError, DataError, SafetyError) as wrong:
        return {"runs": None, "failure": str(wrong)}


def _at_rest(place: Place) -> dict[str, Any]:
    """What the safety file says by itself."""
    from tws.clock import to_datetime
    from tws.config import mask_account
    from tws.safety import SafetyFile

    with SafetyFile(place.safety) as safety:
        said, lease = safety.state, safety.state.lease
        beat_ns = safety.beat_ns
    return {
        "holder": None if lease is None else f"{lease.process}, client id {lease.client_id}",
        "last_beat": to_datetime(beat_ns).isoformat() if beat_ns else None,
        "epoch": said.epoch,
        "latches": [
            f"{each.state} on {each.scope.key}: {each.reason} ({each.operator})" for each in said.latches
        ],
        "unlocks": [
            f"{mask_account(each.account)} until {to_datetime(each.until_ns).isoformat()} by {each.operator}"
            for each in said.unlocks
        ],
    }


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in answer.items():
        if isinstance(value, list):
            lines += [f"  {name:<12} {each}" for each in value]
        elif value is not None:
            shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
            lines.append(f"  {name:<12} {shown}")
    return lines


def _wants_human(answer: dict[str, Any]) -> bool:
    return any(answer.get(name) for name in ("silent", "failure", "latches", "unprotected", "unknown"))
