"""What a run came to, as a value; and what it logged, line by line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.world.mix import Mix

__all__ = ["Listener", "Outcome"]


@dataclass
class Outcome:
    """What a run came to."""

    seed: int | str
    mix: Mix
    digest: str = ""
    complaints: list[str] = field(default_factory=list)
    met: dict[str, int] = field(default_factory=dict)
    fates: dict[str, int] = field(default_factory=dict)
    """Of an automated run: what became of signals, and what else happened."""
    fills: int = 0
    orders: int = 0
    lives: int = 0
    starts: int = 0
    links: int = 0
    signals: int = 0
    records: int = 0
    steps: int = 0
    seconds: float = 0.0
    tail: list[str] = field(default_factory=list)


class Listener(logging.Handler):
    """Hands each line of the package's log on."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(f"{record.levelname}: {record.getMessage()}")
