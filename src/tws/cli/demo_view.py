"""How a demo looks: a line that lives while the day runs, and the tables of its end."""

from __future__ import annotations

from decimal import Decimal
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tws.cli.console import Glyphs, glyphs
from tws.clock import to_datetime
from tws.demo import DemoReport, Progress
from tws.demo.report import Slippage

__all__ = ["Watch", "as_json_value", "draw"]

PLAIN_EVERY = 0.1
"""Without a terminal a line is written for each tenth of the day: a log, not a flood."""


class Watch:
    """Shows progress: in place on a terminal, as lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        terminal = console.is_terminal
        self._live = Live(console=console, refresh_per_second=8, transient=True) if terminal else None
        self._written = -1.0

    def __enter__(self) -> Watch:
        self._console.print(
            "Simulated TWS, official client, desk and two strategies in one process. Ctrl-C ends it."
        )
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """For `run_demo`: the day has moved."""
        text = (
            f"{to_datetime(progress.market_time_ns):%H:%M} UTC  {progress.done:4.0%}  "
            f"{progress.ticks:,} ticks  {progress.signals} signals  {progress.trades} trades  "
            f"{progress.fills} fills  "
            f"{progress.open_positions} open  {money(progress.realized)}"
        )
        if self._live is not None:
            self._live.update(Text(text))
        elif progress.done >= self._written + PLAIN_EVERY:
            self._written = progress.done
            self._console.print(text)


def money(amount: Decimal) -> str:
    """Dollars and cents with their sign."""
    return f"{'-' if amount < 0 else '+'}${abs(amount):,.2f}"


def draw(console: Console, report: DemoReport) -> None:
    """The report, from what was wished to what the books say."""
    signs = glyphs(console.file)  # type: ignore[arg-type]
    wall = f"{report.market_seconds:,} market seconds in {report.wall_seconds:.1f} s"
    ended = "ended by Ctrl-C" if report.interrupted else "done"
    console.print(f"\n{report.market} ({report.day}), {ended}: {wall}, {report.messages:,} ticks")
    console.print()
    console.print(_results(report))
    _signals(console, report)
    console.print("\nSlippage against the reference (positive is worse): "
                  f"entries {_slip(report.entry_slippage)}, stops {_slip(report.stop_slippage)}, "
                  f"targets {_slip(report.target_slippage)}")
    for alarm in report.alarms:
        console.print(f"{signs.warn} {alarm}")
    console.print()
    console.print(_measures(report, signs))
    console.print()
    console.print(_checks(report, signs))
    verdict = "The books agree to the last digit" if report.exact else "THE BOOKS DIFFER"
    standing = "all is flat" if report.flat else "NOT FLAT"
    good = report.exact and report.flat
    console.print(f"{signs.good if good else signs.bad} {verdict}; {standing}. Result after commissions: "
                  f"{money(report.net)}.")
    console.print(f"{report.journal_records} journal records, fingerprint {report.fingerprint[:12]}. "
                  "A simulation: its result says nothing about profit.")
    console.print(f"head {report.head}")


def _results(report: DemoReport) -> Table:
    """Within 80 columns, which is what a Windows console has."""
    table = _table()
    for name in ("symbol", "strategy"):
        table.add_column(name)
    for name in ("signals", "trades", "tgt/stp/cls", "fills", "shares", "fees", "net"):
        table.add_column(name, justify="right")
    for row in report.results:
        table.add_row(row.symbol, row.strategy, str(row.signals), str(row.trades),
                      f"{row.targets}/{row.stops}/{row.closed}", str(row.fills), f"{row.shares:f}",
                      f"${row.commissions:,.2f}", money(row.net))
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))


def _signals(console: Console, report: DemoReport) -> None:
    fates = ", ".join(f"{count} {fate}" for fate, count in report.fates.items())
    console.print(f"\nSignals: {report.signals} ({fates})")
    if report.reasons:
        console.print("  no order because of: " + _counts(report.reasons))
    console.print("  refused by the risk gate: " + (_counts(report.denials) or "nothing"))
    console.print("Orders: " + _counts(report.orders))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _slip(slippage: Slippage) -> str:
    if not slippage.shares:
        return "none"
    return f"{money(slippage.dollars)} on {slippage.shares:f} shares"


def _checks(report: DemoReport, signs: Glyphs) -> Table:
    table = _table()
    for name in ("reconciliation", "journal", "desk", "broker", ""):
        table.add_column(name)
    for check in report.checks:
        sign = signs.good if check.exact else signs.bad
        table.add_row(check.what, check.journal, check.desk, check.broker, sign)
    return table


def _measures(report: DemoReport, signs: Glyphs) -> Table:
    table = _table()
    for name in ("measured", "", "at most", ""):
        table.add_column(name, justify="left" if name == "measured" else "right")
    for each in report.measures:
        sign = signs.good if each.held else signs.bad
        measured = "never" if each.measured is None else f"{each.measured:g} {each.unit}"
        table.add_row(each.what, measured, f"{each.bound:g} {each.unit}", sign)
    return table


def as_json_value(report: DemoReport) -> Any:
    """The report as plain JSON values; money as text, so that no digit is lost."""
    import msgspec

    value = msgspec.to_builtins(report)
    for row, check in zip(value["checks"], report.checks, strict=True):
        row["exact"] = check.exact
    for row, each in zip(value["measures"], report.measures, strict=True):
        row["held"] = each.held
    return {**value, "exact": report.exact, "net": str(report.net)}
