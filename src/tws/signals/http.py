"""The polled prediction API as a source: each ticker in turn, as often as the API allows.

    ticker in turn ─▶ Pace.turn ─▶ GET /prediction/latest?ticker=… ─▶ judged (answer.py, pure) ─▶ Outbox
                                                                          └─▶ retry | rest | go on

One task asks, so that no two requests are ever out at once. A request has one bound over all of it; its
answer is read in pieces up to a bound. What fails is tried again a bounded number of times, with a back-off
that grows over failures in a row, whatever the ticker: an API that is down is down for all of them.

The key goes into one header and nowhere else: redirects are not followed, and every text that leaves here has
the key taken out, should a server send it back.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
from msgspec import Struct
from msgspec.structs import replace

from tws.clock import NS_PER_S, Clock, Rng
from tws.model.market import Bar
from tws.model.session import Session
from tws.model.signal import Signal
from tws.signals.answer import Asked, Fetched, Next, judged
from tws.signals.pace import Pace
from tws.signals.secret import Key
from tws.signals.source import Health, Heard, Kept, Outbox, backoff_s
from tws.strategy import Reason, Refusal
from tws.strategy.prediction import Prediction, PredictionShape

__all__ = ["HttpRules", "HttpSource"]

PATH = "/prediction/latest"
MAX_BODY = 65_536  # bytes; a prediction has some hundreds
MOST_BACKOFF_S = 60.0  # an API that comes back is noticed within a minute
IDLE_S = 1.0  # a look at the hours, when no ticker is to be asked for
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class HttpRules(Struct, frozen=True, kw_only=True):
    """How the API is asked. Seconds are real ones, but for `lead_s`, of market time.

    every_s         a ticker is asked for no more often than that; 0: as often as the pace allows
    timeout_s       of a whole request, its answer included
    retries         of one request, before the next ticker has its turn
    in_session      ask only while the ticker's session is open, and `lead_s` before it
    ca_file         certificates to trust besides the usual ones, for an API with one of its own
    """

    base_url: str
    every_s: float = 0.0
    timeout_s: float = 10.0
    retries: int = 2
    in_session: bool = False
    lead_s: float = 0.0
    ca_file: Path | None = None
    shape: PredictionShape = PredictionShape()


class HttpSource:
    """Asks for each of `tickers`; `pace` may be shared with others who use the same key.

    `transport` stands in for the network (a simulated one).
    """

    def __init__(
        self,
        name: str,
        tickers: Sequence[str],
        rules: HttpRules,
        key: Key,
        *,
        pace: Pace,
        clock: Clock,
        rng: Rng,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self._tickers = {ticker: _Ticker() for ticker in tickers}
        self._rules, self._key, self._pace = rules, key, pace
        self._clock, self._rng, self._transport = clock, rng, transport
        self._outbox = Outbox(name, "http")
        self._kept = Kept(self._outbox, clock, rng, self._poll)
        self._failures = 0  # in a row

    async def start(self) -> None:
        self._kept.start()

    async def stop(self) -> None:
        await self._kept.stop()

    def on_news(self, ring: Callable[[], object]) -> None:
        self._outbox.ring = ring

    def take(self, now_ns: int, most: int) -> Sequence[Heard]:
        return self._outbox.take(now_ns, most)

    def health(self) -> Health:
        state = self._kept.state
        if state == "running":
            if self._pace.resting_s:
                state = "resting"
            elif not any(self._open(ticker) for ticker in self._tickers):
                state = "waiting for the session"
        return self._outbox.health(state, resting_s=self._pace.resting_s)

    def on_session(self, symbol: str, session: Session) -> None:
        if symbol in self._tickers:
            self._tickers[symbol].session = session

    def on_bar(self, symbol: str, bar: Bar) -> None:
        """An API hears no bars."""

    async def _poll(self) -> None:
        async with _client(self._rules, self._transport) as client:
            while True:
                if self._next() is None:
                    await asyncio.sleep(IDLE_S)
                    continue
                await self._pace.turn()
                ticker = self._next()  # chosen late: while we waited, a session may have ended
                if ticker is not None:
                    await self._ask(client, ticker)

    def _next(self) -> str | None:
        """The ticker that was asked for longest ago, of those that may be asked for now."""
        now_s = self._clock.monotonic()
        ready = [name for name, each in self._tickers.items() if each.again_s <= now_s and self._open(name)]
        return min(ready, key=lambda name: self._tickers[name].asked_s, default=None)

    def _open(self, ticker: str) -> bool:
        """Whether the hours let us ask. A session that nobody has stated is none."""
        if not self._rules.in_session:
            return True
        session, now_ns = self._tickers[ticker].session, self._clock.now_ns()
        lead_ns = round(self._rules.lead_s * NS_PER_S)
        return session is not None and session.open_ns - lead_ns <= now_ns < session.close_ns

    async def _ask(self, client: httpx.AsyncClient, ticker: str) -> None:
        """One request, whose turn it is, and what may be retried of it."""
        state = self._tickers[ticker]
        asked = Asked(ticker=ticker, key_env=self._key.env, shape=self._rules.shape)
        for retry in range(1 + self._rules.retries):
            if retry:
                await self._pace.turn()
                if not self._open(ticker):
                    return
            state.asked_s = self._clock.monotonic()
            state.again_s = state.asked_s + self._rules.every_s
            step = await self._once(client, asked)
            self._hear(step, state)
            if step.ticker_rest_s:
                state.again_s = state.asked_s + step.ticker_rest_s
            if step.well:
                self._failures = 0
                return
            self._failures += 1
            own_s = MOST_BACKOFF_S if step.longest else backoff_s(
                self._failures, self._rng, most_s=MOST_BACKOFF_S
            )
            self._pace.rest(step.rest_s or own_s)  # a reset that is past already says nothing
            if not step.retry:
                return

    async def _once(self, client: httpx.AsyncClient, asked: Asked) -> Next:
        try:
            async with asyncio.timeout(self._rules.timeout_s):
                fetched = await self._fetch(client, asked.ticker)
        except (TimeoutError, httpx.TimeoutException):
            return self._failed(asked, Reason.TIMEOUT, f"no whole answer within {self._rules.timeout_s:g} s")
        except httpx.RemoteProtocolError as wrong:
            return self._failed(asked, Reason.CUT, f"the answer was cut short: {wrong}")
        except httpx.TransportError as wrong:
            return self._failed(asked, Reason.UNREACHABLE, _why(wrong))
        if isinstance(fetched, Refusal):
            return Next(heard=fetched)
        return judged(fetched, asked, self._clock.now_ns())

    async def _fetch(self, client: httpx.AsyncClient, ticker: str) -> Fetched | Refusal:
        headers = {"X-API-Key": self._key.text}
        async with client.stream("GET", PATH, params={"ticker": ticker}, headers=headers) as answer:
            names = {name.lower(): value for name, value in answer.headers.items()}
            body = bytearray()
            # Raw, for we have asked for no compression: a small body that swells is not read at all.
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MAX_BODY:
                    text = f"more than {MAX_BODY} bytes"
                    return self._refusal(Reason.TOO_LARGE, text, ticker)
            return Fetched(status=answer.status_code, body=bytes(body), headers=names)

    def _hear(self, step: Next, state: _Ticker) -> None:
        heard, now_ns = step.heard, self._clock.now_ns()
        if isinstance(heard, Prediction):
            self._outbox.answered(now_ns)
            if heard.mark == state.mark:
                self._outbox.same += 1
                return
            state.mark = heard.mark
            self._outbox.put(_hidden(self._key, heard.signal))
        else:
            text = self._key.hidden(f"{self.name}, {heard.symbol}: {heard.text}")
            figure = self._key.hidden(heard.figure)
            self._outbox.put(replace(heard, text=text, figure=figure))

    def _failed(self, asked: Asked, reason: Reason, text: str) -> Next:
        return Next(heard=self._refusal(reason, text, asked.ticker), retry=True)

    def _refusal(self, reason: Reason, text: str, ticker: str) -> Refusal:
        return Refusal(reason=reason, text=text, symbol=ticker, time_ns=self._clock.now_ns())


class _Ticker:
    """What is known of one ticker; instants are monotonic."""

    __slots__ = ("again_s", "asked_s", "mark", "session")

    def __init__(self) -> None:
        self.asked_s = float("-inf")
        self.again_s = float("-inf")
        self.mark = ""
        self.session: Session | None = None


def _client(rules: HttpRules, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    url = httpx.URL(rules.base_url)
    verify = ssl.create_default_context(cafile=rules.ca_file) if rules.ca_file else True
    return httpx.AsyncClient(
        base_url=url,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=rules.timeout_s,
        follow_redirects=False,
        trust_env=url.host not in _LOOPBACK,  # a proxy is for what is far away
        verify=verify,
        transport=transport,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
    )


def _why(wrong: httpx.TransportError) -> str:
    """What lies beneath: a refused dial, a name that nobody knows, a certificate that is not trusted."""
    cause: BaseException | None = wrong
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"no trusted TLS: {cause}"
        cause = cause.__cause__ or cause.__context__
    return f"{type(wrong).__name__}: {wrong}" if str(wrong) else type(wrong).__name__


def _hidden(key: Key, signal: Signal) -> Signal:
    """An id or a model's name that holds the key is no longer one that can be shown."""
    fields = {name: key.hidden(getattr(signal, name)) for name in ("signal_id", "model")}
    return replace(signal, **fields)
