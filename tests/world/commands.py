"""Somebody at the control channel of a run: what `tws reload`, `tws risk --set`, `tws rules`, `tws status`
and `tws stop` say to a trader, from the line of JSON on (the socket before it is tests/runtime's).

The configuration's file is edited as humans do it: other limits, other rules, half a file, a setting that
only a start takes up. What is refused may change nothing, what is taken up holds at once; each answer is held
against the file and the desk. `check_commands` looks at the whole run from the journal: every entry was
approved by the limits that stood there, and a rule that was switched off enters nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tws.clock import NS_PER_S
from tws.config import load_settings
from tws.model.order import Role
from tws.model.records import (
    Approved,
    Intended,
    LimitsChanged,
    Planned,
    Reloaded,
    ReversalMoved,
    RuleSwitched,
)
from tws.risk import Limits
from tws.runtime.control import Control
from tws.runtime.run import Run
from tws.world import World

if TYPE_CHECKING:
    from tests.world.automation import AutoHouse
    from tests.world.automix import AutoMix

__all__ = ["Operator", "check_commands"]

WISHES = ("limits", "limits", "rules", "rules", "switch", "switch", "set", "broken", "fixed", "dry", "status",
          "list", "explain", "nonsense", "stop")  # fmt: skip
LIMITS = ("", "max_order_notional = 9000", "max_order_quantity = 60", "stale_quote_s = 2.5",
          "max_order_notional = 40000\nmax_order_quantity = 900")  # fmt: skip
"""What may stand in the file's [risk]; the second and third deny most entries."""
WATCHED = ("max_order_quantity", "max_order_notional", "stale_quote_s")
OTHERWISE = (("confidence >= 0.5", "confidence >= 0.8"), ("== SELL", "in (SELL, CLOSE)"), ("tell", "say"))
"""What is changed in the rules (`autoconfig.RULES`): a condition, a closing one, a name."""
SWITCHED = ("enter", "enter", "enter", "turn-long")
WHO = {"operator": "ann", "reason": "she sees fit"}
SLOW_NS = 5 * NS_PER_S
"""From a decision to the record of its entry, on a slow disk."""
REVERSES_NS = 120 * NS_PER_S
"""From the word for a reversal to its entry, over lost links."""


