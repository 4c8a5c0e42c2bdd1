"""The market time of a running `tws sim`, for programs in a process of their own: `tws run`, `tws api-demo`.

A simulated market may begin on another day and pass faster than life, and whoever trades on it has to go by
its clock: sessions, bars, the age of quotes and signals are told in market time. TWS's own answer about the
time has whole seconds and says nothing about a speed, so the simulator is asked over its command channel
(`sim_note`): now, its speed, and again twice a second. Between two answers its time is reckoned from ours.
"""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from tws.cli.sim_note import Note, ask, running_on
from tws.clock import NS_PER_S, to_ns
from tws.config.signals import is_loopback
from tws.desk import Timing
from tws.errors import SimulationError
from tws.platform import state_folder
from tws.runtime.parts import TraderParts

if TYPE_CHECKING:
    from tws.config import TWSConfig
    from tws.runtime.plan import RunPlan

__all__ = ["SimClock", "as_it_is", "simulated"]

LOOK_S = 0.5
"""Between two questions: a clock that is held or moved by hand (`tws sim ctl clock`) is followed so soon."""


class _Told(Struct, frozen=True):
    """It was `market_ns` there when it was `at_s` here, by the monotonic clock."""

    at_s: float
    market_ns: int
    speed: float


class SimClock:
    """The simulator's market time; it never goes back. Monotonic time stays the machine's. (No `SystemClock`:
    a connection would take its haste for the sleep of a laptop.)

    When the simulator ends its time goes on as it went. Raises SimulationError when it does not answer now.
    """

    def __init__(self, note: Note) -> None:
        self._note = note
        self._told = self._ask()
        self._last_ns = 0
        threading.Thread(target=_follow, args=(weakref.ref(self),), name="sim-clock", daemon=True).start()

    @property
    def speed(self) -> float:
        """How many times as fast as life it passes; 0 while it is held, or races ("max")."""
        return self._told.speed

    def now_ns(self) -> int:
        told = self._told
        passed_s = time.monotonic() - told.at_s
        self._last_ns = max(self._last_ns, told.market_ns + int(passed_s * told.speed * NS_PER_S))
        return self._last_ns

    def monotonic(self) -> float:
        return time.monotonic()

    def _ask(self) -> _Told:
        before_s = time.monotonic()
        status = ask(self._note, "status")
        after_s = time.monotonic()
        return _Told((before_s + after_s) / 2, to_ns(datetime.fromisoformat(status["time"])), status["speed"])


def _follow(of: weakref.ref[SimClock]) -> None:
    """Ask as long as anybody goes by the clock."""
    while True:
        time.sleep(LOOK_S)
        clock = of()
        if clock is None:
            return
        with suppress(SimulationError):  # it has ended, or is busy
            clock._told = clock._ask()
        del clock


def as_it_is(plan: RunPlan) -> RunPlan:
    """The plan, which says so when a `tws sim` of this machine listens where it dials."""
    return replace(plan, simulated=not plan.live and _running(plan.config) is not None)


def simulated(config: TWSConfig) -> TraderParts | None:
    """What a trader goes by on a `tws sim` of this user's on this machine; None for any other TWS.

    The desk's waits are of market time, so they grow with the speed. Its past is another after each start, so
    no bars are kept.
    """
    note = _running(config)
    if note is None:
        return None
    clock = SimClock(note)
    return TraderParts(clock=clock, timing=Timing().scaled(max(1.0, clock.speed)), keep_bars=False)


def _running(config: TWSConfig) -> Note | None:
    return running_on(state_folder() / "sim", config.port) if is_loopback(config.host) else None
