"""Signals from a Python function: called with each bar, it answers a signal or None.

What the function raises does not stop the trading of others: it is kept as a refusal with its text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from tws.clock import NS_PER_S
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal
from tws.strategy import Reason, Refusal

__all__ = ["FunctionSignals"]

_MAX_FAILURES = 1_000  # enough to see a pattern; `failed` counts them all


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
