"""`Feed`: what one strategy knows of its markets: prices with their age, bars, indicators.

It ties together a quote board, and for each contract a seam and its `Studies`. Ticks go into the lines
(`add` answers them), `step` brings completed bars through the seam into the indicators, `warm_up` gives them
the past before; a contract that is to begin without a past begins `cold`.

    feed = Feed(bar_seconds=10)
    line = feed.add(con_id, "SPY", ["ema(20)", "atr(14)"], now_ns)     # line.tick(...) for every tick
    feed.on_session(con_id, session)
    await feed.warm_up(cache, Series(contract=contract, bar_size="10 secs"), clock.now_ns)
    for done in feed.step(clock.now_ns()): ...                         # each bar once, indicators hold it
    feed.indicator(con_id, "ema(20)"), feed.bar(con_id, 1), feed.price(con_id, now_ns)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tws.bars import Seam
from tws.indicators import Studies
from tws.marketdata.barfiles import Series
from tws.marketdata.board import BarDone, Line, QuoteBoard
from tws.marketdata.past import BarCache
from tws.marketdata.prices import Freshness, Price
from tws.marketdata.warmup import WarmUp, warm_up
from tws.model.market import Bar
from tws.model.session import Session

__all__ = ["Feed"]

KEPT = 500
"""Bars at hand for each contract: more than an hour of 10-second bars, and than any rule looks back."""


class Feed:
    """For bars of one length. `board` has the lines; contracts go by their con_id, others raise KeyError.
    """

    def __init__(self, bar_seconds: int = 10, keep: int = KEPT) -> None:
        self.board = QuoteBoard(bar_seconds)
        self._keep = keep
        self._studies: dict[int, Studies] = {}
        self._seams: dict[int, Seam] = {}

    def add(self, con_id: int, symbol: str, specs: Iterable[str], now_ns: int, *, cold: bool = False) -> Line:
        """Watches a contract from now on; one that is watched gets the indicators that it lacks.

        Its bars wait until `warm_up`, unless it begins `cold`. Raises ConfigError for an indicator that there
        is none of.
        """
        if con_id not in self._studies:
            studies, seam = Studies(specs, self._keep), Seam(self.board.bar_seconds, now_ns)
            if cold:
                seam.past([], seam.first_ns)
            self._studies[con_id], self._seams[con_id] = studies, seam
        else:
            for spec in specs:
                self._studies[con_id].add(spec)
        return self.board.add(con_id, symbol, now_ns)

    def remove(self, con_id: int) -> None:
        """The contract is watched no more. Safe when it never was."""
        self.board.remove(con_id)
        self._studies.pop(con_id, None)
        self._seams.pop(con_id, None)

    def seam(self, con_id: int) -> Seam:
        """Where the past of a contract and its live bars meet."""
        return self._seams[con_id]

    def studies(self, con_id: int) -> Studies:
        """The indicators of a contract."""
        return self._studies[con_id]

    def on_session(self, con_id: int, session: Session) -> None:
        """The session that is open, or the next one: bars and VWAP belong to it."""
        self.board.on_session(con_id, session)
        self._studies[con_id].on_session(session)

    async def warm_up(self, cache: BarCache, series: Series, now_ns: Callable[[], int]) -> WarmUp:
        """Gives the indicators of a contract the past (`tws.marketdata.warmup`)."""
        con_id = series.contract.con_id
        return await warm_up(cache, series, self._studies[con_id], self._seams[con_id], now_ns)

    def step(self, now_ns: int) -> list[BarDone]:
        """Time went by: the bars that were completed and that the indicators have taken, in their order."""
        self.board.advance(now_ns)
        return [
            BarDone(done.con_id, done.symbol, bar)
            for done in self.board.take_bars()
            if done.con_id in self._seams
            for bar in self._seams[done.con_id].live(done.bar)
            if self._studies[done.con_id].update(bar)
        ]

    def price(self, con_id: int, now_ns: int, rules: Freshness | None = None) -> Price | None:
        """See `QuoteBoard.price`."""
        return self.board.price(con_id, now_ns, rules)

    def bar(self, con_id: int, back: int = 0) -> Bar | None:
        """The last bar that the indicators have taken, or one before it."""
        return self._studies[con_id].bar(back)

    def indicator(self, con_id: int, spec: str, back: int = 0) -> float | None:
        """An indicator's number at the last bar (`back` 0) or the one before it (1); None until it is known.

        Raises ValueError for another `back`, KeyError for an indicator that was not asked for.
        """
        if back not in (0, 1):
            raise ValueError(f"an indicator is known at the last bar and the one before it, not {back} back")
        studies = self._studies[con_id]
        return studies.previous(spec) if back else studies.value(spec)

    def save(self) -> dict[str, Any]:
        """The state of all indicators, as plain values."""
        return {str(con_id): studies.save() for con_id, studies in self._studies.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state` was saved, for the contracts that were added; before their warm-up, which
        brings what was missed. Raises ValueError for what is no such state.
        """
        for con_id, studies in self._studies.items():
            if str(con_id) in state:
                studies.restore(state[str(con_id)])
