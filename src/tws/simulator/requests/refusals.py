"""The answer to a request that nobody here serves: 321 with the reason (assumed), so that nothing is met with
silence. One that the codec does not know is refused with the id that its first fields hold, if they hold one.
"""

from __future__ import annotations

from tws.log import get_logger
from tws.simulator.session import Session
from tws.wire.codec import Unknown

__all__ = ["refuse"]

log = get_logger("tws.simulator")


def refuse(session: Session, request: object) -> None:
    """Say no under the request's own id."""
    name = str(request.message_id) if isinstance(request, Unknown) else type(request).__name__
    said = f"Error validating request.-'bX' : cause - Request {name} is not served by the simulated TWS"
    session.error(_request_id(request), 321, said)
    log.info("request refused", client_id=session.client_id, request=name)


def _request_id(request: object) -> int:
    """The id that the refusal names: -1 where a request has none."""
    if not isinstance(request, Unknown):
        return int(getattr(request, "req_id", getattr(request, "order_id", -1)))
    first = request.fields[0] if request.fields else b""
    if first[:1] == b"\x08":  # protobuf: field 1, a whole number
        return _varint(first[1:11])
    return int(first) if first.lstrip(b"-").isdigit() and len(first) < 11 else -1


def _varint(data: bytes) -> int:
    value = 0
    for place, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value if value < 2**31 else -1
    return -1
