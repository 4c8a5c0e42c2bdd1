"""`tws explain`: an order's life in sentences. The sentences are made in `tws.orders.story`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tws.cli.console import glyphs, print_json
from tws.cli.journals import JournalOption, find_journal
from tws.cli.traders import State, Trader

if TYPE_CHECKING:
    from tws.model.records import Record
    from tws.orders.story import Sentence

__all__ = ["explain"]

FOUND = 1


def explain(
    order: Annotated[
        str,
        typer.Argument(help="An intent id, an order id, a permanent id, or the name of a signal or a trade."),
    ],
    journal: JournalOption = None,
    trade: Annotated[bool, typer.Option("--trade", help="All orders of its trade, in one story.")] = False,
    trader: Trader = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="The sentences as JSON.")] = False,
) -> None:
    """Tell an order's life in sentences, from the first wish to its end, each with its row in the journal.

    \b
    tws explain t3f9a1-17             one order, by our own id
    tws explain 1042                  by order id, or by the broker's permanent id
    tws explain t3f9a1-17 --trade     its entry, its exits and what became of them
    tws explain breakout/SPY-0931     what came of a signal, or why it was denied

    An approval is told with every limit that was on: its figure then, and its bound. What went on around the
    order while it could act (a new run, the link, a human's adjustment) is told too.

    Exit codes: 0 told; 1 the journal knows nothing by that name, and names those that are near it.
    """
    from difflib import get_close_matches

    from tws.orders.search import names, search
    from tws.orders.story import Teller

    path = find_journal(journal, trader, state)
    found = search((record for _, record in _records(path)), order, whole_trade=trade)
    if not found:
        known = names(record for _, record in _records(path))
        _tell_nothing(path, order, get_close_matches(order, known, n=5), as_json)
        raise typer.Exit(FOUND)
    teller = Teller(found)
    sentences = [said for row, record in _records(path) if (said := teller.hear(row, record)) is not None]
    _tell(sentences, teller.ends(), as_json)


def _records(path: Path) -> Iterator[tuple[int, Record]]:
    """Twice read: once to find, once to tell; a long journal does not fit in memory as records."""
    from tws.journal import read_journal
    from tws.model.records import decode_records

    yield from enumerate(decode_records(read_journal(path)), 1)


def _tell(sentences: list[Sentence], ends: list[str], as_json: bool) -> None:
    from tws.clock import to_datetime

    if as_json:
        rows = [{"at": to_datetime(said.at_ns).isoformat(), "row": said.row, "about": said.about,
                 "text": said.text} for said in sentences]  # fmt: skip
        print_json({"sentences": rows, "ends": ends})
        return
    day = ""
    several = len({said.about for said in sentences}) > 1
    for said in sentences:
        when = to_datetime(said.at_ns)
        if day != (day := f"{when:%Y-%m-%d}"):
            typer.echo(f"{day} (UTC)")
        name = f"{said.about}: " if several else ""
        typer.echo(f"  {when:%H:%M:%S.%f}  row {said.row}  {name}{said.text}")
    for end in ends:
        typer.echo(f"{glyphs().arrow} {end}")


def _tell_nothing(path: Path, word: str, near: list[str], as_json: bool) -> None:
    close = f"; near it: {', '.join(near)}" if near else ""
    text = f"{path} knows no order, trade or signal named {word!r}{close}; tws orders --all lists the orders"
    if as_json:
        print_json({"sentences": [], "ends": [], "text": text, "near": near})
    else:
        typer.echo(text)
