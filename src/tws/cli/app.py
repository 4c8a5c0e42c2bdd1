"""The command `tws`: a table of commands, each imported only when it is called.

`tws --help` reads the table alone, so that it answers at once. A command is a plain function with Typer's
annotations, named like the command, in a module of its own; its exit code is what it gives `typer.Exit`.

Exit codes: 0 done; 1 done, and the answer is no (a cause was found, a reconciliation is not exact);
2 it could not be done as asked (usage, configuration, no connection); 70 a bug of ours; 130 Ctrl-C.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from tws.cli.console import drop_output, prepare_output, print_json

if TYPE_CHECKING:
    from tws.errors import TWSError

__all__ = ["BUG", "COMMANDS", "CTRL_C", "FAILED", "FOUND", "OK", "Entry", "main"]

OK, FOUND, FAILED, BUG, CTRL_C = 0, 1, 2, 70, 130


class Entry(NamedTuple):
    """One command: where its function stands, and its line in the help."""

    module: str
    help: str


COMMANDS = {
    "demo": Entry("tws.cli.demo", "Trade a simulated day: no account, no network needed."),
    "sim": Entry("tws.cli.sim", "Run a simulated TWS that any TWS client can connect to."),
    "record": Entry("tws.cli.record", "Write a session between a client and a TWS to a file, redacted."),
    "replay": Entry("tws.cli.replay", "Serve a recorded session to a client; tell where it departs."),
    "certify": Entry("tws.cli.certify", "Play scenarios on a paper TWS; name what differs from ours."),
    "api-demo": Entry("tws.cli.api_demo", "Serve a prediction API on this machine, to try things out."),
    "init": Entry("tws.cli.init", "Write a first configuration, which works on the simulator."),
    "check": Entry("tws.cli.check", "Check a configuration, and with --connect the TWS it names."),
    "run": Entry("tws.cli.run", "Trade by a configuration file until told to end."),
    "reload": Entry("tws.cli.reload", "Let a running trader take limits and rules up anew."),
    "status": Entry("tws.cli.status", "Show what each trader is doing, and what is latched."),
    "stop": Entry("tws.cli.stop", "End a running trader in order, protected or flat."),
    "kill": Entry("tws.cli.kill", "Emergency stop: entries cancelled, latched; --flatten closes."),
    "reset": Entry("tws.cli.reset", "Take a latch away, with your name and a reason."),
    "unlock": Entry("tws.cli.unlock", "Let a live account trade for a time, on evidence."),
    "adjust": Entry("tws.cli.adjust", "Explain a move of a position that no fill explains."),
    "risk": Entry("tws.cli.risk", "Show how far each limit is, change one, or release it."),
    "rules": Entry("tws.cli.rules", "Show, switch and explain the rules of a running trader."),
    "declare": Entry("tws.cli.declare", "End an order of unknown outcome, after a look into TWS."),
    "drill": Entry("tws.cli.drill", "Rehearse the emergency stop on the simulator."),
    "orders": Entry("tws.cli.books", "List our orders as the journal has them."),
    "positions": Entry("tws.cli.books", "List positions as the journal has them: ours and the account's."),
    "explain": Entry("tws.cli.explain", "Tell an order's life in sentences."),
    "verify": Entry("tws.cli.verify", "Prove that a journal is whole."),
    "export": Entry("tws.cli.export", "Write a journal as Parquet tables."),
    "doctor": Entry("tws.cli.doctor", "Find why a connection fails or would fail, with the cure."),
}


class _LazyGroup(TyperGroup):
    """Lists commands from the table; imports the one that is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            self.commands[name] = TyperCommand(name, help=entry.help, rich_markup_mode=None)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args and args[0] in COMMANDS:
            return args[0], _load(args[0]), args[1:]
        return super().resolve_command(ctx, args)


def _load(name: str) -> Any:
    module = import_module(COMMANDS[name].module)
    if isinstance(group := getattr(module, "app", None), typer.Typer):  # a command with commands of its own
        return typer.main.get_command(group)
    function = getattr(module, name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, help=COMMANDS[name].help if function.__doc__ is None else None)(function)
    return typer.main.get_command(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tws {version('tws-trading-framework')}")
        raise typer.Exit(OK)


app = typer.Typer(
    name="tws",
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: ASCII in every console, and Rich need not be imported for it
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(epilog="Exit codes: 0 done, 1 the answer is no, 2 could not be done as asked, 130 Ctrl-C.")
def _tws(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """The safe way from a Python idea to automated trading in Interactive Brokers' TWS or IB Gateway."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit. `arguments` stands in for sys.argv[1:]."""
    from tws.errors import TWSError

    prepare_output()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            typer.main.get_command(app).main(args=words, prog_name="tws")
        finally:
            sys.stdout.flush()
    except TWSError as wrong:
        _tell(wrong, "--json" in words)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(CTRL_C)
    except Exception as wrong:
        if isinstance(wrong, OSError) and wrong.errno in OF_THE_MACHINE:
            _blame(wrong)
            sys.exit(FAILED)
        import traceback

        traceback.print_exc()
        sys.stderr.write("tws: this is a bug in tws, not in what you did; please report the lines above\n")
        sys.exit(BUG)
    sys.exit(OK)


OF_THE_MACHINE = {
    getattr(errno, name, None)
    for name in ("EACCES", "EDQUOT", "EIO", "EISDIR", "EMFILE", "ENAMETOOLONG", "ENFILE", "ENOSPC", "ENOTDIR",
                 "EPERM", "EPIPE", "EROFS")
} - {None}  # fmt: skip
"""What a machine refuses: no bug of ours, and no traceback helps against it."""


def _blame(wrong: OSError) -> None:
    """One line: which file, and what the system says of it. Without a name it is stdout that failed."""
    if wrong.filename is None:
        drop_output()
    if wrong.errno != errno.EPIPE:  # whoever reads no further knows it
        where = "what was to be written to stdout" if wrong.filename is None else wrong.filename
        cure = "Free space, or name a file or folder that you may read and write"
        sys.stderr.write(f"tws: {where}: {wrong.strerror or wrong}. {cure}\n")


def _tell(wrong: TWSError, as_json: bool) -> None:
    """One line that says what is wrong and what to do (errors carry their cure in their text)."""
    text = " ".join(str(wrong).split())
    if as_json:
        print_json({"error": {"kind": type(wrong).__name__, "text": text}})
    else:
        sys.stderr.write(f"tws: {text}\n")
