"""Market data permissions: what TWS gives for each symbol (live, frozen, delayed, none), and with which code.

Each symbol's line is opened, heard until its first tick or its refusal, and cancelled. Where no live tick
came the same is done once more with delayed and frozen data allowed (market data type 4), which is the
session's own setting and ends with it. Then one daily bar is asked for. The lines are shared with TWS's own
windows, so that at most ten symbols are taken. TWS-BEHAVIOUR.md A8, E.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import NamedTuple

from tws.errors import ConfigError, RequestError, RequestTimeoutError
from tws.model.contract import Contract, stock
from tws.model.market import MarketDataType
from tws.monitor.doctor.heard import Heard, Said
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import DataSeen, Outcome
from tws.monitor.doctor.session import Session

__all__ = ["SAMPLE", "DataStage", "contract_of", "data_key", "parse_symbols"]

SAMPLE = "SPY"
"""Asked for when no symbol is named: what it lacks is a warning, for the user may not want it at all."""

_MOST = 10
_WAIT_S = 5.0
"""How long a line may stay silent: it speaks at once, but an IB Gateway first connects to a farm."""

_PAIR = re.compile(r"[A-Z]{3}\.[A-Z]{3}")
_STOCK = re.compile(r"[A-Z0-9][A-Z0-9. ]{0,11}")

_BY_CODE = {
    101: "data_lines_used",
    200: "symbol_unknown",
    354: "data_not_subscribed",
    10089: "data_not_for_api",
    10090: "data_partly",
    10168: "data_not_subscribed",
    10186: "data_not_subscribed",
    10197: "competing_session",
}
_HISTORICAL = (162, 420, 10187, 10189)
_BY_TEXT = (
    ("ip address", "other_address"),
    ("permission", "history_not_permitted"),
    ("pacing", "history_paced"),
)
_NOTICES = (10167, 366, 300, 2119, 2104, 2106, 2108, 2107)
_PARTLY = 10090
_REFUSED_LIVE = (354, 10089, 10168, 10186)
_NAMES = {
    MarketDataType.LIVE: "live",
    MarketDataType.FROZEN: "frozen",
    MarketDataType.DELAYED: "delayed",
    MarketDataType.DELAYED_FROZEN: "delayed-frozen",
}


def parse_symbols(text: str) -> tuple[str, ...]:
    """`SPY,EUR.USD` as a tuple; "" is none. Raises ConfigError."""
    names = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    if len(names) > _MOST:
        raise ConfigError(
            "symbols",
            text,
            f"more than {_MOST}",
            "Market data lines are few and shared: name those you trade",
        )
    for name in names:
        if not (_PAIR.fullmatch(name) or _STOCK.fullmatch(name)):
            raise ConfigError("symbols", name, "no symbol", "Write stocks as SPY, currency pairs as EUR.USD")
    return names


def contract_of(symbol: str) -> Contract:
    """A pair of currencies for EUR.USD, else a US stock or ETF."""
    if _PAIR.fullmatch(symbol):
        base, quote = symbol.split(".")
        return Contract(symbol=base, sec_type="CASH", exchange="IDEALPRO", currency=quote)
    return stock(symbol)


def data_key(code: int, text: str) -> str:
    """Which cause a code about data is; "" for a notice, or for an answer that is merely empty."""
    if code in _NOTICES:
        return ""
    if code in _HISTORICAL:
        return next((key for words, key in _BY_TEXT if words in text.lower()), "")
    return _BY_CODE.get(code, "data_refused")


class _Line(NamedTuple):
    """What one line told: its kind of data (None: no tick), and the first refusal."""

    kind: MarketDataType | None
    refusal: Said | None


class DataStage:
    """One session's questions about data: symbols and what they mean. None asks for `SAMPLE`, whose lacks are
    warnings.
    """

    def __init__(
        self, session: Session, heard: Heard, notes: Notes, symbols: Mapping[str, Contract], bound_s: float
    ) -> None:
        self._session = session
        self._heard = heard
        self._notes = notes
        self._mild = not symbols
        self._contracts = symbols or {SAMPLE: contract_of(SAMPLE)}
        self._symbols = tuple(self._contracts)
        self._wait_s = min(_WAIT_S, bound_s)

    async def run(self) -> None:
        """All symbols at once, in at most three waits."""
        first = await self._listen_all(self._symbols)
        again = [name for name in self._symbols if _worth_another(first[name])]
        second: dict[str, _Line] = {}
        if again:
            self._session.request_market_data_type(MarketDataType.DELAYED_FROZEN)
            second = await self._listen_all(again)
        known = [name for name in self._symbols if not _is(first[name], 200)]
        bars = dict(zip(known, await asyncio.gather(*(self._history(name) for name in known)), strict=True))
        for name in self._symbols:
            self._tell(name, first[name], second.get(name), bars.get(name))

    # -- asking

    async def _listen_all(self, symbols: list[str] | tuple[str, ...]) -> dict[str, _Line]:
        lines = await asyncio.gather(*(self._listen(name) for name in symbols))
        return dict(zip(symbols, lines, strict=True))

    async def _listen(self, symbol: str) -> _Line:
        """Open a line, hear its first tick or refusal, cancel it."""
        stream = self._session.stream_quotes(self._contracts[symbol])
        woken = asyncio.Event()
        ticking = stream.on_dirty(lambda _: woken.set())
        ending = asyncio.ensure_future(self._until_refused(stream, woken))
        try:
            await asyncio.wait_for(woken.wait(), self._wait_s)
        except TimeoutError:
            pass  # neither: the line is silent
        finally:
            ending.cancel()
            ticking()
            stream.close()
        refusal = self._refusal(stream)
        return _Line(stream.kind if stream.count else None, refusal)

    async def _until_refused(self, stream: object, woken: asyncio.Event) -> None:
        while True:
            refusal = self._refusal(stream)
            if refusal is not None and refusal.code != _PARTLY:  # what is free still comes
                break
            self._heard.news.clear()
            await self._heard.news.wait()
        woken.set()

    def _refusal(self, stream: object) -> Said | None:
        """The first thing said of this line that is no notice."""
        number = getattr(stream, "request_id", -1)
        for said in self._heard.about(number):
            if data_key(said.code, said.text):
                return said
        failure = getattr(stream, "failure", None)
        return Said(number, failure.code, failure.text) if isinstance(failure, RequestError) else None

    async def _history(self, symbol: str) -> Said | None:
        """One daily bar; the refusal, if there is one."""
        contract = self._contracts[symbol]
        what = "MIDPOINT" if contract.sec_type == "CASH" else "TRADES"
        asked = self._session.request_historical_bars(
            contract, duration="1 D", bar_size="1 day", what=what
        )
        try:
            await asyncio.wait_for(asked, self._wait_s)
        except RequestError as wrong:
            return Said(wrong.request_id, wrong.code, wrong.text)
        except (TimeoutError, RequestTimeoutError):
            return None  # a farm that is down says so itself (2105)
        return None

    # -- telling

    def _tell(self, symbol: str, first: _Line, second: _Line | None, bars: Said | None) -> None:
        best = second if second is not None and first.kind is None else first
        kind = _NAMES.get(best.kind, "none") if best.kind is not None else "none"
        refusal = first.refusal or (second.refusal if second is not None else None)
        history = bars if bars is not None and data_key(bars.code, bars.text) else None
        seen = DataSeen(
            symbol=symbol,
            kind=kind,
            code=refusal.code if refusal else None,
            text=refusal.text if refusal else "",
            history_code=history.code if history else None,
        )
        self._notes.data.append(seen)
        if refusal is not None:
            instead = "delayed data come instead" if kind.startswith("delayed") else "no delayed data either"
            self._found(symbol, refusal, instead=instead)
        elif kind == "none":
            wait_s = f"{self._wait_s * 2:g}"
            self._notes.found("data_silent", "data", mild=self._mild, symbol=symbol, wait_s=wait_s)
        else:
            closed = ": its market is closed" if kind.endswith("frozen") else ""
            self._notes.step("data", Outcome.OK, f"{symbol}: {kind}{closed}")
        if history is not None and (refusal is None or history.code != refusal.code):
            self._found(symbol, history)

    def _found(self, symbol: str, said: Said, *, instead: str = "") -> None:
        facts = {"symbol": symbol, "code": said.code, "text": said.text, "instead": instead}
        self._notes.found(data_key(said.code, said.text), "data", mild=self._mild, **facts)


def _is(line: _Line, code: int) -> bool:
    return line.refusal is not None and line.refusal.code == code


def _worth_another(line: _Line) -> bool:
    """Live data were refused, or nothing was said: the market may be closed."""
    return line.refusal.code in _REFUSED_LIVE if line.refusal is not None else line.kind is None
