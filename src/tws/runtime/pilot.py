"""Signals into linked orders while a trader runs: from all sources and the built-in strategies, by the
market's clock.

    sources ─▶ gate of the section ─▶ rules, or what the section does ─▶ Move ─▶ desk
                     └────────── fate book: report, --json, journal ────────┘

A look (`step`) takes the bars that ended, the fills and the signals that came since the last one. Whatever
brings one of these rings the trader's bell, and a look follows at once; what time alone brings is looked at
when `timed`. A look at which little is new costs little, however many symbols are traded. A signal
that its gate lets through means what `tws.strategy.manage` says, given what is held; where the file has
rules, they decide instead (`ruling`). One that comes before its symbol's first quote waits for it
(`waiting`). The risk gate has the last word. What one source, one strategy or one signal does wrong is its
own: the others go on.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.desk import NoteAlarm, NoteSignals
from tws.errors import TWSError
from tws.log import get_logger
from tws.marketdata import BarDone
from tws.model.order import Role
from tws.model.session import Session
from tws.model.signal import Signal
from tws.rules import BarEnded, Event, QuoteMoved, Rule, SignalCame, TimePassed
from tws.rules.events import Filled
from tws.runtime.acting import Equity, act
from tws.runtime.closing import DayClose
from tws.runtime.doubling import Doubling
from tws.runtime.market import Markets
from tws.runtime.plan import RunPlan
from tws.runtime.ruling import RulesReloaded, Ruling, sized_by_risk
from tws.runtime.stances import Stances
from tws.runtime.strand import Strand
from tws.runtime.trader import Trader
from tws.runtime.waiting import Waiting, priced
from tws.signals import Sources, Taken
from tws.signals.opening import Surroundings, open_sources
from tws.strategy import FateBook, Reason, Refusal, TradePlan
from tws.strategy.manage import Add, Enter, Market, Move, Reverse, manage
from tws.strategy.refusal import as_text, refused

__all__ = ["Pilot"]

TIMER_NS = NS_PER_S
"""How often rules hear that time has passed (docs/design/rules.md)."""

MADE_READY = 50
"""Symbols whose first orders are made ready for, 1 ms each. They are of eight kinds a symbol, and the
connection remembers 512.
"""

log = get_logger("tws.runtime")


class Pilot:
    """Flies one trader by its plan.

    Raises ConfigError, DataError for sources that can't be opened: before anything is dialled.
    """

    def __init__(self, trader: Trader, plan: RunPlan, rng: random.Random | None = None) -> None:
        self.book = FateBook()
        self.denied: Counter[str] = Counter()
        self.traded = self.closed = 0
        """Entries that were made, reversals and additions among them, and closes that were asked for."""
        self.strands = [Strand(section) for section in plan.sections]
        self._share = plan.share
        parts = trader.parts
        self.programs = plan.hosted(parts.blocked)
        self.disabled: dict[str, str] = {}
        """Strategies in Python that play no more, and why."""
        merged = [each for each in plan.sections if each.bars_from == "real-time"]
        real_time = frozenset(symbol for each in merged for symbol in each.symbols)
        self.markets = Markets(trader, plan.place.folder / "bars", real_time)
        self._trader = trader
        around = Surroundings(
            clock=trader.clock,
            rng=rng or random.Random(),
            folder=plan.path.parent,
            environ=parts.environ,
            transport=parts.transport,
            made=parts.sources,
        )
        self.sources = Sources(open_sources(plan.settings, around))
        self._named = {each.name: each for each in self.strands if each.heard or each.name in self.programs}
        self._of = {symbol: strand for strand in self.strands for symbol in strand.section.symbols}
        wanted = any(strand.section.wants_equity for strand in self.strands) or sized_by_risk(plan.rules)
        self._equity = Equity(trader, wanted)
        self._plan = plan
        self.rules = Ruling(plan.rules, plan, trader, self.markets, self) if plan.rules else None
        self.closing = DayClose(trader, plan.settings.run.flatten_before_close_s)
        self._reversing: list[tuple[Signal, Reverse]] = []
        self._doubles = any(strand.conduct.double_down for strand in self.strands)
        self._waiting = Waiting()
        self._timer_ns = 0

    async def open(self) -> None:
        """Look every symbol up, follow its market, start the sources. Raises what asking TWS raises, and
        ConfigError or MissingExtraError of a source that a human has to mend.
        """
        for number, (symbol, strand) in enumerate(self._of.items()):
            await self.markets.follow(symbol, strand.section.bar_seconds)
            if number < MADE_READY:
                self._trader.make_ready(self.markets.instrument(symbol).contract)
            if strand.section.warm_up and strand.name not in self.programs:
                self.markets.want_past(symbol, quiet=not strand.section.waits_for_indicators)
        self.stances = Stances(self._trader)
        self._doubling = Doubling(self._trader, self.stances)
        for strand in self.strands:
            strand.recall(self._trader.desk.state, self.stances, self._trader.clock.now_ns())
        if self.rules is not None:
            await self.rules.open(self.stances)
        await self._equity.first(self._trader.clock.now_ns())
        self.sources.on_news(self._trader.bell.ring)
        await self.sources.start()
        for program in self.programs.values():
            await program.open(self._trader, self.markets)
        self.markets.warming.start()

    def take_up(self, plan: RunPlan) -> None:
        """Other limits of the same file (`reloading`)."""
        self._plan, self._share = plan, plan.share
        if self.rules is not None:
            self.rules.take_up(plan)

    async def close(self) -> None:
        """The sources and the strategies end; safe twice, and before `open`."""
        await self.sources.stop()
        await self._end_programs()
        await self.markets.close()
        await self._equity.close()
        if self.rules is not None:
            self.rules.save()

    async def other_rules(self, rules: tuple[Rule, ...]) -> Callable[[], RulesReloaded]:
        """What puts other rules in place, from the next event on (`Ruling.exchange`), once all that they look
        at is followed; without any, a signal does what its section says. Raises ValueError for rules that
        can't stand together, DataError for a memory of an earlier run that is not whole, and what asking TWS
        raises. Until it is called all goes on as it was.
        """
        self._equity.wanted = self._equity.wanted or sized_by_risk(rules)
        ruling = self.rules
        if ruling is not None:
            await ruling.prepare(rules)
        elif rules:
            ruling = Ruling(rules, self._plan, self._trader, self.markets, self)
            await ruling.open(self.stances)

        def put() -> RulesReloaded:
            before, self.rules = self.rules, ruling if rules else None
            if before is None or ruling is None:
                return RulesReloaded(added=tuple(each.name for each in rules))
            return ruling.exchange(rules)

        return put

    def sessions(self, now_ns: int) -> dict[str, Session | None]:
        """Of each traded symbol the session that holds `now_ns`, or the next; None when none is stated."""
        return {symbol: self.markets.session(symbol, now_ns) for symbol in self._of}

    async def step(self, now_ns: int, *, timed: bool = True) -> None:
        """One look; `timed` looks at what time alone brings, too. Raises what ended the trader."""
        if timed:
            self._equity.look(now_ns)
        ended = self.markets.advance(now_ns)
        self._tell_sessions()
        for done in ended:
            await self._on_bar(done, now_ns)
        fills = self.stances.fills()
        for fill in fills:
            await self._on_fill(fill, now_ns)
        for taken in self.sources.take(now_ns):
            await self._on_taken(taken, now_ns)
        for name, program in self.programs.items():
            for signal in program.step(now_ns, timed=timed):
                await self._judge(self._named[name], signal, now_ns)
            if program.disabled and name not in self.disabled:
                self.disabled[name] = program.disabled
                text = f"{name} is disabled, what it holds stays behind its stops: {program.disabled}"
                await self._trader.ask(NoteAlarm(subject=f"strategy {name}", text=text))
        await self._after_waiting(now_ns)
        if timed:
            await self._on_quotes(now_ns)
        await self._on_time(now_ns)
        self._settle_reversals(now_ns)
        if (self._doubles or self.rules is not None) and (timed or fills):
            await self._double_down(now_ns)
        self._note_fates(now_ns)

    async def finish(self, now_ns: int) -> None:
        """After the last look: strategies are told of the end, and what became of reversals on their way is
        noted. Raises what ended the trader.
        """
        await self._end_programs()
        self._settle_reversals(now_ns)
        for symbol in self._waiting.symbols():
            self._give_up(symbol, "the run has ended before the first quote")
        rows = self.book.take_records(now_ns)
        if rows:
            await self._trader.ask(NoteSignals(rows=tuple(rows)))

    async def _end_programs(self) -> None:
        await asyncio.gather(*(each.close() for each in self.programs.values()))

    def _note_fates(self, now_ns: int) -> None:
        rows = self.book.take_records(now_ns)
        if rows:
            self._trader.note(NoteSignals(rows=tuple(rows)))

    def _tell_sessions(self) -> None:
        for symbol, session in self.markets.take_sessions():
            if (strand := self._of.get(symbol)) is not None:
                self.sources.on_session(symbol, session)
                strand.on_session(symbol, session)

    async def _on_bar(self, done: BarDone, now_ns: int) -> None:
        self.sources.on_bar(done.symbol, done.bar)
        strand = self._of.get(done.symbol)
        if strand is None:
            return  # a symbol that rules look at, and nobody trades
        for signal in strand.on_bar(done.symbol, done.bar):
            await self._judge(strand, signal, now_ns)
        await self._tell_rules(BarEnded(done.symbol), now_ns)

    async def _on_fill(self, fill: Filled, now_ns: int) -> None:
        strand = self._of.get(fill.symbol)
        if strand is None:
            return
        if fill.role == "stop" and not fill.left:
            strand.gate.stopped_out(fill.symbol)  # a stop-out ends the cooldown of its symbol
        await self._tell_rules(fill, now_ns)

    async def _on_taken(self, taken: Taken, now_ns: int) -> None:
        strand = self._named[taken.source]
        if isinstance(taken.value, Refusal):
            self.book.refused(taken.source, strand.gate.keep(taken.value))
        else:
            for program in self.programs.values():
                program.hear(taken.value)
            await self._judge(strand, taken.value, now_ns)

    async def _judge(self, strand: Strand, signal: Signal, now_ns: int) -> None:
        """The gate's word, then what the signal means now."""
        signal = replace(signal, model=signal.model or strand.name)
        session = await self.markets.hours(as_text(signal.symbol), now_ns)  # the gate has not seen it yet
        self._settle_reversals(now_ns)
        refusal = strand.gate.judge(signal, now_ns, session)
        if refusal is not None:
            self.book.refused(strand.name, refusal, signal)
            log.info("signal refused", reason=str(refusal.reason), text=refusal.text)
            return
        self.book.passed(strand.name, signal, now_ns)
        self._note_fates(now_ns)  # on disk together with what comes of it
        if signal.symbol in self._waiting:
            self._give_up(signal.symbol, "a later signal came before the first quote")
        if not signal.wish.closes and not priced(self.markets.quote(signal.symbol)):
            self.book.waits(signal, self._waiting.put(signal, now_ns, strand.gate.rules.max_age_s))
            self.markets.on_move(self._moved)
            return
        await self._decide(strand, signal, now_ns)

    async def _decide(self, strand: Strand, signal: Signal, now_ns: int) -> None:
        """What a signal means, and what comes of it. What goes wrong with one is none of the next one's."""
        if self.rules is not None:
            why = await self._tell_rules(SignalCame(signal), now_ns)
            if why:
                self.denied["not sent"] += 1
                self.book.denied(signal, "not sent", "", "", why)
            return
        symbol = signal.symbol
        market, plan = self.market(symbol), self.plan(symbol)
        try:
            answer = manage(signal, self.stances.stance(symbol), market, plan, strand.conduct)
        except ValueError as wrong:  # prices beyond what an order may have
            answer = refused(signal, Reason.PRICE, str(wrong))
        await self.perform(signal, answer, now_ns)

    async def _tell_rules(self, event: Event, now_ns: int) -> str:
        """Rules hear of an event, where there are any; answers why the desk did not take what they wish, ""
        when it did. What comes behind the event in this look is heard all the same.
        """
        if self.rules is None:
            return ""
        try:
            await self.rules.hear(event, now_ns)
        except TWSError as wrong:
            if self._trader.failure is not None:
                raise
            log.warning("rules could not act", on=event.kind, symbol=event.symbol, reason=str(wrong))
            return str(wrong)
        return ""

    # -- signals that wait for the first quote of their symbol

    def _moved(self, symbol: str) -> None:
        if symbol in self._waiting:
            self._trader.bell.ring()

    async def _after_waiting(self, now_ns: int) -> None:
        """Those whose quote has come go on, those whose time is over are refused."""
        if not self._waiting:
            return
        for symbol in self._waiting.symbols():
            if not priced(self.markets.quote(symbol)):
                continue
            signal, strand = self._waiting.take(symbol), self._of[symbol]
            refusal = strand.gate.still(signal, now_ns, self.markets.session(symbol, now_ns))
            if refusal is None:
                await self._decide(strand, signal, now_ns)
            else:
                self._refuse(signal, refusal)
        for signal, refusal in self._waiting.overdue(now_ns):
            self._refuse(signal, refusal)
        if not self._waiting:
            self.markets.on_move(None)

    def _give_up(self, symbol: str, why: str) -> None:
        signal = self._waiting.take(symbol)
        self._refuse(signal, refused(signal, Reason.NO_QUOTE, why))

    def _refuse(self, signal: Signal, refusal: Refusal) -> str:
        """A signal that had passed comes to nothing; answers why."""
        refusal = self._of[signal.symbol].gate.keep(refusal)
        self.book.unmade(signal, refusal)
        log.info("signal refused", reason=str(refusal.reason), text=refusal.text)
        return refusal.text

    # -- what rules ask, too

    def strand(self, symbol: str) -> Strand:
        """The section that owns a symbol."""
        return self._of[symbol]

    def market(self, symbol: str) -> Market:
        return Market(quote=self.markets.quote(symbol), atr=self.markets.atr(symbol))

    def plan(self, symbol: str) -> TradePlan:
        """How a symbol is traded, by what is known now."""
        instrument = self.markets.instrument(symbol)
        equity = self._equity.in_currency(instrument.contract.currency)
        plan = self._of[symbol].plan(instrument, equity, self.markets.volatility(symbol))
        return replace(plan, share=self._share)

    async def perform(self, signal: Signal, answer: Move | Refusal, now_ns: int) -> str:
        """Do what was decided about a signal and note its fate; answers why nothing came of it, or ""."""
        symbol = signal.symbol
        if isinstance(answer, Enter | Add | Reverse) and self._day_ends(symbol, now_ns):
            answer = refused(signal, Reason.SESSION, "its day is being closed")
        if isinstance(answer, Refusal):
            return self._refuse(signal, answer)
        did = await act(self._trader, symbol, answer)
        if did.what == "denied":
            self.denied[did.limit] += 1
            self.book.denied(signal, did.limit, did.figure, did.bound, did.text)
            return f"denied by {did.limit}: {did.text}"
        if did.what == "reversing" and isinstance(answer, Reverse):
            self._reversing.append((signal, answer))
        elif did.what == "closed":
            self.closed += 1
            self.book.closed(signal)
        else:
            self._entered(signal, did.intent_id, now_ns)
        return ""

    def _day_ends(self, symbol: str, now_ns: int) -> bool:
        return self.closing.ends(self.markets.instrument(symbol).contract, now_ns)

    def _entered(self, signal: Signal, intent_id: str, now_ns: int) -> None:
        self.traded += 1
        self.book.traded(signal, intent_id)
        if self.rules is None:  # rules have a cooldown of their own
            self._of[signal.symbol].gate.entered(signal.symbol, now_ns)

    # -- what goes on by itself

    async def _on_quotes(self, now_ns: int) -> None:
        """However often a quote changed since the last look, rules hear of it once."""
        rules = self.rules
        if rules is not None:
            for symbol in rules.moved():
                await self._tell_rules(QuoteMoved(symbol), now_ns)

    async def _on_time(self, now_ns: int) -> None:
        rules = self.rules
        if rules is None or now_ns - self._timer_ns < TIMER_NS:
            return
        self._timer_ns = now_ns
        for symbol in self._of:
            if rules.hears("timer", symbol):
                await self._tell_rules(TimePassed(symbol), now_ns)
        await rules.again(now_ns)

    def _settle_reversals(self, now_ns: int) -> None:
        """Note what became of the reversals that have ended, before the next signal is judged."""
        state = self._trader.desk.state
        for signal, move in tuple(self._reversing):
            job, wish = state.reversals.get(signal.symbol), move.bracket
            if job is not None and job.bracket.signal_id == wish.signal_id:
                continue
            self._reversing.remove((signal, move))
            group_id = state.signals.get(f"{wish.strategy}/{wish.signal_id}", "")
            entry = next((each for each in state.orders_of(group_id) if each.role is Role.ENTRY), None)
            if entry is not None:
                self._entered(signal, entry.intent_id, now_ns)
            else:
                self.denied["reversal"] += 1
                text = "what was held is closed or guarded by its stop, and nothing was entered"
                self.book.denied(signal, "reversal", "", "flat in time, and approved", text)

    async def _double_down(self, now_ns: int) -> None:
        for symbol in self.stances.held():
            strand = self._of.get(symbol)
            if strand is not None and not self._day_ends(symbol, now_ns):
                instrument, quote = self.markets.instrument(symbol), self.markets.quote(symbol)
                await self._doubling.look(instrument, quote, strand.conduct.double_down, now_ns)

    # -- the report

    @property
    def refused(self) -> Counter[str]:
        """Why signals were refused."""
        return self.book.reasons - self.denied

    def fate_lines(self, now_ns: int, most: int = 20) -> list[str]:
        """Sources, signals and rules for a human."""
        lines = [each.line() for each in self.sources.health()]
        lines += self.book.lines(most)
        return lines + (self.rules.lines(now_ns) if self.rules is not None else [])
