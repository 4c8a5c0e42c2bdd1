"""One event's worth of deciding: the state, the means, and the records that come of it.

`emit` applies a record at once, so that the next decision of the same event sees it; nothing else
moves the state. The helpers here are the few moves that every part of the desk makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.desk.agenda import Agenda
from tws.desk.apply import apply
from tws.desk.exposure import Exposure, Sight
from tws.desk.reckoned import Reckoned
from tws.desk.state import DeskState
from tws.model.facts import AnswerKind, BrokerOrder
from tws.model.market import Quote
from tws.model.records import (
    Alarmed,
    Asked,
    CancelAsked,
    LinkMoved,
    Moved,
    OrderState,
    Record,
    Severity,
)
from tws.orders.book import OurOrder
from tws.orders.table import ENDED, OrderEvent, follow
from tws.risk.gate import Gate
from tws.wire.codes import CATALOGUE, Catalogue

__all__ = ["Beside", "Timing", "Turn"]

_PROVES_WRITTEN = frozenset({
    OrderEvent.WRITE, OrderEvent.ACK, OrderEvent.WORK, OrderEvent.HOLD, OrderEvent.CANCELLING,
    OrderEvent.CANCEL, OrderEvent.REJECT, OrderEvent.PART, OrderEvent.FILL,
})


_SAYS_ALIVE = frozenset({OrderEvent.ACK, OrderEvent.WORK, OrderEvent.HOLD, OrderEvent.CANCELLING})


class Timing(Struct, frozen=True, kw_only=True):
    """Waits of the desk, in nanoseconds of market time; a run at N times real speed scales them by N."""

    acknowledge_ns: int = 5 * NS_PER_S
    """Sent and no word from TWS: unknown, asked about (INCIDENTS.md 9)."""
    cancel_ns: int = 10 * NS_PER_S
    """A cancel without an answer: the order is asked about, and the cancel sent again."""
    absence_ns: int = 10 * NS_PER_S
    """Between the two rounds that prove an order absent (DESIGN.md, invariant 3)."""
    answer_ns: int = 10 * NS_PER_S
    """A question without an answer is asked again."""
    partial_ns: int = 3 * NS_PER_S
    """A partly filled entry may leave its shares without a proven stop this long; then its rest is cancelled.
    Parts of a marketable order come within a second or two (assumed)."""
    alarm_ns: int = 5 * NS_PER_S
    """Shares without a proven stop for so long are an alarm: `partial_ns`, a cancel, and a new pair fit."""
    bare_ns: int = 2 * NS_PER_S
    """A stop ended by itself: its twin's fill may be on the way, so wait this long before a new one."""
    owing_ns: int = 2 * NS_PER_S
    """The broker claims a fill whose execution has not come: asked about after this."""
    differs_ns: int = 10 * NS_PER_S
    """The broker states another position than the fills make: entries block after this."""
    reconcile_ns: int = 900 * NS_PER_S
    """Everything is asked for anew so often. TWS pushes each change by itself; this finds what it did not."""
    flatten_ns: int = 30 * NS_PER_S
    """One phase of a flatten; beyond it the answer is NOT FLAT, and the flatten goes on trying."""
    reread_ns: int = NS_PER_S // 2
    """So long a flatten waits for those of other symbols: one reading of positions serves them all."""
    reversal_ns: int = 30 * NS_PER_S
    """From the wish to reverse to the new entry; later the wish is too old to act on. A cancel takes up to
    `cancel_ns`, a close at the market a second or two."""
    repeat_ns: int = 60 * NS_PER_S
    """The same alarm is repeated no sooner."""
    retire_ns: int = 24 * 3600 * NS_PER_S
    """What ended so long ago is packed away; a day's trading stays at hand, for the day's report."""
    forget_ns: int = 8 * 24 * 3600 * NS_PER_S
    """What ended so long ago is dropped, what filled so long ago folded: no broker speaks of it any more
    (TWS: seven days, C4; a day more, since days are counted by more than one clock)."""

    def scaled(self, factor: float) -> Timing:
        """The same waits in a market that runs `factor` times as fast as life."""
        return Timing(**{name: int(getattr(self, name) * factor) for name in self.__struct_fields__})


class Beside:
    """What stands beside the state: it serves decisions, and decisions are in the journal. `rows` holds each
    living order as TWS last stated it in this session of the link, `agenda` the trades to look at, `sight`
    what is ours by symbol, `reckoned` what positions are worth and what the account's values say.
    """

    def __init__(self, agenda: Agenda | None = None) -> None:
        self.agenda = agenda or Agenda()
        self.rows: dict[str, BrokerOrder] = {}
        self.reckoned = Reckoned()
        self.sight = Sight()


