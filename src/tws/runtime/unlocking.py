"""`tws unlock`: a named human lets one live account trade for a time, on evidence that is listed and kept.

The unlock bears the fingerprints of the code and the configuration on which its evidence was earned: a run
of another code, or with a limit changed in the file, finds live locked (`why_locked`). Limits that were
changed at run time are no part of the file, so nothing was earned on them: no unlock while they are in force.
"""

from __future__ import annotations

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.config import Settings, is_paper_account, mask_account
from tws.desk import DeskState
from tws.errors import ConfigError
from tws.risk import Limits
from tws.runtime.evidence import gather
from tws.runtime.fingerprint import code_fingerprint, settings_fingerprint
from tws.runtime.graduation import GRADES, capped
from tws.runtime.place import Place
from tws.safety import SafetyFile, SafetyState, Unlock

__all__ = ["MAX_HOURS", "Ground", "UnlockWish", "changed_limits", "unlock", "why_locked"]

MAX_HOURS = 24
"""An unlock covers a trading day at most: tomorrow a human looks again."""


class UnlockWish(Struct, frozen=True, kw_only=True):
    """Who unlocks what for how long."""

    account: str
    operator: str
    seconds: float


class Ground(Struct, frozen=True, kw_only=True):
    """What is to be unlocked: a place, its configuration, and its desk; None before its first run."""

    place: Place
    settings: Settings
    desk: DeskState | None


def why_locked(state: SafetyState, account: str, settings: Settings, now_ns: int) -> str:
    """Why a run with these settings may not trade this live account; empty while it may."""
    given = state.unlocked(account, now_ns)
    if given is None:
        return "live trading is locked"
    if given.code != code_fingerprint():
        return "live trading is locked: its unlock was given for another code"
    if given.settings != settings_fingerprint(settings):
        return "live trading is locked: its unlock was given for another configuration"
    return ""


def changed_limits(settings: Settings, desk: DeskState) -> tuple[str, ...]:
    """The limits of this journal's desk that are not those of the file, and will not be at the next start."""
    whole = Limits.from_section(settings.risk.chosen() | settings.paper.limits())
    graded = (capped(whole, share) for _, share in GRADES)  # those of a live run, the whole ones at last
    configured = next((each for each in graded if each == desk.configured), None)
    if desk.limits is None or configured is None:  # the file is the newer word
        return ()
    before, now = configured.to_plain(), desk.limits.to_plain()
    return tuple(sorted(name for name in {*before, *now} if before.get(name) != now.get(name)))


def unlock(safety: SafetyFile, ground: Ground, wish: UnlockWish, now_ns: int) -> Unlock:
    """Write the unlock, with its evidence. Raises ConfigError that lists what is missing, SafetyError."""
    settings = ground.settings
    _check(settings, wish)
    evidence = gather(ground.place, settings, wish.operator, now_ns)
    changed = () if ground.desk is None else changed_limits(settings, ground.desk)
    missing = list(evidence.missing)
    if changed:
        missing.append(
            f"limits were changed at run time, on which nothing was earned: {', '.join(changed)} "
            "(change them back, or write them into the configuration)"
        )
    if missing:
        cure = "Trade on paper until the evidence is there"
        raise ConfigError("unlock", mask_account(wish.account), "; ".join(missing), cure)
    given = Unlock(
        account=wish.account,
        until_ns=now_ns + round(wish.seconds * NS_PER_S),
        at_ns=now_ns,
        operator=wish.operator.strip(),
        evidence=evidence.found,
        code=code_fingerprint(),
        settings=settings_fingerprint(settings),
    )
    safety.unlock(given)
    return given


def _check(settings: Settings, wish: UnlockWish) -> None:
    """The account that the configuration names, live, for a time that is one."""
    configured = settings.connection.account_id
    if is_paper_account(wish.account) or not wish.account.isalnum():
        raise ConfigError(
            "account", mask_account(wish.account), "is no live account", "Paper needs no unlock"
        )
    if wish.account != configured:
        raise ConfigError(
            "account",
            mask_account(wish.account),
            "is not the one of the configuration",
            f"Write it into [connection] account_id, which is {mask_account(configured)}",
        )
    if not 0 < wish.seconds <= MAX_HOURS * 3600:
        raise ConfigError(
            "for", f"{wish.seconds:g} s", f"not above 0 and at most {MAX_HOURS} h", "Such as --for 8h"
        )
