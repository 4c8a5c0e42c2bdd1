"""`tws init DIR`: a first configuration, by a few questions or none."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import ask

if TYPE_CHECKING:
    from tws.preflight.scaffold import Answers

__all__ = ["init"]


def init(
    folder: Annotated[Path, typer.Argument(help="Where the files go; made when it is not there.")],
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: the simulator, SPY and QQQ, a file of signals.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files of these names.")] = False,
) -> None:
    """Write a commented configuration that works at once on the simulator, and say what comes next.

    It asks where to trade, what, with how much money, at which stop and target, and where signals come from
    (a file, a polled API, or the built-in opening-range breakout). On the simulator the API is that of
    tws api-demo; an own one is two lines of the file .env.

    \b
    tws init desk --defaults     ask nothing
    tws init desk                ask

    A .gitignore that is there keeps its lines, a .env is left as it is.

    Exit codes: 0 written; 2 nothing was written: files are there already, or an answer is none.
    """
    from tws.clock import SystemClock
    from tws.preflight.scaffold import (
        Answers,
        next_commands,
        next_note,
        refuse_existing,
        scaffold,
        write,
    )

    if not force:
        refuse_existing(folder)  # before anything is asked
    answers = Answers() if defaults else _ask()
    for path in write(folder, scaffold(answers, SystemClock().now_ns()), force):
        typer.echo(f"wrote {path}")
    typer.echo(f"\n{next_note(answers, folder)}Next:")
    for command in next_commands(answers, folder):
        typer.echo(f"    {command}")
    typer.echo("While it runs: tws status shows it, tws stop ends it, tws kill is the emergency stop.")


def _ask() -> Answers:
    from tws.errors import ConfigError
    from tws.preflight.scaffold import SOURCE_NAMES, WHERE_NAMES, Answers, parse_answers

    usual = Answers()
    questions = {
        "where": (f"Where to trade ({', '.join(WHERE_NAMES)})", usual.where),
        "symbols": ("Symbols", ",".join(usual.symbols)),
        "money": ("Money of one entry", f"{usual.money}"),
        "stop": ("Stop, in percent of the entry's price", f"{usual.stop}"),
        "target": ("Target, in percent", f"{usual.target}"),
        "source": (f"Signals from ({', '.join(SOURCE_NAMES)})", usual.source),
    }
    typed = {name: default for name, (_, default) in questions.items()}

    def judge(name: str, text: str) -> str:
        """The text, once it answers its question; a human at a terminal is asked again."""
        try:
            parse_answers(typed | {name: text})
        except ConfigError as wrong:
            if not sys.stdin.isatty():
                raise
            raise typer.BadParameter(f"{text!r} {wrong.reason}. {wrong.cure}") from wrong
        return text

    for name, (text, default) in questions.items():
        question = partial(typer.prompt, text, default, value_proc=partial(judge, name))
        typed[name] = ask(question, "Answer all six questions, or let none be asked: --defaults")
    return parse_answers(typed)
