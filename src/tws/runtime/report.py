"""What a run was, as values: `tws run` draws them, `--json` writes them, `tws stop` is answered with them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct, field

__all__ = ["Protection", "RuleOnSymbol", "RuleTally", "RunReport"]


class Protection(Struct, frozen=True, kw_only=True):
    """How long held shares were without a full live stop, in all trades still at hand. `bound_s`: beyond it,
    it is an alarm.
    """

    now_s: float
    longest_s: float
    bound_s: float
    times: int

    def __str__(self) -> str:
        now = f"now {self.now_s:.1f} s, " if self.now_s else ""
        return f"{now}longest {self.longest_s:.1f} s, bound {self.bound_s:g} s; {self.times} times"


class RuleOnSymbol(Struct, frozen=True, kw_only=True):
    """What a rule remembers of a symbol: when it fired last, what is left of its own pause, in seconds, and
    how often it has fired in the trading day.
    """

    last_fired: str
    cooldown_s: float = 0.0
    today: int = 0


class RuleTally(Struct, frozen=True, kw_only=True):
    """How one rule stands: how often it fired, was held back, raised in this run; and its last word.

    `disabled` is why it is. `last_fired` and what follows are of earlier runs too, for rules that have a
    pause or a bound; `cooldown_s` is the longest of its symbols, `today` the sum over them, `per_day` the
    bound of each.
    """

    rule: str
    priority: int = 0
    enabled: bool = True
    disabled: str = ""
    fired: int = 0
    held: int = 0
    failed: int = 0
    last_fired: str = ""
    last_symbol: str = ""
    cooldown_s: float = 0.0
    today: int = 0
    per_day: int | None = None
    symbols: dict[str, RuleOnSymbol] = field(default_factory=dict)
    last: str = ""
    """Why it did not fire on the newest event, or nothing came of it; empty when it did what it says."""

    def __str__(self) -> str:
        words = [f"fired {self.fired}"]
        words += [f"held back {self.held}"] if self.held else []
        words += [f"failed {self.failed}"] if self.failed else []
        words += [f"last on {self.last_symbol} at {self.last_fired}"] if self.last_fired else []
        words += [f"{self.cooldown_s:.0f} s of its cooldown left"] if self.cooldown_s else []
        words += [f"{self.today} today, {self.per_day} a symbol"] if self.per_day is not None else []
        state = "" if self.enabled else f" DISABLED ({self.disabled}):"
        return f"rule {self.rule}:{state} {', '.join(words)}" + (f"; {self.last}" if self.last else "")


class RunReport(Struct, frozen=True, kw_only=True):
    """What a run was. `good` is what the exit code stands on."""

    ended: str
    """Why it ended, in words."""
    at_end: str
    account: str
    seconds: float
    signals: int
    traded: int
    closed: int
    refused: dict[str, int]
    denied: dict[str, int]
    fills: int
    realized: Decimal
    """After commissions, of the whole journal."""
    left: list[str]
    unprotected: list[str]
    differs: str
    """Why books and broker do not agree; empty: reconciled."""
    latched: str
    failure: str
    alarms: list[str]
    code: str = ""
    """The code's fingerprint, as in the journal."""
    configuration: str = ""
    """The configuration's."""
    mode: str = ""
    """simulator, paper or live."""
    grade: str = ""
    """Of a live run: which part of sizes and limits it had, and on what that stands."""
    protection: Protection | None = None
    strategies: list[str] = field(default_factory=list)
    """One line for each strategy in Python: how it did and what it made."""
    disabled: list[str] = field(default_factory=list)
    """Those of them that were taken out of the game, and why."""
    fates: dict[str, Any] = field(default_factory=dict)
    """What became of every signal: counts, reasons, the latest rows (`tws.strategy.FateBook.plain`)."""
    fate_lines: list[str] = field(default_factory=list)
    """The same for a human, with how each source does and what each rule did."""
    sources: list[dict[str, Any]] = field(default_factory=list)
    """How each source does (`tws.signals.Health`)."""
    rules: list[RuleTally] = field(default_factory=list)
    head: str = ""
    """The journal's head when this was written: `tws verify --head` proves all rows up to it."""

    @property
    def flat(self) -> bool:
        return not self.left

    @property
    def good(self) -> bool:
        """It ended as it was told to, and nothing is left that wants a human."""
        as_told = self.flat if self.at_end == "flatten" else not self.unprotected
        return as_told and not (self.failure or self.differs or self.latched or self.disabled)
