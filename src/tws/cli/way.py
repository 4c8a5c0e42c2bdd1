"""The way to the opening as `tws run` shows it: a bar on a terminal, a line every few minutes into a file,
with --json an event a line on stderr; and the word `trading` once orders are possible.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

from tws.cli.console import make_console

if TYPE_CHECKING:
    from tws.runtime.opening import Countdown

__all__ = ["Way"]

SAY_S = 300
"""Where no bar can move: often enough to see that it lives, rare enough for a log of a weekend."""
LAST_S = 60
"""And once more a minute before."""


class Way:
    """`tell` hears of each second (`tws.runtime.opening`); `close` leaves the terminal as it was."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._stream = sys.stderr if as_json else sys.stdout
        self._bar: Any = None
        self._said_s: int | None = None

    def tell(self, countdown: Countdown) -> None:
        if countdown.open:
            self.close()
            if not countdown.stated:
                typer.echo("TWS states no session to come: nothing is waited for", err=True)
            self._write("trading")
        elif self._json or not self._stream.isatty():
            self._say(countdown)
        else:
            self._draw(countdown)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _say(self, countdown: Countdown) -> None:
        from tws.clock import to_datetime

        left_s, said_s = countdown.left_s, self._said_s
        last = said_s is not None and left_s <= LAST_S < said_s
        if said_s is not None and said_s - left_s < SAY_S and not last:
            return
        self._said_s = left_s
        opens = to_datetime(countdown.opens_ns)
        if self._json:
            said = {"symbol": countdown.symbol, "opens": opens.isoformat(), "in_s": left_s}
            self._write(json.dumps({"event": "closed"} | said))
        else:
            at = f"{opens:%Y-%m-%d %H:%M} UTC"
            self._write(f"closed: {countdown.symbol} opens in {_span(left_s)}, {at}")

    def _draw(self, countdown: Countdown) -> None:
        from tws.clock import to_datetime

        if self._bar is None:
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"),
                console=make_console(self._stream), transient=True, auto_refresh=False,
            )  # fmt: skip
            self._bar.start()
            opens = f"{to_datetime(countdown.opens_ns):%Y-%m-%d %H:%M} UTC"
            text = f"closed: {countdown.symbol} opens {opens}, Ctrl-C ends"
            self._task = self._bar.add_task(text, total=countdown.left_s, left="")
            self._total = countdown.left_s
        done = max(0, self._total - countdown.left_s)
        self._bar.update(self._task, completed=done, left=_span(countdown.left_s), refresh=True)

    def _write(self, text: str) -> None:
        typer.echo(text, file=self._stream)
        self._stream.flush()


def _span(seconds: int) -> str:
    """2 h 05 min, 4 min 10 s, or 40 s."""
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds % 60:02} s" if minutes else f"{seconds} s"
