"""What a demo measured, each figure beside the bound that it is held to."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.model.records import Alarmed, FlattenMoved, FlattenPhase, Record, Severity
from tws.runtime import Trader
from tws.runtime.status import protection

__all__ = ["FLATTEN_BEFORE_S", "Measured", "measure"]

FLATTEN_BEFORE_S = 60
"""Market seconds before the close at which the day is flattened (AUTOMATION.md: in the last minute)."""

READY_S = 30.0
"""Wall seconds from the command to the first order: what a dial and the broker's answers may take together,
beyond which a human thinks that it hangs."""


class Measured(Struct, frozen=True, kw_only=True):
    """One figure, in `unit`; `bound` is the most that it may be. None: it never came."""

    what: str
    measured: float | None
    bound: float
    unit: str

    @property
    def held(self) -> bool:
        return self.measured is not None and self.measured <= self.bound


def measure(trader: Trader, records: Iterable[Record], ready_s: float) -> list[Measured]:
    """Times in seconds of market time, but for the start, which is the machine's."""
    records = list(records)
    bare = protection(trader.desk, trader.clock.now_ns())
    alarms = sum(1 for each in records if isinstance(each, Alarmed) and each.severity is Severity.ALARM)
    return [
        Measured(what="ready to trade after", measured=round(ready_s, 3), bound=READY_S, unit="s"),
        Measured(what="held without a full stop, longest", measured=bare.longest_s, bound=bare.bound_s,
                 unit="s"),
        Measured(what="flat after the flatten began", measured=_flat_s(records), bound=FLATTEN_BEFORE_S,
                 unit="s"),
        Measured(what="alarms", measured=alarms, bound=0, unit=""),
    ]  # fmt: skip


def _flat_s(records: list[Record]) -> float | None:
    """From the first word of a symbol's flatten to FLAT, the longest; None when one did not come."""
    began: dict[str, int] = {}
    longest = 0.0
    for each in records:
        if isinstance(each, FlattenMoved):
            began.setdefault(each.symbol, each.at_ns)
            if each.phase is FlattenPhase.FLAT:
                longest = max(longest, (each.at_ns - began.pop(each.symbol)) / NS_PER_S)
    return longest if not began else None
