"""What stands before the socket of one connection, put together from what its maker has said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from tws.config import TWSConfig, is_live_port, is_paper_account
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.connection.ordering.guard import Guard, Known, LiveLock, SqliteBook
from tws.connection.ordering.outbound import Gates
from tws.errors import ConfigError
from tws.platform import state_folder
from tws.risk import Denial, Limits, StandaloneGate, Verifier

if TYPE_CHECKING:
    from tws.connection.engine import Engine
    from tws.connection.facade import TWSConnection

__all__ = ["MAY_ALLOW", "Judges", "gates_of", "refuse_live"]

MAY_ALLOW = frozenset({MoneyKind.REPLACE_FA, MoneyKind.UPDATE_CONFIG})
"""Kinds without figures. Orders and exercises have some, so no word lets them past."""


class Judges(NamedTuple):
    """As the parameters of `TWSConnection` are."""

    guard: Literal["default", "off"] | Verifier
    limits: Limits
    brake: Callable[[MoneyCall], Denial | None] | None
    unlocked: Callable[[str], bool]
    allow: frozenset[str]
    journal: Path | None


def refuse_live(config: TWSConfig) -> None:
    """`guard="off"` is for simulators and paper alone."""
    live = (
        f"port {config.port} is live"
        if is_live_port(config.port)
        else "trading_mode is live"
        if config.trading_mode == "live"
        else "the account is live"
        if config.account_id and not is_paper_account(config.account_id)
        else ""
    )
    if live:
        raise ConfigError("guard", "off", live, "Leave the guard on; nothing trades live without it")


def gates_of(connection: TWSConnection, engine: Engine, judges: Judges) -> Gates:
    """The live lock, who approves, and the brakes. Raises ConfigError for a kind that can't be allowed."""
    config, allowed = connection.config, _allowed(judges.allow)
    approver: Verifier | Guard | None
    if judges.guard == "off":
        approver = None
    elif judges.guard == "default":
        known = Known(
            lambda: config.account_id or next(iter(connection.accounts), ""),
            engine.answers.quote_of,
            connection.instrument_of,
            connection.details_of,
        )
        book = SqliteBook(judges.journal or state_folder() / "guard.sqlite3")
        approver = Guard(StandaloneGate(judges.limits, port=config.port), book, known, allowed)
    else:
        approver = judges.guard
    brake = judges.brake

    def brakes(call: MoneyCall) -> Denial | None:
        held = None if call.kind is MoneyKind.CANCEL else engine.keeper.brake()
        return held or (brake(call) if brake is not None else None)

    return Gates(LiveLock(config, lambda: connection.accounts, judges.unlocked), approver, brakes)


def _allowed(words: frozenset[str]) -> frozenset[MoneyKind]:
    unknown = sorted(words - MAY_ALLOW)
    if unknown:
        known = " or ".join(sorted(MAY_ALLOW))
        raise ConfigError("allow", unknown[0], "is no kind that has no figure", f"Use {known}")
    return frozenset(kind for kind in MAY_ALLOW if kind in words)
