"""`tws status`: what each trader is doing, or what journal and safety file say of one that does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tws.cli.console import print_json, short
from tws.cli.rules import rule_lines
from tws.cli.traders import Json, State, Trader

if TYPE_CHECKING:
    from tws.runtime.place import Place

__all__ = ["status"]

WAIT_S = 5.0
"""RISK.md calls a trader silent that says nothing for 5 s."""


def status(
    rules: Annotated[bool, typer.Option("--rules", help="How each rule stands, too.")] = False,
    trader: Trader = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Show lease, latches, unlocks, differences from the broker, holdings and limits of every trader.

    Each difference says what we have, what the broker has, since when, and what heals it: itself ("heals:"),
    or you, by the command that is named. Holdings are ours and, apart, what others hold in the account. Of a
    trader that does not run its journal is read.

    \b
    tws status                      all traders of this user
    tws status --trader 7497-1      one of them
    tws status --rules              with each rule: enabled, fired, last fired, cooldown, executions, why not
    tws status --json               everything, with times and con_ids

    Exit codes: 0 shown, all well; 1 shown, and something wants a human (a latch, a failure, a bare share, a
    difference that blocks, an unknown order, silence).
    """
    from tws.cli.traders import find
    from tws.runtime.place import known_places, state_root

    found = [find(state, trader)] if trader is not None else known_places(state)
    names = [place.name for place in found]
    answers = {
        place.name if names.count(place.name) == 1 else str(place.folder): _one(place, rules)
        for place in found
    }
    if json:
        print_json(answers)
    elif not answers:
        typer.echo(f"no trader has state in {state_root(state)}; tws run CONFIG.toml starts one")
    for name, answer in answers.items():
        if not json:
            typer.echo("\n".join([name, *_lines(answer)]))
    raise typer.Exit(1 if any(_wants_human(answer) for answer in answers.values()) else 0)


def _one(place: Place, rules: bool) -> dict[str, Any]:
    from tws.channel import ChannelSilentError, RefusedError
    from tws.cli.traders import ask_trader, runs
    from tws.errors import DataError, JournalError, SafetyError

    try:
        if runs(place):
            answer = {"runs": True, **ask_trader(place, "status", timeout_s=WAIT_S)}
            if rules:
                answer["rules"] = ask_trader(place, "rules", timeout_s=WAIT_S, what="list")
            return answer
        return {"runs": False, **_at_rest(place), **_from_journal(place)}
    except ChannelSilentError as wrong:
        return {"runs": True, "silent": str(wrong), **_at_rest(place)}
    except (RefusedError, DataError, JournalError, SafetyError) as wrong:
        return {"runs": None, "failure": str(wrong)}


def _at_rest(place: Place) -> dict[str, Any]:
    """What the safety file says by itself."""
    from tws.clock import SystemClock, to_datetime
    from tws.runtime.status import safety_of
    from tws.safety import SafetyFile

    with SafetyFile(place.safety) as safety:
        said, lease = safety.state, safety.state.lease
        beat_ns = safety.beat_ns
    return {
        "holder": None if lease is None else f"{lease.process}, client id {lease.client_id}",
        "last_beat": to_datetime(beat_ns).isoformat() if beat_ns else None,
        **safety_of(said, SystemClock().now_ns()),
    }


def _from_journal(place: Place) -> dict[str, Any]:
    """What the journal's last word was; nothing when no trader has begun one."""
    from tws.cli.journals import read_books
    from tws.clock import SystemClock
    from tws.runtime.status import books

    path = place.journal_file
    if not path.exists():
        return {}
    desk, recovered = read_books(path)
    now_ns = SystemClock().now_ns()
    return {**books(desk, now_ns), "journal": str(path), "head": str(recovered.head)}


def _lines(answer: dict[str, Any]) -> list[str]:
    """For a human: one thing a line, its kind in front."""
    lines = []
    for name, value in answer.items():
        if name == "protection":
            lines += _told(name, [_protection(value)])
        elif name == "rules":
            lines += [f"  {line}" for line in rule_lines(value)]
        elif name in _ROWS:
            lines += _told(_ROWS[name][0], [_ROWS[name][1](row) for row in value])
        elif name == "latched_limits":
            lines += _told("LATCHED", [f"{key}: {figure}" for key, figure in value.items()])
        elif isinstance(value, list):
            lines += _told(name, value)
        elif value is not None and value != "":
            lines += _told(name, ["yes" if value is True else "no" if value is False else value])
    return lines


def _told(name: str, values: list[Any]) -> list[str]:
    return [f"  {name:<12} {value}" for value in values]


def _protection(row: dict[str, Any]) -> str:
    from tws.runtime.report import Protection

    return f"without a full stop: {Protection(**row)}"


def _discrepancy(row: dict[str, Any]) -> str:
    age = "" if row["for_s"] is None else f" for {_age(row['for_s'])}"
    blocks = ", BLOCKS ENTRIES" if row["blocks"] else ""
    about = f" {row['symbol']}" if row["symbol"] else ""
    number = f" (con_id {row['con_id']})" if row["con_id"] else ""
    return (
        f"{row['kind']}{about}{number}: ours {row['ours']}, the broker's {row['theirs']}{age}{blocks}; "
        f"{row['cure']}"
    )


def _held(row: dict[str, Any]) -> str:
    stated = "nothing" if row["stated"] is None else row["stated"]
    opening = ""
    if row["opening"] != "0":
        word = "confirmed" if row["confirmed"] else "NOT confirmed: tws adjust --opening"
        opening = f"; {row['opening']} were there before us, {word}"
    price = f" at {row['average_cost']} {row['currency']}" if row["ours"] != "0" else ""
    held = f"ours {row['ours']}{price}, others' {row['others']}"
    return f"{row['symbol']}: {held}, broker states {stated}{opening}"


def _limit(row: dict[str, Any]) -> str:
    part = "latched" if row["latched"] else f"{row['part']:.1%}"
    figure, bound = short(row["figure"], "unknown"), short(row["bound"], "off")
    return f"{row['name']} {row['about']}: {figure} of {bound} ({part})"


def _stop(row: dict[str, Any]) -> str:
    close = ", closing" if row["flatten"] else ""
    why = f"{row['reason']} ({row['operator']})"
    return f"{row['scope']} is {row['state']}{close} since {row['since']}: {why}"


def _unlock(row: dict[str, Any]) -> str:
    left = f"{_age(row['left_s'])} left" if row["left_s"] else "EXPIRED"
    return f"{row['account']} until {row['until']} ({left}) by {row['operator']}"


_ROWS = {
    "discrepancies": ("differs", _discrepancy),
    "holdings": ("holds", _held),
    "kill": ("stopped", _stop),
    "unlocks": ("unlocked", _unlock),
    "nearest_limits": ("limit", _limit),
}
"""How each list of rows is headed, and told."""


def _age(seconds: float) -> str:
    """4 s, 12 min, 3 h 20 min."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _wants_human(answer: dict[str, Any]) -> bool:
    loud = ("silent", "failure", "disabled", "latches", "unprotected", "unknown", "kill", "latched_limits")
    blocking = any(row["blocks"] for row in answer.get("discrepancies", ()) if row["kind"] != "unread")
    return blocking or any(answer.get(name) for name in loud)
