"""A hostile client as a program in bytes: the same bytes, the same attack. `run(data)` lets it loose on a
whole simulated TWS in memory, beside a witness session that must go on being answered.

The bytes choose a server version, then step by step a request of the wire as it should be, the same with
fields replaced, dropped or repeated, raw payloads, raw bytes, or the passing of time; and in what pieces all
this arrives. After each program the attacker must have been closed or must still be answered, the witness
must be answered, time must pass, and nothing may have been logged as a failure of ours. Used by
`test_fuzz.py` with bytes of hypothesis, and by `fuzz/fuzz_requests.py` with bytes that coverage guides.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import typing
from collections.abc import Callable
from decimal import Decimal
from types import UnionType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tws.errors import TWSError
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits
from tws.simulator.session import Session
from tws.wire import codec
from tws.wire.framing import frame
from tws.wire.layouts import REQUESTS
from tws.wire.messages import (
    AccountDataRequest,
    AccountSummaryRequest,
    AllOpenOrdersRequest,
    CompletedOrdersRequest,
    CurrentTime,
    CurrentTimeRequest,
    ExecutionFilter,
    ExecutionRequest,
    PlaceOrderRequest,
    PositionsRequest,
    Request,
)
from tws.wire.session import ClientSession

VERSIONS = (157, 163, 176, 187, 200, 201, 203, 213, 219, 225)
T0 = 1_767_623_400_000_000_000
SYMBOLS = ("SPY", "AAPL", "QQQ")
RENEW = 300
"""After so many programs the TWS is a new one, so that what a program finds depends on few before it."""

NASTY = (
    b"", b"0", b"-1", b"1", b"2147483647", b"2147483648", b"-2147483648", b"9223372036854775807", b"1e400",
    b"99999999999999999999999999", b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"1.7976931348623157E308",
    b"1E-320", b"0.00001", b"-0.0", b"abc", b"\xff\xfe", "é€𝄞".encode(), b"\\u0000", b"A" * 5000, b"%s%n",
    b"1,2", b"1;2", b"1 Y", b"100000 Y", b"0 D", b"-5 S", b"99999999", b"20260105", b"20260105 09:30:00",
    b"20261399-99:99:99", b"20260105 09:30:00 Mars/Base", b"SPY", b"STK", b"OPT", b"FUT", b"BAG", b"CASH",
    b"SMART", b"ISLAND", b"USD", b"BUY", b"SELL", b"SSHORT", b"MKT", b"LMT", b"STP", b"TRAIL",
    b"STP LMT", b"REL", b"PEG BENCH", b"MOC", b"GTC", b"GTD", b"OPG", b"IOC", b"TRADES", b"MIDPOINT",
    b"BID_ASK", b"SCHEDULE", b"1 min", b"1 secs", b"1 month", b"100", b"0.5", b"50", b"DU1234567", b"All",
    b"true", b"False", b"C", b"P",
)  # fmt: skip
NUMBERS = 19
"""So many of them can be read as numbers."""
FLOATS = (
    0.0,
    -1.0,
    1.0,
    float("nan"),
    float("inf"),
    -float("inf"),
    1.7976931348623157e308,
    5e-324,
    1e-5,
    1e15,
)
LIKELY: dict[str, Any] = {
    "symbol": "SPY", "sec_type": "STK", "exchange": "SMART", "currency": "USD", "action": "BUY",
    "total_quantity": Decimal(100), "order_type": "LMT", "lmt_price": 100.0, "tif": "DAY",
    "what_to_show": "TRADES", "bar_size_setting": "1 min", "duration": "1 D", "format_date": 1,
    "use_rth": False, "tick_type": "Last", "number_of_ticks": 100, "subscribe": True, "group_name": "All",
    "tags": "NetLiquidation,BuyingPower",
    "market_rule_id": 26, "pattern": "SP", "num_ids": 1, "log_level": 1, "num_rows": 5, "bar_size": 5,
    "end_date_time": "", "start_date_time": "20260105 09:30:00", "transmit": True, "time_period": "1 D",
}  # fmt: skip


BUSY = [
    layout
    for layout in REQUESTS
    if layout.message.__name__.startswith(
        ("PlaceOrder", "Historical", "MarketD", "RealTime", "TickBy", "Account")
    )
]
"""Requests with much to get wrong: every second one is of these."""


QUESTIONS = (
    AllOpenOrdersRequest(),
    CompletedOrdersRequest(False),
    ExecutionRequest(1, ExecutionFilter()),
    PositionsRequest(),
    AccountDataRequest(True, ""),
    AccountSummaryRequest(3, "All", "$LEDGER,NetLiquidation"),
)


class Program:
    """Bytes read as choices; past the end every choice is 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._data)

    def pick(self, count: int) -> int:
        """One of so many."""
        return int.from_bytes(self.take(1 if count <= 256 else 2), "big") % count

    def take(self, size: int) -> bytes:
        """So many raw bytes, fewer at the end."""
        data = self._data[self._at : self._at + size]
        self._at += size
        return data

    def one(self, things: Any) -> Any:
        return things[self.pick(len(things))]


