"""The compiled tick frames are what the codec would write, at every version, and say what changed and no
more.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.simulator import ticks
from tws.simulator.market import MarketUpdate
from tws.simulator.outbox import Outbox
from tws.simulator.tape import Tape
from tws.wire import codec
from tws.wire.framing import FrameDecoder
from tws.wire.messages import Answer, TickGeneric, TickPrice, TickSize, TickString

S = 1_000_000_000


class Listener:
    """As much of a session as a line needs."""

    def __init__(self) -> None:
        self.out = Outbox(lambda reason: None)

    def payloads(self) -> list[bytes]:
        found = FrameDecoder().feed(b"".join(self.out.frames))
        self.out.frames.clear()
        return found


def line_of(listener: Listener) -> ticks.Line:
    session: Any = listener
    return ticks.Line(session, 42, 756733, rt_volume=False)


def heard(tape: Tape, update: MarketUpdate) -> list[Answer]:
    listener = Listener()
    parts = ticks.changes(tape, update)
    tape.apply(update)
    ticks.send(line_of(listener), parts)
    return [codec.decode_answer(payload, 200) for payload in listener.payloads()]  # type: ignore[misc]


def test_only_what_changed_is_said() -> None:
    tape = Tape(756733, 100.0)
    first = heard(tape, MarketUpdate(10 * S, 1, 10000, 300, 10002, 400))
    assert first == [TickPrice(42, 1, 100.0, Decimal(300), 1), TickPrice(42, 2, 100.02, Decimal(400), 1)]
    assert heard(tape, MarketUpdate(11 * S, 1, 10000, 300, 10002, 400)) == []
    assert heard(tape, MarketUpdate(12 * S, 1, 10000, 200, 10002, 400)) == [TickSize(42, 0, Decimal(200))]
    assert heard(tape, MarketUpdate(13 * S, 1, 0, 0, 10002, 400)) == [TickPrice(42, 1, -1.0, Decimal(0), 1)]


def test_a_print_and_what_it_moves() -> None:
    tape = Tape(756733, 100.0)
    heard(tape, MarketUpdate(10 * S, 1, 10000, 300, 10002, 400))
    opened = heard(tape, MarketUpdate(11 * S, 1, 10000, 300, 10002, 400, 100.015, 70))
    assert [(type(m).__name__, m.tick_type) for m in opened] == [  # type: ignore[attr-defined]
        ("TickString", 45),
        ("TickPrice", 4),
        ("TickSize", 8),
        ("TickPrice", 6),
        ("TickPrice", 7),
        ("TickPrice", 14),
    ]
    assert opened[0] == TickString(42, 45, "11")
    assert opened[1] == TickPrice(42, 4, 100.015, Decimal(70), 0)
    again = heard(tape, MarketUpdate(11 * S, 1, 10000, 300, 10002, 400, 100.015, 70))
    assert again == [TickSize(42, 8, Decimal(140))]
    higher = heard(tape, MarketUpdate(12 * S, 1, 10000, 300, 10002, 400, 100.02, 30))
    assert TickPrice(42, 6, 100.02, Decimal(0), 0) in higher and not [
        m for m in higher if getattr(m, "tick_type", 0) in (7, 14)
    ]


@pytest.mark.parametrize("version", [157, 163, 178, 200])
def test_bytes_are_the_codecs(version: int) -> None:
    listener = Listener()
    parts = [
        (ticks.BID, ticks.price_body(99.5, 300, 1)),
        (ticks.ASK_SIZE, b"400\0"),
        (ticks.LAST_TIMESTAMP, b"1700000000\0"),
        (ticks.SHORTABLE, ticks.generic_body(3.0)),
    ]
    ticks.send(line_of(listener), parts)
    wanted: list[Answer] = [
        TickPrice(42, 1, 99.5, Decimal(300), 1),
        TickSize(42, 3, Decimal(400)),
        TickString(42, 45, "1700000000"),
        TickGeneric(42, 46, 3.0),
    ]
    assert listener.payloads() == [codec.encode(message, version) for message in wanted]


def test_under_pressure_the_last_value_of_each_field_stays() -> None:
    listener = Listener()
    out, line = listener.out, line_of(listener)
    out.pause()
    for price in (1.0, 2.0, 3.0):
        ticks.send(
            line, [(ticks.BID, ticks.price_body(price, 100)), (ticks.ASK, ticks.price_body(price + 1, 100))]
        )
    out.put(b"order word")
    assert out.frames == [b"order word"] and out.merged == 4
    out.resume()
    prices = [codec.decode_answer(p, 200).price for p in FrameDecoder().feed(b"".join(out.frames[1:]))]  # type: ignore[union-attr]
    assert prices == [3.0, 4.0]
    out.pause()
    ticks.send(line, [(ticks.BID, ticks.price_body(9.0, 1))])
    out.drop_line(42)
    out.frames.clear()
    out.resume()
    assert out.frames == []