class Operator:
    """One human, over all lives of a run. `path` is the configuration, his to edit."""

    def __init__(self, world: World, mix: AutoMix, path: Path) -> None:
        self.complaints: list[str] = []
        self.done: Counter[str] = Counter()
        self._world, self._rng, self._path = world, world.rng("operator"), path
        self._fixed = "function" in mix.sources
        """Its program brings a section along that the file has not: nothing of the file is taken up."""
        self._text = path.read_text(encoding="utf-8")
        """What the file is to say."""
        head, mark, rules = self._text.partition("[[rules]]")
        self._head, self._first = head, mark + rules
        self._limits, self._rules = "", self._first

    def mend(self) -> None:
        """The file as it is meant: before a start, should somebody have died over it."""
        self._path.write_text(self._text, encoding="utf-8")

    async def run(self, run: Run) -> None:
        """Until cancelled, in the process that flies."""
        control = Control(run)
        while run.trader.failure is None:
            await asyncio.sleep(self._rng.uniform(2.0, 9.0))
            wish = self._rng.choice(WISHES)
            self._world.trace.note(f"operator: {wish}")
            self.done[wish] += 1
            await self._do(wish, run, control)

    async def _do(self, wish: str, run: Run, control: Control) -> None:
        rng = self._rng
        match wish:
            case "limits":
                self._limits = rng.choice(LIMITS)
                await self._reload(run, control)
            case "rules" if self._first:
                was, now = rng.choice(OTHERWISE)
                self._rules = rng.choice((self._first, self._first.replace(was, now), ""))
                await self._reload(run, control)
            case "dry" | "rules":
                await self._refused(run, control, f"{self._head}\n[risk]\nmax_order_quantity = 7\n", dry=True)
            case "broken":
                await self._refused(run, control, self._text[: rng.randint(20, 200)] + "\n[ri")
            case "fixed":
                await self._refused(run, control, self._text.replace("cooldown_s = ", "cooldown_s = 1", 1))
            case "set":
                changes = {"max_order_notional": str(rng.choice((20_000, 30_000)))}
                answer = await self._ask(control, "limits", changes=changes, **WHO)
                limits = run.trader.desk.state.limits
                done = limits is not None and str(limits.max_order_notional) == changes["max_order_notional"]
                self._expect(run, answer["ok"] and done, wish, answer)
            case "nonsense":
                answer = await self._ask(control, "limits", changes={"max_order": "9"}, **WHO)
                self._expect(run, not answer["ok"], wish, answer)
            case "switch":
                await self._switch(run, control)
            case "stop":
                await self._ask(control, "stop", how=rng.choice(("protected", "flatten")))
            case "status":
                answer = await self._ask(control, "status")
                self._expect(run, answer["ok"], wish, answer)
            case _:
                answer = await self._ask(control, "rules", what=wish, rule="enter")
                fine = answer["ok"] or answer["error"]["kind"] == "ConfigError"  # it has no rules now
                self._expect(run, fine, wish, answer)

    async def _reload(self, run: Run, control: Control) -> None:
        """The file with other limits or rules, and the word to take it up."""
        assert run.pilot is not None
        before, old, text = _standing(run), run.trader.desk.state.configured, self._text
        self._text = f"{self._head}{self._rules}\n[risk]\n{self._limits}\n"
        self.mend()
        settings = load_settings(self._path)
        wanted = Limits.from_section(settings.risk.chosen())
        answer = await self._ask(control, "reload", **WHO)
        if not answer["ok"]:  # TWS could not be asked about what rules look at
            why = self._fixed or settings.rules != run.plan.settings.rules
            self._expect(run, why and _standing(run) == before, "reload", answer)
            self._text = text
            self.mend()
            return
        _, limits, rules = _standing(run)
        taken = limits == (before[1] if wanted == old else wanted) and rules == run.plan.rules
        self._expect(run, taken and run.plan.settings.rules == settings.rules, "reload", answer)

    async def _refused(self, run: Run, control: Control, text: str, dry: bool = False) -> None:
        """A file that is not taken up; what stood before stands."""
        before = _standing(run)
        self._path.write_text(text, encoding="utf-8")
        answer = await self._ask(control, "reload", dry=dry, **WHO)
        self.mend()
        told = not answer["result"]["changed"] if answer["ok"] else answer["error"]["kind"] == "ConfigError"
        fine = told and answer["ok"] == (dry and not self._fixed) and _standing(run) == before
        self._expect(run, fine, "no reload", answer)

    async def _switch(self, run: Run, control: Control) -> None:
        assert run.pilot is not None
        rule, on = self._rng.choice(SWITCHED), self._rng.random() < 0.5
        answer = await self._ask(control, "rules", what="enable" if on else "disable", rule=rule, **WHO)
        rules = run.pilot.rules
        known = rules is not None and any(each.name == rule for each in rules.engine.rules)
        done = rules is not None and known and rules.engine.is_enabled(rule) == on
        self._expect(run, answer["ok"] == known and (done or not known), "switch", answer)

    async def _ask(self, control: Control, do: str, **values: Any) -> dict[str, Any]:
        line = json.dumps({"token": control._token, "do": do, **values}).encode()
        answer, _ = await control._channel.answer(line)
        json.dumps(answer)  # as the channel says it
        return answer

    def _expect(self, run: Run, fine: bool, wish: str, answer: dict[str, Any]) -> None:
        """A trader that has failed meanwhile may answer what it likes."""
        if not fine and run.trader.failure is None:
            self.complaints.append(f"operator: after {wish}: {json.dumps(answer)[:300]}")


def _standing(run: Run) -> tuple[Any, Any, Any]:
    """What holds: the plan, the desk's limits, the engine's rules."""
    assert run.pilot is not None
    rules = run.pilot.rules
    return run.plan, run.trader.desk.state.limits, () if rules is None else tuple(rules.engine.rules)


def check_commands(house: AutoHouse) -> list[str]:
    """What was commanded holds, by the journal."""
    found = [] if house.operator is None else list(house.operator.complaints)
    limits: dict[str, str] = {}
    entries: set[str] = set()
    off: dict[str, int] = {}  # rules that a human has switched off, and when
    reversed_ns: dict[str, int] = {}
    for record in house.witness.records:
        match record:
            case LimitsChanged():
                limits = record.limits
            case Reloaded():
                off = {name: at_ns for name, at_ns in off.items()
                       if not any(f"rules.{name}" in change for change in record.changes)}  # fmt: skip
            case RuleSwitched(rule=name, enabled=on, at_ns=at_ns):
                off = {each: off[each] for each in off if each != name} | ({} if on else {name: at_ns})
            case ReversalMoved(symbol=symbol, at_ns=at_ns):
                reversed_ns[symbol] = at_ns
            case Intended(role=Role.ENTRY, intent_id=name):
                entries.add(name)
            case Approved(intent_id=name, figures=figures) if name in entries:
                found += [
                    f"{name} was approved by {limit} {figures[limit][1]}, {limits[limit]} was in force"
                    for limit in WATCHED
                    if limit in figures and Decimal(figures[limit][1]) != Decimal(limits[limit])
                ]
            case Planned(joins="", contract=contract, at_ns=at_ns, group_id=name) if "enter" in off:
                turned = at_ns - reversed_ns.get(contract.symbol, -REVERSES_NS) < REVERSES_NS
                if at_ns - off["enter"] > SLOW_NS and not turned:
                    found.append(f"{name} entered {contract.symbol}, though its rule was switched off")
    return found
