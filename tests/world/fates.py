"""What became of every signal, held against what was said, what the journal holds and what was ordered.

`check_flights` asks of each life's fate book (`tests.world.flight`):

* each signal that was said well while somebody listened has a row, and each row one end;
* the journal tells the same: a trade, a denial, the gate's word for each row, and nothing that no row tells;
* nothing acts twice, over all lives; what a gate refused, or a limit denied, has no order;
* every order is for a symbol of the section whose signal it is, with stop and target on their sides;
* a cooldown holds; flat at the close, or an alarm says why not;
* what a strategy is said to have earned adds up to what we have.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.world.automix import TICKERS
from tests.world.counts import check_counts
from tests.world.flight import Flight
from tests.world.people import UNTOLD

from tws.clock import NS_PER_S
from tws.model.linkedrecords import ReversalMoved
from tws.model.order import Role, Side
from tws.model.records import Booked, Denied, Intended, Planned, Record, decode_records
from tws.model.signal import Wish
from tws.model.signalrecords import UNSEEN, SignalJudged, SignalsUnwritten
from tws.positions.holding import MoveKind
from tws.runtime.earnings import earned
from tws.strategy import Fate
from tws.strategy.fates import Outcome

if TYPE_CHECKING:
    from tests.world.automation import AutoHouse

__all__ = ["Flight", "check_flights", "fates_of"]

HEARD_S = 1.0
"""What was said so long before a look is at hand: the file is read five times a second."""
SLOW_S = 5.0
"""From the look at which a cooldown begins to the record of its entry: a slow disk, a TWS that is asked."""
CENT = Decimal("0.01")
TOLD_LATE = frozenset(("execution-correction", "fill-after-cancel", *UNTOLD))
"""Faults after which what is held may be other than any order said; it is set right beside the next entry."""
NEVER_SENT = ("not sent", "reversal")
"""Denials that are no limit's: what they speak of is not in the journal's `Denied`."""


def fates_of(flights: Iterable[Flight], records: Iterable[Record]) -> Counter[str]:
    """How much happened: signals by their outcome, and by source; reversals, additions, rules, strategies
    that were disabled.
    """
    found: Counter[str] = Counter()
    for flight in flights:
        for row in flight.rows():
            found.update((str(row.outcome), f"{row.source} {row.outcome}"))
        rules = flight.pilot.rules
        found["fired"] += 0 if rules is None else sum(each.fired for each in rules.tallies(1 << 62))
        found["disabled"] += sum(
            bool(each._begun and each.disabled) for each in flight.pilot.programs.values()
        )
    for record in records:
        found["reversed"] += isinstance(record, ReversalMoved)
        found["joined"] += isinstance(record, Planned) and bool(record.joins)
    return found


def check_flights(house: AutoHouse) -> list[str]:
    """All of it."""
    records = house.witness.records
    found: list[str] = []
    for number, flight in enumerate(house.flights):
        said = [
            *_unheard(house, flight),
            *check_counts(house, flight),
            *_ended(flight),
            *_judged(flight, records),
        ]
        found += [f"flight {number}: {text}" for text in said]
    found += _acted(house.flights, records, "rules" in house.auto.traits)
    found += _told(house)
    found += _sides(records, house.auto.owners())
    found += [*_once(records), *_entered(house), *_cooled(house)]
    return found + _earned(house) + _held(house)


def _unheard(house: AutoHouse, flight: Flight) -> list[str]:
    """Whoever looked heard what had been said by then, since it began; a file also what was said before."""
    if len(flight.looks) < 2 or flight.opened_s is None:
        return []
    until_s = flight.looks[-2] - HEARD_S  # the last look's own may not have been judged when it was killed
    if until_s < flight.looks[0]:
        return []
    heard = {row.signal_id for row in flight.rows()}
    said = [each for each in house.api.said if each.to is flight.domain and each.at_s > flight.opened_s]
    posted = [] if house.hook is None else [each for each in house.hook.said if each.to is flight.domain]
    posted = [each for each in posted if each.at_s > flight.opened_s]
    return [
        f"{each.signal_id} was said at {each.at_s:.1f} s and has no fate at {until_s:.1f} s"
        for each in said + house.file.said + posted
        if each.at_s < until_s and each.signal_id not in heard
    ]


def _ended(flight: Flight) -> list[str]:
    """Nobody acts on a signal twice in one life, and each that passed has an end when the life has."""
    passed = Counter(
        (row.model, row.signal_id) for row in flight.rows() if row.outcome is not Outcome.REFUSED
    )
    found = [f"{key} passed {count} times" for key, count in passed.items() if count > 1]
    if flight.over_s is None:
        return found
    return found + [f"{row.line()} has no end" for row in flight.rows() if row.outcome is Outcome.PASSED]


def _judged(flight: Flight, records: list[Record]) -> list[str]:
    """The journal has the gate's word on each row, in their order; of a life that was cut short all but the
    last ones.
    """
    if flight.over_s is None or flight.last > len(records):
        return []
    own = records[flight.first : flight.last]
    told = [(each.model, each.signal_id) for each in own if isinstance(each, SignalJudged)]
    unwritten = sum(each.count for each in own if isinstance(each, SignalsUnwritten))
    rows = [(row.model, row.signal_id) for row in flight.rows()]
    if len(told) + unwritten != len(rows) or (not unwritten and told != rows):
        missing = Counter(rows) - Counter(told)
        return [
            f"{len(rows)} signals were judged, the journal has {len(told)} and {unwritten}: {dict(missing)}"
        ]
    return []


def _acted(flights: Iterable[Flight], records: list[Record], rules: bool) -> list[str]:
    """Each trade of a signal is told by one row, and each row that tells of a trade is right."""
    rows: dict[tuple[str, str], list[tuple[Flight, Fate]]] = {}
    for flight in flights:
        for row in flight.rows():
            rows.setdefault((row.model, row.signal_id), []).append((flight, row))
    plans = [each for each in records if isinstance(each, Planned) and each.signal_id]
    found = []
    for key, count in Counter(_key(plan) for plan in plans).items():
        if count > 1:
            found.append(f"signal {key} has {count} trades")
    for plan in plans:
        known = rows.get(_key(plan))
        if known is None:
            if not (rules and "-" in plan.signal_id):
                found.append(f"trade {plan.group_id} on signal {_key(plan)}, of which no book tells")
            continue
        if not any(
            row.outcome is Outcome.TRADED or (row.outcome is Outcome.PASSED and flight.over_s is None)
            for flight, row in known
        ):
            fates = [row.line() for _, row in known]
            found.append(f"trade {plan.group_id} on a signal that was none: {fates}")
        wished = {(row.symbol, row.wish) for _, row in known}
        if (plan.contract.symbol, Wish.BUY if plan.side is Side.BUY else Wish.SHORT) not in wished:
            found.append(f"trade {plan.group_id}: {plan.side} {plan.contract.symbol}, wished was {wished}")
    return found


def _told(house: AutoHouse) -> list[str]:
    """What a book says of the desk is in the journal: for a life that slept and was replaced in its own one,
    which nobody goes by any more.
    """
    found = []
    for flight in house.flights:
        left = house.left.get(flight.domain)
        records = house.witness.records if left is None else list(decode_records(left.records))
        entered = (each for each in records if isinstance(each, Intended) and each.role is Role.ENTRY)
        entries = {each.intent_id for each in entered}
        planned = {_key(each) for each in records if isinstance(each, Planned)}
        denied = {_key(each) for each in records if isinstance(each, Denied)}
        for row in flight.rows():
            key = row.model, row.signal_id
            if row.outcome is Outcome.TRADED and (row.intent_id not in entries or key not in planned):
                found.append(f"{row.line()}: no such trade in the journal")
            if row.outcome is Outcome.DENIED and row.reason not in NEVER_SENT and key not in denied:
                found.append(f"{row.line()}: no such denial in the journal")
    return found


def _key(record: Planned | Denied) -> tuple[str, str]:
    """Model and signal, also where the trade bears another strategy's name (`model/id`)."""
    model, slash, name = record.signal_id.partition("/")
    return (model, name) if slash else (record.strategy, record.signal_id)


