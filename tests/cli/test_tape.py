"""What `tws run` says while it trades, and that a terminal which stands still keeps nobody waiting."""

from __future__ import annotations

import io
import json
import sys
import threading
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tws.cli.tape import MOST, Tape
from tws.clock import NS_PER_S
from tws.model.contract import stock
from tws.model.execution import Execution
from tws.model.facts import LinkState
from tws.model.order import Role, Side
from tws.model.records import Booked, Denied, LinkMoved, Planned

AT_NS = (14 * 3600 + 30 * 60 + 5) * NS_PER_S
SPY = stock("SPY")
TRADE = Planned(
    at_ns=AT_NS, group_id="t-1", contract=SPY, tick=Decimal("0.01"), lot=Decimal(1), side=Side.BUY,
    quantity=Decimal("1E+1"), stop_price=Decimal("97.00"), target_price=Decimal(103), strategy="hook",
)  # fmt: skip
FILL = Booked(
    at_ns=AT_NS, intent_id="t-2",
    execution=Execution(
        exec_id="0000.1.01.01", order_id=1, perm_id=2, client_id=3, account="DU1", contract=SPY,
        side=Side.BUY, quantity=Decimal(10), price=Decimal("100.010"), time_ns=AT_NS, cumulative=Decimal(10),
        average_price=Decimal("100.01"),
    ),
)  # fmt: skip
DENIED = Denied(
    at_ns=AT_NS, symbol="SPY", limit="max_position", figure="20", bound="15", reason="too much",
    role=Role.ENTRY, side=Side.BUY, quantity=Decimal(10),
)  # fmt: skip
LOST = LinkMoved(at_ns=AT_NS, state=LinkState.DOWN, session=1, cause="peer closed")


class Held(io.StringIO):
    """A terminal that takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go = threading.Event(), threading.Event()

    def write(self, text: str, /) -> int:
        self.reached.set()
        assert self.go.wait(60)
        return super().write(text)


def test_lines_for_a_human(capsys: pytest.CaptureFixture[str]) -> None:
    tape = Tape(as_json=False)
    corrected = replace(FILL.execution, exec_id="0000.1.01.02", price=Decimal("100.02"))
    for record in (TRADE, FILL, replace(FILL, execution=corrected), DENIED, DENIED, TRADE, DENIED, LOST):
        tape.hear(record)
    tape.close()
    trade = "14:30:05  SPY    BUY 10, stop 97.00, target 103.00 (hook)"
    denied = "14:30:05  SPY    denied BUY 10: max_position: too much (asked 20, bound 15)"
    assert capsys.readouterr().out.splitlines() == [
        trade,
        "14:30:05  SPY    t-2 filled: bought 10 at 100.01",
        "14:30:05  SPY    t-2 corrected: bought 10 at 100.02",
        denied,  # once, until something else happens in the symbol
        trade,
        denied,
        "14:30:05         the link to TWS is lost",
    ]


def test_documents_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    tape = Tape(as_json=True)
    for record in (TRADE, FILL, DENIED, LOST):
        tape.hear(record)
    tape.close()
    out, err = capsys.readouterr()
    told = [json.loads(line) for line in err.splitlines()]
    assert out == "" and [each["event"] for each in told] == ["trade", "fill", "denied", "link"]
    assert told[0]["stop"] == "97" and told[1]["price"] == "100.01" and told[3]["cause"] == "peer closed"


def test_a_terminal_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := Held())
    tape = Tape(as_json=False)
    tape.hear(TRADE)
    assert terminal.reached.wait(60)
    for _ in range(MOST + 7):
        tape.hear(LOST)
    terminal.go.set()
    tape.close()
    lines = terminal.getvalue().splitlines()
    assert lines.count("7 lines were left out: the terminal stood still") == 1
    assert len(lines) == 1 + MOST + 1


def test_a_terminal_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := io.StringIO())
    tape = Tape(as_json=False)
    terminal.close()
    tape.hear(TRADE)
    tape.close()
