"""What a signal source is: something that hears bars and sometimes wishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal

__all__ = ["SignalSource"]


class SignalSource(Protocol):
    """Told the session of each symbol before its first bar, then every completed bar in order of time."""

    name: str
    symbols: tuple[str, ...]

    def on_session(self, symbol: str, session: Session) -> None:
        """The session that now holds or comes next, as the broker states it; it replaces the one before."""
        ...

    def on_bar(self, symbol: str, bar: Bar) -> Sequence[Signal]:
        """A bar is complete: the wishes that follow. A symbol that is not one of `symbols` gives none."""
        ...
