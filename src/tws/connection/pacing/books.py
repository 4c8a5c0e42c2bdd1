"""The budgets of one login: its windows and slots, by the options and by what TWS said of itself."""

from __future__ import annotations

from tws.connection.pacing import kinds
from tws.connection.pacing.budgets import Slots, Window
from tws.connection.pacing.options import (
    LEARNED,
    LEAST_PER_S,
    MOST,
    Figure,
    PacingOptions,
    Shares,
    depth_of,
    prints_of,
    rate_of,
)

__all__ = ["Books"]

BURST_S, LONG_S = 2.0, 600.0
_KEPT = (
    256  # windows by contract that may lie idle before they are swept; a login fills some 60 in ten minutes
)

_CURES = {
    kinds.LINES: (101, "Close a stream of quotes or real-time bars, or set `lines` to what your login has"),
    kinds.HISTORY: (322, "Cancel a head time stamp or a request that is kept up to date"),
    kinds.PRINTS: (10190, "Close a tick-by-tick stream"),
    kinds.DEPTH: (309, "Close a market depth"),
    kinds.SCANNERS: (322, "Cancel a scanner subscription"),
    kinds.SUMMARIES: (322, "Cancel an account summary"),
}
"""What TWS would answer (B), and what makes room."""


class Books:
    """See the module."""

    def __init__(self, options: PacingOptions) -> None:
        self._options = options
        self._windows: dict[tuple[str, object], Window] = {}
        self.lines = options.lines
        self.shares = Shares.of(rate_of(options, options.lines))
        self.slots = {name: Slots(name, None, code, cure) for name, (code, cure) in _CURES.items()}
        self._rules: dict[str, tuple[int | None, float | None]] = {
            kinds.IDENTICAL: (1, options.identical_s),
            kinds.BURST: (options.same_contract, BURST_S),
            kinds.TEN_MINUTES: (options.per_ten_minutes, LONG_S),
            kinds.REAL_TIME: (options.real_time_bars, LONG_S),
            kinds.PRINTS_GAP: (1, options.tick_by_tick_s),
            kinds.SEARCHES: (1, options.matching_s),
        }
        self.slots[kinds.HISTORY].limit = options.open_history
        self.slots[kinds.SCANNERS].limit = options.scanners
        self.slots[kinds.SUMMARIES].limit = options.summaries
        self.set_lines(options.lines)

    def set_lines(self, lines: int | None) -> None:
        """So many market data lines, and what follows from them."""
        self.lines = lines
        self.shares = Shares.of(rate_of(self._options, lines))
        self.slots[kinds.LINES].limit = lines
        self.slots[kinds.PRINTS].limit = prints_of(self._options, lines)
        self.slots[kinds.DEPTH].limit = depth_of(self._options, lines)

    def window(self, claim: kinds.Claim, now_s: float) -> Window | None:
        """The window of this claim; None when the rule is off."""
        limit, period_s = self._rules[claim.rule]
        if limit is None or period_s is None:
            return None
        place = claim.rule, claim.key
        found = self._windows.get(place)
        if found is None:
            if len(self._windows) >= _KEPT:
                self._sweep(now_s)
            name = f"{claim.rule}: {limit} in {period_s:g} s"
            found = self._windows[place] = Window(name, limit, period_s)
        return found

    def _sweep(self, now_s: float) -> None:
        """Forget what counts nothing; who waits looks its window up again."""
        self._windows = {place: one for place, one in self._windows.items() if not one.is_idle(now_s)}

    def forget_session(self) -> None:
        """Nothing is open in a new session."""
        for slots in self.slots.values():
            slots.promised = slots.taken = 0

    def learn(self, text: str, *, refused: bool = False) -> Figure | None:
        """Take what TWS states about its limits; which figure it was, None when the text states none.
        `refused`: what TWS has refused with it is still counted here.

        The rate of TWS's own words counts, unless the options name a smaller one. A number of slots is only
        ever lowered: how many there are is the user's to say (`set_lines`), how few TWS's.
        """
        for figure, pattern in LEARNED:
            found = pattern.search(text)
            if found is not None:
                self._take(figure, found.group(1), int(refused))
                return figure
        return None

    def _take(self, figure: Figure, digits: str, refused: int) -> None:
        if figure is Figure.LINES:
            slots = self.slots[kinds.LINES]
            _lower(slots, max(1, slots.taken - refused))
            return
        number = int(digits[:9])
        if figure is Figure.RATE:
            asked = self._options.messages_per_s
            if LEAST_PER_S <= number <= MOST and asked is not None:
                self.shares = Shares.of(min(number, asked or number))
        elif number > 0:
            _lower(self.slots[_SLOTS_OF[figure]], number)


_SLOTS_OF = {
    Figure.DEPTH: kinds.DEPTH,
    Figure.HISTORY: kinds.HISTORY,
    Figure.SCANNERS: kinds.SCANNERS,
}


def _lower(slots: Slots, number: int) -> None:
    if slots.limit is not None:
        slots.limit = min(slots.limit, number)
