"""IB's algos as time slices: when how much of an order may trade. How IB's own do it is not public, so each
pace here is a plain and repeatable reading of what the documentation says it aims at (assumed, all of it):

    Twap, Vwap         evenly between start and end
    ArrivalPx          the more at the start, the more urgent; BalanceImpactRisk the same, until the close
    ClosePx            the more towards the close
    MinImpact          evenly until the close
    PctVol and kin     its share of what is traded from the start on
    AD                 a component every so often
    DarkIce            shows its display size, half more or less of it at random, from start to end
    Adaptive           stands at the middle for a while, then takes what it can

`maxPctVol` bounds what has filled by the volume traded since the start; orders take no liquidity where told
(`noTakeLiq`): they stand at their own side of the quote. An order's limit always holds.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from tws.exchange.algos import Algo
from tws.exchange.book import NEVER, Phase
from tws.exchange.families import EXPIRED, cancel_now
from tws.exchange.kinds import Anchor
from tws.exchange.slices import Portion, jitter
from tws.exchange.triggers import unwatch, watch

if TYPE_CHECKING:
    from tws.exchange.book import Book
    from tws.exchange.core import Core
    from tws.exchange.working import Working

__all__ = ["Adaptive", "Schedule", "schedule_of"]

SLICES = 20
"""An order is cut into so many pieces in time, or fewer if it has fewer lots (our choice)."""
NS_PER_S = 1_000_000_000
UNBOUNDED_NS = 600 * NS_PER_S
"""How long an algo without an end works in a market that never closes (our choice)."""
SCANS_NS = {"Urgent": 2 * NS_PER_S, "Normal": 10 * NS_PER_S, "Patient": 30 * NS_PER_S}
"""How long Adaptive looks for a better price: official that Urgent is short, the rest ours."""
HURRY = {"getdone": 8, "aggressive": 3, "neutral": 2, "passive": 1}
"""The power by which ArrivalPx goes ahead of an even pace."""
STANDS = {"Midpoint": Anchor.MIDDLE, "Matching Same Side": Anchor.OWN_SIDE}
"""Where Twap's slices stand by their strategyType; the others take what they find (assumed)."""
TIME_PERCENT, SIZE_PERCENT, DARK_PERCENT = 20, 55, 50
ONE = Decimal(1)


def schedule_of(order: Working, algo: Algo) -> Portion:
    """The portion of an order that an algorithm works."""
    if algo.strategy == "Adaptive":
        return Adaptive(order, algo)
    kinds = {"AD": Components, "DarkIce": Dark}
    return kinds.get(algo.strategy, Volume if algo.strategy.startswith("PctVol") else Schedule)(order, algo)


