"""From one market update to the frames of every subscribed line: the hot path.

Text ticks (message 1, 2, 45, 46; one layout for all versions 157 to 200) are a prefix that belongs to
line and tick type plus a body that belongs to the value, so a frame is two joined byte strings and a
length from a table; bodies are cached by value. A test holds these bytes equal to those of
`tws.wire.codec`.

Which ticks an update brings: bid or ask whose price changed is message 1 with its size; whose size
alone changed is message 2; a print brings the last timestamp (45), last price and size, day volume (8),
and day high, low, open when they move (TWS-BEHAVIOUR.md E).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tws.simulator.market.base import MarketUpdate
from tws.simulator.tape import Tape

if TYPE_CHECKING:
    from tws.simulator.session import Session

__all__ = ["Line", "changes", "generic_body", "price_body", "send", "snapshot"]

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE, OPEN = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    14,
)
LAST_TIMESTAMP, SHORTABLE, RT_VOLUME, HALTED = 45, 46, 48, 49

_MESSAGE = {
    **dict.fromkeys((BID, ASK, LAST, HIGH, LOW, CLOSE, OPEN), (1, 6)),
    **dict.fromkeys((BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME), (2, 6)),
    **dict.fromkeys((SHORTABLE, HALTED), (45, 6)),
    **dict.fromkeys((LAST_TIMESTAMP, RT_VOLUME), (46, 6)),
}
"""Message id and version field of each tick type."""

_LENGTHS = [n.to_bytes(4, "big") for n in range(512)]
_CACHE = 50_000
_bodies: dict[tuple[int, int], bytes] = {}
_cents: dict[int, bytes] = {}

Part = tuple[int, bytes]
"""A tick type and the rest of its payload behind it."""


class Line:
    """One market data subscription of one session."""

    def __init__(self, session: Session, req_id: int, con_id: int, *, rt_volume: bool) -> None:
        self.session = session
        self.req_id = req_id
        self.con_id = con_id
        self.rt_volume = rt_volume
        self.prefix = {
            kind: b"%d\0%d\0%d\0%d\0" % (message, version, req_id, kind)
            for kind, (message, version) in _MESSAGE.items()
        }


def price_body(price: float, size: int, mask: int = 1) -> bytes:
    """Price, size and attributes of message 1; mask bit 0: can auto-execute."""
    return b"%s\0%d\0%d\0" % (_number(price), size, mask)


def generic_body(value: float) -> bytes:
    """The value of message 45."""
    return _number(value) + b"\0"


def _number(value: float) -> bytes:
    return repr(float(value)).encode()


def _quote(cents: int, size: int) -> bytes:
    body = _bodies.get((cents, size))
    if body is None:
        if len(_bodies) >= _CACHE:
            _bodies.clear()
        if len(_cents) >= _CACHE:
            _cents.clear()
        text = _cents.get(cents)
        if text is None:
            text = _cents[cents] = _number(cents / 100)
        body = _bodies[cents, size] = b"%s\0%d\x001\0" % (text, size)
    return body


def changes(tape: Tape, update: MarketUpdate) -> list[Part]:
    """The ticks that this update brings; call it before the tape takes the update in."""
    parts: list[Part] = []
    bid, bid_size, ask, ask_size = update.bid, update.bid_size, update.ask, update.ask_size
    if bid != tape.bid:
        parts.append((BID, _quote(bid, bid_size) if bid else b"-1.0\x000\x001\0"))
    elif bid_size != tape.bid_size:
        parts.append((BID_SIZE, b"%d\0" % bid_size))
    if ask != tape.ask:
        parts.append((ASK, _quote(ask, ask_size) if ask else b"-1.0\x000\x001\0"))
    elif ask_size != tape.ask_size:
        parts.append((ASK_SIZE, b"%d\0" % ask_size))
    if update.trade_size:
        _prints(parts, tape, update)
    return parts


def _prints(parts: list[Part], tape: Tape, update: MarketUpdate) -> None:
    price, size = update.trade, update.trade_size
    second = update.time_ns // 1_000_000_000
    if second != tape.last_s:
        parts.append((LAST_TIMESTAMP, b"%d\0" % second))
    if price != tape.last:
        parts.append((LAST, b"%s\0%d\x000\0" % (_number(price), size)))
    elif size != tape.last_size:
        parts.append((LAST_SIZE, b"%d\0" % size))
    parts.append((VOLUME, b"%d\0" % (tape.volume + size)))
    if price > tape.high:
        parts.append((HIGH, price_body(price, 0, 0)))
    if price < tape.low or not tape.low:
        parts.append((LOW, price_body(price, 0, 0)))
    if not tape.open:
        parts.append((OPEN, price_body(price, 0, 0)))


def snapshot(tape: Tape) -> Iterator[Part]:
    """All that is known now, in the order of a first answer (E): bid, ask, last, sizes by themselves, day
    figures.
    """
    if tape.last:
        yield LAST_TIMESTAMP, b"%d\0" % tape.last_s
    if tape.bid:
        yield BID, _quote(tape.bid, tape.bid_size)
    if tape.ask:
        yield ASK, _quote(tape.ask, tape.ask_size)
    if tape.last:
        yield LAST, price_body(tape.last, tape.last_size, 0)
    if tape.speaks:
        yield VOLUME, b"%d\0" % tape.volume
    for kind, value in ((HIGH, tape.high), (LOW, tape.low), (CLOSE, tape.close), (OPEN, tape.open)):
        if value:
            yield kind, price_body(value, 0, 0)


def rt_volume(tape: Tape, update: MarketUpdate) -> Part:
    """Tick 48 (generic 233): price;size;timeMs;total volume;vwap;single. Call it after the tape took the
    update in.
    """
    vwap = tape.value / tape.volume if tape.volume else update.trade
    text = f"{update.trade!r};{update.trade_size};{update.time_ns // 1_000_000};{tape.volume};{vwap:.8f};true"
    return RT_VOLUME, text.encode() + b"\0"


def send(line: Line, parts: list[Part]) -> None:
    """Queue the parts as frames of this line."""
    out, prefix = line.session.out, line.prefix
    if out.paused or out.mute:
        for kind, body in parts:
            payload = prefix[kind] + body
            out.put_tick(line.req_id, kind, _LENGTHS[len(payload)] + payload)
        return
    frames, lengths = out.frames, _LENGTHS
    for kind, body in parts:
        payload = prefix[kind] + body
        frames.append(lengths[len(payload)] + payload)
