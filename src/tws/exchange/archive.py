"""Where the exchange puts what is over: executions and ended orders.

The exchange only adds, asks back in the order of adding, looks an ended order up by its id, and once
a day lets go of what is old. `MemoryArchive` keeps all of it in memory; a caller that runs for a
million orders gives an archive of its own that spills to disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tws.exchange.events import CompletedOrder, ExecutionReport

__all__ = ["Archive", "MemoryArchive"]


class Archive(Protocol):
    """What the exchange asks of it. Answers are oldest first, of what was known when they were asked for."""

    def add_execution(self, report: ExecutionReport) -> None:
        """Keep one execution."""
        ...

    def add_order(self, done: CompletedOrder) -> None:
        """Keep an ended order. One without a permId never reached the broker: found by id, not listed."""
        ...

    def executions(self, since_ns: int = 0) -> Iterator[ExecutionReport]:
        """Executions from `since_ns` on."""
        ...

    def completed(self) -> Iterator[CompletedOrder]:
        """Ended orders that reached the broker."""
        ...

    def order(self, client_id: int, order_id: int) -> CompletedOrder | None:
        """The last ended order of this id."""
        ...

    def forget(self, before_ns: int) -> None:
        """Let go of what ended, or was filled, before."""
        ...

    def close(self) -> None:
        """Nothing more will be asked."""
        ...


class MemoryArchive:
    """Keeps everything in memory."""

    def __init__(self) -> None:
        self._reports: list[ExecutionReport] = []
        self._done: list[CompletedOrder] = []
        self._by_id: dict[tuple[int, int], CompletedOrder] = {}

    def add_execution(self, report: ExecutionReport) -> None:
        self._reports.append(report)

    def add_order(self, done: CompletedOrder) -> None:
        if done.order.perm_id:
            self._done.append(done)
        self._by_id[done.order.client_id, done.order.order_id] = done

    def executions(self, since_ns: int = 0) -> Iterator[ExecutionReport]:
        return iter([report for report in self._reports if report.executed.time_ns >= since_ns])

    def completed(self) -> Iterator[CompletedOrder]:
        return iter(list(self._done))

    def order(self, client_id: int, order_id: int) -> CompletedOrder | None:
        return self._by_id.get((client_id, order_id))

    def forget(self, before_ns: int) -> None:
        self._reports = [report for report in self._reports if report.executed.time_ns >= before_ns]
        self._done = [done for done in self._done if done.completed_ns >= before_ns]
        self._by_id = {key: done for key, done in self._by_id.items() if done.completed_ns >= before_ns}

    def close(self) -> None:
        return
