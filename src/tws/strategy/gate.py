"""The gate for signals: which wishes may become orders. Each refusal is kept with its reason.

Checks in this order, the cheap and certain ones first: schema, symbol, model, duplicate, age, order, neutral,
threshold, session window, cooldown, the model's own rate. An id that was judged once is a duplicate for good
(within `remember_s`), whatever came of it: the same wish twice is one wish. The gate counts market time,
given by its caller.

Whether the account may take the order (size, position, stale quote, live lock) is another question, of the
risk gate, which alone can approve.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from tws.clock import NS_PER_S
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.model.signalrecords import UNSEEN, SignalJudged
from tws.strategy.refusal import Reason, Refusal, refused
from tws.strategy.schema import misshapen

__all__ = ["GateRules", "ModelLimits", "SignalGate"]

_MINUTE_NS, _DAY_NS = 60 * NS_PER_S, 86_400 * NS_PER_S
_UNTIMED = (Reason.AGE, Reason.FUTURE, Reason.ORDER)
"""Refused before its time was."""


class ModelLimits(Struct, frozen=True, kw_only=True):
    """How many entries one model may wish for within any 60 seconds, within any 24 hours. None: no bound."""

    per_minute: int | None = None
    per_day: int | None = None


class GateRules(Struct, frozen=True, kw_only=True):
    """What a signal must satisfy; seconds of market time.

    symbols         those that are traded; None: any
    models          those that may speak; None: any
    each_model      the rate of a model; `limits` names those that have another
    threshold       the least confidence
    max_age_s       since the signal's own time; `max_ahead_s` for a sender whose clock runs ahead
    cooldown_s      after an entry in the same symbol
    open_margin_s   no entry so soon after the open; `close_margin_s`: nor so late before the close
    remember_s      how long an id stays known, `max_ids` of them at most
    max_models      models whose rate is counted at once
    max_kept        refusals kept whole; all are counted
    """

    symbols: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    each_model: ModelLimits = ModelLimits()
    limits: dict[str, ModelLimits] = field(default_factory=dict)
    threshold: float = 0.5
    max_age_s: float = 60.0
    max_ahead_s: float = 1.0
    cooldown_s: float = 180.0
    open_margin_s: float = 0.0
    close_margin_s: float = 60.0
    remember_s: float = 86_400.0
    max_ids: int = 100_000
    max_models: int = 1_000
    max_kept: int = 10_000


class SignalGate:
    """Judges signals in the order in which they come.

    `refusals` are the latest refusals, `tally` counts all by reason, `passed` counts what was let through.
    """

    def __init__(self, rules: GateRules) -> None:
        self.rules = rules
        self.refusals: deque[Refusal] = deque(maxlen=rules.max_kept)
        self.tally: Counter[Reason] = Counter()
        self.passed = 0
        self._ids: dict[tuple[str, str], int] = {}  # (model, id) -> when first seen, oldest first
        self._latest: dict[tuple[str, str], int] = {}  # (model, symbol) -> time of the latest signal judged
        self._entered: dict[str, int] = {}  # symbol -> market time of the latest entry
        self._passed: dict[str, deque[int]] = {}  # model -> when its latest entries were let through

    def judge(self, signal: Signal, now_ns: int, session: Session | None) -> Refusal | None:
        """None: it may go on. `session` is the one that holds `now_ns` or comes next; None: there is none."""
        refusal = self._objection(signal, now_ns, session)
        if refusal is None:
            self.passed += 1
            return None
        return self.keep(replace(refusal, time_ns=now_ns))

    def still(self, signal: Signal, now_ns: int, session: Session | None) -> Refusal | None:
        """Whether one that was let through, and had to wait, may go on even now: the session may be over, and
        another has perhaps entered meanwhile.
        """
        return self._window(signal, now_ns, session) or self._cooldown(signal, now_ns)

    def keep(self, refusal: Refusal) -> Refusal:
        """Keeps and counts a refusal, also one made elsewhere (schema, linked orders); answers it."""
        self.refusals.append(refusal)
        self.tally[refusal.reason] += 1
        return refusal

    def recall(self, judged: Iterable[SignalJudged]) -> None:
        """Know again what a gate of the same section said before a restart, oldest first."""
        for row in judged:
            if row.reason in UNSEEN:
                continue
            self._ids[row.model, row.signal_id] = row.at_ns
            if row.reason in _UNTIMED or row.signal_ns is None:
                continue
            key = (row.model, row.symbol)
            self._latest[key] = max(row.signal_ns, self._latest.get(key, 0))
            most = max((bound for bound, _, _ in self._bounds(row.model)), default=0)
            if row.passed and not Wish(row.wish).closes and most > 0:
                self._passed.setdefault(row.model, deque(maxlen=most)).append(row.at_ns)

    def entered(self, symbol: str, now_ns: int) -> None:
        """An entry in `symbol` was sent: its cooldown begins."""
        self._entered[symbol] = now_ns

    def stopped_out(self, symbol: str) -> None:
        """The stop of `symbol` filled: its cooldown is cleared (AUTOMATION.md)."""
        self._entered.pop(symbol, None)

    def _objection(self, signal: Signal, now_ns: int, session: Session | None) -> Refusal | None:
        rules = self.rules
        shape = misshapen(signal, now_ns)
        if shape is not None:
            return shape
        if rules.symbols is not None and signal.symbol not in rules.symbols:
            return refused(signal, Reason.SYMBOL, f"{signal.symbol} is not traded here", signal.symbol)
        if rules.models is not None and signal.model not in rules.models:
            allowed = ", ".join(rules.models)
            return refused(signal, Reason.MODEL, f"{signal.model!r} may not speak", signal.model, allowed)
        identity = self._identity(signal, now_ns)
        if identity is not None:
            return identity
        timing = self._timing(signal, now_ns)
        if timing is not None:
            return timing
        if signal.wish is Wish.NEUTRAL:
            return refused(signal, Reason.NEUTRAL, "NEUTRAL asks for nothing")
        if not signal.confidence >= rules.threshold:
            return refused(
                signal,
                Reason.THRESHOLD,
                f"confidence {signal.confidence} is below {rules.threshold}",
                signal.confidence,
                rules.threshold,
            )
        if signal.wish.closes:
            return None  # it closes: neither margins nor cooldown nor a rate may trap a position
        return (
            self._window(signal, now_ns, session)
            or self._cooldown(signal, now_ns)
            or self._rate(signal, now_ns)
        )

    def _identity(self, signal: Signal, now_ns: int) -> Refusal | None:
        key = (signal.model, signal.signal_id)
        horizon = now_ns - _ns(self.rules.remember_s)
        while self._ids and next(iter(self._ids.values())) < horizon:
            del self._ids[next(iter(self._ids))]
        if key in self._ids:
            return refused(
                signal, Reason.DUPLICATE, f"signal {signal.signal_id} was judged before", signal.signal_id
            )
        if len(self._ids) >= self.rules.max_ids:
            # To forget the oldest would let it act a second time: better deaf than double.
            return refused(
                signal, Reason.OVERLOAD, "too many signals to remember", len(self._ids), self.rules.max_ids
            )
        self._ids[key] = now_ns
        return None

    def _timing(self, signal: Signal, now_ns: int) -> Refusal | None:
        age_s = (now_ns - signal.time_ns) / NS_PER_S
        if age_s > self.rules.max_age_s:
            return refused(signal, Reason.AGE, f"{age_s:.3f} s old", age_s, self.rules.max_age_s)
        if age_s < -self.rules.max_ahead_s:
            return refused(
                signal, Reason.FUTURE, f"dated {-age_s:.3f} s ahead", -age_s, self.rules.max_ahead_s
            )
        key = (signal.model, signal.symbol)
        latest = self._latest.get(key)
        # One from beyond what may be ahead was judged by a clock that was set back since: it says nothing.
        if latest is not None and signal.time_ns < latest <= now_ns + _ns(self.rules.max_ahead_s):
            return refused(signal, Reason.ORDER, "a later one was judged before it", signal.time_ns, latest)
        if len(self._latest) >= self.rules.max_ids:
            # What is older than a signal may be says nothing any more: AGE refuses all that came before it.
            oldest = now_ns - _ns(self.rules.max_age_s)
            self._latest = {name: time for name, time in self._latest.items() if time >= oldest}
        self._latest[key] = signal.time_ns
        return None

    def _window(self, signal: Signal, now_ns: int, session: Session | None) -> Refusal | None:
        if session is None or not session.holds(now_ns):
            return refused(signal, Reason.SESSION, "the market is closed")
        since_s, left_s = (now_ns - session.open_ns) / NS_PER_S, (session.close_ns - now_ns) / NS_PER_S
        if since_s < self.rules.open_margin_s:
            return refused(
                signal, Reason.SESSION, f"{since_s:.0f} s after the open", since_s, self.rules.open_margin_s
            )
        if left_s <= self.rules.close_margin_s:
            return refused(
                signal, Reason.SESSION, f"{left_s:.0f} s before the close", left_s, self.rules.close_margin_s
            )
        return None

    def _cooldown(self, signal: Signal, now_ns: int) -> Refusal | None:
        entered = self._entered.get(signal.symbol)
        if entered is None:
            return None
        if entered > now_ns:  # the clock was set back since: the pause begins now
            entered = self._entered[signal.symbol] = now_ns
        since_s = (now_ns - entered) / NS_PER_S
        if since_s < self.rules.cooldown_s:
            return refused(
                signal, Reason.COOLDOWN, f"{since_s:.0f} s after an entry", since_s, self.rules.cooldown_s
            )
        return None

    def _rate(self, signal: Signal, now_ns: int) -> Refusal | None:
        """Counts the entry, unless the model has had as many as it may."""
        bounds = self._bounds(signal.model)
        if not bounds:
            return None
        times = self._passed.get(signal.model)
        if times is None:
            if len(self._passed) >= self.rules.max_models:
                self._passed = {
                    model: past for model, past in self._passed.items() if past[-1] > now_ns - _DAY_NS
                }
            if len(self._passed) >= self.rules.max_models:
                most = self.rules.max_models
                return refused(signal, Reason.OVERLOAD, "too many models to count", len(self._passed), most)
            times = deque(maxlen=max(max(bound for bound, _, _ in bounds), 1))
        for bound, span_ns, name in bounds:
            if bound <= 0 or (len(times) >= bound and times[-bound] > now_ns - span_ns):
                text = f"{signal.model or 'this model'} may have {bound} entries in {name}"
                return refused(signal, Reason.MODEL_RATE, text, bound + 1, bound)
        times.append(now_ns)
        self._passed[signal.model] = times
        return None

    def _bounds(self, model: str) -> list[tuple[int, int, str]]:
        """How many entries the model may have, in which time, and the time's name."""
        limits = self.rules.limits.get(model, self.rules.each_model)
        both = (limits.per_minute, _MINUTE_NS, "a minute"), (limits.per_day, _DAY_NS, "24 hours")
        return [(bound, span_ns, name) for bound, span_ns, name in both if bound is not None]


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
