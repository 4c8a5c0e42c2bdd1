"""`tws unlock`: a named human lets one live account trade for a time, on evidence that is listed and kept."""

from __future__ import annotations

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.config import Settings, is_paper_account, mask_account
from tws.errors import ConfigError
from tws.runtime.evidence import gather
from tws.runtime.place import Place
from tws.safety import SafetyFile, Unlock

__all__ = ["MAX_HOURS", "UnlockWish", "unlock"]

MAX_HOURS = 24
"""An unlock covers a trading day at most: tomorrow a human looks again."""


class UnlockWish(Struct, frozen=True, kw_only=True):
    """Who unlocks what for how long."""

    account: str
    operator: str
    seconds: float


def unlock(safety: SafetyFile, place: Place, settings: Settings, wish: UnlockWish, now_ns: int) -> Unlock:
    """Write the unlock, with its evidence. Raises ConfigError that lists what is missing, SafetyError."""
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
    evidence = gather(place, settings, wish.operator, now_ns)
    if evidence.missing:
        raise ConfigError(
            "unlock",
            mask_account(wish.account),
            "; ".join(evidence.missing),
            "Trade on paper until the evidence is there",
        )
    given = Unlock(
        account=wish.account,
        until_ns=now_ns + round(wish.seconds * NS_PER_S),
        at_ns=now_ns,
        operator=wish.operator.strip(),
        evidence=evidence.found,
    )
    safety.unlock(given)
    return given
