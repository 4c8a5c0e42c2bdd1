"""`Feed`: what is known of some markets at one length of bar: prices with their age, bars, indicators.

It ties together a quote board, and for each contract a seam and its `Studies`. Ticks go into the lines
(`add` answers them), `step` gives each bar that ended, after the indicators took it. The indicators begin
with these bars; `warm_up` puts others into their place that have seen the past and the same bars since, in
one row. A contract that will have no past is said to be `cold`.

    feed = Feed(bar_seconds=10)
    line = feed.add(con_id, "SPY", ["ema(20)", "atr(14)"], now_ns)     # line.tick(...) for every tick
    feed.on_session(con_id, session)
    await feed.warm_up(cache, Series(contract=contract, bar_size="10 secs"), clock.now_ns)
    for done in feed.step(clock.now_ns()): ...                         # each bar once, indicators hold it
    feed.indicator(con_id, "ema(20)"), feed.bar(con_id, 1), feed.price(con_id, now_ns)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tws.bars import Seam
from tws.indicators import Studies
from tws.log import get_logger
from tws.marketdata.barfiles import Series
from tws.marketdata.board import BarDone, Line, QuoteBoard
from tws.marketdata.past import BarCache
from tws.marketdata.prices import Freshness, Price
from tws.marketdata.warmup import WarmUp, warm_up
from tws.model.market import Bar, MarketDataType
from tws.model.session import Session

__all__ = ["KEPT", "Feed"]

KEPT = 500
"""Bars at hand for each contract: more than an hour of 10-second bars, and than any rule looks back."""

_DELAYED = (MarketDataType.DELAYED, MarketDataType.DELAYED_FROZEN)

log = get_logger("tws.marketdata")


class _Watched:
    """One contract. `warm` are the indicators that are being given the past."""

    __slots__ = ("seam", "studies", "warm")

    def __init__(self, studies: Studies, seam: Seam) -> None:
        self.studies, self.seam = studies, seam
        self.warm: Studies | None = None

    def both(self) -> tuple[Studies, ...]:
        return (self.studies,) if self.warm is None else (self.studies, self.warm)

    def take(self, bar: Bar) -> bool:
        """Whether the indicators took a bar that ended. While the past is missing the seam keeps it, too."""
        passed = self.seam.live(bar)
        if self.seam.joined and not passed:
            return False  # the past had it
        if self.studies.update(bar):
            return True
        log.warning("a bar was refused", reason=self.studies.refusal)
        return False


class Feed:
    """For bars of one length. `board` has the lines; contracts go by their con_id, others raise KeyError.
    """

    def __init__(self, bar_seconds: int = 10, keep: int = KEPT) -> None:
        self.board = QuoteBoard(bar_seconds)
        self._keep = keep
        self._watched: dict[int, _Watched] = {}

    def add(
        self, con_id: int, symbol: str, specs: Iterable[str], now_ns: int, *, part_seconds: int = 0
    ) -> Line:
        """Watches a contract from now on; one that is watched gets the indicators that it lacks.

        Its bars are built from ticks, or merged from bars of `part_seconds` (`Line.part`).
        Raises ConfigError for an indicator that there is none of.
        """
        each = self._watched.get(con_id)
        if each is None:
            studies, seam = Studies(specs, self._keep), Seam(self.board.bar_seconds, now_ns)
            self._watched[con_id] = _Watched(studies, seam)
        else:
            for spec in specs:
                for studies in each.both():
                    studies.add(spec)
        return self.board.add(con_id, symbol, now_ns, part_seconds=part_seconds)

    def keep(self, con_id: int, count: int) -> None:
        """At least so many bars of a contract stay at hand."""
        for studies in self._watched[con_id].both():
            studies.keep(count)

    def remove(self, con_id: int) -> None:
        """The contract is watched no more. Safe when it never was."""
        self.board.remove(con_id)
        self._watched.pop(con_id, None)

    def seam(self, con_id: int) -> Seam:
        """Where the past of a contract and its live bars meet."""
        return self._watched[con_id].seam

    def studies(self, con_id: int) -> Studies:
        """The indicators of a contract."""
        return self._watched[con_id].studies

    def on_session(self, con_id: int, session: Session) -> None:
        """The session that is open, or the next one: bars and VWAP belong to it."""
        self.board.on_session(con_id, session)
        for studies in self._watched[con_id].both():
            studies.on_session(session)

    async def warm_up(
        self, cache: BarCache, series: Series, now_ns: Callable[[], int], count: int | None = None
    ) -> WarmUp:
        """Gives the indicators of a contract the past (`tws.marketdata.warmup`); those with their own bars
        alone answer until then, and go on when it raises: what `warm_up` does, and ValueError for a contract
        whose data are delayed.
        """
        con_id = series.contract.con_id
        each = self._watched[con_id]
        warm = each.warm = each.studies.anew()
        try:
            report = await warm_up(cache, series, warm, each.seam, now_ns, count=count)
            price = self.board.price(con_id, now_ns())
            if price is not None and price.kind in _DELAYED:
                raise ValueError("its data are delayed: the past would hold what they have still to tell")
            each.studies = warm
        finally:
            each.warm = None
        return report

    def again(self, con_id: int, now_ns: int) -> None:
        """The past may come once more, for indicators that were added since it came."""
        self._watched[con_id].seam = Seam(self.board.bar_seconds, now_ns)

    def cold(self, con_id: int) -> None:
        """No past will come. Safe when it has come."""
        seam = self._watched[con_id].seam
        if not seam.joined:
            seam.past([], seam.first_ns)

    def step(self, now_ns: int) -> list[BarDone]:
        """Time went by: the bars that were completed and that the indicators have taken, in their order."""
        self.board.advance(now_ns)
        return [done for done in self.board.take_bars() if self._takes(done)]

    def _takes(self, done: BarDone) -> bool:
        each = self._watched.get(done.con_id)
        return each is not None and each.take(done.bar)

    def price(self, con_id: int, now_ns: int, rules: Freshness | None = None) -> Price | None:
        """See `QuoteBoard.price`."""
        return self.board.price(con_id, now_ns, rules)

    def bar(self, con_id: int, back: int = 0) -> Bar | None:
        """The last bar that the indicators have taken, or one before it."""
        return self._watched[con_id].studies.bar(back)

    def indicator(self, con_id: int, spec: str, back: int = 0) -> float | None:
        """An indicator's number at the last bar (`back` 0) or the one before it (1); None until it is known.

        Raises ValueError for another `back`, KeyError for an indicator that was not asked for.
        """
        if back not in (0, 1):
            raise ValueError(f"an indicator is known at the last bar and the one before it, not {back} back")
        studies = self._watched[con_id].studies
        return studies.previous(spec) if back else studies.value(spec)
