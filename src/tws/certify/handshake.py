"""A handshake and nothing else, read to its end: what TWS says to a client that comes.

Our connection would try again on a client id in use, and look for a free one; a scenario wants the first
answer alone. It is a whole handshake with startApi, closed cleanly, never a bare probe (TWS-BEHAVIOUR.md A5).
"""

from __future__ import annotations

import asyncio
import contextlib

from tws.errors import RequestTimeoutError
from tws.wire import codec
from tws.wire.messages import ErrorMessage, NextValidId
from tws.wire.session import ClientSession

__all__ = ["greet"]

IN_USE = 326


async def greet(port: int, client_id: int, version: int, wait_s: float) -> None:
    """Shake hands as this client until TWS has named the next order id, refused, or closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        session = ClientSession(client_id, max_version=version)
        writer.write(session.start())
        async with asyncio.timeout(wait_s):
            while data := await reader.read(65536):
                said, events = session.receive(data)
                writer.write(said)
                payloads = [one for one in events if isinstance(one, bytes)]
                if any(_is_last(payload, session.server_version) for payload in payloads):
                    return
    except TimeoutError:
        raise RequestTimeoutError(f"no end of the handshake within {wait_s:g} s") from None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _is_last(payload: bytes, version: int) -> bool:
    message = codec.decode_answer(payload, version, lenient=True)
    return isinstance(message, NextValidId) or (
        isinstance(message, ErrorMessage) and message.error_code == IN_USE
    )
