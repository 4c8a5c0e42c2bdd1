"""The rules of a run: events in, decisions out to their hands (`ruledeeds`), with what they remember kept.

Where a run has rules, a signal that its gate let through does what a rule makes of it, and nothing else.
What the engine remembers is on the disk (`rulefile`) before anything is done, so that a restart goes on from
there. Each rule's counts and its last word stand in the report and in `tws rules list`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from tws.clock import NS_PER_S, to_datetime
from tws.desk import NoteRules
from tws.log import get_logger
from tws.model.rulerecords import RuleSwitched
from tws.model.session import session_day
from tws.model.sizing import RiskFraction
from tws.rules import Decisions, DisableRule, EnableRule, Engine, Event, Rule, SignalCame
from tws.rules.trace import Answer, Node
from tws.runtime.market import Markets
from tws.runtime.plan import RunPlan, asked_about
from tws.runtime.report import RuleOnSymbol, RuleTally
from tws.runtime.ruledeeds import OF_SIGNAL, RuleDeeds
from tws.runtime.rulefile import read_memory, write_memory
from tws.runtime.rulescene import RuleScene
from tws.runtime.stances import Stances
from tws.runtime.trader import Trader
from tws.strategy import Reason
from tws.strategy.refusal import refused

if TYPE_CHECKING:
    from tws.runtime.pilot import Pilot

__all__ = ["RulesReloaded", "Ruling", "sized_by_risk"]

MOST_EXPLAINED = 200
"""Rules of which a list says why they did not fire: each takes a walk through its condition, and a human
reads no more; `tws rules explain` tells of any.
"""

log = get_logger("tws.runtime")


class RulesReloaded(Struct, frozen=True, kw_only=True):
    """What a reload changed, by the names of rules."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Ruling:
    """Raises DataError for a memory of an earlier run that is not whole: before anything is dialled."""

    def __init__(
        self, rules: tuple[Rule, ...], plan: RunPlan, trader: Trader, markets: Markets, pilot: Pilot
    ) -> None:
        self._path = plan.place.rules
        self.engine = Engine(rules, read_memory(self._path))
        self.unkept = ""
        """Why what the rules remember can't be kept; then they open nothing."""
        self.alerts: list[str] = []
        self._plan = plan
        self._trader = trader
        self._markets = markets
        self._pilot = pilot
        self._symbols = [symbol for section in plan.sections for symbol in section.symbols]
        self._kept = 0
        self._on = self._switches()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last: dict[str, str] = {}
        self._fired: dict[str, tuple[int, str]] = {}
        self._ticks: dict[str, int] = {}
        self._quoted: tuple[int, list[str]] = (-1, [])

    def take_up(self, plan: RunPlan) -> None:
        """A quote's age is bounded by this plan's limits; other rules come by `exchange`."""
        self._plan, self._scene.stale_ns = plan, plan.limits.stale_quote_ns

    async def open(self, stances: Stances) -> None:
        """Follow what rules look at and nobody trades. Raises what asking TWS raises."""
        self._scene = RuleScene(self._markets, stances, self._plan.limits.stale_quote_ns)
        self._deeds = RuleDeeds(self._trader, self._markets, self._pilot, stances, self.alerts)
        await self._follow(self.engine)

    async def hear(self, event: Event, now_ns: int) -> None:
        """What the rules wish on an event is done, in the order of priority; a signal's fate is noted."""
        limits = self._trader.desk.state.limits or self._plan.limits
        self._scene.now_ns, self._scene.stale_ns = now_ns, limits.stale_quote_ns
        decisions = self.engine.evaluate(event, self._scene, now_ns)
        self._tally(decisions)
        self._keep()
        await self._note_switches(decisions)
        for fired in decisions.fired:
            for action in fired.actions:
                why = await self._deeds.do(fired, action, event, now_ns, self.unkept)
                if why:
                    self._last[fired.rule] = f"last without effect: {why}"
                    log.info("a rule fired without effect", rule=fired.rule, reason=why)
        if isinstance(event, SignalCame) and not any(
            isinstance(action, OF_SIGNAL) for fired in decisions.fired for action in fired.actions
        ):
            names = ", ".join(each.rule for each in decisions.fired)
            text = f"{names} fired, and does nothing with a signal" if names else "no rule fired on it"
            self._pilot.book.unmade(event.signal, refused(event.signal, Reason.NO_RULE, text))

    def hears(self, kind: str, symbol: str) -> bool:
        """Whether some rule can be fired by an event of this kind: others need not be sent."""
        return self.engine.hears(kind, symbol)

    def moved(self) -> list[str]:
        """The traded symbols whose quote changed since the last look, of those whose quotes rules hear."""
        if self._quoted[0] != self.engine.changes:
            heard = [symbol for symbol in self._symbols if self.engine.hears("quote", symbol)]
            self._quoted = self.engine.changes, heard
        found = []
        for symbol in self._quoted[1]:
            ticks = self._markets.ticks(symbol)
            if self._ticks.get(symbol, 0) != ticks:
                self._ticks[symbol] = ticks
                found.append(symbol)
        return found

    async def again(self, now_ns: int) -> None:
        """What could not be done at once is tried again; once a second or so."""
        await self._deeds.again(now_ns)

    # -- changed while it runs

    async def prepare(self, rules: tuple[Rule, ...]) -> None:
        """Follow what other rules look at. Raises ValueError for rules that can't stand together, and what
        asking TWS raises.
        """
        await self._follow(Engine(rules))

    def exchange(self, rules: tuple[Rule, ...]) -> RulesReloaded:
        """Prepared rules in place of these, from the next event on.

        Pauses and executions of the day go on by the rule's name, switches where the rule is written as it
        was.
        """
        old, new = ({each.name: each for each in table} for table in (self.engine.rules, rules))
        self.engine = self.engine.reloaded(rules)
        self._kept, self._quoted = -1, (-1, [])
        self._keep(lasting=True)
        self._on = self._switches()
        return RulesReloaded(
            added=tuple(name for name in new if name not in old),
            changed=tuple(name for name in new if name in old and new[name] != old[name]),
            removed=tuple(name for name in old if name not in new),
        )

    async def switch(self, rule: str, on: bool, operator: str, reason: str) -> None:
        """A human enables or disables a rule, from the next event on; it stays so over a restart. Raises
        ValueError for a rule that is unknown.
        """
        if on:
            self.engine.enable(rule)
        else:
            self.engine.disable(rule, f"{operator}: {reason}")
        self._on[rule] = on
        self._keep(lasting=True)
        row = RuleSwitched(at_ns=0, rule=rule, enabled=on, operator=operator, reason=reason)
        await self._trader.ask(NoteRules(rows=(row,)))

    def save(self) -> None:
        """At the end: what they remember, on the medium."""
        self._kept = -1
        self._keep(lasting=True)

    async def _follow(self, engine: Engine) -> None:
        """All that rules look at; what is followed already learns what more they ask."""
        seconds = self._plan.sections[0].bar_seconds
        for symbol in sorted({*self._symbols, *asked_about(engine.rules)}):
            needs = engine.needs(symbol)
            await self._markets.follow(symbol, seconds, needs.indicators, (needs.bars_back or 0) + 1)
            if symbol not in self._symbols:
                self._markets.want_past(symbol)
            elif needs.indicators:
                self._markets.warming.need(symbol)

    def _keep(self, *, lasting: bool = False) -> None:
        """What was remembered since the last time is written; a disk that takes nothing is told once."""
        if self._kept == self.engine.changes:
            return
        try:
            write_memory(self._path, self.engine.written(), lasting=lasting)
        except OSError as wrong:
            if not self.unkept:
                log.error("what the rules remember is not kept: they open nothing", reason=str(wrong))
            self.unkept = f"what the rules remember can't be kept: {wrong}"
            return
        self._kept, self.unkept = self.engine.changes, ""

    def _switches(self) -> dict[str, bool]:
        return {each.name: self.engine.is_enabled(each.name) for each in self.engine.rules}

    async def _note_switches(self, decisions: Decisions) -> None:
        """Rules that another rule switched, or that were disabled since they raise, go into the journal."""
        names = [each.rule for each in decisions.failed if each.disabled]
        names += [
            action.rule
            for fired in decisions.fired
            for action in fired.actions
            if isinstance(action, EnableRule | DisableRule)
        ]
        rows = []
        for name in dict.fromkeys(names):
            on = self.engine.is_enabled(name)
            if self._on[name] != on:
                self._on[name] = on
                reason = self.engine.why_disabled(name) or "by a rule"
                rows.append(RuleSwitched(at_ns=0, rule=name, enabled=on, reason=reason))
        if rows:
            await self._trader.ask(NoteRules(rows=tuple(rows)))

    # -- told

    def _tally(self, decisions: Decisions) -> None:
        for held in decisions.held:
            self._counts[held.rule, "held"] += 1
            self._last[held.rule] = f"held back: {held.barrier}"
        for failed in decisions.failed:
            self._counts[failed.rule, "failed"] += 1
            self._last[failed.rule] = f"failed: {failed.reason}"
            log.warning("a rule failed", rule=failed.rule, reason=failed.reason, disabled=failed.disabled)
        for fired in decisions.fired:
            self._counts[fired.rule, "fired"] += 1
            self._last[fired.rule] = ""
            self._fired[fired.rule] = decisions.at_ns, fired.symbol

    def tallies(self, now_ns: int, most: int | None = None) -> list[RuleTally]:
        """How each rule stands, in the order of priority; at most so many."""
        explained = 0
        rows = []
        for rule in self.engine.rules[:most]:
            fired, last = self._counts[rule.name, "fired"], self._last.get(rule.name, "")
            if not (last or fired) and explained < MOST_EXPLAINED and self.engine.is_enabled(rule.name):
                explained += 1
                last = self._why_not(rule.name)
            rows.append(self._tally_of(rule, last, now_ns))
        return rows

    def _tally_of(self, rule: Rule, last: str, now_ns: int) -> RuleTally:
        name = rule.name
        on = {symbol: self._on_symbol(rule, symbol, now_ns) for symbol in self.engine.fires(name)}
        at_ns, symbol = self._fired.get(name, (0, ""))
        if not at_ns and on:
            at_ns, symbol = max((each.last_ns, of) for of, each in self.engine.fires(name).items())
        return RuleTally(
            rule=name,
            priority=rule.priority,
            enabled=self.engine.is_enabled(name),
            disabled=self.engine.why_disabled(name),
            fired=self._counts[name, "fired"],
            held=self._counts[name, "held"],
            failed=self._counts[name, "failed"],
            last_fired="" if not at_ns else to_datetime(at_ns).isoformat(),
            last_symbol=symbol,
            cooldown_s=max((each.cooldown_s for each in on.values()), default=0.0),
            today=sum(each.today for each in on.values()),
            per_day=rule.per_day,
            symbols=on,
            last=last,
        )

    def _on_symbol(self, rule: Rule, symbol: str, now_ns: int) -> RuleOnSymbol:
        past = self.engine.fires(rule.name)[symbol]
        day = session_day(self._markets.session(symbol, now_ns), self._markets.zone(symbol))
        return RuleOnSymbol(
            last_fired=to_datetime(past.last_ns).isoformat(),
            cooldown_s=max(0.0, rule.cooldown_s - (now_ns - past.last_ns) / NS_PER_S),
            today=past.count if day and past.day == day else 0,
        )

    def lines(self, now_ns: int) -> list[str]:
        """The rules, for a human."""
        return [f"  {each}" for each in self.tallies(now_ns)] + [
            f"  alert of {each}" for each in self.alerts
        ]

    def _why_not(self, name: str) -> str:
        trace = self.engine.explain(name)
        if trace is None:
            return "no event yet"
        leaf = None if trace.tree is None else _decisive(trace.tree)
        return trace.outcome if leaf is None else f"last {leaf.answer}: {leaf.text} ({leaf.figures})"


def sized_by_risk(rules: Iterable[Rule]) -> bool:
    """Whether some rule sizes by a part of the equity, which somebody has to ask for."""
    actions = (action for each in rules for action in each.then)
    return any(isinstance(getattr(action, "size", None), RiskFraction) for action in actions)


def _decisive(node: Node) -> Node | None:
    """The first leaf that kept a condition from being true."""
    if not node.parts:
        return node if node.answer in (Answer.FALSE, Answer.UNKNOWN, Answer.FAILED) else None
    return next((found for part in node.parts if (found := _decisive(part)) is not None), None)
