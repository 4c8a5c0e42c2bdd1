"""The engine: an event, a context and an instant in, decisions out. It asks nobody and acts on nothing.

    engine = Engine(rules)
    decisions = engine.evaluate(SignalCame(signal), context, now_ns)
    print(engine.explain("entry"))

An event meets only the rules that it can fire (`tws.rules.index`), in the order of priority. Of those whose
condition is true, one per event may touch the symbol's position: the first that nothing holds back; the
others are outranked. What the engine itself keeps (pauses, counts, switches, cooldowns) it changes when rules
fire, after all of them were judged; that memory is a plain value, and equal memory with equal events gives
equal decisions. A rule that raises is left out for that event, counted and named, and disabled at the fifth
time; the others go on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, NamedTuple

import msgspec

from tws.clock import NS_PER_S
from tws.model.session import session_day
from tws.rules.actions import DisableRule, EnableRule, SetCooldown
from tws.rules.compiling import Compiler, Numbered
from tws.rules.conditions import Field
from tws.rules.context import Context
from tws.rules.decisions import Barrier, Decisions, Failed, Fired, Held, Needs
from tws.rules.events import Event, Filled
from tws.rules.fields import nearest
from tws.rules.index import OTHER, SORTS, Index, operands, sort_of
from tws.rules.memory import MAX_FIRINGS, Fire, Memory, remember
from tws.rules.needs import NeedsTable
from tws.rules.reading import UNREAD, Reading, SlotTable, Unreadable
from tws.rules.render import rule_text
from tws.rules.rule import Rule, check_rules
from tws.rules.trace import Trace, traced

__all__ = ["MAX_FAULTS", "Engine"]

MAX_FAULTS = 5
"""Times that a rule may raise before it is disabled: one bad figure passes, a rule that can't be evaluated
does not.
"""
MAX_SEEN = 2_000
"""Events kept for explaining, the newest of each symbol and kind: five hundred symbols with four kinds."""
MAX_FIGURES = 1_000_000
"""Figures in all of them together, about 32 MB: an engine with very many figures keeps fewer events. Likewise
the rules in the lists of those that an event can fire, and those that fired or were held: beyond it they are
forgotten and gathered anew.
"""


OWN = (SetCooldown, EnableRule, DisableRule)
"""Actions that concern the engine itself; all others are wishes for the desk."""
_NONE: dict[str, Fire] = {}


class _Traits(NamedTuple):
    """What of a rule has to be known as soon as it fires."""

    trades: bool
    counts: bool
    """Its firings are remembered, since it has a pause or a bound, or asks for them."""
    acts: bool


class _Seen(NamedTuple):
    """An event as it was evaluated, for explaining."""

    reading: Reading
    rules: list[tuple[Numbered, int]]
    decisions: Decisions


class Engine:
    """Rules with their memory. Raises ValueError for rules that can't stand together (`check_rules`)."""

    def __init__(self, rules: Iterable[Rule], memory: Memory | None = None) -> None:
        ordered = sorted(check_rules(rules), key=lambda rule: -rule.priority)  # equals keep their order
        self.rules = tuple(ordered)
        self._numbers = {rule.name: number for number, rule in enumerate(ordered)}
        self._slots = SlotTable()
        self._compiler = Compiler(self._slots, ordered)
        self._entries = [(test, number) for number, test in enumerate(self._compiler.tests)]
        self._traits = [_traits(rule) for rule in ordered]
        self._index = Index([rule.when for rule in ordered])
        self._memory = _pruned(memory or Memory(), ordered)
        self.changes = 0
        """How often the memory was changed: who keeps it elsewhere sees by it whether to."""
        self._firings = self._memory.firings()
        self._chosen: dict[tuple[str, str], list[tuple[Numbered, int]]] = {}
        self._listed = 0
        """Rules in all lists that were made, and in all decisions, since they were forgotten last."""
        self._needs: NeedsTable | None = None
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self._keep = max(8, min(MAX_SEEN, MAX_FIGURES // max(1, len(self._slots.slots))))

    def evaluate(self, event: Event, context: Context, now_ns: int) -> Decisions:
        """What the rules wish on this event. `now_ns` is market time. Never raises for what a rule or the
        context does.
        """
        self._hear(event, now_ns)
        reading = Reading(self._slots.slots, self._memory, event, context, now_ns)
        rules = self._rules_for(event)
        values, read = reading.values, reading.read
        answers: list[Any] = [UNREAD] * len(self._compiler)
        hits: list[int] = []
        failed: list[Failed] = []
        for (place, test), number in rules:
            try:
                answer = answers[place]
                if answer is UNREAD:
                    answer = answers[place] = test(values, answers, read)
                if answer:
                    hits.append(number)
            except Exception as error:  # bad data is the fault of the rules that need it, and of no other
                failed.append(self._fault(number, event.symbol, error))
        fired, held = self._judge(hits, reading, failed)
        decisions = Decisions(
            at_ns=now_ns,
            symbol=event.symbol,
            fired=tuple(fired),
            held=tuple(held),
            failed=tuple(failed),
            looked=len(rules),
        )
        self._keep_seen(event, _Seen(reading, rules, decisions))
        return decisions

    def explain(self, rule: str, symbol: str | None = None, kind: str | None = None) -> Trace | None:
        """Why a rule did or did not fire on the newest event (of this symbol and kind); None when there was
        none.

        Without `kind` the newest event on which the rule was evaluated, if there was one. Raises ValueError
        for a rule that is unknown.
        """
        number = self._number(rule)
        found = [
            seen
            for (of, its_kind), seen in reversed(self._seen.items())
            if symbol in (None, of) and kind in (None, its_kind)
        ]
        if not found:
            return None
        seen = next((each for each in found if _looked_at(each, number)), found[0])
        looked = _looked_at(seen, number)
        tree = traced(self.rules[number].when, seen.reading, self._slots, rule) if looked else None
        return Trace(
            rule=rule,
            symbol=seen.reading.symbol,
            event=seen.reading.event.kind,
            at_ns=seen.reading.now_ns,
            outcome=self._outcome(rule, seen.decisions) if looked else self._not_looked(rule),
            tree=tree,
        )

    def needs(self, symbol: str) -> Needs:
        """What the enabled rules may ask of the context about this symbol."""
        if self._needs is None:
            self._needs = NeedsTable(rule for rule in self.rules if self.is_enabled(rule.name))
        return self._needs.find(symbol)

    def hears(self, kind: str, symbol: str) -> bool:
        """Whether some enabled rule can be fired by an event of this kind (`event` in a condition)."""
        sorts = [sort for sort in SORTS if sort.partition(" ")[0] == kind]
        return any(self._rules_of(sort, symbol) for sort in sorts)

    def fires(self, rule: str) -> dict[str, Fire]:
        """By symbol when a rule fired last, and how often that day; of rules that have a pause or a bound, or
        ask for it. Raises ValueError for a rule that is unknown.
        """
        self._number(rule)
        return dict(self._memory.fires.get(rule, _NONE))

    def cooldowns(self, now_ns: int) -> dict[str, float]:
        """By symbol the seconds that are left of its cooldown, where some are."""
        ends = self._memory.cooldowns_ns.items()
        return {symbol: (end_ns - now_ns) / NS_PER_S for symbol, end_ns in ends if end_ns > now_ns}

    def symbols(self) -> tuple[str, ...]:
        """The symbols that rules name as the event's, in alphabetical order."""
        return tuple(sorted(self._index.symbols))

    def is_enabled(self, rule: str) -> bool:
        """Whether a rule is enabled now. Raises ValueError for one that is unknown."""
        return self._memory.switched.get(rule, self.rules[self._number(rule)].enabled)

    def why_disabled(self, rule: str) -> str:
        """Why a rule is disabled; empty when it is enabled."""
        if self.is_enabled(rule):
            return ""
        return self._memory.reasons.get(rule, "it begins disabled")

    def enable(self, rule: str) -> None:
        """Enable a rule, from the next event on; its faults are forgotten. Raises ValueError."""
        self._switch(rule, True, "")

    def disable(self, rule: str, reason: str = "by hand") -> None:
        """Disable a rule, from the next event on. Raises ValueError."""
        self._switch(rule, False, reason)

    def memory(self) -> Memory:
        """A copy of all that the engine remembers; `Engine(rules, memory)` goes on from there."""
        return deepcopy(self._memory)

    def written(self) -> bytes:
        """All that the engine remembers as JSON, which reads back as a `Memory`."""
        return msgspec.json.encode(self._memory)

    def reloaded(self, rules: Iterable[Rule]) -> Engine:
        """An engine with other rules and this memory. Pauses and counts go on by the rule's name; a rule that
        is not written as it was is switched as it says itself, and its faults are forgotten. Raises
        ValueError.
        """
        return Engine(rules, self._memory)

    def _hear(self, event: Event, now_ns: int) -> None:
        """What a fill means for pauses, before any rule is asked."""
        if not isinstance(event, Filled):
            return
        if event.role == "entry":
            self.changes += 1
            remember(self._memory.entries_ns, event.symbol, now_ns)
        elif event.role == "stop" and event.left == 0:
            self.changes += 1
            remember(self._memory.stop_outs_ns, event.symbol, now_ns)
            self._memory.cooldowns_ns.pop(event.symbol, None)  # AUTOMATION.md: cleared by a stop-out

    def _rules_for(self, event: Event) -> list[tuple[Numbered, int]]:
        """The enabled rules that this event can fire, in the order of priority."""
        return self._rules_of(sort_of(event), event.symbol)

    def _rules_of(self, sort: str, symbol: str) -> list[tuple[Numbered, int]]:
        key = (sort, symbol if symbol in self._index.symbols else OTHER)
        found = self._chosen.get(key)
        if found is None:
            found = [
                self._entries[number]
                for number in self._index.find(*key)
                if self.is_enabled(self.rules[number].name)
            ]
            self._make_room(len(found))
            self._chosen[key] = found
        return found

    def _judge(
        self, hits: list[int], reading: Reading, failed: list[Failed]
    ) -> tuple[list[Fired], list[Held]]:
        """Of the rules whose condition holds, those that fire and those that are held back."""
        fired: list[Fired] = []
        held: list[Held] = []
        acting: list[Fired] = []
        trader = ""
        for number in hits:
            rule, traits = self.rules[number], self._traits[number]
            if traits.counts:
                try:
                    barrier = self._barrier(rule, reading)
                except Exception as error:  # a zone that nobody knows, or whatever the context raises
                    failed.append(self._fault(number, reading.symbol, error))
                    continue
                if barrier is not None:
                    held.append(barrier)
                    continue
            if traits.trades and trader:
                held.append(Held(rule.name, reading.symbol, Barrier.OUTRANKED, trader, rule.name))
                continue
            trader = trader or (rule.name if traits.trades else "")
            fires = Fired(rule.name, reading.symbol, rule.then)
            fired.append(fires)
            if traits.counts:
                self._count(rule, reading)
            if traits.acts:
                acting.append(fires)
        for each in reversed(acting):  # of two that disagree the one of higher priority has the last word
            self._take_effect(each, reading.now_ns)
        return fired, held

    def _barrier(self, rule: Rule, reading: Reading) -> Held | None:
        """What of its own past holds a rule back, if anything does."""
        past = self._memory.fires.get(rule.name, _NONE).get(reading.symbol)
        if past is None and self._firings >= MAX_FIRINGS:
            return Held(rule.name, reading.symbol, Barrier.MEMORY, str(self._firings), str(MAX_FIRINGS))
        if past is not None and rule.cooldown_s:
            since_s = (reading.now_ns - past.last_ns) / NS_PER_S
            if since_s < rule.cooldown_s:
                return Held(rule.name, reading.symbol, Barrier.COOLDOWN, str(since_s), str(rule.cooldown_s))
        if rule.per_day is not None:
            day = self._day(reading)
            if not day:
                return Held(rule.name, reading.symbol, Barrier.NO_DAY)
            if past is not None and past.day == day and past.count >= rule.per_day:
                return Held(rule.name, reading.symbol, Barrier.PER_DAY, str(past.count), str(rule.per_day))
        return None

    def _count(self, rule: Rule, reading: Reading) -> None:
        """Note that a rule fired."""
        self.changes += 1
        day = self._day(reading) if rule.per_day is not None else ""
        of_rule = self._memory.fires.setdefault(rule.name, {})
        past = of_rule.get(reading.symbol)
        if past is None:
            self._firings += 1
        count = past.count + 1 if past is not None and past.day == day and day else 1 if day else 0
        of_rule[reading.symbol] = Fire(reading.now_ns, day, count)

    def _day(self, reading: Reading) -> str:
        """The trading day, that of the session which is open, or else of the next one; empty when hours or
        zone are not known.
        """
        return session_day(reading.ask("session", reading.symbol), reading.ask("zone", reading.symbol))

    def _take_effect(self, fired: Fired, now_ns: int) -> None:
        """Do what concerns the engine itself."""
        self.changes += 1
        for action in fired.actions:
            if isinstance(action, SetCooldown):
                self._memory.cooldowns_ns.pop(fired.symbol, None)
                if action.seconds > 0:
                    ends_ns = now_ns + round(action.seconds * NS_PER_S)
                    remember(self._memory.cooldowns_ns, fired.symbol, ends_ns)
            elif isinstance(action, (EnableRule, DisableRule)):
                self._switch(action.rule, isinstance(action, EnableRule), f"by the rule {fired.rule}")

    def _fault(self, number: int, symbol: str, error: Exception) -> Failed:
        """Count a rule that raised; at the bound it is disabled."""
        rule = self.rules[number].name
        reason = str(error) if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"[:300]
        count = self._memory.faults[rule] = self._memory.faults.get(rule, 0) + 1
        self._memory.texts[rule] = rule_text(self.rules[number])
        self.changes += 1
        if count >= MAX_FAULTS:
            self._switch(rule, False, f"it raised {count} times, at last {reason}")
        return Failed(rule, symbol, reason, count, count >= MAX_FAULTS)

    def _switch(self, rule: str, on: bool, reason: str) -> None:
        number = self._number(rule)
        self.changes += 1
        self._memory.switched[rule] = on
        self._memory.texts[rule] = rule_text(self.rules[number])
        if on:
            self._memory.faults.pop(rule, None)
            self._memory.reasons.pop(rule, None)
        else:
            self._memory.reasons[rule] = reason
        self._chosen.clear()
        self._needs = None

    def _number(self, rule: str) -> int:
        try:
            return self._numbers[rule]
        except KeyError:
            raise ValueError(f"no rule {rule!r}. {nearest(rule, self._numbers)}") from None

    def _make_room(self, more: int) -> None:
        """Forget what only saves time or explains, once very much of it has come together."""
        self._listed += more
        if self._listed > MAX_FIGURES:
            self._chosen.clear()
            self._seen.clear()
            self._listed = more

    def _keep_seen(self, event: Event, seen: _Seen) -> None:
        seen.reading.close()
        self._make_room(len(seen.decisions.fired) + len(seen.decisions.held) + len(seen.decisions.failed))
        key = (event.symbol, event.kind)
        self._seen.pop(key, None)
        self._seen[key] = seen
        if len(self._seen) > self._keep:
            self._seen.popitem(last=False)

    def _outcome(self, rule: str, decisions: Decisions) -> str:
        if any(each.rule == rule for each in decisions.fired):
            return "fired"
        held = next((each for each in decisions.held if each.rule == rule), None)
        if held is not None:
            return f"was held back though its condition holds: {_barrier_text(held)}"
        failed = next((each for each in decisions.failed if each.rule == rule), None)
        return f"failed: {failed.reason}" if failed is not None else "did not fire"

    def _not_looked(self, rule: str) -> str:
        reason = self.why_disabled(rule)
        return (
            f"was not evaluated: it is disabled ({reason})"
            if reason
            else "was not evaluated: such an event can't fire it"
        )


def _traits(rule: Rule) -> _Traits:
    asks = any(isinstance(each, Field) and each.name == "since.fire" for each in operands(rule.when))
    return _Traits(
        trades=rule.trades,
        counts=bool(rule.cooldown_s) or rule.per_day is not None or asks,
        acts=any(isinstance(each, OWN) for each in rule.then),
    )


def _looked_at(seen: _Seen, number: int) -> bool:
    place = bisect_left(seen.rules, number, key=lambda entry: entry[1])  # they ascend: the index sorts them
    return place < len(seen.rules) and seen.rules[place][1] == number


def _barrier_text(held: Held) -> str:
    match held.barrier:
        case Barrier.OUTRANKED:
            return f"outranked by {held.figure}"
        case Barrier.COOLDOWN:
            return f"{held.barrier}, {float(held.figure):g} s of {float(held.bound):g} s have passed"
        case Barrier.NO_DAY:
            return str(held.barrier)
        case _:
            return f"{held.barrier}, {held.figure} of {held.bound}"


def _pruned(memory: Memory, rules: list[Rule]) -> Memory:
    """A copy of a memory, without what it knows of rules that are gone; what was switched or raised, and is
    written otherwise now, begins as it says itself.
    """
    own = deepcopy(memory)
    names = {rule.name for rule in rules}
    for rule in [rule for rule in own.fires if rule not in names]:
        del own.fires[rule]
    same = {rule.name for rule in rules if rule.name in own.texts and own.texts[rule.name] == rule_text(rule)}
    for table in (own.switched, own.reasons, own.faults, own.texts):
        for rule in [rule for rule in table if rule not in same]:
            del table[rule]
    return own
