"""How commands find a trader and speak to it: the options they share, and one question over its channel.

A trader is found by its state: the only one under the state folder, or the one that `--trader` names (its
port and client id, such as 7497-1). Whether it runs is said by its lease, never by a port that answers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tws.runtime.place import Place

__all__ = [
    "Json",
    "Operator",
    "Reason",
    "State",
    "Trader",
    "ask_trader",
    "find",
    "running",
    "runs",
    "seconds",
    "tell",
]

State = Annotated[
    Path | None,
    typer.Option("--state", help="The folder of all traders' state; the user's own unless given."),
]
Trader = Annotated[
    str | None, typer.Option("--trader", help="Which of several: by port and client id (7497-1), or folder.")
]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
Operator = Annotated[str, typer.Option("--operator", help="Your name: it is kept with what you do.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept too.")]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def find(state: Path | None, name: str | None, *, alive: bool = False) -> Place:
    """Among several, with `alive`, the one that runs. Raises ConfigError when it is not clear which."""
    from tws.runtime.place import find_place

    return find_place(state, name, _seen if alive else None)


def _seen(place: Place) -> bool:
    """Whether it is seen to run; a safety file that can't be read hides nobody else."""
    from tws.errors import SafetyError

    try:
        return runs(place)
    except SafetyError:
        return False


def runs(place: Place) -> bool:
    """Whether a process holds the trader's lease; of one on another host it must be taken so."""
    from tws.safety import SafetyFile, is_alive

    with SafetyFile(place.safety) as safety:
        lease = safety.state.lease
    return lease is not None and is_alive(lease.process) is not False


def ask_trader(place: Place, do: str, *, timeout_s: float, **values: Any) -> Any:
    """Ask the running trader. Raises ChannelSilentError, RefusedError, DataError (it left no note)."""
    from tws.channel import ChannelSilentError, ask
    from tws.safety import SafetyFile, is_alive

    note = place.note()
    if not note.control:
        raise ChannelSilentError("the trader is starting, and takes no commands yet")
    try:
        return ask(note.control, note.token, do, timeout_s=timeout_s, **values)
    except ChannelSilentError as silent:
        with SafetyFile(place.safety) as safety:
            lease = safety.state.lease
        if lease is None or is_alive(lease.process) is not None:
            raise
        host = lease.process.host
        cure = (
            f"Ask on {host}; if that machine is off: tws reset --lease {host} --operator NAME --reason TEXT"
        )
        raise ChannelSilentError(f"{lease} holds the lease, and can't be seen from here. {cure}") from silent


def running(state: Path | None, name: str | None, cure: str) -> Place:
    """The trader that is meant, which must run. Raises ConfigError with `cure` when it does not."""
    from tws.errors import ConfigError

    place = find(state, name, alive=True)
    if not runs(place):
        raise ConfigError("trader", place.name, "does not run", cure)
    return place


def tell(
    place: Place | None, do: str, values: dict[str, Any], offline: Callable[[], Any], timeout_s: float = 10.0
) -> Any:
    """Put a human's word to the trader that runs; when its lease is dead, do `offline` what it would have
    done. Without a place there is no trader.
    """
    if place is not None and place.safety.exists() and runs(place):
        return ask_trader(place, do, timeout_s=timeout_s, **values)
    return offline()


def seconds(text: str) -> float:
    """60s, 15m, 8h, or plain seconds. Raises ConfigError."""
    from tws.errors import ConfigError

    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    try:
        value = float(number) * _UNITS[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < 366 * 86_400:
        raise ConfigError("for", text, "is no time", "Write 60s, 15m or 8h")
    return value
