"""The passing of market time: real, N times faster, or as fast as the clients keep up.

At a speed of N market time is anchored to the loop's clock and advances to "now" whenever an update,
the exchange or a whole second is due. At "max" it advances by one second of the market at a time, then
waits until no session's buffer is full; a client that keeps us waiting longer than `PATIENCE_S` is not
waited for until it has read its backlog (its market data merges). In both, `on_step` is awaited before
each advance. What depends on time here depends on market time alone, so a seed repeats at any speed.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.simulator.core import Core
from tws.simulator.hours import NEW_YORK
from tws.simulator.market.base import ManualMarket
from tws.simulator.session import Session

__all__ = ["Driver"]

PATIENCE_S = 5.0
"""How long "max" waits for a slow reader, wall time: less than any client's own time-out."""
MIN_SLEEP_S = 0.002
"""The shortest nap between two advances: five hundred wakes a second are plenty."""
MINUTE_NS = 60 * NS_PER_S
MAX_LAG_S = 10.0
"""When the process stood still for longer (a laptop slept), market time slips instead of racing to catch
up.
"""


class Driver:
    """Moves market time. `over` is set when the market has nothing more to say."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._speed = core.options.speed
        self._at = core.start_ns
        self._anchor: tuple[float, int] | None = None
        self._go = asyncio.Event()
        self._slow: dict[Session, None] = {}
        self._roll_ns = _next_roll(core.market.start_ns)
        self.over = asyncio.Event()
        self.steps = 0

    def now_ns(self) -> int:
        """Market time: between two advances it runs with the loop's clock, except at "max"."""
        if self._anchor is None or self._speed == "max":
            return self._at
        since_s, begun_ns = self._anchor
        passed_s = asyncio.get_running_loop().time() - since_s
        return max(self._at, begun_ns + int(passed_s * self._speed * NS_PER_S))

    @property
    def pace(self) -> float:
        """Seconds of the market in a second of life; 0 while it is held, and at "max"."""
        return 0.0 if self._anchor is None or self._speed == "max" else float(self._speed)

    def pause(self) -> None:
        """Hold market time."""
        self._at = self.now_ns()
        self._anchor = None
        self._go.clear()

    def resume(self) -> None:
        """Let market time run."""
        self._set_anchor()
        self._go.set()

    def _set_anchor(self) -> None:
        self._anchor = (asyncio.get_running_loop().time(), self._at)

    async def run(self) -> None:
        """Advance until cancelled, or at "max" until the market is over. Raises DataError of a replayed
        file.
        """
        hook = self._core.options.on_step
        self.skip_to_start()
        while True:
            await self._go.wait()
            if hook is not None:
                await hook()
            if self._speed == "max":
                if not await self._race():
                    return
            else:
                await self._walk(float(self._speed))
            self.steps += 1

    async def skip(self, target_ns: int) -> None:
        """Advance to `target_ns` at once, a minute of the market at a time so that clients are served."""
        runs = self._anchor is not None
        self.pause()
        while self._at < target_ns:
            self.advance(min(target_ns, self._at + MINUTE_NS))
            await asyncio.sleep(0)
        if runs:
            self.resume()

    def skip_to_start(self) -> None:
        """What a file says before the wanted start is taken in silently."""
        for update in self._core.market.take(self._core.start_ns - 1):
            self._core.publish(update)

    async def _race(self) -> bool:
        """One second of the market; False when it is over."""
        due = self._core.market.next_ns()
        if due is None:
            self._finish()
            self._core.faults.end_of_time()
            return False
        self.advance(due - due % NS_PER_S + NS_PER_S - 1)
        await asyncio.sleep(0)
        await self._room()
        return True

    async def _room(self) -> None:
        """Wait until no client's buffer is full, as far as our patience goes."""
        core = self._core
        for session in [session for session in self._slow if not session.out.paused]:
            del self._slow[session]
        while waiting := [s for s in core.sessions if s.out.paused and s not in self._slow]:
            core.room.clear()
            try:
                await asyncio.wait_for(core.room.wait(), PATIENCE_S)
            except TimeoutError:
                self._slow.update(dict.fromkeys(waiting))

    async def _walk(self, speed: float) -> None:
        """Sleep until something is due, then advance to now."""
        core = self._core
        if core.market.next_ns() is None:
            self._finish()
        now_ns = self.now_ns()
        second = now_ns - now_ns % NS_PER_S + NS_PER_S
        due = min(core.market.next_ns() or second, core.exchange.next_wake() or second, second)
        await asyncio.sleep(max(MIN_SLEEP_S, (due - now_ns) / NS_PER_S / speed))
        if not self._go.is_set():
            return
        target = self.now_ns()
        furthest = self._at + int(MAX_LAG_S * max(1.0, speed) * NS_PER_S)
        if target > furthest:
            target = furthest
            self._at = target - 1
            self._set_anchor()
        self.advance(target)

    def _finish(self) -> None:
        if not isinstance(self._core.market, ManualMarket):
            self.over.set()

    def advance(self, target_ns: int) -> None:
        """Publish everything up to `target_ns`, second by second, and let time take its effects."""
        core, market = self._core, self._core.market
        while True:
            due = market.next_ns()
            end = target_ns
            if due is not None and due <= target_ns:
                end = min(target_ns, due - due % NS_PER_S + NS_PER_S - 1)
            while self._roll_ns <= end:
                core.new_day(self._roll_ns)
                self._roll_ns = _next_roll(self._roll_ns)
            for update in market.take(end):
                self._at = max(self._at, update.time_ns)
                core.publish(update)
            self._at = max(self._at, end)
            core.elapse(end)
            if end >= target_ns:
                break
        core.flush()


def _next_roll(now_ns: int) -> int:
    """The next 20:30 in New York, when the day's figures begin anew (D)."""
    local = to_datetime(now_ns).astimezone(NEW_YORK)
    for days in (0, 1):
        day = local.date() + timedelta(days=days)
        roll = to_ns(datetime(day.year, day.month, day.day, 20, 30, tzinfo=NEW_YORK))
        if roll > now_ns:
            return roll
    raise AssertionError("tomorrow 20:30 is never past")
