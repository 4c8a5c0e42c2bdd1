"""A receiver of signals over HTTP: whoever knows the token may post one. Loopback unless told otherwise.

    POST /signal   a signal in our own words (tws.strategy.schema)
    POST /alert    an alert as charting programs send it (tws.strategy.alert)

    202 {"id": ...}      taken; what becomes of it, the gate says
    400 {"error": ...}   no JSON, or no signal: the reason names the field
    401                  no token, or a wrong one
    404, 405             another path, another method than POST
    408, 413             the body came too slowly, or is too large
    429                  more than the rate, or nobody takes what waits; Retry-After says when
    503                  too many callers at once (receiving.py)

The token stands in `Authorization: Bearer ...`, in `X-Webhook-Token`, or, for senders that can set no header,
in the field `token` of the JSON object; never in the address, which logs keep. HTTP itself is uvicorn's
business (the extra `webhook`); this is the ASGI application on it, one request a connection.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

from msgspec import Struct

from tws.clock import Clock
from tws.signals.pace import Bucket
from tws.signals.secret import Key
from tws.signals.source import Outbox
from tws.strategy import Reason, Refusal, signal_from
from tws.strategy.alert import AlertMap, alert_from

__all__ = ["Receiver", "WebhookRules"]

_Scope: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Scope]]
_Send: TypeAlias = Callable[[_Scope], Awaitable[None]]

BODY_S = 5.0
"""How long a body may take to come: it fits in one packet or a few."""
DRAINED, DRAIN_S = 262_144, 1.0
"""How much of a body is read away, and how long, before an answer that did not want it: a link that is closed
on unread bytes is reset, and the answer may be lost with it."""
STRANGERS_PER_MINUTE = 30
"""Wrong tokens that are answered 401; more are answered 429 unread. At 30 a minute a token is not guessed."""


class WebhookRules(Struct, frozen=True, kw_only=True):
    """`per_minute` signals in the long run, `burst` at once; `max_body` bytes, an alert has some hundreds."""

    per_minute: float = 60.0
    burst: int = 20
    max_body: int = 16_384
    names: AlertMap = AlertMap()


class _Inbox:
    """What comes in; `ended` when there is no more of it."""

    def __init__(self, receive: _Receive) -> None:
        self._receive, self.ended = receive, False

    async def part(self) -> bytes | None:
        """The next piece of the body; None: the caller has left."""
        part = await self._receive()
        left = part["type"] != "http.request"
        self.ended = left or not part.get("more_body", False)
        return None if left else bytes(part.get("body", b""))

    async def drain(self) -> None:
        """Read away what nobody wants, up to a bound."""
        drained = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while not self.ended and drained < DRAINED:
                    drained += len(await self.part() or b"")


class _Answer(Exception):
    """The answer is known: nothing more is to be read."""

    def __init__(self, status: int, said: Mapping[str, str], retry_s: float = 0.0) -> None:
        self.status, self.said, self.retry_s = status, said, retry_s


class Receiver:
    """The ASGI application. What it takes and what it refuses goes into `outbox`."""

    def __init__(self, rules: WebhookRules, token: Key, outbox: Outbox, clock: Clock) -> None:
        self._rules, self._outbox, self._clock = rules, outbox, clock
        self._token = token
        self._callers = Bucket(rules.per_minute, rules.burst, clock)
        self._strangers = Bucket(STRANGERS_PER_MINUTE, STRANGERS_PER_MINUTE, clock)

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            return
        inbox = _Inbox(receive)
        try:
            answer = await self._judge(scope, inbox)
        except _Answer as known:
            answer = known
        await inbox.drain()
        body = json.dumps(answer.said).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        if answer.retry_s:
            headers.append((b"retry-after", b"%d" % math.ceil(answer.retry_s)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _judge(self, scope: _Scope, inbox: _Inbox) -> _Answer:
        path, method = scope["path"], scope["method"]
        if path not in ("/signal", "/alert"):
            raise _Answer(404, {"error": "post to /signal or to /alert"})
        if method != "POST":
            raise _Answer(405, {"error": "post it"})
        headers = {name.lower(): value for name, value in scope["headers"]}
        given = _token_of(headers)
        if given is not None and not self._right(given):
            raise self._stranger("the token is wrong")
        raw = self._object(await self._body(headers, inbox), known=given is not None)
        in_body = raw.pop("token", None)
        if given is None and not (isinstance(in_body, str) and self._right(in_body.encode(errors="replace"))):
            raise self._stranger("no token, or a wrong one")
        wait_s = self._callers.wait_s()
        if wait_s:
            self._refuse(Reason.OVERLOAD, f"more than {self._rules.per_minute:g} signals a minute")
            raise _Answer(429, {"error": f"more than {self._rules.per_minute:g} a minute"}, wait_s)
        return self._take(raw, path)

    def _take(self, raw: dict[str, Any], path: str) -> _Answer:
        now_ns = self._clock.now_ns()
        found = signal_from(raw, now_ns) if path == "/signal" else alert_from(raw, self._rules.names, now_ns)
        self._outbox.answered(now_ns)
        room = self._outbox.put(found)
        if isinstance(found, Refusal):
            return _Answer(400, {"error": found.text})
        if not room:
            return _Answer(429, {"error": "nobody takes what waits already"}, 60.0)
        return _Answer(202, {"id": found.signal_id})

    def _right(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self._token.text.encode())

    def _stranger(self, text: str) -> _Answer:
        wait_s = self._strangers.wait_s()
        if wait_s:
            return _Answer(429, {"error": "too many wrong tokens"}, wait_s)
        self._refuse(Reason.TOKEN, text)
        return _Answer(401, {"error": text})

    def _refuse(self, reason: Reason, text: str) -> None:
        text = self._token.hidden(f"{self._outbox.name}: {text}")
        self._outbox.put(Refusal(reason=reason, text=text, time_ns=self._clock.now_ns()))

    async def _body(self, headers: Mapping[bytes, bytes], inbox: _Inbox) -> bytes:
        most = self._rules.max_body
        said = headers.get(b"content-length", b"0")
        if not said.isdigit() or len(said) > 12 or int(said) > most:
            raise _Answer(413, {"error": f"more than {most} bytes"})
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_S):
                while not inbox.ended:
                    part = await inbox.part()
                    if part is None:
                        raise _Answer(400, {"error": "the body was cut short"})
                    body += part
                    if len(body) > most:
                        raise _Answer(413, {"error": f"more than {most} bytes"})
        except TimeoutError:
            raise _Answer(408, {"error": f"no whole body within {BODY_S:g} s"}) from None
        return bytes(body)

    def _object(self, body: bytes, *, known: bool) -> dict[str, Any]:
        """The JSON object. A stranger is not told what is wrong with his JSON: it would be free of charge."""
        try:
            raw = json.loads(body.decode("utf-8-sig"))
            wrong = "" if isinstance(raw, dict) else "not a JSON object"
        except (ValueError, RecursionError) as error:
            raw, wrong = None, f"not JSON: {error}"
        if not wrong:
            return dict(raw)
        if not known:
            raise self._stranger("no token, or a wrong one")
        self._refuse(Reason.NOT_JSON, wrong)
        raise _Answer(400, {"error": wrong})


def _token_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The token in the headers; None: there is none."""
    own = headers.get(b"x-webhook-token")
    if own is not None:
        return own.strip()
    kind, _, text = headers.get(b"authorization", b"").partition(b" ")
    return text.strip() if kind.lower() == b"bearer" else None
