"""Is the other side alive, and was this machine awake? Pure: monotonic seconds and wall time go in.

A TWS that is mute, or whose socket is open on our side alone, says nothing, and nothing tells that from a
quiet market. So when nothing has come for `heartbeat_s`, the time is asked for; when then nothing comes for
`heartbeat_timeout_s`, the link is dead. It is thus found within the sum of both and one look (a second):
whoever looks comes back when a verdict is due. While we do not read (a slow consumer), silence proves
nothing.

A wall clock that has run ahead of the monotonic one means that the machine slept: TWS has long closed its
side. A look that comes late without that means that the event loop was held, by a user's code or a debugger:
then TWS is asked at once, or, when it was held for very long, taken for gone as after a sleep.
"""

from __future__ import annotations

from enum import Enum

from tws.clock import NS_PER_S

__all__ = ["ASLEEP_S", "Beat", "Sleep", "Vitals"]

ASLEEP_S = 15.0
"""Time servers move a clock by less in one step; TWS itself closes an API socket that is mute for 30 s
(H).
"""
LATE_S = 5.0
"""A look is due every second; a loop that is this late was held."""
AWAY_S = 30.0
"""After so long without a word TWS closes its side (H). On systems whose monotonic clock runs on in sleep
(Windows), this is how a sleep looks."""


class Beat(Enum):
    """What to do about the link."""

    FINE = "nothing"
    ASK = "ask for the time"
    DEAD = "the link is dead"


class Sleep(Enum):
    """What became of the time since the last look."""

    AWAKE = "it passed as it should"
    ASLEEP = "the wall clock has jumped ahead"
    BACK = "the wall clock was set back"
    HELD = "the event loop stood still"
    AWAY = "it stood still for so long that TWS has given us up"


class Vitals:
    """The state of one link's watch. `begin` for each session."""

    def __init__(self, heartbeat_s: float, heartbeat_timeout_s: float) -> None:
        self._every_s = heartbeat_s
        self._timeout_s = heartbeat_timeout_s
        self._heard_s = 0.0
        self._asked_s: float | None = None
        self._looked: tuple[float, int] | None = None

    def begin(self, now_s: float) -> None:
        """A session is ready."""
        self._heard_s, self._asked_s = now_s, None

    def rest(self) -> None:
        """Nobody looks for a while: what happens meanwhile to the clocks is no sleep."""
        self._looked = None

    def look(self, now_s: float, heard_s: float, paused: bool) -> Beat:
        """Every second: `heard_s` is when bytes last came, `paused` whether we do not read."""
        if paused:
            self._heard_s, self._asked_s = now_s, None
            return Beat.FINE
        # A clock may stand still for 16 ms (Windows), and TWS on the same machine answers within one.
        if heard_s > self._heard_s or (self._asked_s is not None and heard_s >= self._asked_s):
            self._heard_s, self._asked_s = heard_s, None
        if self.due_s is not None:
            return Beat.DEAD if now_s >= self.due_s else Beat.FINE
        if now_s - self._heard_s >= self._every_s:
            self._asked_s = now_s
            return Beat.ASK
        return Beat.FINE

    @property
    def due_s(self) -> float | None:
        """When the answer is late; None when none is awaited."""
        return None if self._asked_s is None else self._asked_s + self._timeout_s

    def ask_at_once(self, now_s: float) -> None:
        """The link is in doubt: the caller asks now, and the answer is due from now on."""
        self._heard_s = self._asked_s = now_s

    def slept(self, now_s: float, wall_ns: int) -> tuple[Sleep, float]:
        """What happened since the last look, and for how many seconds."""
        before, self._looked = self._looked, (now_s, wall_ns)
        if before is None:
            return Sleep.AWAKE, 0.0
        passed_s = now_s - before[0]
        jump_s = (wall_ns - before[1]) / NS_PER_S - passed_s
        if jump_s >= ASLEEP_S:
            return Sleep.ASLEEP, jump_s
        if jump_s <= -ASLEEP_S:
            return Sleep.BACK, -jump_s
        if passed_s >= AWAY_S:
            return Sleep.AWAY, passed_s
        if passed_s >= LATE_S:
            return Sleep.HELD, passed_s
        return Sleep.AWAKE, passed_s
