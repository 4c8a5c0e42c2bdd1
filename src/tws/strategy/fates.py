"""What became of every signal: one book for all sources, which a report and `--json` can print.

    heard ─▶ refused (reason, figure, bound)
         └─▶ passed ─▶ traded (intent) | closed | denied (limit, figure, bound) | refused (no bracket for it)
               └─▶ waiting (for a first quote) ─▶ the same

Each signal has one row; what the desk says of one that passed moves its row. Counts are of all; rows are the
latest `max_kept`. What a source says of itself (an API that times out) is trouble: counted by reason beside
the signals, never among them, so that `heard` is the sum of its outcomes.

`take_records` gives what the journal is to keep: every signal that passed, and refusals as long as they come
no faster than `REFUSALS_PER_S` beyond a burst; the rest is one row with their number.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from itertools import islice
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tws.clock import NS_PER_S, to_datetime
from tws.model.signal import Signal
from tws.model.signalrecords import SignalJudged, SignalsUnwritten
from tws.strategy.refusal import OF_SOURCE, Refusal, as_text

__all__ = ["Fate", "FateBook", "Outcome"]

REFUSALS_PER_S = 2.0
"""Rows of refusals that the journal takes in the long run: 13 MB a trading day at 300 bytes each."""
BURST = 200
"""And at once: a backlog that a sender delivers after an outage is seen whole."""
MAX_PENDING = 10_000
"""Records that wait for the journal; whoever takes none for so long has no journal."""

_YEAR_2262_NS = 2**63  # the first instant that a whole number of 64 bits can't say: a snapshot has no other

_Key: TypeAlias = tuple[str, str]  # model, signal id


class Outcome(StrEnum):
    """Where a signal stands; PASSED is not an end, unless nothing came of it, and WAITING is none."""

    REFUSED = "refused"
    PASSED = "passed"
    WAITING = "waiting"
    TRADED = "traded"
    CLOSED = "closed"
    DENIED = "denied"


class Fate(Struct, frozen=True, kw_only=True):
    """One signal: what it was, what became of it, and why. Instants are market time.

    `reason` is the gate's (`Reason`) or the limit that denied it; `intent_id` is the entry's.
    """

    source: str
    outcome: Outcome
    heard_ns: int
    signal_id: str = ""
    model: str = ""
    symbol: str = ""
    wish: str = ""
    signal_ns: int | None = None
    confidence: float | None = None
    price: float | None = None
    reason: str = ""
    figure: str = ""
    bound: str = ""
    text: str = ""
    intent_id: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON takes it, without what is not known; instants in ISO 8601."""
        row: dict[str, Any] = {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) not in ("", None) and not name.endswith("_ns")
        }
        row["heard"] = to_datetime(self.heard_ns).isoformat()
        if self.signal_ns is not None:
            row["time"] = to_datetime(self.signal_ns).isoformat()
        return row

    def line(self) -> str:
        """One line for a human."""
        when = to_datetime(self.heard_ns).isoformat(timespec="milliseconds")
        what = f"{self.wish or '?'} {self.symbol or '?'}"
        sure = "" if self.confidence is None else f" at {self.confidence:g}"
        why = f": {self.reason}" if self.reason else ""
        more = f" ({self.text})" if self.text else ""
        intent = f" as {self.intent_id}" if self.intent_id else ""
        return f"{when} {self.source} {what}{sure} {self.outcome}{intent}{why}{more}"


