"""A trader as a real process on a simulated TWS of this test: its configuration, its life, its channel.

Each process is a child of the test; it is killed at the latest when the test ends, by its own handle.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from tws.channel import ask
from tws.cli.app import main
from tws.errors import TWSError
from tws.runtime.place import Note, Place
from tws.safety import SafetyFile
from tws.testing import HostedTWS

__all__ = ["BOUND_S", "Desk", "Traded", "in_process", "until"]

BOUND_S = 120.0
"""No machine needs so long; what is not there by then is not coming."""

HUNG_S = 300.0
"""A start has bounds of its own, and a life shows itself each second: what is silent for so long hangs."""

PATIENCE_BEATS = 90
"""The trader's timer shows its life each second, later on a busy machine. An order is proven absent by two
rounds that are 10 s apart, and asked about again after 10 s without an answer: three such turns and more.
"""

TWS = [sys.executable, "-c", "import sys; from tws.cli.app import main; main(sys.argv[1:])"]


def until(true: Callable[[], object], what: str, bound_s: float = BOUND_S) -> None:
    """Return once it is so; AssertionError after the bound."""
    end = time.monotonic() + bound_s
    while not true():
        assert time.monotonic() < end, f"did not come: {what}"
        time.sleep(0.02)


def in_process(*words: str) -> tuple[int, str]:
    """A `tws` command in the process of the test: exit code and text. An interpreter that starts costs more
    than all that most of them do.
    """
    code: str | int | None = 0
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            main(words)
        except SystemExit as ended:
            code = ended.code
    return int(code or 0), out.getvalue() + err.getvalue()


class Traded:
    """One process of `tws`, its output in files; a group of its own, which CTRL_BREAK reaches alone."""

    def __init__(self, folder: Path, *words: str, environ: dict[str, str] | None = None) -> None:
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        kept = {name: text for name, text in os.environ.items() if not name.startswith("TWS_")}
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.popen = subprocess.Popen(
                [*TWS, *words],
                stdout=out,
                stderr=err,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                env=kept | (environ or {}),
            )

    @property
    def text(self) -> str:
        """What it said so far, both ways."""
        return self.out.read_text("utf-8", "replace") + self.err.read_text("utf-8", "replace")

    def ready(self) -> None:
        """Wait until it trades."""
        until(lambda: "trading\n" in self.text or self.popen.poll() is not None, "the line `trading`", HUNG_S)
        assert self.popen.poll() is None, self.text

    def kill(self) -> None:
        """As kill -9 does: nothing of it runs any more when this returns."""
        self.popen.kill()
        self.popen.wait(BOUND_S)

    def wait(self) -> int:
        """Its exit code, once it ends by itself."""
        return self.popen.wait(BOUND_S)


class Desk:
    """One trader's configuration and state in a folder, and the simulated TWS that it trades on."""

    def __init__(self, folder: Path, tws: HostedTWS, symbols: tuple[str, ...] = ("SPY", "QQQ")) -> None:
        self.folder, self.tws, self.symbols = folder, tws, symbols
        self.signals = folder / "signals.jsonl"
        self.config = folder / "trader.toml"
        self.place = Place(folder / "state" / f"{tws.port}-1")
        self._count = 0
        self.signals.touch()
        self.config.write_text(
            f"""
            [connection]
            port = {tws.port}
            client_id = 1
            [risk]
            stale_quote_s = 3600
            [signals]
            file = "signals.jsonl"
            symbols = {json.dumps(symbols)}
            shares = 10
            stop_fraction = 0.02
            target_fraction = 0.03
            max_age_s = 86400
            cooldown_s = 0
            close_margin_s = 0
            [state]
            folder = "state"
            """,
            encoding="utf-8",
        )

    def signal(self, symbol: str, wish: str = "BUY") -> str:
        """Append one signal; its id."""
        self._count += 1
        name = f"s{self._count}"
        row = {"id": name, "symbol": symbol, "signal": wish, "confidence": 0.9, "time": time.time()}
        with self.signals.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
        return name

    def run(self, *words: str) -> Traded:
        """Start `tws run`."""
        return Traded(self.folder, "run", str(self.config), *words)

    @contextmanager
    def running(self, *words: str) -> Iterator[Traded]:
        """A trader that trades; killed at the end if it still runs."""
        process = self.run(*words)
        try:
            process.ready()
            yield process
        finally:
            process.kill()

    def command(self, name: str, *words: str) -> tuple[int, str]:
        """Another `tws` command on this trader: exit code and text."""
        return in_process(name, *words, "--state", str(self.folder / "state"))

    def command_apart(self, name: str, *words: str) -> tuple[int, str]:
        """The same in a process of its own: for what ends the trader, whose parent the test is."""
        folder = self.folder / f"command-{time.monotonic_ns()}"
        folder.mkdir()
        process = Traded(folder, name, *words, "--state", str(self.folder / "state"))
        try:
            return process.wait(), process.text
        finally:
            process.kill()

    def note(self) -> Note:
        return self.place.note()

    def ask(self, do: str, **values: Any) -> Any:
        """Over the control channel. Raises TWSError."""
        note = self.note()
        return ask(note.control, note.token, do, timeout_s=BOUND_S, **values)

    def declare_held(self) -> int:
        """As a human who looked into TWS: what it may hold untransmitted is gone; how many orders."""
        said = self.said()
        held = [
            each
            for each in said.get("unknown", ())
            if any(f"order {each} " in alarm and "untransmitted" in alarm for alarm in said["alarms"])
        ]
        for each in held:
            self.ask("declare", order=each, operator="the play", reason="TWS holds it untransmitted")
        return len(held)

    def settled(self) -> bool:
        """Books and broker agree, nothing is unknown, all that is held has its stop."""
        said = self.said()
        return bool(said) and said["reconciled"] and not said["unknown"] and not said["unprotected"]

    def holds(self, symbol: str, shares: int) -> bool:
        """The broker has these shares, the trader knows it, and all of them stand behind their stop."""
        behind = f"{symbol}: {shares} held, {shares} of it behind a stop"
        known = any(each.startswith(behind) for each in self.said().get("left", ()))
        return known and self.tws.position(symbol) == shares and self.settled()

    def said(self) -> dict[str, Any]:
        """Its status; empty where it does not answer."""
        try:
            return dict(self.ask("status"))
        except TWSError:
            return {}

    def settle(self, process: Traded) -> None:
        """Return once it is settled, by a human's word about what no answer of TWS shows.

        No clock of ours bounds that: a busy machine makes each step slow. It has failed when its process
        ends, or when nothing of it changed while the trader counted `PATIENCE_BEATS` of its own seconds.
        """
        last, beats, beat_ns, seen_s = None, 0, 0, time.monotonic()
        with SafetyFile(self.place.safety) as safety:
            while not self.settled():
                assert process.popen.poll() is None, process.text
                self.declare_held()
                said = self.said()
                now = [said.get(name) for name in ("reconciled", "unknown", "unprotected", "left", "alarms")]
                if now != last:
                    last, beats = now, 0
                if safety.beat_ns != beat_ns:
                    beats, beat_ns, seen_s = beats + 1, safety.beat_ns, time.monotonic()
                assert time.monotonic() - seen_s < HUNG_S, f"it hangs: {now}"
                assert beats < PATIENCE_BEATS, f"it does not settle: {now}"
                time.sleep(0.05)
