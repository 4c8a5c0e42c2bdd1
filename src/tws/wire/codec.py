"""Payloads to messages and back, for server versions 157 to 225.

    payload = encode(NextValidId(1), 178)            # b"9\\0" b"1\\0" b"1\\0"
    message = decode_answer(payload, 178)            # what a client reads
    message = decode_request(payload, 178)           # what a server reads

To 200 a payload is text. From 201 it is four bytes of id and a body: text for an id to 200, protobuf
(`tws.wire.protobuf`) of the message id - 200 above; `tws.wire.thresholds` says from when a message is
which. What comes is read in the form that its id names, whatever the version. Encoders and decoders are
made from layouts or official classes when a message is first met at a version, then kept. A payload is what
stands behind the length prefix (`tws.wire.framing`). In text nothing missing is defaulted: a field too few,
a field too many or an unreadable one is a DecodeError that names message and field.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from tws.errors import DecodeError, NotSentError, ProtocolError
from tws.wire.compiler import Decoder, compile_decoder, compile_encoder
from tws.wire.kinds import OPTIONS
from tws.wire.layout import Const, Layout
from tws.wire.layouts import ANSWERS, REQUESTS
from tws.wire.messages import Answer, Message, Request
from tws.wire.thresholds import ANSWERS as ANSWER_MARKS
from tws.wire.thresholds import PROTOBUF_OFFSET, RAW_ID
from tws.wire.thresholds import REQUESTS as REQUEST_MARKS

__all__ = [
    "MAX_VERSION",
    "MIN_VERSION",
    "TEXT_VERSION",
    "Unknown",
    "answer_id",
    "decode_answer",
    "decode_request",
    "encode",
    "encoder",
    "name_of",
    "request_id",
]

MIN_VERSION = 157
MAX_VERSION = 225
TEXT_VERSION = 200
"""The last version at which everything is text without exception."""

INVALID = 579
"""The official client's code for a value that can't be encoded (its INVALID_SYMBOL)."""
TOO_OLD = 503
"""The official client's code for a request that the server's version does not know (its UPDATE_TWS)."""


class Unknown(Struct, frozen=True):
    """A message whose id has no layout at this version; `fields` are all fields behind the id, raw.

    Of a protobuf message the id is its own (without the 200), and `fields` is the body alone.
    """

    message_id: int
    fields: tuple[bytes, ...]


Encode = Callable[[Message], bytes]

_LAYOUTS: dict[type[Message], Layout] = {layout.message: layout for layout in REQUESTS + ANSWERS}
_REQUEST_IDS: dict[bytes, Layout] = {b"%d" % layout.id: layout for layout in REQUESTS}
_ANSWER_IDS: dict[bytes, Layout] = {b"%d" % layout.id: layout for layout in ANSWERS}

_UNCOUNTED = {
    b"%d" % layout.id: len(layout.items)
    for layout in REQUESTS
    if [getattr(item, "kind", type(item)) for item in layout.items[-2:]] == [Const, OPTIONS]
}
"""Requests of fixed length that end with a count and its options: how many fields without the count."""

_encoders: dict[int, dict[type[Message], Encode]] = {}
_request_decoders: dict[int, dict[bytes, Decoder]] = {}
_answer_decoders: dict[int, dict[bytes, Decoder]] = {}


def encode(message: Message, server_version: int) -> bytes:
    """The payload of a message. Attributes that this version does not carry are left out, as TWS does.

    Raises NotSentError when a value can't be written (NaN, a NUL in a text) or this version has no such
    message, ProtocolError when the version is not spoken.
    """
    try:
        write = _encoders[server_version][type(message)]
    except KeyError:
        write = _new_encoder(type(message), server_version)
    try:
        return write(message)
    except (ValueError, TypeError, AttributeError) as error:
        raise NotSentError(INVALID, f"{type(message).__name__} can't be encoded: {error}") from error


def encoder(kind: type[Message], server_version: int) -> Encode:
    """The bare encoder of one kind of message, for loops where every microsecond counts.

    It raises ValueError, TypeError or AttributeError for a value that can't be written.
    """
    try:
        return _encoders[server_version][kind]
    except KeyError:
        return _new_encoder(kind, server_version)


def decode_request(payload: bytes, server_version: int, *, lenient: bool = False) -> Request | Unknown:
    """What a client sent. Raises DecodeError.

    With `lenient`, surplus fields at the end are let pass, and options may stand there without their
    count: clients differ in whether they say it (TWS-BEHAVIOUR.md F4; @stoqey/ib in request 52).
    """
    message = _decode(payload, server_version, lenient, _REQUEST_IDS, _request_decoders)
    assert isinstance(message, Request | Unknown)
    return message


def decode_answer(payload: bytes, server_version: int, *, lenient: bool = False) -> Answer | Unknown:
    """What a server sent. Raises DecodeError; with `lenient`, surplus fields at the end are let pass."""
    message = _decode(payload, server_version, lenient, _ANSWER_IDS, _answer_decoders)
    assert isinstance(message, Answer | Unknown)
    return message


def answer_id(payload: bytes, server_version: int) -> int | None:
    """The id of an answer, None for a payload that has none or one that stands for no answer."""
    number = _number_of(payload, server_version)
    return number if b"%d" % (number or 0) in _ANSWER_IDS else None


def request_id(payload: bytes, server_version: int) -> int | None:
    """Which request an answer is of, for one of which the rest can't be read; None when that can't be, or
    when its kind names none. It stands first, behind a version at most; in protobuf it is field 1.
    """
    number = _number_of(payload, server_version)
    layout = _ANSWER_IDS.get(b"%d" % (number or 0))
    if layout is None:
        return None
    named = [item for item in layout.items[:2]
             if not (isinstance(item, Const) and not item.since <= server_version < item.until)]
    place = next((at for at, item in enumerate(named) if getattr(item, "name", "") == "req_id"), None)
    if place is None:
        return None
    if server_version >= RAW_ID:
        if int.from_bytes(payload[:4], "big") > PROTOBUF_OFFSET:
            return _first_number(payload[4:])
        found = payload[4:].split(b"\0", place + 1)[place:][:1]
    else:
        found = payload.split(b"\0", place + 2)[place + 1 :][:1]
    return int(found[0]) if found and len(found[0]) < 11 and found[0].isdigit() else None


def _first_number(body: bytes) -> int | None:
    """Field 1 of a protobuf body, where it stands first and is a number above 0."""
    found = 0
    for place, byte in enumerate(body[1:6] if body[:1] == b"\x08" else b""):
        found |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return found
    return None


def name_of(payload: bytes, server_version: int) -> str:
    """What an answer is called in a log: `message 11`, or that it has no id."""
    number = _number_of(payload, server_version)
    return "a payload without a message id" if number is None else f"message {number}"


def _number_of(payload: bytes, server_version: int) -> int | None:
    if server_version >= RAW_ID and len(payload) >= 4:
        number = int.from_bytes(payload[:4], "big")
        return number - PROTOBUF_OFFSET if number > PROTOBUF_OFFSET else number
    head = payload.split(b"\0", 1)[0][:9]
    return int(head) if head.isdigit() else None


def _decode(
    payload: bytes,
    version: int,
    lenient: bool,
    layouts: dict[bytes, Layout],
    made: dict[int, dict[bytes, Decoder]],
) -> object:
    if version >= RAW_ID:
        message_id, body = _raw_id(payload)
        if message_id > PROTOBUF_OFFSET:
            return _decode_protobuf(message_id - PROTOBUF_OFFSET, body, version, layouts)
        fields = [b"%d" % message_id, *body.split(b"\0")]
    else:
        fields = payload.split(b"\0")
    if fields.pop():
        raise DecodeError("the payload does not end with a NUL", payload)
    if not fields:
        raise DecodeError("the payload is empty", payload)
    try:
        decoder = made[version][fields[0]]
    except KeyError:
        new = _new_decoder(fields[0], version, layouts, made)
        if new is None:
            return _unknown(fields, payload)
        decoder = new
    if lenient and _UNCOUNTED.get(fields[0]) == len(fields):
        fields.insert(-1, b"0")
    try:
        return decoder.decode(fields, not lenient)
    except (ValueError, IndexError, ArithmeticError) as error:
        where = _where(layouts[fields[0]], version)
        raise DecodeError(f"{where}: {decoder.blame(error)}", payload) from error


def _raw_id(payload: bytes) -> tuple[int, bytes]:
    """The four bytes of id and what stands behind them."""
    if len(payload) < 4:
        raise DecodeError(f"a payload of {len(payload)} bytes has no room for a message id", payload)
    return int.from_bytes(payload[:4], "big"), payload[4:]


def _decode_protobuf(message_id: int, body: bytes, version: int, layouts: dict[bytes, Layout]) -> object:
    read = _body_reader(message_id, version, layouts is _ANSWER_IDS)
    if read is None:
        return Unknown(message_id, (body,))
    try:
        return read(body)
    except (ValueError, ArithmeticError) as error:
        raise DecodeError(f"{_where(layouts[b'%d' % message_id], version)}: {error}", body) from error


@lru_cache(1024)  # ids come from outside
def _body_reader(message_id: int, version: int, is_answer: bool) -> Callable[[bytes], object] | None:
    """The reader of a message's body; None when this version has no such message."""
    from tws.wire import protobuf

    _check(version)
    layouts, marks = (_ANSWER_IDS, ANSWER_MARKS) if is_answer else (_REQUEST_IDS, REQUEST_MARKS)
    layout = layouts.get(b"%d" % message_id)
    if layout is None or version < layout.since or message_id not in marks:
        return None
    return protobuf.decoder(layout.message)