def _sides(records: Iterable[Record], owners: dict[str, str]) -> list[str]:
    """Stop and target lie on their sides of the market, and who trades a symbol owns it."""
    found = []
    for plan in records:
        if not isinstance(plan, Planned):
            continue
        symbol, sign = plan.contract.symbol, plan.side.sign
        if symbol not in TICKERS:
            found.append(f"trade {plan.group_id} is in {symbol}, which nobody trades")
        elif plan.strategy in owners.values() and owners[symbol] != plan.strategy:
            found.append(
                f"trade {plan.group_id} of {plan.strategy} is in {symbol}, which {owners[symbol]} owns"
            )
        if plan.stop_price is None or plan.target_price is None:
            found.append(f"trade {plan.group_id} of {symbol} has no stop or no target")
        elif not plan.stop_price * sign < plan.target_price * sign:
            found.append(
                f"trade {plan.group_id}: {plan.side} with stop {plan.stop_price}, target {plan.target_price}"
            )
    return found


def _cooled(house: AutoHouse) -> list[str]:
    """No entry of a symbol follows another within the cooldown, unless a stop-out ended it. One life counts
    from the entry, the next ones from its fills, as far as they were on disk when it began.
    """
    if "rules" in house.auto.traits:
        return []
    starts_ns = [house.start_ns + round(each.began_s * NS_PER_S) for each in house.flights]
    roles: dict[str, Role] = {}
    last: dict[str, tuple[int, int]] = {}  # symbol -> the flight of its last entry, and when that was
    fills: dict[str, int] = {}  # symbol -> when its last entry last filled
    found = []
    for record in house.witness.records:
        flight = bisect_right(starts_ns, getattr(record, "at_ns", 0))
        if isinstance(record, Intended):
            roles[record.intent_id] = record.role
        elif isinstance(record, Booked):
            symbol, role = record.execution.contract.symbol, roles.get(record.intent_id)
            if role is Role.STOP:
                last.pop(symbol, None)
            elif role is Role.ENTRY:
                fills[symbol] = record.execution.time_ns
        elif isinstance(record, Planned) and not record.joins:
            symbol = record.contract.symbol
            before, at_ns = last.get(symbol, (0, 0))
            since_ns = at_ns if before == flight else fills.get(symbol, 0) if before else 0
            rested_s = (record.at_ns - since_ns) / NS_PER_S
            if rested_s < house.auto.cooldown_s - SLOW_S:
                found.append(f"{symbol} was entered {rested_s:.1f} s after an entry, by {record.group_id}")
            last[symbol] = flight, record.at_ns
            fills.pop(symbol, None)
    return found