class Schedule(Portion):
    """Trades between two instants; `allowed` is how many lots may have filled by now."""

    __slots__ = ("algo", "allowed", "begin_ns", "due_ns", "end_ns", "volume")
    endless = False  # works on in a market that never closes, unless an end is stated

    def __init__(self, order: Working, algo: Algo) -> None:
        super().__init__(0)
        self.algo = algo
        self.allowed = self.begin_ns = self.end_ns = self.due_ns = self.volume = 0
        self.readopt(order)

    @property
    def watches(self) -> bool:  # type: ignore[override]
        """Whether the volume bounds it."""
        return self.algo.share("maxPctVol") is not None

    def readopt(self, order: Working) -> None:
        side = STANDS.get(self.algo.texts.get("strategyType", ""))
        if self.algo.flag("noTakeLiq"):
            side = Anchor.OWN_SIDE
        if side is not None:
            order.anchor, order.follows, order.is_limit = side, True, True

    def begin(self, core: Core, order: Working) -> bool:
        book = order.book
        if not self.begin_ns and not self._set(core, book, order):
            return False
        if core.now < self.begin_ns:
            self._look_at(core, order, self.begin_ns)
            return False
        if self.watches:
            watch(order, book)
        if core.now >= self.end_ns and not self._past_end(core, order):
            return False
        before = self.left
        self._release(core, order)
        self.left = min(self.allowed - order.filled, order.remaining)
        if before <= 0 < self.left:
            order.queue(core.next_rank())
        return self.left > 0

    def filled(self, core: Core, order: Working, lots: int) -> None:
        self.left -= lots
        if self.left <= 0:
            order.version += 1  # the next piece stands in the queue when it comes

    def more(self, core: Core, order: Working) -> bool:
        return self.left <= 0

    # -- in time ----------------------------------------------------------------------------------

    def _set(self, core: Core, book: Book, order: Working) -> bool:
        """Take the start and the end; False: it starts too late and is cancelled (recorded)."""
        times, close = self.algo.times, _close_of(book, core.now)
        start = max(core.now, times.get("startTime", times.get("activeTimeStart", 0)))
        if start >= close:
            cancel_now(core, order, reason=f"{self.algo.strategy}: start time is after close time")
            return False
        end = times.get("endTime", times.get("activeTimeEnd", 0))
        self.begin_ns, self.volume = start, book.volume
        last = NEVER if self.endless else start + UNBOUNDED_NS
        self.end_ns = end if end > start else close if close < NEVER else last
        return True

    def _past_end(self, core: Core, order: Working) -> bool:
        """The end came: all of it may trade, or the rest is cancelled (official)."""
        if self.algo.flag("allowPastEndTime") or self.algo.flag("forceCompletion"):
            return True
        cancel_now(core, order, EXPIRED)
        return False

    def _release(self, core: Core, order: Working) -> None:
        """See what may have filled by now, and when to look again."""
        total = order.total
        if core.now >= self.end_ns:
            self.allowed = total
            return
        pieces = max(1, min(SLICES, total))
        span = self.end_ns - self.begin_ns
        at = (core.now - self.begin_ns) * pieces // span
        pace = self._pace(Decimal(at + 1) / pieces)
        wanted = int((total * pace).to_integral_value(ROUND_CEILING))
        most = self.algo.share("maxPctVol")
        if most is not None:
            wanted = min(wanted, int(most * (order.book.volume - self.volume)))
        self.allowed = max(self.allowed, wanted)
        self._look_at(core, order, self.begin_ns - (-(at + 1) * span // pieces))

    def _pace(self, x: Decimal) -> Decimal:
        """Which part may have filled when so much of the time has passed."""
        strategy = self.algo.strategy
        if strategy == "ClosePx":
            return x * x
        if strategy in ("ArrivalPx", "BalanceImpactRisk"):
            urgency = self.algo.texts.get("riskAversion", "Neutral")
            return ONE - (ONE - x) ** HURRY[urgency.lower().replace(" ", "").replace("_", "")]
        return x

    def _look_at(self, core: Core, order: Working, due_ns: int) -> None:
        """Look at the order again at an instant, once."""
        if due_ns not in (self.due_ns, NEVER):
            self.due_ns = due_ns
            core.look_again_at(due_ns, order)


class Volume(Schedule):
    """A share of all that is traded from the start to the end."""

    __slots__ = ("earned", "price")
    endless = True

    def __init__(self, order: Working, algo: Algo) -> None:
        super().__init__(order, algo)
        self.earned, self.price = Decimal(0), 0

    @property
    def watches(self) -> bool:  # type: ignore[override]
        return True

    def _past_end(self, core: Core, order: Working) -> bool:
        cancel_now(core, order, EXPIRED)
        return False

    def _release(self, core: Core, order: Working) -> None:
        book = order.book
        self.price = self.price or book.mark() or 0
        self.earned += self._share(core, order) * (book.volume - self.volume)
        self.volume = book.volume
        self.allowed = min(order.total, int(self.earned))
        self._look_at(core, order, self.end_ns)

    def _share(self, core: Core, order: Working) -> Decimal:
        algo = self.algo
        if algo.strategy in ("PctVolSz", "PctVolTm"):
            first, last = algo.share("startPctVol") or Decimal(0), algo.share("endPctVol") or Decimal(0)
            passed = Decimal(core.now - self.begin_ns) / (self.end_ns - self.begin_ns)
            done = Decimal(order.filled) / order.total if algo.strategy == "PctVolSz" else passed
            return first + (last - first) * done
        share, mark = algo.share("pctVol") or Decimal(0), order.book.mark()
        if algo.strategy == "PctVolPx" and mark is not None and self.price:
            better = Decimal(self.price - mark) * order.sign * 100 / abs(self.price)  # in percent
            share += (algo.share("deltaPctVol") or Decimal(0)) * better
            share = min(share, algo.share("maxPctVol4Px") or ONE)
            share = max(share, algo.share("minPctVol4Px") or Decimal(0))
        return share


class Components(Schedule):
    """A component every so many seconds; it may wait for the one before, and catch up."""

    __slots__ = ("count",)
    endless = True

    def __init__(self, order: Working, algo: Algo) -> None:
        super().__init__(order, algo)
        self.count = 0

    def _release(self, core: Core, order: Working) -> None:
        numbers, lot = self.algo.numbers, order.book.instrument.lot
        every = int(numbers["timeBetweenOrders"]) * NS_PER_S
        if self.algo.flag("randomizeTime20"):
            every += every * jitter(order.perm_id, self.count, TIME_PERCENT) // 100
        due = (core.now - self.begin_ns) // every + 1
        size = int(numbers["componentSize"] / lot) or 1
        waits = self.algo.flag("waitForFill") and order.filled < self.allowed
        while self.count < due and not waits and self.allowed < order.total:
            piece = size
            if self.algo.flag("randomizeSize55"):
                piece = max(1, size + size * jitter(order.perm_id, self.count, SIZE_PERCENT) // 100)
            self.allowed = min(order.total, self.allowed + piece)
            self.count = self.count + 1 if self.algo.flag("catchUp") else due
        self._look_at(core, order, min(self.begin_ns + due * every, self.end_ns))


class Dark(Schedule):
    """Shows its display size, more or less by chance, from the start to the end."""

    __slots__ = ("count", "size")
    endless = True

    def __init__(self, order: Working, algo: Algo) -> None:
        super().__init__(order, algo)
        shown = algo.numbers.get("displaySize")
        self.size = int(shown / order.book.instrument.lot) if shown else order.total // SLICES
        self.count = 0

    def _release(self, core: Core, order: Working) -> None:
        if order.filled >= self.allowed:
            self._show(order)
        self._look_at(core, order, self.end_ns)

    def _show(self, order: Working) -> None:
        self.count += 1
        size = self.size + self.size * jitter(order.perm_id, self.count, DARK_PERCENT) // 100
        self.allowed = min(order.total, order.filled + max(1, size))

    def filled(self, core: Core, order: Working, lots: int) -> None:
        self.left -= lots
        if self.left <= 0 and order.live:
            self._show(order)
            self.left = self.allowed - order.filled
            order.give_way(core.next_rank())
            if order.in_queue:
                order.book.enqueue(order)


class Adaptive(Portion):
    """Stands at the middle for as long as its priority says, then works as its type."""

    __slots__ = ("algo", "until_ns")

    def __init__(self, order: Working, algo: Algo) -> None:
        super().__init__(0)
        self.algo = algo
        self.until_ns = 0
        self.readopt(order)

    def readopt(self, order: Working) -> None:
        if self.until_ns >= 0:
            order.anchor, order.follows, order.is_limit = Anchor.MIDDLE, True, True

    def begin(self, core: Core, order: Working) -> bool:
        if not self.until_ns:
            self.until_ns = core.now + SCANS_NS[self.algo.texts.get("adaptivePriority", "Normal")]
            core.look_again_at(self.until_ns, order)
        elif 0 < self.until_ns <= core.now:
            self.until_ns = -1
            unwatch(order)
            order.works_at()
            order.queue(core.next_rank())
        return True

    def part(self, order: Working, lots: int, arrives: bool) -> int:
        return lots


def _close_of(book: Book, now_ns: int) -> int:
    """When the regular session ends in which this instant lies, or the next one; NEVER without a close."""
    edge, phase = now_ns, book.phase_at(now_ns)
    while phase is not Phase.REGULAR and edge != NEVER:
        edge = book.next_edge(edge)
        phase = book.phase_at(edge)
    while phase is Phase.REGULAR and edge != NEVER:
        edge = book.next_edge(edge)
        phase = book.phase_at(edge)
    return edge
