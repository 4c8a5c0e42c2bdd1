"""Delayed data: what an instrument said a quarter of an hour ago, once a second (TWS-BEHAVIOUR.md A8, E).

Each instrument with delayed lines has a second tape, fed with the rows of its history as they come of age;
what that changes goes to the lines under the delayed ids. A row keeps prices and volume but no sizes of
quotes, so a delayed quote has the usual size. An instrument without an invented past (a market by hand, a
replay) would be mute for its first quarter of an hour, so there a delayed line says the present.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator import ticks
from tws.simulator.grid import grid_of
from tws.simulator.hours import local_date, midnight_ns
from tws.simulator.market.base import MarketUpdate, Row
from tws.simulator.market.derived import Derived
from tws.simulator.market.synthetic import unit_of
from tws.simulator.requests.greeks import OPTIONS
from tws.simulator.requests.history import History
from tws.simulator.tape import Tape
from tws.simulator.universe import Security

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["DELAY_S", "Late", "Listeners"]

DELAY_S = 900
"""Fifteen minutes, as for US stocks; other exchanges have other delays (assumed for all)."""
DAY_S = 86_400
SEARCH_DAYS = 5
"""So far back the last quote is looked for when nothing happened today."""

Listeners: TypeAlias = tuple[Callable[[MarketUpdate], None], ...]


class LateTape(Tape):
    """A tape that keeps no rows: they stand in the instrument's own."""

    def _flush(self) -> None:
        pass


class _Feed(Struct):
    """One instrument's: all rows before `upto_s` are on the tape. `under` is what an option's greeks need."""

    security: Security
    tape: LateTape
    upto_s: int
    under: _Feed | None
    lines: ticks.Lines
    listeners: dict[ticks.Line, Listeners]
    options: int = 0
    rolls_s: int = 0