def _once(records: Iterable[Record]) -> list[str]:
    """A signal that the journal knows as judged is judged by no later life: it has one row that is no
    duplicate.
    """
    judged = Counter(
        (each.source, each.model, each.signal_id)
        for each in records
        if isinstance(each, SignalJudged) and each.signal_id and each.reason not in UNSEEN
    )
    return [f"signal {key} was judged {count} times" for key, count in judged.items() if count > 1]


def _entered(house: AutoHouse) -> list[str]:
    """An entry finds nothing of ours held, by all that was on disk; and a trade is added to as often as it
    may. What joined it and never filled may be wished again, and so may the rest of a double down.
    """
    if TOLD_LATE & house.watching.met.keys():
        return []
    held: Counter[str] = Counter()
    filled: Counter[str] = Counter()  # by intent
    joins: dict[str, str] = {}  # the intent of what joins a trade -> that trade
    limits: set[str] = set()
    found = []
    for record in house.witness.records:
        if isinstance(record, Booked):
            done = record.execution
            held[done.contract.symbol] += done.side.sign * done.quantity  # type: ignore[assignment]
            filled[record.intent_id] += done.quantity  # type: ignore[assignment]
        elif isinstance(record, Intended) and record.order.limit_price is not None:
            limits.add(record.intent_id)
        elif isinstance(record, Planned) and record.joins:
            joins[record.group_id] = record.joins
        elif isinstance(record, Planned) and held[record.contract.symbol]:
            symbol = record.contract.symbol
            found.append(f"{record.group_id} entered {symbol} with {held[symbol]} held")
    return found + _added(house, {each: joins[each] for each in joins if filled[each]}, limits, filled)


def _added(house: AutoHouse, joins: dict[str, str], limits: set[str], filled: Counter[str]) -> list[str]:
    """What has joined trades and filled. A double down, the one that waits at a limit, may do so in parts,
    and is as large as what was held: no larger than its trade's entry has filled.
    """
    scaled = Counter(name for each, name in joins.items() if each not in limits)
    doubled: Counter[str] = Counter()
    for each in sorted(joins.keys() & limits):
        doubled[joins[each]] += filled[each]
    most = 2 if "scale in" in house.auto.traits else 0
    times = 1 if "double down" in house.auto.traits else 0
    return [
        *(f"{count} trades joined {name}" for name, count in scaled.items() if count > most),
        *(
            f"{name} of {filled[name]} was doubled by {count}"
            for name, count in doubled.items()
            if count > times * filled[name]
        ),
    ]


def _held(house: AutoHouse) -> list[str]:
    """What is held at the close has a flatten at it; in calm weather an alarm says so besides."""
    alarms, calm = house.witness.alarms, (house.auto.closes_s or 0.0) > house.auto.faulty_s
    return [
        f"{symbol} is held at the close, and no flatten is at it"
        if not at_it
        else f"{symbol} is held at the close, and no alarm says so"
        for symbol, at_it in house.held_at_close.items()
        if not at_it or (calm and f"not flat {symbol}" not in alarms)
    ]


def _earned(house: AutoHouse) -> list[str]:
    """What the strategies have made is what we have made, where fills alone have moved what is ours."""
    state = house.state
    if state is None:
        return []
    holdings = state.ours.holdings.values()
    moves = [move for holding in holdings for move in holding.moves]
    if not all(move.kind is MoveKind.FILL for move in moves):
        return []
    names = {each.strategy for each in house.witness.records if isinstance(each, Planned)}
    parts = sum((each.realized for name in names for each in earned(state, name)), Decimal(0))
    whole = sum((holding.realized_net for holding in holdings), Decimal(0))
    return [f"strategies have made {parts}, all of ours {whole}"] if abs(parts - whole) > CENT else []
