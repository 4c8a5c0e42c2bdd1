"""A pacer with a clock in the hand, and requests to offer it. Not a test file."""

from __future__ import annotations

from typing import Any

from tws.connection.pacing import Pacer, PacingOptions, Verdict
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.messages import (
    ContractDataRequest,
    CurrentTimeRequest,
    HeadTimestampRequest,
    HistoricalDataRequest,
    Request,
    TickByTickRequest,
    WireContract,
)

WRITE, WAITS, WITHDRAWN = Verdict.WRITE, Verdict.WAITS, Verdict.WITHDRAWN
VERSIONS = [178, 203, 225]
"""Text, text behind a binary id, protobuf."""


def stock(symbol: str = "SPY", **fields: Any) -> WireContract:
    return WireContract(symbol=symbol, sec_type="STK", exchange="SMART", currency="USD", **fields)


def bars(number: int, duration: str = "60 S", **fields: Any) -> HistoricalDataRequest:
    wanted: dict[str, Any] = {"contract": stock(), "end_date_time": "", "bar_size_setting": "5 secs"}
    wanted |= {"use_rth": False, "what_to_show": "TRADES"} | fields
    return HistoricalDataRequest(req_id=number, duration=duration, **wanted)


def minutes(number: int, **fields: Any) -> HistoricalDataRequest:
    return bars(number, bar_size_setting="1 min", **fields)


def head(number: int) -> HeadTimestampRequest:
    return HeadTimestampRequest(number, stock(), True, "TRADES", 2)


def details(number: int) -> ContractDataRequest:
    return ContractDataRequest(number, stock())


def prints(number: int, symbol: str = "SPY", past: int = 0, kind: str = "Last") -> TickByTickRequest:
    return TickByTickRequest(number, stock(symbol), kind, past, False)


class Desk:
    """A pacer, a clock, and a TWS that answers the time at once or when it is told to."""

    def __init__(self, version: int = 178, **options: Any) -> None:
        self.now = 1000.0
        self.version = version
        self.pacer = Pacer(PacingOptions(**options))
        self.pacer.begin(version)
        self.echo = True
        self.replies = False
        """Whether it answers requests for history with the time."""
        self._asked: list[int] = []
        self.written: list[Request] = []
        self.silent = 0

    def offer(self, request: Request, *, urgent: bool = False) -> Verdict:
        data = frame(codec.encode(request, self.version))
        verdict = self.pacer.offer(data, self.now, urgent=urgent)
        if verdict is WRITE:
            self.write(data)
        return verdict

    def write(self, data: bytes) -> None:
        request: Any = codec.decode_request(data[4:], self.version)
        self.written.append(request)
        if isinstance(request, CurrentTimeRequest):
            self.silent += 1
        if isinstance(request, HistoricalDataRequest):
            self._asked.append(request.req_id)

    def answer(self) -> None:
        for _ in range(self.silent):
            self.pacer.echoed(self.now)
        self.silent = 0
        asked, self._asked = self._asked, []
        for number in asked if self.replies else ():
            self.pacer.ended(number, self.now)

    def turn(self) -> None:
        """Do what the shell does: write what is due, hear the answers."""
        while (at := self.pacer.next_at()) is not None and at <= self.now:
            for data in self.pacer.due(self.now):
                self.write(data)
            if self.echo:
                self.answer()

    def run(self, seconds: float) -> None:
        """Let time go by, stopping wherever the pacer wants to be called."""
        end = self.now + seconds
        self.turn()
        while (at := self.pacer.next_at()) is not None and at <= end:
            self.now = max(self.now, at)
            self.turn()
        self.now = end

    def prove(self) -> None:
        """Everything so far has been read by now."""
        self.offer(CurrentTimeRequest(), urgent=True)
        self.answer()

    def ids(self, kind: type[Any]) -> list[int]:
        return [getattr(one, "req_id", -1) for one in self.written if isinstance(one, kind)]

    def waits(self) -> list[tuple[str, int]]:
        return [(one.kind, one.request_id) for one in self.pacer.waiting(self.now)]