class Turn:
    """What deciding needs. `records` is what came of it, in order."""

    def __init__(
        self, state: DeskState, gate: Gate, timing: Timing, quotes: Mapping[int, Quote], now_ns: int,
        catalogue: Catalogue = CATALOGUE, beside: Beside | None = None,
    ) -> None:
        self.state = state
        self.catalogue = catalogue
        self.gate = gate
        self.timing = timing
        self.quotes = quotes
        self.now_ns = now_ns
        self.records: list[Record] = []
        beside = beside or Beside()
        self.agenda = beside.agenda
        self.rows = beside.rows
        self.reckoned = beside.reckoned
        self.sight = beside.sight
        self.next_ns: int | None = None
        """When the earliest of the waits ends that were found running (`over`, `alarm`)."""

    def emit(self, record: Record) -> None:
        """Decide this: it is applied now and goes to the journal."""
        self.sight.before(self.state, record)
        apply(self.state, record)
        self.agenda.note(self.state, record)
        self.reckoned.worth.note(self.state, record)
        if type(record) is LinkMoved:
            self.rows.clear()  # what TWS stated before says nothing of now
        self.records.append(record)

    @property
    def ours(self) -> Exposure:
        """What is ours by symbol, as it is now."""
        return self.sight.of(self.state)

    def over(self, since_ns: int, wait_ns: int) -> bool:
        """Whether a wait is over. If not, whoever asked is to be asked again when it is."""
        end_ns = since_ns + wait_ns
        if self.now_ns >= end_ns:
            return True
        self.come_back(end_ns)
        return False

    def come_back(self, at_ns: int) -> None:
        """What is looked at now is to be looked at again at `at_ns`."""
        if self.next_ns is None or at_ns < self.next_ns:
            self.next_ns = at_ns

    def alarm(self, severity: Severity, subject: str, text: str) -> None:
        """Tell a human; the same subject again only after `repeat_ns`."""
        last = self.state.alarms.get(subject)
        if last is None or not 0 <= self.now_ns - last < self.timing.repeat_ns:
            self.emit(Alarmed(at_ns=self.now_ns, severity=severity, subject=subject, text=text))
            last = self.now_ns
        self.come_back(last + self.timing.repeat_ns)

    def ask(self, *kinds: AnswerKind) -> None:
        """Ask the broker, unless the same question is on its way or the link is down."""
        if not self.state.link_up:
            return
        for kind in kinds:
            asked = self.state.questions.get(kind)
            waiting = asked is not None and asked.answered_ns is None
            if waiting and asked is not None and 0 <= self.now_ns - asked.asked_ns < self.timing.answer_ns:
                continue
            self.emit(Asked(at_ns=self.now_ns, kind=kind, session=self.state.session))

    def move(
        self, order: OurOrder, event: OrderEvent, *, perm_id: int = 0, filled: Decimal | None = None,
        remaining: Decimal | None = None, cause: str = "", listed: bool = False,
    ) -> None:
        """Follow the table; repeated words that change nothing leave no record, unknown arcs an alarm.

        `listed` says that a complete answer of the broker holds this word.
        """
        if order.doubted and event in _SAYS_ALIVE and not listed:
            return  # TWS says all twice: the second half of a stale pair must not settle the doubt
        arc = follow(order.state, event)
        if arc is None:
            self.alarm(Severity.WARNING, f"arc {order.intent_id} {order.state} {event}",
                       f"order {order.intent_id} is {order.state} and heard {event}: {cause or 'no arc'}")
            return
        if arc.loud:  # also where the order stays what it is: a fill after the cancel
            self.alarm(Severity.ALARM, f"{order.intent_id} {event} after {order.state}",
                       f"order {order.intent_id} ({order.contract.symbol}): {arc.why}. {cause}".strip())
        target, perm_state = arc.to, None
        own = order.perms.get(perm_id)
        if own is not None and len(order.perms) > 1:
            mine = follow(own.state, event)
            perm_state = mine.to if mine else own.state
            others = any(perm != perm_id and entry.state not in ENDED for perm, entry in order.perms.items())
            # One permanent id ended while another lives: the intent lives (INCIDENTS.md 3).
            if others and perm_state in ENDED and order.state not in ENDED:
                target = order.state
            elif perm_state not in ENDED and target in ENDED:
                target = perm_state  # `Bound` told of it: it is alarmed as a double order
        written = not order.written and event in _PROVES_WRITTEN
        claim = filled if filled is not None and filled > order.claimed else None
        rest = remaining if remaining != order.claimed_remaining else None
        same_perm = own is None or own.state is (perm_state or target)
        if target is order.state and claim is None and rest is None and same_perm and not written:
            return
        self.emit(Moved(at_ns=self.now_ns, intent_id=order.intent_id, event=event, before=order.state,
                        state=target, perm_id=perm_id if own is not None else 0, perm_state=perm_state,
                        filled=claim, remaining=rest, written=written, cause=cause))
        if target in ENDED:
            self.rows.pop(order.intent_id, None)

    def cancel(self, order: OurOrder, reason: str) -> None:
        """We want it gone. An order that was never approved is withdrawn here; no byte of it exists."""
        if not order.live:
            return
        if order.state is OrderState.INTENDED:
            self.move(order, OrderEvent.WITHDRAW, cause=reason)
            return
        self.emit(CancelAsked(at_ns=self.now_ns, intent_id=order.intent_id, order_id=order.order_id,
                              reason=reason))
        self.move(order, OrderEvent.ASK_CANCEL, cause=reason)
