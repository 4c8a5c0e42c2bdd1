"""What senders gave and strategies were told, counted on both sides: by who gave it, and by who has it.

The API counts what it was asked and by whom, so an answer that a source swallowed is missed, and a source
that asks too fast is seen. Each strategy keeps what it was told; the journal says what there was to tell.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any

from tests.world.flight import Flight
from tests.world.people import UNTOLD

from tws.model.records import Booked, Intended, Planned
from tws.signals.source import Source
from tws.strategy.refusal import OF_SOURCE

if TYPE_CHECKING:
    from tests.world.automation import AutoHouse

__all__ = ["check_counts"]

MINUTE_S = 60.0


def check_counts(house: AutoHouse, flight: Flight) -> list[str]:
    """Of one life; sources are counted when it had an orderly end."""
    found = _rows(flight) + _pace(house, flight)
    if flight.over_s is not None:
        found += [text for source in flight.pilot.sources._sources for text in _given(flight, source)]
        found += [*_answers(house, flight), *_wished(flight), *_fills(house, flight)]
    return found


def _rows(flight: Flight) -> list[str]:
    """Each signal is counted once."""
    book, rows = flight.pilot.book, len(flight.rows())
    if book.heard == rows == sum(book.counts.values()):
        return []
    return [f"{book.heard} signals, {dict(book.counts)} fates, {rows} rows"]


def _given(flight: Flight, source: Source) -> list[str]:
    """As many rows as it gave signals, and refusals of what was none."""
    health = source.health()
    given = health.signals + sum(count for reason, count in health.counts.items() if reason not in OF_SOURCE)
    left = [each for each in source.take(1 << 62, 1 << 30) if getattr(each, "reason", "") not in OF_SOURCE]
    given += source.health().signals - health.signals - len(left)  # a file counts what is taken
    rows = Counter(row.source for row in flight.rows())[source.name]
    return [] if rows == given else [f"{source.name} gave {given} signals, {rows} have a fate"]


def _answers(house: AutoHouse, flight: Flight) -> list[str]:
    """Each answer of the API is a signal, nothing new, or an error with its reason; one may be on its way."""
    asked = len(_asked(house, flight))
    known = [each for each in flight.pilot.sources.health() if each.name == "api"]
    told = sum(each.signals + each.same + sum(each.counts.values()) for each in known)
    return (
        [] if asked - 1 <= told <= asked else [f"the API was asked {asked} times, {told} answers are told of"]
    )


def _asked(house: AutoHouse, flight: Flight) -> list[float]:
    """When it asked the API; others of the same process may have asked before and after."""
    later = [each.began_s for each in house.flights if each.domain is flight.domain]
    until_s = min((each for each in later if each > flight.began_s), default=inf)
    asked = house.api.asked.get(flight.domain, ())
    return [at_s for at_s in asked if flight.began_s <= at_s < until_s]


def _pace(house: AutoHouse, flight: Flight) -> list[str]:
    """No life asks the API more often than it may, in any minute."""
    times, most = _asked(house, flight), house.auto.per_minute
    for first, last in zip(times, times[most:], strict=False):
        if last - first < MINUTE_S:
            return [f"the API was asked more than {most} times from {first:.1f} to {last:.1f} s"]
    return []


def _wished(flight: Flight) -> list[str]:
    """What a strategy in Python wished has a fate, but for the last wishes of one that was ended."""
    rows = Counter(row.source for row in flight.rows())
    found = []
    for name, program in flight.pilot.programs.items():
        stage = program._stage
        if program._begun and not stage.disabled and rows[name] + len(stage._wished) != stage.signals:
            found.append(f"{name} wished {stage.signals} times, {rows[name]} have a fate")
    return found


def _fills(house: AutoHouse, flight: Flight) -> list[str]:
    """A strategy was told of each fill of its trades, once; it says so itself. Only where there was one life,
    for what a strategy keeps of an earlier one is as old as the last save.
    """
    program = flight.pilot.programs.get("steady")
    if program is None or not program._begun or len(house.flights) > 1:
        return []
    if program._stage.errors:
        return [f"steady raised: {program._stage.last_error}"]
    if UNTOLD & house.watching.met.keys():
        return []
    strategy: Any = program.player.strategy  # a Steady, of a module that was loaded by its path
    own, due = set[str](), set[str]()
    for record in house.witness.records[: flight.last]:
        if isinstance(record, Planned) and record.strategy == "steady":
            own.add(record.group_id)
        elif isinstance(record, Intended) and record.group_id in own:
            own.add(record.intent_id)
        elif isinstance(record, Booked) and record.intent_id in own:
            due.add(record.execution.base_id)
    missing, foreign = due - set(strategy.fills), len(set(strategy.fills) - due)
    return [f"steady was not told of {sorted(missing)}, but of {foreign} others"] if missing else []
