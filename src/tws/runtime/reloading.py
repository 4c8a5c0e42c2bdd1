"""`tws reload`: a running trader takes limits and rules of its configuration file up anew.

    reread(plan)            the file as it stands now, judged whole; nothing of it holds yet
    differences(...)        what would change: each limit and each rule, from what to what
    await reload(run, wish) holds it: into the journal first, then into force; all of it or nothing, and its
                            answer says which, however slow the journal is

Only by this word, never because the file has changed: an editor saves what is half written. Everything else
in the file is taken up by a start alone, and a file that differs in it is refused by name. On a live account
what tightens holds at once; what loosens, and every change of a rule, needs an unlock that was given for just
this configuration (RISK: each was earned on paper). No code of a strategy runs here: their files are only
compared with those that were loaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tws.config import Settings, is_paper_account, load_settings, mask_account
from tws.config.run import TradingSection
from tws.config.strategies import PythonStrategySection, file_digest
from tws.desk import DeskState, Reload
from tws.errors import ConfigError, TWSError
from tws.log import get_logger
from tws.risk.changes import LimitChange, changes
from tws.rules import Rule, rule_table
from tws.runtime.fingerprint import settings_fingerprint
from tws.runtime.plan import RunPlan, judged
from tws.runtime.unlocking import why_locked
from tws.safety import SafetyState

if TYPE_CHECKING:
    from tws.runtime.run import Run

__all__ = ["Differences", "ReloadWish", "RuleChange", "differences", "reload", "reread"]

log = get_logger("tws.runtime")

TAKEN_UP = ("risk", "rules")
NOT_LOOKED_AT = ("demo",)
"""Sections of the file that mean nothing to a run."""
PREPARE_S = 20.0
"""For the reading, and for what new rules look at, which asks TWS; with `COMMIT_S` less than the 30 s that a
caller of the channel waits, so that he is always told how it ended."""
COMMIT_S = 5.0
"""A commit takes milliseconds; a disk that takes longer is said to be slow, not waited for."""
LATE = "decided, limits and rules together: they hold as soon as the journal has written it, which is slow."
NAMED = 8
"""So many settings that want a restart are named; a file that differs in more is another one."""


class ReloadWish(Struct, frozen=True, kw_only=True):
    """Who wants it and why; `dry`: only tell what would change."""

    operator: str = ""
    reason: str = ""
    dry: bool = False


class RuleChange(Struct, frozen=True, kw_only=True):
    """One setting of a rule (`rules.NAME.when`), or a rule that comes or goes, as text."""

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.name} from {self.old or 'none'} to {self.new or 'none'}"


class Differences(Struct, frozen=True, kw_only=True):
    """What the file says otherwise than what is in force."""

    limits: tuple[LimitChange, ...]
    rules: tuple[RuleChange, ...]

    def lines(self) -> list[str]:
        return [str(each) for each in (*self.limits, *self.rules)]

    def loosening(self) -> list[str]:
        """What an unlock has to stand for on a live account."""
        return [each.name for each in self.limits if each.loosens] + [each.name for each in self.rules]


def reread(plan: RunPlan) -> RunPlan:
    """The plan with what its file says now. Raises ConfigError: the file is broken, or differs in what only a
    start takes up.
    """
    if plan.program:
        reason = ("a program brought strategies or rules of its own, which its start alone takes up; "
                  "nothing was changed")
        cure = "Restart the program; one limit alone: tws risk --set"
        raise ConfigError("reload", plan.path.name, reason, cure)
    settings = _as_loaded(load_settings(plan.path), plan)
    fixed = list(_restart_wanted(plan.settings, settings))
    if fixed:
        place, was, now = fixed[0]
        others = [each for each, _, _ in fixed[1:NAMED]]
        more = f", {len(fixed) - NAMED} more" if len(fixed) > NAMED else ""
        so = f" (so are {', '.join(others)}{more})" if others else ""
        reason = f"was {was}, and is changed only by a start{so}; nothing else of the file was taken up"
        cure = "Restart to take it up (tws stop, tws run), or set it back; one limit alone: tws risk --set"
        raise ConfigError(place, now, reason, cure)
    return judged(replace(plan, settings=settings))


def _as_loaded(found: Settings, plan: RunPlan) -> Settings:
    """Sections of Python strategies with what their class said when it was loaded, and their file's digest
    of now.
    """
    old = plan.settings.strategies
    sections: list[TradingSection] = list(found.strategies)
    for at, (new, loaded) in enumerate(zip(sections, old, strict=False)):
        if not (isinstance(new, PythonStrategySection) and isinstance(loaded, PythonStrategySection)):
            continue
        path = plan.path.parent / Path(new.file).expanduser()
        sections[at] = new.model_copy(
            update={
                "name": new.name or loaded.name,
                "symbols": new.symbols or loaded.symbols,
                "sha256": file_digest(path) if path.is_file() else "",
            }
        )
    return found.model_copy(update={"strategies": tuple(sections)})


def _restart_wanted(old: Settings, new: Settings) -> Iterator[tuple[str, Any, Any]]:
    """The settings, by their places, that differ and that only a start takes up; what they were and are."""
    skipped = {*TAKEN_UP, *NOT_LOOKED_AT}
    before = dict(_flat(old.model_dump(mode="json", exclude=skipped, warnings=False)))
    after = dict(_flat(new.model_dump(mode="json", exclude=skipped, warnings=False)))
    for place in {**before, **after}:
        was, now = before.get(place), after.get(place)
        if was == now:
            continue
        if place.endswith(".sha256"):
            yield f"{place.removesuffix('.sha256')}.file", "the code that runs", "other code"
        else:
            yield place, was, now


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        yield place, value
        return
    for name, each in value.items():
        yield from _flat(each, f"{place}.{name}" if place else str(name))


def differences(desk: DeskState, old: RunPlan, new: RunPlan) -> Differences:
    """What the new plan changes in what is in force. Limits that are the configuration's of before change
    nothing: what a human has set meanwhile stays, as it does at a restart.
    """
    in_force = desk.limits
    same = in_force is None or new.limits == desk.configured
    return Differences(
        limits=() if same or in_force is None else changes(in_force, new.limits),
        rules=tuple(_rules(old.rules, new.rules)),
    )


def _rules(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[RuleChange]:
    before = {rule.name: rule_table(rule) for rule in old}
    after = {rule.name: rule_table(rule) for rule in new}
    for name in {**before, **after}:
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            yield RuleChange(name=f"rules.{name}", old=_told(was), new=_told(now))
            continue
        for key in {**was, **now}:
            if was.get(key) != now.get(key):
                yield RuleChange(name=f"rules.{name}.{key}", old=_text(was, key), new=_text(now, key))
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:  # among equals the first one goes first
        yield RuleChange(name="rules", old=", ".join(before), new=", ".join(after))


def _told(table: dict[str, Any] | None) -> str:
    return "" if table is None else f"when {_text(table, 'when')} then {_text(table, 'then')}"


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key, "")
    return " + ".join(value) if isinstance(value, list) else str(value)


async def reload(run: Run, wish: ReloadWish) -> dict[str, Any]:
    """Take the file up, and tell what changed. Raises ConfigError; nothing has changed then."""
    trader, old = run.trader, run.plan
    if run.reloading is not None:
        raise ConfigError("reload", old.path.name, "another reload is on its way", "Wait for it, then again")
    try:
        async with asyncio.timeout(PREPARE_S):
            new, found = await _read(run)
            put = None if wish.dry or not found.rules else await _other_rules(run, new)
    except TimeoutError:
        reason = f"was not read, and the markets of its rules not followed, within {PREPARE_S:g} s"
        raise ConfigError("reload", old.path.name, f"{reason}; nothing was changed", "Try again") from None
    fingerprint = settings_fingerprint(new.settings)
    changed = bool(found.limits or found.rules) or fingerprint != settings_fingerprint(old.settings)
    note = _note(run.safety.state, trader.desk.state.account, new, run.clock.now_ns())
    if changed and not wish.dry:
        command = Reload(
            operator=wish.operator.strip() or "tws reload",
            reason=wish.reason.strip(),
            configuration=fingerprint,
            limits=new.limits.to_plain(),
            changes=tuple(found.lines()),
        )
        if not await _hold(run, new, command, put):
            note = " ".join(filter(None, (LATE, note)))
    return {
        "changed": changed and not wish.dry,
        "limits": [msgspec.to_builtins(each) for each in found.limits],
        "rules": [msgspec.to_builtins(each) for each in found.rules],
        "stays": _stays(new),
        "configuration": fingerprint,
        "note": note,
    }


async def _read(run: Run) -> tuple[RunPlan, Differences]:
    """The file as it stands, and what it changes. Raises ConfigError, also where that may not be."""
    old, desk = run.plan, run.trader.desk.state
    new = await asyncio.to_thread(reread, old)  # ten thousand rules take seconds to read
    if run.plan is not old or run.reloading is not None:
        raise ConfigError("reload", old.path.name, "another reload came first", "Look what it changed; again")
    found = differences(desk, old, new)
    held_back = _held_back(found, run.safety.state, desk.account, new, run.clock.now_ns())
    if held_back:
        cure = f"Tighten alone, or: tws unlock {new.path.name} --account ACCOUNT --operator NAME"
        raise ConfigError("reload", ", ".join(found.loosening()), held_back, cure)
    return new, found


async def _other_rules(run: Run, new: RunPlan) -> Callable[[], object]:
    """What puts the new rules in place, once all that they look at is followed. Raises ConfigError."""
    assert run.pilot is not None, "a channel that answers has a pilot"
    try:
        return await run.pilot.other_rules(new.rules)
    except (TWSError, ValueError) as wrong:
        if isinstance(wrong, ConfigError):
            raise
        raise ConfigError("rules", None, str(wrong), "Nothing was changed; try again, or restart") from wrong


async def _hold(run: Run, new: RunPlan, command: Reload, put: Callable[[], object] | None) -> bool:
    """Into the journal, then limits, rules and plan into force; whoever asked may leave meanwhile. False: it
    is decided, and holds as soon as the journal has written it. Raises ConfigError while it was not decided
    in time, and what ended the trader: nothing is changed then.
    """

    async def both() -> None:
        await run.trader.ask(command)
        if put is not None:
            put()
        run.take_up(new)

    def over(task: asyncio.Task[None]) -> None:
        run.reloading = None
        if not task.cancelled() and task.exception() is not None:  # the trader has failed, and says so
            log.warning("a reload was not taken up", reason=str(task.exception()))

    task = run.reloading = asyncio.create_task(both())
    task.add_done_callback(over)
    done, _ = await asyncio.wait({task}, timeout=COMMIT_S)
    if done:
        task.result()
    elif run.trader.engine.withdraw(command):
        reason = f"the journal has written nothing for {COMMIT_S:g} s; nothing was changed"
        raise ConfigError("reload", new.path.name, reason, "Look at its disk (tws status), then again")
    return bool(done)


def _stays(plan: RunPlan) -> list[str]:
    """What no reload takes up of a run that has it: the code of its strategies."""
    return [f"strategy {each.name} ({each.class_} of {each.file})" for each in plan.settings.strategies
            if isinstance(each, PythonStrategySection)]  # fmt: skip


def _held_back(
    found: Differences, safety: SafetyState, account: str, new: RunPlan, now_ns: int
) -> str:
    """Why it may not be on a live account; empty where it may."""
    if is_paper_account(account) or not found.loosening():
        return ""
    why = why_locked(safety, account, new.settings, now_ns)
    return f"lets more pass on {mask_account(account)}, a live account; {why}" if why else ""


def _note(safety: SafetyState, account: str, new: RunPlan, now_ns: int) -> str:
    """What a human should know of a live account whose limits were tightened without their own unlock."""
    if is_paper_account(account):
        return ""
    why = why_locked(safety, account, new.settings, now_ns)
    return f"the next start finds: {why}" if why else ""
