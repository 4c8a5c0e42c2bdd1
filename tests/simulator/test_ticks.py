"""The compiled tick frames are what the codec would write, at every version and in both encodings, and say
what changed and no more.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.simulator import ticks
from tws.simulator.grid import CENT, Grid, grid_of
from tws.simulator.market import MarketUpdate
from tws.simulator.outbox import Outbox
from tws.simulator.tape import Tape
from tws.wire import codec
from tws.wire.framing import FrameDecoder
from tws.wire.messages import Answer, TickGeneric, TickPrice, TickSize, TickString

S = 1_000_000_000
VERSIONS = (157, 163, 178, 200, 201, 205, 206, 213, 225)
EURO = grid_of(Decimal("0.00005"), Decimal(1))
COIN = grid_of(Decimal("0.25"), Decimal("0.00000001"))


class Listener:
    """As much of a session as a line needs."""

    def __init__(self, version: int = 200) -> None:
        self.version = version
        self.out = Outbox(lambda reason: None)

    def payloads(self) -> list[bytes]:
        found = FrameDecoder().feed(b"".join(self.out.frames))
        self.out.frames.clear()
        return found


def line_of(listener: Listener, grid: Grid = CENT, *, delayed: bool = False) -> ticks.Line:
    session: Any = listener
    return ticks.Line(session, 42, 756733, grid, delayed=delayed)


def heard(tape: Tape, update: MarketUpdate, version: int = 200, *, delayed: bool = False) -> list[Answer]:
    listener = Listener(version)
    lines = ticks.Lines()
    lines.add(line_of(listener, tape.grid, delayed=delayed))
    ticks.deliver(lines, tape, update)
    tape.apply(update)
    return [codec.decode_answer(payload, version) for payload in listener.payloads()]  # type: ignore[misc]


@pytest.mark.parametrize("version", [157, 200, 225])
def test_only_what_changed_is_said(version: int) -> None:
    tape = Tape(756733, 100.0)
    first = heard(tape, MarketUpdate(10 * S, 1, 10000, 300, 10002, 400), version)
    assert first == [TickPrice(42, 1, 100.0, Decimal(300), 1), TickPrice(42, 2, 100.02, Decimal(400), 1)]
    assert heard(tape, MarketUpdate(11 * S, 1, 10000, 300, 10002, 400), version) == []
    sizes = heard(tape, MarketUpdate(12 * S, 1, 10000, 200, 10002, 400), version)
    assert sizes == [TickSize(42, 0, Decimal(200))]
    empty = heard(tape, MarketUpdate(13 * S, 1, 0, 0, 10002, 400), version)
    assert empty == [TickPrice(42, 1, -1.0, Decimal(0), 1)]


def test_a_side_that_empties_at_the_same_price_is_said() -> None:
    tape = Tape(756733, 100.0)
    heard(tape, MarketUpdate(10 * S, 1, 10000, 300, 10002, 400))
    assert heard(tape, MarketUpdate(11 * S, 1, 10000, 0, 10002, 400)) == [
        TickPrice(42, 1, -1.0, Decimal(0), 1)
    ]
    assert heard(tape, MarketUpdate(12 * S, 1, 10000, 5, 10002, 400)) == [
        TickPrice(42, 1, 100.0, Decimal(5), 1)
    ]


@pytest.mark.parametrize("version", [200, 225])
def test_a_print_and_what_it_moves(version: int) -> None:
    tape = Tape(756733, 100.0)
    heard(tape, MarketUpdate(10 * S, 1, 10000, 300, 10002, 400))
    opened = heard(tape, MarketUpdate(11 * S, 1, 10000, 300, 10002, 400, 100.015, 70), version)
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
    again = heard(tape, MarketUpdate(11 * S, 1, 10000, 300, 10002, 400, 100.015, 70), version)
    assert again == [TickSize(42, 8, Decimal(140))]
    higher = heard(tape, MarketUpdate(12 * S, 1, 10000, 300, 10002, 400, 100.02, 30), version)
    assert TickPrice(42, 6, 100.02, Decimal(0), 0) in higher and not [
        m for m in higher if getattr(m, "tick_type", 0) in (7, 14)
    ]


def test_an_index_has_prices_and_no_volume() -> None:
    tape = Tape(416904, 5800.0, is_index=True)
    said = heard(tape, MarketUpdate(10 * S, 1, 0, 0, 0, 0, 5801.25))
    assert [m.tick_type for m in said] == [45, 4, 6, 7, 14]  # type: ignore[attr-defined]
    assert not [kind for kind, _ in ticks.snapshot(tape, ticks.bodies_of(CENT, False)) if kind in (1, 2, 8)]


def test_a_delayed_line_says_the_delayed_ids() -> None:
    tape = Tape(756733, 100.0)
    said = heard(tape, MarketUpdate(10 * S, 1, 10000, 300, 10002, 400, 100.01, 5), delayed=True)
    assert [m.tick_type for m in said] == [66, 67, 88, 68, 74, 72, 73, 76]  # type: ignore[attr-defined]
    assert [type(m).__name__ for m in said][2] == "TickString"


@pytest.mark.parametrize(
    ("grid", "ticks_", "lots", "price", "size"),
    [(EURO, 21_601, 250_000, 1.08005, "250000"), (COIN, 400_001, 123_450_000, 100_000.25, "1.2345")],
)
def test_every_grid_has_its_prices_and_sizes(
    grid: Grid, ticks_: int, lots: int, price: float, size: str
) -> None:
    for version in (200, 225):
        said = heard(Tape(1, None, grid), MarketUpdate(S, 1, ticks_, lots, ticks_ + 1, lots), version)
        assert said[0] == TickPrice(42, 1, price, Decimal(size), 1)
    assert grid.ticks(price) == ticks_ and grid.is_on(price) and not grid.is_on(price + grid.tick / 2)


@pytest.mark.parametrize("grid", [CENT, EURO, COIN])
@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_are_the_codecs(version: int, grid: Grid) -> None:
    listener = Listener(version)
    line = line_of(listener, grid)
    bodies = line.bodies
    parts = [
        (ticks.BID, bodies.quote(9950, 300)),
        (ticks.ASK, bodies.quote(0, 0)),
        (ticks.LAST, bodies.price(99.5, 0, 0)),
        (ticks.ASK_SIZE, bodies.size(400)),
        (ticks.VOLUME, bodies.size(0)),
        (ticks.LAST_TIMESTAMP, bodies.string("1700000000")),
        (47, bodies.string("x=1;" * 60)),
        (ticks.SHORTABLE, bodies.generic(3.0)),
        (ticks.HALTED, bodies.generic(0.0)),
    ]
    ticks.send(line, parts)
    wanted: list[Answer] = [
        TickPrice(42, 1, grid.price(9950), grid.quantity(300), 1),
        TickPrice(42, 2, -1.0, Decimal(0), 1),
        TickPrice(42, 4, 99.5, Decimal(0), 0),
        TickSize(42, 3, grid.quantity(400)),
        TickSize(42, 8, Decimal(0)),
        TickString(42, 45, "1700000000"),
        TickString(42, 47, "x=1;" * 60),
        TickGeneric(42, 46, 3.0),
        TickGeneric(42, 49, 0.0),
    ]
    assert listener.payloads() == [codec.encode(message, version) for message in wanted]


@pytest.mark.parametrize("req_id", [0, 1, 127, 128, 70_000, 2**31 - 1, -5])
def test_any_request_id_is_the_codecs(req_id: int) -> None:
    for version in (200, 201, 225):
        session: Any = Listener(version)
        line = ticks.Line(session, req_id, 1, CENT)
        ticks.send(line, [(ticks.BID, line.bodies.quote(100, 1))])
        assert session.payloads() == [codec.encode(TickPrice(req_id, 1, 1.0, Decimal(1), 1), version)]


def test_both_encodings_hear_the_same_update() -> None:
    tape, text, binary = Tape(756733, 100.0), Listener(200), Listener(225)
    lines = ticks.Lines()
    lines.add(line_of(text))
    lines.add(line_of(binary))
    ticks.deliver(lines, tape, MarketUpdate(10 * S, 1, 10000, 300, 10002, 400, 100.01, 20))
    said = [codec.decode_answer(payload, 200) for payload in text.payloads()]
    assert len(said) == 8 and said == [codec.decode_answer(payload, 225) for payload in binary.payloads()]


def test_under_pressure_the_last_value_of_each_field_stays() -> None:
    listener = Listener()
    out, line = listener.out, line_of(listener)
    out.pause()
    for price in (1.0, 2.0, 3.0):
        ticks.send(
            line, [(ticks.BID, line.bodies.price(price, 100)), (ticks.ASK, line.bodies.price(price + 1, 100))]
        )
    out.put(b"order word")
    assert out.frames == [b"order word"] and out.merged == 4
    out.resume()
    prices = [codec.decode_answer(p, 200).price for p in FrameDecoder().feed(b"".join(out.frames[1:]))]  # type: ignore[union-attr]
    assert prices == [3.0, 4.0]
    out.pause()
    ticks.send(line, [(ticks.BID, line.bodies.price(9.0, 1))])
    out.drop_line(42)
    out.frames.clear()
    out.resume()
    assert out.frames == []
