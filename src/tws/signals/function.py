"""Signals from a Python function: called with each bar, it answers a signal or None.

What the function raises does not stop the trading of others: it is kept as a refusal with its text.
`FunctionSource` is the same under the one interface of sources: the function runs on a thread of its own, so
one that blocks makes its own bars wait and nobody else. Bars that find no room behind it are refused: what it
would say of them comes too late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from tws.clock import NS_PER_S, Clock, Rng
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal
from tws.signals.source import Health, Heard, Kept, Outbox
from tws.signals.worker import Worker
from tws.strategy import Reason, Refusal

__all__ = ["FunctionSignals", "FunctionSource"]

_MAX_FAILURES = 1_000  # enough to see a pattern; `failed` counts them all
MAX_BARS = 1_000  # that wait for the function: an hour of bars of three seconds
PATIENCE_S = 5.0
"""How long a function may think about a bar before it is called blocked: half a bar of ten seconds."""


class FunctionSignals:
    """A `SignalSource` around `function(symbol, bar) -> Signal | None`.

    `failures` are the latest exceptions as refusals, `failed` counts all of them.
    """

    def __init__(
        self, function: Callable[[str, Bar], Signal | None], symbols: tuple[str, ...], *, name: str = ""
    ) -> None:
        self.name = name or getattr(function, "__name__", "function")
        self.symbols = symbols
        self.failures: deque[Refusal] = deque(maxlen=_MAX_FAILURES)
        self.failed = 0
        self._function = function

    def on_session(self, symbol: str, session: Session) -> None:
        """A plain function keeps no session."""

    def on_bar(self, symbol: str, bar: Bar) -> Sequence[Signal]:
        if symbol not in self.symbols:
            return ()
        try:
            signal = self._function(symbol, bar)
            if signal is not None and not isinstance(signal, Signal):
                raise TypeError(f"answered {type(signal).__name__}, neither a Signal nor None")
        except Exception as wrong:  # the user's code may raise anything
            self.failed += 1
            self.failures.append(
                Refusal(
                    reason=Reason.FAILED,
                    text=f"{self.name}: {type(wrong).__name__}: {wrong}",
                    symbol=symbol,
                    time_ns=bar.time_ns + bar.seconds * NS_PER_S,
                )
            )
            return ()
        return () if signal is None else (signal,)


class FunctionSource:
    """`function(symbol, bar) -> Signal | None`, for the bars of `symbols`."""

    def __init__(
        self,
        function: Callable[[str, Bar], Signal | None],
        symbols: tuple[str, ...],
        *,
        clock: Clock,
        rng: Rng,
        name: str = "",
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._signals = FunctionSignals(function, symbols, name=name)
        self.name = self._signals.name
        self._clock, self._patience_s = clock, patience_s
        self._outbox = Outbox(self.name, "function")
        self._kept = Kept(self._outbox, clock, rng, self._work)
        self._worker = Worker(f"signals {self.name}")
        self._bars: deque[tuple[str, Bar]] = deque()
        self._new = asyncio.Event()
        self._since_s: float | None = None  # since when it has been at one bar

    async def start(self) -> None:
        self._kept.start()

    async def stop(self) -> None:
        await self._kept.stop()
        self._worker.shutdown()

    def on_news(self, ring: Callable[[], object]) -> None:
        self._outbox.ring = ring

    def take(self, now_ns: int, most: int) -> Sequence[Heard]:
        return self._outbox.take(now_ns, most)

    def health(self) -> Health:
        busy_s = 0.0 if self._since_s is None else self._clock.monotonic() - self._since_s
        blocked = self._kept.state == "running" and busy_s > self._patience_s
        state = f"blocked for {busy_s:.0f} s" if blocked else self._kept.state
        return self._outbox.health(state, waiting=len(self._bars))

    def on_session(self, symbol: str, session: Session) -> None:
        """A plain function keeps no session."""

    def on_bar(self, symbol: str, bar: Bar) -> None:
        if symbol not in self._signals.symbols:
            return
        if len(self._bars) >= MAX_BARS:
            text = f"{self.name}: {MAX_BARS} bars wait for it already"
            self._outbox.put(self._refusal(Reason.OVERLOAD, text, symbol))
            return
        self._bars.append((symbol, bar))
        self._new.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._bars:
                self._new.clear()
                await self._new.wait()
            symbol, bar = self._bars.popleft()
            self._since_s = self._clock.monotonic()
            try:
                answer = loop.run_in_executor(self._worker, self._signals.on_bar, symbol, bar)
                done, _ = await asyncio.wait([answer], timeout=self._patience_s)
                if not done:
                    text = f"{self.name}: no answer for a bar within {self._patience_s:g} s; it is waited for"
                    self._outbox.put(self._refusal(Reason.TIMEOUT, text, symbol))
                for signal in await answer:
                    self._outbox.put(signal)
            finally:
                self._since_s = None
            self._outbox.answered(self._clock.now_ns())
            while self._signals.failures:
                self._outbox.put(self._signals.failures.popleft())

    def _refusal(self, reason: Reason, text: str, symbol: str) -> Refusal:
        return Refusal(reason=reason, text=text, symbol=symbol, time_ns=self._clock.now_ns())