def _where(layout: Layout, version: int) -> str:
    return f"{layout.message.__name__} ({layout.id}) at server version {version}"


def _unknown(fields: list[bytes], payload: bytes) -> Unknown:
    if not fields[0].isdigit() or len(fields[0]) > 9:
        raise DecodeError(f"the payload begins with {fields[0][:32]!r}, not with a message id", payload)
    return Unknown(int(fields[0]), tuple(fields[1:]))


def _check(version: int) -> None:
    if not MIN_VERSION <= version <= MAX_VERSION:
        raise ProtocolError(f"server version {version} is not spoken: {MIN_VERSION} to {MAX_VERSION} are")


def _new_encoder(kind: type[Message], version: int) -> Encode:
    _check(version)
    layout = _LAYOUTS.get(kind)
    if layout is None:
        raise NotSentError(INVALID, f"{kind.__name__} is no message of the wire")
    if version < layout.since:
        reason = f"{kind.__name__} needs server version {layout.since}, the session has {version}"
        raise NotSentError(TOO_OLD, reason)
    marks = REQUEST_MARKS if issubclass(kind, Request) else ANSWER_MARKS
    if version >= marks.get(layout.id, MAX_VERSION + 1):
        from tws.wire import protobuf  # only here: a session of text pays nothing for it

        made = protobuf.encoder(kind, layout.id)
    else:
        made = compile_encoder(layout, version).encode
    _encoders.setdefault(version, {})[kind] = made
    return made


def _new_decoder(
    message_id: bytes, version: int, layouts: dict[bytes, Layout], made: dict[int, dict[bytes, Decoder]]
) -> Decoder | None:
    _check(version)
    layout = layouts.get(message_id)
    if layout is None or version < layout.since:
        return None
    new = compile_decoder(layout, version)
    made.setdefault(version, {})[message_id] = new
    return new
