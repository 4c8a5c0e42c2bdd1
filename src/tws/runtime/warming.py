"""Gives followed symbols their past, one after the other, while the run trades already.

Bars come from files and from TWS (`tws.marketdata.BarCache`); what TWS allows in a time the connection keeps,
so that the last of many symbols may wait for minutes. Until its turn a symbol has the bars that it has heard;
one that has heard enough by then needs no past any more. What can't be had is said once in the log and in the
report, and the symbol goes on with its own bars: no extra `parquet`, a length of bar that TWS has not, an
answer that did not come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.errors import LinkLostError, MissingExtraError, NotSentError, RequestError, TWSError
from tws.log import get_logger
from tws.marketdata import BarCache, Feed, Series
from tws.marketdata.past import BarSource
from tws.model.contract import Contract
from tws.model.market import BAR_SECONDS

__all__ = ["Warming", "named", "why_none"]

ABREAST = 4
"""Symbols at once: an answer of TWS's history takes about a second (assumed), so four keep the line busy; the
rest stay in their order."""
TRIES, LINK_AGAIN_S, SAME_AGAIN_S, PACED_AGAIN_S = 12, 5.0, 16.0, 60.0
"""A minute for a link that went: so long whoever waits for the past waits (`strategies.WARM_S`). Where TWS
says that its limits are reached, the first time as long as the same question may not come again (15 s): a run
that was killed had just asked it, as a rule. Then a minute each, past the ten that they count, for others of
the login may reach them, an earlier run too (TWS-BEHAVIOUR.md B)."""
SYMBOLS_TOLD = 10
"""Symbols named in one line for a human."""

_BAR_SIZES = {seconds: name for name, seconds in BAR_SECONDS.items() if seconds <= 3600}

log = get_logger("tws.runtime")


class _Wish(Struct):
    """One symbol that wants its past: at least `count` bars. `bars` came; `why` says why none did."""

    symbol: str
    contract: Contract
    feed: Feed
    count: int
    why: str = ""
    quiet: bool = False
    bars: int = 0
    tries: int = 0
    wanted: bool = False
    """However many bars were heard by then: an indicator has not seen them."""
    settled: bool = False


class Warming:
    """`folder` is that of the files of bars, `now_ns` tells market time."""

    def __init__(self, folder: Path, source: BarSource, now_ns: Callable[[], int]) -> None:
        self._folder, self._source, self._now_ns = folder, source, now_ns
        self._wishes: dict[str, _Wish] = {}
        self._waiting: deque[_Wish] = deque()
        self._workers: list[asyncio.Task[None]] = []
        self._cache: BarCache | None = None
        self._said: set[str] = set()
        self._never: set[str] = set()  # reasons that no time mends

    def add(
        self, symbol: str, contract: Contract, feed: Feed, count: int, why: str = "", *, quiet: bool = False
    ) -> None:
        """Ask for a symbol's past, after those that were asked for before; `why`: there can't be any.
        `quiet`: should none come, the report alone says so.
        """
        wish = self._wishes[symbol] = _Wish(symbol, contract, feed, count, why, quiet)
        self._waiting.append(wish)
        if self._cache is not None:
            self.start()

    def need(self, symbol: str) -> None:
        """Somebody waits for a past that was asked for quietly, if it was."""
        if symbol in self._wishes:
            self._wishes[symbol].quiet = False

    def again(self, symbol: str) -> bool:
        """Ask once more for a past that has come: other indicators want it, too. Whether it will be."""
        wish = self._wishes.get(symbol)
        if wish is None or not wish.settled or wish.why in self._never:
            return False
        wish.settled, wish.why, wish.tries, wish.wanted = False, "", 0, True
        self._waiting.append(wish)
        self.start()
        return True

    def start(self) -> None:
        """Begin; safe twice."""
        if not self._waiting:
            return
        missing = ""
        if self._cache is None:
            try:
                self._cache = BarCache(self._folder, self._source)
            except MissingExtraError as wrong:
                missing = str(wrong)
        for wish in list(self._waiting):
            if wish.why or missing:
                self._waiting.remove(wish)
                self._never.add(wish.why or missing)
                self._without(wish, wish.why or missing)
        self._workers = [each for each in self._workers if not each.done()]
        while len(self._workers) < min(ABREAST, len(self._waiting)):
            self._workers.append(asyncio.create_task(self._work(), name="warm-up"))

    async def close(self) -> None:
        """Ask for nothing more; safe twice."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def wanted(self, symbol: str) -> bool:
        """Whether its past was asked for."""
        return symbol in self._wishes

    def settled(self, symbol: str) -> bool:
        """Whether its past has come or will not."""
        wish = self._wishes.get(symbol)
        return wish is None or wish.settled

    def lines(self) -> list[str]:
        """What came of it, for a human."""
        warm = [each for each in self._wishes.values() if each.settled and not each.why]
        waiting = [each.symbol for each in self._wishes.values() if not each.settled]
        lines = []
        if warm and self._cache is not None:
            files, fetched = self._cache.read, self._cache.fetched
            bars = sum(each.bars for each in warm)
            lines.append(f"past of {len(warm)} symbols: {bars} bars; read {files} of files, {fetched} of TWS")
        if waiting:
            lines.append(f"past under way: {named(waiting)}")
        for why in dict.fromkeys(each.why for each in self._wishes.values() if each.why):
            symbols = [each.symbol for each in self._wishes.values() if each.why == why]
            lines.append(f"without a past: {named(symbols)}: {why}")
        return lines

    async def _work(self) -> None:
        while self._waiting:
            wish = self._waiting.popleft()
            studies = wish.feed.studies(wish.contract.con_id)
            if not wish.wanted and studies.taken >= max(wish.count, studies.settled):
                self._without(wish, "its own bars sufficed by then")
                continue
            try:
                await self._give(wish)
            except (TWSError, OSError, ValueError) as wrong:
                again_s = _again_s(wrong, wish.tries)
                wish.tries += 1
                if again_s is None or wish.tries >= TRIES:
                    self._without(wish, str(wrong) or type(wrong).__name__)
                else:
                    self._waiting.appendleft(wish)
                    await asyncio.sleep(again_s)
            except Exception as wrong:
                log.exception("a warm-up failed", symbol=wish.symbol)
                self._without(wish, repr(wrong))

    async def _give(self, wish: _Wish) -> None:
        assert self._cache is not None, "start made it"
        series = Series(contract=wish.contract, bar_size=_BAR_SIZES[wish.feed.board.bar_seconds])
        count = max(wish.count, wish.feed.studies(wish.contract.con_id).settled)
        report = await wish.feed.warm_up(self._cache, series, self._now_ns, count)
        wish.bars, wish.settled = report.past, True
        log.info("a symbol has its past", symbol=wish.symbol, bars=report.past, stood_in=report.stood_in)

    def _without(self, wish: _Wish, why: str) -> None:
        wish.feed.cold(wish.contract.con_id)
        wish.why, wish.settled = why, True
        if why not in self._said and not wish.quiet:
            self._said.add(why)
            log.warning("indicators begin without a past", symbol=wish.symbol, reason=why)


def _again_s(wrong: Exception, tries: int) -> float | None:
    """When it may be asked again after this, and so many tries; None: asking again is of no use."""
    if isinstance(wrong, LinkLostError | NotSentError):
        return LINK_AGAIN_S
    paced = isinstance(wrong, RequestError) and wrong.code == 162 and "pacing violation" in wrong.text
    if not paced:
        return None
    return PACED_AGAIN_S if tries else SAME_AGAIN_S


def why_none(bar_seconds: int, opens_ns: int) -> str:
    """Why TWS has no past for bars of this length in a session that opens then; "" when it has."""
    if bar_seconds not in _BAR_SIZES:
        return f"TWS has no bars of {bar_seconds} s"
    if opens_ns % (bar_seconds * NS_PER_S):
        return f"TWS cuts bars of {bar_seconds} s by the clock, a run from the opening on"
    return ""


def named(symbols: list[str]) -> str:
    """Some symbols for a line."""
    more = len(symbols) - SYMBOLS_TOLD
    return " ".join(symbols[:SYMBOLS_TOLD]) + (f" and {more} more" if more > 0 else "")
