"""`tws verify`: is a journal whole? What is proven, and how, stands in `tws.journal.verify`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import glyphs, print_json
from tws.cli.journals import JournalOption, find_journal
from tws.cli.traders import State, Trader

if TYPE_CHECKING:
    from tws.errors import DataError, JournalError
    from tws.journal import Proof

__all__ = ["verify"]

FOUND = 1


def verify(
    journal: JournalOption = None,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="HASH|FILE",
            help="A head that was kept elsewhere (from a report or an alert), or a file that holds one.",
        ),
    ] = None,
    trader: Trader = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
) -> None:
    """Prove that a journal is whole: no record altered, missing, out of its order, or cut off at the end.

    Each record bears a hash over all before it. That chain is held against the heads that its writers found
    when they opened it, against the head in the file beside it, and against the one you name. Whoever
    rewrote the journal and the file beside it is caught only by a head from elsewhere: keep those of the
    reports and alerts. The journal may be in use meanwhile.

    \b
    tws verify                                  the journal in the state folder
    tws verify --journal day.sqlite3 --head 812:5be0...c1
    tws verify --head heads/last-week-head      a copy of the file beside the journal

    Exit code 0: whole, with the number of records and the head; 1: not whole, and the first bad row;
    2: there is no such journal, or it can't be read.
    """
    from tws.errors import DataError, JournalError
    from tws.journal import verify_journal
    from tws.model.records import decode_record

    path = find_journal(journal, trader, state)
    try:
        proof = verify_journal(path, head, look=lambda row, payload: decode_record(payload, row))
    except JournalError as wrong:
        if wrong.kind != "corrupt":
            raise
        _tell_fault(str(path), wrong, wrong.sequence, as_json)
    except DataError as wrong:
        _tell_fault(str(path), wrong, wrong.line, as_json)
    else:
        _tell_proof(proof, as_json)
        return
    raise typer.Exit(FOUND)


def _tell_proof(proof: Proof, as_json: bool) -> None:
    if as_json:
        print_json({
            "whole": True, "journal": proof.path, "records": proof.records, "head": str(proof.head),
            "layout": proof.layout, "held_against": list(proof.held_against), "notes": list(proof.notes),
        })  # fmt: skip
        return
    signs = glyphs()
    typer.echo(f"{signs.good} {proof.path}: {proof.records} records, whole")
    typer.echo(f"head {proof.head}")
    typer.echo(f"held against {', '.join(proof.held_against)}")
    for note in proof.notes:
        typer.echo(f"{signs.warn} {note}")


def _tell_fault(path: str, wrong: JournalError | DataError, row: int | None, as_json: bool) -> None:
    text = " ".join(str(wrong).split())
    if as_json:
        print_json({"whole": False, "journal": path, "row": row, "text": text})
    else:
        sys.stdout.write(f"{glyphs().bad} {text}\n")
