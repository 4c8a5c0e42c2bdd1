"""`tws kill`: the emergency stop, from a second process, whatever state the trader is in.

The safety file is latched before anything else. A trader that runs carries the stop out and answers; one that
says nothing for `SILENT_S` is ended, and the stop is carried out in its place; so it is when no trader runs
at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, Operator, Reason, State, Trader

if TYPE_CHECKING:
    from tws.runtime.place import Place
    from tws.runtime.stopping import StopAnswer, StopWish

__all__ = ["kill"]

SILENT_S = 5.0
"""How long a latched trader may keep its first sign of life back (RISK.md)."""

NEW_ANSWER_S = 5.0
"""What the stop itself gets after a take-over; the sum stands at `tws.runtime.takeover`: under 25."""


def kill(
    flatten: Annotated[bool, typer.Option("--flatten", help="Close what is ours too.")] = False,
    strategy: Annotated[str, typer.Option(help="Stop this strategy alone.")] = "",
    symbol: Annotated[str, typer.Option(help="Stop this symbol alone.")] = "",
    account: Annotated[
        str, typer.Option(help="The account's id, typed: cancels EVERY order of it, manual ones too.")
    ] = "",
    operator: Operator = "",
    reason: Reason = "tws kill",
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Cancel entries, keep protective stops, latch until a named human resets; --flatten also closes.

    Answers FLAT or NOT FLAT with each remainder within 10 s, 25 s when the trader hangs. Exit codes: 0 done
    as asked (with --flatten: FLAT); 1 NOT FLAT, or entries that may still act; 2 nothing could be stopped.
    """
    import getpass

    from tws.cli.traders import find
    from tws.runtime.stopping import StopWish

    place = find(state, trader, alive=True)
    wish = StopWish(
        operator=operator or getpass.getuser(),
        reason=reason,
        flatten=flatten,
        strategy=strategy,
        symbol=symbol.upper(),
        account=account,
    )
    answer = _kill(place, wish)
    if json:
        import msgspec

        print_json(msgspec.to_builtins(answer))
    else:
        typer.echo("\n".join(answer.lines()))
    good = answer.settled and not answer.unprotected and (answer.flat or not flatten)
    raise typer.Exit(0 if good else 1)


def _kill(place: Place, wish: StopWish) -> StopAnswer:
    """Latch, then ask, then take over. Raises SafetyError, ConfigError, DataError."""
    import asyncio

    from tws.channel import ChannelSilentError, RefusedError
    from tws.cli.traders import runs
    from tws.clock import SystemClock
    from tws.errors import ConfigError, SafetyError
    from tws.runtime.stopping import latch_file
    from tws.runtime.takeover import end_holder, take_over
    from tws.safety import SafetyFile

    note = place.note()
    if wish.account and wish.account != note.account:
        raise ConfigError("account", wish.account, "is not the account of this trader", "Type its whole id")
    with SafetyFile(place.safety) as safety:
        try:
            latch_file(safety, wish, SystemClock().now_ns())
            typer.echo("latched", err=True)
        except SafetyError as wrong:  # a stop that waits for a disk is none
            typer.echo(f"the latch is not on disk: {wrong}", err=True)
        said = "no trader runs"
        if runs(place):
            try:
                return _ask(place, wish)
            except (ChannelSilentError, RefusedError) as wrong:
                typer.echo(f"the trader does not carry it out: {wrong}", err=True)
                said = end_holder(safety)
        typer.echo(f"{said}; acting in its place", err=True)
        return asyncio.run(take_over(note, safety, wish, NEW_ANSWER_S))


def _ask(place: Place, wish: StopWish) -> StopAnswer:
    """A sign of life within `SILENT_S`, then the answer."""
    import msgspec

    from tws.cli.traders import ask_trader
    from tws.runtime.stopping import ANSWER_S, StopAnswer

    ask_trader(place, "ping", timeout_s=SILENT_S)
    values: dict[str, Any] = msgspec.to_builtins(wish)
    return msgspec.convert(ask_trader(place, "kill", timeout_s=ANSWER_S + 2.0, **values), StopAnswer)
