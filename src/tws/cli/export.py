"""`tws export`: a journal as Parquet tables. How records become columns stands in `tws.journal.parquet`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tws.cli.console import print_json
from tws.cli.journals import JournalOption, find_journal
from tws.cli.traders import State, Trader

__all__ = ["export"]


def export(
    out: Annotated[Path, typer.Option(help="The folder for the files; made when it is not there.")],
    journal: JournalOption = None,
    trader: Trader = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="What was written, as JSON.")] = False,
) -> None:
    """Write a journal as Parquet files, one for each kind of record: booked.parquet, moved.parquet, ...

    Each row has its number in the journal. Money and quantities are exact decimals, instants are UTC with
    nanoseconds. Files of an earlier export in that folder are replaced. Needs the extra [parquet].

    \b
    tws export --out tables                            the only journal there is
    tws export --journal day.sqlite3 --out tables --json

    Exit codes: 0 written; 2 no journal, not whole, or the folder can't be written.
    """
    from tws.journal.parquet import export_journal

    path = find_journal(journal, trader, state)
    written = export_journal(path, out)
    if as_json:
        print_json(
            {
                "journal": str(path),
                "head": str(written.head),
                "files": [{"file": str(each.path), "rows": each.rows} for each in written.files],
            }
        )
        return
    for each in written.files:
        typer.echo(f"{each.path}  {each.rows} rows")
    typer.echo(f"{written.records} records, head {written.head}")
