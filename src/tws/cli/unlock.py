"""`tws unlock`: a named human lets one live account trade for a time, on evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tws.cli.console import print_json
from tws.cli.traders import Json, Operator, State, seconds

__all__ = ["unlock"]


def unlock(
    config: Annotated[Path, typer.Argument(help="The configuration that is to trade live.")],
    account: Annotated[str, typer.Option(help="The live account's id, typed.")],
    operator: Operator,
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 8h; at most 24h.")] = "8h",
    state: State = None,
    json: Json = False,
) -> None:
    """Unlock live trading of one account until a time; lists the evidence, and refuses without it.

    Wanted: a drill that passed, paper sessions that ended reconciled on this code and configuration, limits,
    your name. An unlock that expires stops entries alone. A live run begins with a tenth of its sizes and
    limits; live sessions that trade and end reconciled earn the rest. For a trader that runs, its file is
    unlocked as it stands now: tws reload then takes limits and rules of it up.

    \b
    tws unlock live.toml --account U7654321 --operator ann --for 8h

    Exit codes: 0 unlocked; 2 refused, with what is missing.
    """
    from tws.clock import to_datetime
    from tws.config import load_settings, mask_account
    from tws.runtime.plan import plan_run

    plan = plan_run(load_settings(config), config, state)
    wish: dict[str, Any] = {"account": account, "operator": operator, "seconds": seconds(for_)}
    given = _unlock(plan, wish)
    if json:
        print_json({**given, "account": mask_account(account)})
        return
    typer.echo(f"{mask_account(account)} may trade live until {to_datetime(given['until_ns']).isoformat()}")
    for line in given["evidence"]:
        typer.echo(f"  {line}")
    typer.echo(f"It begins with {plan.grade}")


def _unlock(plan: Any, wish: dict[str, Any]) -> Any:
    import msgspec

    from tws.cli.traders import tell
    from tws.clock import SystemClock
    from tws.runtime.offline import unlock_offline
    from tws.runtime.unlocking import UnlockWish

    def offline() -> Any:
        given = unlock_offline(plan.place, plan.settings, msgspec.convert(wish, UnlockWish), SystemClock())
        return msgspec.to_builtins(given)

    return tell(plan.place, "unlock", wish, offline)
