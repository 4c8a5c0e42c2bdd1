"""`tws kill` as the trader carries it out, or the process that took its place; and its answer.

`Trader.kill` does the work (docs/design/kill.md). Here is what a command asks for, the latch on disk that
comes before all else, and the answer as values that travel over the control channel.
"""

from __future__ import annotations

from msgspec import Struct

from tws.errors import ConfigError
from tws.model.stop import EVERYTHING, KillState, Scope, ScopeKind
from tws.runtime.trader import Trader
from tws.runtime.windup import bare
from tws.safety import SafetyFile

__all__ = ["ANSWER_S", "StopAnswer", "StopWish", "carry_on", "latch_file", "named", "reset_stops", "stop_now"]

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
        kinds = (
            (ScopeKind.STRATEGY, self.strategy),
            (ScopeKind.SYMBOL, self.symbol),
            (ScopeKind.ACCOUNT, self.account),
        )
        named = [(kind, name) for kind, name in kinds if name]
        if len(named) > 1:
            names = ", ".join(name for _, name in named)
            raise ConfigError("scope", names, "are several scopes", "Name one at a time")
        return Scope(kind=named[0][0], name=named[0][1]) if named else EVERYTHING


class StopAnswer(Struct, frozen=True, kw_only=True):
    """FLAT, proven, or not. `settled`: what was ordered is done, or waits for a market or a human."""

    flat: bool
    settled: bool
    sentences: tuple[str, ...]
    unprotected: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For a human, the verdict first."""
        return [*self.sentences, *(f"WITHOUT A STOP: {each}" for each in self.unprotected)]


def named(operator: str, reason: str) -> tuple[str, str]:
    """Who and why, in one line each. Raises ConfigError without."""
    if not operator.strip() or not reason.strip():
        cure = "Give --operator and --reason"
        raise ConfigError("operator", operator, "this wants a name and a reason", cure)
    return " ".join(operator.split()), " ".join(reason.split())


def latch_file(safety: SafetyFile, wish: StopWish, at_ns: int) -> None:
    """The first thing of all. Raises SafetyError, ConfigError."""
    state = KillState.FLATTENING if wish.flatten else KillState.HALTED
    safety.latch(state, at_ns=at_ns, reason=wish.reason, operator=wish.operator, scope=wish.scope)


async def stop_now(trader: Trader, wish: StopWish, answer_s: float) -> StopAnswer:
    """Carry it out; answers within `answer_s`. Raises ConfigError for a wish that is none, TWSError."""
    report = await trader.kill(
        reason=wish.reason, operator=wish.operator, flatten=wish.flatten, scope=wish.scope, answer_s=answer_s
    )
    return StopAnswer(
        flat=report.flat,
        settled=report.settled,
        sentences=tuple(report.sentences()),
        unprotected=tuple(bare(trader.desk.state)),
    )


async def carry_on(trader: Trader, safety: SafetyFile, answer_s: float) -> list[str]:
    """Order what a latch says and the desk does not know: it was pulled while no trader could hear of it, or
    while nothing could be closed.

    Answers the verdicts. Raises what `Trader.kill` raises.
    """
    said = []
    for latch in safety.state.latches:
        flatten = latch.state is KillState.FLATTENING
        stands = trader.desk.state.kill.stops.get(latch.scope.key)
        if latch.state is KillState.ACTIVE or (stands is not None and stands.flatten >= flatten):
            continue
        report = await trader.kill(
            reason=latch.reason,
            operator=latch.operator,
            flatten=flatten,
            scope=latch.scope,
            answer_s=answer_s,
        )
        said.append(report.sentences()[0])
    return said


async def reset_stops(
    trader: Trader, safety: SafetyFile, operator: str, reason: str, accept: bool
) -> list[str]:
    """A named human ends every stop; the latches go when the desk agreed. Raises ConfigError when it does
    not.
    """
    ended = []
    for stop in tuple(trader.desk.state.kill.stops.values()):
        denied = await trader.reset(operator=operator, reason=reason, scope=stop.scope, accept=accept)
        if denied is not None:
            raise ConfigError("reset", denied.figure, denied.reason, "Close it first, or: --accept-positions")
        ended.append(f"{stop.state} on {stop.scope.key}")
    gone = safety.reset(at_ns=trader.clock.now_ns())
    return ended or [f"{each.state} on {each.scope.key}" for each in gone]
