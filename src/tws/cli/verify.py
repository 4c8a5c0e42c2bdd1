"""`tws verify`: is a journal whole? What is proven, and how, stands in `tws.journal.verify`."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from tws.cli.console import glyphs, print_json
from tws.cli.journals import JournalOption, find_journal
from tws.cli.traders import State, Trader

if TYPE_CHECKING:
    from tws.errors import DataError, JournalError
    from tws.journal import Proof
    from tws.model.records import Began, Stamped

__all__ = ["verify"]

FOUND = 1


SHOWN = 5
"""Sessions that are written; --json has `SESSIONS`."""

SESSIONS = 1000
"""As many as are kept while a journal is read: some years of trading days, in a few hundred kilobytes."""


RELOADS = 10
"""Of one session: the last ones say what it traded by at its end."""


class Session(NamedTuple):
    """One start of a trader: the row that says so, and what it traded by (unknown in older journals), also
    once it had taken its file up anew.
    """

    row: int
    began: Began
    stamp: Stamped | None = None
    reloaded: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        from tws.clock import to_datetime
        from tws.config import mask_account

        began, stamp = self.began, self.stamp
        return {
            "row": self.row, "began": to_datetime(began.at_ns).isoformat(),
            "account": mask_account(began.account), "port": began.port, "client_id": began.client_id,
            "code": stamp and stamp.code, "configuration": stamp and stamp.configuration,
            "program": stamp and stamp.program, "reloaded": list(self.reloaded),
        }  # fmt: skip


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

    Also named: what each session traded by, as fingerprints of the code and of the configuration.

    Exit codes: 0 whole, with the number of records and the head; 1 not whole, and the first bad row; 2 there
    is no such journal, or it can't be read.
    """
    from tws.errors import DataError, JournalError
    from tws.journal import verify_journal
    from tws.model.records import Began, Reloaded, Stamped, decode_record

    path = find_journal(journal, trader, state)
    sessions: deque[Session] = deque(maxlen=SESSIONS)

    def look(row: int, payload: bytes) -> None:
        record = decode_record(payload, row)
        if isinstance(record, Began):
            sessions.append(Session(row, record))
        elif isinstance(record, Stamped) and sessions:
            sessions[-1] = sessions[-1]._replace(stamp=record)
        elif isinstance(record, Reloaded) and sessions:
            last = sessions[-1]
            sessions[-1] = last._replace(reloaded=(*last.reloaded, record.configuration)[-RELOADS:])

    try:
        proof = verify_journal(path, head, look=look)
    except JournalError as wrong:
        if wrong.kind != "corrupt":
            raise
        _tell_fault(str(path), wrong, wrong.sequence, as_json)
    except DataError as wrong:
        told = DataError(path, wrong.line, wrong.reason)  # which journal: a record knows its row alone
        _tell_fault(str(path), told, wrong.line, as_json)
    else:
        _tell_proof(proof, list(sessions), as_json)
        return
    raise typer.Exit(FOUND)


def _tell_proof(proof: Proof, sessions: list[Session], as_json: bool) -> None:
    if as_json:
        print_json({
            "whole": True, "journal": proof.path, "records": proof.records, "head": str(proof.head),
            "layout": proof.layout, "held_against": list(proof.held_against), "notes": list(proof.notes),
            "sessions": [each.plain() for each in sessions],
        })  # fmt: skip
        return
    signs = glyphs()
    typer.echo(f"{signs.good} {proof.path}: {proof.records} records, whole")
    typer.echo(f"head {proof.head}")
    typer.echo(f"held against {', '.join(proof.held_against)}")
    for note in proof.notes:
        typer.echo(f"{signs.warn} {note}")
    for each in sessions[-SHOWN:]:
        said = each.plain()
        by = f"code {said['code']}, configuration {said['configuration']}" if said["code"] else "not stamped"
        by += "".join(f", then {other}" for other in said["reloaded"])
        typer.echo(f"session of {said['began']} (row {said['row']}): {by}")
    if len(sessions) > SHOWN:
        typer.echo(f"and earlier sessions, {len(sessions) - SHOWN} of them with --json")


def _tell_fault(path: str, wrong: JournalError | DataError, row: int | None, as_json: bool) -> None:
    text = " ".join(str(wrong).split())
    if as_json:
        print_json({"whole": False, "journal": path, "row": row, "text": text})
    else:
        sys.stdout.write(f"{glyphs().bad} {text}\n")
