"""`tws kill` inside the trader that it is meant for, or in the process that took its place.

Latched on disk first, then the desk: entries of the scope are cancelled, protective stops stay; with
`flatten` what is ours is closed. The answer comes within its time whatever the market does: FLAT, or NOT FLAT
with each remainder and the manual way; the desk goes on trying and alarms.
"""

from __future__ import annotations

from msgspec import Struct

from tws.desk import CancelAll, Flatten
from tws.errors import ConfigError, TWSError
from tws.model.order import Role
from tws.model.stop import EVERYTHING, KillState, Scope, ScopeKind
from tws.runtime.trader import Trader
from tws.runtime.windup import MANUAL_WAY, bare, left, until
from tws.safety import SafetyFile

__all__ = ["ANSWER_S", "StopAnswer", "StopWish", "latch_file", "stop_now"]

ANSWER_S = 8.0
"""RISK.md asks for an answer within 10 s; two are left for the way to and from the trader."""


class StopWish(Struct, frozen=True, kw_only=True):
    """What is to be stopped, and how far. At most one of the scopes; none: all that is ours."""

    operator: str
    reason: str
    flatten: bool = False
    strategy: str = ""
    symbol: str = ""
    account: str = ""

    @property
    def scope(self) -> Scope:
        """Raises ConfigError for more than one."""
        named = [
            (kind, name)
            for kind, name in (
                (ScopeKind.STRATEGY, self.strategy),
                (ScopeKind.SYMBOL, self.symbol),
                (ScopeKind.ACCOUNT, self.account),
            )
            if name
        ]
        if len(named) > 1:
            raise ConfigError(
                "scope", ", ".join(name for _, name in named), "are several scopes", "Name one at a time"
            )
        return Scope(kind=named[0][0], name=named[0][1]) if named else EVERYTHING


class StopAnswer(Struct, frozen=True, kw_only=True):
    """FLAT, or what is left. `done`: entries are gone, and with `flatten` the shares too."""

    flat: bool
    done: bool
    left: tuple[str, ...] = ()
    unprotected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For a human."""
        head = "FLAT" if self.flat else "NOT FLAT"
        bare_ones = [f"  WITHOUT A STOP  {each}" for each in self.unprotected]
        way = [] if self.flat else [f"  {MANUAL_WAY}"]
        return [
            head,
            *(f"  {each}" for each in self.left),
            *bare_ones,
            *(f"  {each}" for each in self.notes),
            *way,
        ]


def latch_file(safety: SafetyFile, wish: StopWish, at_ns: int) -> None:
    """The first thing of all. Raises SafetyError, ConfigError."""
    state = KillState.FLATTENING if wish.flatten else KillState.HALTED
    safety.latch(state, at_ns=at_ns, reason=wish.reason, operator=wish.operator, scope=wish.scope)


async def stop_now(trader: Trader, safety: SafetyFile, wish: StopWish, answer_s: float) -> StopAnswer:
    """Carry it out; answers within `answer_s`. Raises ConfigError for a wish that is none."""
    scope = wish.scope
    latch_file(safety, wish, trader.clock.now_ns())
    notes: list[str] = []
    try:
        await _order(trader, wish, scope)
    except TWSError as wrong:
        notes.append(f"the desk could not take it: {wrong}")
    state = trader.desk.state

    def done() -> bool:
        if wish.flatten:
            return not left(state, scope)
        return not any(
            each.role is Role.ENTRY and _within(trader, each.contract.symbol, each.group_id, scope)
            for each in state.book.exposed()
        )

    finished = await until(done, answer_s)
    remains = tuple(map(str, left(state, scope)))
    return StopAnswer(
        flat=not remains, done=finished, left=remains, unprotected=tuple(bare(state)), notes=tuple(notes)
    )


async def _order(trader: Trader, wish: StopWish, scope: Scope) -> None:
    """Tell the desk, symbol by symbol where the scope is narrower than all."""
    state = trader.desk.state
    if scope.kind is ScopeKind.ACCOUNT:
        trader.connection.outbound.global_cancel()
    owned = [group for group in state.groups.values() if scope.covers(group.contract.symbol, group.strategy)]
    symbols: dict[str | None, None] = {None: None}
    if not scope.whole:
        symbols = dict.fromkeys(group.contract.symbol for group in owned)
    for symbol in symbols:
        command = (
            Flatten(symbol=symbol, reason=wish.reason)
            if wish.flatten
            else CancelAll(symbol=symbol, reason=wish.reason, entries_only=True)
        )
        await trader.ask(command)


def _within(trader: Trader, symbol: str, group_id: str, scope: Scope) -> bool:
    group = trader.desk.state.groups.get(group_id)
    return scope.covers(symbol, group.strategy if group is not None else "")
