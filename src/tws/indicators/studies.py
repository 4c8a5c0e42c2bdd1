"""`Studies`: the indicators of one instrument at one length of bar, asked for in words.

    studies = Studies(["ema(20)", "macd.signal", "atr(14)"])
    studies.update(bar)                 # True: taken; False: refused, counted by reason, `refusal` says why
    studies.value("macd.signal")        # None until it is known
    studies.previous("ema(20)")         # what it was a bar earlier, for whoever looks for a crossing

Each indicator is there once, however often and in whatever way of writing it was asked for. A bar that is
not sound (no finite numbers, a negative volume, a close outside of its range), that still runs, has another
length than those before it or is not later than they are is refused whole: no indicator sees it. The last
`keep` bars stay at hand (`bar`). `save` and `restore` carry everything over a restart.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import ValidationError, convert, to_builtins

from tws.indicators.deviation import Volatility
from tws.indicators.inputs import finite, range_of, volume_of
from tws.indicators.registry import KINDS, Indicator, Spec, build, parse_spec
from tws.indicators.volume import Vwap
from tws.model.market import Bar
from tws.model.session import Session

__all__ = ["Studies"]


class _Study:
    """One indicator, and its value before the last one."""

    __slots__ = ("before", "by_close", "indicator")

    def __init__(self, spec: Spec) -> None:
        kind = KINDS[spec.name]
        self.indicator: Indicator = build(spec)
        self.by_close = kind.by == "close"
        self.before: Any = None

    def update(self, bar: Bar) -> None:
        self.before = self.indicator.value
        self.indicator.update(bar.close if self.by_close else bar)


class Studies:
    """`taken` counts bars, `refused` refusals by reason, `gaps` bars before which spans were missing."""

    def __init__(self, specs: Iterable[str] = (), keep: int = 0) -> None:
        self.taken = self.gaps = 0
        self.refused: Counter[str] = Counter()
        self.refusal = ""
        """What was wrong with the last refused bar."""
        self.last_ns = -1
        """Where the last taken bar begins."""
        self.seconds = 0
        """The length of its bars, 0 before the first one."""
        self._session_ns = -1
        self._is_before = False  # bars older than the session came after it was told
        self._bars: deque[Bar] = deque(maxlen=keep)
        self._studies: dict[str, _Study] = {}
        self._asked: dict[str, tuple[_Study, str]] = {}
        for text in specs:
            self.add(text)

    def add(self, text: str) -> Spec:
        """The indicator of this text, which begins with the next bar unless it is there. Raises ConfigError.
        """
        spec = parse_spec(text)
        study = self._studies.get(spec.text)
        if study is None:
            study = self._studies[spec.text] = _Study(spec)
        self._asked[text] = study, spec.output
        return spec

    def keep(self, count: int) -> None:
        """At least so many bars stay at hand from now on."""
        if count > (self._bars.maxlen or 0):
            self._bars = deque(self._bars, maxlen=count)

    @property
    def names(self) -> tuple[str, ...]:
        """The indicators in their one way of writing."""
        return tuple(self._studies)

    @property
    def warm_up(self) -> int:
        """How many bars there must be until every indicator has its first value."""
        return max((study.indicator.warm_up for study in self._studies.values()), default=0)

    @property
    def settled(self) -> int:
        """How many bars there must be until every indicator has forgotten where it began."""
        return max((study.indicator.settled for study in self._studies.values()), default=0)

    @property
    def ready(self) -> bool:
        """Whether every indicator has a value."""
        return all(study.indicator.value is not None for study in self._studies.values())

    def value(self, text: str) -> float | None:
        """The latest number of an indicator that was asked for, None until it is known. Raises KeyError for
        a text that was never added.
        """
        study, output = self._asked[text]
        return _number(study.indicator.value, output)

    def previous(self, text: str) -> float | None:
        """The number that `value` gave before the last bar."""
        study, output = self._asked[text]
        return _number(study.before, output)

    def on_session(self, session: Session) -> None:
        """A session that is another than the last one begins anew what belongs to a session (VWAP). Bars that
        are older than its opening may still come, for warming up: then it begins with the first that is not.
        """
        if session.open_ns != self._session_ns:
            self._session_ns = session.open_ns
            self._begin_session()

    def bar(self, back: int = 0) -> Bar | None:
        """The last bar (`back` 0) or one before it; None where there was none, or it was not kept."""
        return self._bars[-1 - back] if back < len(self._bars) else None

    def update(self, bar: Bar) -> bool:
        """Whether the bar was taken; else `refused` has counted it and `refusal` says why."""
        reason, text = self._flaw(bar)
        if reason:
            self.refused[reason] += 1
            self.refusal = text
            return False
        if bar.time_ns < self._session_ns:
            self._is_before = True
        elif self._is_before:
            self._begin_session()
        for study in self._studies.values():
            study.update(bar)
        self._bars.append(bar)
        self.taken += 1
        self.gaps += bar.gap > 0
        self.last_ns, self.seconds = bar.time_ns, bar.seconds
        return True

    def save(self) -> dict[str, Any]:
        """Everything that has to live on, as plain values."""
        return {
            "last_ns": self.last_ns,
            "seconds": self.seconds,
            "session_ns": self._session_ns,
            "is_before": self._is_before,
            "bars": to_builtins(list(self._bars)),
            "studies": {
                name: {"state": study.indicator.save(), "before": to_builtins(study.before)}
                for name, study in self._studies.items()
            },
        }

    def restore(self, state: Mapping[str, Any]) -> tuple[str, ...]:
        """Goes on where `state` was saved; answers the indicators that it does not hold, which begin anew.

        Raises ValueError for what is no such state; then nothing has changed.
        """
        try:
            last_ns, seconds, session_ns = (int(state[name]) for name in ("last_ns", "seconds", "session_ns"))
            is_before, bars = bool(state["is_before"]), convert(state["bars"], list[Bar])
            saved = {str(name): (each["state"], each["before"]) for name, each in state["studies"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
            raise ValueError(f"no state of indicators: {error!r}") from None
        made: dict[str, tuple[Indicator, Any]] = {}
        for name in self._studies:
            if name in saved:
                indicator, (inner, before) = build(parse_spec(name)), saved[name]
                indicator.restore(inner)
                made[name] = indicator, _typed(before, indicator)
        for name, (indicator, before) in made.items():
            self._studies[name].indicator, self._studies[name].before = indicator, before
        self.last_ns, self.seconds = last_ns, seconds
        self._session_ns, self._is_before = session_ns, is_before
        self._bars.clear()
        self._bars.extend(bars)
        return tuple(name for name in self._studies if name not in made)

    def _begin_session(self) -> None:
        self._is_before = False
        for study in self._studies.values():
            if isinstance(study.indicator, Vwap):
                study.indicator.reset()

    def _flaw(self, bar: Bar) -> tuple[str, str]:
        """What is wrong with a bar, in two words and in a sentence; both empty for nothing."""
        if not bar.is_final:
            return "still running", f"the bar at {bar.time} still runs"
        if self.seconds and bar.seconds != self.seconds:
            lengths = f"lasts {bar.seconds} s, those before it {self.seconds} s"
            return "other length", f"the bar at {bar.time} {lengths}"
        if bar.time_ns <= self.last_ns:
            what = "twice" if bar.time_ns == self.last_ns else "out of order"
            return what, f"the bar at {bar.time} comes after one that begins at {self.last_ns} ns"
        try:
            range_of(bar)
            finite(bar.open)
            volume_of(bar)
            if bar.wap is not None:
                finite(bar.wap)
            studies = self._studies.values()
            if bar.close <= 0 and any(isinstance(each.indicator, Volatility) for each in studies):
                raise ValueError(f"the close {bar.close!r} has no logarithm, which a volatility needs")
        except ValueError as error:
            return "unsound", f"the bar at {bar.time}: {error}"
        return "", ""


def _number(value: Any, output: str) -> float | None:
    if value is None:
        return None
    return float(getattr(value, output)) if output else float(value)


def _typed(before: Any, indicator: Indicator) -> Any:
    """A saved value as the indicator gives it."""
    if before is None:
        return None
    kind = float if indicator.value is None else type(indicator.value)
    try:
        return convert(before, kind)
    except ValidationError as error:
        raise ValueError(f"no state of indicators: {error}") from None