class FateBook:
    """Told of every signal and of what the desk made of it; `counts` by outcome, `reasons` and `trouble`."""

    def __init__(self, *, max_kept: int = 10_000) -> None:
        self.heard = 0
        self.counts: Counter[Outcome] = Counter()
        self.reasons: Counter[str] = Counter()
        self.trouble: Counter[str] = Counter()
        self._max_kept = max_kept
        self._rows: dict[int, Fate] = {}  # by number, oldest first
        self._number = 0
        self._open: dict[_Key, int] = {}  # passed, the desk has not spoken yet
        self._pending: list[SignalJudged] = []
        self._unwritten: Counter[str] = Counter()
        self._tokens, self._filled_ns = float(BURST), 0

    def refused(self, source: str, refusal: Refusal, signal: Signal | None = None) -> None:
        """A signal was refused by its gate (with `signal`) or its schema, or a source is in trouble."""
        if signal is None and refusal.reason in OF_SOURCE:
            self.trouble[refusal.reason] += 1
            return
        self.reasons[refusal.reason] += 1
        self.heard += 1
        fate = Fate(
            source=source,
            outcome=Outcome.REFUSED,
            heard_ns=refusal.time_ns,
            signal_id=refusal.signal_id,
            model=refusal.model,
            symbol=refusal.symbol,
            reason=refusal.reason,
            figure=refusal.figure,
            bound=refusal.bound,
            text=refusal.text,
        )
        if signal is not None:
            fate = _about(fate, signal)
        self._add(fate)
        self._write(fate)

    def passed(self, source: str, signal: Signal, now_ns: int) -> None:
        """The gate let it through."""
        self.heard += 1
        fate = _about(Fate(source=source, outcome=Outcome.PASSED, heard_ns=now_ns), signal)
        self._open[signal.model, signal.signal_id] = self._add(fate)
        self._write(fate)

    def waits(self, signal: Signal, refusal: Refusal) -> None:
        """It had passed, and would be refused with this if nothing came that it waits for."""
        key = signal.model, signal.signal_id
        number = self._open.get(key)
        if number is not None:
            self._move(signal, outcome=Outcome.WAITING, reason=refusal.reason, text=refusal.text)
            self._open[key] = number

    def traded(self, signal: Signal, intent_id: str) -> None:
        """The desk took it: its entry is this intent."""
        self._move(signal, outcome=Outcome.TRADED, intent_id=intent_id)

    def closed(self, signal: Signal) -> None:
        """It closed what we held."""
        self._move(signal, outcome=Outcome.CLOSED)

    def denied(self, signal: Signal, limit: str, figure: object, bound: object, text: str = "") -> None:
        """A limit of the desk denied it."""
        if self._move(signal, outcome=Outcome.DENIED, reason=limit, figure=str(figure), bound=str(bound),
                      text=text):  # fmt: skip
            self.reasons[limit] += 1

    def unmade(self, signal: Signal, refusal: Refusal) -> None:
        """It had passed, and no order can be made of it: no quote, no ATR, in position already."""
        if self._move(signal, outcome=Outcome.REFUSED, reason=refusal.reason, figure=refusal.figure,
                      bound=refusal.bound, text=refusal.text):  # fmt: skip
            self.reasons[refusal.reason] += 1

    def fates(self, most: int | None = None) -> list[Fate]:
        """The latest rows, newest first."""
        return list(islice(reversed(self._rows.values()), most))

    def plain(self, most: int = 100) -> dict[str, Any]:
        """For `--json`: the counts, and the latest rows."""
        return {
            "heard": self.heard,
            **{str(outcome): self.counts[outcome] for outcome in Outcome},
            "reasons": dict(sorted(self.reasons.items())),
            "trouble": dict(sorted(self.trouble.items())),
            "fates": [fate.plain() for fate in self.fates(most)],
        }

    def lines(self, most: int = 20) -> list[str]:
        """For a report: how many, why not, the latest."""
        outcomes = ", ".join(f"{self.counts[each]} {each}" for each in Outcome if self.counts[each])
        lines = [f"{self.heard} signals: {outcomes or 'none yet'}"]
        lines += [f"  {count} x {reason}" for reason, count in self.reasons.most_common()]
        lines += [f"  trouble: {count} x {reason}" for reason, count in self.trouble.most_common()]
        return [*lines, *(f"  {fate.line()}" for fate in self.fates(most))]

    def take_records(self, now_ns: int) -> list[SignalJudged | SignalsUnwritten]:
        """What the journal is to keep since the last call, in order."""
        found: list[SignalJudged | SignalsUnwritten] = list(self._pending)
        self._pending.clear()
        if self._unwritten:
            reasons = dict(sorted(self._unwritten.items()))
            found.append(SignalsUnwritten(at_ns=now_ns, count=self._unwritten.total(), reasons=reasons))
            self._unwritten.clear()
        return found

    def _add(self, fate: Fate) -> int:
        self._number += 1
        self._rows[self._number] = fate
        self.counts[fate.outcome] += 1
        if len(self._rows) > self._max_kept:
            oldest = next(iter(self._rows))
            gone = self._rows.pop(oldest)
            if self._open.get((gone.model, gone.signal_id)) == oldest:
                del self._open[gone.model, gone.signal_id]
        return self._number

    def _move(self, signal: Signal, **moved: Any) -> bool:
        """Move the row of a signal that passed; False when no such row waits."""
        number = self._open.pop((signal.model, signal.signal_id), None)
        if number is None:
            return False
        before = self._rows[number]
        self._rows[number] = after = replace(before, **({"reason": "", "text": ""} | moved))
        self.counts[before.outcome] -= 1
        self.counts[after.outcome] += 1
        return True

    def _write(self, fate: Fate) -> None:
        passed = fate.outcome is Outcome.PASSED
        if len(self._pending) >= MAX_PENDING or not (passed or self._has_token(fate.heard_ns)):
            self._unwritten[fate.reason or str(fate.outcome)] += 1
            return
        self._pending.append(
            SignalJudged(
                at_ns=fate.heard_ns,
                source=fate.source,
                signal_id=fate.signal_id,
                symbol=fate.symbol,
                passed=passed,
                model=fate.model,
                wish=fate.wish,
                signal_ns=fate.signal_ns,
                confidence=fate.confidence,
                price=fate.price,
                reason=fate.reason,
                figure=fate.figure,
                bound=fate.bound,
                text=fate.text,
            )
        )

    def _has_token(self, now_ns: int) -> bool:
        since_s = max(0, now_ns - self._filled_ns) / NS_PER_S
        self._tokens = min(float(BURST), self._tokens + since_s * REFUSALS_PER_S)
        self._filled_ns = max(now_ns, self._filled_ns)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _about(fate: Fate, signal: Signal) -> Fate:
    """The same with what the signal says of itself; what JSON can't say is left to the refusal's text."""
    at, sure, price = _number(signal.time_ns), _number(signal.confidence), _number(signal.price)
    return replace(
        fate,
        signal_id=as_text(signal.signal_id),
        model=as_text(signal.model),
        symbol=as_text(signal.symbol),
        wish=as_text(signal.wish),
        signal_ns=at if isinstance(at, int) and 0 <= at < _YEAR_2262_NS else None,
        confidence=None if sure is None else float(sure),
        price=None if price is None else float(price),
    )


def _number(value: object) -> float | int | None:
    """A number that JSON can say: a program may have put anything there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e300 else None  # neither infinity nor NaN is below