class Wire(asyncio.Transport):
    """The server's end of a link in memory."""

    def __init__(self, protocol: Session) -> None:
        super().__init__({"peername": ("127.0.0.1", 50_000)})
        self.protocol = protocol
        self.sent = bytearray()
        self.closed = False
        protocol.connection_made(self)

    def write(self, data: Any) -> None:
        if not self.closed:
            self.sent += data

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.protocol.connection_lost(None)

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Client:
    """A client on such a link; `say` delivers to the server at once."""

    def __init__(self, tws: SimulatedTWS, client_id: int, version: int) -> None:
        self.session = ClientSession(client_id, max_version=version)
        self.wire = Wire(tws.protocol_factory())
        self.version = version

    def start(self) -> None:
        self.say(self.session.start())
        reply, _ = self.session.receive(self._heard())
        self.version = self.session.server_version or self.version
        self.say(reply)

    def say(self, data: bytes) -> None:
        if not self.wire.closed:
            self.wire.protocol.data_received(data)

    def ask(self, request: Request) -> None:
        self.say(frame(codec.encode(request, self.version)))

    def _heard(self) -> bytes:
        data = bytes(self.wire.sent)
        self.wire.sent.clear()
        return data

    def is_answered(self) -> bool:
        """Whether a simple question brings its answer; all that came before must be readable."""
        self.ask(CurrentTimeRequest())
        _, events = self.session.receive(self._heard())
        payloads = [event for event in events if isinstance(event, bytes)]
        answers = [codec.decode_answer(payload, self.session.server_version) for payload in payloads]
        return any(isinstance(answer, CurrentTime) for answer in answers)


class Failures(logging.Handler):
    """Keeps what the simulator logs as a failure of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


class Arena:
    """One simulated TWS, its clock turned by hand, and the witness."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.time = 0.0
        self._order_id = 100
        self._later: list[tuple[float, Callable[[], None]]] = []
        self.tws = SimulatedTWS(
            SimulatorOptions(symbols=SYMBOLS, start_ns=T0, seed=1, limits=limits or Limits.off())
        )
        self.tws.core.loop_time = lambda: self.time
        self.tws.core.call_at = lambda when, call: self._later.append((when, call))
        self.failures = Failures()
        logger = logging.getLogger("tws.simulator")
        logger.addHandler(self.failures)
        if not logger.isEnabledFor(logging.ERROR):
            logger.setLevel(logging.ERROR)
        self.witnesses = [Client(self.tws, 10, 200), Client(self.tws, 11, 225)]
        for witness in self.witnesses:
            witness.start()
        self.market_ns = T0
        self.pass_time(1.0)

    def pass_time(self, seconds: float) -> None:
        self.time += seconds
        due = [call for when, call in self._later if when <= self.time]
        self._later = [entry for entry in self._later if entry[0] > self.time]
        for call in due:
            call()
        self.market_ns += int(seconds * 1e9)
        self.tws._driver.advance(self.market_ns)

    def close(self) -> None:
        logging.getLogger("tws.simulator").removeHandler(self.failures)

    def attack(self, data: bytes) -> None:
        """One program. Raises AssertionError, or whatever escaped, when something is wrong."""
        program = Program(data)
        version = program.one(VERSIONS)
        attacker = Client(self.tws, 2, version)
        if program.pick(16) == 15:
            attacker.say(program.take(program.pick(64)))
        else:
            attacker.start()
        broken = False
        for _ in range(16):
            if program.over:
                break
            broken |= self._step(program, attacker)
        self.pass_time(1.0)
        if not attacker.wire.closed and not broken and attacker.wire.protocol.client_id is not None:
            assert attacker.is_answered() or attacker.wire.closed, (
                "the attacker is neither closed nor answered"
            )
        self._question(program)
        attacker.wire.close()
        self.tws.core.tell(self.tws.exchange.global_cancel(self.tws.now_ns()))
        self.tws.core.flush()
        for witness in self.witnesses:
            assert witness.is_answered(), "the witness is not answered"
        for record in self.failures.found:
            if record.exc_info and record.exc_info[1]:
                raise record.exc_info[1]
        assert not self.failures.found, self.failures.found

    def _question(self, program: Program) -> None:
        """The witnesses ask about what the attacker may have left, in text and protobuf."""
        asked = program.one(QUESTIONS)
        for witness in self.witnesses:
            witness.ask(asked)
            assert witness.is_answered(), f"the witness is not answered after {asked}"

    def _step(self, program: Program, attacker: Client) -> bool:
        """One act of the attacker; whether the stream has lost its step by it."""
        act = program.pick(16)
        if act == 0:
            self.pass_time(program.one((0.1, 1.0, 5.0, 60.0)))
            return False
        if act == 1:
            attacker.say(program.take(program.pick(24)))
            return True
        if act == 2:
            payload = program.take(1 + program.pick(16)) or b"\0"
        elif act == 3:
            payload = b"%d\0" % program.pick(120) + program.take(program.pick(16)) + b"\0"
        elif act == 4:
            head = (program.pick(120) + 200 * program.pick(2)).to_bytes(4, "big")
            payload = head + program.take(program.pick(16))
        else:
            self._order_id += 1
            payload = request(program, attacker.version, self._order_id)
            if payload is None:
                return False
            for _ in range(0 if act == 5 else 1 + program.pick(3)):
                payload = mutate(program, payload, attacker.version)
        data = frame(payload or b"\0")
        if act == 15 and program.pick(8) == 0:
            for at in range(len(data)):
                attacker.say(data[at : at + 1])
        else:
            attacker.say(data)
        return False


