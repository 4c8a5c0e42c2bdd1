"""A safety file in memory: what `tws.safety.SafetyFile` keeps, with a disk that a test may break."""

from __future__ import annotations

from collections.abc import Callable

from tws.errors import TWSError
from tws.model.stop import EVERYTHING, KillState, Scope


class Memory:
    """`latches` by scope, `kept` records."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.latches: dict[str, KillState] = {}
        self.kept: list[bytes] = []
        self.seen: list[int] = []
        self.on_latch: Callable[[], object] = lambda: None

    def latch(
        self, state: KillState, *, at_ns: int, reason: str, operator: str, scope: Scope = EVERYTHING
    ) -> None:
        if self.broken:
            raise TWSError("the disk is gone")
        self.on_latch()
        self.latches[scope.key] = state

    def reset(self, *, at_ns: int, scope: Scope | None = None) -> None:
        self.latches.pop(scope.key if scope is not None else "all", None)

    def emergency_append(self, *records: bytes) -> None:
        if self.broken:
            raise TWSError("the disk is gone")
        self.kept += records

    def emergency_read(self) -> list[bytes]:
        return list(self.kept)

    def emergency_clear(self) -> None:
        self.kept.clear()