class Late:
    """All delayed lines."""

    def __init__(self, core: Core, history: History) -> None:
        self._core = core
        self._history = history
        self._feeds: dict[int, _Feed] = {}
        self._edge_s = 0

    def join(self, line: ticks.Line, security: Security) -> Tape | None:
        """Speak to this line from now on. How the instrument stood; None where a line says the present."""
        past, under = self._history.past(security), self._history.under(security)
        if past is None and (under is None or self._history.past(under) is None):
            return None
        feed = self._feed(security)
        feed.lines.add(line)
        return feed.tape

    def listen(self, line: ticks.Line, listeners: Listeners) -> None:
        """Call these, too, after each update of what the line joined."""
        self._feeds[line.con_id].listeners[line] = listeners

    def derived(self, security: Security) -> Derived | None:
        """The arithmetic of an option that is followed, by its underlying as it stood."""
        under = self._feeds[security.con_id].under
        return None if under is None else Derived(security, under.security, under.tape)

    def leave(self, line: ticks.Line) -> None:
        """The line ended; nothing happens to one that never joined."""
        feed = self._feeds.get(line.con_id)
        if feed is not None and line in feed.lines:
            feed.lines.remove(line)
            feed.listeners.pop(line, None)
            self._drop(feed)

    def _drop(self, feed: _Feed) -> None:
        if not feed.lines and not feed.options:
            del self._feeds[feed.security.con_id]
            if feed.under is not None:
                feed.under.options -= 1
                self._drop(feed.under)

    def _feed(self, security: Security) -> _Feed:
        feed = self._feeds.get(security.con_id)
        if feed is None:
            spot = self._history.under(security) if security.sec_type in OPTIONS else None
            under = None if spot is None else self._feed(spot)  # before its option: it has to advance first
            if under is not None:
                under.options += 1
            feed = self._feeds[security.con_id] = self._begin(security, under)
        return feed

    def wanted(self) -> frozenset[int]:
        """Whose history is read every second."""
        return frozenset(self._feeds)

    def new_day(self) -> None:
        """The day's figures begin anew, here a quarter of an hour later."""
        now_s = self._core.now_ns() // NS_PER_S
        for feed in self._feeds.values():
            feed.rolls_s = now_s

    def elapse(self, now_ns: int) -> None:
        """Say what came of age."""
        edge_s = now_ns // NS_PER_S - DELAY_S
        if edge_s == self._edge_s:
            return
        self._edge_s = edge_s
        for feed in list(self._feeds.values()):
            self._advance(feed, edge_s + 1)

    def _begin(self, security: Security, under: _Feed | None) -> _Feed:
        """A tape that stands where the instrument stood."""
        core, history = self._core, self._history
        live, now_ns = core.listed(security), core.now_ns()
        end_s = now_ns // NS_PER_S - DELAY_S + 1
        tape = LateTape(security.con_id, live.close, live.grid, is_index=live.is_index)
        tape.has_volume = live.has_volume
        day_s = midnight_ns(local_date(now_ns)) // NS_PER_S
        minute_s = max(day_s, end_s // 60 * 60)
        rows = [*history.rows(security, day_s, minute_s, 60), *history.rows(security, minute_s, end_s, 1)]
        for row in rows:
            _take(tape, row, security)
        if not rows:
            self._take_last(tape, security, day_s)
        return _Feed(security, tape, end_s, under, ticks.Lines(), {})

    def _take_last(self, tape: Tape, security: Security, day_s: int) -> None:
        """The end of the latest day before, without its figures."""
        for day in range(1, SEARCH_DAYS + 1):
            rows = list(self._history.rows(security, day_s - day * DAY_S, day_s - (day - 1) * DAY_S, 60))
            if rows:
                close = tape.close
                _take(tape, rows[-1], security)
                tape.new_day()
                tape.close = close
                return

    def _advance(self, feed: _Feed, end_s: int) -> None:
        is_hidden = self._core.faults.hides(feed.security.con_id)
        for row in self._history.rows(feed.security, feed.upto_s, end_s, 1):
            update = _update(row, feed.security)
            if not is_hidden:
                ticks.deliver(feed.lines, feed.tape, update)
            feed.tape.apply(update)
            moved = _widen(feed.tape, row)
            if not is_hidden:
                self._tell(feed, update, moved)
        feed.upto_s = end_s
        if feed.rolls_s and end_s > feed.rolls_s:
            feed.rolls_s = 0
            feed.tape.new_day()
            self._tell(feed, None, (ticks.CLOSE,))

    def _tell(self, feed: _Feed, update: MarketUpdate | None, kinds: Sequence[int]) -> None:
        """Figures of the day by themselves, and whoever listens."""
        for line in feed.lines if kinds else ():
            parts = ticks.snapshot(feed.tape, line.bodies)
            ticks.send(line, [part for part in parts if part[0] in kinds])
        if update is not None:
            for listeners in list(feed.listeners.values()):
                for listen in listeners:
                    listen(update)


def _update(row: Row, security: Security) -> MarketUpdate:
    """A second as one update, its last print in place of all."""
    grid, size = grid_of(security.tick, security.lot), unit_of(security)
    return MarketUpdate(
        row.time_s * NS_PER_S, security.con_id,
        grid.ticks(row.bid), size if row.bid else 0, grid.ticks(row.ask), size if row.ask else 0,
        row.close if row.prints else 0.0, row.volume,
    )  # fmt: skip


def _widen(tape: Tape, row: Row) -> list[int]:
    """Take in what the row's last print left out; which figures that moved."""
    moved = []
    if row.prints and row.high > tape.high:
        tape.high = row.high
        moved.append(ticks.HIGH)
    if row.prints and row.low < tape.low:
        tape.low = row.low
        moved.append(ticks.LOW)
    return moved


def _take(tape: Tape, row: Row, security: Security) -> None:
    """A row of the past with its extremes."""
    is_first = not tape.open
    tape.apply(_update(row, security))
    _widen(tape, row)
    if is_first and row.prints:
        tape.open = row.open