def request(program: Program, version: int, order_id: int) -> bytes | None:
    """The payload of a decent request of this version; a new order has this id."""
    layouts = REQUESTS if program.pick(2) else BUSY
    try:
        message = sample(program.one(layouts).message)
        if isinstance(message, PlaceOrderRequest) and program.pick(4):
            message = replace(message, order_id=order_id)
        return codec.encode(message, version)
    except TWSError:
        return None


def sample(kind: type[Any]) -> Any:
    """A message with likely values in the fields that have no default, and in those known by name."""
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for name in kind.__struct_fields__:
        hint = hints[name]
        if name in LIKELY and type(LIKELY[name]) in (typing.get_args(hint) or (hint,)):
            values[name] = LIKELY[name]
        elif isinstance(hint, type) and issubclass(hint, Struct):
            values[name] = sample(hint)
        elif name in required(kind):
            values[name] = plain(hint)
    return kind(**values)


def required(kind: type[Any]) -> set[str]:
    names = kind.__struct_fields__
    return set(names[: len(names) - len(kind.__struct_defaults__)])


def plain(hint: Any) -> Any:
    """Some value of a type."""
    if isinstance(hint, UnionType) or typing.get_origin(hint) is typing.Union:
        return None
    if typing.get_origin(hint) is tuple:
        return ()
    return {int: 5, str: "", bool: False, float: 1.0, Decimal: Decimal(1)}[hint]


def mutate(program: Program, payload: bytes, version: int) -> bytes:
    """The same with something wrong."""
    if version < 201:
        return _mutate_fields(program, payload)
    head, body = payload[:4], payload[4:]
    if int.from_bytes(head, "big") > 200:
        return head + _mutate_protobuf(program, body)
    return head + _mutate_fields(program, body)


def _mutate_fields(program: Program, payload: bytes) -> bytes:
    fields = payload.split(b"\0")
    place = program.pick(max(1, len(fields)))
    act = program.pick(12)
    if act < 8:
        numbers = fields[place][-1:].isdigit() and program.pick(8)
        fields[place] = program.one(NASTY[:NUMBERS] if numbers else NASTY)
    elif act == 8:
        del fields[place]
    elif act == 9:
        fields.insert(place, program.one(NASTY))
    elif act == 10:
        fields[place] = program.take(program.pick(24))
    else:
        fields[place:place] = fields[place:] * (1 + program.pick(4))
    return b"\0".join(fields)


def _mutate_protobuf(program: Program, body: bytes, depth: int = 0) -> bytes:
    """A field's value replaced by one that its type allows but nobody means; or raw bytes changed."""
    parts = _parts(body)
    if not parts or program.pick(8) == 0:
        place = program.pick(max(1, len(body)))
        return body[:place] + program.take(1 + program.pick(8)) + body[place + program.pick(8) :]
    place = program.pick(len(parts))
    number, kind, value = parts[place]
    if program.pick(8) == 0:
        number = 1 + program.pick(150)
    if kind == 0:
        value = _varint(program.one((0, 1, 2, 2**31 - 1, 2**31, 2**64 - 1, 2**63, program.pick(256))))
    elif kind == 1:
        value = struct.pack("<d", program.one(FLOATS))
    elif kind == 2:
        if depth < 3 and _parts(value) and program.pick(4):
            value = _mutate_protobuf(program, value, depth + 1)
        else:
            value = program.one(NASTY)
        value = _varint(len(value)) + value
    parts[place : place + program.pick(2)] = [(number, kind, value)]
    return b"".join(_varint(n << 3 | k) + _whole(k, v, i == place) for i, (n, k, v) in enumerate(parts))


def _whole(kind: int, value: bytes, has_length: bool) -> bytes:
    return value if kind != 2 or has_length else _varint(len(value)) + value


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _parts(body: bytes) -> list[tuple[int, int, bytes]]:
    """The fields of a protobuf message, [] when it is none; of kind 2 the bytes without their length."""
    parts, at = [], 0
    try:
        while at < len(body):
            key, at = _read(body, at)
            kind, start = key & 7, at
            if kind == 0:
                _, at = _read(body, at)
            elif kind == 2:
                size, start = _read(body, at)
                at = start + size
            else:
                at += {1: 8, 5: 4}[kind]
            if at > len(body) or not key >> 3:
                return []
            parts.append((key >> 3, kind, body[start:at]))
    except (KeyError, IndexError):
        return []
    return parts


def _read(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = body[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
