"""The way to the opening, for a run that comes up while its markets are closed; and from when `--for` counts.

    opening = Opening(pilot.sessions, for_s, tell)
    opening.over(now_ns, at_s)      # at each look: is the time of the run over?

Closed means that no symbol's market is open, by the hours that the broker states (holidays and early closes
are in them); it is waited for the first that opens. A symbol without hours to come counts as none; when no
symbol has any, nothing can be waited for and the time counts at once. Once it has counted, a close does not
stop it. `now_ns` is market time, `at_s` the loop's own, in which `--for` is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.model.session import Session

__all__ = ["Countdown", "Opening"]


class Countdown(Struct, frozen=True, kw_only=True):
    """Where the way to the opening stands. `left_s` 0: it is open, and was never closed when `symbol` is "".

    `stated` False: TWS states no session to come, so that nothing is waited for.
    """

    symbol: str = ""
    opens_ns: int = 0
    left_s: int = 0
    stated: bool = True

    @property
    def open(self) -> bool:
        return self.left_s == 0


class Opening:
    """`sessions` answers each symbol's session at an instant, or its next; None: none is stated. `tell` hears
    of each second on the way, and once that it is open.
    """

    def __init__(
        self,
        sessions: Callable[[int], Mapping[str, Session | None]],
        for_s: float | None,
        tell: Callable[[Countdown], object],
    ) -> None:
        self._sessions = sessions
        self._for_s = for_s
        self._tell = tell
        self._until_s: float | None = None
        self.now: Countdown | None = None
        """What was told last; None before the first look."""

    @property
    def opened(self) -> bool:
        return self.now is not None and self.now.open

    def over(self, now_ns: int, at_s: float) -> bool:
        """Whether the time of the run is over. It counts from the first look at which a market is open."""
        if not self.opened:
            found = self._look(now_ns)
            if found.open and self._for_s is not None:
                self._until_s = at_s + self._for_s
            if found != self.now:
                self.now = found
                self._tell(found)
        return self._until_s is not None and at_s >= self._until_s

    def _look(self, now_ns: int) -> Countdown:
        came = Countdown() if self.now is None else replace(self.now, left_s=0)
        stated = {name: each for name, each in self._sessions(now_ns).items() if each is not None}
        if any(each.holds(now_ns) for each in stated.values()):
            return came
        if not stated:
            return Countdown(stated=False)
        symbol = min(stated, key=lambda name: stated[name].open_ns)
        opens_ns = stated[symbol].open_ns
        left_s = -(-(opens_ns - now_ns) // NS_PER_S)  # a second that has begun is a second to wait
        return Countdown(symbol=symbol, opens_ns=opens_ns, left_s=max(1, left_s))
